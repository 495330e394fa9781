package awsapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/internal/s3copy"
)

func TestListingAsksForEncodingAndGivesPlainKeys(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 200, `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>tok</NextContinuationToken><EncodingType>url</EncodingType>
<Contents><Key>a+b%2Bc</Key><ETag>&quot;e1&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType></Contents>
<Contents><Key>old%01</Key><ETag>&quot;e2-3&quot;</ETag><Size>0</Size><StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-12-01T00:00:00Z</RestoreExpiryDate></RestoreStatus></Contents>
</ListBucketResult>`
	})
	buf := make([]s3copy.Object, 0, 8)
	page, err := account(t, s).pair().ListPage(t.Context(), s3copy.PageRequest{Prefix: "a/", After: "a+", Max: 5000}, buf)
	if err != nil {
		t.Fatal(err)
	}
	want := s3copy.Page{
		Objects: []s3copy.Object{
			{Key: "a b+c", Size: 7, ETag: "e1", Checksum: s3copy.FullObject, Algorithm: "CRC64NVME"},
			{Key: "old\x01", ETag: "e2-3", StorageClass: "GLACIER", Restored: true},
		},
		Token: "tok", More: true,
	}
	if d := cmp.Diff(want, page); d != "" {
		t.Errorf("page (-want +got):\n%s", d)
	}
	if &page.Objects[0] != &buf[:1][0] {
		t.Error("the page does not reuse its buffer")
	}
	r := s.requests()[0]
	for _, part := range []string{"encoding-type=url", "start-after=a%2B", "prefix=a%2F", "max-keys=1000"} {
		if !strings.Contains(r.Query, part) {
			t.Errorf("the query %s lacks %s", r.Query, part)
		}
	}
	if got := r.Header.Get("X-Amz-Optional-Object-Attributes"); got != "RestoreStatus" {
		t.Errorf("optional attributes %q, want RestoreStatus", got)
	}
}

func TestTruncatedPageWithoutATokenIsAnError(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 200, `<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>`
	})
	if _, err := account(t, s).pair().ListPage(t.Context(), s3copy.PageRequest{}, nil); err == nil {
		t.Error("got no error: the listing would end too soon")
	}
}

func TestHeadOfAPartTellsTheLayout(t *testing.T) {
	s := serveHTTP(t, func(w http.ResponseWriter, _ request) {
		for k, v := range map[string]string{
			"Content-Length": "8388608", "Content-Range": "bytes 0-8388607/20000000", "X-Amz-Mp-Parts-Count": "3", "ETag": `"e-3"`,
			"Content-Type": "text/x", "Expires": "0", "X-Amz-Meta-Name": "=?UTF-8?B?w7w=?=", "X-Amz-Website-Redirect-Location": "/there",
			"X-Amz-Checksum-Crc32c": "yZRlqg==", "X-Amz-Checksum-Type": "COMPOSITE", "X-Amz-Object-Lock-Mode": "GOVERNANCE",
			"X-Amz-Restore": `ongoing-request="false", expiry-date="x"`, "X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Version-Id": "v1",
		} {
			w.Header().Set(k, v)
		}
	})
	got, err := account(t, s).pair().Head(t.Context(), s3copy.HeadRequest{Key: "k", Part: 1, Checksums: true})
	if err != nil {
		t.Fatal(err)
	}
	want := s3copy.Details{
		Object: s3copy.Object{
			Key: "k", Size: 20000000, ETag: "e-3", Checksum: s3copy.Composite, Algorithm: "CRC32C", Restored: true,
		},
		VersionID: "v1", Checksums: map[string]string{"CRC32C": "yZRlqg=="}, Parts: 3, PartSize: 8388608,
		Headers: s3copy.Headers{
			ContentType: "text/x", Expires: "0", WebsiteRedirect: "/there", Metadata: map[string]string{"name": "=?UTF-8?B?w7w=?="},
		},
		Encryption: s3copy.Encryption{Algorithm: "aws:kms"}, Lock: s3copy.Lock{Mode: "GOVERNANCE"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("details (-want +got):\n%s", d)
	}
}

func TestUploadCarriesAllThatACopyHasTo(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 200, `<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`
	})
	id, err := account(t, s).pair().CreateUpload(t.Context(), s3copy.UploadRequest{
		Key: "a b+c", StorageClass: "GLACIER_IR", ACL: "bucket-owner-full-control", ChecksumAlgo: "CRC32C",
		Headers: s3copy.Headers{
			ContentType: "text/x", ContentEncoding: "gzip", ContentDisposition: "inline", ContentLanguage: "de",
			CacheControl: "no-store", Expires: "never", WebsiteRedirect: "/there", Metadata: map[string]string{"name": "=?UTF-8?B?w7w=?="},
		},
		Tags: []s3copy.Tag{{Key: "k 1", Value: "v+2"}},
	})
	if err != nil || id != "u" {
		t.Fatalf("got %q, %v, want u", id, err)
	}
	r := s.requests()[0]
	if want := "/tommy-b/a%20b%2Bc"; r.Path != want {
		t.Errorf("path %s, want %s", r.Path, want)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/x", "Content-Encoding": "gzip", "Content-Disposition": "inline", "Content-Language": "de",
		"Cache-Control": "no-store", "Expires": "never", "X-Amz-Website-Redirect-Location": "/there", "X-Amz-Meta-Name": "=?UTF-8?B?w7w=?=",
		"X-Amz-Tagging": "k%201=v%2B2", "X-Amz-Storage-Class": "GLACIER_IR", "X-Amz-Acl": "bucket-owner-full-control",
		"X-Amz-Checksum-Algorithm": "CRC32C",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestCopySendsItsConditions(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 200, `<CopyObjectResult><ETag>&quot;e&quot;</ETag><ChecksumCRC32>aaaa</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType></CopyObjectResult>`
	})
	got, err := account(t, s).pair().CopyObject(t.Context(), s3copy.CopyRequest{
		SourceKey: "a+b", Key: "to/a+b", IfMatch: "e", IfNoneMatch: true, StorageClass: "STANDARD_IA", DropTags: true,
	})
	want := s3copy.Copied{ETag: "e", Checksums: map[string]string{"CRC32": "aaaa"}, Type: s3copy.FullObject}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v, copied (-want +got):\n%s", err, d)
	}
	for name, want := range map[string]string{
		"X-Amz-Copy-Source": "tommy/a%2Bb", "X-Amz-Copy-Source-If-Match": `"e"`, "If-None-Match": "*",
		"X-Amz-Tagging-Directive": "REPLACE", "X-Amz-Tagging": "", "X-Amz-Storage-Class": "STANDARD_IA", "X-Amz-Object-Annotation-Directive": "EXCLUDE",
		"X-Amz-Metadata-Directive": "",
	} {
		if got := s.requests()[0].Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestEmptyYesIsAnError(t *testing.T) {
	for name, body := range map[string]string{"nothing": "", "declaration": `<?xml version="1.0"?>`, "no ETag": "<R><LastModified>2026-01-01T00:00:00Z</LastModified></R>"} {
		s := serve(t, func(request) (int, string) { return 200, body })
		b := account(t, s).pair()
		for what, do := range map[string]func() error{
			"copy": func() error {
				_, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
				return err
			},
			"part": func() error {
				_, err := b.CopyPart(t.Context(), s3copy.PartRequest{Key: "k", UploadID: "u", Number: 1})
				return err
			},
			"complete": func() error {
				_, err := b.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: "k", UploadID: "u"})
				return err
			},
			"upload":   func() error { _, err := b.CreateUpload(t.Context(), s3copy.UploadRequest{Key: "k"}); return err },
			"put":      func() error { _, err := b.PutObject(t.Context(), s3copy.UploadRequest{Key: "k"}, nil); return err },
			"put part": func() error { _, err := b.PutPart(t.Context(), "k", "u", 1, nil); return err },
		} {
			if err := do(); !errors.Is(err, s3copy.ErrEmptyAnswer) {
				t.Errorf("%s, answered with %s: got %v, want %v", what, name, err, s3copy.ErrEmptyAnswer)
			}
		}
	}
}

func TestFailedConditionSaysWhichOne(t *testing.T) {
	for source, want := range map[int]error{200: s3copy.ErrExists, 412: s3copy.ErrChanged, 404: s3copy.ErrChanged} {
		s := serve(t, func(r request) (int, string) {
			if r.Method == http.MethodHead {
				return source, ""
			}
			return 412, xmlError("PreconditionFailed", "")
		})
		_, err := account(t, s).pair().CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k", IfMatch: "e", IfNoneMatch: true})
		if !errors.Is(err, want) {
			t.Errorf("source answers %d: got %v, want %v", source, err, want)
		}
	}
	s := serve(t, func(request) (int, string) { return 412, xmlError("PreconditionFailed", "") })
	b := account(t, s).pair()
	_, err := b.CopyPart(t.Context(), s3copy.PartRequest{Key: "k", UploadID: "u", Number: 1, IfMatch: "e"})
	if !errors.Is(err, s3copy.ErrChanged) {
		t.Errorf("part: got %v, want %v", err, s3copy.ErrChanged)
	}
	_, err = b.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: "k", UploadID: "u", IfNoneMatch: true})
	if !errors.Is(err, s3copy.ErrExists) {
		t.Errorf("complete: got %v, want %v", err, s3copy.ErrExists)
	}
	if _, err = b.Open(t.Context(), s3copy.OpenRequest{Key: "k", IfMatch: "e"}); !errors.Is(err, s3copy.ErrChanged) {
		t.Errorf("open: got %v, want %v", err, s3copy.ErrChanged)
	}
}

func TestShortStreamIsAnError(t *testing.T) {
	s := serveHTTP(t, func(w http.ResponseWriter, _ request) {
		w.Header().Set("Content-Length", "10")
		w.Header().Set("Content-Range", "bytes 0-9/10")
		w.Header().Set("Etag", `"e"`)
		_, _ = io.WriteString(w, "half")
	})
	body, err := account(t, s).pair().Open(t.Context(), s3copy.OpenRequest{Key: "k", Length: 10})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if string(got) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v, want half and %v", got, err, io.ErrUnexpectedEOF)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
}

func TestIgnoredRangeIsAnError(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 200, "everything" })
	if _, err := account(t, s).pair().Open(t.Context(), s3copy.OpenRequest{Key: "k", Offset: 5}); err == nil {
		t.Error("got no error: the wrong bytes would be read")
	}
}

func TestUploadsAreListedToTheEnd(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if strings.Contains(r.Query, "key-marker=a%20%2B") {
			return 200, `<ListMultipartUploadsResult><EncodingType>url</EncodingType><Upload><Key>b</Key><UploadId>2</UploadId></Upload></ListMultipartUploadsResult>`
		}
		return 200, `<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextKeyMarker>a+%2B</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>
<Upload><Key>a+%2B</Key><UploadId>1</UploadId></Upload></ListMultipartUploadsResult>`
	})
	got, err := account(t, s).pair().ListUploads(t.Context(), "")
	want := []s3copy.PendingUpload{{Key: "a +", ID: "1"}, {Key: "b", ID: "2"}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v, uploads (-want +got):\n%s", err, d)
	}
}

func TestAbortOfAMissingUploadIsNoError(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 404, xmlError("NoSuchUpload", "") })
	if err := account(t, s).pair().AbortUpload(t.Context(), "k", "u"); err != nil {
		t.Error(err)
	}
}

func TestRestoreOfArchivedTiersTakesNoDays(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if strings.Contains(r.Body, "<Days>") {
			return 400, xmlError("InvalidArgument", "Days cannot be specified for this storage class")
		}
		return 202, ""
	})
	if err := account(t, s).pair().Restore(t.Context(), s3copy.RestoreRequest{Key: "k", Days: 3}); err != nil {
		t.Error(err)
	}
	s = serve(t, func(request) (int, string) { return 409, xmlError("RestoreAlreadyInProgress", "") })
	if err := account(t, s).pair().Restore(t.Context(), s3copy.RestoreRequest{Key: "k", Days: 3}); err != nil {
		t.Error(err)
	}
	s = serve(t, func(request) (int, string) { return 403, xmlError("InvalidObjectState", "not archived") })
	if err := account(t, s).pair().Restore(t.Context(), s3copy.RestoreRequest{Key: "k", Days: 3}); err == nil || errors.Is(err, s3copy.ErrArchived) {
		t.Errorf("got %v, want an error that does not call the object archived", err)
	}
}

func TestBucketsPrintTheirName(t *testing.T) {
	s := serve(t, answerEverything)
	if got := fmt.Sprintf("%v %+v %#v", account(t, s).pair(), account(t, s).pair(), account(t, s).pair()); got != "bucket tommy-b bucket tommy-b bucket tommy-b" {
		t.Errorf("got %s", got)
	}
}
