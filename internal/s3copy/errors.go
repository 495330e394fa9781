package s3copy

import (
	"errors"
	"fmt"
)

// What went wrong with an object, as the engine needs to know it. Adapters wrap
// these; the engine asks with errors.Is.
var (
	ErrDenied      = errors.New("access denied")
	ErrNotFound    = errors.New("no such object")
	ErrNoBucket    = errors.New("no such bucket")
	ErrChanged     = errors.New("the object changed since it was listed")
	ErrExists      = errors.New("the object exists already")
	ErrArchived    = errors.New("the object is archived")
	ErrThrottled   = errors.New("slowed down by the server")
	ErrUnsupported = errors.New("not supported by the server")
	ErrNoUpload    = errors.New("no such upload")
	ErrCredentials = errors.New("the credentials do not work")
	ErrEmptyAnswer = errors.New("the server said yes and answered nothing")
	ErrUnversioned = errors.New("the bucket does not keep versions")
	ErrCustomerKey = errors.New("encrypted with a key of the customer's own (SSE-C)")
)

// An ObjectError is one object's failure. It never ends a run.
type ObjectError struct {
	Phase string // "list", "compare", "copy", "verify", "restore", "lock", "delete"
	Key   string
	Err   error
}

// Error names phase, key (quoted) and cause.
func (e *ObjectError) Error() string { return fmt.Sprintf("%s %q: %v", e.Phase, e.Key, e.Err) }

// Unwrap gives the cause.
func (e *ObjectError) Unwrap() error { return e.Err }
