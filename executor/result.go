package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xplan/internal/compile"
	"xplan/plan"
	"xplan/state"
)

// Outcome is how a step ended.
type Outcome string

// The outcomes.
const (
	Done        Outcome = "done"
	Held        Outcome = "held"        // it held already: nothing was done
	Failed      Outcome = "failed"      // with an error, or with objects that stand against it
	Skipped     Outcome = "skipped"     // not run: something that it needs failed
	Waiting     Outcome = "waiting"     // for a person, or for a step that waits
	Interrupted Outcome = "interrupted" // not run, or not to its end: the run was stopped
)

// running is what a step's record says until it has ended.
const running = "running"

// Unwritten is the message of a step that failed for want of its record alone: why the state cannot be written is one
// error of the whole run, however many steps meet it.
const Unwritten = "the state cannot be written"

func unwritable(err error) bool {
	_, damaged := errors.AsType[*state.DamagedError](err)
	return damaged || errors.Is(err, state.ErrFull) || errors.Is(err, state.ErrReadOnly)
}

// Met tells whether what needs a step that ended so may run.
func (o Outcome) Met() bool { return o == Done || o == Held }

// A Result is what a runner says of a step.
type Result struct {
	// Outcome is Done when empty (Held for a step whose action is hold), and Failed
	// whenever there is an error (Interrupted, if that is the cancellation's).
	Outcome Outcome
	Message string
	// Failed counts objects that failed. With Done it stops nothing; Outcome Failed
	// with it and without an error means that only objects stand against the step.
	Failed int64
	// Pending says what waits for a person although the step is done, such as
	// restores that were asked for.
	Pending string
	// Detail is recorded and reported as JSON.
	Detail any
}

// A Runner carries out the steps of a kind. It must be safe to run a step twice,
// and safe for concurrent use with other steps. When ctx is done it finishes what
// is in flight, makes it durable, and returns ctx's error or Interrupted.
type Runner interface {
	Run(ctx context.Context, s compile.Step) (Result, error)
}

// RunnerFunc is a Runner.
type RunnerFunc func(ctx context.Context, s compile.Step) (Result, error)

// Run calls f.
func (f RunnerFunc) Run(ctx context.Context, s compile.Step) (Result, error) { return f(ctx, s) }

// A StepReport is how one step ended.
type StepReport struct {
	ID      plan.StepID  `json:"id"`
	Kind    compile.Kind `json:"kind"`
	Side    plan.Side    `json:"side,omitempty"`
	Pair    string       `json:"pair,omitempty"`
	Subject string       `json:"subject,omitempty"`
	Outcome Outcome      `json:"outcome"`
	Message string       `json:"message,omitempty"`
	Failed  int64        `json:"failed,omitempty"`
	Pending string       `json:"pending,omitempty"`
	Started time.Time    `json:"started,omitzero"` // zero: never started
	Ended   time.Time    `json:"ended"`
	Detail  any          `json:"detail,omitempty"`
	Err     error        `json:"-"` // what Message says, with its type
}

// Duration is how long the step ran; 0 if it never did.
func (s StepReport) Duration() time.Duration {
	if s.Started.IsZero() {
		return 0
	}
	return s.Ended.Sub(s.Started)
}

// objectsOnly tells whether nothing but objects stands against a failed step.
func (s StepReport) objectsOnly() bool { return s.Err == nil && s.Failed > 0 }

// A Report is how a run ended.
type Report struct {
	RunID   string          `json:"run"`
	Status  state.RunStatus `json:"status"`
	Started time.Time       `json:"started"`
	Ended   time.Time       `json:"ended"`
	Steps   []StepReport    `json:"steps"` // in the program's order
	Counts  map[Outcome]int `json:"counts"`
	Pending []string        `json:"pending,omitempty"` // what waits for a person, in words

	// FailedObjects sums over the pairs the largest number that a step of the pair reported.
	FailedObjects int64 `json:"failed_objects"`
}

// Err is the error of the first step that failed for another reason than
// objects; nil if none did.
func (r Report) Err() error {
	for _, s := range r.Steps {
		switch {
		case s.Outcome != Failed || s.objectsOnly():
		case s.Err != nil:
			return fmt.Errorf("step %s: %w", s.ID, s.Err)
		default:
			return fmt.Errorf("step %s: %s", s.ID, s.Message)
		}
	}
	return nil
}

// tally fills in what follows from the steps.
func (r *Report) tally() {
	r.Counts = map[Outcome]int{}
	failed := map[string]int64{}
	var broken, objects bool
	for _, s := range r.Steps {
		r.Counts[s.Outcome]++
		failed[s.Pair] = max(failed[s.Pair], s.Failed)
		objects = objects || s.Failed > 0
		broken = broken || s.Outcome == Failed && !s.objectsOnly()
		if s.Pending != "" {
			r.Pending = append(r.Pending, s.Pending)
		}
	}
	for _, n := range failed {
		r.FailedObjects += n
	}
	switch {
	case r.Counts[Interrupted] > 0:
		r.Status = state.Interrupted
	case broken:
		r.Status = state.Failed
	case objects:
		r.Status = state.FinishedWithFailures
	case r.Counts[Waiting] > 0 || len(r.Pending) > 0:
		r.Status = state.Waiting
	default:
		r.Status = state.Done
	}
}
