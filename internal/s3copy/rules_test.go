package s3copy

import (
	"context"
	"errors"
	"fmt"
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

func TestCopyWithoutAJournalIsACopyAllTheSame(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "a")
	src.putParts("p", "some ", "parts")
	job.Journal = nil
	if s := run1(t, small(), job); s.Tally.Copied.Objects != 2 {
		t.Errorf("got %+v", s.Tally)
	}
	wantEqual(t, src, dst, job)
}

func TestDestinationThatCannotBeAskedIsCopiedOver(t *testing.T) {
	src, dst, job := pair()
	src.put("a", "right")
	dst.put("a", "wrong")
	refuse := func(op, _ string) error {
		if op == "head" {
			return errors.New("400 Bad Request")
		}
		return nil
	}
	dst.fault = refuse
	if s := run1(t, small(), job); s.Tally.Copied.Objects != 1 {
		t.Errorf("got %+v", s)
	}
	wantEqual(t, src, dst, job)
}
