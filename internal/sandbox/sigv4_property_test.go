package sandbox

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

// overTheWire is the request as a server reads it.
func overTheWire(r *http.Request) (*http.Request, error) {
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		return nil, err
	}
	return http.ReadRequest(bufio.NewReader(&wire))
}

// TestWhateverTheSDKSignsIsLetIn draws keys, queries and headers of any bytes.
func TestWhateverTheSDKSignsIsLetIn(t *testing.T) {
	s := New(Config{})
	id, secret := s.Admin(accountA)
	creds := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	rapid.Check(t, func(t *rapid.T) {
		key := string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "key"))
		query := url.Values{}
		for range rapid.IntRange(0, 4).Draw(t, "params") {
			query.Add(rapid.StringN(1, 8, 16).Draw(t, "name"), rapid.String().Draw(t, "value"))
		}
		var path strings.Builder
		escapeInto(&path, "/bucket/"+key, true)
		u := &url.URL{Scheme: "http", Host: "127.0.0.1:9000", Path: "/bucket/" + key, RawPath: path.String(), RawQuery: query.Encode()}
		r := (&http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}}).WithContext(t.Context())
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			r.Header.Add("X-Amz-Meta-"+rapid.StringMatching(`[a-z][a-z0-9-]{0,8}`).Draw(t, "header"), rapid.StringMatching(`[ -~]{0,20}`).Draw(t, "content"))
		}
		hash := unsignedPayload
		r.Header.Set("X-Amz-Content-Sha256", hash)
		presign := rapid.Bool().Draw(t, "presigned")
		if presign {
			r.Header.Del("X-Amz-Content-Sha256")
			signed, _, err := signer.PresignHTTP(t.Context(), creds, r, hash, "s3", defaultRegion, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if r.URL, err = url.Parse(signed); err != nil {
				t.Fatal(err)
			}
		} else if err := signer.SignHTTP(t.Context(), creds, r, hash, "s3", defaultRegion, time.Now()); err != nil {
			t.Fatal(err)
		}
		got, err := overTheWire(r)
		if err != nil {
			t.Fatal(err)
		}
		c, refused := s.newCall(&nothing{header: http.Header{}}, got)
		if refused == nil {
			refused = s.authenticate(c)
		}
		if refused != nil {
			t.Fatalf("refused %s: %v", got.RequestURI, refused)
		}
	})
}
