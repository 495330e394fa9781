package test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"xplan/internal/s3copy"
)

// keysOf lists a whole bucket by pages.
func keysOf(t *testing.T, l s3copy.Lister, r s3copy.PageRequest) (keys []string, pages int) {
	t.Helper()
	var buf []s3copy.Object
	for {
		page, err := l.ListPage(t.Context(), r, buf)
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		pages++
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		if !page.More {
			return keys, pages
		}
		if pages > 10_000 {
			t.Fatal("the listing does not end")
		}
		buf, r.Token, r.After = page.Objects, page.Token, ""
	}
}

func checkPages(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "pages")
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("k/%02d", i))
		w.source.put(t, b, want[i], fmt.Sprint(i))
	}
	source := w.source.admin(t).OpenSource(w.source.at(b))
	got, pages := keysOf(t, source, s3copy.PageRequest{Max: 10})
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("25 keys by pages of 10: %d pages, keys %q", pages, got)
	}
	page, err := source.ListPage(t.Context(), s3copy.PageRequest{Max: 2, Prefix: "k/0"}, nil)
	if err != nil || len(page.Objects) != 2 || !page.More || page.Token == "" {
		t.Fatalf("a page of 2 is %+v, %v", page, err)
	}
	o := page.Objects[1]
	if o.Key != "k/01" || o.Size != 1 || o.ETag != "c4ca4238a0b923820dcc509a6f75849b" || o.StorageClass != "" || o.Modified.IsZero() {
		t.Errorf("the listing's entry is %+v", o)
	}
	if got, _ := keysOf(t, source, s3copy.PageRequest{Prefix: "k/1"}); !slices.Equal(got, want[10:20]) {
		t.Errorf("below the prefix k/1: %q", got)
	}
}

func checkStartAfter(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "after")
	all := []string{"A", "a b", "a+b", "a/1", "a/2", "ab", "b", "é", "漢"}
	for _, k := range all {
		w.source.put(t, b, k, k)
	}
	source := w.source.admin(t).OpenSource(w.source.at(b))
	for _, c := range []struct {
		request s3copy.PageRequest
		want    []string
	}{
		{s3copy.PageRequest{}, all},
		{s3copy.PageRequest{After: "a"}, all[1:]},
		{s3copy.PageRequest{After: "a b"}, all[2:]},
		{s3copy.PageRequest{After: "a+b"}, all[3:]},
		{s3copy.PageRequest{After: "aa"}, all[5:]},
		{s3copy.PageRequest{After: "é"}, all[8:]},
		{s3copy.PageRequest{After: "漢"}, nil},
		{s3copy.PageRequest{Prefix: "a/", After: "a/1"}, all[4:5]},
		{s3copy.PageRequest{Prefix: "a/", After: "A"}, all[3:5]},
		{s3copy.PageRequest{Prefix: "a/", After: "b"}, nil},
		{s3copy.PageRequest{After: "a b", Max: 1}, all[2:]},
	} {
		if got, _ := keysOf(t, source, c.request); !slices.Equal(got, c.want) {
			t.Errorf("prefix %q after %q: %q, want %q", c.request.Prefix, c.request.After, got, c.want)
		}
	}
}

func checkNoBucket(w *world) {
	t := w.t
	admin := w.source.admin(t)
	empty := w.bucket(t, w.source, "empty")
	page, err := admin.OpenSource(w.source.at(empty)).ListPage(t.Context(), s3copy.PageRequest{}, nil)
	if err != nil || len(page.Objects) != 0 || page.More {
		t.Errorf("an empty bucket's page is %+v, %v", page, err)
	}
	_, err = admin.OpenSource(w.source.at(name("missing"))).ListPage(t.Context(), s3copy.PageRequest{}, nil)
	if !errors.Is(err, s3copy.ErrNoBucket) {
		t.Errorf("a missing bucket's page: %v", err)
	}
	b, _, err := admin.Bucket(t.Context(), name("missing"))
	if err != nil || b.Exists {
		t.Errorf("a missing bucket's facts: %+v, %v", b, err)
	}
	_, err = admin.OpenSource(w.source.at(empty)).Head(t.Context(), s3copy.HeadRequest{Key: "none"})
	if !errors.Is(err, s3copy.ErrNotFound) {
		t.Errorf("a missing object's details: %v", err)
	}
}
