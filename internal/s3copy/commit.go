package s3copy

import (
	"context"
	"fmt"
	"time"
)

const (
	commitEvery  = time.Second
	keepFailures = 10_000 // failures that are held in memory, to be retried at the end
)

// A committer owns a run's durable side: one goroutine takes the settled pages, moves
// the ranges' cursors over them and commits both together. While no page is under way
// its fields may be read by others.
type committer struct {
	run      *run
	ranges   []Range
	marks    []watermark
	total    Tally
	standing map[string]Failure // not settled, the first keepFailures of them
	seed     seed

	batch   Batch
	changed map[int]bool // ranges in the batch
	keys    int
	pages   int64
	err     error // of the journal; nothing is committed after it
}

// seed is what a scan found settled before the first thing to do.
type seed struct {
	add    Tally
	done   string
	ended  bool
	closed bool // there is something to do behind done
}

func newCommitter(r *run, p Progress) *committer {
	c := &committer{
		run: r, ranges: p.Ranges, marks: make([]watermark, len(p.Ranges)), total: p.Tally,
		standing: make(map[string]Failure), changed: make(map[int]bool),
	}
	for _, f := range p.Failures {
		c.standing[f.Key] = f
	}
	return c
}

// serve takes pages until the channel closes, and commits them in groups.
func (c *committer) serve(ctx context.Context, pages <-chan *page) error {
	timer := time.NewTimer(commitEvery)
	defer timer.Stop()
	for {
		select {
		case p, ok := <-pages:
			if !ok {
				c.flush(ctx)
				return c.err
			}
			if c.pages == 0 {
				timer.Reset(commitEvery)
			}
			c.take(p)
			if c.keys >= c.run.limits.CommitKeys || 2*c.pages >= int64(c.run.limits.Pages) || c.run.eager.Load() {
				c.flush(ctx)
			}
		case <-c.run.poke:
			c.flush(ctx)
		case <-timer.C:
			c.flush(ctx)
		}
	}
}

// take puts what a settled page lets pass into the batch.
func (c *committer) take(p *page) {
	if p.rng == noRange {
		c.pass(p)
		return
	}
	for _, q := range c.marks[p.rng].finish(p) {
		g := &c.ranges[q.rng]
		if q.last != "" {
			g.Done = q.last
		}
		g.Ended = q.end
		c.changed[q.rng] = true
		c.pass(q)
	}
}

func (c *committer) pass(p *page) {
	c.pages++
	c.keys += p.keys
	c.total.Plus(p.add)
	for _, a := range p.again {
		t := c.recount(a)
		c.total.Plus(t)
		p.add.Plus(t)
	}
	c.batch.Add.Plus(p.add)
	c.batch.Failures = append(c.batch.Failures, p.failures...)
	c.batch.Healed = append(c.batch.Healed, p.healed...)
	for _, key := range p.healed {
		delete(c.standing, key)
	}
	for _, f := range p.failures {
		if _, ok := c.standing[f.Key]; ok || len(c.standing) < keepFailures {
			c.standing[f.Key] = f
		}
	}
	c.seed.closed = c.seed.closed || p.todo || p.soft
	if !c.seed.closed {
		c.seed.add.Plus(p.add)
		c.seed.done, c.seed.ended = p.last, p.end
	}
}

// recount gives what changes where an object that was counted as Copied or Same in an
// earlier pass has been handled again. As nobody knows any more which of the two it
// was, and by which proof, it leaves the strongest proof that has some: so the size-only
// count never gets too small.
func (c *committer) recount(a again) Tally {
	var t Tally
	t.Listed.Bytes = a.out.size - a.old
	from, to := c.total.Evidence.strongestFirst(), t.Evidence.strongestFirst()
	for i := range from {
		if from[i].Objects > 0 || i == len(from)-1 {
			*to[i] = Count{Objects: -1, Bytes: -a.old}
			break
		}
	}
	switch {
	case a.out.state == isCopied:
		if change := a.out.size - a.old; c.total.Copied.Objects > 0 && c.total.Copied.Bytes+change >= 0 {
			t.Copied.Bytes = change
		} else { // no copy can have been it
			t.Same.Bytes = change
		}
		t.Evidence.add(a.out.proof, a.out.size)
		return t
	case c.total.Copied.Objects > 0:
		t.Copied = Count{Objects: -1, Bytes: -a.old}
	default:
		t.Same = Count{Objects: -1, Bytes: -a.old}
	}
	t.Failed.Add(a.out.size)
	return t
}

// flush commits what has gathered and lets as many pages run ahead again.
func (c *committer) flush(ctx context.Context) {
	if c.pages == 0 || c.err != nil {
		return
	}
	for i := range c.changed {
		c.batch.Ranges = append(c.batch.Ranges, c.ranges[i])
	}
	if j := c.run.job.Journal; j != nil {
		if err := j.Commit(ctx, c.batch); err != nil {
			c.err = fmt.Errorf("commit progress: %w", err)
			c.run.stop(c.err)
			return
		}
	}
	c.run.ahead.Release(c.pages)
	c.batch, c.keys, c.pages = Batch{}, 0, 0
	clear(c.changed)
}
