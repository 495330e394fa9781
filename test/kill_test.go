package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A moment is when a run is killed: at which of its requests, and whether that one still reaches the server.
type moment struct {
	request int
	action  string // instead: at the first request of that name
	path    string // and with that in its path
	next    bool   // rather at the one after it: it was answered, and perhaps not recorded
	reaches bool
}

// trigger tells of one request after another whether it is the moment.
func (m moment) trigger() func(n int, r request) bool {
	found := false
	return func(n int, r request) bool {
		if m.action == "" {
			return n == m.request
		}
		if m.next && found {
			return true
		}
		found = r.action == m.action && strings.Contains(r.path, m.path)
		return found && !m.next
	}
}

func (m moment) String() string {
	text := m.action + m.path
	if m.next {
		return "after" + text
	}
	return text
}

// worst are the moments after which something stands that the program was not told of.
var worst = []moment{
	{action: "CreateBucket", reaches: true},
	{action: "PutPublicAccessBlock"},
	{action: "CreatePolicy", reaches: true},
	{action: "AttachUserPolicy", reaches: true},
	{action: "PutBucketPolicy", reaches: true},
	{action: "CreateAccessKey", reaches: true},
	{action: "CreateMultipartUpload", path: ".xplan-probe-", reaches: true},
	{action: "CreateMultipartUpload", path: "parts.bin", reaches: true},
	{action: "CompleteMultipartUpload", path: "parts.bin", reaches: true},
	{action: "UpdateAccessKey", reaches: true},
	{action: "DeletePolicy", reaches: true},
	{action: "CreatePolicy", next: true},
	{action: "AttachUserPolicy", next: true},
	{action: "CreateAccessKey", next: true},
	{action: "CompleteMultipartUpload", path: "parts.bin", next: true},
	{action: "DeleteAccessKey", next: true, reaches: true},
	{action: "DetachUserPolicy", next: true, reaches: true},
	{action: "DeletePolicy", next: true, reaches: true},
}

// kills is how many random moments are tried: XPLAN_TEST_KILLS, or a few.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("XPLAN_TEST_KILLS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("XPLAN_TEST_KILLS: %v", err)
	}
	return n
}

// seed is that of the random moments: XPLAN_TEST_SEED repeats a run.
func seed(t *testing.T) *rand.Rand {
	t.Helper()
	n := time.Now().UnixNano()
	if s := os.Getenv("XPLAN_TEST_SEED"); s != "" {
		var err error
		if n, err = strconv.ParseInt(s, 10, 64); err != nil {
			t.Fatalf("XPLAN_TEST_SEED: %v", err)
		}
	}
	t.Logf("XPLAN_TEST_SEED=%d", n)
	return rand.New(rand.NewPCG(uint64(n), 0))
}

// moments are random requests of an undisturbed run: half of them any, half of them among those that set up or clean up.
func moments(r *rand.Rand, seen []request, n int) []moment {
	var setting []int
	for i, s := range seen {
		if s.changes() && s.action != "CopyObject" {
			setting = append(setting, i+1)
		}
	}
	list := make([]moment, n)
	for i := range list {
		list[i] = moment{request: 1 + r.IntN(len(seen)), reaches: r.IntN(3) > 0}
		if i%2 == 0 {
			list[i].request = setting[r.IntN(len(setting))]
		}
	}
	return list
}

// killed starts the plan and kills it without warning at the moment.
func (r *recipe) killed(t *testing.T, m moment, flags ...string) result {
	t.Helper()
	cmd, wait := r.command(t, append([]string{"apply", r.plan, "--yes"}, flags...)...)
	var mu sync.Mutex // of dead and at
	dead, at := false, "no request: it had ended"
	is := m.trigger()
	r.witness.hook(func(n int, s request) bool {
		mu.Lock()
		defer mu.Unlock()
		if dead { // it had sent this one, too
			return m.reaches
		}
		if dead = is(n, s); !dead {
			return true
		}
		at = fmt.Sprintf("request %d, %s %s", n, s.action, s.path)
		_ = cmd.Process.Kill()
		return m.reaches
	})
	mu.Lock() // nothing is killed before it has started
	err := cmd.Start()
	mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	got := wait()
	r.witness.hook(nil)
	r.witness.settle(t)
	t.Logf("killed at %s, which reached the server: %t", at, m.reaches)
	if m.action != "" && !dead {
		t.Errorf("there was no moment %s", m)
	}
	if got.code > 0 {
		t.Errorf("before it was killed: %s", got)
	}
	return got
}

// goOn resumes the run, or applies the plan again.
func (r *recipe) goOn(t *testing.T, resume bool) {
	t.Helper()
	if !resume {
		r.must(t, "apply", r.plan, "--yes")
		return
	}
	got := r.run(t, "resume")
	if got.code == 10 && strings.Contains(got.errors, "no run") { // it had not begun, or it had ended
		got = r.run(t, "apply", r.plan, "--yes")
	}
	if got.code != 0 {
		t.Fatalf("xplan resume: %s", got)
	}
}

// copiedTwice counts copies that were made of a key that was copied already.
func copiedTwice(seen []request) int {
	done := map[string]bool{}
	n := 0
	for _, s := range seen {
		if s.action != "CopyObject" || s.status != 200 {
			continue
		}
		if done[s.path] {
			n++
		}
		done[s.path] = true
	}
	return n
}

// survives kills a run at the moment, goes on, and looks at the end.
func (r *recipe) survives(t *testing.T, m moment, resume bool) {
	t.Helper()
	if r.differs(uploadsDated) != "" {
		r.undated = 1
	}
	r.killed(t, m)
	r.goOn(t, resume)
	seen, mark := r.witness.requests(0)
	r.isCopied(t)
	r.isClean(t)
	if n := copiedTwice(seen); n > r.inFlight {
		t.Errorf("%d objects were copied twice, and %d were in flight", n, r.inFlight)
	}
	got := r.must(t, "apply", r.plan, "--yes")
	again, _ := r.witness.requests(mark)
	for _, s := range again {
		if s.changes() {
			t.Errorf("applied again, it asked for %s %s", s.action, s.path)
		}
	}
	if !strings.Contains(got.out, "No changes") {
		t.Errorf("applied again: %s", got)
	}
}

func TestRecipeGoesOnAfterItWasKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		t := w.t
		whole := newRecipe(t, w, 60)
		whole.must(t, "apply", whole.plan, "--yes")
		seen, _ := whole.witness.requests(0)
		rounds := moments(seed(t), seen, kills(t))
		t.Cleanup(func() { t.Logf("%d rounds of kill -9, failed: %t", len(rounds), t.Failed()) })
		for i, m := range rounds {
			t.Run(fmt.Sprint(i+1), func(t *testing.T) {
				t.Parallel()
				newRecipe(t, w, 60).survives(t, m, i%2 == 1)
			})
		}
	})
}

func TestRecipeGoesOnAfterTheWorstMoments(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		t := w.t
		for i, m := range worst {
			t.Run(m.String(), func(t *testing.T) {
				t.Parallel()
				newRecipe(t, w, 20).survives(t, m, i%2 == 1)
			})
		}
	})
}
