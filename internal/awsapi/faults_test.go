package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

func TestEveryMethodHasItsFaults(t *testing.T) {
	left := map[string]bool{}
	for _, v := range []any{&Account{}, &Login{}, &bucket{}} {
		typ := reflect.TypeOf(v)
		for m := range typ.Methods() {
			name := m.Name
			if _, prints := reflect.TypeFor[sealed]().MethodByName(name); !prints {
				left[typ.Elem().Name()+"."+name] = true
			}
		}
	}
	for _, c := range faultCalls() {
		delete(left, c.method())
	}
	for name := range left {
		t.Errorf("%s has no case in the matrix of faults: add it to faultCalls", name)
	}
}

const (
	mostRequests = 170 // of one call, whatever happens to it: eight tries of each of 21, where a bucket is read
	mostTime     = 20 * time.Second
	sampled      = 5 // one in so many cases is tried, unless XPLAN_TEST_FAULTS=all
)

// faultCase is one call, with one of its requests going wrong, once or from then on.
type faultCase struct {
	call  faultCall
	fault *fault
	at    int // the request
	once  bool
	clean ending // without the fault
}

func (c faultCase) String() string {
	return fmt.Sprintf("%s, request %d, %s, once: %t", c.call.name, c.at+1, c.fault.name, c.once)
}

// An ending is how a call ended.
type ending struct {
	result   string
	err      error
	stands   int // more than before
	requests int
	hit      bool
	took     time.Duration
}

// TestEveryCallSurvivesEveryFault spoils each request of each call in each way, once and for good. The call recovers, with the
// result that it has without the fault; or it ends, soon, with an error that means what happened and shows no secret.
// Nothing is made twice.
func TestEveryCallSurvivesEveryFault(t *testing.T) {
	settle(t)
	like, err := Open(t.Context(), plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2", EndpointURL: "http://sandbox.invalid"},
		Options{retries: retries{first: time.Nanosecond}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	cases := make(chan faultCase)
	var tried, recovered, ended atomic.Int64
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for c := range cases {
				got := c.run(t, like)
				if !got.hit {
					continue
				}
				c.judge(t, got)
				tried.Add(1)
				if got.err == nil {
					recovered.Add(1)
				} else {
					ended.Add(1)
				}
			}
		})
	}
	calls := faultCalls()
	asked := 0
	for _, call := range calls {
		asked += spoil(t, like, call, cases)
	}
	close(cases)
	running.Wait()
	t.Logf("%d cases: %d calls with %d requests, %d faults, once and for good; %d got over it, %d ended with the reason; %v",
		tried.Load(), len(calls), asked, len(faults()), recovered.Load(), ended.Load(), time.Since(start).Round(time.Millisecond))
}

// spoil sends all the ways in which a call can go wrong, and tells how many requests the call makes.
func spoil(t *testing.T, like *Account, call faultCall, cases chan<- faultCase) int {
	t.Helper()
	clean := faultCase{call: call, fault: &fault{}}.run(t, like)
	if clean.err != nil || clean.requests == 0 != call.silent {
		t.Errorf("%s: without a fault: %+v", call.name, clean)
		return 0
	}
	n := 0
	send := func(c faultCase) {
		if n++; n%sampled == 0 || os.Getenv("XPLAN_TEST_FAULTS") == "all" {
			cases <- c
		}
	}
	for _, f := range faults() {
		for at := range clean.requests {
			if f.skew != 0 && at > 0 {
				break // the clock is wrong from the first
			}
			send(faultCase{call: call, fault: f, at: at, clean: clean})
			if f.skew == 0 {
				send(faultCase{call: call, fault: f, at: at, once: true, clean: clean})
			}
		}
	}
	return clean.requests
}

// run makes a world, and makes the call in it.
func (c faultCase) run(t *testing.T, like *Account) (got ending) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: panic: %v", c, p)
		}
	}()
	w, err := newFaultWorld(like)
	if err != nil {
		t.Errorf("%s: arrange: %v", c, err)
		return got
	}
	defer func() { _ = w.box.Close() }()
	if c.call.arrange != nil {
		if err := c.call.arrange(t.Context(), w); err != nil {
			t.Errorf("%s: arrange: %v", c, err)
			return got
		}
	}
	before := w.count(t, c.call)
	w.clockAhead(c.fault.skew)
	ctx, cancel := context.WithTimeout(t.Context(), mostTime)
	defer cancel()
	w.arm(c, cancel)
	start := time.Now()
	got.result, got.err = c.call.do(ctx, w)
	got.took = time.Since(start)
	got.hit, got.requests = w.wire.hits(), w.wire.disarm()
	w.clockAhead(0)
	got.stands = w.count(t, c.call) - before
	return got
}

func (w *faultWorld) count(t *testing.T, call faultCall) int {
	t.Helper()
	if call.stands == nil {
		return 0
	}
	n, err := call.stands(t.Context(), w)
	if err != nil {
		t.Errorf("%s: count what stands: %v", call.name, err)
	}
	return n
}

// judge holds an ending against what may come of the fault.
func (c faultCase) judge(t *testing.T, got ending) {
	t.Helper()
	if got.requests > mostRequests || got.took > mostTime {
		t.Errorf("%s: %d requests, %v", c, got.requests, got.took)
	}
	twice := c.fault.name == "delivered twice" // by the network: nobody can help that
	if got.stands > max(c.clean.stands, 1) && !twice {
		t.Errorf("%s: made %d, want one at most", c, got.stands)
	}
	if got.err == nil {
		c.judgeYes(t, got)
		return
	}
	c.judgeError(t, got.err)
	if c.once && c.fault.passing && !c.told(got.err) {
		t.Errorf("%s: did not get over it: %v", c, got.err)
	}
}

// told tells whether a fault that passes may be told all the same: what is asked for once only, throttling and emptiness, of
// which the engine hears at once, a condition that an effect of ours fails, bytes that were read, and what the network doubles.
func (c faultCase) told(err error) bool {
	switch {
	case c.call.stands != nil, c.call.once, strings.Contains(c.call.name, ".Create"), c.fault.name == "delivered twice":
		return true
	case c.call.paced && errors.Is(err, s3copy.ErrThrottled), errors.Is(err, s3copy.ErrEmptyAnswer), c.ownEffect(err):
		return true
	}
	if (c.fault.name == "truncated" || c.fault.name == "cut") && errors.Is(err, s3copy.ErrNotFound) {
		return true // the status says so
	}
	return c.call.name == "bucket.Open" || c.fault.name == "200 with an error" && strings.Contains(c.call.name, ".Delete")
}

// ownEffect tells whether the error may come of an effect whose answer was lost.
func (c faultCase) ownEffect(err error) bool {
	return c.fault.unknown && (errors.Is(err, s3copy.ErrExists) && c.call.condition != nil ||
		errors.Is(err, s3copy.ErrNoUpload) && c.call.name == "bucket.CompleteUpload")
}

func (c faultCase) judgeYes(t *testing.T, got ending) {
	t.Helper()
	switch {
	case got.result == c.clean.result:
		return
	case c.fault.absent && c.call.missing:
		return
	case c.call.unseen && got.result == "unseen" && (c.fault.denies || c.fault.absent || c.once && c.fault.name == "key deleted"):
		return
	}
	t.Errorf("%s: yes, with\n%q, and without the fault it was\n%q", c, got.result, c.clean.result)
}

func (c faultCase) judgeError(t *testing.T, err error) {
	t.Helper()
	encoded, _ := json.Marshal(err)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), string(encoded)} {
		if strings.Contains(text, secretInAnswers) || strings.Contains(text, "AWS4-HMAC") {
			t.Errorf("%s: the error shows a secret: %s", c, text)
		}
	}
	want := c.fault.means
	if c.fault.name == "412" && c.call.condition != nil {
		want = c.call.condition
	}
	if c.fault.name == "black hole" && strings.HasPrefix(c.call.name, "Login.Probe") {
		want = append(want, compile.ErrUnavailable) // it outlives its context, to clean up
	}
	if c.once && (c.fault.denies || slices.Contains(c.fault.means, s3copy.ErrCredentials)) || c.ownEffect(err) {
		return // the next request finds all well, and may blame something else
	}
	if want != nil && !meansOne(err, want) {
		t.Errorf("%s: %v, want one of %v", c, err, want)
	}
	for _, wrong := range []error{s3copy.ErrDenied, compile.ErrDenied, s3copy.ErrNotFound, s3copy.ErrNoBucket, s3copy.ErrArchived, s3copy.ErrCredentials, s3copy.ErrUnsupported} {
		if (c.fault.name == "truncated" || c.fault.name == "cut") && errors.Is(err, s3copy.ErrNotFound) {
			continue // the status says so
		}
		if c.call.name == "Account.CreateBucket" && c.fault.name == "empty 200" && errors.Is(err, s3copy.ErrNoBucket) {
			continue // what was said to be made is not there
		}
		if errors.Is(err, wrong) && !c.fault.absent && !c.fault.denies && !slices.Contains(want, wrong) {
			t.Errorf("%s: %v counts as %q", c, err, wrong)
		}
	}
}
