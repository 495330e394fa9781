package view

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

func TestTheReviewSaysAllThatWouldChange(t *testing.T) {
	p, prog := rich(t)
	golden(t, "diff.txt", func(w io.Writer, color bool) error { return Diff(w, p, prog, Style{Color: color}) })
	golden(t, "diff_verbose.txt", func(w io.Writer, color bool) error { return Diff(w, p, prog, Style{Color: color, Verbose: true}) })
}

func TestTheReviewOfAFreshPlan(t *testing.T) {
	p, prog := compiled(t, strings.Replace(richPlan, "cleanup:\n  source_objects: after-verify\n", "cleanup:\n", 1), func() compile.World {
		w := richWorld()
		w.Policies, w.Owned, w.Unseen, w.Principal.Keys = nil, nil, nil, nil
		w.Copies = map[string]compile.CopyFacts{
			"tommy/→tommy-b/":        {Known: true},
			"logs/2026/→logs-b/old/": {},
		}
		return w
	}())
	golden(t, "diff_fresh.txt", func(w io.Writer, color bool) error { return Diff(w, p, prog, Style{Color: color}) })
}

func TestNoChangesAreSaidInOneSentence(t *testing.T) {
	p, prog := compiled(t, strings.Split(richPlan, "cleanup:")[0], func() compile.World {
		w := richWorld()
		w.Policies, w.Owned, w.Principal.Keys, w.Instances = nil, nil, nil, nil
		w.Buckets[compile.BucketRef{Side: plan.Destination, Name: "tommy-b"}] = secure()
		for _, id := range []string{"tommy/→tommy-b/", "logs/2026/→logs-b/old/"} {
			w.Copies[id] = compile.CopyFacts{Known: true, Listed: count(3, 30), Same: count(3, 30), SameBy: map[string]compile.Count{"etag": count(3, 30)}}
		}
		return w
	}())
	if prog.HasChanges() {
		t.Fatal("the program has changes")
	}
	golden(t, "no_changes.txt", func(w io.Writer, color bool) error { return NoChanges(w, p, prog, Style{Color: color}) })
}

func TestAnEndSaysHowEveryPairStands(t *testing.T) {
	for name, e := range map[string]End{
		"done": doneEnd(), "failed": failedEnd(), "waiting": waitingEnd(), "interrupted": interruptedEnd(), "hostile": hostileEnd(),
	} {
		golden(t, "ending_"+name+".txt", func(w io.Writer, color bool) error { return Ending(w, e, Style{Color: color}) })
	}
	golden(t, "ending_verbose.txt", func(w io.Writer, color bool) error { return Ending(w, failedEnd(), Style{Color: color, Verbose: true}) })
}

func TestAVerificationSaysWhatIsEqual(t *testing.T) {
	pair := parsed(t, richPlan).Buckets[0]
	sum := failedEnd().Pairs["tommy/→tommy-b/"]
	sum.Tally.Extra = objects(1, 1)
	golden(t, "verification_failed.txt", func(w io.Writer, color bool) error { return Verification(w, pair, sum, Style{Color: color}) })
	golden(t, "verification.txt", func(w io.Writer, color bool) error {
		return Verification(w, pair, doneEnd().Pairs["tommy/→tommy-b/"], Style{Color: color})
	})
}

func TestALifeIsSeenFromAnotherTerminal(t *testing.T) {
	now := began.Add(70 * time.Second)
	golden(t, "life.txt", func(w io.Writer, color bool) error { return Life(w, life(), now, Style{Color: color}) })
	golden(t, "life_verbose.txt", func(w io.Writer, color bool) error { return Life(w, life(), now, Style{Color: color, Verbose: true}) })
	evil := life()
	evil.Plan, evil.Run, evil.State, evil.Host, evil.Resume = hostile, hostile, hostile, hostile, hostile
	evil.Pairs[0].Pair, evil.Steps[1].Subject, evil.Steps[1].Message = hostile, hostile, hostile
	golden(t, "life_hostile.txt", func(w io.Writer, color bool) error { return Life(w, evil, now, Style{Color: color}) })
}

func TestRunsAreListed(t *testing.T) {
	golden(t, "runs.txt", func(w io.Writer, _ bool) error {
		return Runs(w, []RunRow{
			{Run: "tommy-to-b-20261123T180000Z-abcd", State: "done", Started: began, Resumed: 2},
			{Run: "tommy-to-b-20261124T180000Z-efgh", State: "crashed", Started: began.Add(24 * time.Hour)},
			{Run: hostile, State: hostile, Started: began},
		})
	})
}

func TestALogIsReadLineByLine(t *testing.T) {
	events := []executor.Event{
		{Time: began, Type: executor.RunStart, Run: "r1"},
		{Time: began, Type: executor.StepStart, Run: "r1", Kind: compile.KindCopy, Subject: "tommy/** → tommy-b/**"},
		{Time: began, Type: executor.StepComplete, Run: "r1", Kind: compile.KindVerify, Subject: hostile, Outcome: executor.Failed, Message: "first line\n" + hostile},
		{Time: began, Type: executor.ObjectFailed, Run: "r1", Kind: compile.KindCopy, Subject: hostile, Message: "denied"},
		{Time: began, Type: executor.RunStart, Run: "r2"},
	}
	golden(t, "log.txt", func(w io.Writer, _ bool) error {
		for _, e := range events {
			line, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if err := LogLine(w, line, "r1"); err != nil {
				return err
			}
		}
		return LogLine(w, []byte(`{"type":"run_summary","run":"r1","state":"done","time":"2026-11-23T18:00:00Z"}`), "r1")
	})
	if err := LogLine(io.Discard, []byte("half a li"), ""); err == nil {
		t.Error("half a line was read")
	}
}

func TestAGraphHasThreeForms(t *testing.T) {
	_, prog := rich(t)
	prog.Steps[len(prog.Steps)-1].Subject = `<b>"#` + hostile
	for _, format := range []string{"mermaid", "dot", "json"} {
		if err := CheckGraphFormat(format); err != nil {
			t.Error(err)
		}
		golden(t, "graph."+format, func(w io.Writer, _ bool) error { return Graph(w, prog, format) })
	}
	if err := CheckGraphFormat("png"); err == nil || !strings.Contains(err.Error(), "mermaid, dot or json") {
		t.Errorf("png: %v", err)
	}
	var got struct {
		Name  string
		Steps []graphNode
	}
	if err := json.Unmarshal([]byte(rendered(t, func(w io.Writer) error { return Graph(w, prog, "json") })), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != prog.Name || len(got.Steps) != len(prog.Steps) {
		t.Errorf("the graph of %q has %d of %d steps", got.Name, len(got.Steps), len(prog.Steps))
	}
}

func TestAReviewAsLinesHoldsEveryStep(t *testing.T) {
	p, prog := rich(t)
	golden(t, "diff.jsonl", func(w io.Writer, _ bool) error { return DiffJSON(w, p, prog, Style{}) })
	text := rendered(t, func(w io.Writer) error { return DiffJSON(w, p, prog, Style{}) })
	types := map[string]int{}
	for line := range strings.Lines(text) {
		var v struct{ Type string }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		types[v.Type]++
	}
	if types["planned_change"] != len(prog.Steps) || types["not_previewed"] != 1 || types["diagnostic"] != len(prog.Warnings) || types["plan_summary"] != 1 {
		t.Errorf("the lines are %v", types)
	}
}

func TestAnEndIsReadBackAsItWas(t *testing.T) {
	data, err := json.Marshal(failedEnd())
	if err != nil {
		t.Fatal(err)
	}
	e, err := ReadEnd(data)
	if err != nil {
		t.Fatal(err)
	}
	want := rendered(t, func(w io.Writer) error { return Ending(w, failedEnd(), Style{}) })
	if got := rendered(t, func(w io.Writer) error { return Ending(w, e, Style{}) }); got != want {
		t.Errorf("read back it says\n%s\nwant\n%s", got, want)
	}
	if _, err := ReadEnd(nil); err == nil {
		t.Error("an end that was never recorded was read")
	}
}

func TestAnEndAsLinesNamesEveryFailure(t *testing.T) {
	lines, err := EndJSON(failedEnd())
	if err != nil {
		t.Fatal(err)
	}
	failures := 0
	for i, line := range lines {
		var v struct{ Type, Subject, State string }
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		if v.Type == "object_failed" {
			failures++
		}
		if last := i == len(lines)-1; last != (v.Type == "run_summary") || last && v.State != "finished-with-failures" {
			t.Errorf("line %d is %s", i, line)
		}
	}
	if failures != 12 {
		t.Errorf("%d failures are named, want 12", failures)
	}
}

func TestAReportIsOneSoundPage(t *testing.T) {
	for name, e := range map[string]End{"done": doneEnd(), "hostile": func() End {
		e := hostileEnd()
		e.Pairs[hostile].Failures[0].Key = `<script>alert("&")</script>`
		return e
	}()} {
		golden(t, "report_"+name+".html", func(w io.Writer, _ bool) error { return Report(w, e, "0.1.0") })
		page := rendered(t, func(w io.Writer) error { return Report(w, e, "0.1.0") })
		for _, bad := range []string{"<script", "http://", "https://", "src="} {
			if strings.Contains(page, bad) {
				t.Errorf("the page of %s holds %s", name, bad)
			}
		}
		if err := balanced(page); err != nil {
			t.Errorf("the page of %s: %v", name, err)
		}
	}
}

// balanced reads the page as XML would, but for the elements of HTML that never close.
func balanced(page string) error {
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			open = append(open, tok.Name.Local)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != tok.Name.Local {
				return fmt.Errorf("</%s> closes %v", tok.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%v are never closed", open)
	}
	return nil
}

func TestAKeyIsQuotedWhereATerminalWouldActOnIt(t *testing.T) {
	for key, want := range map[string]string{
		"":                  `""`,
		"orders/2026.json":  "orders/2026.json",
		"ünïcode 東京/🙂":      "ünïcode 東京/🙂",
		" leading":          `" leading"`,
		"trailing ":         `"trailing "`,
		"one, two":          `"one, two"`,
		"a   12 MiB":        `"a   12 MiB"`,
		"a,b c":             "a,b c",
		`a"b`:               `"a\"b"`,
		`a\b`:               `"a\\b"`,
		"new\nline":         `"new\nline"`,
		"\x1b[31m":          `"\x1b[31m"`,
		"c1\u009b":          `"c1\u009b"`,
		"turned\u202eround": `"turned\u202eround"`,
		"bad\xffutf8":       `"bad\xffutf8"`,
		"zero\u200bwidth":   `"zero\u200bwidth"`,
		"no-break\u00a0":    `"no-break\u00a0"`,
	} {
		if got := Key(key); got != want {
			t.Errorf("Key(%q) = %s, want %s", key, got, want)
		}
	}
}

func TestSizesAndTimesAreShort(t *testing.T) {
	for got, want := range map[string]string{
		size(0): "0 B", size(-1536): "-1.5 KiB", size(9 << 40): "9.0 TiB",
		shortTime(1234 * time.Millisecond): "1.2s", shortTime(61234 * time.Millisecond): "1m1s",
		plural(1, "object"): "1 object", plural(1200, "object"): "1,200 objects",
		padLeft("東", 4): "  東", padRight("東", 4): "東  ",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// broken is a terminal or a pipe that is gone.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAPipeThatIsGoneIsAnError(t *testing.T) {
	p, prog := rich(t)
	for name, err := range map[string]error{
		"Diff":      Diff(broken{}, p, prog, Style{}),
		"NoChanges": NoChanges(broken{}, p, prog, Style{}),
		"DiffJSON":  DiffJSON(broken{}, p, prog, Style{}),
		"Ending":    Ending(broken{}, doneEnd(), Style{}),
		"Life":      Life(broken{}, life(), began, Style{}),
		"Runs":      Runs(broken{}, []RunRow{{}}),
		"Graph":     Graph(broken{}, prog, "dot"),
		"JSON":      Graph(broken{}, prog, "json"),
		"Report":    Report(broken{}, doneEnd(), ""),
	} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAVerificationClaimsNoMoreThanWasCompared(t *testing.T) {
	pair := parsed(t, richPlan).Buckets[0]
	pair.Verify.Level = plan.LevelChecksum
	for want, tally := range map[string]s3copy.Tally{
		"every object of the source is at the destination, at level checksum\n":                               {},
		"every object that the plan does not skip is at the destination, at level checksum; skipped: 1,500\n": {Skipped: objects(1500, 1)},
		"every object of the source is at the destination, at level checksum; by size only: 3\n":              {Evidence: s3copy.Evidence{SizeOnly: objects(3, 1)}},
	} {
		var b strings.Builder
		if err := Verification(&b, pair, s3copy.Summary{Tally: tally}, Style{}); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v, %s\nwant %s", err, b.String(), want)
		}
	}
}

func TestMoreFailuresThanAreHeldAreSaid(t *testing.T) {
	sum := s3copy.Summary{Tally: s3copy.Tally{Failed: objects(5000, 1)}, Failures: make([]s3copy.Failure, 1000)}
	var b strings.Builder
	if err := Verification(&b, parsed(t, richPlan).Buckets[0], sum, Style{}); err != nil || !strings.Contains(b.String(), "… and 4,990 more: --json has the first 1,000\n") {
		t.Errorf("%v, %s", err, b.String())
	}
}
