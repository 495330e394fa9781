package sandbox

import "net/http"

// S3Config holds what concerns the S3 service alone.
type S3Config struct{}

type s3Service struct{ server *Server }

func newS3Service(s *Server, _ S3Config) *s3Service { return &s3Service{server: s} }

func (s *s3Service) classify(*http.Request) target { return target{} }

func (s *s3Service) serve(c *call) {
	s.fail(c, newError(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented"))
}

func (s *s3Service) fail(c *call, e *apiError) { http.Error(c.w, e.Code, e.Status) }

func (s *s3Service) close() {}
