package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
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
