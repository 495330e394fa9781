package main

import (
	"context"
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
