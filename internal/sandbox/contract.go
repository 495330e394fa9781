package sandbox

import (
	"io"
	"net/http"
	"net/url"
	"time"
)

// A target says what a request is aimed at, found without authenticating it.
type target struct {
	Service   string // "s3", "iam", "sts", "kms" or "ec2"
	Operation string // as the service's API names it: "CopyObject"
	Bucket    string // S3 only
	Key       string // S3 only, decoded
	Write     bool   // whether it would change anything if it succeeded
}

// A call is one request on its way through the sandbox. It belongs to the
// goroutine that serves the request.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	id     string // the request ID, as in x-amz-request-id
	target target
	caller caller
	region string    // of the signature's scope, that is of the endpoint which the client believes to speak to
	now    time.Time // the sandbox's clock when the request came

	// body is the payload without aws-chunked framing. Reading it to its end
	// checks signed hashes, chunk signatures and trailing checksums' framing;
	// what does not match comes as an *apiError instead of io.EOF.
	body io.Reader
	size int64 // the payload's length without framing; -1 where nobody said
	// trailer holds the trailing headers of an aws-chunked body, by lower-case
	// name (x-amz-checksum-crc32); filled once body has answered io.EOF.
	trailer map[string]string

	sig     *signature // nil for an unsigned request
	payload []byte     // the whole body; not of S3
	form    url.Values // of the query protocol
}

// A caller is who signed a request. The zero value is the anonymous caller.
type caller struct {
	Account     string // "" for the anonymous caller
	ARN         string // user, assumed-role session or root
	UserID      string // AIDA…, AROA…:session, or the account's ID for its root
	UserName    string // of a user
	RoleARN     string // of a session: the role's
	SessionName string // of a session
	AccessKeyID string

	user    *user    // nil unless a user
	session *session // nil unless a role's session
}

// anonymous reports whether the request was not signed.
func (c caller) anonymous() bool { return c.Account == "" }

// An apiError is an answer that a service gives instead of a result; each
// service writes it in its own form.
type apiError struct {
	Status  int
	Code    string
	Message string
	// Fields are further elements of an S3 error document (BucketName, Key, …).
	Fields map[string]string
}

// Error implements error.
func (e *apiError) Error() string { return e.Code + ": " + e.Message }

// newError makes an apiError.
func newError(status int, code, message string) *apiError {
	return &apiError{Status: status, Code: code, Message: message}
}

// A resourceAuth is what the resource's side says about a request.
type resourceAuth struct {
	Account string          // that owns the resource; "" counts as the caller's own
	Policy  *resourcePolicy // in force by now (see timed); nil for none
	Granted bool            // by an ACL or a KMS grant, which count like a resource policy's Allow
	// MustAllow is for keys and roles: nothing is granted without their policy.
	MustAllow bool
}

// A verdict is the decision about one action on one resource.
type verdict struct {
	Allowed  bool
	Explicit bool // denied by a statement, not for want of one
	// Message is AWS's text of the denial: detailed within one account, and
	// plain ("Access Denied") across accounts.
	Message string
}

// What the S3 half calls:
//
//	s.authorize(c *call, action, resourceARN, res resourceAuth, cond map[string][]string) verdict
//	s.kmsAllowed(c *call, action, keyARN string, encryptionContext) *apiError; see kms_model.go
//	s.compileResourcePolicy(text) (*resourcePolicy, error); see resource_policy.go
//	s.now(), s.lag(), timed[T]; see timed.go
//	s.accountOf(id) *account; see account.go
//
// What the server calls of the S3 half:
//
//	newS3Service(s *Server, cfg S3Config) *s3Service
//	(*s3Service).classify(r *http.Request) target   (Service is filled in by the server)
//	(*s3Service).serve(c *call)                      after authentication
//	(*s3Service).fail(c *call, e *apiError)          writes an error in S3's form
//	(*s3Service).close()
