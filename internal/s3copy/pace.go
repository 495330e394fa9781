package s3copy

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	throttledTries = 10                    // of one request that is told to slow down
	throttledPause = 50 * time.Millisecond // before the second try; doubles
	throttledMost  = 5 * time.Second       // the longest pause
	slowStart      = 16                    // requests that are in flight at first
)

// pace bounds what is in flight. It starts with few slots, and has one more for each
// request that is done: so they double in the time that one takes. Safe for concurrent use.
type pace struct {
	mu       sync.Mutex
	freed    *sync.Cond
	most     int
	limit    int
	inFlight int
}

func newPace(most int) *pace {
	p := &pace{most: most, limit: min(most, slowStart)}
	p.freed = sync.NewCond(&p.mu)
	return p
}

// enter waits for a slot. It fails only when ctx ends first.
func (p *pace) enter(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inFlight >= p.limit {
		defer context.AfterFunc(ctx, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.freed.Broadcast()
		})()
	}
	for p.inFlight >= p.limit {
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
	p.limit = min(p.most, p.limit+1)
	p.freed.Broadcast()
}

// paced runs a request on an object, again where the server says to slow down: then
// requests below the same prefix are sent at the rate that it bears.
func paced[T any](ctx context.Context, r *run, key string, request func(context.Context) (T, error)) (T, error) {
	return patient(ctx, r, &r.valves, key, request)
}

// patient runs a request, again after a while where the server says to slow down.
func patient[T any](
	ctx context.Context, r *run, v *valves, key string, request func(context.Context) (T, error),
) (T, error) {
	pause := throttledPause
	for try := 1; ; try++ {
		if err := v.enter(ctx, key); err != nil {
			var none T
			return none, err
		}
		answer, err := request(ctx)
		if !errors.Is(err, ErrThrottled) {
			v.borne(key)
			return answer, err
		}
		v.slow(key)
		if try == throttledTries {
			return answer, err
		}
		r.count.Retried.Add(1)
		if err := wait(ctx, pause+rand.N(pause)); err != nil { //nolint:gosec // jitter
			return answer, err
		}
		pause = min(2*pause, throttledMost)
	}
}

// wait pauses for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
