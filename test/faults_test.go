package test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xplan/internal/sandbox"
)

// runFaults are what happens to all requests of one operation: once, some times, or until somebody mends it.
var runFaults = []struct {
	name  string
	fault sandbox.Fault
	lies  bool // it tells of a world that is not: a run may believe it, and the next one finds out
}{
	{"500 once", sandbox.Fault{Do: sandbox.FaultError, Times: 1}, false},
	{"500 until mended", sandbox.Fault{Do: sandbox.FaultError}, false},
	{"a storm of 503", sandbox.Fault{Do: sandbox.FaultError, Status: 503, Code: "SlowDown", Times: 12}, false},
	{"403 later", sandbox.Fault{Do: sandbox.FaultError, Status: 403, Code: "AccessDenied", Skip: 1}, false},
	{"404 once", sandbox.Fault{Do: sandbox.FaultError, Status: 404, Code: "NoSuchKey", Times: 1}, true},
	{"409 once", sandbox.Fault{Do: sandbox.FaultError, Status: 409, Code: "OperationAborted", Times: 1}, false},
	{"412 once", sandbox.Fault{Do: sandbox.FaultError, Status: 412, Code: "PreconditionFailed", Times: 1}, true},
	{"an error in a 200", sandbox.Fault{Do: sandbox.FaultErrorIn200, Times: 1}, true},
	{"an empty 200", sandbox.Fault{Do: sandbox.FaultEmpty200, Times: 1}, true},
	{"half an answer", sandbox.Fault{Do: sandbox.FaultTruncate, Times: 1}, false},
	{"a connection cut", sandbox.Fault{Do: sandbox.FaultCut, Times: 1}, false},
	{"a connection torn", sandbox.Fault{Do: sandbox.FaultTear, Times: 1}, false},
	{"an answer lost", sandbox.Fault{Do: sandbox.FaultTear, Times: 1, AfterEffect: true}, false},
	{"a late answer", sandbox.Fault{Do: sandbox.FaultDelay, Delay: 300 * time.Millisecond, Times: 3}, false},
	{"expired until mended", sandbox.Fault{Do: sandbox.FaultError, Status: 400, Code: "ExpiredToken", Skip: 1}, false},
}

// mendedAfter is when somebody mends what is wrong until mended.
const mendedAfter = 15 * time.Second

// A whole run is tried for one in so many cases, unless XPLAN_TEST_FAULTS=all.
const sampledRuns = 53

// TestARunSurvivesEveryFaultOfEveryOperation takes the operations from an undisturbed run, and spoils each in each way: the run ends
// complete, or stops with a reason, and once that is mended the next command completes it; nothing is left over.
func TestARunSurvivesEveryFaultOfEveryOperation(t *testing.T) {
	t.Parallel()
	operations := operationsOfARun(t)
	var complete, stopped atomic.Int64
	t.Run("cases", func(t *testing.T) {
		for i, operation := range operations {
			for j, f := range runFaults {
				if (i*len(runFaults)+j)%sampledRuns != 0 && os.Getenv("XPLAN_TEST_FAULTS") != "all" {
					continue
				}
				fault := f.fault
				fault.Service, fault.Operation, _ = strings.Cut(operation, ":")
				t.Run(strings.ReplaceAll(operation+", "+f.name, " ", "_"), func(t *testing.T) {
					t.Parallel()
					if survivesFault(t, fault, f.lies) {
						complete.Add(1)
					} else {
						stopped.Add(1)
					}
				})
			}
		}
	})
	t.Logf("%d runs, of %d operations with %d faults: %d ended complete, %d stopped with a reason and were completed once that was mended",
		complete.Load()+stopped.Load(), len(operations), len(runFaults), complete.Load(), stopped.Load())
}

// operationsOfARun are those that the program asks for in a run that nothing disturbs, as service:operation.
func operationsOfARun(t *testing.T) []string {
	t.Helper()
	w := startSandbox(t)
	r := newRecipe(t, w, 5)
	mark := len(w.box.Requests())
	r.must(t, "apply", r.plan, "--yes")
	seen := map[string]bool{}
	var list []string
	for _, q := range w.box.Requests()[mark:] {
		if o := q.Service + ":" + q.Operation; !seen[o] {
			seen[o] = true
			list = append(list, o)
		}
	}
	slices.Sort(list)
	if len(list) < 30 {
		t.Errorf("a run asks for %q only", list)
	}
	return list
}

// survivesFault tells whether the run ended complete at once.
func survivesFault(t *testing.T, fault sandbox.Fault, lies bool) bool {
	t.Helper()
	w := startSandbox(t)
	r := newRecipe(t, w, 5)
	r.limit = 3 * time.Minute
	mend := w.box.Inject(fault)
	soon := time.AfterFunc(mendedAfter, mend) // what is denied right after a change is waited for, up to five minutes
	got := r.run(t, "apply", r.plan, "--yes")
	soon.Stop()
	mend()
	switch {
	case got.code == 0 && !lies:
		r.isCopied(t)
		r.isClean(t)
	case got.code < 0 || got.code > 0 && len(got.errors)+len(got.out) == 0:
		t.Errorf("it gave no reason: %s", got)
	case strings.Contains(got.String(), "panic:") || strings.Contains(got.String(), "goroutine "):
		t.Errorf("it panicked: %s", got)
	}
	if got.code != 0 {
		r.goOn(t, true)
	}
	if again := r.run(t, "apply", r.plan, "--yes"); again.code != 0 {
		t.Errorf("mended, it ends with %s\nand had ended with %s", again, got)
	}
	r.isCopied(t)
	r.isClean(t)
	if t.Failed() {
		t.Log(fmt.Sprintf("%+v: ", fault), got)
	}
	return got.code == 0
}
