package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOneConfirmationOpensOneBucket has buckets of one name on two servers. A confirmation means the one that the plan deletes in: the
// destination's of a mirror, the source's of a move. A plan that would delete in both is refused.
func TestOneConfirmationOpensOneBucket(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName) {
		a, b := s.start(t), s.start(t)
		from, to := a.profiles[0], b.profiles[1]
		config := filepath.Join(t.TempDir(), "aws-config")
		text := ""
		for _, p := range []profile{from, to} {
			text += fmt.Sprintf("[profile %s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", p.name, p.id, p.secret)
		}
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		const photos = "photos"
		a.makeBucket(t, a.source, photos)
		a.makeBucket(t, a.source, "others")
		b.makeBucket(t, b.destination, photos)
		a.source.put(t, photos, "a", "a")
		a.source.put(t, "others", "sub/o", "o")
		written := time.Now().Unix() // what a listing tells of the moment: buckets whose objects are all of one look like one
		b.destination.put(t, photos, "of b", "of b")
		b.destination.put(t, photos, "sub/of b", "of b")
		plan := compatiblePlan(a, a.url, b.url, photos, photos)
		keys := func(s side) string { return fmt.Sprint(slices.Sorted(maps.Keys(s.contents(t, photos, false)))) }

		both := strings.Replace(plan, "copy:\n", "    cleanup: {source_objects: after-verify}\n    to_prefix: moved/\n"+
			"  - {source: others, prefix: sub/, destination: photos, to_prefix: sub/, copy: {delete_extra: true}}\ncopy:\n", 1)
		p := newProgram(t, both, config)
		got := p.run(t, "apply", p.plan, "--yes", "--confirm="+photos)
		if got.code != 10 || !strings.Contains(got.errors, "would delete in two buckets of that name") {
			t.Errorf("it says %s", got)
		}
		if now := keys(a.source) + keys(b.destination); now != "[a][of b sub/of b]" {
			t.Errorf("refused, the buckets hold %s", now)
		}

		for time.Now().Unix() == written {
			time.Sleep(10 * time.Millisecond)
		}
		p = newProgram(t, strings.Replace(plan, "copy:\n", "copy:\n  delete_extra: true\n", 1), config)
		p.must(t, "apply", p.plan, "--yes", "--confirm="+photos)
		if now := keys(a.source) + keys(b.destination); now != "[a][a]" {
			t.Errorf("mirrored, the buckets hold %s", now)
		}

		b.destination.put(t, photos, "of b", "of b")
		p = newProgram(t, plan+"verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\n", config)
		p.must(t, "apply", p.plan, "--yes", "--confirm="+photos)
		if now := keys(a.source) + keys(b.destination); now != "[][a of b]" {
			t.Errorf("moved, the buckets hold %s", now)
		}
	}
}
