package test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A request is what the witness saw of one request.
type request struct {
	action string // "CopyObject", "UploadPartCopy", IAM's and STS's actions, or the method
	path   string // "/bucket/key", decoded
	status int    // 0 while it is under way
}

// changes tells whether the request could have changed anything.
func (r request) changes() bool {
	switch r.action {
	case http.MethodGet, http.MethodHead:
		return false
	}
	for _, reading := range []string{"Get", "List", "Describe", "Simulate"} {
		if strings.HasPrefix(r.action, reading) {
			return false
		}
	}
	return true
}

// A witness stands between the program and a server: it counts what is asked, sees the secrets that are handed out,
// and may hold a request up. It passes a request on even when the program has died meanwhile, as a network does.
type witness struct {
	url  string
	pass *httputil.ReverseProxy

	mu       sync.Mutex
	seen     []request
	secrets  []string
	signed   []string         // the signatures of requests
	trace    *strings.Builder // nil, or what each request was, without what proves who sends it
	underWay int
	before   func(n int, r request) bool // see hook
	instead  func(rw http.ResponseWriter, r request) bool
	after    func(r request) bool // see lose
}

func watch(t *testing.T, target string) *witness {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	w := &witness{pass: &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = p.In.Host // which is signed
		},
		Transport:    transport,
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) },
	}}
	w.pass.ModifyResponse = w.readSecrets
	server := httptest.NewServer(w)
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	w.url = server.URL
	return w
}

// ServeHTTP passes a request on.
func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	s := request{action: actionOf(r), path: r.URL.Path}
	w.mu.Lock()
	w.seen = append(w.seen, s)
	w.underWay++
	n, before, instead, after := len(w.seen), w.before, w.instead, w.after
	w.keep(r)
	w.mu.Unlock()
	answer := &statusWriter{ResponseWriter: rw}
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.underWay--
		w.seen[n-1].status = answer.status
	}()
	if instead != nil && instead(answer, s) {
		return
	}
	if before != nil && !before(n, s) {
		return
	}
	r = r.WithContext(context.WithoutCancel(r.Context()))
	if after == nil || !s.changes() {
		w.pass.ServeHTTP(answer, r)
		return
	}
	kept := httptest.NewRecorder()
	w.pass.ServeHTTP(kept, r)
	if after(s) {
		panic(http.ErrAbortHandler) // the connection is torn
	}
	maps.Copy(answer.Header(), kept.Header())
	answer.WriteHeader(kept.Code)
	_, _ = answer.Write(kept.Body.Bytes())
}

// actionOf names what is asked. The body of a form is read, and put back.
func actionOf(r *http.Request) string {
	switch {
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return r.Method
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil {
			return form.Get("Action")
		}
	case r.Header.Get("X-Amz-Target") != "":
		_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		return action
	case r.Header.Get("X-Amz-Copy-Source") != "" && r.URL.Query().Has("partNumber"):
		return "UploadPartCopy"
	case r.Header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject"
	}
	for _, a := range []struct{ method, query, action string }{
		{http.MethodPost, "uploads", "CreateMultipartUpload"},
		{http.MethodPost, "uploadId", "CompleteMultipartUpload"},
		{http.MethodPost, "delete", "DeleteObjects"},
		{http.MethodDelete, "uploadId", "AbortMultipartUpload"},
		{http.MethodPut, "policy", "PutBucketPolicy"},
		{http.MethodDelete, "policy", "DeleteBucketPolicy"},
		{http.MethodPut, "publicAccessBlock", "PutPublicAccessBlock"},
	} {
		if r.Method == a.method && r.URL.Query().Has(a.query) {
			return a.action
		}
	}
	if r.Method == http.MethodPut && r.URL.RawQuery == "" && strings.Count(strings.TrimSuffix(r.URL.Path, "/"), "/") == 1 {
		return "CreateBucket"
	}
	return r.Method
}

// keep notes a request's signature, and its text where that is wanted.
func (w *witness) keep(r *http.Request) {
	if _, signature, ok := strings.Cut(r.Header.Get("Authorization"), "Signature="); ok {
		w.signed = append(w.signed, signature)
	}
	if w.trace == nil {
		return
	}
	proof := r.Header.Clone()
	r.Header.Del("Authorization")
	r.Header.Del("X-Amz-Security-Token")
	if text, err := httputil.DumpRequest(r, r.ContentLength < 1<<20); err == nil {
		w.trace.Write(text)
	}
	r.Header = proof
}

// readSecrets keeps the secrets of an answer.
func (w *witness) readSecrets(r *http.Response) error {
	if !strings.Contains(r.Header.Get("Content-Type"), "xml") || r.ContentLength > 1<<20 || r.Request.Method != http.MethodPost {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, found := range regexp.MustCompile(`<(?:SecretAccessKey|SessionToken)>([^<]+)<`).FindAllSubmatch(body, -1) {
		w.secrets = append(w.secrets, string(found[1]))
	}
	return nil
}

// settle waits until no request is under way any more, none that still comes out of a dead program's sockets either.
func (w *witness) settle(t *testing.T) {
	t.Helper()
	const quiet, limit = 5, 2000 // looks
	for still, looks := 0, 0; still < quiet; looks++ {
		w.mu.Lock()
		n := w.underWay
		w.mu.Unlock()
		if still++; n > 0 {
			still = 0
		}
		if looks > limit {
			t.Fatal("the requests of a killed program do not end")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// hook calls f before each request from now on, with numbers from 1; where f says no, the request is not passed on.
func (w *witness) hook(f func(n int, r request) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = nil
	if base := len(w.seen); f != nil {
		w.before = func(n int, r request) bool { return f(n-base, r) }
	}
}

// replace lets f answer each request from now on; where it does not, the server does.
func (w *witness) replace(f func(rw http.ResponseWriter, r request) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.instead = f
}

// lose calls f after each request from now on that may change something has taken effect; where f says yes, its answer is lost.
func (w *witness) lose(f func(r request) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.after = f
}

// spoil changes the answers to POSTs on a path below here; nil leaves them as they are. No request may be under way.
func (w *witness) spoil(path string, change func(answer string) string) {
	w.pass.ModifyResponse = w.readSecrets
	if change == nil {
		return
	}
	w.pass.ModifyResponse = func(r *http.Response) error {
		if r.Request.Method != http.MethodPost || !strings.HasPrefix(r.Request.URL.Path, path) {
			return w.readSecrets(r)
		}
		return reword(r, change)
	}
}

// opaque takes from what stands below a path all that tells of bytes: its ETags mean nothing, and it has no checksums. No request may be under way.
func (w *witness) opaque(path string) {
	w.pass.ModifyResponse = func(r *http.Response) error {
		q := r.Request.URL.Query()
		if !strings.HasPrefix(r.Request.URL.Path, path) || q.Has("uploads") || q.Has("uploadId") {
			return w.readSecrets(r)
		}
		etag := regexp.MustCompile(`([0-9a-f]{32})(-\d+)?`)
		if e := r.Header.Get("ETag"); e != "" {
			r.Header.Set("ETag", etag.ReplaceAllString(e, "$1-99"))
		}
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Checksum") || name == "X-Amz-Mp-Parts-Count" {
				r.Header.Del(name)
			}
		}
		if !strings.Contains(r.Header.Get("Content-Type"), "xml") || r.Request.Method == http.MethodHead {
			return nil
		}
		return reword(r, func(answer string) string {
			return regexp.MustCompile(`<Checksum[^>]*>[^<]*</Checksum[^>]*>`).ReplaceAllString(etag.ReplaceAllString(answer, "$1-99"), "")
		})
	}
}

// reword changes the body of an answer.
func reword(r *http.Response, change func(answer string) string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	text := change(string(body))
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	return nil
}

// requests gives what was seen since the mark, and a new mark.
func (w *witness) requests(mark int) ([]request, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]request(nil), w.seen[mark:]...), len(w.seen)
}

// count tells how many of the requests were of an action.
func count(requests []request, action string) int {
	n := 0
	for _, r := range requests {
		if r.action == action {
			n++
		}
	}
	return n
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the proxy flush.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
