package s3copy

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
)

// moved gives a finished copy of n objects.
func moved(t *testing.T, n int) (src, dst *bucket, job Job) {
	t.Helper()
	src, dst, job = pair()
	for i := range n {
		src.put(fmt.Sprintf("k%04d", i), fmt.Sprint(i))
	}
	src.put("z\x01", "not for XML")
	run1(t, small(), job)
	src.calls = map[string]int{}
	return src, dst, job
}

func deleteSource(t *testing.T, job Job, del Deleter) (Tally, error) {
	t.Helper()
	e, err := New(small())
	if err != nil {
		t.Fatal(err)
	}
	return e.DeleteSource(t.Context(), job, del)
}

func TestProvenSourceIsDeleted(t *testing.T) {
	src, dst, job := moved(t, 2500)
	dst.put("extra", "stays")
	tally, err := deleteSource(t, job, src)
	if err != nil || tally.Deleted.Objects != 2501 || tally.Listed != tally.Deleted || len(src.objects) != 0 {
		t.Errorf("got %+v, %v, %d left", tally, err, len(src.objects))
	}
	// Three blocks, one key alone, and whether conditions are heeded, together and alone.
	if src.calls["delete"] != 6 || len(dst.objects) != 2502 {
		t.Errorf("%d requests, %d objects at the destination", src.calls["delete"], len(dst.objects))
	}
}

func TestNothingIsDeletedUnlessEverythingIsProven(t *testing.T) {
	for name, spoil := range map[string]func(src, dst *bucket, job *Job){
		"missing":      func(_, dst *bucket, _ *Job) { delete(dst.objects, "k1500") },
		"different":    func(_, dst *bucket, _ *Job) { dst.put("k1500", "15OO") },
		"new":          func(src, _ *bucket, _ *Job) { src.put("a", "a") },
		"filtered":     func(_, _ *bucket, job *Job) { job.Rules.Match = func(k string) bool { return k != "k1500" } },
		"size only":    func(_, dst *bucket, _ *Job) { dst.kms, dst.bare = true, true; dst.put("k1500", "1500") },
		"by size rule": func(_, dst *bucket, job *Job) { job.Rules.Level = "size"; dst.put("k1500", "15OO") },
		"never replaced": func(_, dst *bucket, job *Job) {
			job.Rules.NeverReplace = true
			dst.put("k1500", "other")
		},
	} {
		t.Run(name, func(t *testing.T) {
			src, dst, job := moved(t, 2000)
			spoil(src, dst, &job)
			before := len(src.objects)
			tally, err := deleteSource(t, job, src)
			var unproven *UnprovenError
			if !errors.As(err, &unproven) || unproven.Objects != 1 || tally.Deleted.Objects != 0 {
				t.Errorf("got %+v, %v", tally, err)
			}
			if len(src.objects) != before || src.calls["delete"] != 0 {
				t.Errorf("%d objects are left of %d", len(src.objects), before)
			}
		})
	}
}

func TestSizeOnlyCanBeProvenByBytes(t *testing.T) {
	src, dst, job := moved(t, 5)
	dst.kms, dst.bare = true, true
	dst.put("k0003", "3")
	job.Rules.Otherwise = "bytes"
	if tally, err := deleteSource(t, job, src); err != nil || tally.Deleted.Objects != 6 {
		t.Errorf("got %+v, %v", tally, err)
	}
}

func TestWhatChangesAfterTheProofIsNotDeleted(t *testing.T) {
	for name, change := range map[string]func(src, dst *bucket){
		"overwritten": func(src, _ *bucket) { src.put("k1500", "1500") }, // the same bytes, but not the same write
		"added":       func(src, _ *bucket) { src.put("k1500a", "1500") },
		"lost there":  func(_, dst *bucket) { delete(dst.objects, "k1500") },
	} {
		t.Run(name, func(t *testing.T) {
			src, dst, job := moved(t, 2000)
			var once atomic.Bool
			src.fault = func(op, _ string) error {
				if op == "delete" && once.CompareAndSwap(false, true) { // the first block of the second pass
					src.mu.Lock()
					defer src.mu.Unlock()
					dst.mu.Lock()
					defer dst.mu.Unlock()
					change(src, dst)
				}
				return nil
			}
			src.page = func() int { return 100 } // so that the change is ahead of the listing
			dst.page = src.page
			tally, err := deleteSource(t, job, src)
			var unproven *UnprovenError
			if !errors.As(err, &unproven) || tally.Deleted.Objects != 1000 || src.objects["k1500"] == nil {
				t.Errorf("got %+v, %v", tally, err)
			}
		})
	}
}

func TestRefusedDeletionsAreAccountedFor(t *testing.T) {
	src, _, job := moved(t, 10)
	tally, err := deleteSource(t, job, refusing{src})
	var undeleted *UndeletedError
	if !errors.As(err, &undeleted) || undeleted.Objects != 1 || undeleted.Key != "k0004" || !errors.Is(err, ErrDenied) {
		t.Errorf("got %v", err)
	}
	if tally.Deleted.Objects != 10 || tally.Failed.Objects != 1 || tally.Listed.Objects != 11 {
		t.Errorf("got %+v", tally)
	}
}

func TestShortAnswerToADeletionIsAnError(t *testing.T) {
	src, _, job := moved(t, 10)
	if tally, err := deleteSource(t, job, mute{src}); err == nil || tally.Deleted.Objects != 0 {
		t.Errorf("got %+v, %v", tally, err)
	}
}

func TestEmptySourceIsNoProof(t *testing.T) {
	src, _, job := pair()
	if _, err := deleteSource(t, job, src); !errors.Is(err, ErrEmptySource) {
		t.Errorf("got %v", err)
	}
}
