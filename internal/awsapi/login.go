package awsapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// A Login is the principal with its credentials, at the destination account's endpoints. It opens
// buckets and probes access, and prints as its public name only. Safe for concurrent use.
type Login struct {
	sealed
	session *session
}

// Identity asks who signs.
func (l *Login) Identity(ctx context.Context) (compile.Identity, error) {
	return l.session.Identity(ctx)
}

// OpenSource reads the bucket.
func (l *Login) OpenSource(b compile.Location) s3copy.Source { return l.session.OpenSource(b) }

// OpenDestination writes b; copies come from the source bucket.
func (l *Login) OpenDestination(b, source compile.Location) s3copy.Destination {
	return l.session.OpenDestination(b, source)
}

// OpenDeleter deletes objects of the bucket.
func (l *Login) OpenDeleter(b compile.Location) s3copy.Deleter { return l.session.OpenDeleter(b) }

// OpenRestorer asks for archived objects.
func (l *Login) OpenRestorer(b compile.Location) s3copy.Restorer { return l.session.OpenRestorer(b) }

// MintKey creates an access key of the user and opens its login. The request is made at most once: where the
// answer is lost a key may stand that nobody knows the secret of, which the caller finds by listing
// the user's keys. The secret is nowhere but in the login.
func (s *session) MintKey(ctx context.Context, user string) (keyID string, _ *Login, err error) {
	out, err := s.iamClient().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user}, s.onceAtMost)
	if err != nil {
		return "", nil, failed(err, "create an access key of user %s", user)
	}
	k := out.AccessKey
	if k == nil || aws.ToString(k.AccessKeyId) == "" || aws.ToString(k.SecretAccessKey) == "" {
		return "", nil, emptyAnswer("create an access key of user %s", user)
	}
	cfg := s.cfg.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, "")
	return *k.AccessKeyId, s.login(cfg, fmt.Sprintf("user %s with access key %s", user, *k.AccessKeyId)), nil
}

// AssumeRole opens the role's login, which renews itself before it expires. STS is asked at the first use, so a
// role made a moment ago is denied there for some seconds, and is asked again by the next use.
func (s *session) AssumeRole(_ context.Context, roleARN string) (*Login, error) {
	if _, role, err := principalName(roleARN); err != nil || !role {
		return nil, errors.Join(fmt.Errorf("assume %q: not the ARN of a role", roleARN), err)
	}
	return &Login{sealed: sealed{"role " + roleARN}, session: s.assuming(roleARN, "")}, nil
}

// Profile opens the login of a profile of the SDK's shared files.
func (s *session) Profile(ctx context.Context, name string) (*Login, error) {
	other, err := openSession(ctx, s.account, name, s.options)
	if err != nil {
		return nil, err
	}
	return &Login{sealed: sealed{"profile " + name}, session: other}, nil
}

// Own is the administrator's own login, for servers without principals.
func (s *session) Own() *Login {
	return &Login{sealed: sealed{"administrator of " + nameOf(s.account)}, session: s}
}

func (s *session) login(cfg aws.Config, public string) *Login {
	return &Login{sealed: sealed{public}, session: newSession(cfg, s.account, s.options)}
}
