package test

import (
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
