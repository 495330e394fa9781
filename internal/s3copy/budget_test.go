package s3copy

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sideBySide starts a job of n copies of a second each, on an engine that others use as well, and tells when it ended.
func sideBySide(t *testing.T, e *Engine, n int, flying, most *atomic.Int64) (ended func() time.Duration) {
	t.Helper()
	src, dst, job := pair()
	for i := range n {
		src.put(fmt.Sprintf("%05d", i), "body")
	}
	dst.fault = func(op, _ string) error {
		if op != "copy" {
			return nil
		}
		now := flying.Add(1)
		for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
		}
		time.Sleep(time.Second)
		flying.Add(-1)
		return nil
	}
	begun, took := time.Now(), time.Duration(0)
	var group sync.WaitGroup
	group.Go(func() {
		s, err := e.Run(t.Context(), job)
		if err != nil || s.Tally.Copied.Objects != int64(n) {
			t.Errorf("%d of %d copied: %v", s.Tally.Copied.Objects, n, err)
		}
		took = time.Since(begun)
	})
	return func() time.Duration {
		group.Wait()
		return took
	}
}

func TestJobsSideBySideShareWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(small()) // eight in flight
		if err != nil {
			t.Fatal(err)
		}
		var flying, most atomic.Int64
		large := make([]func() time.Duration, 5)
		for i := range large {
			large[i] = sideBySide(t, e, 200, &flying, &most)
		}
		little := sideBySide(t, e, 4, &flying, &most)()
		longest := time.Duration(0)
		for _, ended := range large {
			longest = max(longest, ended())
		}
		if n := most.Load(); n != 8 {
			t.Errorf("%d were in flight at once, and 8 may be", n)
		}
		if little > longest/5 {
			t.Errorf("the little one took %s, the large ones %s", little, longest)
		}
	})
}
