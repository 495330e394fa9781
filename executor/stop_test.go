package executor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xplan/internal/compile"
	"xplan/plan"
	"xplan/state"
)

// takes makes a runner that takes a while; when it is stopped it needs a moment
// to finish what is in flight.
func takes(long, finish time.Duration) RunnerFunc {
	return func(ctx context.Context, _ compile.Step) (Result, error) {
		select {
		case <-time.After(long):
			return Result{}, nil
		case <-ctx.Done():
			time.Sleep(finish)
			return Result{}, ctx.Err()
		}
	}
}

func TestIndependentBranchesRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		minute := takes(time.Minute, 0)
		e := newExecutor(t, behaviours{"a1": minute, "a2": minute, "b1": minute, "b2": minute})
		begun := time.Now()
		runProgram(t.Context(), t, e, step("a1"), step("a2 needs a1"), step("b1"), step("b2 needs b1"))
		if took := time.Since(begun); took != 2*time.Minute {
			t.Errorf("two branches of two minutes took %v", took)
		}
	})
}

func TestNoMoreStepsRunAtOnceThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		b := behaviours{}
		var steps []compile.Step
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			steps = append(steps, step(id))
			b[plan.StepID(id)] = func(context.Context, compile.Step) (Result, error) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				now.Add(-1)
				return Result{}, nil
			}
		}
		e := newExecutor(t, b, func(o *Options) { o.Parallel = 3 })
		begun := time.Now()
		runProgram(t.Context(), t, e, steps...)
		if took := time.Since(begun); most.Load() != 3 || took != 3*time.Second {
			t.Errorf("%d at once for %v, want 3 for 3s", most.Load(), took)
		}
	})
}

func TestStoppingWaitsForWhatRunsAndCleansUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var cleanupSaw error
		rec := &recorder{}
		e := newExecutor(t, behaviours{
			"copy": takes(time.Hour, 3*time.Second),
			"done": func(context.Context, compile.Step) (Result, error) {
				time.Sleep(11 * time.Second)
				return Result{}, nil
			},
			"clean": func(ctx context.Context, _ compile.Step) (Result, error) {
				cleanupSaw = ctx.Err()
				return Result{}, nil
			},
		}, func(o *Options) { o.Record = rec })
		time.AfterFunc(10*time.Second, cancel)
		begun := time.Now()
		r := runProgram(ctx, t, e, step("copy"), step("done"), step("verify needs copy"), step("other after copy"), step("clean after copy,verify", always), step("last needs clean"))
		if got, want := outcomes(r), "copy=interrupted done=done verify=interrupted other=interrupted clean=done last=interrupted"; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if took := time.Since(begun); took != 13*time.Second || r.Status != state.Interrupted || cleanupSaw != nil {
			t.Errorf("took %v, status %s, clean-up began with %v", took, r.Status, cleanupSaw)
		}
		at := slices.IndexFunc(rec.all, func(s state.StepRecord) bool { return s.ID == "copy" && s.Outcome == "interrupted" })
		if at < 0 {
			t.Errorf("copy's end is not recorded: %v", rec.all)
		}
		if r.Err() != nil {
			t.Errorf("an interrupted run has the error %v", r.Err())
		}
	})
}

func TestARunStoppedBeforeItsStartOnlyCleansUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := runProgram(ctx, t, newExecutor(t, nil), step("a"), step("b needs a"), step("clean after a", always))
	if got, want := outcomes(r), "a=interrupted b=interrupted clean=done"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAStopAfterTheLastStepIsNoInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := newExecutor(t, behaviours{"a": func(context.Context, compile.Step) (Result, error) { cancel(); return Result{}, nil }})
	if r := runProgram(ctx, t, e, step("a"), step("clean after a", always)); r.Status != state.Done {
		t.Errorf("status %s: %s", r.Status, outcomes(r))
	}
}

func TestAFailureWhileStoppingIsAFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := newExecutor(t, behaviours{"a": func(context.Context, compile.Step) (Result, error) {
		cancel()
		return Result{}, errors.New("denied")
	}})
	if r := runProgram(ctx, t, e, step("a"), step("b needs a")); outcomes(r) != "a=failed b=skipped" || r.Status != state.Failed {
		t.Errorf("status %s: %s", r.Status, outcomes(r))
	}
}

func TestACancellationOfTheRunnersOwnIsAFailure(t *testing.T) {
	e := newExecutor(t, behaviours{"a": func(context.Context, compile.Step) (Result, error) { return Result{}, context.Canceled }})
	if r := runProgram(t.Context(), t, e, step("a")); r.Status != state.Failed {
		t.Errorf("status %s: %s", r.Status, outcomes(r))
	}
}

func TestCleanUpAfterAStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		e := newExecutor(t, behaviours{
			"copy":  takes(time.Hour, 5*time.Minute), // not bounded: what is in flight is finished
			"clean": takes(time.Hour, 0),
		}, func(o *Options) { o.CleanupTime = time.Minute })
		time.AfterFunc(time.Second, cancel)
		begun := time.Now()
		r := runProgram(ctx, t, e, step("copy"), step("clean after copy", always), step("more after clean", always))
		if took := time.Since(begun); took != 6*time.Minute+time.Second {
			t.Errorf("took %v", took)
		}
		if got, want := outcomes(r), "copy=interrupted clean=interrupted more=done"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestCleanUpOfARunThatIsNotStoppedIsNotBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newExecutor(t, behaviours{"clean": takes(time.Hour, 0)}, func(o *Options) { o.CleanupTime = time.Minute })
		if r := runProgram(t.Context(), t, e, step("clean", always)); r.Status != state.Done {
			t.Errorf("status %s: %s", r.Status, outcomes(r))
		}
	})
}

func TestAKilledRunReturnsAtOnceAndRecordsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kill := make(chan struct{})
		rec := &recorder{}
		var told, cleaned atomic.Bool
		e := newExecutor(t, behaviours{
			"copy": func(ctx context.Context, _ compile.Step) (Result, error) {
				<-ctx.Done()
				told.Store(true)
				time.Sleep(time.Hour) // deaf
				return Result{}, nil
			},
			"clean": func(context.Context, compile.Step) (Result, error) { cleaned.Store(true); return Result{}, nil },
		}, func(o *Options) { o.Kill, o.Record = kill, rec })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		time.AfterFunc(2*time.Second, func() { close(kill) })
		begun := time.Now()
		r := runProgram(ctx, t, e, step("copy"), step("clean after copy", always))
		if took := time.Since(begun); took != 2*time.Second || r.Status != state.Interrupted {
			t.Errorf("took %v, status %s", took, r.Status)
		}
		if got, want := outcomes(r), "copy=interrupted clean=interrupted"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if len(rec.all) != 1 || rec.all[0].Outcome != "running" {
			t.Errorf("recorded %v", rec.all)
		}
		time.Sleep(2 * time.Hour) // the deaf worker ends by itself: its send does not wait
		if !told.Load() || cleaned.Load() {
			t.Errorf("told %v, cleaned %v", told.Load(), cleaned.Load())
		}
	})
}

func TestASerialSinkTakesEventsOneByOne(t *testing.T) {
	n := 0
	sink := Serial(func(Event) { n++ })
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { sink(Event{Type: StepProgress}) })
	}
	wg.Wait()
	if n != 50 {
		t.Errorf("%d events of 50", n)
	}
}
