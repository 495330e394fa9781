package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A soakLine is what the program under soak says: a sample of itself every soakTick, and how a command ended.
type soakLine struct {
	Goroutines int    `json:"goroutines,omitempty"`
	Heap       int64  `json:"heap,omitempty"` // what the latest collection left
	Ended      bool   `json:"ended,omitempty"`
	Exit       int    `json:"exit,omitempty"`
	Out        string `json:"out,omitempty"`
	Err        string `json:"err,omitempty"`
}

const soakTick = 500 * time.Millisecond

// soakAgent is the program that takes commands from its input, a line each, and runs them as one process would that
// never ends: what a run leaves behind piles up.
func soakAgent() {
	var mu sync.Mutex // of stdout
	say := func(l soakLine) {
		mu.Lock()
		defer mu.Unlock()
		if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
			panic(err)
		}
	}
	go func() { // until the process ends
		for range time.Tick(soakTick) {
			s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
			metrics.Read(s)
			say(soakLine{Goroutines: runtime.NumGoroutine(), Heap: int64(s[0].Value.Uint64())})
		}
	}()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var out, errOut bytes.Buffer
		a := &app{in: strings.NewReader(""), out: &out, err: &errOut, lines: lineStream{w: &out}}
		code := a.run(strings.Fields(lines.Text()))
		say(soakLine{Ended: true, Exit: code, Out: out.String(), Err: errOut.String()})
	}
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
