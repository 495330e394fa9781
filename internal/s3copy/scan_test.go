package s3copy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestScanWritesNothingAndCountsLikeTheCopy(t *testing.T) {
	src, dst, job := pair()
	for i := range 50 {
		src.put(fmt.Sprintf("k%02d", i), fmt.Sprint(i))
		if i%3 == 0 {
			dst.put(fmt.Sprintf("k%02d", i), "other")
		}
		if i%3 == 1 {
			dst.put(fmt.Sprintf("k%02d", i), fmt.Sprint(i))
		}
	}
	scan := job
	scan.Mode, scan.Journal = Scan, nil
	s := run1(t, small(), scan)
	for op := range dst.calls {
		if !slices.Contains([]string{"list", "head"}, op) {
			t.Errorf("a scan asked for %q", op)
		}
	}
	c := run1(t, small(), job)
	if s.Tally.New.Objects+s.Tally.Changed.Objects != c.Tally.Copied.Objects || s.Tally.Same != c.Tally.Same {
		t.Errorf("scanned %+v, copied %+v", s.Tally, c.Tally)
	}
	if len(s.Samples["changed"]) != 10 || s.Samples["changed"][0].Reason == "" || s.Largest.Size != 2 || s.Classes["STANDARD"].Objects != 50 {
		t.Errorf("got %+v", s)
	}
}

func TestScanTellsTheLongestKeyOfThoseToCopy(t *testing.T) {
	src, _, job := pair()
	src.put("a", "larger")
	src.put("longest", "x")
	src.put("filtered/away", "x")
	job.Mode, job.Journal = Scan, nil
	job.Rules.Match = func(key string) bool { return !strings.HasPrefix(key, "filtered") }
	if s := run1(t, small(), job); s.LongestKey != len("longest") {
		t.Errorf("got %d", s.LongestKey)
	}
}

func TestScanOfNoDestinationSeesEverythingNew(t *testing.T) {
	src, _, job := pair()
	src.put("a", "a")
	job.Mode, job.Journal, job.Destination = Scan, nil, nil
	if s := run1(t, small(), job); s.Tally.New.Objects != 1 {
		t.Errorf("got %+v", s.Tally)
	}
}

func TestScanStopsAtTheFirstThingToDo(t *testing.T) {
	src, dst, job := pair()
	for i := range 5000 {
		src.put(fmt.Sprintf("k%04d", i), "same")
		if i < 2500 {
			dst.put(fmt.Sprintf("k%04d", i), "same")
		}
	}
	scan := job
	scan.Mode, scan.Journal, scan.StopAtFirst = Scan, nil, true
	s := run1(t, small(), scan)
	if !s.Partial || len(s.Samples["new"]) != 1 || s.Samples["new"][0].Key != "k2500" {
		t.Errorf("got %+v", s)
	}
	if len(s.Seed.Ranges) != 1 || s.Seed.Ranges[0].Done != "k1999" || s.Seed.Add.Same.Objects != 2000 {
		t.Fatalf("seed %+v", s.Seed)
	}
	if err := job.Journal.Commit(t.Context(), s.Seed); err != nil {
		t.Fatal(err)
	}
	c := run1(t, small(), job)
	if c.Tally.Listed.Objects != 5000 || c.Tally.Same.Objects != 2500 || c.Tally.Copied.Objects != 2500 {
		t.Errorf("got %+v", c.Tally)
	}
}

func TestScanOfEqualBucketsSeedsAllOfTheCopy(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "same")
	dst.put("a", "same")
	job.Mode, job.Journal, job.StopAtFirst = Scan, nil, true
	s := run1(t, small(), job)
	if s.Partial || len(s.Seed.Ranges) != 1 || !s.Seed.Ranges[0].Ended || s.Tally.Same.Objects != 1 {
		t.Errorf("got %+v", s)
	}
	job.Rules.Level = "bytes" // equal, but not yet proven at that level
	if s = run1(t, small(), job); s.Partial || len(s.Seed.Ranges) != 0 || s.Tally.Same.Objects != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestScanWithoutTheRightToHeadStillCounts(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "aaaa")
	dst.put("a", "bbbb")
	job.Mode, job.Journal = Scan, nil
	deny := func(op, _ string) error {
		if op == "head" {
			return ErrDenied
		}
		return nil
	}
	src.fault, dst.fault = deny, deny
	if s := run1(t, small(), job); s.Tally.Changed.Objects != 1 {
		t.Errorf("got %+v", s.Tally)
	}
}

func TestVerifyFindsWhatIsMissingOrDifferent(t *testing.T) {
	src, dst, job := pair()
	for _, k := range []string{"same", "differs", "missing", "kms"} {
		src.put(k, "body of "+k)
	}
	dst.put("same", "body of same")
	dst.put("differs", "BODY of differs")
	dst.kms = true
	dst.put("kms", "body of kms")
	job.Mode, job.Journal = Verify, nil
	s := run1(t, small(), job)
	if s.Tally.Same.Objects != 2 || s.Tally.Failed.Objects != 2 || s.Tally.Evidence.Checksum.Objects != 1 || len(s.Failures) != 2 {
		t.Errorf("got %+v", s)
	}
	job.Rules.Level = "bytes"
	s = run1(t, small(), job)
	if s.Tally.Evidence.Bytes.Objects != 2 || s.Tally.Failed.Objects != 2 {
		t.Errorf("got %+v", s)
	}
	job.Rules.Level = "size"
	s = run1(t, small(), job)
	if s.Tally.Same.Objects != 3 || s.Tally.Evidence.SizeOnly.Objects != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestObjectsWithoutEvidenceGoByTheRule(t *testing.T) {
	for otherwise, want := range map[string]func(Tally) Count{
		"accept": func(t Tally) Count { return t.Evidence.SizeOnly },
		"bytes":  func(t Tally) Count { return t.Evidence.Bytes },
		"fail":   func(t Tally) Count { return t.Failed },
	} {
		for _, mode := range []Mode{Copy, Verify} {
			src, dst, job := pair()
			dst.kms, dst.bare = true, true
			src.put("k", "body")
			job.Mode, job.Rules.Otherwise = mode, otherwise
			if mode == Verify {
				dst.put("k", "body")
				job.Journal = nil
			}
			s := run1(t, small(), job)
			if want(s.Tally).Objects != 1 {
				t.Errorf("%s, %s: got %+v", mode, otherwise, s.Tally)
			}
		}
	}
}

func TestBytesThatDifferAreFound(t *testing.T) {
	src, dst, job := pair()
	src.put("k", strings.Repeat("x", 200_000))
	dst.fault = func(op, key string) error {
		if op == "open" {
			dst.objects[key].body[150_000] = 'y'
		}
		return nil
	}
	job.Rules.Level = "bytes"
	s := run1(t, Limits{InFlight: 1}, job)
	if s.Tally.Failed.Objects != 1 || !strings.Contains(s.Failures[0].Reason, "131072") {
		t.Errorf("got %+v", s)
	}
}

func TestScanCountsWhatItCannotCompareAsUnreadable(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "right")
	dst.put("a", "wrong")
	src.fault = func(op, _ string) error {
		if op == "head" {
			return errors.New("400 Bad Request")
		}
		return nil
	}
	job.Mode, job.Journal = Scan, nil
	s := run1(t, small(), job)
	if s.Tally.Unreadable.Objects != 1 || s.Tally.Failed.Objects != 0 || !strings.Contains(s.Samples["unreadable"][0].Reason, "400") {
		t.Errorf("got %+v", s)
	}
}

func TestScanTellsWhatThereIsToWriteAndWhy(t *testing.T) {
	src, dst, job := pair()
	src.put("new", "small")
	src.put("size", "longer than there")
	dst.put("size", "short")
	src.put("bytes", "aaaa")
	dst.put("bytes", "bbbb")
	src.put("frozen", "x")
	src.objects["frozen"].StorageClass = "GLACIER"
	job.Mode, job.Journal, job.Rules.Restore = Scan, nil, true
	s := run1(t, small(), job)
	standard, glacier := s.Work["STANDARD"], s.Work["GLACIER"]
	if standard.Objects != 3 || standard.Small != standard.Count || standard.ByParts != 0 || glacier.Frozen.Objects != 1 {
		t.Errorf("got %+v", s.Work)
	}
	if standard.Bytes+glacier.Bytes != s.Tally.New.Bytes+s.Tally.Changed.Bytes {
		t.Errorf("work %+v, tally %+v", s.Work, s.Tally)
	}
	if s.ChangedBy["size"].Objects != 1 || s.ChangedBy["etag"].Objects != 1 || len(s.ChangedBy) != 2 {
		t.Errorf("got %+v", s.ChangedBy)
	}
}

func TestScanTellsWhyObjectsWillFail(t *testing.T) {
	src, dst, job := pair()
	for _, k := range []string{"customer", "error"} {
		src.put(k, "right")
		dst.put(k, "wrong")
	}
	src.put(strings.Repeat("k", 1020), "x")
	src.fault = func(op, key string) error {
		switch {
		case op != "head":
			return nil
		case key == "customer":
			return ErrCustomerKey
		}
		return errors.New("400 Bad Request")
	}
	job.Mode, job.Journal, job.ToPrefix = Scan, nil, ""
	s := run1(t, small(), job)
	if s.UnreadableBy["error"].Objects != 1 || s.UnreadableBy["customer_key"].Objects != 1 || len(s.UnreadableBy) != 2 {
		t.Errorf("got %+v", s.UnreadableBy)
	}
	job.ToPrefix = "archive/"
	if s = run1(t, small(), job); s.UnreadableBy["key"].Objects != 1 {
		t.Errorf("got %+v", s.UnreadableBy)
	}
}

func TestPartsAreCountedAsTheCopyMakesThem(t *testing.T) {
	l := Limits{}.withDefaults()
	for _, c := range []struct {
		etag string
		size Bytes
	}{
		{"", 0},
		{"", 256 << 20},
		{"", 256<<20 + 1},
		{"", 5 << 30},
		{"", 900 << 30},
		{"", 50 << 40},
		{strings.Repeat("a", 32) + "-7", 40 << 20},
	} {
		want := int64(0)
		switch {
		case c.etag != "":
			want = 7
		case c.size > l.PartThreshold:
			want = int64(len(evenParts(c.size, l.partSize(c.size))))
		}
		if got := l.partsFor(&Object{ETag: c.etag, Size: c.size}); got != want {
			t.Errorf("%d bytes, ETag %q: %d parts, want %d", c.size, c.etag, got, want)
		}
	}
}

func TestEveryReasonForAChangeHasItsKind(t *testing.T) {
	for reason, want := range map[Reason]string{
		sizeReason(1, 2): "size",
		compareListed(&Object{ETag: "a", Size: 1}, &Object{ETag: "b", Size: 1}, compareETag).differ: "etag",
		compareETags(md5ed("a"), md5ed("b")).differ:                                                 "etag",
		"the CRC64NVME checksum differs":                                                            "checksum",
		"nothing comparable but the size":                                                           "unknown",
	} {
		if got := changedBy(string(reason)); got != want {
			t.Errorf("%q: %s, want %s", reason, got, want)
		}
	}
}

func md5ed(letter string) *Details { return &Details{Object: Object{ETag: strings.Repeat(letter, 32)}} }
