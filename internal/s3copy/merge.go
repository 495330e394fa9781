package s3copy

import (
	"context"
	"sync"
)

// merger walks over one range of both buckets in byte order and fills pages.
type merger struct {
	*run
	strand *strand
	crew   *crew
	seq    int
	page   *page      // being filled; nil between pages
	gone   []Deletion // extra objects of the page
	task   task       // of the key at hand: reused, so that a key costs no memory
	seen   census
	slots  chan struct{} // one for each page of the range that runs ahead of the cursor
}

// merge lists a strand, and hands out what is to be done. It returns when all of it is
// handed out.
func (c *crew) merge(ctx context.Context, s *strand) error {
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	var pages [2]chan batch
	for i := range pages {
		pages[i] = make(chan batch)
		w := s.walk(i)
		w.tell = func(keys []Object, all int) { c.listed(s, i, w, keys, all) }
		readers.Go(func() { w.send(ctx, c.run, pages[i]) })
	}
	m := &merger{run: c.run, crew: c, strand: s, slots: make(chan struct{}, c.limits.Pages)}
	defer func() { c.notes.add(&m.seen) }()
	if err := m.open(ctx); err != nil {
		return err
	}
	defer m.abandon()
	if err := m.walk(ctx, cursor{pages: pages[atSource], shelf: &c.shelf}, cursor{pages: pages[atDestination], shelf: &c.shelf}); err != nil {
		return err
	}
	m.page.end = true
	return m.close(ctx)
}

// sides gives what a range means on both buckets.
func (r *run) sides(rng int) (src, dst side) {
	src = side{name: "source", lister: r.job.Source, prefix: r.job.Prefix}
	dst = side{name: "destination", prefix: r.job.ToPrefix}
	if r.job.Destination != nil {
		dst.lister = r.job.Destination
	}
	if rng == noRange {
		return src, dst
	}
	g := r.books.at(rng)
	src.after, src.through = max(g.Bounds.After, g.Done), g.Bounds.Through
	after, ok := translate(src.after, src.prefix, dst.prefix)
	dst.after = after
	if !ok {
		src.lister, dst.lister = nil, nil
	}
	if src.through == "" {
		return src, dst
	}
	through, ok := translate(src.through, src.prefix, dst.prefix)
	dst.through = through
	if ok && through == "" { // the range ends before the first key
		src.lister, dst.lister = nil, nil
	}
	return src, dst
}

// walk merges the two listings.
func (m *merger) walk(ctx context.Context, left, right cursor) error {
	for {
		s, d, err := m.peek(ctx, &left, &right)
		if err != nil || s == nil && d == nil {
			return err
		}
		if m.page.keys >= m.limits.pageKeys {
			if err := m.next(ctx); err != nil {
				return err
			}
		}
		switch m.order(s, d) {
		case -1:
			err = m.key(ctx, s, nil)
			left.pop()
		case 0:
			err = m.key(ctx, s, d)
			left.pop()
			right.pop()
		default:
			err = m.extra(d)
			right.pop()
		}
		if err != nil {
			return err
		}
	}
}

// peek gives the next object of each side. A new page is first cut to what is left of
// the strand.
func (m *merger) peek(ctx context.Context, left, right *cursor) (s, d *Object, err error) {
	for {
		if s, err = left.peek(ctx); err != nil {
			return nil, nil, err
		}
		if d, err = right.peek(ctx); err != nil {
			return nil, nil, err
		}
		if !left.fresh && !right.fresh {
			return s, d, nil
		}
		for i, keys := range m.strand.meet(left, right) {
			m.crew.unlisted(i, keys)
		}
	}
}

// order compares the keys below their prefixes; the end is behind every key.
func (m *merger) order(s, d *Object) int {
	switch {
	case d == nil:
		return -1
	case s == nil:
		return 1
	}
	a, b := s.Key[len(m.job.Prefix):], d.Key[len(m.job.ToPrefix):]
	switch {
	case a < b:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// key settles a source object, or hands it to a worker.
func (m *merger) key(ctx context.Context, s, d *Object) error {
	m.page.keys++
	m.page.last = s.Key
	if m.watch != nil {
		m.watch(s, d)
	}
	if m.page.second() {
		if _, ok := m.behind[s.Key]; ok {
			return nil
		}
	} else {
		m.count.Listed.Add(1)
		m.seen.listed(s)
	}
	t := &m.task
	*t = task{page: m.page, src: *s, exists: d != nil, marked: m.job.marked[s.Key]}
	if m.job.Rules.Match != nil && !m.job.Rules.Match(s.Key) {
		m.settle(t, outcome{state: isFiltered, size: s.Size})
		return nil
	}
	m.seen.longest = max(m.seen.longest, len(s.Key))
	if m.job.Versions {
		return m.chain(ctx, t, s, d)
	}
	if d != nil {
		t.dst = *d
		t.f = compareListed(s, d, m.job.rule())
	}
	if err := m.job.placeable(s.Key); err != nil {
		m.settle(t, m.unplaced(s, err))
		return nil
	}
	act, out := m.job.judge(s, d, t.f, false)
	if act == prove && m.page.second() {
		act = rest // the first pass has proven it
	}
	if m.job.Rules.Locks && out.state == isSame && !m.page.second() {
		if t.bound = m.job.lockKnown(s, d); t.bound {
			m.seen.known.Add(s.Size)
		} else if act == rest {
			act = bind // its proof is in the finding
		}
	}
	if act == rest && (!m.job.whole || out.state != isSame) { // else its tags and headers are left
		m.settle(t, out)
		return m.enough()
	}
	t.action = act
	return m.hand(ctx, *t)
}

func (m *merger) unplaced(s *Object, err error) outcome {
	if m.job.Mode == Scan {
		return outcome{state: isUnreadable, size: s.Size, reason: err.Error(), why: badKey}
	}
	return failed(s.Size, "copy", err.Error())
}

// extra counts an object that only the destination has.
func (m *merger) extra(d *Object) error {
	key := m.job.Prefix + d.Key[len(m.job.ToPrefix):]
	m.page.keys++
	m.page.last = key
	if m.page.second() || m.job.Rules.Match != nil && !m.job.Rules.Match(key) || d.Chain != nil && d.Chain.Versions[0].Marker {
		return nil
	}
	m.page.count(func(t *Tally) { t.Extra.Add(d.Size) })
	m.notes.sample("extra", d.Key, d.Size, "")
	if !m.job.Rules.DeleteExtra {
		return nil
	}
	switch m.job.Mode {
	case Scan:
		m.page.mark()
		return m.enough()
	case Copy:
		m.gone = append(m.gone, Deletion{Key: d.Key, ETag: d.ETag, Size: d.Size})
		return nil
	default:
		return nil
	}
}

// enough ends a scan that was to stop at the first thing to do.
func (m *merger) enough() error {
	if m.job.StopAtFirst && m.page.marked() {
		m.stop(errEnough)
		return errEnough
	}
	return nil
}

// hand hands a task out; the page waits for it. Where requests below the key's prefix
// wait for the server already, it waits, too, so that they do not take all slots.
func (m *merger) hand(ctx context.Context, t task) error {
	if t.extras == nil {
		if v := m.valves.of(m.job.place(t.src.Key)); v != nil && v.full() {
			m.crew.gate(m.strand)
			if err := v.admit(ctx); err != nil {
				return err
			}
		}
	}
	return m.run.hand(ctx, t)
}

// hand hands a task out; the page waits for it.
func (r *run) hand(ctx context.Context, t task) error {
	t.page.begin()
	select {
	case r.tasks <- t:
		return nil
	case <-ctx.Done():
		t.page.finish(false)
		return context.Cause(ctx)
	}
}

// open begins a page, as soon as one more may run ahead of the cursor: of its own
// range, and in all.
func (m *merger) open(ctx context.Context) error {
	select {
	case m.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := m.ahead.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	m.page = &page{rng: m.strand.rng, seq: m.seq, open: 1, slots: m.slots}
	m.seq++
	return nil
}

// close ends the page: no more tasks come.
func (m *merger) close(ctx context.Context) error {
	for _, extras := range batches(m.gone) {
		if err := m.hand(ctx, task{page: m.page, extras: extras}); err != nil {
			return err
		}
	}
	m.gone = nil
	m.finish(m.page, true)
	m.page = nil
	return nil
}

func (m *merger) next(ctx context.Context) error {
	if err := m.close(ctx); err != nil {
		return err
	}
	return m.open(ctx)
}

// abandon leaves the page unsettled.
func (m *merger) abandon() {
	if m.page != nil {
		m.finish(m.page, false)
		m.page = nil
	}
}
