package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
)

// Linux alone: files, threads and memory are read from /proc.

// soakFor is how long a soak takes: XPLAN_TEST_SOAK, or seconds. Whether what it holds is flat can be told of a long
// one only: connections are kept for 90 seconds.
func soakFor(t *testing.T) (d time.Duration, long bool) {
	t.Helper()
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

// A soaked is the program under soak, with what was seen of its process.
type soaked struct {
	cmd   *exec.Cmd
	input *os.File
	lines *bufio.Scanner
	seen  []soakSample
}

// A soakSample is the process at one moment; files, threads and resident memory are the kernel's figures.
type soakSample struct{ goroutines, heap, files, threads, rss int64 }

func startSoaked(t *testing.T, s *site) *soaked {
	t.Helper()
	like := s.command(t)
	cmd := exec.Command("xplan-soaked") //nolint:noctx // it ends with its input
	cmd.Env, cmd.Dir = like.Env, like.Dir
	in, input, err := os.Pipe()
	must(t, err)
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	must(t, in.Close())
	p := &soaked{cmd: cmd, input: input, lines: bufio.NewScanner(out)}
	p.lines.Buffer(nil, 64<<20)
	t.Cleanup(func() {
		must(t, input.Close())
		for p.lines.Scan() { // its last samples
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the program under soak: %v", err)
		}
	})
	return p
}

// run has the program run a command to its end.
func (p *soaked) run(t *testing.T, args ...string) soakLine {
	t.Helper()
	if _, err := p.input.WriteString(strings.Join(args, " ") + "\n"); err != nil {
		t.Fatal(err)
	}
	for p.lines.Scan() {
		var l soakLine
		must(t, json.Unmarshal(p.lines.Bytes(), &l))
		if l.Ended {
			return l
		}
		p.seen = append(p.seen, p.sample(t, l))
	}
	t.Fatalf("the program under soak is gone: %v", p.lines.Err())
	return soakLine{}
}

func (p *soaked) sample(t *testing.T, l soakLine) soakSample {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	must(t, err)
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	must(t, err)
	field := func(name string) int64 {
		_, rest, _ := strings.Cut(string(status), "\n"+name+":")
		n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		must(t, err)
		return n
	}
	return soakSample{
		goroutines: int64(l.Goroutines), heap: l.Heap, files: int64(len(files)), threads: field("Threads"), rss: field("VmRSS") << 10,
	}
}
