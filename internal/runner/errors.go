package runner

import "fmt"

// A ConflictError says that something of the plan's name stands there and is not ours.
type ConflictError struct{ Subject, Why, Fix string }

// Error says what, why and what to do.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s: %s; %s", e.Subject, e.Why, e.Fix)
}

// A DriftError says that the world changed between the review and the write.
type DriftError struct{ Subject, What string }

// Error says what changed.
func (e *DriftError) Error() string {
	return fmt.Sprintf("%s changed since it was reviewed: %s; nothing was written: plan again", e.Subject, e.What)
}

// A DeniedError explains a denied leg.
type DeniedError struct {
	Leg       string
	Principal string
	Action    string
	Resource  string
	Missing   string // the statement that would allow it, or the rule that likely denies
	Err       error

	admin bool // who is refused is an account's administrator
}

// Error names leg, principal, action, resource and the way out.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("%s: %s may not %s on %s: %v\n%s", e.Leg, e.Principal, e.Action, e.Resource, e.Err, e.Missing)
}

// Unwrap gives the server's own words.
func (e *DeniedError) Unwrap() error { return e.Err }

// A GoneError says that the destination's bucket is gone since the run that goes on began: what its cursors
// call settled is nowhere any more.
type GoneError struct {
	Bucket  string
	Objects int64 // that stood there
}

// Error says what to do.
func (e *GoneError) Error() string {
	return fmt.Sprintf("the bucket %s is gone, and with it the %d objects that this run had settled in it; start over with xplan apply --new-run", e.Bucket, e.Objects)
}
