package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// startOnTerminal is start with a terminal for stdin and stderr: what it shows goes to
// NAME.err, and the command "type" types on it.
func startOnTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: startty NAME PROGRAM ARG…")
	}
	ptmx, tty, err := openTerminal()
	ts.Check(err)
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.CommandContext(context.Background(), path, args[2:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Stdin, cmd.Stderr = tty, tty
	screen, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	launch(ts, args[0], cmd)
	ts.Check(tty.Close())
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		_, _ = io.Copy(screen, ptmx) // ends with the program: then the terminal has no other side
	}()
	j := jobs(ts)[args[0]]
	j.keyboard = ptmx
	j.after = func() error {
		<-shown
		return screen.Close()
	}
	ts.Defer(func() { _ = ptmx.Close() })
}

// openTerminal makes a pseudo-terminal of 100 by 30.
func openTerminal() (ptmx, tty *os.File, err error) {
	if ptmx, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	fd := int(ptmx.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100}); err != nil {
		return nil, nil, err
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	return ptmx, tty, err
}
