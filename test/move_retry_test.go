package test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestADeletionThatIsAskedForAgainLeavesWhatWasWrittenMeanwhile: the answer to a deletion is lost after its effect, and somebody writes one
// of its keys again before the program asks once more. A server that heeds conditions refuses that; of one that does not, the program
// looks what stands there before it asks.
func TestADeletionThatIsAskedForAgainLeavesWhatWasWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, motoName, versitygwName) {
		for nth, name := range []string{"the first deletion that deletes", "the next one"} {
			if s.name == sandboxName && nth > 0 {
				continue // all objects go by one request
			}
			t.Run(s.name+", "+name, func(t *testing.T) {
				t.Parallel()
				w := s.start(t)
				w.enforce(t)
				writtenAgain(t, w, nth)
			})
		}
	}
}

// writtenAgain loses the answer to the deletion before which so many have deleted something.
func writtenAgain(t *testing.T, w *world, nth int) {
	t.Helper()
	const word = "written again"
	r := newMoveOn(t, w)
	r.limit = 3 * time.Minute
	tags := r.differs(tagsAcross) == ""
	before := r.source.contents(t, r.bucket, tags)
	there, again := len(before), ""
	r.witness.lose(func(q request) bool {
		if again != "" || q.action != "DeleteObjects" && q.action != http.MethodDelete || !strings.HasPrefix(q.path, "/"+r.bucket) {
			return false
		}
		now := r.source.contents(t, r.bucket, false)
		if len(now) == there {
			return false // it asked whether conditions are heeded
		}
		if there = len(now); nth > 0 {
			nth--
			return false
		}
		for key := range before {
			if _, stays := now[key]; !stays {
				again = key
			}
		}
		r.source.put(t, r.bucket, again, word)
		return true
	})
	got := r.run(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
	left := r.source.contents(t, r.bucket, false)
	if _, ok := left[again]; !ok || again == "" {
		t.Errorf("%q was written again, and is gone", again)
	}
	if got.code == 0 || !strings.Contains(got.String(), fmt.Sprintf("%q", again)) {
		t.Errorf("it does not name %q: %s", again, got)
	}
	copied := r.destination.contents(t, r.copy, tags)
	for key, was := range before {
		if c, ok := copied[key]; !ok || !c.same(was) {
			t.Errorf("%q is lost", key)
		}
	}
	r.witness.lose(nil)
	r.must(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
	if left := r.source.contents(t, r.bucket, false); len(left) > 0 {
		t.Errorf("%d objects are left in the source", len(left))
	}
	if c := r.destination.contents(t, r.copy, false)[again]; c.sum != sha256.Sum256([]byte(word)) {
		t.Errorf("the copy of %q is not what was written again", again)
	}
}
