package test

import (
	"fmt"
	"strings"
	"testing"
)

// compatiblePlan copies between two servers that only speak S3: no account, no IAM, no bucket policy.
func compatiblePlan(w *world, from, to, source, destination string) string {
	return fmt.Sprintf(`version: 1
name: photos
accounts:
  source:      {provider: s3-compatible, endpoint_url: %q, region: %s, profile: %s}
  destination: {provider: s3-compatible, endpoint_url: %q, region: %[2]s, profile: %[5]s}
permissions:
  manage: false
buckets:
  - source: %s
    destination: %s
    create: true
copy:
  in_flight: 8
`, from, w.region, sourceProfile, to, destinationProfile, source, destination)
}

// compatible are the keys that every server takes, and lists as they are.
func compatible(t *testing.T, w *world, bucket string) {
	t.Helper()
	for i := range 25 {
		w.source.put(t, bucket, fmt.Sprintf("2026/%02d.jpg", i), strings.Repeat("x", i))
	}
	for _, h := range names() {
		if len(h.except) == 0 && !h.alone {
			w.source.put(t, bucket, h.key, bodyOf(h.key))
		}
	}
	putDressed(t, w.source, bucket)
	putByParts(t, w.source, bucket, "parts.bin")
}

// TestRecipeCopiesBetweenServersWithoutAccounts copies inside one server, which does the work itself, and between two
// that cannot see each other, through this machine.
func TestRecipeCopiesBetweenServersWithoutAccounts(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, versitygwName) {
		for _, c := range []struct {
			name      string
			streaming bool
		}{{"inside one server", false}, {"through this machine", true}} {
			t.Run(s.name+", "+c.name, func(t *testing.T) {
				t.Parallel()
				w := s.start(t)
				source, destination := w.bucket(t, w.source, "photos"), name("photos-b")
				compatible(t, w, source)
				w.share(t, source)
				a := watch(t, w.url)
				b := a
				if c.streaming {
					b = watch(t, w.url)
				}
				p := newProgram(t, compatiblePlan(w, a.url, b.url, source, destination), w.config)
				p.must(t, "apply", p.plan, "--yes")
				r := &recipe{world: w, bucket: source, copy: destination, objects: 25}
				r.isCopied(t)
				seen, mark := b.requests(0)
				if copies := count(seen, "CopyObject"); (copies == 0) != c.streaming {
					t.Errorf("%d copies by the server", copies)
				}
				got := p.must(t, "apply", p.plan, "--yes")
				again, _ := b.requests(mark)
				for _, x := range again {
					if x.changes() {
						t.Errorf("applied again, it asked for %s %s", x.action, x.path)
					}
				}
				if !strings.Contains(got.out, "No changes") {
					t.Errorf("applied again: %s", got)
				}
			})
		}
	}
}
