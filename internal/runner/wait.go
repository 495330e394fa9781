package runner

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long AWS may take to show a change everywhere, and how often we look (AWS.md's
// sources: the IAM guide's "eventually consistent", and a new principal in a bucket policy).
const (
	readBackFor   = 30 * time.Second
	principalFor  = 2 * time.Minute
	propagateFor  = 5 * time.Minute
	firstLook     = 50 * time.Millisecond
	longestLook   = 5 * time.Second
	settledFor    = 10 * time.Second // for what nobody changed just now
	busyFor       = time.Minute      // a server that has no time for an answer
	probesInARow  = 3
	betweenProbes = 200 * time.Millisecond
	clockSkew     = 5 * time.Minute
)

var errNotYet = errors.New("the change does not show yet")

// until calls look until it returns nil or an error that is not errNotYet, at growing
// intervals, at most for the given time. It reports the last reason.
func until(ctx context.Context, limit time.Duration, look func(context.Context) error) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	pause := firstLook
	for {
		err := look(ctx)
		if err == nil || !errors.Is(err, errNotYet) {
			return err
		}
		next := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			next.Stop()
			return ctx.Err()
		case <-deadline.C:
			next.Stop()
			return fmt.Errorf("waited %s: %w", limit.Round(time.Second), err)
		case <-next.C:
		}
		pause = min(2*pause, longestLook)
	}
}

// pauseFor waits, or returns the context's error.
func pauseFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
