package s3copy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	commitEvery  = time.Second
	keepFailures = 10_000 // failures that are held in memory, to be retried at the end
)

// A committer owns a run's durable side: one goroutine takes the settled pages, moves
// the ranges' cursors over them and commits both together. While no page is under way
// its fields may be read by others; the ranges are shared under the lock.
type committer struct {
	run      *run
	total    Tally
	standing map[string]Failure // not settled, the first keepFailures of them

	mu      sync.Mutex
	ranges  *ledger
	marks   []watermark
	changed map[int]bool // ranges in the batch

	batch  Batch
	keys   int
	passed []*page // since the last commit
	scans  []scanned
	err    error // of the journal; nothing is committed after it
}

// scanned is what a scan found settled in a range before the first thing to do.
type scanned struct {
	add    Tally
	done   string
	ended  bool
	closed bool // there is something to do behind done
}

func newCommitter(r *run, p Progress) *committer {
	c := &committer{
		run: r, ranges: newLedger(p.Ranges), marks: make([]watermark, len(p.Ranges)), total: p.Tally,
		standing: make(map[string]Failure), changed: make(map[int]bool),
	}
	for _, f := range p.Failures {
		c.standing[f.Key] = f
	}
	return c
}

// open gives the ranges that are not settled.
func (c *committer) open() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var open []int
	for i := range c.ranges.ranges {
		if !c.ranges.ranges[i].Ended && !c.ranges.gone[i] {
			open = append(open, i)
		}
	}
	return open
}

// at gives a range as it stands.
func (c *committer) at(i int) Range {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ranges.ranges[i]
}

// split ends a range at the pivot, and gives the new one behind it. Both are in the
// same commit, and no page of the new one can be in an earlier one.
func (c *committer) split(i int, pivot string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	child := c.ranges.split(i, pivot)
	c.marks = append(c.marks, watermark{})
	c.changed[i], c.changed[child] = true, true
	return child
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
			if len(c.passed) == 0 {
				timer.Reset(commitEvery)
			}
			c.take(p)
			c.gather(pages)
			if c.keys >= c.run.limits.CommitKeys || 2*len(c.passed) >= c.run.limits.Pages || c.run.eager.Load() {
				c.flush(ctx)
			}
		case <-c.run.poke:
			c.flush(ctx)
		case <-timer.C:
			c.flush(ctx)
		}
	}
}

// gather takes the pages that wait already: one commit for all of them.
func (c *committer) gather(pages <-chan *page) {
	for {
		select {
		case p, ok := <-pages:
			if !ok {
				return
			}
			c.take(p)
		default:
			return
		}
	}
}

// take puts what a settled page lets pass into the batch.
func (c *committer) take(p *page) {
	if p.rng == noRange {
		c.pass(p)
		return
	}
	c.mu.Lock()
	passed := c.marks[p.rng].finish(p)
	for _, q := range passed {
		g := &c.ranges.ranges[q.rng]
		if q.last != "" {
			g.Done = q.last
		}
		g.Ended = q.end
		c.changed[q.rng] = true
	}
	c.mu.Unlock()
	for _, q := range passed {
		c.pass(q)
	}
}

func (c *committer) pass(p *page) {
	c.passed = append(c.passed, p)
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
	if c.run.job.Mode == Scan {
		c.scan(p)
	}
}

// scan notes what a page adds to what its range has settled before anything is to do.
func (c *committer) scan(p *page) {
	for len(c.scans) <= p.rng {
		c.scans = append(c.scans, scanned{})
	}
	s := &c.scans[p.rng]
	s.closed = s.closed || p.todo || p.soft
	if !s.closed {
		s.add.Plus(p.add)
		s.done, s.ended = p.last, p.end
	}
}

// seed is what a scan found settled, as a copy's first commit. Only after the scan.
func (c *committer) seed() Batch {
	ranges := slices.Clone(c.ranges.ranges)
	var b Batch
	settled := false
	for i := range ranges {
		ranges[i].Done, ranges[i].Ended = "", false
		if i < len(c.scans) {
			s := &c.scans[i]
			ranges[i].Done, ranges[i].Ended = s.done, s.ended
			b.Add.Plus(s.add)
			settled = settled || s.done != "" || s.ended
		}
	}
	if !settled {
		return Batch{}
	}
	all := newLedger(ranges)
	for i := range ranges {
		all.absorb(i)
	}
	for i, g := range all.ranges {
		if !all.gone[i] {
			b.Ranges = append(b.Ranges, g)
		}
	}
	return b
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
	if len(c.passed) == 0 || c.err != nil {
		return
	}
	if j := c.run.job.Journal; j != nil {
		c.close()
		if err := j.Commit(ctx, c.batch); err != nil {
			c.err = fmt.Errorf("commit progress: %w", err)
			c.run.stop(c.err)
			return
		}
	}
	for _, p := range c.passed {
		if p.slots != nil {
			<-p.slots
		}
	}
	c.run.ahead.Release(int64(len(c.passed)))
	clear(c.passed)
	c.batch, c.keys, c.passed = Batch{}, 0, c.passed[:0]
}

// close puts the ranges that moved into the batch. An ended one becomes part of its
// neighbour there.
func (c *committer) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range slices.Sorted(maps.Keys(c.changed)) {
		if j, ok := c.ranges.absorb(i); ok {
			c.changed[j] = true
			delete(c.changed, i)
			c.batch.Dropped = append(c.batch.Dropped, c.ranges.ranges[i].ID)
		}
	}
	for i := range c.changed {
		c.batch.Ranges = append(c.batch.Ranges, c.ranges.ranges[i])
	}
	clear(c.changed)
}
