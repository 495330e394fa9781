package test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// changes of a plan that moves, each laxer or stricter than what was reviewed; "" takes the words away.
var planChanges = map[string]struct{ old, with, says string }{
	"evidence by size":            {"verify: {otherwise: bytes}", "verify: {level: size}", "verified by size"},
	"evidence by bytes":           {"verify: {otherwise: bytes}", "verify: {level: bytes}", "/verify/level"},
	"weak evidence is accepted":   {"verify: {otherwise: bytes}", "verify: {otherwise: accept}", "/verify/otherwise"},
	"a filter":                    {"copy:\n", "copy:\n  exclude: ['orders/**']\n", "skip objects"},
	"a prefix":                    {"    create: true\n", "    create: true\n    prefix: orders/\n", "/prefix"},
	"nothing is overwritten":      {"copy:\n", "copy:\n  overwrite: never\n", "never overwrites"},
	"compared by size":            {"copy:\n", "copy:\n  compare: size\n", "/copy/compare"},
	"no tags":                     {"copy:\n", "copy:\n  tags: false\n", "/copy/tags"},
	"extra objects go":            {"copy:\n", "copy:\n  delete_extra: true\n", "/copy/delete_extra"},
	"all versions":                {"copy:\n", "copy:\n  versions: all\n", "/copy/versions"},
	"the source stays":            {"cleanup: {source_objects: after-verify}\n", "", "source_objects"},
	"the source's bucket as well": {"source_objects: after-verify", "source_objects: after-verify, source_bucket: after-verify", "source_bucket"},
	"another destination":         {"destination: tommy-b-", "destination: tommy-c-", "/destination"},
}

// TestAPlanThatChangedIsNotGoneOnWith has a run that moves die, and its plan changed: neither command goes on, whether the change is laxer
// or stricter, nothing is asked for that would change anything, and what was reviewed is done once the plan is as it was.
func TestAPlanThatChangedIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName) {
		w := s.start(t)
		w.enforce(t)
		r := newMove(t, w)
		r.limit = 3 * time.Minute
		before := r.source.contents(t, r.bucket, true)
		r.killed(t, moment{action: "CopyObject"}, "--confirm="+r.bucket)
		reviewed, err := os.ReadFile(r.plan)
		if err != nil {
			t.Fatal(err)
		}
		_, mark := r.witness.requests(0)
		for name, c := range planChanges {
			text := strings.Replace(string(reviewed), c.old, c.with, 1)
			if text == string(reviewed) {
				t.Fatalf("%s: the plan has no %q", name, c.old)
			}
			if err := os.WriteFile(r.plan, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, words := range [][]string{{"resume"}, {"apply", r.plan, "--yes"}} {
				got := r.run(t, append(words, "--confirm="+r.bucket)...)
				code := 12
				if !strings.Contains(c.says, "/") && strings.Contains(c.says, " ") {
					code = 10 // which is refused as a plan
				}
				if got.code != code || !strings.Contains(got.errors, c.says) {
					t.Errorf("%s, and xplan %s does not name %s: %s", name, words[0], c.says, got)
				}
			}
		}
		seen, _ := r.witness.requests(mark)
		if i := slices.IndexFunc(seen, request.changes); i >= 0 {
			t.Errorf("it asked for %s %s", seen[i].action, seen[i].path)
		}
		if err := os.WriteFile(r.plan, reviewed, 0o600); err != nil {
			t.Fatal(err)
		}
		r.must(t, "resume", "--confirm="+r.bucket)
		r.nothingIsLost(t, before)
		if left := r.source.contents(t, r.bucket, false); len(left) > 0 {
			t.Errorf("%d objects are left in the source", len(left))
		}
		r.isClean(t)
	}
}

// TestALaxerPlanDeletesNothing: a run that waits for its confirmation is over. The plan that is applied then is laxer, and would take a copy that
// somebody has replaced for the same, by its size: nothing is deleted on that.
func TestALaxerPlanDeletesNothing(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName) {
		w := s.start(t)
		w.enforce(t)
		r := newMove(t, w)
		before := r.source.contents(t, r.bucket, true)
		if got := r.run(t, "apply", r.plan, "--yes"); got.code != 4 {
			t.Fatalf("without a confirmation: %s", got)
		}
		r.destination.put(t, r.copy, "cold.bin", "gold")
		r.replace("copy:\n", "copy:\n  compare: size\n")
		got := r.run(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
		if got.code != 1 || !strings.Contains(got.String(), "sizes alone are no evidence") {
			t.Errorf("it says %s", got)
		}
		if left := r.source.contents(t, r.bucket, true); len(left) != len(before) {
			t.Errorf("%d objects of %d are left", len(left), len(before))
		}
	}
}
