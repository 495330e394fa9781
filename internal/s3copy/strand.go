package s3copy

import (
	"strings"
	"sync"
)

// The two sides of a range.
const (
	atSource = iota
	atDestination
)

// A strand is a range that is being listed: what its merge, its two readers and the one
// who would split it share. Keys and bounds are without the prefix of their bucket.
//
// The merge says how far it may come before it asks again (reach); a split takes only
// what lies behind that. Held by TestEveryKeyIsSettledExactlyOnceWhateverTheSplits.
type strand struct {
	rng   int // index of the range; noRange for a second pass
	sides [2]side
	ready [2]*walk // begun by the probe; nil: begins at the side's after

	bounds [2]bound
	trails [2]trail

	mu      sync.Mutex
	whole   bool   // cannot be split
	through string // "" means none
	reach   string // no key behind it is merged yet
	spent   bool   // all of it may be merged by now
	hungry  bool   // the merge waits for the listing, rather than the listing for the merge
	due     int    // pages of the leading side before the next probe
	missed  int    // probes in a row that found nothing

	guess guess
}

// bound is where a side of a range ends, as a whole key: it moves when the range is split.
type bound struct {
	mu  sync.Mutex
	key string // "" means nowhere
}

func (b *bound) get() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.key
}

func (b *bound) set(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.key = key
}

// strand prepares a range's listing.
func (r *run) strand(rng int) *strand {
	src, dst := r.sides(rng)
	s := &strand{rng: rng, sides: [2]side{src, dst}}
	switch through, below := strings.CutPrefix(src.through, src.prefix); {
	case src.through == "" || !below: // it ends where the prefix does
	case through == "":
		s.whole = true // it has one key at most
	default:
		s.through = through
	}
	for _, side := range s.sides {
		s.whole = s.whole || !plainXML(side.prefix) // no pivot below it is a legal start
	}
	s.begin()
	return s
}

// begin sets the sides' bounds and trails.
func (s *strand) begin() {
	for i := range s.sides {
		s.bounds[i].set(s.sides[i].through)
		s.trails[i].done = s.sides[i].lister == nil
	}
	s.due = 1
}

// walk gives a side's listing.
func (s *strand) walk(i int) *walk {
	w := s.ready[i]
	if w == nil {
		w = newWalk(s.sides[i])
	}
	w.bound = &s.bounds[i]
	return w
}

// listed notes a page of a side.
func (s *strand) listed(i int, w *walk, keys []Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trails[i].add(keys, len(s.sides[i].prefix))
	s.trails[i].done = w.ended
	s.guess.fresh = false
}

// meet has the merge and those who split agree: it cuts the cursors' pages to what is
// left of the strand, and moves the reach to the end of what both can give. It returns
// how many listed keys of each side were cut away.
func (s *strand) meet(left, right *cursor) (cut [2]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, m := len(s.sides[atSource].prefix), len(s.sides[atDestination].prefix)
	if s.through != "" {
		cut[atSource] = left.cut(n, s.through)
		cut[atDestination] = right.cut(m, s.through)
	}
	a, more := left.reach(n)
	b, moreThere := right.reach(m)
	switch {
	case more && moreThere:
		s.reach = min(a, b)
	case more:
		s.reach = a
	case moreThere:
		s.reach = b
	default:
		s.spent = true
	}
	s.hungry = left.fresh && left.late || right.fresh && right.late
	left.fresh, right.fresh = false, false
	return cut
}

// lead is the side that a split goes by: the one with more keys, while it has any.
// The caller holds the lock.
func (s *strand) lead() int {
	src, dst := &s.trails[atSource], &s.trails[atDestination]
	if src.done || !dst.done && dst.keys > 2*src.keys {
		return atDestination
	}
	return atSource
}

// fork cuts the strand behind a pivot, for good. The new strand has the keys behind it.
// The caller holds the lock.
func (s *strand) fork(pivot string) *strand {
	child := &strand{sides: s.sides, through: s.through}
	for i := range s.sides {
		side := &child.sides[i]
		side.after, side.through = side.prefix+pivot, s.bounds[i].get()
		if t := &s.trails[i]; t.done && t.last <= pivot {
			side.lister = nil
		}
		if side.through == "" || side.through > side.prefix+pivot {
			s.bounds[i].set(side.prefix + pivot)
		} else {
			side.lister = nil // known to hold nothing behind its bound
		}
	}
	child.begin()
	s.through = pivot
	return child
}
