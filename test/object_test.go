package test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/s3copy"
)

// dressed is an object with everything that a copy can lose.
const (
	dressed = "dressed.bin"
	digits  = "0123456789" // its bytes
)

var dressedHeaders = s3copy.Headers{
	ContentType: "application/x-dressed", ContentEncoding: "aws-chunked-not,gzip", ContentDisposition: `attachment; filename="d.bin"`,
	ContentLanguage: "de-CH", CacheControl: "max-age=17, private", Expires: "Thu, 01 Dec 2033 16:00:00 GMT",
	Metadata: map[string]string{"author": "mister rodgers", "empty-not": "x", "with-dash": "a=b&c"},
}

var dressedTags = []s3copy.Tag{{Key: "class", Value: "audit + more/a:b=c@d_e.f-g"}, {Key: "year", Value: "2026"}}

// putDressed puts an object through the bare SDK with all headers, tags and a storage class.
func putDressed(t *testing.T, s side, bucket string) {
	t.Helper()
	key := dressed
	h := dressedHeaders
	in := &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: strings.NewReader(digits),
		ContentType: &h.ContentType, ContentEncoding: &h.ContentEncoding, ContentDisposition: &h.ContentDisposition,
		ContentLanguage: &h.ContentLanguage, CacheControl: &h.CacheControl, Metadata: h.Metadata,
		Tagging:           aws.String("class=audit%20%2B%20more%2Fa%3Ab%3Dc%40d_e.f-g&year=2026"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	}
	expires := func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("Expires", h.Expires))
	}
	if _, err := s.s3.PutObject(t.Context(), in, expires); err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
}

func head(t *testing.T, h s3copy.Header, r s3copy.HeadRequest) s3copy.Details {
	t.Helper()
	d, err := h.Head(t.Context(), r)
	if err != nil {
		t.Fatalf("details of %q: %v", r.Key, err)
	}
	return d
}

// isDressed compares headers and tags with those of the dressed object.
func isDressed(t *testing.T, b interface {
	s3copy.Header
	s3copy.TagReader
}, key string, tags bool,
) {
	t.Helper()
	got := head(t, b, s3copy.HeadRequest{Key: key}).Headers
	if !maps.Equal(got.Metadata, dressedHeaders.Metadata) {
		t.Errorf("%q has the metadata %v", key, got.Metadata)
	}
	want := dressedHeaders
	got.Metadata, want.Metadata = nil, nil
	if !sameHeaders(got, want) {
		t.Errorf("%q has the headers\n%+v, want\n%+v", key, got, want)
	}
	if tags != hasDressedTags(t, b, key) {
		t.Errorf("%q should have its tags: %t", key, tags)
	}
}

func sameHeaders(a, b s3copy.Headers) bool {
	return a.ContentType == b.ContentType && a.ContentEncoding == b.ContentEncoding && a.ContentDisposition == b.ContentDisposition &&
		a.ContentLanguage == b.ContentLanguage && a.CacheControl == b.CacheControl && a.Expires == b.Expires &&
		a.WebsiteRedirect == b.WebsiteRedirect
}

func hasDressedTags(t *testing.T, b s3copy.TagReader, key string) bool {
	t.Helper()
	tags, err := b.Tags(t.Context(), key, "")
	if err != nil {
		t.Fatalf("tags of %q: %v", key, err)
	}
	slices.SortFunc(tags, func(a, b s3copy.Tag) int { return strings.Compare(a.Key, b.Key) })
	return slices.Equal(tags, dressedTags)
}

func checkDetails(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "details")
	putDressed(t, w.source, b)
	source := w.source.admin(t).OpenSource(w.source.at(b))
	d := head(t, source, s3copy.HeadRequest{Key: dressed, Checksums: true})
	if d.Size != 10 || d.ETag != "781e5e245d69b566979b86e28d23f2c7" || d.Modified.IsZero() || d.StorageClass != "" {
		t.Errorf("the details are %+v", d)
	}
	if d.Checksums["SHA256"] != "hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=" {
		t.Errorf("the checksums are %v", d.Checksums)
	}
	w.holds(t, headTellsType, d.Checksum == s3copy.FullObject, "a HEAD's checksum type is %q", d.Checksum)
	isDressed(t, source, dressed, true)
	w.source.put(t, b, "plain", "x")
	tags, err := source.Tags(t.Context(), "plain", "")
	if err != nil || len(tags) != 0 {
		t.Errorf("an object without tags has %v, %v", tags, err)
	}
	_, err = source.Tags(t.Context(), "none", "")
	if !errors.Is(err, s3copy.ErrNotFound) {
		t.Errorf("the tags of a missing object: %v", err)
	}
}

func checkRanges(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "ranges")
	etag := aws.ToString(w.source.put(t, b, "digits", digits).ETag)
	source := w.source.admin(t).OpenSource(w.source.at(b))
	for _, c := range []struct {
		request s3copy.OpenRequest
		want    string
	}{
		{s3copy.OpenRequest{}, digits},
		{s3copy.OpenRequest{Length: 1}, "0"},
		{s3copy.OpenRequest{Offset: 7}, "789"},
		{s3copy.OpenRequest{Offset: 2, Length: 3}, "234"},
		{s3copy.OpenRequest{IfMatch: trimQuotes(etag)}, digits},
	} {
		c.request.Key = "digits"
		if got := read(t, source, c.request); got != c.want {
			t.Errorf("%+v reads %q, want %q", c.request, got, c.want)
		}
	}
	_, err := source.Open(t.Context(), s3copy.OpenRequest{Key: "digits", IfMatch: otherETag})
	if !errors.Is(err, s3copy.ErrChanged) {
		t.Errorf("open on another ETag: %v", err)
	}
	_, err = source.Open(t.Context(), s3copy.OpenRequest{Key: "none"})
	if !errors.Is(err, s3copy.ErrNotFound) {
		t.Errorf("open a missing object: %v", err)
	}
}

// checkClasses puts objects into classes and finds them there, in listings as in details.
func checkClasses(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "classes")
	for _, class := range []types.StorageClass{types.StorageClassStandardIa, types.StorageClassOnezoneIa, types.StorageClassIntelligentTiering} {
		_, err := w.source.tryPut(t, b, string(class), "x", func(in *s3.PutObjectInput) { in.StorageClass = class })
		if err != nil {
			w.holds(t, storageClasses, false, "put into %s: %v", class, err)
			continue
		}
		source := w.source.admin(t).OpenSource(w.source.at(b))
		d := head(t, source, s3copy.HeadRequest{Key: string(class)})
		page, err := source.ListPage(t.Context(), s3copy.PageRequest{Prefix: string(class)}, nil)
		if err != nil || len(page.Objects) != 1 {
			t.Fatalf("list %s: %+v, %v", class, page, err)
		}
		w.holds(t, storageClasses, d.StorageClass == string(class) && page.Objects[0].StorageClass == string(class),
			"an object of %s is %q in its details and %q in the listing", class, d.StorageClass, page.Objects[0].StorageClass)
	}
}

func checkPut(w *world) {
	t := w.t
	d := w.bucket(t, w.destination, "put")
	destination := w.destination.admin(t).OpenDestination(w.destination.at(d), w.source.at("elsewhere"))
	done, err := destination.PutObject(t.Context(), s3copy.UploadRequest{
		Key: dressed, Headers: dressedHeaders, Tags: dressedTags, ChecksumAlgo: "CRC32C",
	}, []byte(digits))
	if err != nil || done.ETag != "781e5e245d69b566979b86e28d23f2c7" {
		t.Fatalf("put: %+v, %v", done, err)
	}
	isDressed(t, destination, dressed, true)
	got := head(t, destination, s3copy.HeadRequest{Key: dressed, Checksums: true})
	if got.Checksums["CRC32C"] != "KAwGng==" {
		t.Errorf("put with CRC32C: the checksums are %v", got.Checksums)
	}
}
