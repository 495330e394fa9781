package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"xplan/internal/compile"
	"xplan/internal/dag"
	"xplan/plan"
	"xplan/state"
)

// A schedule is one run of a program. All of it belongs to the goroutine that
// called Run; workers see their own step only.
type schedule struct {
	o       Options
	program *compile.Program
	steps   map[plan.StepID]*compile.Step
	reports map[plan.StepID]*StepReport
	started time.Time

	track   *dag.Tracker[plan.StepID]
	ready   []plan.StepID // predecessors ended, neither running nor settled
	running map[plan.StepID]bool
	ended   chan ended // with room for every step: a worker never waits, not even when nobody listens any more

	unrecorded error // the first that could not be recorded: nothing more is started
}

// An ended is what a worker sends back.
type ended struct {
	id     plan.StepID
	result Result
	err    error
}

func newSchedule(o Options, p *compile.Program, g *dag.Graph[plan.StepID]) *schedule {
	s := &schedule{
		o: o, program: p, started: o.Now(),
		steps:   make(map[plan.StepID]*compile.Step, len(p.Steps)),
		reports: make(map[plan.StepID]*StepReport, len(p.Steps)),
		running: map[plan.StepID]bool{},
		ended:   make(chan ended, len(p.Steps)),
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		s.steps[step.ID] = step
		s.reports[step.ID] = &StepReport{ID: step.ID, Kind: step.Kind, Side: step.Side, Pair: step.Pair, Subject: step.Subject}
	}
	s.track, s.ready = g.Track()
	return s
}

// run returns when every step has ended and every worker is gone, or when it is killed.
func (s *schedule) run(ctx context.Context) {
	work, stopWork := context.WithCancel(ctx)
	defer stopWork()
	// Always steps outlive the cancellation, for a bounded time.
	always, stopAlways := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAlways()

	var workers sync.WaitGroup
	var bound <-chan time.Time
	cancelled := ctx.Done()
	for {
		for _, id := range s.dispatch(ctx.Err() != nil) {
			step, with := *s.steps[id], work
			if isAlways(&step) {
				with = always
			}
			workers.Go(func() { perform(with, s.o.Runners[step.Kind], step, s.ended) })
		}
		if s.track.Open() == 0 {
			break
		}
		if ctx.Err() != nil && bound == nil && s.onlyAlwaysRuns() {
			timer := time.NewTimer(s.o.CleanupTime)
			defer timer.Stop()
			bound = timer.C
		}
		select {
		case e := <-s.ended:
			s.finish(e, ctx.Err() != nil)
		case <-cancelled:
			cancelled = nil
		case <-bound:
			stopAlways()
		case <-s.o.Kill:
			s.abandon()
			return
		}
	}
	workers.Wait()
}

func isAlways(step *compile.Step) bool { return step.Rule == plan.Always }

// onlyAlwaysRuns tells whether no step runs but always steps.
func (s *schedule) onlyAlwaysRuns() bool {
	for id := range s.running {
		if !isAlways(s.steps[id]) {
			return false
		}
	}
	return true
}

// dispatch settles the ready steps that are not to run, which can make others
// ready, and returns those to start now, recorded as running.
func (s *schedule) dispatch(stopping bool) []plan.StepID {
	var start, later []plan.StepID
	for len(s.ready) > 0 {
		id := s.ready[0]
		s.ready = s.ready[1:]
		why, shut := s.gate(s.steps[id], stopping)
		switch {
		case shut:
			s.settle(id, why, nil)
		case len(s.running) >= s.o.Parallel:
			later = append(later, id)
		default:
			if s.begin(id) {
				start = append(start, id)
			}
		}
	}
	s.ready = later
	return start
}

// begin records that a step runs. A step that cannot be recorded is not started,
// unless it is a clean-up that runs at every end.
func (s *schedule) begin(id plan.StepID) bool {
	step, report := s.steps[id], s.reports[id]
	report.Started = s.o.Now()
	if err := s.record(report, running); err != nil && !isAlways(step) {
		s.settle(id, Result{}, err)
		return false
	}
	s.running[id] = true
	s.emit(s.event(StepStart, report))
	return true
}

// finish takes a step back from its worker.
func (s *schedule) finish(e ended, stopping bool) {
	delete(s.running, e.id)
	if e.err != nil && stopping && errors.Is(e.err, context.Canceled) {
		e.result.Outcome, e.err = Interrupted, nil
		if e.result.Message == "" {
			e.result.Message = "stopped"
		}
	}
	if e.err == nil && e.result.Outcome == Waiting && e.result.Pending == "" {
		e.result.Pending = fmt.Sprintf("%s: %s", e.id, e.result.Message)
	}
	s.settle(e.id, e.result, e.err)
}

// settle says how a step ended, and frees what comes after it.
func (s *schedule) settle(id plan.StepID, r Result, err error) {
	step, report := s.steps[id], s.reports[id]
	report.Outcome, report.Message, report.Failed = r.Outcome, r.Message, r.Failed
	report.Pending, report.Detail, report.Err = r.Pending, r.Detail, err
	switch {
	case err != nil:
		report.Outcome, report.Message = Failed, err.Error()
		if unwritable(err) {
			report.Message = Unwritten
		}
	case r.Outcome == "" && step.Action == compile.Hold:
		report.Outcome = Held
	case r.Outcome == "":
		report.Outcome = Done
	}
	report.Ended = s.o.Now()
	// What could not be recorded is in the error of Run.
	_ = s.record(report, string(report.Outcome))
	s.emit(s.event(StepComplete, report))
	s.ready = append(s.ready, s.track.End(id)...)
}

// abandon says of all that has not ended that it is interrupted. Nothing is
// recorded: in the state it reads as after a crash.
func (s *schedule) abandon() {
	for _, report := range s.reports {
		if report.Ended.IsZero() {
			report.Outcome, report.Message, report.Ended = Interrupted, "abandoned", s.o.Now()
		}
	}
}

func (s *schedule) record(r *StepReport, outcome string) error {
	if s.o.Record == nil {
		return nil
	}
	rec := state.StepRecord{
		ID: string(r.ID), Kind: string(r.Kind), Outcome: outcome, Message: r.Message, Started: r.Started, Ended: r.Ended,
	}
	var err error
	if r.Detail != nil {
		rec.Detail, err = json.Marshal(r.Detail)
	}
	if err = errors.Join(err, s.o.Record.PutStep(s.o.RunID, rec)); err != nil && s.unrecorded == nil {
		s.unrecorded = fmt.Errorf("step %s: %w", r.ID, err)
	}
	return err
}

func (s *schedule) emit(e Event) {
	e.Time, e.Run = s.o.Now().UTC(), s.o.RunID
	s.o.Sink(e)
}

func (s *schedule) event(t EventType, r *StepReport) Event {
	e := Event{
		Type: t, Step: r.ID, Kind: r.Kind, Pair: r.Pair, Subject: r.Subject,
		Outcome: r.Outcome, Message: r.Message, Failed: r.Failed, Seconds: r.Duration().Seconds(),
	}
	if t == StepStart {
		e.Seconds = 0
	}
	if p, ok := errors.AsType[*PanicError](r.Err); ok {
		e.Fields = map[string]any{"stack": string(p.Stack)}
	}
	return e
}

func (s *schedule) report() Report {
	r := Report{RunID: s.o.RunID, Started: s.started, Ended: s.o.Now(), Steps: make([]StepReport, 0, len(s.program.Steps))}
	for i := range s.program.Steps {
		r.Steps = append(r.Steps, *s.reports[s.program.Steps[i].ID])
	}
	r.tally()
	if s.unrecorded != nil && r.Status != state.Interrupted {
		r.Status = state.Failed // whatever the steps did: nobody will know
	}
	return r
}
