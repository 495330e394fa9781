package compile

import (
	"context"
	"errors"

	"xplan/plan"
)

// What a reader's error can mean to Observe. Adapters wrap these.
var (
	ErrDenied      = errors.New("access denied")
	ErrCredentials = errors.New("no usable credentials")
	ErrUnsupported = errors.New("not supported by the server")
	ErrUnavailable = errors.New("the server has no answer now")
)

// An IdentityReader asks who signs.
type IdentityReader interface {
	Identity(ctx context.Context) (Identity, error)
}

// A BucketReader reads all facts of one bucket. What it may not read it returns as
// Unseen beside what it could; a missing bucket is no error.
type BucketReader interface {
	Bucket(ctx context.Context, name string) (Bucket, []Unseen, error)
}

// A PrincipalReader reads users, roles and managed policies. What is missing is no error (Exists is false).
type PrincipalReader interface {
	Principal(ctx context.Context, arn string) (PrincipalFacts, error)
	ManagedPolicy(ctx context.Context, arn string) (ManagedPolicy, error)
	// PrincipalPolicies reads the documents of all policies of the principal that the facts are about. What may not
	// be read is unseen.
	PrincipalPolicies(ctx context.Context, f PrincipalFacts) (PrincipalPolicies, []Unseen, error)
}

// A KeyReader reads a KMS key with its grants.
type KeyReader interface {
	KMSKey(ctx context.Context, id, region string) (KMSKey, []Unseen, error)
}

// An InstanceReader reads an EC2 instance.
type InstanceReader interface {
	Instance(ctx context.Context, id, region string) (InstanceFacts, error)
}

// An AccountReader reads one account as its administrator.
type AccountReader interface {
	IdentityReader
	BucketReader
	PrincipalReader
	KeyReader
	InstanceReader
}

// A ScanRequest asks for a pair's count with the copy switched off.
type ScanRequest struct {
	Pair              plan.Pair
	SourceRegion      string
	DestinationRegion string
	DestinationExists bool
	StopAtFirst       bool
	ManyOwners        bool // the source has ACLs on: its objects may be of other accounts
	RequesterPays     bool // the source
	Locks             bool // are kept: equal objects are asked for theirs
	GoesOn            bool // the run has begun: its own account of the pair counts, where there is one
	CutsOver          bool // deltas and a final pass follow the copy: a run that goes on is not over when all of it is copied
}

// A Scanner counts what a copy would do, as the administrators.
type Scanner interface {
	Scan(ctx context.Context, r ScanRequest) (CopyFacts, error)
}

// Readers is all that Observe reads from.
type Readers struct {
	Source, Destination AccountReader
	Scanner             Scanner
}

// Of returns the reader of a side.
func (r Readers) Of(s plan.Side) AccountReader {
	if s == plan.Source {
		return r.Source
	}
	return r.Destination
}

// Counting says how much Observe counts.
type Counting string

// The ways of counting.
const (
	CountAll   Counting = "all"   // every key, for the review
	CountFirst Counting = "first" // stop at the first thing to do, for apply --yes
	CountRest  Counting = "rest"  // as CountFirst, for a run that goes on: what it has settled is not counted again
	CountNone  Counting = "none"  // --no-scan: nobody knows, work is assumed
)

// ObserveOptions are Observe's.
type ObserveOptions struct {
	Counting Counting
	Owned    []Owned  // from state
	Settled  []string // from state: see World
}

// ErrInvalidPrincipal is S3's refusal of a policy that names a principal it does not know (yet).
var ErrInvalidPrincipal = errors.New("invalid principal in policy")
