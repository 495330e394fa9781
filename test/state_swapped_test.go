package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A swap puts something else in the place of a plan's state folder.
type swap struct {
	put     func(s *swapped)
	refused bool // by the next command; else it goes on
	lost    bool // so that nobody knows of the run that died
}

// swapped is a plan whose state folder is swapped, with what may stand in its place.
type swapped struct {
	*recipe
	other  *recipe // another plan, done, whose policy is kept
	folder string  // the plan's own
	older  string  // an older copy of it
	aside  string  // where it is meanwhile
}

// isOfAnother is how a state in the wrong place is refused.
const isOfAnother = "is the state of the plan"

var swaps = map[string]swap{
	"another plan's": {func(s *swapped) {
		copyFolder(s.t, s.other.stateFolder(), s.folder)
	}, true, false},
	"a link to another plan's": {func(s *swapped) {
		if err := os.Symlink(s.other.stateFolder(), s.folder); err != nil {
			s.t.Fatal(err)
		}
	}, true, false},
	"a link to itself": {func(s *swapped) {
		if err := os.Symlink(s.aside, s.folder); err != nil {
			s.t.Fatal(err)
		}
	}, false, false},
	"an older copy of itself": {func(s *swapped) {
		copyFolder(s.t, s.older, s.folder)
	}, false, false},
	"an empty folder": {func(s *swapped) {
		if err := os.Mkdir(s.folder, 0o700); err != nil {
			s.t.Fatal(err)
		}
	}, false, true},
}

func (r *recipe) stateFolder() string {
	return filepath.Join(r.dir, ".xplan", strings.TrimPrefix(r.bucket, "tommy-"))
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// newSwapped has a plan that moves die before it makes its key, which is its older copy, and another plan that is done.
func newSwapped(t *testing.T, w *world) *swapped {
	t.Helper()
	s := &swapped{recipe: newMove(t, w), other: newRecipe(t, w, 8)}
	s.other.replace("buckets:\n", "cleanup: {policy: keep, bucket_policy: keep}\nbuckets:\n")
	s.other.must(t, "apply", s.other.plan, "--yes")
	s.limit = 3 * time.Minute
	s.folder = s.stateFolder()
	s.older, s.aside = filepath.Join(t.TempDir(), "older"), filepath.Join(t.TempDir(), "aside")
	s.killed(t, moment{action: "CreateAccessKey"}, "--confirm="+s.bucket)
	copyFolder(t, s.folder, s.older)
	return s
}

// swap puts aside what stands there.
func (s *swapped) swap(t *testing.T, w swap) {
	t.Helper()
	if err := os.Rename(s.folder, s.aside); err != nil {
		t.Fatal(err)
	}
	w.put(s)
}

// back puts the plan's own folder in its place again.
func (s *swapped) back(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(s.folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.aside, s.folder); err != nil {
		t.Fatal(err)
	}
}

// ends applies the plan to its end, and looks at both plans.
func (s *swapped) ends(t *testing.T, before map[string]content, w swap, database []byte) {
	t.Helper()
	if w.refused {
		for _, words := range [][]string{{"apply", s.plan, "--yes", "--confirm=" + s.bucket}, {"cleanup", s.plan, "--yes"}, {"plan", s.plan}} {
			got := s.run(t, words...)
			if got.code != 1 || !strings.Contains(got.errors, isOfAnother) {
				t.Errorf("xplan %s does not say %q: %s", words[0], isOfAnother, got)
			}
		}
		s.back(t)
	}
	words := []string{"apply", s.plan, "--yes", "--confirm=" + s.bucket}
	if w.lost {
		words = append(words, "--take-over")
	}
	s.must(t, words...)
	s.isGone(t, before)
	s.isClean(t)
	s.must(t, "apply", s.plan, "--yes", "--confirm="+s.bucket)
	now, err := os.ReadFile(filepath.Join(s.other.stateFolder(), "state.db"))
	if err != nil || !bytes.Equal(now, database) {
		t.Errorf("the other plan's state was written to: %v", err)
	}
	if got := s.other.must(t, "apply", s.other.plan, "--yes"); !strings.Contains(got.out, "No changes") {
		t.Errorf("the other plan lost something: %s", got)
	}
}

// isGone wants all of what was in the source as its copy, and the source empty.
func (s *swapped) isGone(t *testing.T, before map[string]content) {
	t.Helper()
	s.nothingIsLost(t, before)
	if left := s.source.contents(t, s.bucket, false); len(left) > 0 {
		t.Errorf("%d objects are left in the source", len(left))
	}
}

// TestAStateFolderThatIsSwappedLosesNothing swaps the folder of a plan that moves: after its run has died, and while it runs, between
// the proof of the copies and the deletion of their sources.
func TestAStateFolderThatIsSwappedLosesNothing(t *testing.T) {
	t.Parallel()
	for _, start := range among(sandboxName) {
		world := start.start(t)
		world.enforce(t)
		for name, w := range swaps {
			t.Run("between two runs, "+name, func(t *testing.T) {
				t.Parallel()
				s, before, database := arranged(t, world)
				s.killed(t, moment{action: "CopyObject"}, "--confirm="+s.bucket)
				s.swap(t, w)
				s.ends(t, before, w, database)
			})
			t.Run("before the deletion, "+name, func(t *testing.T) {
				t.Parallel()
				s, before, database := arranged(t, world)
				n := 0
				s.witness.hook(func(_ int, q request) bool {
					if q.action == "DeleteObjects" && strings.HasPrefix(q.path, "/"+s.bucket) {
						if n++; n == 2 { // the first one finds out whether conditions are heeded
							s.swap(t, w)
						}
					}
					return true
				})
				got := s.run(t, "apply", s.plan, "--yes", "--confirm="+s.bucket)
				if n < 2 {
					t.Errorf("nothing was deleted: %s", got)
				}
				s.witness.hook(nil)
				s.isGone(t, before)
				s.ends(t, before, w, database)
			})
		}
	}
}

func arranged(t *testing.T, w *world) (s *swapped, before map[string]content, database []byte) {
	t.Helper()
	s = newSwapped(t, w)
	database, err := os.ReadFile(filepath.Join(s.other.stateFolder(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	return s, s.source.contents(t, s.bucket, true), database
}
