package s3copy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func long(n int) string { return strings.Repeat("0123456789", n/10+1)[:n] }

func TestMultipartSourceKeepsItsLayout(t *testing.T) {
	for name, parts := range map[string][]string{
		"even":          {long(50), long(50), long(20)},
		"odd":           {long(50), long(60), long(20), long(70)},
		"one part":      {long(10)},
		"one large":     {long(500)},
		"longer at end": {long(50), long(90)},
	} {
		for _, streaming := range []bool{false, true} {
			t.Run(fmt.Sprint(name, streaming), func(t *testing.T) {
				src, dst, job := pair()
				job.Streaming = streaming
				l := small()
				l.StreamPart = 200
				o := src.putParts("big", parts...)
				o.Headers = Headers{ContentType: "text/x", Metadata: map[string]string{"a": "b"}}
				o.StorageClass, o.tags = "STANDARD_IA", []Tag{{"t", "v"}}
				s := run1(t, l, job)
				if got := dst.objects["big"]; got.ETag != o.ETag || s.Tally.Evidence.ETag.Objects != 1 {
					t.Errorf("ETag %s, want %s; %+v", got.ETag, o.ETag, s.Tally)
				}
				wantEqual(t, src, dst, job)
				if dst.objects["big"].Headers.Metadata["a"] != "b" {
					t.Error("metadata is lost")
				}
				if j := job.Journal.(*journal); len(j.p.Uploads) != 0 || len(dst.uploads) != 0 {
					t.Errorf("uploads are left: %v, %v", j.p.Uploads, dst.uploads)
				}
				job.Journal = &journal{}
				heads := src.calls["head"]
				if s = run1(t, l, job); s.Tally.Same.Objects != 1 || src.calls["head"] != heads {
					t.Errorf("second run: %+v", s.Tally)
				}
			})
		}
	}
}

func TestSecondRunCopiesNothing(t *testing.T) {
	for _, c := range []struct {
		name            string
		srcKMS, dstKMS  bool
		bare, streaming bool
	}{
		{name: "plain"},
		{name: "plain, no checksums", bare: true},
		{name: "KMS there", dstKMS: true},
		{name: "KMS here", srcKMS: true},
		{name: "KMS on both sides", srcKMS: true, dstKMS: true},
		{name: "streamed", streaming: true},
		{name: "streamed to KMS", streaming: true, dstKMS: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, dst, job := pair()
			src.kms, dst.kms, src.bare, dst.bare, job.Streaming = c.srcKMS, c.dstKMS, c.bare, c.bare, c.streaming
			src.put("small", long(20))
			src.put("large", long(313)) // above the threshold, of one part
			src.put("zero", "")
			src.put("dir/", "")
			src.putParts("parts", long(30), long(30), long(5))
			s := run1(t, small(), job)
			if s.Tally.Copied.Objects != 5 || s.Tally.Evidence.SizeOnly.Objects != 0 {
				t.Errorf("first: %+v %+v", s.Tally, s.Failures)
			}
			wantEqual(t, src, dst, job)
			job.Journal = &journal{}
			if s = run1(t, small(), job); s.Tally.Same.Objects != 5 || s.Tally.Evidence.SizeOnly.Objects != 0 {
				t.Errorf("second: %+v", s.Tally)
			}
		})
	}
}

func TestVerificationCostsAsLittleAsPossible(t *testing.T) {
	for _, c := range []struct {
		name           string
		dstKMS         bool
		level          string
		srcHead, there int
	}{
		{"equal ETags", false, "checksum", 0, 0},
		{"KMS, the answer tells the checksum", true, "checksum", 1, 0},
		{"KMS, by size", true, "size", 0, 1},
		{"equal ETags, by size", false, "size", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, dst, job := pair()
			dst.kms, job.Rules.Level = c.dstKMS, c.level
			src.put("k", "body")
			run1(t, small(), job)
			if src.calls["head"] != c.srcHead || dst.calls["head"] != c.there {
				t.Errorf("%d and %d HEADs, want %d and %d", src.calls["head"], dst.calls["head"], c.srcHead, c.there)
			}
		})
	}
}

func TestLargeObjectOfOnePartIsCopiedByPartsWhereAChecksumProvesIt(t *testing.T) {
	for _, bare := range []bool{false, true} {
		src, dst, job := pair()
		src.bare, dst.bare = bare, bare
		src.put("large", long(313))
		s := run1(t, small(), job)
		byParts, proof := 8, s.Tally.Evidence.Checksum
		if bare {
			byParts, proof = 0, s.Tally.Evidence.ETag
		}
		if dst.calls["part"] != byParts || proof.Objects != 1 {
			t.Errorf("bare %t: %d parts, want %d; %+v", bare, dst.calls["part"], byParts, s.Tally)
		}
	}
}

func TestMultipartSourceOfUnknownLayoutIsCopiedAllTheSame(t *testing.T) {
	src, dst, job := pair()
	src.putParts("small", long(30), long(30)).parts = nil
	src.putParts("large", long(283), long(30)).parts = nil
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 2 || s.Tally.Evidence.Checksum.Objects != 2 || dst.calls["copy"] != 1 || dst.calls["part"] != 8 {
		t.Errorf("got %+v, %v", s.Tally, dst.calls)
	}
	wantEqual(t, src, dst, job)
}

func TestChangedObjectIsCopiedInItsNewVersion(t *testing.T) {
	for _, streaming := range []bool{false, true} {
		src, dst, job := pair()
		job.Streaming = streaming
		src.put("a", "old")
		src.putParts("b", long(40), long(40))
		change := func(op, key string) error {
			src.mu.Lock()
			defer src.mu.Unlock()
			if (op == "copy" || op == "open") && string(src.objects["a"].body) == "old" {
				src.put("a", "a new and longer version")
			}
			if (op == "part" || op == "open") && key == "b" && len(src.objects["b"].body) == 80 {
				src.putParts("b", long(60), long(60), long(10))
			}
			return nil
		}
		dst.fault = change
		if streaming {
			src.fault, dst.fault = change, nil
		}
		s := run1(t, small(), job)
		if s.Tally.Copied.Objects != 2 || s.Tally.Copied.Bytes != 24+130 || s.Tally.Listed.Bytes != 24+130 {
			t.Errorf("got %+v %+v", s.Tally, s.Failures)
		}
		wantEqual(t, src, dst, job)
		if len(dst.uploads) != 0 {
			t.Errorf("uploads are left: %v", dst.uploads)
		}
	}
}

func TestVanishedObjectIsNotCounted(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "a")
	src.put("b", "b")
	dst.fault = func(op, key string) error {
		src.mu.Lock()
		defer src.mu.Unlock()
		if op == "copy" && key == "a" {
			delete(src.objects, "a")
		}
		return nil
	}
	if s := run1(t, small(), job); s.Tally.Listed.Objects != 1 || s.Tally.Copied.Objects != 1 || len(s.Failures) != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestFailureIsRetriedAtTheEndAndHeals(t *testing.T) {
	for _, op := range []string{"copy", "create", "part", "complete", "head", "tags"} {
		t.Run(op, func(t *testing.T) {
			src, dst, job := pair()
			src.put("a", "a")
			src.putParts("p", long(50), long(50))
			key := "p"
			if op == "copy" {
				key = "a"
			}
			if src.fault = failOnce(op, key, errTorn); op != "head" {
				dst.fault = failOnce(op, key, errTorn)
			}
			s := run1(t, small(), job)
			if s.Tally.Copied.Objects != 2 || s.Tally.Failed.Objects != 0 || len(s.Failures) != 0 {
				t.Errorf("got %+v", s)
			}
			j := job.Journal.(*journal)
			if len(j.p.Failures) != 0 || len(j.p.Uploads) != 0 || len(dst.uploads) != 0 || j.p.Tally != s.Tally {
				t.Errorf("journal %+v, uploads %v", j.p, dst.uploads)
			}
			wantEqual(t, src, dst, job)
		})
	}
}

func TestFailureThatStandsIsReportedAndHealsInALaterRun(t *testing.T) {
	src, dst, job := pair()
	for i := range 30 {
		src.put(fmt.Sprintf("k%02d", i), "x")
	}
	deny := true
	dst.fault = func(op, key string) error {
		if deny && op == "copy" && key == "k07" {
			return fmt.Errorf("%w: by the bucket's policy", ErrDenied)
		}
		return nil
	}
	s := run1(t, small(), job)
	if s.Tally.Failed.Objects != 1 || len(s.Failures) != 1 || s.Failures[0].Phase != "copy" ||
		!strings.Contains(s.Failures[0].Reason, "access denied: by the bucket's policy") {
		t.Errorf("got %+v", s)
	}
	deny = false
	src.put("k07", "longer now")
	lists := src.calls["list"]
	s = run1(t, small(), job)
	if s.Tally.Failed.Objects != 0 || s.Tally.Copied.Objects != 30 || s.Tally.Copied.Bytes != 29+10 || src.calls["list"] != lists {
		t.Errorf("got %+v", s)
	}
}

func TestFailedObjectThatIsDeletedLeavesTheCounts(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "a")
	dst.fault = func(op, _ string) error {
		if op == "copy" {
			return errTorn
		}
		return nil
	}
	run1(t, small(), job)
	delete(src.objects, "a")
	if s := run1(t, small(), job); s.Tally != (Tally{}) || len(s.Failures) != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestEmptySuccessIsNoSuccess(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "a")
	src.putParts("p", long(50), long(50))
	job.Destination = &forgetful{bucket: dst}
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 2 || s.Tally.Failed.Objects != 0 {
		t.Errorf("got %+v", s)
	}
	wantEqual(t, src, dst, job)
	if dst.copies["p"] != 1 {
		t.Errorf("the upload was made %d times: its object should have been recognised", dst.copies["p"])
	}
}

func TestCopyThatDiffersIsAFailure(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "right")
	job.Destination = &mangler{bucket: dst}
	s := run1(t, small(), job)
	if s.Tally.Failed.Objects != 1 || s.Failures[0].Phase != "verify" || !strings.Contains(s.Failures[0].Reason, "differs") {
		t.Errorf("got %+v", s)
	}
}

func TestStreamThatBreaksIsReadAgain(t *testing.T) {
	src, dst, job := pair()
	job.Streaming = true
	src.put("a", long(40))
	src.putParts("p", long(50), long(50))
	job.Source = &breaker{bucket: src}
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 2 || s.Tally.Failed.Objects != 0 {
		t.Errorf("got %+v", s)
	}
	wantEqual(t, src, dst, job)
}

func TestStreamedObjectsAreProvenByWhatCameThrough(t *testing.T) {
	src, dst, job := pair()
	job.Streaming, src.kms, src.bare, dst.bare = true, true, true, true
	src.put("a", long(40))
	src.put("b", long(400))
	s := run1(t, small(), job)
	if s.Tally.Evidence.Checksum.Objects != 2 || dst.calls["putpart"] != 8 {
		t.Errorf("got %+v, %v", s.Tally, dst.calls)
	}
	wantEqual(t, src, dst, job)
}

func TestMissingConditionIsMadeUpForByLooking(t *testing.T) {
	src, dst, job := pair()
	job.Rules.NeverReplace = true
	src.put("a", "a")
	job.Destination = &unconditional{bucket: dst}
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestUploadOfAnotherVersionIsAborted(t *testing.T) {
	src, dst, job := pair()
	o := src.putParts("p", long(50), long(50))
	dst.uploads["u1"] = &pendingUpload{req: UploadRequest{Key: "p"}, parts: map[int]Part{}}
	dst.uploads["foreign"] = &pendingUpload{req: UploadRequest{Key: "p"}, parts: map[int]Part{}}
	j := job.Journal.(*journal)
	j.p.Uploads = []Upload{{Key: "p", ID: "u1", ETag: "old", Size: o.Size, Part: 50}}
	run1(t, small(), job)
	if len(dst.uploads) != 1 || dst.uploads["foreign"] == nil || len(j.p.Uploads) != 0 {
		t.Errorf("uploads %v, recorded %v", dst.uploads, j.p.Uploads)
	}
	wantEqual(t, src, dst, job)
}

func TestUploadOfAnotherLayoutIsAborted(t *testing.T) {
	src, dst, job := pair()
	o := src.put("p", long(300))
	dst.uploads["u1"] = &pendingUpload{
		req: UploadRequest{Key: "p"}, parts: map[int]Part{2: {Number: 2, Size: 40, ETag: md5A}}, bodies: map[int][]byte{},
	}
	job.Journal.(*journal).p.Uploads = []Upload{{Key: "p", ID: "u1", ETag: o.ETag, Size: o.Size, Part: 80}}
	run1(t, small(), job)
	if dst.calls["abort"] != 1 {
		t.Errorf("calls %v", dst.calls)
	}
	wantEqual(t, src, dst, job)
}

func TestPartsThatStandAreKept(t *testing.T) {
	src, dst, job := pair()
	src.putParts("p", long(50), long(50), long(50))
	dst.fault = failAfter("part", 2)
	l := small()
	l.PartsInFlight = 1
	s := run1(t, l, job) // the retry at the end goes on with the upload
	if n := dst.calls["part"]; n != 4 || s.Tally.Copied.Objects != 1 {
		t.Errorf("%d part copies, want 2, one that fails, and one more", n)
	}
	wantEqual(t, src, dst, job)
}

func TestFinishedRunLeavesNoUpload(t *testing.T) {
	src, dst, job := pair()
	src.putParts("p", long(50), long(50), long(50))
	dst.fault = func(op, _ string) error {
		if op == "complete" {
			return errTorn
		}
		return nil
	}
	if s := run1(t, small(), job); s.Tally.Failed.Objects != 1 {
		t.Errorf("got %+v", s.Tally)
	}
	if len(dst.uploads) != 0 || len(job.Journal.(*journal).p.Uploads) != 0 {
		t.Error("a finished run leaves uploads")
	}
}

func TestServerWithoutPartCopiesOrTagsIsServedAllTheSame(t *testing.T) {
	src, dst, job := pair()
	src.putParts("p", long(50), long(50))
	dst.fault = func(op, _ string) error {
		if op == "part" {
			return ErrUnsupported
		}
		return nil
	}
	src.fault = func(op, _ string) error {
		if op == "tags" {
			return ErrUnsupported
		}
		return nil
	}
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 1 || s.Tally.Evidence.Checksum.Objects != 1 || len(dst.uploads) != 0 {
		t.Errorf("got %+v", s)
	}
	wantEqual(t, src, dst, job)
}

func TestCopyWithoutEvidenceIsMadeOnce(t *testing.T) {
	src, dst, job := pair()
	src.bare, dst.bare, dst.kms = true, true, true
	dst.clock = dst.clock.Add(time.Hour)
	src.put("a", "aaaa")
	src.put("b", "bbbb")
	src.put("c", "cccc")
	run1(t, small(), job)
	again := func() Summary {
		job.Journal = &journal{}
		return run1(t, small(), job)
	}
	if s := again(); s.Tally.Copied.Objects != 3 {
		t.Errorf("without the knowledge of an earlier run: %+v", s.Tally)
	}
	job.Earlier = []Window{ // an older run, which made nothing of this, hides no younger one
		{Begun: src.clock.Add(-time.Hour), Ended: src.clock.Add(-time.Minute)},
		{Begun: src.clock.Add(time.Minute), Ended: dst.clock},
	}
	if s := again(); s.Tally.Same.Objects != 3 || s.Tally.Evidence.SizeOnly.Objects != 3 {
		t.Errorf("with it: %+v", s.Tally)
	}
	src.clock = dst.clock
	src.put("a", "AAAA") // written to since
	dst.put("b", "BBBB") // by somebody else, after the run
	if s := again(); s.Tally.Copied.Objects != 2 || s.Tally.Same.Objects != 1 {
		t.Errorf("after changes: %+v", s.Tally)
	}
	wantEqual(t, src, dst, job)
}

func TestServerThatGetsPartChecksumsWrongIsServedWithoutThem(t *testing.T) {
	src, dst, job := pair()
	o := src.putParts("p", long(50), long(50))
	job.Destination = &muddled{bucket: dst}
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 1 || dst.objects["p"].ETag != o.ETag || len(dst.uploads) != 0 {
		t.Errorf("got %+v, uploads %v", s, dst.uploads)
	}
}

func TestMarkerThatCannotBeCopiedIsPut(t *testing.T) {
	src, dst, job := pair()
	src.put("dir/", "").Headers.ContentType = "x-directory"
	dst.fault = func(op, _ string) error {
		if op == "copy" {
			return errors.New("directory object contains data")
		}
		return nil
	}
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 1 || dst.calls["put"] != 1 {
		t.Errorf("got %+v", s)
	}
	wantEqual(t, src, dst, job)
}

func TestObjectThatIsListedAndNotFoundIsAFailure(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "a")
	src.put("b", "b")
	dst.fault = func(op, key string) error {
		if op == "copy" && key == "a" {
			return ErrNotFound
		}
		return nil
	}
	src.fault = func(op, key string) error {
		if op == "head" && key == "a" {
			return ErrNotFound
		}
		return nil
	}
	if s := run1(t, small(), job); s.Tally.Failed.Objects != 1 || !strings.Contains(s.Failures[0].Reason, "lists it still") {
		t.Errorf("got %+v", s)
	}
}

// slowParts takes a second for every part but the first, and tells of those that were broken off.
type slowParts struct {
	*bucket
	broken atomic.Int32
}

func (s *slowParts) CopyPart(ctx context.Context, r PartRequest) (Part, error) {
	if r.Number > 1 {
		time.Sleep(time.Second)
		if ctx.Err() != nil {
			s.broken.Add(1)
		}
	}
	return s.bucket.CopyPart(ctx, r)
}

// A part that the server still copies when its upload is aborted stays behind, and is paid for.
func TestAnUploadIsAbortedWhenItsPartsHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, dst, job := pair()
		src.putParts("big", long(50), long(50), long(50), long(50))
		slow := &slowParts{bucket: dst}
		job.Destination = slow
		dst.fault = failOnce("part", "big", ErrChanged)
		run1(t, small(), job)
		if dst.calls["abort"] == 0 || slow.broken.Load() > 0 {
			t.Errorf("%d aborts, and %d parts were broken off", dst.calls["abort"], slow.broken.Load())
		}
	})
}
