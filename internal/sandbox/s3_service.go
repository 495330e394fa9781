package sandbox

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// S3Config holds what concerns the S3 service alone.
type S3Config struct {
	// MinPart is the least size of a part that is not the last; zero means
	// S3's 5 MiB. Tests make it small.
	MinPart int64
	// MaxCopy is the size above which CopyObject and PutObject refuse an
	// object; zero means S3's 5 GiB.
	MaxCopy int64
	// MaxPart is the greatest size of one part; zero means S3's 5 GiB.
	MaxPart int64
	// Restore is how long RestoreObject takes; zero: at once.
	Restore time.Duration
}

const (
	minPartSize   = 5 << 20
	maxPartSize   = 5 << 30
	maxParts      = 10_000
	maxKeyBytes   = 1024
	maxPolicySize = 20 << 10
	maxMetadata   = 2 << 10
	maxListKeys   = 1000
)

// An s3Service is S3: its buckets, and the operations on them. It is safe for
// concurrent use.
//
// Lifecycle, replication, notification, website and logging settings are kept
// and answered, and nothing acts on them. Not served (501): access points,
// directory buckets, S3 Select, form uploads, inventory, analytics and metrics.
// S3's 409 for writes that collide comes only as a Fault, and the ETag of an
// object of unstored zeros is an MD5 of their number, not of the zeros.
type s3Service struct {
	ahead, restoring atomic.Int64 // how far restores are ahead of the clock, and how long they take
	server           *Server
	cfg              S3Config
	ops              map[string]s3Operation
	sums             *summer

	mu      sync.RWMutex // guards buckets; a bucket guards itself
	buckets map[string]*s3Bucket
}

// An s3Operation is how an operation of the API is served.
type s3Operation struct {
	write  bool
	handle func(*s3Call) error
	// noBucket: the operation needs no existing bucket.
	noBucket bool
	// anyRegion: it answers whatever region the request was signed for.
	anyRegion bool
}

// An s3Call is one S3 request.
type s3Call struct {
	*call
	s      *s3Service
	query  url.Values
	bucket *s3Bucket // nil where the operation needs none
}

func newS3Service(s *Server, cfg S3Config) *s3Service {
	if cfg.MinPart == 0 {
		cfg.MinPart = minPartSize
	}
	if cfg.MaxCopy == 0 {
		cfg.MaxCopy = maxPartSize
	}
	if cfg.MaxPart == 0 {
		cfg.MaxPart = maxPartSize
	}
	return &s3Service{
		server: s, cfg: cfg, ops: s3Operations(), sums: newSummer(),
		buckets: map[string]*s3Bucket{},
	}
}

// serve answers an authenticated request.
func (s *s3Service) serve(c *call) {
	op, ok := s.ops[c.target.Operation]
	if !ok {
		s.server.fail(c, newError(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented"))
		return
	}
	q := &s3Call{call: c, s: s}
	err := q.prepare(op)
	if err == nil {
		err = op.handle(q)
	}
	if err == nil {
		return
	}
	var api *apiError
	if !errors.As(err, &api) {
		api = newError(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	}
	s.server.fail(c, api)
}

// prepare checks what every operation has in common: the query, the key, the
// bucket, its region and its expected owner.
func (q *s3Call) prepare(op s3Operation) error {
	var err error
	if q.query, err = url.ParseQuery(q.r.URL.RawQuery); err != nil {
		return newError(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	}
	if err := checkKey(q.target.Key); err != nil {
		return err
	}
	if op.noBucket {
		return nil
	}
	if q.bucket, err = q.s.find(q.target.Bucket); err != nil {
		return err
	}
	if err := q.checkRegion(op); err != nil {
		return err
	}
	return expectOwner(q.r.Header.Get("X-Amz-Expected-Bucket-Owner"), q.bucket)
}

// checkKey refuses the keys that S3 cannot hold.
func checkKey(key string) error {
	if !utf8.ValidString(key) {
		return newError(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	}
	if len(key) > maxKeyBytes {
		e := newError(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
		e.Fields = map[string]string{"Size": strconv.Itoa(len(key)), "MaxSizeAllowed": strconv.Itoa(maxKeyBytes)}
		return e
	}
	return nil
}

// checkRegion answers as an endpoint of another region does. A region is that
// of the signature: the sandbox is all endpoints at once.
func (q *s3Call) checkRegion(op s3Operation) error {
	if op.anyRegion || q.region == "" || q.region == q.bucket.region {
		return nil
	}
	q.w.Header().Set("X-Amz-Bucket-Region", q.bucket.region)
	if virtualBucket(q.r) != "" {
		e := newError(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; the region '"+q.region+"' is wrong; expecting '"+q.bucket.region+"'")
		e.Fields = map[string]string{"Region": q.bucket.region}
		return e
	}
	e := newError(http.StatusMovedPermanently, "PermanentRedirect",
		"The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	e.Fields = map[string]string{"Endpoint": "s3." + q.bucket.region + ".amazonaws.com", "Bucket": q.bucket.name}
	return e
}

// expectOwner refuses a bucket that is not whose the client thought.
func expectOwner(want string, b *s3Bucket) error {
	switch {
	case want == "" || want == b.owner:
		return nil
	case len(want) != 12 || strings.Trim(want, "0123456789") != "":
		return newError(http.StatusBadRequest, "InvalidBucketOwnerAWSAccountID", "The value of the expected bucket owner parameter must be an AWS account ID")
	default:
		return denied("Access Denied")
	}
}

func denied(message string) *apiError {
	if message == "" {
		message = "Access Denied"
	}
	return newError(http.StatusForbidden, "AccessDenied", message)
}

// find returns a bucket by its name.
func (s *s3Service) find(name string) (*s3Bucket, error) {
	s.mu.RLock()
	b := s.buckets[name]
	s.mu.RUnlock()
	if b == nil {
		e := newError(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		e.Fields = map[string]string{"BucketName": name}
		return nil, e
	}
	return b, nil
}

// fail writes an error document; a HEAD and a 304 have none.
func (s *s3Service) fail(c *call, e *apiError) {
	h := c.w.Header()
	if c.r.Method == http.MethodHead || e.Status == http.StatusNotModified {
		h.Del("Content-Length")
		c.w.WriteHeader(e.Status)
		return
	}
	body := errorDocument(c, e)
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(e.Status)
	_, _ = c.w.Write(body)
}

// errorDocument is S3's form of an error.
func errorDocument(c *call, e *apiError) []byte {
	x := newXML(512)
	x.open("Error")
	x.text("Code", e.Code)
	x.text("Message", e.Message)
	names := make([]string, 0, len(e.Fields))
	for name := range e.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		x.text(name, e.Fields[name])
	}
	x.text("Resource", c.r.URL.Path)
	x.text("RequestId", c.id)
	x.text("HostId", c.id+"/sandbox")
	x.close("Error")
	return x.bytes()
}

// answer writes an XML document with status 200.
func (q *s3Call) answer(x *xmlWriter) error {
	body := x.bytes()
	h := q.w.Header()
	h["Content-Type"] = []string{"application/xml"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(body)
	return nil
}

// empty writes an answer without a body.
func (q *s3Call) empty(status int) error {
	if status != http.StatusNoContent {
		q.w.Header().Set("Content-Length", "0")
	}
	q.w.WriteHeader(status)
	return nil
}

// readBody reads the request's body to its end, which also checks its hashes.
func (q *s3Call) readBody(limit int64) ([]byte, error) {
	if q.size > limit {
		return nil, entityTooLarge(q.size, limit)
	}
	if q.body == nil {
		return nil, nil
	}
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(q.body, limit+1))
	var api *apiError
	switch {
	case errors.As(err, &api):
		return nil, api
	case n > limit:
		return nil, entityTooLarge(n, limit)
	case err != nil || (q.size >= 0 && n != q.size):
		return nil, newError(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
	}
	return bytes.Clone(buf.Bytes()), nil // without the buffer's slack: objects stay
}

func entityTooLarge(size, limit int64) *apiError {
	e := newError(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	e.Fields = map[string]string{"ProposedSize": strconv.FormatInt(size, 10), "MaxSizeAllowed": strconv.FormatInt(limit, 10)}
	return e
}

func (s *s3Service) close() {}
