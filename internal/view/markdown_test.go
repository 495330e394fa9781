package view

import (
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"xplan/internal/compile"
	"xplan/plan"
)

// skeleton is the structure of a markdown page: what is left of each line when code and text are taken off.
func skeleton(text string) string {
	var lines []string
	fence := ""
	for line := range strings.SplitSeq(text, "\n") {
		switch f := regexp.MustCompile("^(```+)(diff|sh)?$").FindStringSubmatch(line); {
		case fence != "" && line == fence:
			fence = ""
			lines = append(lines, "end")
		case fence != "":
			lines = append(lines, "code")
		case f != nil:
			fence = f[1]
			lines = append(lines, "begin")
		default:
			lines = append(lines, bare(line))
		}
	}
	return strings.Join(lines, "\n")
}

// bare is a line without its code spans and without what is no markup.
func bare(line string) string {
	var b strings.Builder
	for line != "" {
		at := strings.IndexByte(line, '`')
		if at < 0 {
			b.WriteString(line)
			break
		}
		b.WriteString(line[:at])
		line = line[at:]
		fence := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		m := regexp.MustCompile("[^`]" + fence + "($|[^`])").FindStringIndex(line[len(fence):])
		if m == nil {
			b.WriteString("UNCLOSED")
			break
		}
		b.WriteString("C")
		line = line[len(fence)+m[0]+1+len(fence):]
	}
	text := regexp.MustCompile(`&#\d+;`).ReplaceAllString(b.String(), "")
	tags := regexp.MustCompile("</?[a-z!][^>]*>|[<>|@#*_`~$\\[\\]\\\\]|^[-+=] |^\\d+[.)]|https?:|www\\.").FindAllString(text, -1)
	return strings.Join(tags, "")
}

// nasty are names that bucket keys, statements and messages could have.
func nasty() []string {
	return []string{
		"`", "``", "```", "````", "```diff", "` ", " `x` ", "~~~", "|", "\\|", "\\", "a\\`b", "<script>alert(1)</script>", "</code>", "</details>", "<!--", "-->",
		"<details open>", "@octocat", "@org/team", "#1", "org/repo#1", "GH-1", "*b*", "__b__", "[x](http://evil)", "![x](http://evil/i.png)", "http://evil", "www.evil.example", "a@b.example",
		":smile:", "$x$", "&lt;", "&#96;", "\n# h", "\r\n- l", "\u2028x", "\u202etxt", "> [!CAUTION]", "| a | b |", "---", "===", "1. x", "- x", "+ x", "    code", "\t", "\x1b[31m", "[^1]", "^^", "xplan:plan",
	}
}

func TestNothingOfTheWorldBreaksOutOfTheMarkdown(t *testing.T) {
	review := func(evil string) string {
		p, prog := rich(t)
		poison(prog, evil)
		return rendered(t, func(w io.Writer) error { return Review(w, FormatMarkdown, p, prog, Style{}) })
	}
	want := skeleton(review("harmless"))
	names := nasty()
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var b strings.Builder
		for range 1 + random.IntN(5) {
			b.WriteString(nasty()[random.IntN(len(nasty()))])
		}
		names = append(names, b.String())
	}
	for _, evil := range names {
		if got := skeleton(review(evil)); got != want {
			t.Errorf("%q changes the page's structure:\n%s", evil, diffLines(want, got))
		}
	}
}

func diffLines(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d: %q, want %q", i+1, y[i], x[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(y), len(x))
}

func TestTextAndCodeAreReadBackAsTheyWere(t *testing.T) {
	for _, evil := range nasty() {
		if evil != strings.TrimSpace(evil) { // at an end spaces may be lost, and tell nothing
			continue
		}
		if got := rendering(mdCell(evil)); got != safe(evil) {
			t.Errorf("code %q is shown as %q", evil, got)
		}
		if got := rendering(mdText(evil)); got != safe(evil) {
			t.Errorf("text %q is shown as %q", evil, got)
		}
	}
}

// wide is a plan of many pairs, each with its dangers and samples.
func wide(t *testing.T, pairs int) (*plan.Plan, *compile.Program) {
	t.Helper()
	var b strings.Builder
	head := strings.Replace(strings.Split(richPlan, "buckets:")[0], `misterrodgers"}`, `misterrodgers", credentials: profile, profile: b}`, 1)
	b.WriteString(head + "permissions: {manage: false}\nbuckets:\n")
	w := richWorld()
	facts := w.Copies["tommy/→tommy-b/"]
	facts.Skipped, facts.SkippedBy, facts.Unreadable = compile.Count{}, nil, compile.Count{}
	facts.SameBy = map[string]compile.Count{"etag": facts.Same}
	for i := range pairs {
		source := fmt.Sprintf("source-%04d", i)
		fmt.Fprintf(&b, "  - {source: %s, destination: destination-%04d}\n", source, i)
		w.Buckets[compile.BucketRef{Side: plan.Source, Name: source}] = secure()
		w.Copies[fmt.Sprintf("%s/→destination-%04d/", source, i)] = facts
	}
	b.WriteString("cleanup:\n  source_objects: after-verify\n")
	return compiled(t, b.String(), w)
}

func TestALongReviewLeavesWholeSectionsOutAndSaysSo(t *testing.T) {
	for _, pairs := range []int{1, 10, 60, 400} {
		p, prog := wide(t, pairs)
		prog.Findings = nil // of a principal whose policies nobody read
		text := rendered(t, func(w io.Writer) error { return Review(w, FormatMarkdown, p, prog, Style{Saved: "reviewed.plan"}) })
		if len(text) > commentMax {
			t.Errorf("%d pairs: %d bytes", pairs, len(text))
		}
		if pairs < 60 {
			continue
		}
		for _, part := range []string{
			"<!-- xplan:plan orders-and-logs -->\n", "### xplan: orders-and-logs — ", "DANGEROUS", "> [!CAUTION]",
			"Left out, as it would be too long here: ", "See all of it: `xplan show reviewed.plan`", "xplan apply reviewed.plan",
		} {
			if !strings.Contains(text, part) {
				t.Errorf("%d pairs: the page lacks %q", pairs, part)
			}
		}
		if open, closed := strings.Count(text, "<details>"), strings.Count(text, "</details>"); open != closed {
			t.Errorf("%d pairs: %d details are opened, %d closed", pairs, open, closed)
		}
		if n := len(regexp.MustCompile("(?m)^```").FindAllString(text, -1)); n%2 != 0 {
			t.Errorf("%d pairs: %d fences", pairs, n)
		}
	}
}
