package test

import (
	"errors"

	"xplan/internal/s3copy"
)

// checkDelete deletes what is there, what is not, what changed, and what XML cannot name: each is answered for.
func checkDelete(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "delete")
	etag := trimQuotes(*w.source.put(t, b, "conditional", "x").ETag)
	for _, k := range []string{"plain", "changed", "tab\tkey", "plus+ space"} {
		w.source.put(t, b, k, "x")
	}
	admin := w.source.admin(t)
	request := []s3copy.Deletion{
		{Key: "plain"}, {Key: "missing"}, {Key: "conditional", ETag: etag}, {Key: "changed", ETag: otherETag}, {Key: "tab\tkey"}, {Key: "plus+ space"},
	}
	errs, err := admin.OpenDeleter(w.source.at(b)).DeleteObjects(t.Context(), request)
	if err != nil || len(errs) != len(request) {
		t.Fatalf("%d answers to %d deletions, %v", len(errs), len(request), err)
	}
	for i, r := range request {
		if r.Key == "changed" {
			w.holds(t, deleteIfMatch, errors.Is(errs[i], s3copy.ErrChanged), "delete a changed object: %v", errs[i])
		} else if errs[i] != nil {
			t.Errorf("delete %q: %v", r.Key, errs[i])
		}
	}
	left, _ := keysOf(t, admin.OpenSource(w.source.at(b)), s3copy.PageRequest{})
	want := 1
	if w.differs(deleteIfMatch) != "" {
		want = 0
	}
	if len(left) != want {
		t.Errorf("left are %q", left)
	}
	errs, err = admin.OpenDeleter(w.source.at(b)).DeleteObjects(t.Context(), nil)
	if err != nil || len(errs) != 0 {
		t.Errorf("nothing deleted: %v, %v", errs, err)
	}
}
