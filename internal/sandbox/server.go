package sandbox

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A Server is the sandbox. It is safe for concurrent use. It serves after
// Start, or through ServeHTTP in a server of the caller's own.
type Server struct {
	cfg      Config
	accounts map[string]*account // written by New only
	managed  map[string]*managedPolicy
	keys     sync.Map // access key ID -> *accessKey
	queries  map[string]map[string]queryOperation
	kmsOps   map[string]kmsOperation
	s3       *s3Service
	faults   faultSet
	log      requestLog

	propagation atomic.Int64 // a time.Duration
	latency     atomic.Int64 // a time.Duration
	identities  atomic.Int64 // counts users and roles made or deleted
	requests    atomic.Uint64

	listener net.Listener
	http     *http.Server
	served   chan struct{} // closed when the accepting goroutine has ended
	inFlight sync.WaitGroup
	closing  chan struct{}
	closed   sync.Once
}

// New makes the world that cfg describes; Start serves it.
func New(cfg Config) *Server {
	if len(cfg.Accounts) == 0 {
		cfg.Accounts = DefaultAccounts()
	}
	s := &Server{cfg: cfg, accounts: map[string]*account{}, closing: make(chan struct{})}
	s.propagation.Store(int64(cfg.Propagation))
	s.latency.Store(int64(cfg.Latency))
	s.log.limit = cfg.Log
	s.managed = awsManagedPolicies()
	for _, a := range cfg.Accounts {
		s.addAccount(a)
	}
	for _, f := range cfg.Faults {
		s.Inject(f)
	}
	s.queries = map[string]map[string]queryOperation{
		serviceIAM: iamOperations(),
		serviceSTS: stsOperations(),
		serviceEC2: ec2Operations(),
	}
	s.kmsOps = kmsOperations()
	s.s3 = newS3Service(s, cfg.S3)
	return s
}

// Start listens on a free port of 127.0.0.1 and serves until Close.
func (s *Server) Start() error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.listener = l
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		_ = s.http.Serve(l) // ends with ErrServerClosed when Close is called
	}()
	return nil
}

// URL is the endpoint of every service, once started.
func (s *Server) URL() string {
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String()
}

// Close stops listening, cuts what is in flight and waits for its end.
func (s *Server) Close() error {
	var err error
	s.closed.Do(func() {
		close(s.closing)
		if s.http != nil {
			err = s.http.Close()
			<-s.served
		}
		s.inFlight.Wait()
		s.s3.close()
	})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// SetPropagation changes Config.Propagation, also for changes already made.
func (s *Server) SetPropagation(d time.Duration) { s.propagation.Store(int64(d)) }

// SetLatency changes Config.Latency.
func (s *Server) SetLatency(d time.Duration) { s.latency.Store(int64(d)) }

func (s *Server) now() time.Time {
	if s.cfg.Clock != nil {
		return s.cfg.Clock()
	}
	return time.Now()
}

// lag is how long changes need to reach decisions.
func (s *Server) lag() time.Duration { return time.Duration(s.propagation.Load()) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.inFlight.Add(1)
	defer s.inFlight.Done()
	rec := &recorder{ResponseWriter: w}
	c, err := s.newCall(rec, r)
	defer func() { s.record(c, rec) }()
	s.pause(r, time.Duration(s.latency.Load()))
	if err == nil {
		err = s.authenticate(c)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.serveWithFaults(c, rec)
}

// newCall finds out what a request is aimed at. The error is for the client;
// the call is usable for answering it.
func (s *Server) newCall(w http.ResponseWriter, r *http.Request) (*call, *apiError) {
	c := &call{w: w, r: r, now: s.now(), body: r.Body, size: r.ContentLength}
	c.id = requestID(s.requests.Add(1))
	w.Header().Set("Date", c.now.UTC().Format(http.TimeFormat))
	w.Header().Set("Server", "xplan-sandbox")
	w.Header().Set("X-Amz-Request-Id", c.id)
	sig, err := parseSignature(r)
	c.sig = sig
	service := guessService(r, sig)
	if service == serviceS3 {
		w.Header().Set("X-Amz-Id-2", c.id+"/sandbox")
		c.target = s.s3.classify(r)
		c.target.Service = service
	} else {
		w.Header().Set("X-Amzn-Requestid", c.id)
		c.target = target{Service: service}
		if e := c.readPayload(); e != nil {
			return c, e
		}
	}
	if sig != nil {
		c.region = sig.region
	}
	return c, err
}

// dispatch lets the service answer an authenticated call.
func (s *Server) dispatch(c *call) {
	switch c.target.Service {
	case serviceS3:
		s.s3.serve(c)
	case serviceKMS:
		s.serveKMS(c)
	default:
		s.serveQuery(c)
	}
}

// fail answers with an error in the service's own form.
func (s *Server) fail(c *call, e *apiError) {
	if rec, ok := c.w.(*recorder); ok {
		rec.code = e.Code
	}
	switch c.target.Service {
	case serviceS3:
		s.s3.fail(c, e)
	case serviceKMS:
		failJSON(c, e)
	default:
		failQuery(c, e)
	}
}

// pause waits, but not longer than the client or the server lives; a server that
// is closing answers no more.
func (s *Server) pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-s.closing:
		panic(http.ErrAbortHandler) // net/http closes the connection for it
	}
}

// requestID is 16 capital hexadecimal digits, as S3 makes them.
func requestID(n uint64) string {
	const width = 16
	id := []byte("0000000000000000")
	digits := strconv.AppendUint(nil, n*0x9E3779B97F4A7C15, 16)
	copy(id[width-len(digits):], digits)
	for i, b := range id {
		if b >= 'a' {
			id[i] = b - 'a' + 'A'
		}
	}
	return string(id)
}

// A recorder notes an answer's status for the log.
type recorder struct {
	http.ResponseWriter
	status int
	code   string
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find the connection's writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
