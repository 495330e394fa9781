package test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"
)

// TestABucketIsNotMovedOntoItself reaches one bucket as two: by two names of one address. Every object is proven at the
// destination, since it is the source's own.
func TestABucketIsNotMovedOntoItself(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, versitygwName) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := s.start(t)
			b := w.bucket(t, w.source, "photos")
			for _, key := range []string{"a", "b", "c/d"} {
				w.source.put(t, b, key, bodyOf(key))
			}
			w.share(t, b)
			v := watch(t, w.url)
			text := compatiblePlan(w, v.url, strings.Replace(v.url, "127.0.0.1", "localhost", 1), b, b)
			text = strings.Replace(text, destinationProfile, sourceProfile, 1)
			p := newProgram(t, text+"verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\n", w.config)
			p.limit = 3 * time.Minute
			got := p.run(t, "apply", p.plan, "--yes", "--confirm="+b)
			if got.code == 0 || !strings.Contains(got.String(), "look like one bucket at two addresses") {
				t.Errorf("it says %s", got)
			}
			if left := w.source.contents(t, b, false); len(left) != 3 {
				t.Errorf("%d objects are left", len(left))
			}
		})
	}
}

// TestPartsOfOneBucketThatOverlapAreNotCopied reaches one bucket as two, and copies a part of it over another one: each copy is a source as
// well, and would be overwritten before it is read, or copied again and again. The plan cannot tell, since the addresses differ.
func TestPartsOfOneBucketThatOverlapAreNotCopied(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, versitygwName) {
		for name, to := range map[string][2]string{"out of a folder": {"a/", ""}, "into a folder": {"", "a/"}, "deeper": {"a/", "a/a/"}} {
			t.Run(s.name+", "+name, func(t *testing.T) {
				t.Parallel()
				w := s.start(t)
				b := w.bucket(t, w.source, "photos")
				for _, key := range []string{"a/k", "a/a/k", "a/a/a/k", "z"} {
					w.source.put(t, b, key, bodyOf(key))
				}
				w.share(t, b)
				v := watch(t, w.url)
				text := compatiblePlan(w, v.url, strings.Replace(v.url, "127.0.0.1", "localhost", 1), b, b)
				text = strings.Replace(text, destinationProfile, sourceProfile, 1)
				text = strings.Replace(text, "    create: true\n", "    create: true\n    prefix: \""+to[0]+"\"\n    to_prefix: \""+to[1]+"\"\n", 1)
				p := newProgram(t, text+"verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\n", w.config)
				p.limit = 3 * time.Minute
				for _, words := range [][]string{{"--yes"}, {"--yes", "--no-scan", "--new-run"}} {
					got := p.run(t, append([]string{"apply", p.plan, "--confirm=" + b}, words...)...)
					if got.code != 1 || !strings.Contains(got.String(), "look like one bucket at two addresses") {
						t.Errorf("it says %s", got)
					}
				}
				left := w.source.contents(t, b, false)
				for _, key := range []string{"a/k", "a/a/k", "a/a/a/k", "z"} {
					if left[key].sum != sha256.Sum256([]byte(bodyOf(key))) {
						t.Errorf("%q is lost", key)
					}
				}
				if len(left) != 4 {
					t.Errorf("%d objects are there", len(left))
				}
			})
		}
	}
}

// TestNothingIsDeletedThroughAnAccessPointsAlias moves a bucket by the alias of an access point, which leads to the destination itself: each
// object is its own copy. The plan refuses such a name in an AWS account, and cannot where the server is another.
func TestNothingIsDeletedThroughAnAccessPointsAlias(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, versitygwName) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := s.start(t)
			b := w.bucket(t, w.source, "photos")
			for _, key := range []string{"a", "b", "c/d"} {
				w.source.put(t, b, key, bodyOf(key))
			}
			const alias = "photos-abc123-s3alias"
			to := w.mask(t, mask{bucket: func(name string) string {
				if name == alias {
					return b
				}
				return name
			}})
			for side, pair := range map[string][2]string{"source": {alias, b}, "destination": {b, alias}} {
				text := strings.Replace(compatiblePlan(w, to, to, pair[0], pair[1]), destinationProfile, sourceProfile, 1)
				p := newProgram(t, text+"verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\n", w.config)
				p.limit = 3 * time.Minute
				got := p.run(t, "apply", p.plan, "--yes", "--confirm="+pair[0])
				if got.code != 4 || !strings.Contains(got.String(), "nothing is deleted through one") {
					t.Errorf("an alias as %s: it says %s", side, got)
				}
				p = newProgram(t, strings.NewReplacer("provider: s3-compatible", `id: "123456789012"`, "manage: false", "manage: true").Replace(text), w.config)
				if got := p.run(t, "validate", p.plan); got.code != 10 || !strings.Contains(got.String(), "is an access point's alias, not a bucket") {
					t.Errorf("an alias as %s, on AWS: it says %s", side, got)
				}
			}
			if left := w.source.contents(t, b, false); len(left) != 3 {
				t.Errorf("%d objects are left", len(left))
			}
		})
	}
}
