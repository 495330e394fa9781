package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"xplan/internal/compile"
	"xplan/internal/dag"
	"xplan/plan"
	"xplan/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const anyKind = compile.KindPolicy

// step makes a step from "id needs a,b after c".
func step(text string, change ...func(*compile.Step)) compile.Step {
	words := strings.Fields(text)
	s := compile.Step{ID: plan.StepID(words[0]), Kind: anyKind, Action: compile.Run}
	for i := 1; i+1 < len(words); i += 2 {
		for id := range strings.SplitSeq(words[i+1], ",") {
			if words[i] == "needs" {
				s.Needs = append(s.Needs, plan.StepID(id))
			} else {
				s.After = append(s.After, plan.StepID(id))
			}
		}
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func always(s *compile.Step) { s.Rule = plan.Always }

func action(a compile.Action) func(*compile.Step) {
	return func(s *compile.Step) { s.Action = a }
}

func deletes(bucket string) func(*compile.Step) {
	return func(s *compile.Step) { s.Action, s.Confirm = compile.Delete, bucket }
}

// behaviours say what the runner of a step does; a step without one is done.
type behaviours map[plan.StepID]RunnerFunc

func (b behaviours) Run(ctx context.Context, s compile.Step) (Result, error) {
	if f := b[s.ID]; f != nil {
		return f(ctx, s)
	}
	return Result{}, nil
}

func fails(context.Context, compile.Step) (Result, error) { return Result{}, errors.New("denied") }

func answers(r Result) RunnerFunc {
	return func(context.Context, compile.Step) (Result, error) { return r, nil }
}

func newExecutor(t *testing.T, b behaviours, change ...func(*Options)) *Executor {
	t.Helper()
	o := Options{Runners: map[compile.Kind]Runner{anyKind: b}, RunID: "run"}
	for _, c := range change {
		c(&o)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func runProgram(ctx context.Context, t *testing.T, e *Executor, steps ...compile.Step) Report {
	t.Helper()
	r, err := e.Run(ctx, &compile.Program{Name: "tommy", Steps: steps})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcomes is "a=done b=failed".
func outcomes(r Report) string {
	var words []string
	for _, s := range r.Steps {
		words = append(words, fmt.Sprintf("%s=%s", s.ID, s.Outcome))
	}
	return strings.Join(words, " ")
}

func TestAStepStopsWhatNeedsItAndNothingElse(t *testing.T) {
	unconfirmed := deletes("tommy")
	for name, c := range map[string]struct {
		steps  []compile.Step
		does   behaviours
		want   string
		status state.RunStatus
	}{
		"nothing to do": {nil, nil, "", state.Done},
		"all done":      {[]compile.Step{step("a"), step("b needs a"), step("c needs b")}, nil, "a=done b=done c=done", state.Done},
		"held": {
			[]compile.Step{step("a", action(compile.Hold)), step("b needs a"), step("c needs b")},
			behaviours{"b": answers(Result{Outcome: Held})},
			"a=held b=held c=done", state.Done,
		},
		"a failure skips its branch only": {
			[]compile.Step{step("a"), step("b needs a"), step("c needs b"), step("d needs a"), step("e after b")},
			behaviours{"b": fails},
			"a=done b=failed c=skipped d=done e=done", state.Failed,
		},
		"what comes after a skipped step runs": {
			[]compile.Step{step("a"), step("b needs a"), step("c after b")},
			behaviours{"a": fails},
			"a=failed b=skipped c=done", state.Failed,
		},
		"failed objects stop nothing": {
			[]compile.Step{step("a"), step("b needs a")},
			behaviours{"a": answers(Result{Failed: 3})},
			"a=done b=done", state.FinishedWithFailures,
		},
		"a verification refused for objects": {
			[]compile.Step{step("a"), step("b needs a"), step("c needs b")},
			behaviours{"a": answers(Result{Failed: 3}), "b": answers(Result{Outcome: Failed, Failed: 3})},
			"a=done b=failed c=skipped", state.FinishedWithFailures,
		},
		"an error beside failed objects is an error": {
			[]compile.Step{step("a")},
			behaviours{"a": func(context.Context, compile.Step) (Result, error) {
				return Result{Failed: 1}, errors.New("disk full")
			}},
			"a=failed", state.Failed,
		},
		"failed without an error": {
			[]compile.Step{step("a"), step("b needs a")},
			behaviours{"a": answers(Result{Outcome: Failed, Message: "no"})},
			"a=failed b=skipped", state.Failed,
		},
		"an unconfirmed deletion waits, and what needs it": {
			[]compile.Step{step("a"), step("b needs a", unconfirmed), step("c needs b"), step("d after b")},
			nil,
			"a=done b=waiting c=waiting d=done", state.Waiting,
		},
		"a confirmed deletion runs": {[]compile.Step{step("a", deletes("confirmed"))}, nil, "a=done", state.Done},
		"a wait that is confirmed runs": {
			[]compile.Step{step("a", func(s *compile.Step) { s.Action, s.Confirm = compile.Wait, "confirmed" })},
			nil,
			"a=done", state.Done,
		},
		"a wait without words waits":       {[]compile.Step{step("a", action(compile.Wait))}, nil, "a=waiting", state.Waiting},
		"a deletion nobody has to confirm": {[]compile.Step{step("a", action(compile.Delete))}, nil, "a=done", state.Done},
		"a copy that names a bucket to confirm runs all the same": {
			[]compile.Step{step("a", func(s *compile.Step) { s.Confirm = "tommy-b" })},
			behaviours{"a": answers(Result{Pending: "extra objects"})},
			"a=done", state.Waiting,
		},
		"a runner that waits": {
			[]compile.Step{step("a"), step("b needs a")},
			behaviours{"a": answers(Result{Outcome: Waiting, Message: "restores"})},
			"a=waiting b=waiting", state.Waiting,
		},
		"an unmet need weighs more than a missing word": {
			[]compile.Step{step("a"), step("b needs a", unconfirmed)}, behaviours{"a": fails}, "a=failed b=skipped", state.Failed,
		},
		"a failed need weighs more than one that waits": {
			[]compile.Step{step("w", unconfirmed), step("f"), step("c needs w,f")},
			behaviours{"f": fails},
			"w=waiting f=failed c=skipped", state.Failed,
		},
		"clean-up that always runs": {
			[]compile.Step{step("key"), step("copy needs key"), step("clean after key,copy", always)},
			behaviours{"copy": fails},
			"key=done copy=failed clean=done", state.Failed,
		},
		"clean-up in an account that is another one": {
			[]compile.Step{step("identity"), step("clean needs identity", always)},
			behaviours{"identity": fails},
			"identity=failed clean=skipped", state.Failed,
		},
		"a runner's nonsense": {
			[]compile.Step{step("a")}, behaviours{"a": answers(Result{Outcome: "fine"})}, "a=failed", state.Failed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExecutor(t, c.does, func(o *Options) { o.Confirmed = map[string]bool{"confirmed": true} })
			r := runProgram(t.Context(), t, e, c.steps...)
			if got := outcomes(r); got != c.want || r.Status != c.status {
				t.Errorf("got %s, %s\nwant %s, %s", got, r.Status, c.want, c.status)
			}
			if failed := r.Status == state.Failed; (r.Err() != nil) != failed {
				t.Errorf("status %s with error %v", r.Status, r.Err())
			}
		})
	}
}

func TestAReportSaysWhyAndWhatIsPending(t *testing.T) {
	steps := []compile.Step{
		step("a"), step("b needs a"), step("del", deletes("tommy")), step("next needs del"),
		step("note", func(s *compile.Step) { s.Action, s.Change.Note = compile.Wait, "two newer keys: say which is ours" }),
		step("copy", func(s *compile.Step) { s.Pair = "p" }), step("verify", func(s *compile.Step) { s.Pair = "p" }),
		step("restore"),
	}
	boom := errors.New("boom")
	e := newExecutor(t, behaviours{
		"a":       func(context.Context, compile.Step) (Result, error) { return Result{}, boom },
		"copy":    answers(Result{Failed: 5, Pending: "12 objects are being restored"}),
		"verify":  answers(Result{Outcome: Failed, Failed: 4}),
		"restore": answers(Result{Outcome: Waiting, Message: "come back tomorrow"}),
	})
	r := runProgram(t.Context(), t, e, steps...)
	messages := map[plan.StepID]string{}
	for _, s := range r.Steps {
		messages[s.ID] = s.Message
	}
	want := map[plan.StepID]string{
		"a": "boom", "b": "needs a: it failed", "del": "wants --confirm=tommy", "next": "needs del: it waits",
		"note": "two newer keys: say which is ours", "copy": "", "verify": "", "restore": "come back tomorrow",
	}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	pending := []string{
		"del: wants --confirm=tommy", "note: two newer keys: say which is ours",
		"12 objects are being restored", "restore: come back tomorrow",
	}
	if diff := cmp.Diff(pending, r.Pending); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	if !errors.Is(r.Err(), boom) || r.FailedObjects != 5 || r.Counts[Waiting] != 4 || r.Counts[Failed] != 2 {
		t.Errorf("error %v, %d objects, counts %v", r.Err(), r.FailedObjects, r.Counts)
	}
}

func TestAProgramThatCannotRunToItsEndDoesNotStart(t *testing.T) {
	for name, c := range map[string]struct {
		steps []compile.Step
		want  string
	}{
		"unknown kinds": {
			[]compile.Step{step("a"), step("b", func(s *compile.Step) { s.Kind = "x" }), step("c", func(s *compile.Step) { s.Kind = "y" })},
			"nothing runs steps of kind x, y",
		},
		"twice":        {[]compile.Step{step("a"), step("a")}, "step a is there twice"},
		"unknown need": {[]compile.Step{step("a"), step("b needs z")}, "step b comes after z, which is not in the program"},
		"cycle":        {[]compile.Step{step("r"), step("a needs b"), step("b after a")}, "cycle: a → b → a"},
	} {
		t.Run(name, func(t *testing.T) {
			var ran []plan.StepID
			note := func(_ context.Context, s compile.Step) (Result, error) { ran = append(ran, s.ID); return Result{}, nil }
			rec := &recorder{}
			e := newExecutor(t, behaviours{"a": note, "r": note}, func(o *Options) { o.Record = rec })
			_, err := e.Run(t.Context(), &compile.Program{Name: "tommy", Steps: c.steps})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if len(ran) > 0 || len(rec.all) > 0 {
				t.Errorf("%v ran, %v recorded", ran, rec.all)
			}
		})
	}
	_, err := newExecutor(t, nil).Run(t.Context(), &compile.Program{Steps: []compile.Step{step("a needs a")}})
	if _, ok := errors.AsType[*dag.CycleError[plan.StepID]](err); !ok {
		t.Errorf("got %v, want a cycle", err)
	}
	if _, err := New(Options{Parallel: -1}); err == nil {
		t.Error("a negative limit was taken")
	}
}

// recorder keeps what was recorded; refuse makes it fail.
type recorder struct {
	mu     sync.Mutex
	all    []state.StepRecord
	refuse func(state.StepRecord) error
}

func (r *recorder) PutStep(run string, s state.StepRecord) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if run != "run" {
		return fmt.Errorf("recorded for run %q", run)
	}
	if r.refuse != nil {
		if err := r.refuse(s); err != nil {
			return err
		}
	}
	r.all = append(r.all, s)
	return nil
}

func TestAStepIsRecordedBeforeItRunsAndWhenItEnded(t *testing.T) {
	rec := &recorder{}
	var before int
	e := newExecutor(t, behaviours{"a": func(context.Context, compile.Step) (Result, error) {
		rec.mu.Lock()
		before = len(rec.all)
		rec.mu.Unlock()
		return Result{Message: "made", Detail: map[string]int{"n": 1}}, nil
	}}, func(o *Options) { o.Record = rec })
	runProgram(t.Context(), t, e, step("a"), step("b", deletes("tommy")))
	var got []string
	for _, s := range rec.all {
		got = append(got, fmt.Sprintf("%s %s %v %s", s.ID, s.Outcome, s.Ended.IsZero(), s.Detail))
	}
	want := []string{"a running true ", "b waiting false ", `a done false {"n":1}`}
	if !slices.Equal(got, want) || before < 1 {
		t.Errorf("recorded %q (%d before it ran), want %q", got, before, want)
	}
}

func TestTheStateFileIsARecorder(t *testing.T) {
	db, err := state.Open(t.TempDir(), "tommy")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	runProgram(t.Context(), t, newExecutor(t, behaviours{"b": fails}, func(o *Options) { o.Record = db }), step("a"), step("b"))
	steps, err := db.Steps("run")
	if err != nil || len(steps) != 2 || steps[0].Outcome != "done" || steps[1].Outcome != "failed" || steps[1].Message != "denied" {
		t.Errorf("steps %+v, %v", steps, err)
	}
}

func TestAStepThatCannotBeRecordedDoesNotStartUnlessItCleansUp(t *testing.T) {
	full := errors.New("disk full")
	rec := &recorder{refuse: func(s state.StepRecord) error { return full }}
	var ran []plan.StepID
	note := func(_ context.Context, s compile.Step) (Result, error) { ran = append(ran, s.ID); return Result{}, nil }
	e := newExecutor(t, behaviours{"a": note, "clean": note}, func(o *Options) { o.Record = rec })
	r, err := e.Run(t.Context(), &compile.Program{Steps: []compile.Step{step("a"), step("clean after a", always)}})
	if !errors.Is(err, full) || !errors.Is(r.Err(), full) || !slices.Equal(ran, []plan.StepID{"clean"}) {
		t.Errorf("error %v, report %v, ran %v", err, r.Err(), ran)
	}
}

func TestAStepThatEndedUnrecordedIsSaid(t *testing.T) {
	full := errors.New("disk full")
	rec := &recorder{refuse: func(s state.StepRecord) error {
		if s.Outcome == "done" {
			return full
		}
		return nil
	}}
	e := newExecutor(t, nil, func(o *Options) { o.Record = rec })
	r, err := e.Run(t.Context(), &compile.Program{Steps: []compile.Step{step("a"), step("b after a"), step("clean after a", always)}})
	if got, want := outcomes(r), "a=done b=skipped clean=done"; got != want || !errors.Is(err, full) || r.Status != state.Failed {
		t.Errorf("%s, error %v, status %s", got, err, r.Status)
	}
	if n := strings.Count(err.Error(), "disk full"); n != 1 {
		t.Errorf("it is said %d times: %v", n, err)
	}
}

func TestARunnerThatPanicsFailsItsStepOnly(t *testing.T) {
	var events []Event
	e := newExecutor(t, behaviours{
		"a": func(context.Context, compile.Step) (Result, error) { panic("nil map") },
		"b": func(context.Context, compile.Step) (Result, error) { runtime.Goexit(); return Result{}, nil },
	}, func(o *Options) { o.Sink = func(e Event) { events = append(events, e) } })
	r := runProgram(t.Context(), t, e, step("a"), step("b"), step("c needs a"), step("d"))
	if got, want := outcomes(r), "a=failed b=failed c=skipped d=done"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	p, ok := errors.AsType[*PanicError](r.Err())
	if !ok || p.Value != "nil map" || !strings.Contains(string(p.Stack), "executor_test.go") {
		t.Errorf("got %v", r.Err())
	}
	if !strings.Contains(r.Steps[1].Message, "without a result") {
		t.Errorf("b: %s", r.Steps[1].Message)
	}
	stack := slices.ContainsFunc(events, func(e Event) bool {
		s, ok := e.Fields["stack"].(string)
		return e.Step == "a" && ok && strings.Contains(s, "executor_test.go")
	})
	if !stack {
		t.Error("no event holds the stack")
	}
}

func TestEventsTellTheRunInOrderAndAreJSON(t *testing.T) {
	var lines []string
	now := time.Unix(1_700_000_000, 0)
	e := newExecutor(t, behaviours{"b": answers(Result{Message: "3 copied", Failed: 1})}, func(o *Options) {
		o.Now = func() time.Time { return now }
		o.Sink = func(e Event) {
			b, err := json.Marshal(e)
			if err != nil {
				t.Error(err)
			}
			lines = append(lines, string(b))
		}
	})
	b := step("b needs a", func(s *compile.Step) { s.Pair, s.Subject = "p", "tommy" })
	if _, err := e.Run(t.Context(), &compile.Program{Name: "tommy", PlanDigest: "p1", WorldDigest: "w1", Steps: []compile.Step{step("a"), b}}); err != nil {
		t.Fatal(err)
	}
	const at = `{"time":"2023-11-14T22:13:20Z",`
	want := []string{
		at + `"type":"run_start","run":"run","message":"tommy","fields":{"plan_digest":"p1","steps":2,"world_digest":"w1"}}`,
		at + `"type":"step_start","run":"run","step":"a","kind":"iam.policy"}`,
		at + `"type":"step_complete","run":"run","step":"a","kind":"iam.policy","outcome":"done"}`,
		at + `"type":"step_start","run":"run","step":"b","kind":"iam.policy","pair":"p","subject":"tommy"}`,
		at + `"type":"step_complete","run":"run","step":"b","kind":"iam.policy","pair":"p","subject":"tommy","outcome":"done","message":"3 copied","failed":1}`,
		at + `"type":"run_summary","run":"run","status":"finished-with-failures","failed":1,"fields":{"outcomes":{"done":2}}}`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
