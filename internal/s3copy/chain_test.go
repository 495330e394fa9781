package s3copy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestAKeyGoesWithItsVersionsInOrder(t *testing.T) {
	for name, c := range map[string]struct{ src, dst, want, again string }{
		"nothing there":                {src: "a b c", want: "a b c"},
		"delete markers":               {src: "gone a gone gone b gone", want: "gone a gone gone b gone"},
		"only a marker":                {src: "gone", want: "gone"},
		"all there":                    {src: "a b", dst: "a b", want: "a b"},
		"some there":                   {src: "a b c d", dst: "a b", want: "a b c d"},
		"a foreign history beneath":    {src: "a b", dst: "x y", want: "x y a b"},
		"ours over a foreign history":  {src: "a b c", dst: "x a b", want: "x a b c"},
		"equal versions":               {src: "a a b a a", dst: "a a b a", want: "a a b a a"},
		"a foreign one on top":         {src: "a b", dst: "a b x", want: "a b x a b"},
		"a foreign one in between":     {src: "a b c", dst: "a x b", want: "a x b a b c"},
		"the source lost its oldest":   {src: "b c", dst: "a b c", want: "a b c"},
		"it lost some and has new":     {src: "b c d", dst: "a b c", want: "a b c d"},
		"a marker instead of bytes":    {src: "a gone", dst: "a b", want: "a b a gone"},
		"empty ones":                   {src: "- - a", dst: "-", want: "- - a"},
		"the destination lost some":    {src: "a b c", dst: "b c", want: "b c a b c"},
		"it was deleted there by hand": {src: "a b", dst: "a b gone", want: "a b gone a b"},
	} {
		t.Run(name, func(t *testing.T) {
			src, dst, job := versioned()
			src.write("k", words(c.src)...)
			dst.write("k", words(c.dst)...)
			before := scanned1(t, job)
			s := run1(t, small(), job)
			if got, want := dst.told("k"), words(c.want); !slices.Equal(got, want) {
				t.Errorf("the destination has %q, want %q: %+v", got, want, s.Failures)
			}
			h := s.Tally.History
			made := len(dst.chains["k"]) - len(words(c.dst))
			if n := int(h.VersionsCopied.Objects + h.MarkersCopied.Objects); n != made || h.Versions.Objects+h.Markers.Objects != int64(len(src.chains["k"])) {
				t.Errorf("made %d, counted %+v", made, h)
			}
			if n := before.Tally.History; n.VersionsCopied != h.VersionsCopied || n.MarkersCopied != h.MarkersCopied {
				t.Errorf("the scan counted %+v, the copy %+v", n, h)
			}
			wantSettled(t, dst, job)
		})
	}
}

// words gives the versions that a text names; "-" is an empty one.
func words(text string) []string {
	all := strings.Fields(text)
	for i := range all {
		if all[i] == "-" {
			all[i] = ""
		}
	}
	return all
}

func scanned1(t *testing.T, job Job) Summary {
	t.Helper()
	job.Mode, job.Journal = Scan, nil
	return run1(t, small(), job)
}

// wantSettled has every key be the same, and nothing left to copy.
func wantSettled(t *testing.T, dst *bucket, job Job) {
	t.Helper()
	job.Mode, job.Journal = Verify, nil
	if s := run1(t, small(), job); s.Tally.Same != s.Tally.Listed || s.Tally.Evidence.SizeOnly.Objects > 0 {
		t.Errorf("verified: %+v %+v", s.Tally, s.Failures)
	}
	made := dst.ids
	job.Mode, job.Journal = Copy, &journal{}
	if s := run1(t, small(), job); s.Tally.Copied.Objects > 0 || s.Tally.History.VersionsCopied.Objects > 0 || dst.ids != made {
		t.Errorf("a second run copied: %+v", s.Tally)
	}
}

func TestVersionsKeepTheirTagsHeadersAndLayout(t *testing.T) {
	for _, streaming := range []bool{false, true} {
		src, dst, job := versioned()
		job.Streaming = streaming
		old := src.putParts("k", long(60), long(50))
		old.tags, old.Headers = []Tag{{"of", "the old one"}}, Headers{ContentType: "text/old"}
		now := src.put("k", long(313))
		now.tags, now.Headers = []Tag{{"of", "the new one"}}, Headers{ContentType: "text/new"}
		run1(t, small(), job)
		for i, want := range []*stored{now, old} {
			got := dst.chains["k"][i]
			if got.Headers.ContentType != want.Headers.ContentType || fmt.Sprint(got.tags) != fmt.Sprint(want.tags) || string(got.body) != string(want.body) {
				t.Errorf("streaming %t, version %d: %+v", streaming, i, got)
			}
		}
		if got := dst.chains["k"][1]; got.ETag != old.ETag {
			t.Errorf("streaming %t: the old version's layout is lost: %s, want %s", streaming, got.ETag, old.ETag)
		}
		if j := job.Journal.(*journal); len(j.p.Uploads)+len(dst.uploads) != 0 {
			t.Errorf("uploads are left: %v", dst.uploads)
		}
		wantSettled(t, dst, job)
	}
}

func TestNothingNewerIsCopiedPastAVersionThatFails(t *testing.T) {
	src, dst, job := versioned()
	src.write("k", "a", "b", "c")
	src.write("other", "x")
	bad := src.chains["k"][1]
	bad.StorageClass = "GLACIER"
	s := run1(t, small(), job)
	if got := dst.told("k"); len(got) != 0 || s.Tally.Archived.Objects != 1 || s.Tally.Copied.Objects != 1 {
		t.Errorf("archived: %q, %+v", got, s.Tally)
	}
	bad.StorageClass = ""
	dst.fault = func(op, key string) error {
		if op == "copy" && len(dst.chains["k"]) == 1 {
			return ErrDenied
		}
		return nil
	}
	job.Journal = &journal{}
	s = run1(t, small(), job)
	if got := dst.told("k"); !slices.Equal(got, []string{"a"}) || s.Tally.Failed.Objects != 1 || s.Tally.Failed.Bytes != 3 {
		t.Errorf("denied: %q, %+v", got, s.Tally)
	}
	if len(s.Failures) != 1 || !strings.Contains(s.Failures[0].Reason, "version "+bad.id) {
		t.Errorf("failures: %+v", s.Failures)
	}
	dst.fault = nil
	s = run1(t, small(), job) // goes on
	if got := dst.told("k"); !slices.Equal(got, []string{"a", "b", "c"}) || s.Tally.Failed.Objects != 0 || s.Tally.History.Versions.Objects != 4 {
		t.Errorf("healed: %q, %+v", got, s.Tally)
	}
	wantSettled(t, dst, job)
}

func TestArchivedVersionsAreRestoredInOneGo(t *testing.T) {
	src, dst, job := versioned()
	job.Rules.Restore, job.Restorer = true, src
	src.write("k", "a", "b", "gone", "c")
	for _, i := range []int{2, 3} {
		src.chains["k"][i].StorageClass = "DEEP_ARCHIVE"
	}
	s := run1(t, small(), job)
	if src.calls["restore"] != 4 || s.Waiting != 1 || len(dst.chains["k"]) != 0 { // once in the pass, once in its retry
		t.Errorf("%d restores, %+v", src.calls["restore"], s)
	}
	for _, i := range []int{2, 3} {
		src.chains["k"][i].Restored = true
	}
	job.Rules.StorageClass = "STANDARD"
	run1(t, small(), job)
	if got := dst.told("k"); !slices.Equal(got, []string{"a", "b", "gone", "c"}) {
		t.Errorf("restored: %q", got)
	}
}

func TestADestinationThatKeepsNoVersionsEndsTheRun(t *testing.T) {
	src, dst, job := versioned()
	src.write("k", "a", "b")
	dst.versions = false
	dst.fault = func(op, _ string) error { return nil }
	e, err := New(small())
	if err != nil {
		t.Fatal(err)
	}
	job.Destination = noChains{dst}
	if _, err := e.Run(t.Context(), job); !errors.Is(err, ErrUnversioned) {
		t.Errorf("got %v", err)
	}
	if dst.calls["copy"] != 1 {
		t.Errorf("%d copies", dst.calls["copy"])
	}
}

// noChains lists its objects as chains without answering with versions.
type noChains struct{ *bucket }

func (noChains) ListPage(context.Context, PageRequest, []Object) (Page, error) { return Page{}, nil }

func TestALostAnswerMakesNoSecondVersion(t *testing.T) {
	src, dst, job := versioned()
	src.write("k", "a", "gone", "b", "gone", long(300))
	src.putParts("k", long(40), long(50))
	lost := map[string]bool{}
	var mu sync.Mutex
	job.Destination = silent{dst, func(op string) error {
		mu.Lock()
		defer mu.Unlock()
		if id := fmt.Sprint(op, len(dst.chains["k"])); !lost[id] && len(lost) < 2 {
			lost[id] = true
			return errors.New("the connection was torn")
		}
		return nil
	}}
	s := run1(t, small(), job)
	if got, want := dst.told("k"), src.told("k"); !slices.Equal(got, want) || s.Tally.Copied.Objects != 1 {
		t.Errorf("%q, want %q: %+v", got, want, s.Failures)
	}
	if len(lost) != 2 {
		t.Errorf("%d answers were lost", len(lost))
	}
}

// silent loses answers of what was done.
type silent struct {
	*bucket
	loses func(op string) error
}

func (b silent) CopyObject(ctx context.Context, r CopyRequest) (Copied, error) {
	answer, err := b.bucket.CopyObject(ctx, r)
	if err == nil {
		err = b.loses("copy")
	}
	return answer, err
}

func (b silent) PutMarker(ctx context.Context, key string) (string, error) {
	id, err := b.bucket.PutMarker(ctx, key)
	if err == nil {
		err = b.loses("marker")
	}
	return id, err
}

func TestAChainThatWasBrokenOffGoesOnWithoutDoublingAVersion(t *testing.T) {
	want := []string{"a", "gone", "b", "b", long(120), "gone", "c"}
	for n := 1; n <= len(want); n++ {
		src, dst, job := versioned()
		src.write("k", want...)
		src.write("l", "x", "y")
		killed, made := make(chan struct{}), 0
		job.Kill = killed
		dst.hook = func(op, _ string) {
			if made++; made == n {
				close(killed)
			}
		}
		e, err := New(Limits{InFlight: 1, PartThreshold: 100, PartSize: 40, PartsInFlight: 1})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Run(t.Context(), job)
		dst.hook, job.Kill = nil, nil
		s := run1(t, small(), job)
		if got := dst.told("k"); !slices.Equal(got, want) || !slices.Equal(dst.told("l"), []string{"x", "y"}) {
			t.Errorf("killed after %d (%v): %q, %+v", n, err, got, s.Failures)
		}
		wantSettled(t, dst, job)
	}
}

func TestAKeyWithThousandsOfVersionsIsCopiedWhole(t *testing.T) {
	src, dst, job := versioned()
	const most = 2500
	for i := range most {
		src.write("k", fmt.Sprint(i%7))
	}
	src.write("a", "x")
	src.write("z", "x")
	s := run1(t, small(), job)
	if len(dst.chains["k"]) != most || !slices.Equal(dst.told("k"), src.told("k")) || s.Tally.History.VersionsCopied.Objects != most+2 {
		t.Errorf("%d versions, %+v", len(dst.chains["k"]), s.Tally)
	}
	wantSettled(t, dst, job)
}

func TestASecondPassBringsNewVersions(t *testing.T) {
	src, dst, job := versioned()
	job.SecondPass = true
	src.write("a", "1", "2")
	src.write("b", "1")
	once := sync.Once{}
	dst.hook = func(op, key string) {
		if key == "b" {
			once.Do(func() {
				src.mu.Lock()
				defer src.mu.Unlock()
				src.write("a", "gone", "3")
				src.write("c", "new")
			})
		}
	}
	s := run1(t, tiny(), job)
	if got := dst.told("a"); !slices.Equal(got, []string{"1", "2", "gone", "3"}) || !slices.Equal(dst.told("c"), []string{"new"}) {
		t.Errorf("%q, %+v", got, s)
	}
	if h := s.Tally.History; h.Versions.Objects != 5 || h.Markers.Objects != 1 || s.Tally.Listed.Objects != 3 || h.VersionsCopied.Objects != 5 {
		t.Errorf("%+v", s.Tally)
	}
}

func TestOverwriteNeverLeavesForeignHistoriesAlone(t *testing.T) {
	src, dst, job := versioned()
	job.Rules.NeverReplace = true
	src.write("begun", "a", "b")
	src.write("foreign", "a", "b")
	src.write("new", "a", "b")
	dst.write("begun", "a")
	dst.write("foreign", "x")
	s := run1(t, small(), job)
	if s.Tally.Kept.Objects != 1 || s.Tally.Copied.Objects != 2 || len(dst.chains["foreign"]) != 1 || len(dst.chains["begun"]) != 2 {
		t.Errorf("%+v", s.Tally)
	}
}

func TestChecksumsCompareVersionsWhereETagsCannot(t *testing.T) {
	src, dst, job := versioned()
	dst.kms = true
	src.write("k", "a", "b", "c")
	run1(t, small(), job)
	wantSettled(t, dst, job)
	src.write("k", "d")
	job.Journal = &journal{}
	run1(t, small(), job)
	if got := dst.told("k"); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("%q", got)
	}
}

// After a copy the chains compare as the same, the source's history is the newest of the destination's, nothing that stood
// there is gone, and a second run copies nothing; a crash, a change at the source and a second run in between or not.
func TestAnyHistoriesEndAsTheSourcesOverTheDestinations(t *testing.T) {
	history := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "", "gone", "cc"}), 0, 6)
	rapid.Check(t, func(rt *rapid.T) {
		src, dst, job := versioned()
		before := map[string][]string{}
		for _, key := range []string{"k", "k/", "\x01", "ü"} {
			src.write(key, history.Draw(rt, "src")...)
			dst.write(key, history.Draw(rt, "dst")...)
			before[key] = dst.told(key)
		}
		dst.kms = rapid.Bool().Draw(rt, "kms")
		killed, made, n := make(chan struct{}), 0, rapid.IntRange(1, 12).Draw(rt, "killed after")
		job.Kill = killed
		var mu sync.Mutex
		dst.hook = func(string, string) {
			mu.Lock()
			defer mu.Unlock()
			if made++; made == n {
				close(killed)
			}
		}
		e, err := New(tiny())
		if err != nil {
			rt.Fatal(err)
		}
		_, _ = e.Run(t.Context(), job) // it may have been broken off
		dst.hook, job.Kill = nil, nil
		if rapid.Bool().Draw(rt, "expires") && len(src.chains["k"]) > 0 {
			src.expire("k")
		}
		s := run1(t, tiny(), job)
		for key, old := range before {
			got, want := dst.told(key), src.told(key)
			if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
				rt.Fatalf("%q: %q does not end in %q: %+v", key, got, want, s)
			}
			if len(got) < len(old) || !slices.Equal(got[:len(old)], old) {
				rt.Fatalf("%q: %q had been %q", key, got, old)
			}
		}
		ids := dst.ids
		job.Journal = &journal{}
		again := run1(t, tiny(), job)
		if again.Tally.Copied.Objects != 0 || again.Tally.History.VersionsCopied.Objects != 0 || dst.ids != ids {
			rt.Fatalf("a second run copied: %+v", again.Tally)
		}
	})
}

func TestEveryVersionIsMappedOrSaidToBeMissing(t *testing.T) {
	src, dst, job := versioned()
	src.write("old", "a", "gone", "b")
	src.write("kms", "a", "b")
	src.write("odd\x01", "a")
	dst.write("old", "x")
	run1(t, small(), job)
	dst.kms = true
	dst.write("kms", "a", "b")
	src.write("missing", "a", "gone")
	job.Mode, job.Journal = Verify, nil
	got := map[string]string{}
	job.Mapping = func(key, destination string, versions []Mapped) error {
		if got[key] != "" || destination != key {
			t.Errorf("%q was mapped twice, or to %q", key, destination)
		}
		for i, v := range versions {
			if v.SourceVersion != src.chains[key][len(versions)-1-i].id {
				t.Errorf("%q: version %d is %+v", key, i, v)
			}
			there := slices.IndexFunc(dst.chains[key], func(o *stored) bool { return o.id == v.DestinationVersion })
			got[key] += fmt.Sprint(len(dst.chains[key])-1-there, v.Evidence, v.DeleteMarker, " ")
			if v.DestinationVersion == "" {
				got[key] += "none "
			}
		}
		return nil
	}
	run1(t, small(), job)
	want := map[string]string{
		"old": "1etagfalse 2true 3etagfalse ", "kms": "2checksumfalse 3checksumfalse ", "odd\x01": "0etagfalse ",
		"missing": "0false none 0true none ",
	}
	for key, line := range want {
		if got[key] != line {
			t.Errorf("%q: %q, want %q", key, got[key], line)
		}
	}
	job.Mapping = func(string, string, []Mapped) error { return errors.New("the disk is full") }
	e, err := New(small())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("a mapping that cannot be written: %v", err)
	}
}

func TestFilteredHistoriesAreInTheAccountToo(t *testing.T) {
	src, dst, job := versioned()
	src.write("k", "a", "gone", "b")
	src.write("left/out", "xx", "gone")
	job.Rules.Match = func(key string) bool { return key == "k" }
	for _, mode := range []Mode{Scan, Copy, Verify} {
		job.Mode, job.Journal = mode, nil
		s := run1(t, small(), job)
		if h := s.Tally.History; s.Tally.Filtered.Objects != 1 || h.Versions.Objects != 3 || h.Markers.Objects != 2 || dst.chains["left/out"] != nil {
			t.Errorf("%s: %+v", mode, s.Tally)
		}
	}
}
