package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xplan/internal/compile"
	"xplan/internal/dag"
	"xplan/plan"
	"xplan/state"
)

// A Recorder makes how a step stands durable. *state.DB is one. The executor
// calls it from the goroutine that called Run.
type Recorder interface {
	PutStep(run string, s state.StepRecord) error
}

var _ Recorder = (*state.DB)(nil)

// Options are an executor's.
type Options struct {
	Runners map[compile.Kind]Runner
	RunID   string
	Record  Recorder // nil records nothing
	Sink    Sink     // nil drops events
	// Parallel is how many steps may run at once; 0 means 8.
	Parallel int
	// Confirmed are the buckets whose deletion a person has confirmed. A step that
	// deletes and names another one waits.
	Confirmed map[string]bool
	// CleanupTime bounds the always steps after a cancellation; 0 means 2 minutes.
	CleanupTime time.Duration
	// Kill is closed when Run has to return without waiting for anything; nil never is.
	Kill <-chan struct{}
	// Now is time.Now when nil.
	Now func() time.Time
}

// Validate says which option makes no sense.
func (o Options) Validate() error {
	if o.Parallel < 0 || o.CleanupTime < 0 {
		return errors.New("executor: a limit is negative")
	}
	return nil
}

// An Executor runs programs. Safe for concurrent use as far as its options are.
type Executor struct{ o Options }

// New makes an executor.
func New(o Options) (*Executor, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Parallel == 0 {
		o.Parallel = 8
	}
	if o.CleanupTime == 0 {
		o.CleanupTime = 2 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sink == nil {
		o.Sink = func(Event) {}
	}
	return &Executor{o: o}, nil
}

// Run runs a program to its end. What becomes of its steps, their errors
// included, is in the report. The error says that the program cannot be run, and
// then nothing was; or, beside a whole report, what could not be recorded first:
// after that nothing is started but clean-up that runs at every end.
func (e *Executor) Run(ctx context.Context, p *compile.Program) (Report, error) {
	g, err := e.check(p)
	if err != nil {
		return Report{}, fmt.Errorf("run %s: %w", p.Name, err)
	}
	s := newSchedule(e.o, p, g)
	s.emit(Event{Type: RunStart, Message: p.Name, Fields: map[string]any{
		"steps": len(p.Steps), "plan_digest": p.PlanDigest, "world_digest": p.WorldDigest,
	}})
	s.run(ctx)
	r := s.report()
	s.emit(Event{
		Type: RunSummary, Status: string(r.Status), Failed: r.FailedObjects,
		Seconds: r.Ended.Sub(r.Started).Seconds(), Message: strings.Join(r.Pending, "; "),
		Fields: map[string]any{"outcomes": r.Counts},
	})
	return r, s.unrecorded
}

// check makes the program's graph, and refuses a program that cannot be run to its end.
func (e *Executor) check(p *compile.Program) (*dag.Graph[plan.StepID], error) {
	g := dag.New[plan.StepID]()
	var missing []string
	for _, s := range p.Steps {
		if !g.Add(s.ID) {
			return nil, fmt.Errorf("step %s is there twice", s.ID)
		}
		if e.o.Runners[s.Kind] == nil && !slices.Contains(missing, string(s.Kind)) {
			missing = append(missing, string(s.Kind))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("nothing runs steps of kind %s", strings.Join(missing, ", "))
	}
	for _, s := range p.Steps {
		for _, before := range slices.Concat(s.Needs, s.After) {
			if !g.Has(before) {
				return nil, fmt.Errorf("step %s comes after %s, which is not in the program", s.ID, before)
			}
			g.Edge(before, s.ID)
		}
	}
	if _, err := g.Order(); err != nil {
		return nil, err
	}
	return g, nil
}
