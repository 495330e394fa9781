package test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"xplan/internal/s3copy"
)

const otherETag = "00000000000000000000000000000000"

func trimQuotes(etag string) string { return strings.Trim(etag, `"`) }

func unescape(t *testing.T, key string) string {
	t.Helper()
	decoded, err := url.QueryUnescape(key)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// A pairing is a source and a destination to copy between.
type pairing struct {
	name        string
	source      s3copy.Source
	destination s3copy.Destination
	from        side
	bucket, to  string
}

// pairings are within an account, and across accounts with the source's consent.
func (w *world) pairings(t *testing.T, base string) []pairing {
	t.Helper()
	a, d, b := w.bucket(t, w.source, base+"-a"), w.bucket(t, w.source, base+"-d"), w.bucket(t, w.destination, base+"-b")
	w.share(t, a)
	return []pairing{
		{
			"within the account",
			w.source.admin(t).OpenSource(w.source.at(a)),
			w.source.admin(t).OpenDestination(w.source.at(d), w.source.at(a)), w.source, a, d,
		},
		{
			"across accounts",
			w.destination.admin(t).OpenSource(w.source.at(a)),
			w.destination.admin(t).OpenDestination(w.destination.at(b), w.source.at(a)), w.source, a, b,
		},
	}
}

func checkCopy(w *world) {
	t := w.t
	for _, p := range w.pairings(t, "copy") {
		putDressed(t, p.from, p.bucket)
		const etag = "781e5e245d69b566979b86e28d23f2c7"
		done, err := p.destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: dressed, Key: "to/" + dressed, IfMatch: etag})
		if err != nil || done.ETag != etag {
			t.Errorf("copy %s: %+v, %v", p.name, done, err)
			continue
		}
		if got := read(t, p.destination, s3copy.OpenRequest{Key: "to/" + dressed}); got != digits {
			t.Errorf("the copy %s reads %q", p.name, got)
		}
		keepsTags := p.name != "across accounts" || w.differs(tagsAcross) == ""
		isDressed(t, p.destination, "to/"+dressed, keepsTags)
		checkCopiedSums(t, w, p, "to/"+dressed)
	}
}

// checkCopiedSums compares the checksum of a copy with the source's.
func checkCopiedSums(t *testing.T, w *world, p pairing, key string) {
	t.Helper()
	a := head(t, p.source, s3copy.HeadRequest{Key: dressed, Checksums: true})
	b := head(t, p.destination, s3copy.HeadRequest{Key: key, Checksums: true})
	w.holds(t, copyKeepsSum, a.Checksums["SHA256"] != "" && a.Checksums["SHA256"] == b.Checksums["SHA256"],
		"copied %s: the checksums are %v and %v", p.name, a.Checksums, b.Checksums)
	done, err := p.destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: dressed, Key: "crc", IfMatch: a.ETag, ChecksumAlgo: "CRC32"})
	if err != nil {
		t.Errorf("copy with CRC32 %s: %v", p.name, err)
	}
	crc := head(t, p.destination, s3copy.HeadRequest{Key: "crc", Checksums: true})
	w.holds(t, copyMakesSum, crc.Checksums["CRC32"] == "poTHxg==",
		"a copy that asked for CRC32 %s has %v", p.name, crc.Checksums)
	w.holds(t, copyTellsSum, done.Checksums["CRC32"] == crc.Checksums["CRC32"] && crc.Checksums["CRC32"] != "",
		"a copy that asked for CRC32 %s answered %v", p.name, done.Checksums)
}

// checkConditions copies what changed, what is missing, and onto what is there.
func checkConditions(w *world) {
	t := w.t
	for _, p := range w.pairings(t, "if") {
		etag := trimQuotes(*p.from.put(t, p.bucket, "k", "one").ETag)
		ask := func(r s3copy.CopyRequest) error {
			_, err := p.destination.CopyObject(t.Context(), r)
			return err
		}
		err := ask(s3copy.CopyRequest{SourceKey: "k", Key: "changed", IfMatch: otherETag})
		w.holds(t, copyIfMatch, errors.Is(err, s3copy.ErrChanged), "copy of a changed source %s: %v", p.name, err)
		if err := ask(s3copy.CopyRequest{SourceKey: "none", Key: "none", IfMatch: etag}); !errors.Is(err, s3copy.ErrNotFound) {
			t.Errorf("copy of a missing source %s: %v", p.name, err)
		}
		if err := ask(s3copy.CopyRequest{SourceKey: "k", Key: "new", IfMatch: etag, IfNoneMatch: true}); err != nil {
			t.Errorf("copy to a free key %s: %v", p.name, err)
		}
		err = ask(s3copy.CopyRequest{SourceKey: "k", Key: "new", IfMatch: etag, IfNoneMatch: true})
		w.holds(t, copyIfNoneMatch, errors.Is(err, s3copy.ErrExists), "copy onto a taken key %s: %v", p.name, err)
		if err := ask(s3copy.CopyRequest{SourceKey: "k", Key: "new", IfMatch: etag}); err != nil {
			t.Errorf("copy over an object %s: %v", p.name, err)
		}
	}
}

func checkCopyOptions(w *world) {
	t := w.t
	for _, p := range w.pairings(t, "options") {
		putDressed(t, p.from, p.bucket)
		etag := head(t, p.source, s3copy.HeadRequest{Key: dressed}).ETag
		_, err := p.destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: dressed, Key: "bare", IfMatch: etag, DropTags: true})
		if err != nil {
			t.Errorf("copy without tags %s: %v", p.name, err)
			continue
		}
		isDressedBut := head(t, p.destination, s3copy.HeadRequest{Key: "bare"}).Headers
		if isDressedBut.ContentType != dressedHeaders.ContentType || isDressedBut.Metadata["author"] != "mister rodgers" {
			t.Errorf("copied without tags %s, it lost %+v", p.name, isDressedBut)
		}
		tags, err := p.destination.Tags(t.Context(), "bare", "")
		w.holds(t, copyDropsTags, err == nil && len(tags) == 0, "copied without tags %s, it has %v, %v", p.name, tags, err)
		_, err = p.destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: dressed, Key: "ia", IfMatch: etag, StorageClass: "STANDARD_IA"})
		if err != nil {
			w.holds(t, storageClasses, false, "copy into STANDARD_IA %s: %v", p.name, err)
			continue
		}
		got := head(t, p.destination, s3copy.HeadRequest{Key: "ia"}).StorageClass
		w.holds(t, storageClasses, got == "STANDARD_IA", "copied into STANDARD_IA %s it is of %q", p.name, got)
	}
}

// checkConsent reads and copies a bucket whose owner did not let the other account in.
func checkConsent(w *world) {
	t := w.t
	a, b := w.bucket(t, w.source, "closed"), w.bucket(t, w.destination, "closed-b")
	etag := trimQuotes(*w.source.put(t, a, "k", "secret").ETag)
	admin := w.destination.admin(t)
	source, destination := admin.OpenSource(w.source.at(a)), admin.OpenDestination(w.destination.at(b), w.source.at(a))
	_, err := source.ListPage(t.Context(), s3copy.PageRequest{}, nil)
	w.holds(t, consent, errors.Is(err, s3copy.ErrDenied), "list without consent: %v", err)
	_, err = source.Head(t.Context(), s3copy.HeadRequest{Key: "k"})
	w.holds(t, consent, errors.Is(err, s3copy.ErrDenied), "read without consent: %v", err)
	_, err = destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k", IfMatch: etag})
	w.holds(t, consent, errors.Is(err, s3copy.ErrDenied), "copy without consent: %v", err)
	w.share(t, a)
	if w.server == awsName {
		return // it takes a while, and the recipe waits for it
	}
	if _, err := destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k", IfMatch: etag}); err != nil {
		t.Errorf("copy with consent: %v", err)
	}
}

// checkOwners names wrong owners.
func checkOwners(w *world) {
	t := w.t
	a, b := w.bucket(t, w.source, "owned"), w.bucket(t, w.destination, "owned-b")
	w.share(t, a)
	etag := trimQuotes(*w.source.put(t, a, "k", "x").ETag)
	right, wrong := w.source.at(a), w.source.at(a)
	right.Account, wrong.Account = w.ownerOf(w.source), w.ownerOf(w.destination)
	to, wrongTo := w.destination.at(b), w.destination.at(b)
	to.Account, wrongTo.Account = w.ownerOf(w.destination), w.ownerOf(w.source)
	admin := w.destination.admin(t)
	if _, err := admin.OpenSource(right).ListPage(t.Context(), s3copy.PageRequest{}, nil); err != nil {
		t.Errorf("list with the right owner: %v", err)
	}
	_, err := admin.OpenSource(wrong).ListPage(t.Context(), s3copy.PageRequest{}, nil)
	w.holds(t, ownerPinned, errors.Is(err, s3copy.ErrDenied), "list with another owner: %v", err)
	_, err = admin.OpenSource(wrong).Head(t.Context(), s3copy.HeadRequest{Key: "k"})
	w.holds(t, ownerPinned, errors.Is(err, s3copy.ErrDenied), "read with another owner: %v", err)
	for _, c := range []struct {
		name        string
		destination s3copy.Destination
		pinned      bool
	}{
		{"wrong source", admin.OpenDestination(to, wrong), true},
		{"wrong destination", admin.OpenDestination(wrongTo, right), true},
		{"both right", admin.OpenDestination(to, right), false},
	} {
		_, err := c.destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k", IfMatch: etag})
		if !c.pinned {
			if err != nil {
				t.Errorf("copy with the right owners: %v", err)
			}
			continue
		}
		w.holds(t, ownerPinned, errors.Is(err, s3copy.ErrDenied), "copy with %s: %v", c.name, err)
	}
}
