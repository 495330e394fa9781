package test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A folding is a server to which several keys are one, as to a file system that does not tell cases apart.
type folding struct {
	twins    []string // of the source, one object there
	fold     func(key string) string
	preserve bool // it lists a key as it was first written
}

var foldings = map[string]folding{
	"lower case":                      {[]string{"README.md", "Readme.md"}, strings.ToLower, false},
	"any case, listed as first named": {[]string{"README.md", "Readme.md"}, strings.ToLower, true},
	"NFC":                             {[]string{"caf\u00e9", "cafe\u0301"}, strings.NewReplacer("e\u0301", "\u00e9").Replace, false},
}

// TestKeysThatTheDestinationTakesForOneStayInTheSource moves a source with keys that the destination takes for one, whether their bytes
// differ or not. It is no success, and nothing of it is deleted.
func TestKeysThatTheDestinationTakesForOneStayInTheSource(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName) {
		w := s.start(t)
		for _, name := range slices.Sorted(maps.Keys(foldings)) {
			for how, c := range map[string]struct{ streaming, alike bool }{
				"by the server": {}, "through this machine, alike": {true, true},
			} {
				t.Run(name+", "+how, func(t *testing.T) {
					t.Parallel()
					folded(t, w.in(t), foldings[name], c.streaming, c.alike)
				})
			}
		}
	}
}

func folded(t *testing.T, w *world, f folding, streaming, alike bool) {
	t.Helper()
	source, destination := w.bucket(t, w.source, "photos"), name("photos-b")
	for _, key := range append([]string{"z"}, f.twins...) {
		body := bodyOf(key)
		if alike {
			body = "alike"
		}
		w.source.put(t, source, key, body)
	}
	before := w.source.contents(t, source, true)
	var mu sync.Mutex // of first
	first := map[string]string{}
	m := mask{
		key: func(bucket, key string) string {
			if bucket == destination {
				return f.fold(key)
			}
			return key
		},
		made: func(bucket, key string) {
			mu.Lock()
			defer mu.Unlock()
			if _, there := first[f.fold(key)]; !there && bucket == destination && !strings.Contains(key, "xplan-probe") {
				first[f.fold(key)] = key
			}
		},
		listed: func(bucket, key string) string {
			mu.Lock()
			defer mu.Unlock()
			if as, there := first[key]; f.preserve && there && bucket == destination {
				return as
			}
			return key
		},
	}
	to := w.mask(t, m)
	from := to
	if streaming {
		from = w.url
	}
	text := compatiblePlan(w, from, to, source, destination)
	text = strings.Replace(text, destinationProfile, sourceProfile, 1)
	p := newProgram(t, text+"verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\n", w.config)
	p.limit = 3 * time.Minute
	for _, words := range [][]string{{}, {"--new-run"}} {
		got := p.run(t, append([]string{"apply", p.plan, "--yes", "--confirm=" + source}, words...)...)
		if got.code == 0 || !slices.ContainsFunc(f.twins, func(key string) bool { return strings.Contains(got.String(), key) }) {
			t.Errorf("it says %s", got)
		}
	}
	if got := p.run(t, "verify", p.plan); got.code == 0 {
		t.Errorf("verified: %s", got)
	}
	left := w.source.contents(t, source, true)
	for key, was := range before {
		if now, ok := left[key]; !ok || !now.same(was) {
			t.Errorf("%q is gone from the source", key)
		}
	}
}

// TestAMirrorDoesNotClearWhatTheDestinationListsUnderAnotherName: what a destination lists in lower case is extra by its name, and the copy of
// what the source has.
func TestAMirrorDoesNotClearWhatTheDestinationListsUnderAnotherName(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName) {
		w := s.start(t)
		source, destination := w.bucket(t, w.source, "photos"), name("photos-b")
		for _, key := range []string{"README.md", "z"} {
			w.source.put(t, source, key, bodyOf(key))
		}
		to := w.mask(t, mask{key: func(bucket, key string) string {
			if bucket == destination {
				return strings.ToLower(key)
			}
			return key
		}})
		text := strings.Replace(compatiblePlan(w, w.url, to, source, destination), destinationProfile, sourceProfile, 1)
		p := newProgram(t, strings.Replace(text, "copy:\n", "copy:\n  delete_extra: true\n", 1), w.config)
		p.limit = 3 * time.Minute
		for range 2 {
			got := p.run(t, "apply", p.plan, "--yes", "--confirm="+destination)
			if got.code != 4 || !strings.Contains(got.String(), "README.md") {
				t.Errorf("it says %s", got)
			}
		}
		if left := w.source.contents(t, destination, false); len(left) != 2 {
			t.Errorf("%d copies are left", len(left))
		}
		w.source.put(t, destination, "stale", "x")
		if _, err := w.source.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &source, Key: aws.String("README.md")}); err != nil {
			t.Fatal(err)
		}
		p.must(t, "apply", p.plan, "--yes", "--confirm="+destination)
		if left := w.source.contents(t, destination, false); len(left) != 1 {
			t.Errorf("%d copies are left of one object", len(left))
		}
	}
}
