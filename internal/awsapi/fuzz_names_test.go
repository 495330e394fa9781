package awsapi

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
)

// neighbours are keys that somebody takes a key for who encodes or decodes it once too often, or cleans it.
func neighbours(key string) []string {
	before, _, _ := strings.Cut(key, "?")
	all := []string{
		url.QueryEscape(key), url.PathEscape(key), strings.TrimPrefix(key, "/"), "/" + key, path.Clean(key), before, strings.ToLower(key), strings.TrimSpace(key),
		strings.ReplaceAll(key, "+", " "), strings.ReplaceAll(key, " ", "+"), strings.ReplaceAll(key, "//", "/"), key + "?versionId=null",
	}
	for _, decode := range []func(string) (string, error){url.QueryUnescape, url.PathUnescape} {
		if other, err := decode(key); err == nil {
			all = append(all, other)
		}
	}
	return all
}

// isKey tells what S3 takes as a key.
func isKey(key string) bool {
	return key != "" && len(key) <= 1024 && utf8.ValidString(key) && !strings.Contains(key, "\x00")
}

// FuzzNamedObject: over HTTP, by the lane and by the SDK's client, exactly the object that is named is copied, to exactly the key that is
// named, whatever stands under the keys beside it; it is read and deleted by that name, and nothing else is.
func FuzzNamedObject(f *testing.F) {
	for _, k := range hardKeys() {
		f.Add(k)
	}
	w := newWorld(f)
	err := errors.Join(
		w.b.CreateBucket(f.Context(), compile.BucketSpec{Name: "tommy-b", Account: accountB, Region: "us-west-2"}),
		w.SetBucketPolicy("tommy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+accountB+`:root"},
			"Action":["s3:GetObject","s3:GetObjectTagging"],"Resource":"arn:aws:s3:::tommy/*"}]}`),
	)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if !isKey(key) {
			return
		}
		for _, other := range neighbours(key) {
			if isKey(other) {
				_ = w.PutObject("tommy", other, []byte("beside it"), sandbox.PutOptions{})
			}
		}
		sum := sha256.Sum256([]byte(key))
		if err := w.PutObject("tommy", key, sum[:], sandbox.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, plain := range []bool{false, true} {
			w.b.options.Plain = plain
			w.carries(t, key, string(sum[:]))
		}
	})
}

// carries copies the object, and looks at what came of it.
func (w world) carries(t *testing.T, key, body string) {
	t.Helper()
	d := w.b.OpenDestination(w.destination(), w.source())
	copied, err := d.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: key, Key: key})
	if err != nil {
		t.Fatalf("copy %q: %v", key, err)
	}
	all := w.Objects("tommy-b")
	if len(all) != 1 || all[0].Key != key || all[0].ETag != copied.ETag {
		t.Errorf("%q was copied, and the destination has %+v", key, all)
	}
	stream, err := d.Open(t.Context(), s3copy.OpenRequest{Key: key})
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	got, err := io.ReadAll(stream)
	if err := errors.Join(err, stream.Close()); err != nil || string(got) != body {
		t.Errorf("the copy of %q has the bytes of another: %q, %v", key, got, err)
	}
	if head, err := d.Head(t.Context(), s3copy.HeadRequest{Key: key}); err != nil || head.ETag != copied.ETag {
		t.Errorf("the details of %q: %+v, %v", key, head, err)
	}
	errs, err := w.b.OpenDeleter(w.destination()).DeleteObjects(t.Context(), []s3copy.Deletion{{Key: key, ETag: copied.ETag}})
	if left := w.Objects("tommy-b"); err != nil || errors.Join(errs...) != nil || len(left) != 0 {
		t.Errorf("deleted %q: %v, %v, left is %+v", key, errs, err, left)
	}
}
