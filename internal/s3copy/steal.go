package s3copy

import (
	"context"
	"math"
	"strings"
)

const (
	splitShare = 0.08 // of the pages may be spent for splits
	creditMost = 48   // pages that are expected count like listed ones
	trusted    = 0.5  // of what is expected to be left
	splitCost  = 0.55 // pages that an open end costs, about: its last page is part-filled
	leastPages = 4    // that must be left of a strand to be worth a split
	aheadPages = 2    // that are listed while a probe is under way
	farPages   = 16   // that are taken for granted, at least
	farTimes   = 4    // as many pages as are listed are taken for granted
	missesMost = 6    // pages more, at most, between two probes
	stealShare = 4    // strands for one more split at a time
)

// prey is a strand that may be split, by which side, and where.
type prey struct {
	*strand
	lead int
	guess
}

// steal splits the strand that has most left, if one is worth it: the first page of the
// new strand is the probe. Without keys there, nothing is split, but it is known that
// the strand ends before. The caller holds the lock, which is free during the probe.
// It tells whether there was one.
func (c *crew) steal(ctx context.Context) (s *strand, probed bool) {
	if c.stealing > len(c.live)/stealShare || !c.affordable() {
		return nil, false
	}
	victim := c.victim()
	if victim.strand == nil {
		return nil, false
	}
	probe := victim.probe()
	probe.tell = func(keys []Object, all int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cost[victim.lead].page(len(keys), all)
	}
	c.stealing++
	c.mu.Unlock()
	for probe.ready.err == nil && len(probe.ready.objects) == 0 && !probe.ended {
		probe.ready = probe.page(ctx, c.run)
	}
	c.mu.Lock()
	c.stealing--
	c.probes++
	return c.split(victim, probe), true
}

// split gives the new strand, where the probe found one.
func (c *crew) split(v prey, probe *walk) *strand {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.strand.guess.fresh = false
	v.due = v.trails[v.lead].pages + 1
	switch {
	case probe.ready.err != nil: // the strand's own listing will say what is wrong
		v.due += missesMost
		return nil
	case v.spent || v.reach > v.pivot: // too late
		c.cost[v.lead].kept -= len(probe.ready.objects)
		return nil
	case len(probe.ready.objects) == 0:
		v.bounds[v.lead].set(v.sides[v.lead].prefix + v.pivot)
		c.misses++
		v.missed++
		v.due += min(v.missed, missesMost)
		return nil
	}
	v.missed = 0
	from := mark{key: v.trails[v.lead].last, keys: -int(v.left/2) - 1}
	child := v.fork(v.pivot)
	child.rng = noRange
	if v.rng != noRange {
		child.rng = c.books.split(v.rng, c.job.Prefix+v.pivot)
	}
	child.adopt(v.lead, probe, from)
	return child
}

// adopt goes on with what a probe has begun.
func (s *strand) adopt(lead int, probe *walk, from mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready[lead] = probe
	s.trails[lead].add(probe.ready.objects, len(s.sides[lead].prefix))
	s.trails[lead].done, s.trails[lead].origin = probe.ended, from
	s.due = 2
}

// probe prepares the listing behind the pivot. The strand is left alone until split.
func (v prey) probe() *walk {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.due = math.MaxInt
	side := v.sides[v.lead]
	side.after, side.through = side.prefix+v.pivot, v.bounds[v.lead].get()
	return newWalk(side)
}

// affordable tells whether one more split keeps the cost of all of them within its share
// of what is listed, and of as much again where it is to be expected.
func (c *crew) affordable() bool {
	listed, left := 0.0, 0.0
	for i := range c.cost {
		listed = max(listed, c.cost[i].worth(c.cost[i].kept))
	}
	open := [2]float64{float64(c.stealing), float64(c.stealing)}
	for _, s := range c.live {
		left += s.expects(c, &open)
	}
	credit := min(listed, trusted*left, creditMost) * max(0, 1-3*float64(c.misses)/float64(c.probes+1))
	for i := range c.cost {
		if open[i] > 0 {
			open[i]++ // the new one's
		}
		if c.cost[i].waste()+splitCost*open[i] > c.limits.splitShare*(listed+credit) {
			return false
		}
	}
	return true
}

// expects tells how many pages are probably left, and counts the ends that are open.
func (s *strand) expects(c *crew, open *[2]float64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range open {
		if !s.trails[i].done {
			open[i]++
		}
	}
	lead := s.lead()
	s.estimate(c, lead)
	return s.guess.left / float64(max(1, c.cost[lead].size))
}

// victim finds the strand with most left to list.
func (c *crew) victim() (found prey) {
	for _, s := range c.live {
		if p := s.prey(c); p.pivot != "" && p.left > found.left {
			found = p
		}
	}
	return found
}

// prey tells how the strand may be split now.
func (s *strand) prey(c *crew) prey {
	s.mu.Lock()
	defer s.mu.Unlock()
	lead := s.lead()
	if s.whole || s.spent || !s.hungry || s.trails[lead].pages < s.due {
		return prey{}
	}
	s.estimate(c, lead)
	return prey{s, lead, s.guess}
}

// estimate brings the guess up to date. The caller holds both locks.
func (s *strand) estimate(c *crew, lead int) {
	if s.guess.fresh {
		return
	}
	prefix, size := s.sides[lead].prefix, float64(c.cost[lead].size)
	hi, below := strings.CutPrefix(s.bounds[lead].get(), prefix)
	if !below {
		hi = ""
	}
	far := max(farPages*size, farTimes*float64(c.cost[lead].kept))
	s.guess = c.limits.guess(outlook{
		trail: &s.trails[lead], hi: hi, ahead: aheadPages * size, far: far, least: c.limits.splitLeast * size, empty: s.missed > 0,
	})
	s.guess.fresh = true
}
