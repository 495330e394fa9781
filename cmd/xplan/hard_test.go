package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"xplan/internal/sandbox"
)

// under runs xplan in a shell that has changed something around it before: bash -c 'ulimit … ; exec "$@"'.
func (s *site) under(t *testing.T, shell string, args ...string) (code int, said string) {
	t.Helper()
	like := s.command(t)
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{"-c", shell, "bash", "xplan"}, args...)...)
	cmd.Env, cmd.Dir = like.Env, like.Dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // its exit status tells
	return cmd.ProcessState.ExitCode(), out.String()
}

// TestARunSurvivesHardSurroundings runs the recipe with few open files, little memory, and output that nobody reads.
func TestARunSurvivesHardSurroundings(t *testing.T) {
	t.Parallel()
	for name, shell := range map[string]string{
		"64 open files":         `ulimit -n 64; exec "$@"`,
		"64 MB by GOMEMLIMIT":   `GOMEMLIMIT=64MiB exec "$@"`,
		"2 GB of address space": `ulimit -v 2000000; exec "$@"`,
		"output that is closed": `exec "$@" >&- 2>&-`,
		"a reader that leaves":  `set -o pipefail; "$@" | head -c 10`,
		"no home":               `unset HOME; exec "$@"`,
		"a proxy that is dead":  `HTTPS_PROXY=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:1 exec "$@"`, // not asked for loopback
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			s := newSoak(t)
			s.fill(t, 1000, sandbox.PutOptions{})
			s.write(t, "plan.yaml", docsByUser+docsPair)
			code, said := s.under(t, shell, "apply", "plan.yaml", "--yes")
			if code != exitDone || strings.Contains(said, "too many open files") {
				t.Errorf("exit status %d\n%s", code, said)
			}
			sameObjects(t, s.server, "tommy", "tommy-b")
			nothingLeft(t, s.server)
		})
	}
}
