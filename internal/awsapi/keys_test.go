package awsapi

import (
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"xplan/internal/s3copy"
)

func TestCopySourceKeepsEveryByte(t *testing.T) {
	for key, want := range map[string]string{
		"a b+c":       "tommy/a%20b%2Bc",
		"d//e/../f":   "tommy/d//e/../f",
		"/lead":       "tommy//lead",
		"ü":           "tommy/%C3%BC",
		"q?x=1&y%20":  "tommy/q%3Fx%3D1%26y%2520",
		"A-Z_a.z~0/9": "tommy/A-Z_a.z~0/9",
		"\x01\xff":    "tommy/%01%FF",
	} {
		if got := copySource("tommy", key, ""); got != want {
			t.Errorf("%q: got %s, want %s", key, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		key := string(rapid.SliceOf(rapid.Byte()).Draw(t, "key"))
		got, err := url.PathUnescape(copySource("b", key, ""))
		if err != nil || got != "b/"+key {
			t.Errorf("%q came back as %q, %v", key, got, err)
		}
	})
}

func TestListedKeysAreDecoded(t *testing.T) {
	for encoded, want := range map[string]string{
		"a+b%2Bc":   "a b+c",
		"d%2F%2Fe":  "d//e",
		"%C3%BC%01": "ü\x01",
		"plain":     "plain",
	} {
		if got, err := decodeKey(encoded, types.EncodingTypeUrl); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", encoded, got, err, want)
		}
	}
	if got, _ := decodeKey("a+b", ""); got != "a+b" {
		t.Errorf("a server that does not encode: got %q, want a+b", got)
	}
	if got, err := decodeKey("%zz", types.EncodingTypeUrl); err == nil {
		t.Errorf("got %q, want an error", got)
	}
}

func TestKeysThatXMLChangesAreKnown(t *testing.T) {
	for key, want := range map[string]bool{
		"plain/ü/\U0001F600": true, "a&b<c>": true,
		"a\x01": false, "a\r": false, "a\n": false, "a\x7f": false, "a\xff": false, "a\uFFFE": false, "a\uFFFD": false,
	} {
		if got := xmlCarries(key); got != want {
			t.Errorf("%q: got %v, want %v", key, got, want)
		}
	}
}

func TestTagsTravelAsAQuery(t *testing.T) {
	got := tagging([]s3copy.Tag{{Key: "k 1", Value: "v+2&ü"}, {Key: "e", Value: ""}})
	if want := "k%201=v%2B2%26%C3%BC&e="; *got != want {
		t.Errorf("got %s, want %s", *got, want)
	}
	if tagging(nil) != nil {
		t.Error("no tags want no header")
	}
}
