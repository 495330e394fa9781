package sandbox

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Fault makes the requests that it matches go wrong. The empty match fields
// match everything. Faults are consulted in the order of injection; the first
// that fires is applied, alone.
type Fault struct {
	Service     string // "s3", "iam", …
	Operation   string // "CopyObject"; several with "|" between
	Bucket      string // exactly this bucket
	KeyContains string // a part of the key
	Account     string // of the caller
	Caller      string // exactly this ARN
	Writes      bool   // only requests that would change something

	Skip  int // this many matching requests pass first
	Times int // then this many fire; 0 means all

	Do FaultKind
	// Status, Code and Message are the error's, for FaultError and
	// FaultErrorIn200; the zero values mean 500 InternalError.
	Status        int
	Code, Message string
	// Delay comes before the rest of the fault.
	Delay time.Duration
	// Call, where set, runs when the fault fires, after the delay: a test changes
	// the world here, or stops the run.
	Call func()
	// AfterEffect lets the request take effect first, and delays and spoils the
	// answer only.
	AfterEffect bool
	// PerSecond is FaultThrottle's limit for each bucket and first part of the key.
	PerSecond int
}

// A FaultKind is what a Fault does.
type FaultKind int

// The kinds of faults.
const (
	FaultDelay      FaultKind = iota // only Delay and Call
	FaultError                       // answer Status and Code
	FaultErrorIn200                  // answer 200 with an error document in the body
	FaultEmpty200                    // answer 200 without a body
	FaultTruncate                    // take effect, answer half of the body as if it were the whole
	FaultCut                         // take effect, answer half of the body, then close the connection
	FaultTear                        // close the connection without an answer
	FaultThrottle                    // 503 SlowDown above PerSecond requests in a second
)

// A faultSet holds what was injected. Reading it takes no lock.
type faultSet struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*armedFault]
}

// An armedFault is a Fault with its counters.
type armedFault struct {
	Fault
	seen atomic.Int64

	mu      sync.Mutex
	windows map[string]*window // FaultThrottle's, by prefix
}

type window struct {
	start time.Time
	n     int
}

// Inject adds a fault; remove takes it away again and may be called twice.
func (s *Server) Inject(f Fault) (remove func()) {
	armed := &armedFault{Fault: f, windows: map[string]*window{}}
	s.faults.change(func(l []*armedFault) []*armedFault { return append(l, armed) })
	return func() {
		s.faults.change(func(l []*armedFault) []*armedFault {
			return slices.DeleteFunc(l, func(a *armedFault) bool { return a == armed })
		})
	}
}

func (f *faultSet) change(edit func([]*armedFault) []*armedFault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var next []*armedFault
	if old := f.list.Load(); old != nil {
		next = append(next, *old...)
	}
	next = edit(next)
	f.list.Store(&next)
}

// hit finds the fault that fires for c; nil for none.
func (f *faultSet) hit(c *call) *armedFault {
	list := f.list.Load()
	if list == nil {
		return nil
	}
	for _, a := range *list {
		if a.matches(c) && a.fires(c) {
			return a
		}
	}
	return nil
}

func (f *armedFault) matches(c *call) bool {
	return (f.Service == "" || f.Service == c.target.Service) &&
		(f.Operation == "" || slices.Contains(strings.Split(f.Operation, "|"), c.target.Operation)) &&
		(f.Bucket == "" || f.Bucket == c.target.Bucket) &&
		strings.Contains(c.target.Key, f.KeyContains) &&
		(f.Account == "" || f.Account == c.caller.Account) &&
		(f.Caller == "" || f.Caller == c.caller.ARN) &&
		(!f.Writes || c.target.Write)
}

func (f *armedFault) fires(c *call) bool {
	if f.Do == FaultThrottle {
		return f.throttles(c)
	}
	n := int(f.seen.Add(1)) - f.Skip
	return n > 0 && (f.Times == 0 || n <= f.Times)
}

// throttles counts a request in its prefix's current second.
func (f *armedFault) throttles(c *call) bool {
	first, _, _ := strings.Cut(c.target.Key, "/")
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.windows[c.target.Bucket+"/"+first]
	if w == nil {
		w = &window{}
		f.windows[c.target.Bucket+"/"+first] = w
	}
	if c.now.Sub(w.start) >= time.Second {
		*w = window{start: c.now}
	}
	w.n++
	return w.n > f.PerSecond
}

// serveWithFaults answers an authenticated call, or spoils it.
func (s *Server) serveWithFaults(c *call, rec *recorder) {
	f := s.faults.hit(c)
	if f == nil {
		s.dispatch(c)
		return
	}
	held := &heldAnswer{header: http.Header{}}
	if f.AfterEffect || f.Do == FaultTruncate || f.Do == FaultCut {
		c.w = held
		s.dispatch(c)
		c.w = rec
	}
	s.pause(c.r, f.Delay)
	if f.Call != nil {
		f.Call()
	}
	if f.Do == FaultDelay && !f.AfterEffect {
		s.dispatch(c)
		return
	}
	s.spoil(c, rec, f, held)
}

// spoil gives the fault's answer. Tearing a connection is panicking with
// http.ErrAbortHandler, which net/http takes for just that.
func (s *Server) spoil(c *call, rec *recorder, f *armedFault, held *heldAnswer) {
	half := held.body.Bytes()[:held.body.Len()/2]
	switch f.Do {
	case FaultDelay:
		held.copyHeader(rec.Header())
		rec.WriteHeader(held.statusCode())
		_, _ = rec.Write(held.body.Bytes())
	case FaultError:
		s.fail(c, f.answer(f.Status))
	case FaultErrorIn200:
		s.fail(c, f.answer(http.StatusOK))
	case FaultThrottle:
		s.fail(c, newError(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate."))
	case FaultEmpty200:
		rec.WriteHeader(http.StatusOK)
	case FaultTruncate:
		held.copyHeader(rec.Header())
		rec.Header().Del("Content-Length")
		rec.WriteHeader(held.statusCode())
		_, _ = rec.Write(half)
	case FaultCut:
		held.copyHeader(rec.Header())
		rec.WriteHeader(held.statusCode())
		_, _ = rec.Write(half)
		_ = http.NewResponseController(rec).Flush()
		panic(http.ErrAbortHandler)
	default: // FaultTear
		panic(http.ErrAbortHandler)
	}
}

func (f *Fault) answer(status int) *apiError {
	e := newError(status, f.Code, f.Message)
	if e.Status == 0 {
		e.Status = http.StatusInternalServerError
	}
	if e.Code == "" {
		e.Code = "InternalError"
	}
	if e.Message == "" {
		e.Message = "We encountered an internal error. Please try again."
	}
	return e
}

// A heldAnswer keeps an answer back, so that it can be spoiled.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (h *heldAnswer) Header() http.Header { return h.header }

// WriteHeader implements http.ResponseWriter.
func (h *heldAnswer) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

// Write implements http.ResponseWriter.
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *heldAnswer) statusCode() int {
	if h.status == 0 {
		return http.StatusOK
	}
	return h.status
}

func (h *heldAnswer) copyHeader(to http.Header) {
	maps.Copy(to, h.header)
}
