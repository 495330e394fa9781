package s3copy

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowDownsCostTimeAndNoObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, dst, job := pair()
		job.Counters = &Counters{}
		for i := range 200 {
			src.put(fmt.Sprintf("k%03d", i), "x")
		}
		var now, calls atomic.Int32
		var full atomic.Bool
		dst.fault = func(op, _ string) error {
			if op != "copy" {
				return nil
			}
			n := now.Add(1)
			defer now.Add(-1)
			time.Sleep(10 * time.Millisecond)
			if now.Load() == 8 {
				full.Store(true)
			}
			if calls.Add(1) > 8 && n > 2 { // more than two at once are too many
				return ErrThrottled
			}
			return nil
		}
		src.fault = failOnce("list", "", ErrThrottled)
		s := run1(t, tiny(), job)
		if s.Tally.Copied.Objects != 200 || s.Tally.Failed.Objects != 0 || job.Counters.Retried.Load() == 0 {
			t.Errorf("got %+v, %d retried", s.Tally, job.Counters.Retried.Load())
		}
		if !full.Load() {
			t.Error("the slots were never all in use")
		}
	})
}

func TestRateIsCutOncePerBurstAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newValve()
		burst := func(n int) {
			for range n {
				v.slow(1000, true)
			}
		}
		burst(5)
		if r := v.rate(time.Now()); r < 680 || r > 700 {
			t.Errorf("%v a second after one burst, want 0.7 of 1,000", r)
		}
		time.Sleep(cutEvery)
		if r := v.rate(time.Now()); r < 980 || r > 995 {
			t.Errorf("%v a second when the burst is over, want what was borne, but a little", r)
		}
		time.Sleep(2 * meterSlot)
		for range 10 {
			v.borneOne()
		}
		burst(1)
		if r := v.rate(time.Now()); r < 980 {
			t.Errorf("%v a second after one refusal alone", r)
		}
		burst(3) // little was borne: at most 0.3 less
		if r := v.rate(time.Now().Add(cutEvery)); r < 670 || r > 770 {
			t.Errorf("%v a second after a second burst", r)
		}
		time.Sleep(cutEvery)
		burst(5)
		time.Sleep(cutEvery)
		burst(5) // nothing was
		if r := v.rate(time.Now().Add(cutEvery)); r < 50 || r > 230 {
			t.Errorf("%v a second where more is refused than borne", r)
		}
		last := 0.0
		for i := range 20 {
			now := time.Now().Add(time.Duration(i) * time.Second)
			if r := v.rate(now); r <= last {
				t.Errorf("%v a second after %d quiet seconds, and %v before", r, i, last)
			} else {
				last = r
			}
		}
		if last < 1e6 {
			t.Errorf("%v a second after 20 quiet seconds: no valve any more", last)
		}
	})
}

func TestWaitingForASlotEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1)
		if err := p.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := p.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestThrottlingThatDoesNotEndIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, dst, job := pair()
		src.put("a", "a")
		dst.fault = func(op, _ string) error {
			if op == "copy" {
				return ErrThrottled
			}
			return nil
		}
		start := time.Now()
		if s := run1(t, small(), job); s.Tally.Failed.Objects != 1 {
			t.Errorf("got %+v", s.Tally)
		}
		if d := time.Since(start); d > 2*time.Minute {
			t.Errorf("it took %v to give up", d)
		}
	})
}

func TestProgressIsCommittedAtLeastEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, dst, job := pair()
		for i := range 40 {
			src.put(fmt.Sprintf("k%02d", i), "x")
		}
		dst.fault = func(op, _ string) error {
			if op == "copy" {
				time.Sleep(300 * time.Millisecond)
			}
			return nil
		}
		j := job.Journal.(*journal)
		begun, last := time.Now(), time.Now()
		j.deny = func(int) error {
			if gap := time.Since(last); gap > commitEvery+1300*time.Millisecond {
				t.Errorf("%v without a commit, %v after the start", gap, time.Since(begun))
			}
			last = time.Now()
			return nil
		}
		run1(t, Limits{InFlight: 1, Pages: 8, CommitKeys: 1000, pageKeys: 4}, job)
		if j.commits < 5 {
			t.Errorf("%d commits in %v", j.commits, time.Since(begun))
		}
	})
}

func TestRunAheadOfTheCursorIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, dst, job := pair()
		for i := range 100 {
			src.put(fmt.Sprintf("k%03d", i), "x")
		}
		stuck := make(chan struct{})
		dst.fault = func(op, key string) error {
			if op == "copy" && key == "k000" {
				<-stuck
			}
			return nil
		}
		done := make(chan error)
		go func() {
			e, _ := New(Limits{InFlight: 4, Pages: 3, pageKeys: 4, CommitKeys: 1})
			_, err := e.Run(t.Context(), job)
			done <- err
		}()
		synctest.Wait()
		if n := len(dst.copies); n != 3*4-1 {
			t.Errorf("%d objects were copied behind the one that hangs, want 11", n)
		}
		close(stuck)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if len(dst.copies) != 100 {
			t.Errorf("%d copies", len(dst.copies))
		}
	})
}

func TestThrottledPartsDoNotDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, dst, job := pair()
		for i := range 20 {
			src.putParts(fmt.Sprintf("p%02d", i), long(50), long(50), long(50), long(50), long(50), long(7))
		}
		var calls atomic.Int32
		dst.fault = func(op, _ string) error {
			time.Sleep(time.Millisecond)
			if op == "part" && calls.Add(1)%3 == 0 {
				return ErrThrottled
			}
			return nil
		}
		if s := run1(t, small(), job); s.Tally.Copied.Objects != 20 {
			t.Errorf("got %+v", s)
		}
		wantEqual(t, src, dst, job)
	})
}
