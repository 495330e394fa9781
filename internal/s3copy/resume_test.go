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

var errCrash = errors.New("the machine is gone")

// crash runs the job until its journal's n-th write and no further: from then on
// neither the journal nor the destination takes anything, as after a kill -9.
// It tells whether the run came to its end before.
func crash(t *testing.T, l Limits, job Job, n int, buckets ...*bucket) bool {
	t.Helper()
	var dead atomic.Bool
	j := job.Journal.(*journal)
	j.writes = 0
	j.deny = func(write int) error {
		if write > n {
			dead.Store(true)
		}
		if dead.Load() {
			return errCrash
		}
		return nil
	}
	for _, b := range buckets {
		b.fault = func(op, _ string) error {
			if op == "list" {
				time.Sleep(time.Millisecond) // so that listings meet on one processor as well, and ranges are split
			}
			if dead.Load() {
				return errCrash
			}
			return nil
		}
	}
	e, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { _, err = e.Run(t.Context(), job) })
	j.deny = nil
	for _, b := range buckets {
		b.fault = nil
	}
	return err == nil
}

func TestCrashAtEveryWriteRepeatsNothingSettled(t *testing.T) {
	l := tiny()
	l.pageKeys = 2
	for _, kms := range []bool{false, true} {
		for n := range 200 {
			src, dst, job := pair()
			dst.kms = kms
			for i := range 60 {
				src.put(fmt.Sprintf("k%02d", i), fmt.Sprint("body", i))
			}
			src.putParts("k10p", long(50), long(50))
			src.put("k20large", long(300))
			src.putParts("k30p", long(60), long(70), long(80))
			whole := crash(t, l, job, n, src, dst)
			if n < 15 && whole {
				t.Fatalf("no more than %d writes: this test shows nothing", n)
			}
			j := job.Journal.(*journal)
			copies := make(map[string]int)
			for key := range dst.copies {
				copies[key] = dst.copies[key]
			}
			s := run1(t, l, job)
			if s.Tally.Listed.Objects != 63 || s.Tally.Failed.Objects != 0 || s.Tally != j.p.Tally {
				t.Fatalf("crash at write %d: %+v", n, s.Tally)
			}
			wantEqual(t, src, dst, job)
			for key, before := range copies {
				if dst.copies[key] > before {
					t.Errorf("crash at write %d: %q stood, and was copied again", n, key)
				}
			}
			if len(dst.uploads) != 0 || len(j.p.Uploads) != 0 {
				t.Errorf("crash at write %d: uploads are left: %v, %v", n, dst.uploads, j.p.Uploads)
			}
			if whole {
				break
			}
		}
	}
}

func TestResumeListsOnlyWhatIsLeft(t *testing.T) {
	src, dst, job := pair()
	for i := range 4000 {
		src.put(fmt.Sprintf("k%04d", i), "x")
	}
	crash(t, small(), job, 1, src, dst)
	j := job.Journal.(*journal)
	done := j.p.Ranges[0].Done
	if done < "k0999" || done > "k2999" {
		t.Fatalf("crashed at %q", done)
	}
	left := int(4000-j.p.Tally.Listed.Objects+999) / 1000
	src.calls, dst.calls = map[string]int{}, map[string]int{}
	s := run1(t, small(), job)
	if s.Tally.Listed.Objects != 4000 || src.calls["list"] != left {
		t.Errorf("%d pages listed behind %q, want %d; %+v", src.calls["list"], done, left, s.Tally)
	}
}

func TestResumeBehindAKeyThatIsNoLegalStart(t *testing.T) {
	src, dst, job := pair()
	job.Prefix, job.ToPrefix = "p/", "q/"
	keys := []string{"p/", "p/a", "p/b\x01", "p/b\x01\x01", "p/b\x02", "p/c"}
	for i, k := range keys {
		src.put(k, "x")
		if i < 3 {
			dst.put("q/"+k[2:], "x")
		}
	}
	j := job.Journal.(*journal)
	j.p.Ranges = []Range{{ID: 7, Done: keys[2]}}
	s := run1(t, small(), job)
	if s.Tally.Listed.Objects != 3 || s.Tally.Copied.Objects != 3 || j.p.Ranges[0] != (Range{ID: 7, Done: "p/c", Ended: true}) {
		t.Errorf("got %+v, %+v", s.Tally, j.p.Ranges)
	}
	wantEqual(t, src, dst, job)
}

func TestRangesAreDoneOneByOneWithinTheirBounds(t *testing.T) {
	src, dst, job := pair()
	job.Prefix, job.ToPrefix = "p/", "q/"
	for _, k := range []string{"p/a", "p/b", "p/c", "p/d", "p/e"} {
		src.put(k, k)
	}
	dst.put("q/bb", "extra")
	dst.put("q/zz", "extra")
	job.Journal.(*journal).p.Ranges = []Range{
		{ID: 1, Bounds: KeyRange{"", "a"}},
		{ID: 2, Bounds: KeyRange{"a", "p/b"}, Done: "p/a"},
		{ID: 3, Bounds: KeyRange{"p/b", "p/d"}},
		{ID: 4, Bounds: KeyRange{"p/d", "r"}},
		{ID: 5, Bounds: KeyRange{"r", ""}},
		{ID: 6, Bounds: KeyRange{"x", "y"}, Ended: true},
	}
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 4 || s.Tally.Extra.Objects != 2 || dst.objects["q/a"] != nil {
		t.Errorf("got %+v", s.Tally)
	}
	for _, g := range job.Journal.(*journal).p.Ranges {
		if !g.Ended {
			t.Errorf("range %+v has not ended", g)
		}
	}
}

func TestUploadWithoutIDIsFoundAgain(t *testing.T) {
	src, dst, job := pair()
	src.putParts("p", long(50), long(50))
	j := job.Journal.(*journal)
	n := 0
	j.deny = func(int) error { // the intent is recorded, the upload made, its ID lost
		if n++; n > 1 {
			return errCrash
		}
		return nil
	}
	e, _ := New(small())
	if _, err := e.Run(t.Context(), job); !errors.Is(err, errCrash) {
		t.Fatalf("got %v", err)
	}
	if len(dst.uploads) != 1 || j.p.Uploads[0].ID != "" {
		t.Fatalf("uploads %v, recorded %v", dst.uploads, j.p.Uploads)
	}
	j.deny = nil
	run1(t, small(), job)
	if len(dst.uploads) != 0 || len(j.p.Uploads) != 0 || dst.copies["p"] != 1 {
		t.Errorf("uploads %v, recorded %v", dst.uploads, j.p.Uploads)
	}
}

func TestCancelFinishesWhatIsInFlightAndCommitsIt(t *testing.T) {
	src, dst, job := pair()
	for i := range 3000 {
		src.put(fmt.Sprintf("k%04d", i), "x")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int32
	dst.hook = func(op, _ string) {
		if op == "copy" && n.Add(1) == 1500 {
			cancel()
		}
	}
	e, _ := New(small())
	s, err := e.Run(ctx, job)
	j := job.Journal.(*journal)
	if !errors.Is(err, context.Canceled) || !s.Partial || s.Tally != j.p.Tally || s.Tally.Failed.Objects != 0 {
		t.Errorf("got %v, %+v", err, s)
	}
	if got := n.Load(); got > 1500+8 {
		t.Errorf("%d copies: more than what was in flight", got)
	}
	dst.hook = nil
	s = run1(t, small(), job)
	if s.Tally.Listed.Objects != 3000 || len(dst.copies) != 3000 {
		t.Errorf("got %+v", s.Tally)
	}
	for key, n := range dst.copies {
		if n != 1 {
			t.Errorf("%q was copied %d times", key, n)
		}
	}
}

func TestCancelLeavesALargeObjectBetweenItsParts(t *testing.T) {
	src, dst, job := pair()
	src.putParts("p", long(50), long(50), long(50), long(50))
	ctx, cancel := context.WithCancel(t.Context())
	dst.hook = func(op, _ string) {
		if op == "part" {
			cancel()
		}
	}
	l := small()
	l.PartsInFlight = 1
	e, _ := New(l)
	if _, err := e.Run(ctx, job); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := dst.calls["part"]; n != 1 {
		t.Errorf("%d parts, want the one in flight", n)
	}
	dst.hook = nil
	run1(t, l, job)
	if n := dst.calls["part"]; n != 4 {
		t.Errorf("%d parts in all, want each once", n)
	}
	wantEqual(t, src, dst, job)
}

func TestKillBreaksOffWhatIsInFlight(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "a")
	kill, started := make(chan struct{}), make(chan struct{})
	job.Kill = kill
	job.Destination = &hanging{bucket: dst, started: started}
	done := make(chan error)
	go func() {
		e, _ := New(small())
		_, err := e.Run(t.Context(), job)
		done <- err
	}()
	<-started
	close(kill)
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if j := job.Journal.(*journal); j.p.Tally.Listed.Objects != 0 {
		t.Errorf("what was broken off is settled: %+v", j.p.Tally)
	}
}

func TestFailureIsCommittedWithTheCursorThatPassesIt(t *testing.T) {
	src, dst, job := pair()
	for i := range 20 {
		src.put(fmt.Sprintf("k%02d", i), "x")
	}
	deny := func(op, key string) error {
		if op == "copy" && key == "k05" {
			return errTorn
		}
		return nil
	}
	dst.fault = deny
	j := job.Journal.(*journal)
	j.deny = func(write int) error {
		if len(j.p.Ranges) > 0 && j.p.Ranges[0].Done >= "k05" && len(j.p.Failures) != 1 {
			t.Errorf("write %d: the cursor is at %q, the failures are %v", write, j.p.Ranges[0].Done, j.p.Failures)
		}
		return nil
	}
	run1(t, tiny(), job)
}

func TestSecondPassFindsWhatAppearedBehindTheCursor(t *testing.T) {
	src, dst, job := pair()
	job.SecondPass = true
	for i := range 10 {
		src.put(fmt.Sprintf("k%02d", i), "x")
	}
	src.put("skip.tmp", "x")
	job.Rules.Match = func(k string) bool { return k != "skip.tmp" }
	var once atomic.Bool
	dst.hook = func(op, key string) {
		if op == "copy" && key == "k09" && once.CompareAndSwap(false, true) {
			src.mu.Lock()
			defer src.mu.Unlock()
			src.put("a-new", "new")
			src.put("k00", "changed, and longer")
		}
	}
	s := run1(t, Limits{InFlight: 1}, job)
	if s.Tally.Listed.Objects != 12 || s.Tally.Copied.Objects != 11 || s.Tally.Filtered.Objects != 1 {
		t.Errorf("got %+v", s.Tally)
	}
	if want := Bytes(9 + 19 + 3 + 1); s.Tally.Listed.Bytes != want {
		t.Errorf("%d bytes, want %d", s.Tally.Listed.Bytes, want)
	}
	delete(src.objects, "skip.tmp")
	wantEqual(t, src, dst, job)
}

func TestSecondPassOverWhatWasTheSameCountsNoNegativeBytes(t *testing.T) {
	src, dst, job := pair()
	job.SecondPass = true
	src.put("a", "longer than it was")
	dst.put("a", "longer than it was")
	src.put("b", "x")
	var once atomic.Bool
	dst.hook = func(op, _ string) {
		if op == "copy" && once.CompareAndSwap(false, true) {
			src.mu.Lock()
			defer src.mu.Unlock()
			src.put("a", "short")
		}
	}
	s := run1(t, Limits{InFlight: 1}, job)
	if s.Tally.Copied.Bytes != 1 || s.Tally.Same.Bytes != 5 || s.Tally.Listed.Bytes != 6 {
		t.Errorf("got %+v", s.Tally)
	}
}

func TestSecondPassMovesWhatFailsOutOfTheCopied(t *testing.T) {
	src, dst, job := pair()
	job.SecondPass = true
	src.put("a", "x")
	src.put("b", "x")
	var copied atomic.Int32
	dst.hook = func(op, key string) {
		if op == "copy" && copied.Add(1) == 2 {
			src.mu.Lock()
			defer src.mu.Unlock()
			src.put("a", "longer")
		}
	}
	dst.fault = func(op, _ string) error {
		if op == "copy" && copied.Load() >= 2 {
			return errTorn
		}
		return nil
	}
	s := run1(t, Limits{InFlight: 1}, job)
	if s.Tally.Copied.Objects != 1 || s.Tally.Failed.Objects != 1 || s.Tally.Failed.Bytes != 6 || len(s.Failures) != 1 {
		t.Errorf("got %+v", s)
	}
	dst.fault = nil
	if s = run1(t, small(), job); s.Tally.Copied.Objects != 2 || s.Tally.Listed.Bytes != 7 || s.Tally != job.Journal.(*journal).p.Tally {
		t.Errorf("got %+v", s)
	}
}
