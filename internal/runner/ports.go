package runner

import (
	"context"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// Buckets makes and removes buckets of one account. Every call pins the account as owner.
type Buckets interface {
	compile.BucketReader
	// CreateBucket makes the bucket with all its settings, secure from its first moment on as far
	// as S3 allows. Safe to repeat: a bucket that this account owns already is configured, not refused.
	CreateBucket(ctx context.Context, b compile.BucketSpec) error
	// DeleteBucket deletes an empty bucket; a missing one is no error.
	DeleteBucket(ctx context.Context, b compile.BucketSpec) error
}

// BucketPolicies reads and writes bucket policies as the bucket's owner.
type BucketPolicies interface {
	// BucketPolicy returns the JSON as read; "" is none.
	BucketPolicy(ctx context.Context, bucket, region string) (string, error)
	// PutBucketPolicy is ErrInvalidPrincipal when S3 does not know a named principal (yet).
	PutBucketPolicy(ctx context.Context, bucket, region, document string) error
	DeleteBucketPolicy(ctx context.Context, bucket, region string) error
}

// A WriteProber finds out whether a write would be let through.
type WriteProber interface {
	// ProbeWrite is nil where it would, and s3copy.ErrDenied where not. It writes nothing, wherever it is asked.
	ProbeWrite(ctx context.Context, at compile.Location, key string) error
}

// Principals makes and removes users and roles.
type Principals interface {
	Principal(ctx context.Context, arn string) (compile.PrincipalFacts, error)
	CreatePrincipal(ctx context.Context, p compile.PrincipalSpec) (compile.PrincipalFacts, error)
	// DeletePrincipal deletes a user or role that has nothing left; a missing one is no error.
	DeletePrincipal(ctx context.Context, p compile.PrincipalSpec) error
}

// Policies makes, changes and removes managed policies.
type Policies interface {
	ManagedPolicy(ctx context.Context, arn string) (compile.ManagedPolicy, error)
	CreatePolicy(ctx context.Context, p compile.PolicySpec) error
	// UpdatePolicy makes a new default version, and room for it first: the oldest version that is not
	// the default goes when there are five.
	UpdatePolicy(ctx context.Context, p compile.PolicySpec) error
	// DeletePolicy deletes all versions and the policy; a missing one is no error.
	DeletePolicy(ctx context.Context, arn string) error
}

// PolicyTags note things on a managed policy of ours.
type PolicyTags interface {
	// PolicyTags reads a policy without its document, versions and attachments; a missing one does not exist.
	PolicyTags(ctx context.Context, arn string) (compile.ManagedPolicy, error)
	TagPolicy(ctx context.Context, arn string, tags map[string]string) error
	UntagPolicy(ctx context.Context, arn string, keys []string) error // a missing policy is no error
}

// Attachments attach managed policies to users and roles.
type Attachments interface {
	Attach(ctx context.Context, a compile.AttachmentSpec) error
	Detach(ctx context.Context, a compile.AttachmentSpec) error // not attached is no error
	Attached(ctx context.Context, principalARN string) ([]string, error)
}

// AccessKeys lists and removes a user's access keys. Making one is a Logins call.
type AccessKeys interface {
	AccessKeys(ctx context.Context, user string) ([]compile.AccessKey, error)
	// DeleteAccessKey sets the key Inactive, then deletes it; a missing one is no error.
	DeleteAccessKey(ctx context.Context, user, keyID string) error
}

// Grants make and remove grants on a KMS key.
type Grants interface {
	CreateGrant(ctx context.Context, g compile.GrantSpec) (grantID string, err error)
	Grants(ctx context.Context, keyARN, region string) ([]compile.Grant, error)
	RevokeGrant(ctx context.Context, keyARN, region, grantID string) error // a missing one is no error
}

// Instances terminate EC2 instances.
type Instances interface {
	Instance(ctx context.Context, id, region string) (compile.InstanceFacts, error)
	TerminateInstance(ctx context.Context, id, region string) error
}

// An Account is all that the runners do as an account's administrator.
type Account interface {
	compile.IdentityReader
	Buckets
	BucketPolicies
	WriteProber
	Principals
	Policies
	PolicyTags
	Attachments
	AccessKeys
	Grants
	Instances
	Opener
}

// An Opener opens buckets for the copy engine, with somebody's credentials.
type Opener interface {
	// OpenSource reads the bucket.
	OpenSource(b compile.Location) s3copy.Source
	// OpenDestination writes b; copies come from the source bucket.
	OpenDestination(b, source compile.Location) s3copy.Destination
	// OpenDeleter deletes objects of the bucket.
	OpenDeleter(b compile.Location) s3copy.Deleter
	// OpenRestorer asks for archived objects.
	OpenRestorer(b compile.Location) s3copy.Restorer
}

// A Login is the principal with its credentials: it opens clients and never shows a secret.
type Login interface {
	compile.IdentityReader
	Opener
	// Probe tries one leg once. nil: it answered. Errors are s3copy.ErrDenied and so on.
	Probe(ctx context.Context, leg compile.Leg, p compile.ProbeSpec) error
}

// Logins open the principal's login. The secret stays behind the port.
type Logins interface {
	// MintKey creates an access key of the user; the caller has recorded its intent.
	MintKey(ctx context.Context, user string) (keyID string, l Login, err error)
	// AssumeRole refreshes by itself before it expires.
	AssumeRole(ctx context.Context, roleARN string) (Login, error)
	Profile(ctx context.Context, name string) (Login, error)
	// Own is the destination administrator's own login, for servers without principals.
	Own() Login
}
