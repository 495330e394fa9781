package awsapi

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"xplan/internal/compile"
	"xplan/plan"
)

// Options are Open's. The zero value is sound.
type Options struct {
	// InFlight is how many requests may be under way at once: twice as many connections are kept, 512 at least.
	InFlight int
	// Session names the sessions of assumed roles: "xplan-" and this; CloudTrail shows it. "" means the process's ID.
	Session string
	// FetchOwner has listings tell each object's owner.
	FetchOwner bool
	// Requester accepts to pay for requests on requester-pays buckets.
	Requester bool

	// Plain sends every call through the SDK's client, the many small ones, too: to compare the two.
	Plain bool

	retries retries // tests wait less
}

// Validate says which option makes no sense.
func (o Options) Validate() error {
	if o.InFlight < 0 {
		return errors.New("in flight is negative")
	}
	return nil
}

// An Account is one side of a plan, seen by its administrator. Safe for concurrent use.
// It prints as its public name only.
type Account struct {
	sealed
	*session
}

// Open loads the account's credentials and settings as the SDK does everywhere: the plan's profile
// and role first, then the environment, shared files, SSO, and the machine's own role. It sends no
// request, but for what a profile needs to be read.
func Open(ctx context.Context, a plan.Account, o Options) (*Account, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s, err := openSession(ctx, a, a.Profile, o)
	if err != nil {
		return nil, err
	}
	if a.RoleARN != "" {
		s = s.assuming(a.RoleARN, a.ExternalID)
	}
	return &Account{sealed: sealed{"account " + nameOf(a)}, session: s}, nil
}

// nameOf names an account for people.
func nameOf(a plan.Account) string {
	switch {
	case a.ID != "":
		return a.ID
	case a.EndpointURL != "":
		return a.EndpointURL
	}
	return string(plan.S3Compatible)
}

// Identity asks who signs. A server without accounts has nobody to ask: there it tells the access
// key's ID alone, and that credentials were found.
func (s *session) Identity(ctx context.Context) (compile.Identity, error) {
	if !s.account.IsAWS() {
		c, err := s.cfg.Credentials.Retrieve(ctx)
		if err != nil {
			return compile.Identity{}, failed(err, "load credentials for %s", nameOf(s.account))
		}
		return compile.Identity{UserID: c.AccessKeyID}, nil
	}
	out, err := s.stsClient().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return compile.Identity{}, failed(err, "ask who signs for account %s", nameOf(s.account))
	}
	return compile.Identity{
		Account: aws.ToString(out.Account),
		ARN:     aws.ToString(out.Arn),
		UserID:  aws.ToString(out.UserId),
	}, nil
}
