package sandbox

import (
	"slices"
	"sync/atomic"
	"time"
)

// A timed value keeps its earlier values, since what decisions see lags behind
// what was written. Reads take no lock; writers must exclude each other.
// The zero timed holds the zero T.
type timed[T any] struct {
	history atomic.Pointer[[]stamped[T]]
}

type stamped[T any] struct {
	since time.Time
	value T
}

// keptVersions bounds the history. The oldest value stays, as what was in force
// before all the changes that are still on their way.
const keptVersions = 32

// set makes v the value from now on.
func (t *timed[T]) set(v T, now time.Time) {
	var next []stamped[T]
	if old := t.history.Load(); old != nil {
		next = append(next, *old...)
	}
	if len(next) >= keptVersions {
		next = slices.Delete(next, 1, len(next)-keptVersions+2)
	}
	next = append(next, stamped[T]{since: now, value: v})
	t.history.Store(&next)
}

// latest is the value that was written last: what configuration reads show.
func (t *timed[T]) latest() T {
	var zero T
	h := t.history.Load()
	if h == nil {
		return zero
	}
	return (*h)[len(*h)-1].value
}

// visible is the value that decisions see at now when changes take lag to reach
// them; the zero T before the first change has arrived.
func (t *timed[T]) visible(now time.Time, lag time.Duration) T {
	var zero T
	h := t.history.Load()
	if h == nil {
		return zero
	}
	if lag <= 0 {
		return (*h)[len(*h)-1].value
	}
	for _, v := range slices.Backward(*h) {
		if !now.Before(v.since.Add(lag)) {
			return v.value
		}
	}
	return zero
}
