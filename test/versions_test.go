package test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// versioned makes a bucket that keeps versions.
func (w *world) versioned(t *testing.T, s side, base string) string {
	t.Helper()
	b := w.bucket(t, s, base)
	w.keepVersions(t, s, b)
	return b
}

func (w *world) keepVersions(t *testing.T, s side, b string) {
	t.Helper()
	_, err := s.s3.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &b, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatalf("enable versioning of %s: %v", b, err)
	}
}

// gone stands for a delete marker in histories.
const gone = "gone"

// write gives a key a history through the bare SDK, the oldest first.
func (s side) write(t *testing.T, bucket, key string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if body != gone {
			s.put(t, bucket, key, body)
			continue
		}
		if _, err := s.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
			t.Fatalf("delete %q: %v", key, err)
		}
	}
}

// chainsOf lists a bucket by pages of whole keys, and tells each key's history by sizes.
func chainsOf(t *testing.T, l s3copy.Lister, most int) (map[string]*s3copy.Chain, []string, error) {
	t.Helper()
	chains := map[string]*s3copy.Chain{}
	var keys []string
	r := s3copy.PageRequest{Max: most}
	for {
		page, err := l.ListPage(t.Context(), r, nil)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range page.Objects {
			if chains[o.Key] != nil {
				t.Errorf("%q is on two pages", o.Key)
			}
			chains[o.Key] = o.Chain
			keys = append(keys, o.Key)
		}
		if !page.More {
			return chains, keys, nil
		}
		r.Token = page.Token
	}
}

// sizes tells a chain, the oldest first.
func sizes(c *s3copy.Chain) string {
	var all []string
	for _, v := range slices.Backward(c.Versions) {
		if v.Marker {
			all = append(all, gone)
		} else {
			all = append(all, fmt.Sprint(v.Size))
		}
	}
	return strings.Join(all, " ")
}

// ofVersions is where a side's bucket is, listed by versions.
func (w *world) ofVersions(s side, bucket string) s3copy.Destination {
	at := s.at(bucket)
	at.Versions = true
	return s.admin(w.t).OpenDestination(at, at)
}

func checkVersionList(w *world) {
	t := w.t
	b := w.versioned(t, w.source, "versions")
	histories := map[string][]string{
		"a": {"1"}, "a b+c": {"1", "22", "333"}, "marked": {"1", gone, "22", gone}, "ü": {"22", "1"}, "z/z": {"1", "1", "1", "1", "1"},
	}
	for key, bodies := range histories {
		w.source.write(t, b, key, bodies...)
	}
	for _, most := range []int{0, 1, 2} {
		chains, keys, err := chainsOf(t, w.ofVersions(w.source, b), most)
		apart := errors.Is(err, s3copy.ErrUnsupported)
		w.holds(t, versionsInterleaved, !apart, "pages of %d: %v", most, err)
		if apart {
			return
		}
		if err != nil || !slices.IsSorted(keys) {
			t.Fatalf("pages of %d: %q, %v", most, keys, err)
		}
		for key, bodies := range histories {
			want := make([]string, len(bodies))
			for i, body := range bodies {
				if want[i] = gone; body != gone {
					want[i] = fmt.Sprint(len(body))
				}
			}
			if c := chains[key]; c == nil || sizes(c) != strings.Join(want, " ") {
				t.Errorf("pages of %d: %q is not %q: %+v", most, key, want, c)
			}
		}
	}
}

func checkVersionCopy(w *world) {
	t := w.t
	from, to := w.versioned(t, w.source, "old"), w.versioned(t, w.source, "new")
	const key = "k +ü"
	w.source.write(t, from, key, "first", "second")
	source := w.ofVersions(w.source, from)
	chains, _, err := chainsOf(t, source, 0)
	if err != nil || chains[key] == nil || len(chains[key].Versions) != 2 {
		t.Fatalf("%+v, %v", chains, err)
	}
	at := w.source.at(to)
	at.Versions = true
	destination := w.source.admin(t).OpenDestination(at, w.source.at(from))
	var made []string
	for _, v := range slices.Backward(chains[key].Versions) {
		done, err := destination.CopyObject(t.Context(), s3copy.CopyRequest{
			SourceKey: key, SourceVersion: v.ID, Key: key, IfMatch: v.ETag, Once: true,
		})
		if err != nil || done.ETag != v.ETag || done.VersionID == "" || done.VersionID == "null" {
			t.Fatalf("copy version %s: %+v, %v", v.ID, done, err)
		}
		made = append(made, done.VersionID)
		d, err := destination.Head(t.Context(), s3copy.HeadRequest{Key: key, VersionID: done.VersionID})
		if err != nil || d.ETag != v.ETag || d.Size != v.Size {
			t.Errorf("the copy of version %s is %+v, %v", v.ID, d, err)
		}
	}
	for i, want := range []string{"first", "second"} {
		if got := read(t, destination, s3copy.OpenRequest{Key: key, VersionID: made[i]}); got != want {
			t.Errorf("version %d reads %q, want %q", i, got, want)
		}
	}
	if chains, _, err = chainsOf(t, destination, 0); err != nil || sizes(chains[key]) != "5 6" || chains[key].Versions[0].ID != made[1] {
		t.Errorf("the destination has %+v, %v", chains[key], err)
	}
}

// checkNullVersion copies an object from before its bucket kept versions, which is the current one still.
func checkNullVersion(w *world) {
	t := w.t
	from, to := w.bucket(t, w.source, "before"), w.versioned(t, w.source, "after")
	w.source.put(t, from, "k", "old")
	w.keepVersions(t, w.source, from)
	at := w.source.at(to)
	at.Versions = true
	done, err := w.source.admin(t).OpenDestination(at, w.source.at(from)).CopyObject(t.Context(), s3copy.CopyRequest{
		SourceKey: "k", SourceVersion: "null", Key: "k", Once: true,
	})
	w.holds(t, nullVersions, err == nil && done.VersionID != "", "copy the version null: %+v, %v", done, err)
}

func checkMarker(w *world) {
	t := w.t
	kept, bare := w.versioned(t, w.source, "kept"), w.bucket(t, w.source, "bare")
	w.source.write(t, kept, "k", "1", "22")
	at := w.ofVersions(w.source, kept)
	id, err := at.PutMarker(t.Context(), "k")
	if err != nil || id == "" || id == "null" {
		t.Fatalf("a marker: %q, %v", id, err)
	}
	if _, err := at.Head(t.Context(), s3copy.HeadRequest{Key: "k"}); !errors.Is(err, s3copy.ErrNotFound) {
		t.Errorf("a key behind a marker: %v", err)
	}
	id, err = at.PutMarker(t.Context(), "never there")
	w.holds(t, markersForNothing, err == nil && id != "", "a marker for nothing: %q, %v", id, err)
	if err != nil && !errors.Is(err, s3copy.ErrUnversioned) {
		t.Errorf("a marker for nothing: %v", err)
	}
	if chains, _, err := chainsOf(t, at, 0); w.differs(versionsInterleaved) == "" {
		if err != nil || sizes(chains["k"]) != "1 2 gone" || sizes(chains["never there"]) != gone {
			t.Errorf("%+v, %v", chains, err)
		}
	}
	if id, err := w.ofVersions(w.source, bare).PutMarker(t.Context(), "none"); !errors.Is(err, s3copy.ErrUnversioned) {
		t.Errorf("a marker in a bucket that keeps no versions: %q, %v", id, err)
	}
}
