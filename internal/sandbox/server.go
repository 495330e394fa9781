package sandbox

import "time"

// A Server is the sandbox. It is safe for concurrent use.
type Server struct {
	cfg Config
	s3  *s3Service
}

// New makes the world that cfg describes; Start serves it.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg}
	s.s3 = newS3Service(s, cfg.S3)
	return s
}

// Start listens on a free port of 127.0.0.1 and serves until Close.
func (s *Server) Start() error { return nil }

// URL is the endpoint of every service.
func (s *Server) URL() string { return "" }

// Close stops listening, ends what is in flight and waits for it.
func (s *Server) Close() error { return nil }

func (s *Server) now() time.Time {
	if s.cfg.Clock != nil {
		return s.cfg.Clock()
	}
	return time.Now()
}

// lag is how long changes need to reach decisions.
func (s *Server) lag() time.Duration { return s.cfg.Propagation }
