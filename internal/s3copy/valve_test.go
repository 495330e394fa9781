package s3copy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bearing is a space that bears so many copies a second below one prefix, and tells the
// rest to slow down.
type bearing struct {
	*space
	prefix string
	rate   float64
	burst  float64
	lists  bool // holds for listings too

	mu       sync.Mutex
	tokens   float64
	at       time.Time
	refused  int
	finished time.Time // the latest copy outside of the prefix
}

// take takes a token, if there is one.
func (b *bearing) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.at.IsZero() {
		b.tokens = b.burst
	} else {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	if b.tokens < 1 {
		b.refused++
		return false
	}
	b.tokens--
	return true
}

func (b *bearing) CopyObject(ctx context.Context, r CopyRequest) (Copied, error) {
	if strings.HasPrefix(r.Key, b.prefix) {
		if !b.take() {
			time.Sleep(10 * time.Millisecond)
			return Copied{}, ErrThrottled
		}
		return b.space.CopyObject(ctx, r)
	}
	c, err := b.space.CopyObject(ctx, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finished = time.Now()
	return c, err
}

func (b *bearing) ListPage(ctx context.Context, r PageRequest, buf []Object) (Page, error) {
	if b.lists && !b.take() {
		return Page{}, ErrThrottled
	}
	return b.space.ListPage(ctx, r, buf)
}

func counted(prefix string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s%08d", prefix, i)
	}
	return keys
}

func TestThrottledPrefixKeepsItsRate(t *testing.T) {
	for _, c := range []struct {
		rate, burst float64
		keys        int
		inFlight    int
	}{
		{300, 3, 12_000, 256},
		{300, 30, 12_000, 256},
		{300, 300, 12_000, 256},
		{3500, 100, 100_000, 256},
		{3500, 3500, 100_000, 1000},
		{100, 10, 6000, 64},
	} {
		t.Run(fmt.Sprintf("%v a second, %v at once", c.rate, c.burst), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src := newSpace(counted("hot/", c.keys))
				dst := &bearing{space: newSpace(nil), prefix: "hot/", rate: c.rate, burst: c.burst}
				src.list, dst.copy = 80*time.Millisecond, 30*time.Millisecond
				_, _, job := pair()
				job.Source, job.Destination, job.Counters = src, dst, &Counters{}
				begun := time.Now()
				s := run1(t, Limits{InFlight: c.inFlight}, job)
				took := time.Since(begun)
				best := time.Duration((float64(c.keys) - c.burst) / c.rate * float64(time.Second))
				share, refused := best.Seconds()/took.Seconds(), float64(dst.refused)/float64(c.keys)
				t.Logf("%v, at best %v: %.3f of the rate, %.4f refusals an object", took, best, share, refused)
				if int(s.Tally.Copied.Objects) != c.keys || s.Tally.Failed.Objects != 0 {
					t.Errorf("got %+v", s.Tally)
				}
				if share < 0.95 || refused > 0.05 {
					t.Errorf("%.3f of the rate, %.4f refusals an object", share, refused)
				}
			})
		})
	}
}

// A server that is not full refuses a request now and then all the same.
func TestFewRefusalsAtRandomSlowNothingDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, dst := newSpace(counted("k", 50_000)), newSpace(nil)
		src.list, dst.copy = 80*time.Millisecond, 30*time.Millisecond
		dice := rand.New(rand.NewPCG(7, 7))
		var mu sync.Mutex
		dst.fault = func(op, _ string) error {
			mu.Lock()
			defer mu.Unlock()
			if dice.IntN(100) == 0 {
				return ErrThrottled
			}
			return nil
		}
		_, _, job := pair()
		job.Source, job.Destination = src, moody{dst}
		begun := time.Now()
		s := run1(t, Limits{InFlight: 256}, job)
		took, best := time.Since(begun), 50_000*30*time.Millisecond/256
		t.Logf("%v, at best %v", took, best)
		if s.Tally.Copied.Objects != 50_000 || took > best*3/2 {
			t.Errorf("%+v in %v, at best %v", s.Tally.Copied, took, best)
		}
	})
}

// moody is a space that asks its fault before every copy.
type moody struct{ *space }

func (r moody) CopyObject(ctx context.Context, c CopyRequest) (Copied, error) {
	if err := r.fault("copy", c.Key); err != nil {
		time.Sleep(10 * time.Millisecond)
		return Copied{}, err
	}
	return r.space.CopyObject(ctx, c)
}

func TestThrottledPrefixHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := append(counted("a/", 20_000), counted("hot/", 3000)...)
		keys = append(keys, counted("z/", 20_000)...)
		src := newSpace(keys)
		dst := &bearing{space: newSpace(nil), prefix: "hot/", rate: 100, burst: 10}
		src.list, dst.copy = 80*time.Millisecond, 30*time.Millisecond
		_, _, job := pair()
		job.Source, job.Destination = src, dst
		begun := time.Now()
		s := run1(t, Limits{InFlight: 100}, job)
		took, others := time.Since(begun), dst.finished.Sub(begun)
		if int(s.Tally.Copied.Objects) != len(keys) {
			t.Errorf("got %+v", s.Tally)
		}
		t.Logf("all took %v, all but the slow prefix %v", took, others)
		if took > 38*time.Second || others > 18*time.Second {
			t.Errorf("all took %v, all but the slow prefix %v", took, others)
		}
	})
}

func TestThrottledListingIsSlowedAndComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &bearing{space: newSpace(counted("k", 200_000)), rate: 20, burst: 5, lists: true}
		src.list = 80 * time.Millisecond
		_, _, job := pair()
		job.Mode, job.Journal, job.Source, job.Destination = Scan, nil, src, nil
		begun := time.Now()
		s := run1(t, Limits{}, job)
		took, pages := time.Since(begun), float64(src.listed.Load())
		t.Logf("%v, %v pages, %d refused", took, pages, src.refused)
		if s.Tally.Listed.Objects != 200_000 || float64(src.refused) > 0.15*pages || took > 14*time.Second {
			t.Errorf("%+v listed, %v pages, %d refused, in %v", s.Tally.Listed, pages, src.refused, took)
		}
	})
}
