package main

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"xplan/internal/compile"
)

func TestNothingInAnErrorActsOnTheTerminal(t *testing.T) {
	var shown bytes.Buffer
	a := &app{err: &shown}
	a.exit(errors.New("the server says \x1b[2J\r\u009b1m\u202eall is well\nsecond line"))
	if want := "xplan: the server says \uFFFD[2J\uFFFD\uFFFD1m\uFFFDall is well\nsecond line\n"; shown.String() != want {
		t.Errorf("got %q, want %q", shown.String(), want)
	}
	shown.Reset()
	a.say("goes on although %s", compile.Finding{Rule: "statement \x1b[1A of it"})
	if bytes.ContainsRune(shown.Bytes(), 0x1b) {
		t.Errorf("%q", shown.String())
	}
}

// A lost is a stream that takes nothing.
type lost struct{ err error }

func (l lost) Write([]byte) (int, error) { return 0, l.err }

func TestLinesThatAreLostAreNoSuccess(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{syscall.ENOSPC: exitError, syscall.EPIPE: exitDone} {
		var shown bytes.Buffer
		got := run([]string{"validate", "--json", "../../examples/tommy.xplan.yaml"}, nil, lost{err}, &shown)
		if got != want || (want == exitDone) != (shown.Len() == 0) || want != exitDone && !strings.Contains(shown.String(), err.Error()) {
			t.Errorf("%v: exit status %d, want %d; said: %q", err, got, want, shown.String())
		}
	}
}

func TestTheSecondCtrlCLeavesACommandThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave, never := make(chan struct{}), make(chan struct{})
		var said bytes.Buffer
		a := &app{leave: leave, err: &said}
		if got := a.leaving(func() int { return exitFailed }); got != exitFailed {
			t.Errorf("exit status %d of a command that ends, want %d", got, exitFailed)
		}
		close(leave)
		if got := a.leaving(func() int { time.Sleep(leaveWithin / 2); return exitWaiting }); got != exitWaiting {
			t.Errorf("exit status %d of a command that ends soon, want %d", got, exitWaiting)
		}
		if got := a.leaving(func() int { <-never; return exitDone }); got != exitInterrupted {
			t.Errorf("exit status %d of a command that does not end, want %d", got, exitInterrupted)
		}
		if !strings.Contains(said.String(), "the same command goes on") {
			t.Errorf("it is left with the words %q", said.String())
		}
		close(never)
		synctest.Wait()
	})
}
