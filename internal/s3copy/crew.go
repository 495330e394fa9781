package s3copy

import (
	"context"
	"slices"
	"sync"
)

// A crew lists ranges side by side: as many workers as Limits.Listers, each with one
// strand. A worker that has none left splits another's.
type crew struct {
	*run
	mu       sync.Mutex
	turn     *sync.Cond
	queue    []int
	live     []*strand
	stealing int // workers on their way to split a strand
	probes   int
	misses   int // probes that found nothing
	err      error
	cost     [2]cost
}

// list lists and merges ranges, and hands out what is to be done. It returns when all
// of it is handed out.
func (r *run) list(ctx context.Context, ranges []int) error {
	c := &crew{run: r, queue: ranges}
	c.turn = sync.NewCond(&c.mu)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.turn.Broadcast()
	})()
	var workers sync.WaitGroup
	for range r.listers() {
		workers.Go(func() {
			for s := c.next(ctx); s != nil; s = c.next(ctx) {
				if err := c.merge(ctx, s); err != nil {
					c.fail(err)
					cancel(err)
				}
				c.leave(s)
			}
		})
	}
	workers.Wait()
	if c.err != nil {
		return c.err
	}
	return context.Cause(ctx)
}

// listers tells how many ranges may be listed at once. What depends on the order of
// the whole listing is listed by one.
func (r *run) listers() int {
	if r.watch != nil {
		return 1
	}
	return r.limits.Listers
}

// fail keeps the first error.
func (c *crew) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// next gives a worker its strand: one of those that wait, or one that it splits off
// another. nil: there is nothing left to do.
func (c *crew) next(ctx context.Context) *strand {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ctx.Err() == nil {
		if len(c.queue) > 0 {
			s := c.strand(c.queue[0])
			c.queue = c.queue[1:]
			c.live = append(c.live, s)
			return s
		}
		if len(c.live) == 0 && c.stealing == 0 {
			c.turn.Broadcast()
			return nil
		}
		s, probed := c.steal(ctx)
		if s != nil {
			c.live = append(c.live, s)
			c.turn.Signal() // it is the next one's turn to steal
			return s
		}
		if !probed {
			c.turn.Wait()
		}
	}
	return nil
}

// leave takes a strand off that is merged, or given up.
func (c *crew) leave(s *strand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live = slices.DeleteFunc(c.live, func(o *strand) bool { return o == s })
	c.turn.Broadcast()
}

// listed notes a page of a strand, and wakes a worker that waits for one to split.
func (c *crew) listed(s *strand, side int, w *walk, keys []Object, all int) {
	s.listed(side, w, keys)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cost[side].page(len(keys), all)
	c.turn.Signal()
}

// gate lets a strand be split that waits for a slow prefix: what is behind it need not.
func (c *crew) gate(s *strand) {
	s.mu.Lock()
	s.hungry = true
	s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn.Signal()
}

// unlisted notes keys that were listed, and are left to another strand.
func (c *crew) unlisted(side, keys int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cost[side].kept -= keys
}

// cost counts what the listing of a side took.
type cost struct {
	pages int
	kept  int // keys that belonged to who listed them
	size  int // keys of the largest page
}

func (c *cost) page(kept, all int) {
	c.pages++
	c.kept += kept
	c.size = max(c.size, all)
}

// waste is the pages' worth of keys that were listed for nothing.
func (c *cost) waste() float64 {
	return float64(c.pages) - c.worth(c.kept)
}

func (c *cost) worth(keys int) float64 { return float64(keys) / float64(max(c.size, 1)) }
