package s3copy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPrefixesAreReplaced(t *testing.T) {
	src, dst, job := pair()
	job.Prefix, job.ToPrefix = "a/", "b/c/"
	for _, k := range []string{"a/", "a/x", "a//y", "a/z/", "other", "a"} {
		src.put(k, "body of "+k)
	}
	src.put("a/", "")
	dst.put("b/c/x", "body of a/x")
	dst.put("b/c/extra", "e")
	dst.put("b/elsewhere", "e")
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 3 || s.Tally.Same.Objects != 1 || s.Tally.Extra.Objects != 1 {
		t.Errorf("got %+v", s.Tally)
	}
	for _, k := range []string{"b/c/", "b/c/x", "b/c//y", "b/c/z/"} {
		if dst.objects[k] == nil {
			t.Errorf("%q is missing", k)
		}
	}
}

func TestKeysWithoutAPlaceFailAlone(t *testing.T) {
	src, _, job := pair()
	job.Prefix = "a/"
	src.put("a/", "marker")
	src.put("a/x", "x")
	s := run1(t, small(), job)
	if s.Tally.Failed.Objects != 1 || s.Tally.Copied.Objects != 1 || s.Failures[0].Key != "a/" {
		t.Errorf("got %+v", s)
	}
	job.Mode, job.Journal = Scan, nil
	if s = run1(t, small(), job); s.Tally.Unreadable.Objects != 1 {
		t.Errorf("got %+v", s.Tally)
	}
}

func TestFiltersSkipAndProtectFromExtra(t *testing.T) {
	src, dst, job := pair()
	job.Rules.Match = func(k string) bool { return !strings.HasSuffix(k, ".tmp") }
	job.Rules.DeleteExtra, job.Deleter = true, dst
	src.put("a", "a")
	src.put("b.tmp", "b")
	dst.put("b.tmp", "kept")
	dst.put("c.tmp", "kept")
	dst.put("d", "extra")
	dst.put("e\x01", "extra that XML cannot hold")
	s := run1(t, small(), job)
	tally := s.Tally
	if tally.Filtered.Objects != 1 || tally.Extra.Objects != 2 || tally.Deleted != tally.Extra || tally.Copied.Objects != 1 {
		t.Errorf("got %+v", tally)
	}
	if len(dst.objects) != 3 || dst.calls["delete"] != 2 {
		t.Errorf("left %v by %d deletions", len(dst.objects), dst.calls["delete"])
	}
}

func TestExtraIsOnlyCountedUnlessAskedFor(t *testing.T) {
	_, dst, job := pair()
	for i := range 2500 {
		dst.put(fmt.Sprintf("x%04d", i), "x")
	}
	if s := run1(t, small(), job); s.Tally.Extra.Objects != 2500 || len(dst.objects) != 2500 {
		t.Errorf("got %+v", s.Tally)
	}
	job.Journal, job.Rules.DeleteExtra, job.Deleter = &journal{}, true, dst
	if s := run1(t, small(), job); s.Tally.Deleted.Objects != 2500 || len(dst.objects) != 0 || dst.calls["delete"] != 3 {
		t.Errorf("got %+v with %d requests", s.Tally, dst.calls["delete"])
	}
}

func TestFailedDeletionIsAFailureOfItsOwn(t *testing.T) {
	_, dst, job := pair()
	job.Rules.DeleteExtra, job.Deleter = true, dst
	dst.put("x", "x")
	broken := true
	dst.fault = func(op, _ string) error {
		if op == "delete" && broken {
			return ErrDenied
		}
		return nil
	}
	s := run1(t, small(), job)
	if s.Tally.Deleted.Objects != 0 || len(s.Failures) != 1 || s.Failures[0].Phase != "delete" || s.Tally.Failed.Objects != 0 {
		t.Errorf("got %+v", s)
	}
	broken = false
	if s = run1(t, small(), job); len(s.Failures) != 0 || s.Tally.Deleted.Objects != 1 || len(dst.objects) != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestOverwriteNeverKeepsWhatDiffers(t *testing.T) {
	src, dst, job := pair()
	job.Rules.NeverReplace = true
	src.put("changed", "new")
	src.put("same", "same")
	src.put("new", "new")
	dst.put("changed", "old")
	dst.put("same", "same")
	s := run1(t, small(), job)
	if s.Tally.Kept.Objects != 1 || s.Tally.Same.Objects != 1 || s.Tally.Copied.Objects != 1 {
		t.Errorf("got %+v", s.Tally)
	}
	if string(dst.objects["changed"].body) != "old" {
		t.Error("replaced")
	}
}

func TestObjectThatAppearsMeanwhileIsNeverReplaced(t *testing.T) {
	for _, streaming := range []bool{false, true} {
		src, dst, job := pair()
		job.Rules.NeverReplace, job.Streaming = true, streaming
		src.put("a", "ours")
		src.put("b", "theirs, too")
		src.putParts("c", "parts ", "of it")
		dst.fault = func(op, key string) error {
			if (op == "copy" || op == "complete" || op == "head") && dst.objects["a"] == nil {
				dst.put("a", "theirs")
				dst.put("b", "theirs, too")
				dst.put("c", "theirs")
			}
			return nil
		}
		s := run1(t, Limits{InFlight: 1}, job)
		if s.Tally.Kept.Objects != 2 || s.Tally.Same.Objects != 1 || string(dst.objects["a"].body) != "theirs" {
			t.Errorf("streaming %t: got %+v", streaming, s)
		}
	}
}

func TestArchivedObjectsAreSkippedOrRestored(t *testing.T) {
	src, dst, job := pair()
	src.put("ice", "cold").StorageClass = "DEEP_ARCHIVE"
	src.put("warm", "warm").StorageClass = "STANDARD_IA"
	s := run1(t, small(), job)
	if s.Tally.Archived.Objects != 1 || s.Tally.Copied.Objects != 1 || len(s.Samples["archived"]) != 1 {
		t.Errorf("got %+v", s)
	}
	if got := dst.objects["warm"].StorageClass; got != "STANDARD_IA" {
		t.Errorf("class %q", got)
	}
	job.Journal, job.Rules.Restore, job.Rules.RestoreDays, job.Restorer = &journal{}, true, 3, src
	s = run1(t, small(), job)
	if s.Waiting != 1 || s.Tally.Failed.Objects != 1 || s.Failures[0].Phase != "restore" {
		t.Errorf("got %+v", s)
	}
	src.objects["ice"].Restored = true
	src.objects["ice"].StorageClass = "GLACIER_IR" // so that the fake gives its bytes
	if s = run1(t, small(), job); s.Waiting != 0 || s.Tally.Failed.Objects != 0 || dst.objects["ice"] == nil {
		t.Errorf("got %+v", s)
	}
}

func TestObjectFoundArchivedWhileCopyingIsNoFailure(t *testing.T) {
	src, dst, job := pair()
	src.put("deep", "intelligent tiering does not tell")
	dst.fault = func(op, _ string) error {
		if op == "copy" {
			return fmt.Errorf("copy: %w", ErrArchived)
		}
		return nil
	}
	if s := run1(t, small(), job); s.Tally.Archived.Objects != 1 || s.Tally.Failed.Objects != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestStorageClassIsPreservedOrOverridden(t *testing.T) {
	for class, want := range map[string]string{"preserve": "STANDARD_IA", "GLACIER_IR": "GLACIER_IR", "STANDARD": "", "": ""} {
		src, dst, job := pair()
		job.Rules.StorageClass = class
		src.put("k", "v").StorageClass = "STANDARD_IA"
		run1(t, small(), job)
		if got := dst.objects["k"].StorageClass; got != want {
			t.Errorf("%q: got %q, want %q", class, got, want)
		}
	}
}

func TestTagsAreCopiedUnlessOff(t *testing.T) {
	for _, tags := range []bool{true, false} {
		src, dst, job := pair()
		job.Rules.Tags = tags
		src.put("small", "x").tags = []Tag{{"a", "b"}}
		src.putParts("parts", "x", "y").tags = []Tag{{"a", "b"}}
		run1(t, small(), job)
		for key, o := range dst.objects {
			if got := len(o.tags) == 1; got != tags {
				t.Errorf("%s: tags %v, want them: %t", key, o.tags, tags)
			}
		}
		if !tags && src.calls["tags"] > 0 {
			t.Error("tags were read for nothing")
		}
	}
}

func TestHostileKeysAreKeysLikeOthers(t *testing.T) {
	keys := []string{
		"\x01", "a\x00b", "a\nb", "a b", "a+b", "a%20b", "ä", "a\u0308", "é", "e\u0301", "/lead", "a//b", "a/../b", ".", "..",
		"dir/", "\x7f", "z\u0085", "\U0010ffff", "😀", "\ufffd", strings.Repeat("k", 1024), "<&>\"'", "\\", "~",
	}
	src, dst, job := pair()
	for _, k := range keys {
		src.put(k, "body of "+k)
	}
	src.page, dst.page = func() int { return 2 }, func() int { return 3 }
	s := run1(t, small(), job)
	if int(s.Tally.Copied.Objects) != len(keys) || s.Tally.Failed.Objects != 0 {
		t.Errorf("got %+v", s)
	}
	wantEqual(t, src, dst, job)
}

func TestSizeRuleIsNoVerification(t *testing.T) {
	src, dst, job := pair()
	src.put("k", "aaaa")
	dst.put("k", "bbbb")
	job.Rules.Compare = "size"
	if s := run1(t, small(), job); s.Tally.Failed.Objects != 1 || s.Failures[0].Phase != "verify" {
		t.Errorf("a different object of that size passed: %+v", s)
	}
	job.Rules.Level, job.Journal = "size", &journal{}
	if s := run1(t, small(), job); s.Tally.Same.Objects != 1 || s.Tally.Evidence.SizeOnly.Objects != 1 {
		t.Errorf("got %+v", s.Tally)
	}
}

func TestUnreadableObjectsAreNamed(t *testing.T) {
	src, dst, job := pair()
	src.put("secret", "x")
	dst.put("secret", "y")
	src.objects["secret"].Encryption.Customer = true
	s := run1(t, small(), job)
	if s.Tally.Failed.Objects != 1 || !strings.Contains(s.Failures[0].Reason, "SSE-C") {
		t.Errorf("got %+v", s)
	}
	job.Mode, job.Journal = Scan, nil
	if s = run1(t, small(), job); s.Tally.Unreadable.Objects != 1 || len(s.Samples["unreadable"]) != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestJobsThatMakeNoSenseAreRefused(t *testing.T) {
	e, err := New(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Job){
		"no source":       func(j *Job) { j.Source = nil },
		"no destination":  func(j *Job) { j.Destination = nil },
		"no journal":      func(j *Job) { j.Journal = nil },
		"a journal":       func(j *Job) { j.Mode = Scan },
		"to delete extra": func(j *Job) { j.Rules.DeleteExtra = true },
		"nothing to rest": func(j *Job) { j.Rules.Restore = true },
		"mode":            func(j *Job) { j.Mode = "x" },
		"compare":         func(j *Job) { j.Rules.Compare = "x" },
		"level":           func(j *Job) { j.Rules.Level = "x" },
		"otherwise":       func(j *Job) { j.Rules.Otherwise = "x" },
	} {
		_, _, job := pair()
		spoil(&job)
		if _, err := e.Run(t.Context(), job); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(Limits{PartThreshold: 6 << 30}); err == nil {
		t.Error("an impossible threshold was accepted")
	}
}

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

func TestDeniedListingEndsTheRun(t *testing.T) {
	for _, cause := range []error{ErrDenied, ErrNoBucket, ErrCredentials, errTorn} {
		src, _, job := pair()
		for i := range 3000 {
			src.put(fmt.Sprintf("k%04d", i), "x")
		}
		n := 0
		src.fault = func(op, _ string) error {
			if op == "list" {
				if n++; n >= 3 {
					return cause
				}
			}
			return nil
		}
		e, _ := New(small())
		s, err := e.Run(context.Background(), job)
		if !errors.Is(err, cause) || !s.Partial || s.Tally.Copied.Objects < 1000 {
			t.Errorf("%v: got %v, %+v", cause, err, s.Tally)
		}
	}
}
