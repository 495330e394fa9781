package executor

import (
	"fmt"
	"slices"

	"xplan/internal/compile"
	"xplan/plan"
)

// gate tells whether a step whose predecessors have ended is shut out, and as
// what it ends then.
func (s *schedule) gate(step *compile.Step, stopping bool) (Result, bool) {
	if r, unmet := s.unmet(step); unmet {
		return r, true
	}
	if stopping && !isAlways(step) {
		return Result{Outcome: Interrupted, Message: "not started: the run was stopped"}, true
	}
	if s.unrecorded != nil && !isAlways(step) {
		return Result{Outcome: Skipped, Message: "not started: how the steps before it ended could not be recorded"}, true
	}
	if words := s.unsaid(step); words != "" {
		return Result{Outcome: Waiting, Message: words, Pending: fmt.Sprintf("%s: %s", step.ID, words)}, true
	}
	return Result{}, false
}

// unmet looks for a need that is not met. One that failed weighs more than one
// that was interrupted, and that more than one that waits.
func (s *schedule) unmet(step *compile.Step) (Result, bool) {
	for _, by := range []struct {
		outcomes []Outcome
		as       Outcome
		why      string
	}{
		{[]Outcome{Failed}, Skipped, "it failed"},
		{[]Outcome{Skipped}, Skipped, "it was skipped"},
		{[]Outcome{Interrupted}, Interrupted, "it was interrupted"},
		{[]Outcome{Waiting}, Waiting, "it waits"},
	} {
		at := slices.IndexFunc(step.Needs, func(id plan.StepID) bool {
			return slices.Contains(by.outcomes, s.reports[id].Outcome)
		})
		if at >= 0 {
			return Result{Outcome: by.as, Message: fmt.Sprintf("needs %s: %s", step.Needs[at], by.why)}, true
		}
	}
	return Result{}, false
}

// unsaid says what a person has to say first; nothing if the step may run.
func (s *schedule) unsaid(step *compile.Step) string {
	switch {
	case step.Action != compile.Wait && step.Action != compile.Delete:
		return ""
	case step.Confirm != "" && !step.AsksLate && !s.o.Confirmed[step.Confirm]:
		return "wants --confirm=" + step.Confirm
	case step.Confirm == "" && step.Action == compile.Wait && step.Change.Note != "":
		return step.Change.Note
	case step.Confirm == "" && step.Action == compile.Wait:
		return "waits for a person"
	default:
		return ""
	}
}
