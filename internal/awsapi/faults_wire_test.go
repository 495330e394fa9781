package awsapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"time"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
)

// A lossyWire is the way to a sandbox on which requests go wrong, from one of them on. It serves without sockets.
type lossyWire struct {
	box   *sandbox.Server
	fault *fault
	from  int  // the first request that goes wrong; those before pass
	once  bool // only that one does

	mu   sync.Mutex
	seen int
	hit  bool
}

// RoundTrip passes a request on, or spoils it.
func (w *lossyWire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	n := w.seen
	w.seen++
	spoilt := w.fault != nil && (n == w.from || n > w.from && !w.once) && (w.fault.about == nil || w.fault.about(r))
	w.hit = w.hit || spoilt
	w.mu.Unlock()
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	response, err := w.answer(r, spoilt)
	if response != nil {
		response.Request = r
	}
	return response, err
}

func (w *lossyWire) answer(r *http.Request, spoilt bool) (*http.Response, error) {
	switch {
	case !spoilt:
		return w.serve(r)
	case w.fault.spoil == nil:
		return errorAnswer(r, w.fault.says.status, w.fault.says.s3, w.fault.says.other), nil
	}
	return w.fault.spoil(w, r)
}

// serve has the sandbox answer. The body is read whole, so that the request can be made twice.
func (w *lossyWire) serve(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr, in.Body = r.URL.RequestURI(), "127.0.0.1:1", io.NopCloser(bytes.NewReader(body))
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.ContentLength >= 0 && len(body) > 0 {
		in.Header.Set("Content-Length", fmt.Sprint(in.ContentLength))
	}
	rec := httptest.NewRecorder()
	w.box.ServeHTTP(rec, in)
	response := rec.Result()
	if r.Method == http.MethodHead {
		response.Body = http.NoBody
	}
	return response, nil
}

func (w *lossyWire) hits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hit
}

// A refusal is what a server says instead of doing what it was asked: its status, S3's code, and that of the others.
type refusal struct {
	status    int
	s3, other string
}

// A fault is one way in which a request goes wrong: by a refusal, or else as spoil does it.
type fault struct {
	name  string
	says  refusal
	spoil func(w *lossyWire, r *http.Request) (*http.Response, error)
	// means is what the error is then, one of these; none: any error will do that is no denial and no absence.
	means []error
	// passing: asked again, it would have been answered. What may be asked again must get over one of these.
	passing bool
	// unknown: whether the request took effect cannot be told.
	unknown bool
	about   func(r *http.Request) bool // nil: all requests
	absent  bool                       // it says that something is not there: for some calls that is an answer
	denies  bool                       // it says that this may not be done: some facts are left unseen then
	skew    time.Duration              // of the server's clock
}

// secretInAnswers stands in what servers quote of a request.
const secretInAnswers = "FwoGZXIvYXdzEXAMPLETOKENTHATNOBODYMAYSEE"

// errorAnswer writes a refusal as the service that was asked writes it, and quotes the request in it, as IAM does.
func errorAnswer(r *http.Request, status int, s3Code, otherCode string) *http.Response {
	service, _, _ := scopeOf(r.Header.Get("Authorization"))
	message := "It is so. x-amz-security-token:" + secretInAnswers + " Signature=" + secretInAnswers
	code, body := otherCode, ""
	switch service {
	case "s3":
		code = s3Code
		body = xmlError(code, message)
	case "kms":
		body = fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)
	case "ec2":
		body = fmt.Sprintf("<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>REQ1</RequestID></Response>", code, message)
	default:
		body = iamError(code, message)
	}
	if r.Method == http.MethodHead {
		body = ""
	}
	response := respond(status, body)
	if service == "kms" {
		response.Header.Set("X-Amzn-Errortype", code)
	}
	return response
}

// afterwards lets the request take effect, and spoils its answer.
func afterwards(spoil func(answer *http.Response, body []byte) (*http.Response, error)) func(*lossyWire, *http.Request) (*http.Response, error) {
	return func(w *lossyWire, r *http.Request) (*http.Response, error) {
		answer, err := w.serve(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		return spoil(answer, body)
	}
}

// lost drops an answer.
func lost(answer *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	return nil, errors.Join(reset(), answer.Body.Close())
}

func reset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

// late is how net/http words that no answer came in time.
type late struct{}

func (late) Error() string   { return "net/http: timeout awaiting response headers" }
func (late) Timeout() bool   { return true }
func (late) Temporary() bool { return true }

// blackHole takes a request and never answers, until the caller has had enough.
func blackHole(_ *lossyWire, r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(300 * time.Millisecond): // of calls that outlive their context, to clean up
		return nil, late{}
	}
}

func hasAnswer(r *http.Request) bool { return r.Method != http.MethodHead }

// faults are what may happen to any request.
func faults() []*fault {
	unavailable, throttled := []error{compile.ErrUnavailable}, []error{s3copy.ErrThrottled}
	half := func(answer *http.Response, body []byte) (*http.Response, error) {
		half := body[:len(body)/2]
		answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(half)), int64(len(half))
		answer.Header.Del("Content-Length")
		return answer, nil
	}
	return []*fault{
		{name: "black hole", spoil: blackHole, means: []error{context.Canceled, context.DeadlineExceeded}, unknown: true},
		{name: "timeout", spoil: func(*lossyWire, *http.Request) (*http.Response, error) { return nil, late{} }, means: unavailable, passing: true, unknown: true},
		{name: "reset", spoil: func(*lossyWire, *http.Request) (*http.Response, error) { return nil, reset() }, means: unavailable, passing: true, unknown: true},
		{
			name: "answer lost", passing: true, unknown: true, means: unavailable,
			spoil: func(w *lossyWire, r *http.Request) (*http.Response, error) { return lost(w.serve(r)) },
		},
		{name: "500", says: refusal{500, "InternalError", "InternalFailure"}, means: unavailable, passing: true, unknown: true},
		{
			name: "500 after the effect", passing: true, unknown: true, means: unavailable,
			spoil: func(w *lossyWire, r *http.Request) (*http.Response, error) {
				if _, err := w.serve(r); err != nil {
					return nil, err
				}
				return errorAnswer(r, 500, "InternalError", "InternalFailure"), nil
			},
		},
		{name: "502 of a proxy", spoil: func(*lossyWire, *http.Request) (*http.Response, error) {
			return respond(502, "<html><body><h1>Bad gateway</h1></body></html>"), nil
		}, means: unavailable, passing: true, unknown: true},
		{name: "503 storm", says: refusal{503, "SlowDown", "ServiceUnavailable"}, means: throttled, unknown: true},
		{name: "429", says: refusal{429, "TooManyRequests", "TooManyRequestsException"}, means: throttled},
		{name: "late 403", says: refusal{403, "AccessDenied", "AccessDenied"}, means: []error{s3copy.ErrDenied}, denies: true},
		{name: "404", spoil: notThere, absent: true},
		{name: "409", says: refusal{409, "OperationAborted", "ConcurrentModification"}},
		{name: "412", says: refusal{412, "PreconditionFailed", "PreconditionFailed"}},
		{
			name: "200 with an error", passing: true, about: hasAnswer,
			says: refusal{200, "InternalError", "InternalFailure"}, unknown: true,
		},
		{
			name: "empty 200", passing: true, unknown: true,
			spoil: func(*lossyWire, *http.Request) (*http.Response, error) { return respond(200, ""), nil },
		},
		{name: "truncated", spoil: afterwards(half), about: hasAnswer, passing: true, unknown: true}, //nolint:bodyclose // whoever gets the answer closes it
		{
			name: "cut", about: hasAnswer, passing: true, unknown: true,
			spoil: afterwards(func(answer *http.Response, body []byte) (*http.Response, error) { //nolint:bodyclose // whoever gets the answer closes it
				answer.Body, answer.ContentLength = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), &failing{reset()})), int64(len(body))
				return answer, nil
			}),
		},
		{name: "wrong checksum", spoil: wrongSum, about: carriesBytes, passing: true, unknown: true},
		{
			name: "delivered twice", passing: true,
			spoil: func(w *lossyWire, r *http.Request) (*http.Response, error) {
				if _, err := w.serve(r); err != nil {
					return nil, err
				}
				return w.serve(r)
			},
		},
		{name: "clock an hour behind", spoil: (*lossyWire).serve, passing: true, skew: time.Hour},
		{name: "credentials expired", says: refusal{400, "ExpiredToken", "ExpiredToken"}, means: []error{s3copy.ErrCredentials}},
		{name: "key deleted", says: refusal{403, "InvalidAccessKeyId", "InvalidClientTokenId"}, means: []error{s3copy.ErrCredentials}},
	}
}

// notThere says what each service says of what is missing.
func notThere(_ *lossyWire, r *http.Request) (*http.Response, error) {
	service, _, _ := scopeOf(r.Header.Get("Authorization"))
	query := r.URL.Query()
	s3Code := "NoSuchKey"
	switch {
	case query.Has("uploadId"):
		s3Code = "NoSuchUpload"
	case strings.Count(strings.Trim(r.URL.Path, "/"), "/") == 0:
		s3Code = "NoSuchBucket"
	}
	switch service {
	case "kms":
		return errorAnswer(r, 400, "", "NotFoundException"), nil
	case "ec2":
		return errorAnswer(r, 400, "", "InvalidInstanceID.NotFound"), nil
	}
	return errorAnswer(r, 404, s3Code, "NoSuchEntity"), nil
}

// carriesBytes picks the requests that move an object's bytes.
func carriesBytes(r *http.Request) bool {
	service, _, _ := scopeOf(r.Header.Get("Authorization"))
	if service != "s3" || strings.Count(strings.Trim(r.URL.Path, "/"), "/") == 0 || r.Header.Get(copySourceHeader) != "" {
		return false
	}
	query := r.URL.Query()
	get := r.Method == http.MethodGet && !query.Has("tagging") && !query.Has("uploadId")
	return get || r.Method == http.MethodPut && !query.Has("tagging")
}

// wrongSum changes a byte of what is read, and refuses what is written.
func wrongSum(w *lossyWire, r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut {
		return errorAnswer(r, 400, "BadDigest", ""), nil
	}
	return afterwards(func(answer *http.Response, body []byte) (*http.Response, error) {
		if len(body) > 0 {
			body[0] ^= 1
		}
		return answer, nil
	})(w, r)
}

// failing is a reader that fails.
type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// meansOne tells whether the error is one of these.
func meansOne(err error, list []error) bool {
	for _, want := range list {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// arm has requests go wrong from now on. The black hole's caller soon has enough.
func (w *faultWorld) arm(c faultCase, cancel func()) {
	w.wire.mu.Lock()
	defer w.wire.mu.Unlock()
	w.wire.seen, w.wire.hit, w.wire.from, w.wire.once, w.wire.fault = 0, false, c.at, c.once, c.fault
	if c.fault.name == "" {
		w.wire.fault = nil
	}
	if c.fault.name == "black hole" {
		hole := *c.fault
		hole.spoil = func(l *lossyWire, r *http.Request) (*http.Response, error) {
			time.AfterFunc(time.Millisecond, cancel)
			return blackHole(l, r)
		}
		w.wire.fault = &hole
	}
}

// disarm ends that, and tells how many requests were made.
func (w *lossyWire) disarm() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = nil
	return w.seen
}

// clockAhead sets the server's clock.
func (w *faultWorld) clockAhead(d time.Duration) { w.skew.Store(int64(d)) }
