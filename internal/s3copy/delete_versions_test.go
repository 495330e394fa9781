package s3copy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// movedHistories is a finished copy of histories, with tags and a header each.
func movedHistories(t *testing.T, histories map[string][]string) (src, dst *bucket, job Job) {
	t.Helper()
	src, dst, job = versioned()
	job.Rules.Tags = true
	for _, key := range slices.Sorted(maps.Keys(histories)) {
		src.write(key, histories[key]...)
		for _, o := range src.chains[key] {
			o.tags, o.Headers = []Tag{{"of", o.id}}, Headers{ContentType: "text/plain"}
		}
	}
	run1(t, small(), job)
	src.calls, dst.calls = map[string]int{}, map[string]int{}
	return src, dst, job
}

// threeKeys are a history with all that there is, one that ends in a marker, and one of which markers are all.
func threeKeys() map[string][]string {
	return map[string][]string{
		"a": {"1", "2", "gone", "3", "3", "4"}, "b": {"x", "y", "gone"}, "c": {"gone", "gone"}, "z\x01": {"odd", "odder"},
	}
}

func TestAProvenHistoryIsDeletedForGood(t *testing.T) {
	src, dst, job := movedHistories(t, threeKeys())
	dst.write("extra", "stays")
	dst.write("0", "stays")
	before := dst.ids
	del := &during{Deleter: src}
	tally, err := deleteSource(t, job, del)
	if err != nil || tally.Deleted.Objects != 13 || tally.Listed != tally.Deleted || len(src.chains) != 0 {
		t.Errorf("got %+v, %v, left %v", tally, err, src.chains)
	}
	if h := tally.History; h.Versions.Objects != 9 || h.Markers.Objects != 4 || h.Versions.Bytes != tally.Deleted.Bytes {
		t.Errorf("counted %+v", h)
	}
	if dst.ids != before || !slices.Equal(dst.told("a"), threeKeys()["a"]) || !slices.Equal(dst.told("c"), threeKeys()["c"]) {
		t.Errorf("the destination changed: %q", dst.told("a"))
	}
	if i := slices.IndexFunc(del.asked, func(d Deletion) bool { return d.VersionID == "" || d.ETag != "" }); i >= 0 {
		t.Errorf("asked for %+v", del.asked[i])
	}
	if _, err := deleteSource(t, job, src); !errors.Is(err, ErrEmptySource) {
		t.Errorf("once more: %v", err)
	}
}

func TestHistoriesOfManyKeysGoByThousands(t *testing.T) {
	histories := map[string][]string{}
	for i := range 1100 {
		histories[fmt.Sprintf("k%04d", i)] = []string{fmt.Sprint(i)}
	}
	for i := range 12 {
		histories[fmt.Sprintf("m%02d", i)] = strings.Fields(strings.Repeat("a gone ", 50))
	}
	src, dst, job := movedHistories(t, histories)
	tally, err := deleteSource(t, job, src)
	if err != nil || tally.Deleted.Objects != 1100+12*100 || len(src.chains) != 0 || len(dst.chains) != 1112 {
		t.Errorf("got %+v, %v", tally, err)
	}
	// A thousand; 100 keys with nine deep ones; three deep ones: each version in a request with its neighbours.
	if n := src.calls["delete"]; n != 1+100+100 {
		t.Errorf("%d requests", n)
	}
}

// Where one key has thousands of versions, looks do not cost more requests than deletions.
func TestADeepHistoryIsNotListedForEveryVersion(t *testing.T) {
	src, dst, job := movedHistories(t, map[string][]string{"a": {"1"}, "k": make([]string, 2500)})
	_, err := deleteSource(t, job, &broken{Deleter: src, n: 200, reaches: true, seen: func() {}})
	if !errors.Is(err, errKilled) || len(src.chains["k"]) != 2300 {
		t.Errorf("got %v, %d left", err, len(src.chains["k"]))
	}
	if n := dst.calls["list"]; n > 110 {
		t.Errorf("%d looks at 200 deletions", n)
	}
}

func TestNoVersionIsDeletedUnlessEveryHistoryIsProven(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(src, dst *bucket, job *Job)
		key   string
		says  string
	}{
		"an old version is missing": {func(_, dst *bucket, _ *Job) { dst.chains["a"] = slices.Delete(dst.chains["a"], 4, 5) }, "a", "versions stand"},
		"the oldest is missing":     {func(_, dst *bucket, _ *Job) { dst.expire("a") }, "a", "versions stand"},
		"a marker is missing":       {func(_, dst *bucket, _ *Job) { dst.chains["c"] = dst.chains["c"][1:] }, "c", "versions stand"},
		"the order differs": {func(_, dst *bucket, _ *Job) {
			c := dst.chains["a"]
			c[4], c[5] = c[5], c[4]
		}, "a", "in order"},
		"a version differs":    {func(_, dst *bucket, _ *Job) { dst.chains["a"][5].replace("7") }, "a", "versions stand"},
		"another one in front": {func(_, dst *bucket, _ *Job) { dst.write("a", "foreign") }, "a", "as the newest"},
		"a marker in front":    {func(_, dst *bucket, _ *Job) { dst.write("a", "gone") }, "a", "as the newest"},
		"a key is missing":     {func(_, dst *bucket, _ *Job) { delete(dst.chains, "c") }, "c", "missing"},
		"a new version":        {func(src, _ *bucket, _ *Job) { src.write("b", "new") }, "b", "versions stand"},
		"a new key":            {func(src, _ *bucket, _ *Job) { src.write("new", "gone") }, "new", "missing"},
		"known by size only": {func(_, dst *bucket, _ *Job) {
			o := dst.chains["a"][5]
			o.ETag, o.Encryption.Algorithm, o.Checksum, o.Checksums, o.Algorithm = "0123", "aws:kms", "", nil, ""
		}, "a", "no comparable checksum"},
		"by the size rule":        {func(_, dst *bucket, job *Job) { job.Rules.Level = "size"; dst.chains["a"][5].replace("7") }, "a", "versions stand"},
		"filtered":                {func(_, _ *bucket, job *Job) { job.Rules.Match = func(k string) bool { return k != "b" } }, "", "filter"},
		"an old version's tags":   {func(src, _ *bucket, _ *Job) { src.chains["a"][5].tags = []Tag{{"of", "somebody"}} }, "a", `tag "of" from its copy's`},
		"a current one's tags":    {func(src, _ *bucket, _ *Job) { src.chains["a"][0].tags = nil }, "a", `tag "of"`},
		"the copy's tags":         {func(_, dst *bucket, _ *Job) { dst.chains["b"][2].tags = nil }, "b", `tag "of"`},
		"tags that are denied":    {func(_, dst *bucket, _ *Job) { dst.fault = denies("tags", "b") }, "b", "access denied"},
		"headers that were lost":  {func(_, dst *bucket, job *Job) { job.Rules.Redirects = true; dst.chains["b"][2].Headers = Headers{} }, "b", "at the destination: copy its history to another place"},
		"a version without an ID": {func(src, _ *bucket, _ *Job) { src.chains["b"][1].id = "" }, "b", "names no version ID"},
		"a version that any write replaces": {func(src, _ *bucket, job *Job) {
			src.chains["b"][2].id, job.Suspended = nullVersion, true
		}, "b", "may be replaced by any write"},
	} {
		t.Run(name, func(t *testing.T) {
			src, dst, job := movedHistories(t, threeKeys())
			c.spoil(src, dst, &job)
			before := src.history()
			tally, err := deleteSource(t, job, src)
			unproven, ok := errors.AsType[*UnprovenError](err)
			if !ok || unproven.Objects != 1 || unproven.Key != c.key || !strings.Contains(unproven.Reason, c.says) || len(unproven.Marks) != 0 {
				t.Errorf("got %v, %+v", err, unproven)
			}
			if src.calls["delete"] != 0 || tally.Deleted.Objects != 0 || !maps.Equal(src.history(), before) {
				t.Errorf("%v is left of %v", src.history(), before)
			}
		})
	}
}

// replace gives a version other bytes.
func (o *stored) replace(body string) {
	o.body, o.ETag, o.Checksums = []byte(body), md5hex([]byte(body)), map[string]string{"CRC64NVME": crcOf([]byte(body))}
}

// history tells all that a bucket has.
func (b *bucket) history() map[string]string {
	all := map[string]string{}
	for key := range b.chains {
		all[key] = fmt.Sprintf("%q", b.told(key))
	}
	return all
}

func TestAVersionNullGoesWhereNothingReplacesIt(t *testing.T) {
	src, dst, job := versioned()
	src.suspended = true
	src.write("k", "from before")
	src.suspended = false
	src.write("k", "2", "gone")
	run1(t, small(), job)
	if tally, err := deleteSource(t, job, src); err != nil || tally.Deleted.Objects != 3 || len(src.chains) != 0 || len(dst.chains["k"]) != 3 {
		t.Errorf("got %+v, %v", tally, err)
	}
}

func TestWhatIsWrittenAfterTheProofOfHistoriesStopsItAndStays(t *testing.T) {
	for name, c := range map[string]struct{ key, body string }{
		"in front of a key":       {"a", "new"},
		"a marker in front of it": {"a", "gone"},
		"on a key already gone":   {"c", "new"},
		"a key in front":          {"0", "new"},
		"a key in between":        {"a0", "new"},
		"a key behind":            {"y", "new"},
		"as the version null":     {"b", "new"},
	} {
		for n := 1; n <= 6; n++ {
			t.Run(fmt.Sprintf("%s, request %d", name, n), func(t *testing.T) {
				src, dst, job := movedHistories(t, threeKeys())
				src.suspended = strings.Contains(name, "null")
				newest := len(src.chains[c.key]) // of what is there before
				del := &during{Deleter: src, n: n, attack: func() { swap(src, func() { src.write(c.key, c.body) }) }}
				tally, err := deleteSource(t, job, del)
				if got := src.told(c.key); len(got) == 0 || got[len(got)-1] != c.body || len(got) > newest+1 {
					t.Errorf("it has %q: %+v, %v", got, tally, err)
				}
				_, stopped := errors.AsType[*UnprovenError](err)
				if c.key >= "a" && n < 6 && !stopped { // what is listed already, or written at the end, is found by who called
					t.Errorf("it went on: %v", err)
				}
				dst.nothingLost(t, src, threeKeys())
				finish(t, src, dst, job, "new")
			})
		}
	}
}

// nothingLost wants the newest of the destination to be the history, of which the source may have lost the oldest.
func (b *bucket) nothingLost(t *testing.T, src *bucket, histories map[string][]string) {
	t.Helper()
	for key, want := range histories {
		if got := b.told(key); len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("the destination's %q is %q, want %q first; the source has %q", key, got, want, src.told(key))
		}
	}
}

// finish copies what is new and deletes the rest, as the next apply does.
func finish(t *testing.T, src, dst *bucket, job Job, new string) {
	t.Helper()
	job.Journal = &journal{}
	made := dst.ids
	s := run1(t, small(), job)
	if h := s.Tally.History; new == "" && dst.ids != made || h.VersionsCopied.Objects+h.MarkersCopied.Objects > 1 {
		t.Errorf("the next run copied %+v", h)
	}
	job.Journal = nil
	src.suspended = false
	if _, err := deleteSource(t, job, src); err != nil || len(src.chains) != 0 {
		t.Errorf("the next run: %v, left %v", err, src.history())
	}
}

func TestACopyVersionThatVanishesBeforeItsSourceGoesKeepsTheSource(t *testing.T) {
	for name, change := range map[string]func(dst *bucket){
		"an old one":       func(dst *bucket) { dst.chains["a"] = slices.Delete(dst.chains["a"], 2, 3) },
		"the oldest":       func(dst *bucket) { dst.expire("a") },
		"the current one":  func(dst *bucket) { dst.chains["a"] = dst.chains["a"][1:] },
		"the key":          func(dst *bucket) { delete(dst.chains, "a") },
		"hidden by one":    func(dst *bucket) { dst.write("a", "foreign") },
		"hidden by marker": func(dst *bucket) { dst.write("a", "gone") },
	} {
		for n := 1; n <= 5; n++ {
			t.Run(fmt.Sprintf("%s, request %d", name, n), func(t *testing.T) {
				src, dst, job := movedHistories(t, threeKeys())
				del := &during{Deleter: src, n: n, attack: func() { swap(dst, func() { change(dst) }) }}
				tally, err := deleteSource(t, job, del)
				unproven, ok := errors.AsType[*UnprovenError](err)
				if !ok || unproven.Key != "a" || del.calls != n {
					t.Errorf("got %+v, %v in %d requests", tally, err, del.calls)
				}
				if got := src.told("a"); len(got) == 0 || got[len(got)-1] != "4" {
					t.Errorf("the source has %q", got)
				}
			})
		}
	}
}

// halting refuses a version, or breaks off.
type halting struct {
	Deleter
	refuse map[string]bool // by version ID
	short  bool
}

func (h halting) DeleteObjects(ctx context.Context, objects []Deletion) ([]error, error) {
	if h.short {
		return nil, nil
	}
	errs := make([]error, len(objects))
	for i, o := range objects {
		if h.refuse[o.VersionID] {
			errs[i] = ErrDenied
			continue
		}
		one, err := h.Deleter.DeleteObjects(ctx, []Deletion{o})
		if errs[i] = err; err == nil {
			errs[i] = one[0]
		}
	}
	return errs, nil
}

func TestADeniedVersionKeepsAllInFrontOfItAndNothingElse(t *testing.T) {
	src, dst, job := movedHistories(t, threeKeys())
	denied := src.chains["a"][3].id // the marker: two older ones go
	tally, err := deleteSource(t, job, halting{Deleter: src, refuse: map[string]bool{denied: true}})
	undeleted, ok := errors.AsType[*UndeletedError](err)
	if !ok || undeleted.Key != "a" || undeleted.Objects != 4 || !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "4 source versions and delete markers were not deleted") ||
		!strings.Contains(err.Error(), denied) {
		t.Errorf("got %v", err)
	}
	if tally.Deleted.Objects != 9 || tally.Failed.Objects != 4 || tally.Listed.Objects != 13 {
		t.Errorf("got %+v", tally)
	}
	if got := src.told("a"); !slices.Equal(got, []string{"gone", "3", "3", "4"}) || len(src.chains) != 1 {
		t.Errorf("left are %v", src.history())
	}
	finish(t, src, dst, job, "")
}

func TestAShortAnswerAboutVersionsCountsNothingAsGone(t *testing.T) {
	src, _, job := movedHistories(t, threeKeys())
	if tally, err := deleteSource(t, job, halting{Deleter: src, short: true}); err == nil || tally.Deleted.Objects != 0 || len(src.chains) != 4 {
		t.Errorf("got %+v, %v", tally, err)
	}
}

func TestADeletionOfVersionsThatNothingAnswersEndsSoon(t *testing.T) {
	histories := map[string][]string{}
	for i := range 50 {
		histories[fmt.Sprintf("k%02d\x01", i)] = []string{"a", "b"} // each by a request of its own
	}
	src, dst, job := movedHistories(t, histories)
	del := &during{Deleter: speechless{}}
	tally, err := deleteSource(t, job, del)
	if undeleted, ok := errors.AsType[*UndeletedError](err); !ok || undeleted.Objects != 6 || del.calls != silentMost || tally.Deleted.Objects != 0 {
		t.Errorf("got %+v, %v after %d requests", tally, err, del.calls)
	}
	finish(t, src, dst, job, "")
}

func TestOneBucketWithVersionsAtTwoAddressesIsNotDeleted(t *testing.T) {
	src, _, job := movedHistories(t, threeKeys())
	job.Destination, job.Twin = src, true
	if _, err := deleteSource(t, job, src); !errors.Is(err, ErrOneBucket) || src.calls["delete"] != 0 {
		t.Errorf("got %v", err)
	}
}

// broken is a deleter that is killed at its n-th request, before it reaches the server or after, and tells of every request.
type broken struct {
	Deleter
	n       int
	reaches bool
	seen    func()
}

var errKilled = errors.New("killed")

func (b *broken) DeleteObjects(ctx context.Context, objects []Deletion) ([]error, error) {
	keys := map[string]bool{}
	for _, o := range objects {
		keys[o.Key] = true
	}
	if len(keys) != len(objects) {
		return nil, fmt.Errorf("two versions of one key in a request: %+v", objects)
	}
	b.n--
	if b.n == 0 && !b.reaches {
		return nil, errKilled
	}
	errs, err := b.Deleter.DeleteObjects(ctx, objects)
	b.seen()
	if b.n == 0 {
		return nil, errKilled
	}
	return errs, err
}

// Killed at any requests, and each time gone on with: whoever reads the source sees a key as it was or not at all; what
// is left is the newest part of what was there, so that the next run copies nothing and goes on.
func TestAReaderOfTheSourceNeverSeesAnOldVersionAgain(t *testing.T) {
	history := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "", "gone", "cc"}), 0, 6)
	rapid.Check(t, func(rt *rapid.T) {
		histories := map[string][]string{"z": {"1"}}
		for _, key := range []string{"k", "k/", "\x01", "ü"} {
			histories[key] = history.Draw(rt, key)
		}
		src, dst, job := movedHistories(t, histories)
		made := dst.ids
		seen := func() {
			for key, want := range histories {
				got := src.told(key)
				if len(got) > len(want) || !slices.Equal(got, want[len(want)-len(got):]) {
					rt.Fatalf("%q: %q is left of %q", key, got, want)
				}
				if o, ok := src.objects[key]; ok && string(o.body) != want[len(want)-1] {
					rt.Fatalf("%q: a reader sees %q, of %q", key, o.body, want)
				}
			}
		}
		var err error
		for tries := 0; ; tries++ {
			del := &broken{Deleter: src, n: rapid.IntRange(1, 9).Draw(rt, "killed at"), reaches: rapid.Bool().Draw(rt, "reaches"), seen: seen}
			if _, err = deleteSource(t, job, del); !errors.Is(err, errKilled) || tries > 200 {
				break
			}
			again := job
			again.Journal = &journal{}
			run1(t, tiny(), again)
		}
		if err != nil && !errors.Is(err, ErrEmptySource) || len(src.chains) != 0 || dst.ids != made {
			rt.Fatalf("%v, left %v, the destination has %v", err, src.history(), dst.history())
		}
	})
}
