package saved

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"xplan/internal/compile"
	"xplan/plan"
)

// A Difference is one thing that is not as it was reviewed. An empty value means that it is or was not there.
type Difference struct {
	Kind     DifferenceKind
	Subject  string // a fact's name, a pair and what is done to its objects, a step's ID
	Reviewed string
	Now      string
	Allowed  int64 // of counts: how far it might have moved
}

// DifferenceKind says what differs.
type DifferenceKind string

// The kinds.
const (
	Fact    DifferenceKind = "fact"    // of the world
	Count   DifferenceKind = "count"   // of objects, beyond the band
	Step    DifferenceKind = "step"    // what a step would do
	Warning DifferenceKind = "warning" // something that the review did not warn of
)

// A DriftError says that applying would not be what was reviewed.
type DriftError struct {
	Made        time.Time
	By, This    string // versions of xplan: that made the saved plan, and that checked it
	Differences []Difference
}

// Error lists every difference, one a line.
func (e *DriftError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "what would be done is not what was reviewed at %s; nothing was changed:", e.Made.UTC().Format(time.RFC3339))
	for _, d := range e.Differences {
		b.WriteString("\n  " + d.String())
	}
	if e.By != e.This {
		fmt.Fprintf(&b, "\nxplan %s made the saved plan, and this is %s: they may see or compile things differently", e.By, e.This)
	}
	if slices.ContainsFunc(e.Differences, func(d Difference) bool { return d.Kind == Fact && strings.HasPrefix(d.Subject, "owned ") }) {
		b.WriteString("\nwhat this plan owns is read from its state: --state names another folder, if this is not the one that the plan was made with")
	}
	b.WriteString("\nreview again: xplan plan FILE -o F")
	return b.String()
}

// String is one line: "count: tommy/→tommy-b/ to write: 10 → 500 objects (may move by 100)".
func (d Difference) String() string {
	reviewed, now := d.Reviewed, d.Now
	if reviewed == "" {
		reviewed = "(not there)"
	}
	if now == "" {
		now = "(not there)"
	}
	text := fmt.Sprintf("%s: %s: %s → %s", d.Kind, d.Subject, reviewed, now)
	if d.Kind == Count {
		text += fmt.Sprintf(" objects (may move by %d, and neither from nor to none)", d.Allowed)
	}
	return strings.Map(func(r rune) rune { // the file may come from anywhere
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// Check compares a program that was compiled just now with the reviewed one. It returns nil or a *DriftError.
func (p *Plan) Check(now *compile.Program, xplan string) error {
	all := slices.Concat(p.facts(now.Facts), p.counts(now))
	if len(all) == 0 { // otherwise the steps differ for these reasons, and it is said already
		all = slices.Concat(p.steps(now), p.warnings(now))
	}
	return p.drift(all, xplan)
}

// CheckFacts compares the facts alone, where nothing can be compiled of them any more. It returns nil or a *DriftError.
func (p *Plan) CheckFacts(now []compile.Fact, xplan string) error {
	return p.drift(p.facts(now), xplan)
}

func (p *Plan) drift(all []Difference, xplan string) error {
	if len(all) == 0 {
		return nil
	}
	return &DriftError{Made: p.Made, By: p.Xplan, This: xplan, Differences: all}
}

func (p *Plan) facts(now []compile.Fact) []Difference {
	var all []Difference
	for _, d := range compile.DiffFacts(p.Program.Facts, now) {
		all = append(all, Difference{Kind: Fact, Subject: d.Name, Reviewed: d.Before, Now: d.Now})
	}
	return all
}

func (p *Plan) counts(now *compile.Program) []Difference {
	found := map[string]Counts{}
	for _, c := range countsOf(now) {
		found[c.Pair] = c
	}
	all := p.uncounted(found)
	for _, was := range p.Counts {
		is, counted := found[was.Pair]
		if !counted {
			all = append(all, Difference{Kind: Count, Subject: was.Pair, Reviewed: "counted"})
			continue
		}
		for _, c := range []struct {
			what    string
			was, is int64
			least   int64
		}{
			{"to write", was.Write, is.Write, leastWrite},
			{"to overwrite", was.Overwrite, is.Overwrite, leastDestroy},
			{"to delete at the destination", was.DeleteExtra, is.DeleteExtra, leastDestroy},
			{"to delete at the source", was.DeleteSource, is.DeleteSource, leastDestroy},
		} {
			if allowed := band(c.was, c.least); beyond(c.was, c.is, allowed) {
				all = append(all, Difference{Count, was.Pair + " " + c.what, strconv.FormatInt(c.was, 10), strconv.FormatInt(c.is, 10), allowed})
			}
		}
	}
	return all
}

// uncounted tells of what would be destroyed in pairs that the review could not count, although it was to: somebody who
// may not list signed for nothing of the kind. Where counting was left out, the review said so.
func (p *Plan) uncounted(found map[string]Counts) []Difference {
	if !p.Counted {
		return nil
	}
	var all []Difference
	for _, name := range slices.Sorted(maps.Keys(found)) {
		c := found[name]
		if slices.ContainsFunc(p.Counts, func(was Counts) bool { return was.Pair == name }) {
			continue
		}
		for _, lost := range []struct {
			what string
			n    int64
		}{{"to overwrite", c.Overwrite}, {"to delete at the destination", c.DeleteExtra}, {"to delete at the source", c.DeleteSource}} {
			if lost.n > 0 {
				all = append(all, Difference{Kind: Count, Subject: name + " " + lost.what, Reviewed: "not counted", Now: strconv.FormatInt(lost.n, 10)})
			}
		}
	}
	return all
}

// A source that is in use moves while people review: a count may move by a hundredth of itself, and by a few
// objects in any case. Fewer of them where something is lost by it.
const (
	leastWrite   = 100
	leastDestroy = 10
)

func band(was, least int64) int64 { return max(was/100, least) }

// beyond tells whether a count moved out of its band. From none to any is another plan: it would overwrite, or delete,
// where the review showed nothing of the kind; so is the other way round.
func beyond(was, is, allowed int64) bool {
	if was == is {
		return false
	}
	return was == 0 || is == 0 || max(was-is, is-was) > allowed
}

// steps compares what runners would be given, and what the review said of it: a file that tells of other statements
// than its steps put there was made by somebody's hand. Only counts and what follows from them are left out.
func (p *Plan) steps(now *compile.Program) []Difference {
	var all []Difference
	add := func(subject, reviewed, now string) {
		all = append(all, Difference{Kind: Step, Subject: subject, Reviewed: reviewed, Now: now})
	}
	if p.Program.PlanDigest != now.PlanDigest {
		add("the resolved plan", p.Program.PlanDigest, now.PlanDigest)
	}
	before, after := effects(p.Program), effects(now)
	names := slices.Collect(maps.Keys(before))
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		was, reviewed := before[name]
		is, remains := after[name]
		switch {
		case !reviewed:
			add(string(name), "", string(is.Action))
		case !remains:
			add(string(name), string(was.Action), "")
		case was.Action != is.Action:
			add(string(name), string(was.Action), string(is.Action))
		default:
			if a, b := apart(was, is); a != b {
				add(string(name), a, b)
			} else if shown, done := told(p.Program, name), told(now, name); shown != done {
				add(string(name)+" as it was shown", shown, done)
			}
		}
	}
	return all
}

func effects(prog *compile.Program) map[plan.StepID]compile.Step {
	m := make(map[plan.StepID]compile.Step, len(prog.Steps))
	for _, s := range prog.Steps {
		s = s.Impersonal()
		s.Change = compile.Change{}
		m[s.ID] = s
	}
	return m
}

// told is what the review says a step changes, numbers aside.
func told(prog *compile.Program, name plan.StepID) string {
	i := slices.IndexFunc(prog.Steps, func(s compile.Step) bool { return s.ID == name })
	c := prog.Steps[i].Impersonal().Change
	danger := c.Danger
	if c.Danger != "" {
		danger, _, _ = strings.Cut(c.Danger, " ") // the rest counts objects
	}
	lines := slices.Clone(c.Lines)
	for i, l := range lines {
		if l.Sign == "-" || l.Sign == "=" {
			lines[i].Text = "" // in what order AWS gives what stands there is its own
		}
	}
	preserved := slices.Sorted(slices.Values(c.Preserved))
	return text(compile.Change{Lines: lines, Preserved: preserved, Danger: danger})
}

// apart writes the fields in which two steps differ, of each.
func apart(was, is compile.Step) (before, after string) {
	a, b := fields(was), fields(is)
	for name := range a {
		if string(a[name]) == string(b[name]) {
			delete(a, name)
			delete(b, name)
		}
	}
	return text(a), text(b)
}

func fields(s compile.Step) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text(s)), &m); err != nil {
		panic("saved: a step is an object: " + err.Error())
	}
	return m
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("saved: steps are data and always encode: " + err.Error())
	}
	return string(b)
}

// warnings are those that the review did not have, denials that were found among them. Numbers may differ.
func (p *Plan) warnings(now *compile.Program) []Difference {
	seen := map[compile.Warning]bool{}
	for _, w := range p.Program.Warnings {
		seen[masked(w)] = true
	}
	var all []Difference
	for _, w := range now.Warnings {
		if !seen[masked(w)] {
			all = append(all, Difference{Kind: Warning, Subject: w.Subject, Now: w.Text})
		}
	}
	found := map[string]bool{}
	for _, f := range p.Program.Findings {
		found[string(f.Severity)+f.String()] = true
	}
	for _, f := range now.Findings {
		if !found[string(f.Severity)+f.String()] {
			all = append(all, Difference{Kind: Warning, Subject: string(f.Severity), Now: f.String()})
		}
	}
	return all
}

// masked writes every number of a warning as #.
func masked(w compile.Warning) compile.Warning {
	var b strings.Builder
	in := false
	for _, r := range w.Text {
		digit := unicode.IsDigit(r) || (in && (r == ',' || r == '.'))
		if !digit {
			b.WriteRune(r)
		} else if !in {
			b.WriteByte('#')
		}
		in = digit
	}
	w.Text = b.String()
	return w
}
