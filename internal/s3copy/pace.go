package s3copy

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	throttledTries = 10                     // of one request that is told to slow down
	throttledPause = 50 * time.Millisecond  // before the second try; doubles
	throttledMost  = 5 * time.Second        // the longest pause
	cutEvery       = 200 * time.Millisecond // one burst of slow-downs cuts the pace once
)

// pace bounds what is in flight: a slot more for each round without complaint, 0.7
// of them after a slow-down. Safe for concurrent use.
type pace struct {
	mu       sync.Mutex
	freed    *sync.Cond
	most     float64
	limit    float64
	inFlight float64
	cut      time.Time
}

func newPace(most int) *pace {
	p := &pace{most: float64(most), limit: float64(most)}
	p.freed = sync.NewCond(&p.mu)
	return p
}

// enter waits for a slot. It fails only when ctx ends first.
func (p *pace) enter(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inFlight+1 > p.limit {
		defer context.AfterFunc(ctx, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.freed.Broadcast()
		})()
	}
	for p.inFlight+1 > p.limit {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		p.freed.Wait()
	}
	p.inFlight++
	return nil
}

// leave gives the slot back.
func (p *pace) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
	p.limit = min(p.most, p.limit+1/p.limit)
	p.freed.Broadcast()
}

// slow cuts the pace.
func (p *pace) slow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.cut) >= cutEvery {
		p.cut = now
		p.limit = max(1, p.limit*0.7)
	}
}

// paced runs a request on an object, again where the server says to slow down: then
// fewer of them are in flight.
func paced[T any](ctx context.Context, r *run, request func(context.Context) (T, error)) (T, error) {
	return patient(ctx, r, r.pace.slow, request)
}

// patient runs a request, again after a while where the server says to slow down.
func patient[T any](
	ctx context.Context, r *run, slow func(), request func(context.Context) (T, error),
) (T, error) {
	pause := throttledPause
	for try := 1; ; try++ {
		v, err := request(ctx)
		if err == nil || try == throttledTries || !errors.Is(err, ErrThrottled) {
			return v, err
		}
		slow()
		r.count.Retried.Add(1)
		if err := wait(ctx, pause+rand.N(pause)); err != nil { //nolint:gosec // jitter
			return v, err
		}
		pause = min(2*pause, throttledMost)
	}
}

// wait pauses for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
