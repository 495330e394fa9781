package s3copy

import "slices"

// A ledger holds a job's ranges, which cover the key space without overlap. Indexes
// stay what they are. Not safe for concurrent use.
type ledger struct {
	ranges []Range
	gone   []bool         // is part of another range now
	from   map[string]int // the range that is open behind a bound
	lastID uint64
}

func newLedger(ranges []Range) *ledger {
	l := &ledger{ranges: slices.Clone(ranges), gone: make([]bool, len(ranges)), from: make(map[string]int, len(ranges))}
	for i, g := range ranges {
		l.lastID = max(l.lastID, g.ID)
		l.enter(i)
	}
	return l
}

// enter lets a range be found by its lower bound. One without a key in it is not found.
func (l *ledger) enter(i int) {
	if b := l.ranges[i].Bounds; b.Through == "" || b.Through > b.After {
		l.from[b.After] = i
	}
}

// split ends a range at the pivot, and gives the index of the new one behind it.
func (l *ledger) split(i int, pivot string) int {
	l.lastID++
	g := &l.ranges[i]
	l.ranges = append(l.ranges, Range{ID: l.lastID, Bounds: KeyRange{After: pivot, Through: g.Bounds.Through}})
	l.gone = append(l.gone, false)
	l.ranges[i].Bounds.Through = pivot
	l.enter(len(l.ranges) - 1)
	return len(l.ranges) - 1
}

// absorb makes an ended range part of its right neighbour, so that there are never
// more ranges than are open, and one. ok is false where it has none.
func (l *ledger) absorb(i int) (j int, ok bool) {
	left := l.ranges[i]
	if !left.Ended || l.gone[i] || left.Bounds.Through == "" || left.Bounds.Through <= left.Bounds.After {
		return 0, false
	}
	if j, ok = l.from[left.Bounds.Through]; !ok {
		return 0, false
	}
	right := &l.ranges[j]
	right.Done = max(right.Done, right.Bounds.After)
	delete(l.from, right.Bounds.After)
	right.Bounds.After = left.Bounds.After
	l.enter(j)
	l.gone[i] = true
	return j, true
}
