package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"xplan/internal/bench/null"
)

// A result is one arm's run.
type result struct {
	Arm     string        `json:"arm"`
	Round   int           `json:"round"`
	Wall    time.Duration `json:"wall_ns"`
	CPU     time.Duration `json:"cpu_ns"` // user and system
	PeakRSS int64         `json:"peak_rss"`
	Exit    string        `json:"exit"` // "0", a status, or why it was ended
	Words   string        `json:"words,omitempty"`
	Stats   null.Stats    `json:"stats"`
	First   *null.Stats   `json:"first,omitempty"` // of the run that was killed
}

// bench is one measurement under way.
type bench struct {
	options
	arms     []arm
	dir      string
	progress io.Writer
}

// scenario runs all arms in turns.
func (b *bench) scenario(ctx context.Context, s scenario) ([]result, error) {
	cfg, err := s.config()
	if err != nil {
		return nil, err
	}
	server, err := null.Start(ctx, "127.0.0.1:0", cfg)
	if err != nil {
		return nil, err
	}
	var results []result
	var arms []arm
	for _, a := range b.arms {
		if (a.Name != "aws" || !s.Slow) && (a.Name != "floor" || floorCan(s)) {
			arms = append(arms, a)
		}
	}
	for round := range b.rounds {
		for i := range arms {
			a := arms[(i+round)%len(arms)]
			server.Reset(cfg)
			if s.Filled {
				server.Fill(nil)
			}
			r, err := b.arm(ctx, a, s, server)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.Name, err)
			}
			r.Round = round
			results = append(results, r)
			if _, err := fmt.Fprintf(b.progress, "%s %s: %.2f s, exit %s\n", s.Name, a.Name, r.Wall.Seconds(), r.Exit); err != nil {
				return nil, err
			}
		}
	}
	return results, server.Close()
}

// floorCan tells whether the floor can do a scenario: it retries nothing, and starts behind any key.
func floorCan(s scenario) bool {
	return s.Rate == 0 && s.Faults == (null.Faults{}) && !s.Kill && s.Kills == 0 && s.Sizes.LargeEvery == 0 && (s.Shape != null.Hostile || !s.Filled)
}

// arm runs one arm once, and again for each time that it is killed.
func (b *bench) arm(ctx context.Context, a arm, s scenario, server *null.Server) (result, error) {
	dir, err := os.MkdirTemp(b.dir, a.Name+"-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	t := task{endpoint: server.URL(), dir: dir, inFlight: b.inFlight, scenario: s}
	if a.setUp != nil {
		if err := a.setUp(t); err != nil {
			return result{}, err
		}
	}
	var first *null.Stats
	if s.Kill {
		half := int64(s.Keys / 2)
		if _, err := b.process(ctx, a, t, func() bool { return server.Copies() >= half }); err != nil {
			return result{}, err
		}
		st := server.Stats()
		first = &st
		server.Recount()
	}
	var before result
	for kill := range s.Kills {
		share := int64(s.Keys) * int64(kill+1) / int64(s.Kills+1)
		r, err := b.process(ctx, a, t, func() bool { return server.Copies() >= share })
		if err != nil {
			return result{}, err
		}
		before.add(r)
	}
	r, err := b.process(ctx, a, t, func() bool { return false })
	r.add(before)
	r.Arm, r.Stats, r.First = a.Name, server.Stats(), first
	return r, err
}

// add counts another run of the same arm in.
func (r *result) add(o result) {
	r.Wall += o.Wall
	r.CPU += o.CPU
	r.PeakRSS = max(r.PeakRSS, o.PeakRSS)
}

// tick is how often a running arm is looked at.
const tick = 10 * time.Millisecond

// process runs an arm's program until it ends, its time is over, or enough says so: then it is killed.
func (b *bench) process(ctx context.Context, a arm, t task, enough func() bool) (result, error) {
	limited, cancel := context.WithTimeout(ctx, t.scenario.Limit)
	defer cancel()
	cmd := exec.CommandContext(limited, a.path, a.args(t)...) //nolint:gosec // programs that were asked for
	cmd.Env, cmd.Dir = t.environment(), t.dir
	words := &tail{}
	cmd.Stdout, cmd.Stderr = words, words
	cmd.WaitDelay = time.Second
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	w := watch(cmd.Process, enough)
	err := cmd.Wait()
	r := result{Wall: time.Since(begun), PeakRSS: w.stop(), Exit: "0"}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if state := cmd.ProcessState; state != nil {
		r.CPU = state.UserTime() + state.SystemTime()
		r.Exit = strconv.Itoa(state.ExitCode())
		if usage, ok := state.SysUsage().(*syscall.Rusage); ok && r.PeakRSS == 0 {
			r.PeakRSS = usage.Maxrss << 10
		}
	}
	switch {
	case limited.Err() != nil:
		r.Exit = "out of time"
	case err != nil && !enough():
		r.Words = words.String()
	}
	return r, nil
}

// A watcher looks at a process until it is stopped.
type watcher struct {
	done  chan struct{}
	group sync.WaitGroup
	peak  int64
}

// watch keeps the process's peak memory, and kills it when enough says so. The kernel's own figure for
// a child that ended begins at its parent's, so it is read while the child runs.
func watch(p *os.Process, enough func() bool) *watcher {
	w := &watcher{done: make(chan struct{})}
	w.group.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-w.done:
				return
			case <-ticker.C:
			}
			w.peak = max(w.peak, peakMemory(p.Pid))
			if enough() {
				_ = p.Kill() // it may have ended already
			}
		}
	})
	return w
}

func (w *watcher) stop() int64 {
	close(w.done)
	w.group.Wait()
	return w.peak
}

// peakMemory is the high-water mark of a process's resident memory; 0 where nothing tells.
func peakMemory(pid int) int64 {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(b), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if !ok || err != nil {
		return 0
	}
	return n << 10
}

// tail keeps the last words of a program.
type tail struct{ b bytes.Buffer }

const tailMost = 2000

// Write keeps what comes last.
func (t *tail) Write(p []byte) (int, error) {
	t.b.Write(p)
	if over := t.b.Len() - tailMost; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(t.b.String()) }
