package plan_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

func said(tb testing.TB, text string) string {
	tb.Helper()
	_, err := plan.Parse("plans/orders.xplan.yaml", []byte(text))
	if err == nil {
		tb.Fatalf("accepted %q", text)
	}
	return err.Error()
}

func TestAProblemShowsItsLineAndACaret(t *testing.T) {
	text := "version: 1\nname: orders\naccounts: {source: {id: \"123456789012\"}, destination: {id: \"210987654321\"}}\n" +
		"principal: {arn: \"arn:aws:iam::210987654321:user/u\"}\nbuckets:\n- source: tommy\n  destinatoin: tommy-b\n"
	const want = `plans/orders.xplan.yaml:7:3: unknown field "destinatoin"
  7 |   destinatoin: tommy-b
    |   ^ did you mean "destination"?`
	if diff := cmp.Diff(want, said(t, text)); diff != "" {
		t.Error(diff)
	}
}

func TestTheCaretStandsUnderTheColumn(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct{ name, line, want string }{
		{"wide runes", `"日本": {}, nam: x`, `
  12 | {"日本": {}, nam: x, ä: 1}
     |              ^ did you mean "name"?`},
		{"combining marks", "\"e\u0301e\u0301\": {}, nam: x", "\n  12 | {\"e\u0301e\u0301\": {}, nam: x, ä: 1}\n     |            ^ did you mean \"name\"?"},
		{"tab inside", "\"a\":\t{}, nam: x", `
  12 | {"a":    {}, nam: x, ä: 1}
     |              ^ did you mean "name"?`},
		{"escape sequence", "a: \"\u202e\", nam: x", `
  12 | {a: "\u202e", nam: x, ä: 1}
     |               ^ did you mean "name"?`},
		{"long line, end", "a: " + long + ", nam: x", `
  12 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, nam: x, ä: 1}
     |                                          ^ did you mean "name"?`},
		{"long line, begin", "nam: " + long, `
  12 | {nam: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
     |  ^ did you mean "name"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "{" + c.line + ", ä: 1}\n"
			// The root as one flow mapping on line 12.
			got := said(t, strings.Repeat("\n", 11)+text)
			if !strings.Contains(got, c.want) {
				t.Errorf("said:\n%s\nwant:%s", got, c.want)
			}
		})
	}
}

func TestNothingSaidMovesTheCursor(t *testing.T) {
	for _, text := range []string{
		sound + "\"a\\e[31m\\r\\b\u202e\": \"\\e]0;x\\a\"\n",
		sound + "# \u009b31m\u2066 \u200b\ncopy: {compare: \"\\e[2J\"}\n",
		"a\u0085b: [\u2028\n",
	} {
		_, err := plan.Parse("p\x1b[31m.yaml", []byte(text))
		if err == nil {
			t.Fatalf("accepted %q", text)
		}
		for _, r := range err.Error() {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("said %q, which holds %U", err, r)
			}
		}
	}
}

func TestProblemsComeByPositionAndOnce(t *testing.T) {
	text := sound + "  - &a {source: A_b, destination: x-y}\n  - *a\ncopy: {compare: x, acl: y}\n"
	_, err := plan.Parse("p.yaml", []byte(text))
	var all *plan.Problems
	if !errors.As(err, &all) {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	last := plan.Problem{}
	for _, p := range all.List {
		if p.Line < last.Line || p.Line == last.Line && p.Column < last.Column {
			t.Errorf("%d:%d comes after %d:%d", p.Line, p.Column, last.Line, last.Column)
		}
		if seen[p.String()] {
			t.Errorf("said twice: %s", p)
		}
		seen[p.String()] = true
		last = p
	}
}

func TestTooManyProblemsAreCounted(t *testing.T) {
	got := said(t, sound+strings.Repeat("copy: x\n", 500))
	if !strings.HasSuffix(got, "\n… and 300 more problems") {
		t.Errorf("ends with %q", got[len(got)-80:])
	}
}

func TestAFileTooLargeIsRefusedUnread(t *testing.T) {
	file := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(file, []byte(sound+strings.Repeat("# x\n", plan.MaxSize/4)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := plan.Load(file)
	if err == nil || !strings.Contains(err.Error(), "big.yaml: the file is larger than 1 MiB\n") {
		t.Errorf("Load = %v", err)
	}
}

func TestAFileThatCannotBeReadIsNoProblemOfThePlan(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir()} {
		_, err := plan.Load(path)
		var all *plan.Problems
		if err == nil || errors.As(err, &all) {
			t.Errorf("Load(%s) = %v", path, err)
		}
	}
	_, err := plan.Load("none.yaml")
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load of no file = %v", err)
	}
}

// What a problem points at is what it speaks of: for each field of a plan, the
// value is made wrong and the caret must stand on it.
func TestEveryPositionIsThatOfTheToken(t *testing.T) {
	for i, line := range strings.Split(spelledOut, "\n") {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(strings.TrimSpace(name), "#") || strings.HasPrefix(name, "-") {
			continue
		}
		lines := strings.Split(spelledOut, "\n")
		lines[i] = name + ": !!bogus " + value
		_, err := plan.Parse("p.yaml", []byte(strings.Join(lines, "\n")))
		var all *plan.Problems
		if !errors.As(err, &all) {
			t.Fatalf("line %q: %v", lines[i], err)
		}
		column := len(name) + len(": ") + 1
		if first := all.List[0]; first.Line != i+1 || first.Column != column || !strings.Contains(first.Message, "!!bogus") {
			t.Errorf("line %q: %s, want %d:%d", lines[i], first, i+1, column)
		}
	}
}

func TestAPlanKnowsWhereItWasWritten(t *testing.T) {
	p := mustParse(t, sound)
	for pointer, want := range map[string]plan.Position{
		"/name":                {Line: 2, Column: 7},
		"/accounts/source/id":  {Line: 4, Column: 16},
		"/buckets/0/source":    {Line: 10, Column: 13},
		"/buckets/0/to_prefix": {Line: 10, Column: 5},
		"/copy/include/0":      {Line: 1, Column: 1},
	} {
		if got := p.Position(pointer); got != want {
			t.Errorf("Position(%s) = %v, want %v", pointer, got, want)
		}
	}
	if got := (&plan.Plan{}).Position("/name"); got != (plan.Position{}) {
		t.Errorf("a plan from no file answers %v", got)
	}
}

func TestAnchorsAndMergesAreFollowed(t *testing.T) {
	p := mustParse(t, with(pair, `  - source: tommy
    destination: tommy-b
    copy: &base {tags: false, acl: bucket-owner-full-control, include: [a]}
  - source: other
    destination: other-b
    copy: {<<: *base, tags: true}
  - &third
    source: third
    destination: third-b
  - {<<: [*third, {prefix: p/, source: no}], destination: fourth-b}
`))
	if c := p.Buckets[1].Copy; !c.Tags || c.ACL != "bucket-owner-full-control" || c.Include[0] != "a" {
		t.Errorf("merged copy %+v", c)
	}
	if b := p.Buckets[3]; b.Source != "third" || b.Destination != "fourth-b" || b.Prefix != "p/" {
		t.Errorf("merged pair %+v", b)
	}
}
