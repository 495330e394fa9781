package runner

import (
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

func TestAnUploadToTheSourceUnderWayKeepsItsObjects(t *testing.T) {
	moved(t, func(w *bench, source, _ *memory) {
		source.uploads = []s3copy.PendingUpload{{Key: "big.bin", ID: "somebody's", Initiated: time.Unix(0, 0)}}
		r := w.ends(pairStep(compile.KindCleanSourceObjects, nil), executor.Waiting)
		if !strings.Contains(r.Pending, `1 uploads to tommy are not finished, the one of "big.bin" is from 1970-01-01T00:00:00Z`) {
			t.Errorf("says %q", r.Pending)
		}
		source.uploads, source.fail["uploads"] = nil, s3copy.ErrDenied
		r = w.ends(pairStep(compile.KindCleanSourceObjects, nil), executor.Waiting)
		if !strings.Contains(r.Pending, "s3:ListBucketMultipartUploads is denied") || len(source.keys()) != 3 || len(source.aborted) != 0 {
			t.Errorf("says %q; left are %v, aborted %v", r.Pending, source.keys(), source.aborted)
		}
		source.fail["uploads"] = s3copy.ErrUnsupported
		w.ends(pairStep(compile.KindCleanSourceObjects, nil), executor.Done)
	})
}

func TestAnUploadToTheSourceUnderWayKeepsItsBucket(t *testing.T) {
	onPair(t, func(w *bench, source, _ *memory) {
		s := step(compile.KindCleanSourceBucket, compile.Spec{Bucket: &compile.BucketSpec{Name: "tommy", Account: accountA}})
		w.deps.Confirmed["tommy"] = true
		source.uploads = []s3copy.PendingUpload{{Key: "big.bin", ID: "somebody's"}}
		w.calls.take()
		w.ends(s, executor.Waiting)
		w.asked()
	})
}

// A bucket that never kept versions has objects that the next write replaces: they go on their ETags, whatever the plan copies.
func TestASourceIsDeletedByWhatItKeeps(t *testing.T) {
	for versioning, want := range map[string]struct{ versions, suspended bool }{
		"": {false, true}, "Enabled": {true, false}, "Suspended": {true, true},
	} {
		onPair(t, func(w *bench, _, _ *memory) {
			c := *pairStep(compile.KindCleanSourceObjects, nil).Spec.Copy
			c.Pair.Copy.Versions = plan.AllVersions
			job := cleanObjects{pairRunner{d: w.deps}}.deletionJob(c, compile.Bucket{Versioning: versioning})
			if job.Versions != want.versions || job.Suspended != want.suspended || job.Mode != s3copy.Verify {
				t.Errorf("%q: %+v", versioning, job)
			}
		})
	}
	moved(t, func(w *bench, source, destination *memory) {
		w.ends(pairStep(compile.KindCleanSourceObjects, func(c *compile.CopySpec) { c.Pair.Copy.Versions = plan.AllVersions }), executor.Done)
		if len(source.keys()) != 0 || len(destination.keys()) != 3 || len(source.bare) != 0 {
			t.Errorf("left are %v and %v; without a condition went %v", source.keys(), destination.keys(), source.bare)
		}
	})
}

func TestADenialOfVersionsNamesTheirPermission(t *testing.T) {
	denied := &s3copy.UndeletedError{Objects: 2, Versions: true, Key: "k", Err: s3copy.ErrDenied}
	err := explainStep(pairStep(compile.KindCleanSourceObjects, nil), &signers{}, denied)
	if !strings.Contains(err.Error(), "s3:DeleteObjectVersion") {
		t.Errorf("it says %v", err)
	}
	denied.Versions = false
	if err := explainStep(pairStep(compile.KindCleanSourceObjects, nil), &signers{}, denied); strings.Contains(err.Error(), "Version") {
		t.Errorf("of objects it says %v", err)
	}
}

func TestWhatWasMovedIsNeverExtra(t *testing.T) {
	moved(t, func(w *bench, source, destination *memory) {
		w.ends(pairStep(compile.KindCleanSourceObjects, nil), executor.Done)
		source.put("new", "written since") // so that the source is not empty
		w.deps.Confirmed["tommy-b"] = true
		r := w.ends(pairStep(compile.KindCleanExtra, func(c *compile.CopySpec) {
			c.Pair.Copy.DeleteExtra, c.Pair.Cleanup.SourceObjects = true, plan.AfterVerify
		}), executor.Waiting)
		if !strings.Contains(r.Pending, "only copy") || len(destination.keys()) != 3 {
			t.Errorf("says %q; left are %v", r.Pending, destination.keys())
		}
	})
}

func TestNothingExtraWaitsForNobody(t *testing.T) {
	onPair(t, func(w *bench, _, destination *memory) {
		s := pairStep(compile.KindCleanExtra, func(c *compile.CopySpec) { c.Pair.Copy.DeleteExtra = true })
		w.ends(s, executor.Waiting) // counted: there is something
		s.AsksLate = true
		w.ends(s, executor.Held)
		destination.put("stale", "x")
		w.ends(s, executor.Waiting)
		if len(destination.keys()) != 1 {
			t.Errorf("left are %v", destination.keys())
		}
	})
}
