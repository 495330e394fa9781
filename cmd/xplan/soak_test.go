package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
)

// soakFor is how long a soak takes: XPLAN_TEST_SOAK, or seconds. Whether what it holds is flat can be told of a long
// one only: connections are kept for 90 seconds.
func soakFor(t *testing.T) (d time.Duration, long bool) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("files, threads and memory are read from /proc")
	}
	text := os.Getenv("XPLAN_TEST_SOAK")
	if text == "" {
		return 10 * time.Second, false
	}
	d, err := time.ParseDuration(text)
	must(t, err)
	return d, d >= 10*time.Minute
}

// A soakQuantity is one that is to be flat; so much more at the end is no growth, beside a tenth.
type soakQuantity struct {
	name  string
	of    func(soakSample) int64
	slack int64
}

func soakQuantities() []soakQuantity {
	return []soakQuantity{
		{"goroutines", func(s soakSample) int64 { return s.goroutines }, 20},
		{"open files", func(s soakSample) int64 { return s.files }, 20},
		{"threads", func(s soakSample) int64 { return s.threads }, 4},
		{"live heap, KiB", func(s soakSample) int64 { return s.heap >> 10 }, 4 << 10},
		{"resident memory, KiB", func(s soakSample) int64 { return s.rss >> 10 }, 8 << 10},
	}
}

// isFlat compares the two halves of what came after the first quarter, by their medians.
func isFlat(t *testing.T, seen []soakSample, long bool) {
	t.Helper()
	settled := seen[len(seen)/4:]
	if len(settled) < 4 {
		t.Fatalf("only %d samples", len(seen))
	}
	early, late := settled[:len(settled)/2], settled[len(settled)/2:]
	for _, q := range soakQuantities() {
		median := func(window []soakSample) int64 {
			all := make([]int64, len(window))
			for i, s := range window {
				all[i] = q.of(s)
			}
			slices.Sort(all)
			return all[len(all)/2]
		}
		before, after, most := median(early), median(late), int64(0)
		for _, s := range seen {
			most = max(most, q.of(s))
		}
		t.Logf("%s: %d, then %d; at most %d, in %d samples", q.name, before, after, most, len(seen))
		if long && after > before+before/10+q.slack {
			t.Errorf("%s grow: %d in the first half, %d in the second", q.name, before, after)
		}
	}
}

// harass lets a request go wrong so often, until it is stopped.
func harass(server *sandbox.Server, r *rand.Rand, every time.Duration) (stop func()) {
	kinds := []sandbox.Fault{
		{Do: sandbox.FaultError},
		{Do: sandbox.FaultError, Status: 503, Code: "SlowDown"},
		{Do: sandbox.FaultTear},
		{Do: sandbox.FaultTear, AfterEffect: true},
		{Do: sandbox.FaultCut},
		{Do: sandbox.FaultTruncate},
		{Do: sandbox.FaultErrorIn200},
		{Do: sandbox.FaultDelay, Delay: 300 * time.Millisecond},
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		var heal []func()
		for i := 0; ; i++ {
			select {
			case <-quit:
				for _, h := range heal {
					h()
				}
				return
			case <-tick.C:
			}
			f := kinds[i%len(kinds)]
			f.Skip, f.Times = r.IntN(20), 1
			if i%10 != 0 {
				f.Service = "s3"
			}
			heal = append(heal, server.Inject(f))
			if len(heal) > 20 {
				heal[0]()
				heal = heal[1:]
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

const soakPlan = docsByUser + `buckets: [{source: tommy, destination: tommy-b}]
copy: {delete_extra: true, in_flight: 8}
`

func newSoak(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.user(t)
	s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{})
	for profile, account := range map[string]string{sandbox.SourceProfile: sandbox.SourceAccount, sandbox.DestinationProfile: sandbox.DestinationAccount} {
		id, secret := s.server.Admin(account)
		s.login(t, profile, id, secret)
	}
	s.write(t, "plan.yaml", soakPlan)
	return s
}

// accounted wants that every listed object is accounted for, and gives how many were copied.
func accounted(t *testing.T, l soakLine) (copied int64) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(l.Out), "\n")
	var end struct {
		Pairs map[string]s3copy.Summary `json:"pairs"`
	}
	must(t, json.Unmarshal([]byte(lines[len(lines)-1]), &end))
	for pair, s := range end.Pairs {
		n := s.Tally
		if n.Listed.Objects != n.Copied.Objects+n.Same.Objects+n.Skipped.Objects+n.Failed.Objects {
			t.Errorf("%s: %d listed, and %d copied, %d same, %d skipped, %d failed", pair,
				n.Listed.Objects, n.Copied.Objects, n.Same.Objects, n.Skipped.Objects, n.Failed.Objects)
		}
		copied += n.Copied.Objects
	}
	return copied
}

// settles applies the plan until it is done: under faults a few times, and at last without.
func (p *soaked) settles(t *testing.T, s *site, r *rand.Rand, every time.Duration) (runs int, copied int64) {
	t.Helper()
	stop := harass(s.server, r, every)
	for runs = 1; ; runs++ {
		begun := time.Now()
		l := p.run(t, "apply", "plan.yaml", "--yes", "--json", "--confirm=tommy-b")
		n := accounted(t, l)
		copied += n
		if took := time.Since(begun); took > time.Minute {
			t.Logf("a run of %s copied %d objects, exit status %d", took.Round(time.Second), n, l.Exit)
		}
		if l.Exit == exitDone {
			if runs <= 3 {
				stop()
			}
			return runs, copied
		}
		if runs == 3 {
			stop()
		}
		if runs == 6 {
			t.Fatalf("without faults: exit status %d\n%s\n%s", l.Exit, l.Out, l.Err)
		}
	}
}

// TestASoakOfApplies applies one plan again and again, in one process, while the source changes and requests go wrong.
func TestASoakOfApplies(t *testing.T) {
	t.Parallel()
	d, long := soakFor(t)
	s := newSoak(t)
	p := startSoaked(t, s)
	r := rand.New(rand.NewPCG(1, 2))
	body := make([]byte, 6<<20)
	rounds, runs, copied := 0, 0, int64(0)
	for begun := time.Now(); time.Since(begun) < d; rounds++ {
		for i := range 40 {
			must(t, s.server.PutObject("tommy", fmt.Sprintf("%02x/%04d", i%7, r.IntN(400)), fmt.Appendf(nil, "round %d, %d", rounds, i), sandbox.PutOptions{Tags: map[string]string{"round": fmt.Sprint(rounds)}}))
		}
		body[0] = byte(rounds)
		must(t, s.server.PutObject("tommy", "parts", body, sandbox.PutOptions{PartSize: 5 << 20}))
		for _, o := range s.server.Objects("tommy") {
			if r.IntN(20) == 0 {
				s.server.RemoveObject("tommy", o.Key)
			}
		}
		n, c := p.settles(t, s, r, time.Second)
		runs, copied = runs+n, copied+c
		sameObjects(t, s.server, "tommy", "tommy-b")
		nothingLeft(t, s.server)
		if t.Failed() {
			break
		}
	}
	t.Logf("%d rounds, %d runs, %d copies", rounds, runs, copied)
	isFlat(t, p.seen, long)
}

// TestASoakOfOneCopy copies for as long as a soak takes, in one run, while requests go wrong.
func TestASoakOfOneCopy(t *testing.T) {
	t.Parallel()
	d, long := soakFor(t)
	s := newSoak(t)
	for i := range int(d.Seconds()) * 100 { // eight in flight at 40 ms do some 200 a second
		must(t, s.server.PutObject("tommy", fmt.Sprintf("%03d/%06d", i%977, i), []byte{byte(i), byte(i >> 8)}, sandbox.PutOptions{}))
	}
	p := startSoaked(t, s)
	s.server.SetLatency(40 * time.Millisecond)
	begun := time.Now()
	runs, copied := p.settles(t, s, rand.New(rand.NewPCG(3, 4)), 200*time.Millisecond)
	t.Logf("%d runs, %d copies in %s", runs, copied, time.Since(begun).Round(time.Second))
	sameObjects(t, s.server, "tommy", "tommy-b")
	nothingLeft(t, s.server)
	isFlat(t, p.seen, long)
}

// sameObjects wants the same keys, bytes and tags in two buckets.
func sameObjects(t *testing.T, server *sandbox.Server, a, b string) {
	t.Helper()
	from, to := server.Objects(a), server.Objects(b)
	if missing := lacking(from, to); len(missing) > 0 || len(from) != len(to) {
		t.Errorf("%s has %d objects, %s %d; not there, or otherwise: %.5q", a, len(from), b, len(to), missing)
	}
}

// nothingLeft wants no key, policy, statement or upload of a run.
func nothingLeft(t *testing.T, server *sandbox.Server) {
	t.Helper()
	for _, line := range server.Inventory() {
		if strings.Contains(line, ":policy/") || strings.Contains(line, "access keys: ") && !strings.Contains(line, "access keys: 0") ||
			strings.Contains(line, "DelegateS3Access") || strings.Contains(line, "upload ") {
			t.Errorf("left: %s", line)
		}
	}
	for _, bucket := range server.Buckets(sandbox.DestinationAccount) {
		if n := server.Uploads(bucket); n > 0 {
			t.Errorf("%d uploads stand in %s", n, bucket)
		}
	}
}
