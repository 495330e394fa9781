package test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A mask stands before a server and gives buckets and keys other names, as gateways, access points and file systems do. It signs anew, with
// the first profile of the world. Safe for concurrent use where its functions are.
type mask struct {
	bucket func(name string) string        // as the server has it; nil: as it is
	key    func(bucket, key string) string // the same
	listed func(bucket, key string) string // a key of the server as the mask lists it; nil: as it is
	made   func(bucket, key string)        // told of each write; may be nil
}

func (w *world) mask(t *testing.T, m mask) (address string) {
	t.Helper()
	p := w.profiles[0]
	login := aws.Credentials{AccessKeyID: p.id, SecretAccessKey: p.secret}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		to, bucket := m.behind(r.URL, r.Method == http.MethodPut)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		again, err := http.NewRequestWithContext(r.Context(), r.Method, w.url+to.RequestURI(), bytes.NewReader(body))
		if err != nil {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		again.Header = r.Header.Clone()
		again.Header.Del("Authorization")
		if from := strings.TrimPrefix(again.Header.Get("X-Amz-Copy-Source"), "/"); from != "" {
			if u, err := url.Parse("/" + from); err == nil {
				source, _ := m.behind(u, false)
				again.Header.Set("X-Amz-Copy-Source", strings.TrimPrefix(source.RequestURI(), "/"))
			}
		}
		err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(r.Context(), login, again,
			r.Header.Get("X-Amz-Content-Sha256"), "s3", w.region, time.Now())
		if err != nil {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		answer, err := client.Do(again)
		if err != nil {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		maps.Copy(rw.Header(), answer.Header)
		if m.listed == nil || r.Method != http.MethodGet || r.URL.Query().Get("list-type") == "" {
			rw.WriteHeader(answer.StatusCode)
			_, _ = io.Copy(rw, answer.Body)
			return
		}
		page, err := io.ReadAll(answer.Body)
		if err != nil {
			return
		}
		rw.Header().Del("Content-Length")
		rw.WriteHeader(answer.StatusCode)
		_, _ = rw.Write(regexp.MustCompile(`<Key>[^<]*</Key>`).ReplaceAllFunc(page, func(found []byte) []byte {
			key, err := url.QueryUnescape(strings.TrimSuffix(strings.TrimPrefix(string(found), "<Key>"), "</Key>"))
			if err != nil {
				return found
			}
			return []byte("<Key>" + url.QueryEscape(m.listed(bucket, key)) + "</Key>")
		}))
	}))
	t.Cleanup(func() {
		server.Close()
		client.CloseIdleConnections()
	})
	return server.URL
}

// behind is what a path means at the server, and the bucket in it.
func (m mask) behind(u *url.URL, writes bool) (at *url.URL, bucket string) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if m.bucket != nil {
		bucket = m.bucket(bucket)
	}
	if key != "" && m.key != nil {
		if writes && m.made != nil {
			m.made(bucket, key)
		}
		key = m.key(bucket, key)
	}
	other := *u
	other.Path, other.RawPath = "/"+bucket, ""
	if key != "" {
		other.Path += "/" + key
		other.RawPath = "/" + bucket + "/" + strings.ReplaceAll(url.QueryEscape(key), "+", "%20")
		other.RawPath = strings.ReplaceAll(other.RawPath, "%2F", "/")
	}
	return &other, bucket
}
