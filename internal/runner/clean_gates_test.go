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
