package test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A process is a server that the suite started. It lives until all tests have ended.
type process struct {
	url      string
	cmd      *exec.Cmd
	log      string
	profiles []profile // of the source's and the destination's administrator
}

// processes are ended by TestMain, each by its own process.
var processes struct {
	mu   sync.Mutex
	list map[string]*process
}

// endProcesses kills what was started and waits for its end.
func endProcesses() {
	processes.mu.Lock()
	defer processes.mu.Unlock()
	for _, p := range processes.list {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// started gives the server of that name. At the first call it is started, and its administrators are made.
func started(t *testing.T, name string, command func(dir string, port int) *exec.Cmd, arrange func(url string) []profile) *process {
	t.Helper()
	processes.mu.Lock()
	defer processes.mu.Unlock()
	if p := processes.list[name]; p != nil {
		return p
	}
	dir := filepath.Join(workDir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	p := &process{url: fmt.Sprintf("http://127.0.0.1:%d", port), cmd: command(dir, port), log: filepath.Join(dir, "log")}
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() // the process has its own
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	if processes.list == nil {
		processes.list = map[string]*process{}
	}
	processes.list[name] = p
	p.await(t, name)
	p.profiles = arrange(p.url)
	return p
}

// await waits until the server answers anything.
func (p *process) await(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	said, _ := os.ReadFile(p.log)
	t.Fatalf("%s does not answer at %s:\n%s", name, p.url, said)
}

// freePort is free at this moment.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
