package view

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// Ending renders how a run ended: every pair's account, what failed, what waits, and what is left.
func Ending(w io.Writer, e End, style Style) error {
	p := &page{style: style}
	for _, s := range e.Steps {
		told := s.Message == executor.Unwritten // by the error that ends the run
		if ofCutOver(s) || s.Outcome == executor.Failed && !told || (s.Outcome == executor.Skipped || told) && style.Verbose {
			p.line(stepLine(p, s.Outcome, s.Kind, s.Subject, s.Message, 0))
		}
	}
	for _, pair := range slices.Sorted(maps.Keys(e.Pairs)) {
		p.pair(pair, e.Pairs[pair], "xplan report")
	}
	if e.State == "interrupted" && len(e.Pairs) > 0 {
		p.line("what is copied and not settled yet is not counted: it is compared when the run goes on")
	}
	for _, text := range e.Waiting {
		p.line(p.paint("?", "? waits for you: "+safe(text)))
	}
	p.left(e)
	p.line(p.paint("#", fmt.Sprintf("%s: %s in %s (run %s)", e.Plan, stateWords(e), shortTime(e.Took), e.Run)))
	if e.Resume != "" {
		p.line("go on with:  ", safe(e.Resume))
	}
	return p.to(w)
}

// ofCutOver tells of a step whose words belong to the ending: what was copied before the final pass, who was writing when the
// source was frozen, and what may be missing where it was not.
func ofCutOver(s StepRow) bool {
	switch compile.Kind(s.Kind) {
	case compile.KindDelta, compile.KindFreezeProbe, compile.KindFinal:
		return s.Outcome == executor.Done
	default:
		return false
	}
}

func stateWords(e End) string {
	switch e.State {
	case "done":
		return "done"
	case "finished-with-failures":
		return "finished with failed objects"
	case "waiting":
		return "done but for what waits for you"
	case "interrupted":
		return "interrupted; what is settled is recorded"
	default:
		return e.State
	}
}

// pair is the account of one pair: every key, and by what it is proven. Where says what shows more failures.
func (p *page) pair(name string, s s3copy.Summary, where string) {
	t, e := s.Tally, s.Tally.Evidence
	p.line(p.paint("#", safe(name)))
	if t.Listed.Objects == 0 && t.Deleted.Objects > 0 { // only the clean-up had something to do
		p.line("  ", deletedText(s), " deleted")
		return
	}
	p.line(fmt.Sprintf("  %s listed = %s copied + %s same + %s skipped + %s failed   (%s copied)",
		number(t.Listed.Objects), number(t.Copied.Objects), number(t.Same.Objects), number(t.Skipped.Objects), number(t.Failed.Objects), size(t.Copied.Bytes)))
	if h := t.History; h != (s3copy.History{}) {
		p.line(fmt.Sprintf("  of these keys %s versions and %s delete markers   (made: %s versions, %s, and %s delete markers)",
			number(h.Versions.Objects), number(h.Markers.Objects), number(h.VersionsCopied.Objects), size(h.VersionsCopied.Bytes), number(h.MarkersCopied.Objects)))
	}
	p.line(fmt.Sprintf("  verified: %s by ETag, %s by checksum, %s by bytes", number(e.ETag.Objects), number(e.Checksum.Objects), number(e.Bytes.Objects)))
	if e.SizeOnly.Objects > 0 {
		p.line("  ", p.paint("!", "! "+plural(e.SizeOnly.Objects, "object")+" compared by size only: nothing better was comparable"))
	}
	if text := archivedText(s.Archived); text != "" {
		p.line("  ", text)
	}
	if text := locksText(s.Locks); text != "" {
		p.line("  ", text)
	}
	if t.Deleted.Objects > 0 {
		p.line("  ", deletedText(s), " deleted")
	}
	for i, f := range s.Failures {
		if i == 10 {
			p.line("  ", moreFailures(max(t.Failed.Objects, int64(len(s.Failures)))-10, int64(len(s.Failures)), where))
			break
		}
		p.line("  ", p.paint("!", "! "+f.Phase+" "+Key(f.Key)+": "+safe(f.Reason)))
	}
}

// deletedText counts what was deleted: objects, or of the source all their versions.
func deletedText(s s3copy.Summary) string {
	if h := s.Purged; h != (s3copy.History{}) {
		return number(h.Versions.Objects) + " versions and " + number(h.Markers.Objects) + " delete markers of the source"
	}
	return plural(s.Tally.Deleted.Objects, "object")
}

// archivedText counts, by class, what was skipped in archives.
func archivedText(by map[string]s3copy.Count) string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(by)) {
		text := number(by[class].Objects) + " in " + safe(class)
		if class == "INTELLIGENT_TIERING" {
			text += "'s archive tiers"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return ""
	}
	return "archived: " + strings.Join(parts, ", ") + ": not copied (copy.archived: restore copies them)"
}

// locksText says what became of Object Lock in this run; nothing where no lock was met.
func locksText(l s3copy.Locks) string {
	var parts []string
	for _, x := range []struct {
		n    int64
		text string
	}{
		{l.Kept.Objects, "kept on %s and read back from each"},
		{l.Weaker.Objects, "weaker at the destination on %s"},
		{l.Compared.Objects, "compared on %s that were the same"},
		{l.Earlier.Objects, "not asked for on %s, which an earlier run has compared"},
		{l.Past.Objects, "left out on %s, whose retention has run out"},
	} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf(x.text, plural(x.n, "object")))
		}
	}
	switch {
	case l.Left:
		return "locks: not kept, since copy.object_lock is none"
	case len(parts) == 0:
		return ""
	}
	text := "locks: " + strings.Join(parts, ", ")
	if !l.Until.IsZero() {
		text += fmt.Sprintf("; %s under COMPLIANCE, the latest retention until %s", number(l.Compliance.Objects), l.Until.UTC().Format(time.DateOnly))
	}
	return text
}

// moreFailures says how many are not shown. A summary holds the first of them only.
func moreFailures(more, held int64, where string) string {
	if more+10 > held {
		return fmt.Sprintf("… and %s more: %s has the first %s", number(more), where, number(held))
	}
	return fmt.Sprintf("… and %s more: %s has them", number(more), where)
}

// left is the proof of the clean-up: what state knows to stand.
func (p *page) left(e End) {
	if len(e.Left) == 0 {
		kept := "the copy itself"
		if len(e.Kept) > 0 {
			kept += ", in " + safe(strings.Join(e.Kept, ", "))
		}
		p.line("nothing that this plan made is left in either account, but for ", kept)
		return
	}
	p.line("still there, made by this plan:")
	for _, l := range e.Left {
		p.line("  ", safe(l))
	}
}

// ReadEnd reads back an End that was stored as JSON.
func ReadEnd(data []byte) (End, error) {
	var e End
	if len(data) == 0 {
		return e, errors.New("nothing is recorded of its end")
	}
	err := json.Unmarshal(data, &e)
	return e, err
}

// EndJSON gives the last lines of a run's stream: every object that failed, and the summary.
func EndJSON(e End) ([][]byte, error) {
	var values []any
	pairs := make(map[string]s3copy.Summary, len(e.Pairs))
	for _, name := range slices.Sorted(maps.Keys(e.Pairs)) {
		sum := e.Pairs[name]
		for _, f := range sum.Failures {
			values = append(values, executor.Event{
				Time: f.At, Type: executor.ObjectFailed, Run: e.Run, Kind: compile.KindCopy, Pair: name, Subject: f.Key, Message: f.Reason,
				Fields: map[string]any{"phase": f.Phase, "size": f.Size},
			})
		}
		sum.Failures = list(sum.Failures)
		pairs[name] = sum
	}
	values = append(values, map[string]any{
		"type": executor.RunSummary, "time": e.At, "plan": e.Plan, "run": e.Run, "state": e.State, "exit": e.Exit,
		"seconds": e.Took.Seconds(), "resume": e.Resume, "pairs": pairs, "left": list(e.Left), "kept": list(e.Kept), "waiting": list(e.Waiting),
	})
	lines := make([][]byte, 0, len(values))
	for _, v := range values {
		line, err := JSON(v)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// EventJSON is an executor's event as a line.
func EventJSON(run string, e executor.Event) executor.Event {
	e.Run = run
	return e
}

// Verification renders what comparing a pair again found.
func Verification(w io.Writer, pair plan.Pair, s s3copy.Summary, style Style) error {
	p := &page{style: style}
	p.pair(pair.ID(), s, "--json")
	switch {
	case s.Tally.Failed.Objects > 0:
		p.line("  ", p.paint("!", fmt.Sprintf("! not equal: %s missing, different or without the evidence asked for", plural(s.Tally.Failed.Objects, "object"))))
	default:
		p.line("  ", p.paint("+", verified(pair, s.Tally)))
	}
	if s.Tally.Extra.Objects > 0 {
		p.line(fmt.Sprintf("  %s at the destination only", plural(s.Tally.Extra.Objects, "object")))
	}
	return p.to(w)
}

// verified says what is equal, and of what nothing is said.
func verified(pair plan.Pair, t s3copy.Tally) string {
	text := "every object of the source is at the destination, at level " + string(pair.Verify.Level)
	if t.Skipped.Objects > 0 {
		text = fmt.Sprintf("every object that the plan does not skip is at the destination, at level %s; skipped: %s", pair.Verify.Level, number(t.Skipped.Objects))
	}
	if weak := t.Evidence.SizeOnly.Objects; weak > 0 && pair.Verify.Level != plan.LevelSize {
		text += "; by size only: " + number(weak)
	}
	return text
}

// Life renders a status for another terminal.
func Life(w io.Writer, s Status, now time.Time, style Style) error {
	p := &page{style: style}
	p.line(p.paint("#", fmt.Sprintf("%s  %s   run %s", safe(s.Plan), safe(s.State), safe(s.Run))))
	p.line(fmt.Sprintf("  started %s, last heard of %s ago, pid %d on %s", s.Started.Format(time.RFC3339), shortTime(now.Sub(s.Updated)), s.PID, safe(s.Host)))
	frozen := s.Frozen
	if len(frozen) == 0 {
		frozen = FrozenBy(s.Steps)
	}
	for _, f := range frozen {
		p.line("  ", p.paint("!", "! "+f.String()))
	}
	for _, r := range s.Pairs {
		p.line("  ", pairLine(r, 0))
	}
	for _, step := range s.Steps {
		if step.Outcome == executor.Held && !style.Verbose || step.Outcome == "" && !style.Verbose {
			continue
		}
		p.line("  ", stepLine(p, step.Outcome, step.Kind, step.Subject, step.Message, step.took()))
	}
	if s.State != "done" && s.State != "running" && s.Resume != "" {
		p.line("  go on with:  ", safe(s.Resume))
	}
	return p.to(w)
}

// A Frozen is a source that a cut-over has frozen, and that is not lifted.
type Frozen struct {
	Bucket string    `json:"bucket"` // in a status with its account before it
	Since  time.Time `json:"since"`
	Intent bool      `json:"intended,omitempty"` // the run died before it knew
}

func (f Frozen) String() string {
	is := " is frozen since "
	if f.Intent {
		is = " may be frozen since "
	}
	return safe(f.Bucket) + is + f.Since.UTC().Format(time.RFC3339) + ": nobody may write to it; xplan cleanup FILE lifts it"
}

// FrozenBy are the sources that nobody may write to: frozen by the run whose steps these are, and not lifted.
func FrozenBy(steps []StepRow) []Frozen {
	var all []Frozen
	for _, f := range steps {
		if compile.Kind(f.Kind) != compile.KindFreeze || !f.Outcome.Met() {
			continue
		}
		lifted := slices.ContainsFunc(steps, func(s StepRow) bool {
			return compile.Kind(s.Kind) == compile.KindCleanFreeze && s.Subject == f.Subject && s.Outcome.Met()
		})
		if !lifted {
			all = append(all, Frozen{Bucket: f.Subject, Since: f.Ended})
		}
	}
	return all
}

// A RunRow is one run in a list.
type RunRow struct {
	Run     string    `json:"run"`
	Plan    string    `json:"plan"`
	State   string    `json:"state"`
	Started time.Time `json:"started"`
	Updated time.Time `json:"updated"`
	Exit    int       `json:"exit"`
	Resumed int       `json:"resumed"`
	// Approval is the digest of the saved plan that the run was started from; "" where there was none, or where
	// the run holds its lock and cannot be asked.
	Approval string   `json:"approval,omitempty"`
	Frozen   []Frozen `json:"frozen,omitempty"`
}

// Runs renders a list of runs.
func Runs(w io.Writer, rows []RunRow) error {
	p := &page{}
	for _, r := range rows {
		resumed := ""
		if r.Resumed > 0 {
			resumed = fmt.Sprintf("   resumed %d×", r.Resumed)
		}
		if r.Approval != "" {
			resumed += "   saved plan " + shortDigest(r.Approval)
		}
		p.line(padRight(safe(r.Run), 44), " ", padRight(safe(r.State), 24), " ", r.Started.Format(time.RFC3339), resumed)
		for _, f := range r.Frozen {
			p.line("  ! ", f.String())
		}
	}
	return p.to(w)
}

// LogLine renders one event of the log, if it is of the run (or run is empty).
func LogLine(w io.Writer, line []byte, run string) error {
	var e struct {
		executor.Event
		State string `json:"state"` // of a summary
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("a line of the log: %w", err)
	}
	if run != "" && e.Run != run {
		return nil
	}
	p := &page{}
	text := e.Time.Format("2006-01-02T15:04:05.000Z07:00") + "  " + padRight(string(e.Type), 14)
	if e.Kind != "" {
		subject := safe(e.Subject)
		if e.Type == executor.ObjectFailed {
			subject = Key(e.Subject)
		}
		text += " " + padRight(string(e.Kind), 24) + " " + subject
	}
	if e.Outcome != "" {
		text += "   " + string(e.Outcome)
	}
	if e.State != "" {
		text += "   " + safe(e.State)
	}
	if e.Message != "" {
		text += "   " + prose(e.Message)
	}
	p.line(strings.TrimRight(text, " "))
	return p.to(w)
}
