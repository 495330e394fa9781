package awsapi

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// hardKeys are seeds: what codecs of keys get wrong.
func hardKeys() []string {
	return []string{
		"", "k", "a b+c", "%", "%2F", "%zz", "100%25", "a/../b", "//", "/lead", "trail/", "\x00", "\x01\x1f\x7f", "\xff\xfe", "\u00e9", "e\u0301", "\U0001f600", "\u202e", "\ufffd",
		"?x=1&y#z", "\"'<>&;", "\r\n\t", "~-_.", strings.Repeat("n", 1024), strings.Repeat("+", 300), "x?versionId=1",
	}
}

// FuzzListedKey: a key that is encoded as S3 does, by either way to write a space, is decoded to itself, by the SDK's way and the lane's.
func FuzzListedKey(f *testing.F) {
	for _, k := range hardKeys() {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, key string) {
		for _, encoded := range []string{url.QueryEscape(key), escapeTag(key), escapePath(key)} {
			if got, err := decodeKey(encoded, types.EncodingTypeUrl); err != nil || got != key {
				t.Errorf("%q, listed as %s, is read as %q, %v", key, encoded, got, err)
			}
			p := pageReader{encoded: true}
			if got := p.key([]byte(encoded)); p.odd || got != key {
				t.Errorf("%q, listed as %s, is read by the lane as %q, gave up: %t", key, encoded, got, p.odd)
			}
		}
		got, err := decodeKey(key, types.EncodingTypeUrl) // nobody's encoding
		p := pageReader{encoded: true}
		if short := p.key([]byte(key)); (err != nil) != p.odd || err == nil && got != short {
			t.Errorf("%q is read as %q, %v, and by the lane as %q, gave up: %t", key, got, err, short, p.odd)
		}
	})
}

// FuzzCopySource: the header holds nothing but what needs no thought, and names bucket and key and no other.
func FuzzCopySource(f *testing.F) {
	for _, k := range hardKeys() {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, key string) {
		got := copySource("tommy", key, "")
		for i := range len(got) {
			if c := got[i]; !unreserved(c) && c != '/' && c != '%' {
				t.Errorf("%q: the header has %q in it: %s", key, c, got)
			}
		}
		back, err := url.PathUnescape(got)
		query, queryErr := url.QueryUnescape(got) // S3 reads a plus as a space
		if err != nil || queryErr != nil || back != "tommy/"+key || query != back {
			t.Errorf("%q came back as %q, %v, and as %q, %v", key, back, err, query, queryErr)
		}
		a := (&lane{path: "/tommy/", rawPath: "/tommy/", scheme: "http", host: "h"}).address(&question{key: key, method: http.MethodPut})
		if key != "" && a.EscapedPath() != "/tommy/"+escapePath(key) {
			t.Errorf("%q: the path is %s", key, a.EscapedPath())
		}
	})
}

// xmlPage is a page as encoding/xml reads it.
type xmlPage struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	IsTruncated           bool
	EncodingType          string
	NextContinuationToken string
	Contents              []struct {
		Key, ETag, StorageClass string
		Size                    int64
		Owner                   struct{ ID string }
	}
}

// FuzzPage: what the lane reads of a page, encoding/xml reads as well, and the same.
func FuzzPage(f *testing.F) {
	for _, turn := range turns() {
		f.Add(turn.body)
	}
	for _, k := range hardKeys() {
		f.Add(strings.Replace(goodPage, "<Key>c<", "<Key>"+url.QueryEscape(k)+"<", 1))
		f.Add(strings.Replace(goodPage, "<Key>c<", "<Key>"+k+"<", 1))
	}
	f.Fuzz(func(t *testing.T, body string) {
		page, ok := readPage([]byte(body), nil)
		if !ok {
			return
		}
		var want xmlPage
		if err := xml.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("encoding/xml does not read what the lane read as %+v: %v", page, err)
		}
		if page.More != want.IsTruncated || page.Token != want.NextContinuationToken || len(page.Objects) != len(want.Contents) {
			t.Fatalf("the lane reads %+v, and encoding/xml %+v", page, want)
		}
		for i, o := range page.Objects {
			x := want.Contents[i]
			key, err := decodeKey(x.Key, types.EncodingType(want.EncodingType))
			if err != nil || o.Key != key || o.Size != s3copy.Bytes(x.Size) || o.ETag != strings.Trim(x.ETag, `"`) || o.StorageClass != classOf(x.StorageClass) || o.Owner != x.Owner.ID {
				t.Errorf("object %d is read as %+v, and by encoding/xml as %+v, %v", i, o, x, err)
			}
		}
	})
}

// FuzzRefusal: whatever a server says, the error is one bounded line without what a secret stands behind.
func FuzzRefusal(f *testing.F) {
	f.Add(403, "AccessDenied", "no")
	f.Add(403, "SignatureDoesNotMatch", "The Canonical String was\nx-amz-security-token:SECRETSECRET")
	f.Add(200, "", "<html>")
	f.Add(503, "SlowDown", "X-Amz-Signature=SECRETSECRET&x")
	f.Add(403, "AccessDenied", "<SecretAccessKey>SECRETSECRET</SecretAccessKey> aws_session_token = SECRETSECRET")
	f.Add(0, "\x1b[31m", "\u202e \"AWSSecretKey\": \"SECRETSECRET\"")
	f.Fuzz(func(t *testing.T, status int, code, message string) {
		text := clean(message + " x-amz-security-token:SECRETSECRET Signature=SECRETSECRET")
		if strings.Contains(strings.ReplaceAll(text, message, ""), "SECRETSECRET") && !strings.Contains(message, "SECRET") {
			t.Errorf("%q shows the secret", text)
		}
		if len(text) > longestMessage+len("…") || strings.ContainsAny(text, "\n\r") {
			t.Errorf("%d bytes: %q", len(text), text)
		}
		for _, m := range meanings(code, message, status) {
			if m == nil || !errors.Is(m, m) {
				t.Errorf("%d %q means %v", status, code, m)
			}
		}
	})
}
