package runner

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
	"xplan/state"
)

// bench is two accounts, an open state, and the runners of one run, under a clock that
// moves only when all wait.
type bench struct {
	*testing.T
	calls   *calls
	a, b    *account
	own     *ledger
	db      *state.DB
	logins  *logins
	deps    Deps
	runners map[compile.Kind]executor.Runner
}

// onBench runs a test on a fresh bench.
func onBench(t *testing.T, f func(w *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db, err := state.Open(t.TempDir(), "tommy-to-b")
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}()
		engine, err := s3copy.New(s3copy.Limits{InFlight: 2})
		if err != nil {
			t.Fatal(err)
		}
		log := &calls{}
		w := &bench{T: t, calls: log, a: newAccount(accountA, log), b: newAccount(accountB, log), db: db}
		w.own = &ledger{Ownership: Records{DB: db}, calls: log, fail: map[string]error{}}
		signed := &login{account: w.b, source: w.a, who: compile.Identity{Account: accountB, ARN: userARN}, probe: func(compile.Leg) error { return nil }}
		w.logins = &logins{account: w.b, login: signed, at: time.Now}
		w.deps = Deps{
			Source: w.a, Destination: w.b, Logins: w.logins, Ownership: w.own, Journals: Records{DB: db},
			Engine: engine, Confirmed: map[string]bool{}, Progress: &Progress{}, Now: time.Now,
		}
		w.restart()
		f(w)
	})
}

// restart is a new process: its runners remember nothing but what is recorded.
func (w *bench) restart() { w.runners = New(w.deps) }

func (w *bench) run(s compile.Step) (executor.Result, error) {
	w.Helper()
	return w.runners[s.Kind].Run(w.Context(), s)
}

// ends runs a step that must end so.
func (w *bench) ends(s compile.Step, want executor.Outcome) executor.Result {
	w.Helper()
	r, err := w.run(s)
	if err != nil || r.Outcome != want {
		w.Fatalf("%s ended as %q (%s), %v; want %q", s.Kind, r.Outcome, r.Message, err, want)
	}
	return r
}

// fails runs a step that must fail, and says all the words.
func (w *bench) fails(s compile.Step, words ...string) failure {
	w.Helper()
	r, err := w.run(s)
	if err == nil {
		w.Fatalf("%s ended as %q (%s); want it to fail", s.Kind, r.Outcome, r.Message)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.Errorf("%s: %v\ndoes not say %q", s.Kind, err, word)
		}
	}
	return failure{err}
}

// failure is a step's error, for more questions.
type failure struct{ err error }

// asked wants exactly these calls since the last look.
func (w *bench) asked(want ...string) {
	w.Helper()
	if got := w.calls.take(); !slices.Equal(got, want) {
		w.Errorf("asked\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// owns wants exactly these records: "kind subject of parent", with "?" before an intent.
func (w *bench) owns(want ...string) {
	w.Helper()
	all, err := w.own.Owned()
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, o := range all {
		text := strings.TrimSpace(string(o.Kind) + " " + o.Subject)
		if o.Parent != "" {
			text += " of " + o.Parent
		}
		if o.Intent {
			text = "?" + text
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		w.Errorf("owned are\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (w *bench) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// isA wants an error of a type.
func isA[E error](w *bench, f failure) {
	w.Helper()
	if e, ok := errors.AsType[E](f.err); !ok {
		w.Errorf("%T %v is no %T", f.err, f.err, e)
	}
}

var errPulled = errors.New("the plug was pulled")

func step(kind compile.Kind, spec compile.Spec) compile.Step {
	return compile.Step{ID: plan.StepID(kind), Kind: kind, Side: plan.Destination, Action: compile.Create, Spec: spec}
}
