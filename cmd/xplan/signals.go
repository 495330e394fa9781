package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// withSignals gives a context that the first Ctrl-C or SIGTERM cancels, or a terminal that is closed: stop scheduling,
// finish what is in flight, commit. The second closes leave: go now. stop ends the listening. What nohup has ignored
// stays so.
func withSignals(parent context.Context) (ctx context.Context, leave <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	second, quit, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-signals:
			cancel()
		case <-quit:
			return
		}
		select {
		case <-signals:
			close(second)
		case <-quit:
		}
	}()
	return ctx, second, func() {
		signal.Stop(signals)
		close(quit)
		<-ended
		cancel()
	}
}

// leaving runs a command, and leaves without it where it does not end soon after the second Ctrl-C: it waits for what no
// signal breaks off, such as a plan to be typed, or a file on a server that is gone.
func (a *app) leaving(command func() int) int {
	ended := make(chan int, 1)
	go func() { ended <- command() }()
	select {
	case code := <-ended:
		return code
	case <-a.leave:
	}
	timer := time.NewTimer(leaveWithin)
	defer timer.Stop()
	select {
	case code := <-ended:
		return code
	case <-timer.C:
		a.say("left without waiting: xplan status tells where a run stands, and the same command goes on")
		return exitInterrupted
	}
}

// leaveWithin is what a command has to record where it stands, after the second Ctrl-C.
const leaveWithin = 3 * time.Second

// outliveReaders keeps this process alive, from now on, where what it writes to is gone: head has seen enough, or the same
// Ctrl-C ended a tee. Writes fail instead. A run that changes both accounts has a key to delete and a freeze to lift.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// unlessGone is the error of what was written, but for that nobody reads it any more.
func unlessGone(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}
