package s3copy

import (
	"context"
	"strings"
)

const (
	splitShare = 0.09 // of the pages may be spent for splits
	splitCost  = 0.55 // pages that an open end costs, about: its last page is part-filled
	leastPages = 4    // that must be left of a strand to be worth a split
	aheadPages = 2    // that are listed while a probe is under way
	farPages   = 16   // that are taken for granted, at least
	farTimes   = 4    // as many pages as are listed are taken for granted
	missesMost = 6    // doublings of the pages between two probes
)

// steal splits the strand that has most left, if one is worth it: the first page of the
// new strand is the probe. Without keys there, nothing is split, but it is known that
// the strand ends before. The caller holds the lock, which is free during the probe.
// It tells whether there was one.
func (c *crew) steal(ctx context.Context) (s *strand, probed bool) {
	if c.stealing || !c.affordable() {
		return nil, false
	}
	victim, lead, pivot := c.victim()
	if victim == nil {
		return nil, false
	}
	probe := victim.probe(lead, pivot)
	probe.tell = func(keys []Object, all int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cost[lead].page(len(keys), all)
	}
	c.stealing = true
	c.mu.Unlock()
	var err error
	for err == nil && len(probe.ready) == 0 && !probe.ended {
		probe.ready, err = probe.page(ctx, c.run)
	}
	c.mu.Lock()
	c.stealing = false
	if err != nil { // the strand's own listing will say what is wrong
		victim.miss()
		return nil, true
	}
	return c.split(victim, lead, pivot, probe), true
}

// split gives the new strand, where the probe found one.
func (c *crew) split(victim *strand, lead int, pivot string, probe *walk) *strand {
	victim.mu.Lock()
	defer victim.mu.Unlock()
	s := victim
	s.guess.fresh = false
	s.due = s.trails[lead].pages + 1
	switch {
	case s.spent || s.reach > pivot: // too late
		c.cost[lead].kept -= len(probe.ready)
		return nil
	case len(probe.ready) == 0:
		s.bounds[lead].set(s.sides[lead].prefix + pivot)
		s.missed++
		s.due += 1<<min(s.missed, missesMost) - 1
		return nil
	}
	s.missed = 0
	child := s.fork(pivot)
	child.rng = noRange
	if s.rng != noRange {
		child.rng = c.books.split(s.rng, c.job.Prefix+pivot)
	}
	child.adopt(lead, probe)
	return child
}

// adopt goes on with what a probe has begun.
func (s *strand) adopt(lead int, probe *walk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready[lead] = probe
	s.trails[lead].add(probe.ready, len(s.sides[lead].prefix))
	s.trails[lead].done = probe.ended
	s.due = 2
}

// probe prepares the listing behind a pivot.
func (s *strand) probe(lead int, pivot string) *walk {
	side := s.sides[lead]
	side.after, side.through = side.prefix+pivot, s.bounds[lead].get()
	return newWalk(side)
}

// miss has the strand left alone for a while.
func (s *strand) miss() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed++
	s.due = s.trails[s.lead()].pages + 1<<min(s.missed, missesMost)
}

// affordable tells whether one more split keeps the cost of all of them within its share.
func (c *crew) affordable() bool {
	listed := 0.0
	for i := range c.cost {
		listed = max(listed, c.cost[i].worth(c.cost[i].kept))
	}
	for i := range c.cost {
		open := 0.0
		for _, s := range c.live {
			if s.open(i) {
				open++
			}
		}
		if open > 0 {
			open++ // the new one's
		}
		if c.cost[i].waste()+splitCost*open > c.limits.splitShare*listed {
			return false
		}
	}
	return true
}

// open tells whether a side's end is not listed yet.
func (s *strand) open(side int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.trails[side].done
}

// victim finds the strand with most left to list, and where to split it.
func (c *crew) victim() (found *strand, lead int, pivot string) {
	most := 0.0
	for _, s := range c.live {
		if i, g := s.prey(c); g.pivot != "" && g.left > most {
			found, lead, pivot, most = s, i, g.pivot, g.left
		}
	}
	return found, lead, pivot
}

// prey tells by which side the strand may be split now, and where.
func (s *strand) prey(c *crew) (int, guess) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lead := s.lead()
	if s.whole || s.spent || !s.hungry || s.trails[lead].pages < s.due {
		return lead, guess{}
	}
	if !s.guess.fresh {
		prefix, size := s.sides[lead].prefix, float64(c.cost[lead].size)
		hi, below := strings.CutPrefix(s.bounds[lead].get(), prefix)
		if !below {
			hi = ""
		}
		far := max(farPages*size, farTimes*float64(c.cost[lead].kept))
		s.guess = outlook{
			trail: &s.trails[lead], hi: hi, ahead: aheadPages * size, far: far, least: c.limits.splitLeast * size,
		}.guess()
	}
	return lead, s.guess
}
