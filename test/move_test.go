package test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/sandbox"
)

// newMove is a recipe whose source's objects go once they are proven.
func newMove(t *testing.T, w *world) *recipe {
	t.Helper()
	r := newRecipe(t, w, 8)
	text, err := os.ReadFile(r.plan)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\n"...)
	if err := os.WriteFile(r.plan, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// A blow is struck at the n-th deletion of a run that moves, right before it reaches the server.
type blow struct {
	deletion int
	strike   func(r *recipe)
	faults   []sandbox.Fault // instead: what the server makes of requests
	keeps    []string        // keys of the source that must be there afterwards
	says     string
}

const victim = "orders/00/0000.json"

// blows are what happens to the world at the worst moment. The first deletion is the one that finds out whether the
// server heeds conditions, the second deletes.
var blows = map[string]blow{
	"an object is overwritten": {deletion: 2, keeps: []string{victim}, says: "PreconditionFailed", strike: func(r *recipe) {
		r.source.put(r.t, r.bucket, victim, "written by somebody")
	}},
	"an object is overwritten before the first deletion": {deletion: 1, keeps: []string{victim}, says: "PreconditionFailed", strike: func(r *recipe) {
		r.source.put(r.t, r.bucket, victim, "written by somebody")
	}},
	"an object appears": {deletion: 2, keeps: []string{"a-new-one", "orders/zz-new"}, says: "is not copied", strike: func(r *recipe) {
		r.source.put(r.t, r.bucket, "a-new-one", "new")
		r.source.put(r.t, r.bucket, "orders/zz-new", "new")
	}},
	"a copy vanishes": {deletion: 1, keeps: []string{victim, "cold.bin"}, says: "gone since it was proven", strike: func(r *recipe) {
		key := victim
		if _, err := r.destination.s3.DeleteObject(r.t.Context(), &s3.DeleteObjectInput{Bucket: &r.copy, Key: &key}); err != nil {
			r.t.Error(err)
		}
	}},
	"a copy is overwritten": {deletion: 1, keeps: []string{victim, "cold.bin"}, says: "changed since it was proven", strike: func(r *recipe) {
		r.destination.put(r.t, r.copy, victim, "written by somebody")
	}},
	"deletions answer nothing": {says: "answered nothing", faults: []sandbox.Fault{
		{Service: "s3", Operation: "DeleteObjects", Do: sandbox.FaultEmpty200},
	}, keeps: []string{victim}},
	"deletions are denied": {says: "AccessDenied", faults: []sandbox.Fault{
		{Service: "s3", Operation: "DeleteObjects", Do: sandbox.FaultError, Status: 403, Code: "AccessDenied"},
	}, keeps: []string{victim}},
}

// TestNoBlowLosesAnObject: whatever happens while a source is deleted, each object that ever was in it stands
// afterwards, in the source or as its copy, and what others wrote stays.
func TestNoBlowLosesAnObject(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName) {
		w := s.start(t)
		w.enforce(t)
		for _, name := range slices.Sorted(maps.Keys(blows)) {
			t.Run(name, func(t *testing.T) { strike(t, w, blows[name]) })
		}
	}
}

func strike(t *testing.T, w *world, b blow) {
	t.Helper()
	r := newMove(t, w)
	before := r.source.contents(t, r.bucket, true)
	var struck sync.Once
	n := 0
	r.witness.hook(func(_ int, q request) bool {
		if q.action == "DeleteObjects" && strings.Contains(q.path, r.bucket) {
			if n++; n == b.deletion {
				struck.Do(func() { b.strike(r) })
			}
		}
		return true
	})
	remove := func() {}
	for _, f := range b.faults {
		f.Bucket = r.bucket
		remove = w.box.Inject(f)
	}
	got := r.run(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
	if got.code == 0 || !strings.Contains(got.out+got.errors, b.says) {
		t.Errorf("it does not say %q: %s", b.says, got)
	}
	r.nothingIsLost(t, before)
	left := r.source.contents(t, r.bucket, true)
	for _, key := range b.keeps {
		if _, ok := left[key]; !ok {
			t.Errorf("%q is gone from the source", key)
		}
	}
	if t.Failed() {
		t.Fatal(got)
	}
	remove()
	r.witness.hook(nil)
	r.must(t, "apply", r.plan, "--yes", "--confirm="+r.bucket) // which copies what is new, and ends the move
	if left := r.source.contents(t, r.bucket, true); len(left) > 0 {
		t.Errorf("%d objects are left in the source", len(left))
	}
	r.nothingIsLost(t, left)
}

// nothingIsLost wants all of what was in the source, in the source or as its copy.
func (r *recipe) nothingIsLost(t *testing.T, before map[string]content) {
	t.Helper()
	a, b := r.source.contents(t, r.bucket, true), r.destination.contents(t, r.copy, true)
	var lost []string
	for key, was := range before {
		there, stays := a[key]
		copied, moved := b[key]
		stays = stays && (there.same(was) || key == victim)
		moved = moved && copied.same(was)
		if !stays && !moved {
			lost = append(lost, fmt.Sprintf("%q", key))
		}
	}
	if len(lost) > 0 {
		t.Errorf("lost are %s", strings.Join(lost, ", "))
	}
}
