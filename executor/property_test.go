package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"xplan/internal/compile"
	"xplan/plan"
)

// witness is a runner that notes the order in which steps start and end, and stops
// the run at its n-th step.
type witness struct {
	mu       sync.Mutex
	running  map[plan.StepID]bool
	ended    map[plan.StepID]Outcome
	starts   map[plan.StepID]int
	most     int
	faults   []string
	outcome  map[plan.StepID]Outcome
	stopAt   int
	stop     context.CancelFunc
	program  map[plan.StepID]compile.Step
	starting int
}

func (w *witness) Run(ctx context.Context, s compile.Step) (Result, error) {
	w.start(s)
	outcome := w.outcome[s.ID]
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, s.ID)
	if outcome == Done && ctx.Err() != nil && s.Rule != plan.Always && len(s.ID)%2 == 0 {
		w.ended[s.ID] = Interrupted
		return Result{}, ctx.Err()
	}
	w.ended[s.ID] = outcome
	if outcome == Failed {
		return Result{}, errors.New("it fails")
	}
	return Result{Outcome: outcome}, nil
}

func (w *witness) start(s compile.Step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.starts[s.ID]++
	w.running[s.ID] = true
	w.most = max(w.most, len(w.running))
	for _, need := range s.Needs {
		if !w.ended[need].Met() {
			w.faults = append(w.faults, fmt.Sprintf("%s started while its need %s is %q", s.ID, need, w.ended[need]))
		}
	}
	for _, before := range s.After {
		if w.running[before] {
			w.faults = append(w.faults, fmt.Sprintf("%s started while %s runs", s.ID, before))
		}
	}
	if w.starting++; w.starting == w.stopAt {
		w.stop()
	}
}

// drawProgram draws steps whose names are shuffled against their order.
func drawProgram(t *rapid.T, w *witness) []compile.Step {
	n := rapid.IntRange(1, 15).Draw(t, "steps")
	var steps []compile.Step
	for i := range n {
		s := compile.Step{ID: plan.StepID(fmt.Sprintf("s%d", i)), Kind: anyKind, Action: compile.Run}
		for j := range i {
			switch rapid.SampledFrom([]string{"", "", "", "needs", "after"}).Draw(t, "edge") {
			case "needs":
				s.Needs = append(s.Needs, plan.StepID(fmt.Sprintf("s%d", j)))
			case "after":
				s.After = append(s.After, plan.StepID(fmt.Sprintf("s%d", j)))
			}
		}
		if rapid.IntRange(0, 4).Draw(t, "always") == 0 {
			s.Rule = plan.Always
		}
		w.outcome[s.ID] = rapid.SampledFrom([]Outcome{Done, Done, Done, Held, Failed, Waiting}).Draw(t, "outcome")
		w.program[s.ID] = s
		steps = append(steps, s)
	}
	return rapid.Permutation(steps).Draw(t, "order")
}

// Every step ends exactly once and runs at most once; it never starts before what
// it names has ended, nor with a need unmet; whatever fails, waits, or stops the run.
func TestAnyProgramKeepsItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		w := &witness{
			running: map[plan.StepID]bool{}, ended: map[plan.StepID]Outcome{}, starts: map[plan.StepID]int{},
			outcome: map[plan.StepID]Outcome{}, program: map[plan.StepID]compile.Step{}, stop: cancel,
		}
		steps := drawProgram(t, w)
		w.stopAt = rapid.IntRange(0, len(steps)+3).Draw(t, "stopAt")
		parallel := rapid.IntRange(1, 4).Draw(t, "parallel")
		completed := map[plan.StepID]int{}
		e, err := New(Options{
			Runners: map[compile.Kind]Runner{anyKind: w}, Parallel: parallel,
			Sink: func(e Event) {
				if e.Type == StepComplete {
					completed[e.Step]++
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Run(ctx, &compile.Program{Steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		if len(w.faults) > 0 || w.most > parallel {
			t.Fatalf("%v; %d at once of %d", w.faults, w.most, parallel)
		}
		for i, s := range r.Steps {
			if s.ID != steps[i].ID || completed[s.ID] != 1 || w.starts[s.ID] > 1 || s.Outcome == "" {
				t.Fatalf("%s: ended %d times, ran %d times, %q", s.ID, completed[s.ID], w.starts[s.ID], s.Outcome)
			}
			checkExcuse(t, w, r, s, ctx.Err() != nil)
		}
	})
}

// checkExcuse wants a reason for a step that did not run, and its runner's word for one that did.
func checkExcuse(t *rapid.T, w *witness, r Report, s StepReport, stopped bool) {
	if w.starts[s.ID] == 1 {
		if s.Outcome != w.ended[s.ID] {
			t.Fatalf("%s ended as %s, its runner said %s", s.ID, s.Outcome, w.ended[s.ID])
		}
		return
	}
	step := w.program[s.ID]
	unmet := slices.ContainsFunc(r.Steps, func(o StepReport) bool { return slices.Contains(step.Needs, o.ID) && !o.Outcome.Met() })
	if !unmet && (!stopped || step.Rule == plan.Always) {
		t.Fatalf("%s did not run (%s: %s) without a reason", s.ID, s.Outcome, s.Message)
	}
}
