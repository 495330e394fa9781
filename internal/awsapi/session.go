package awsapi

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"xplan/plan"
)

const (
	appID         = "xplan"
	defaultRegion = "us-east-1"
	// A chained role's session lasts at most an hour; it is renewed this long before.
	sessionLength  = time.Hour
	renewBefore    = 5 * time.Minute
	longestSession = 64 // characters of a role session's name
)

// A session signs as one identity at one account's endpoints, and keeps a client per use.
// Safe for concurrent use.
type session struct {
	cfg     aws.Config
	account plan.Account
	options Options

	mu      sync.Mutex
	clients map[clientKey]*s3.Client
	homes   map[string]string // a bucket's region
	buffers buffers
}

// clientKey tells S3 clients apart: the pins are part of it, so a client cannot be used for another owner's bucket.
type clientKey struct {
	region, owner, source string
	paced                 bool // throttling is told at once
}

func newSession(cfg aws.Config, a plan.Account, o Options) *session {
	return &session{
		cfg: cfg, account: a, options: o,
		clients: map[clientKey]*s3.Client{}, homes: map[string]string{},
	}
}

func openSession(ctx context.Context, a plan.Account, profile string, o Options) (*session, error) {
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(newTransport(o.InFlight)),
		config.WithAppID(appID),
		config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer { return o.retries.patient() }),
	}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	if a.Region != "" {
		options = append(options, config.WithRegion(a.Region))
	}
	if a.EndpointURL != "" && a.IsAWS() {
		options = append(options, config.WithBaseEndpoint(a.EndpointURL))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, failed(&credentialsError{hint: hintFor(profile), err: err}, "load the settings of account %s", nameOf(a))
	}
	cfg.ClientLogMode = 0
	cfg.APIOptions = append(cfg.APIOptions, wantBody(a.IsAWS()), sameClock)
	cfg.HTTPClient = pooled{freeze(cfg.HTTPClient)}
	if cfg.Region == "" {
		cfg.Region = defaultRegion
	}
	cfg.Credentials = told{hint: hintFor(profile), provider: cfg.Credentials}
	return newSession(cfg, a, o), nil
}

func hintFor(profile string) string {
	if profile != "" {
		return fmt.Sprintf("check that profile %q exists and is logged in (aws sso login --profile %s), or name another with --profile", profile, profile)
	}
	return "name a profile in the plan or with --profile, or set AWS_PROFILE"
}

// told words a provider's errors: what was tried, and what to do.
type told struct {
	sealed
	doing, hint string
	provider    aws.CredentialsProvider
}

// Retrieve gives the provider's credentials.
func (t told) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := t.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, &credentialsError{doing: t.doing, hint: t.hint, err: err}
	}
	return c, nil
}

// assuming gives a session that signs as the role and renews itself before it expires.
func (s *session) assuming(role, externalID string) *session {
	provider := stscreds.NewAssumeRoleProvider(s.stsClient(), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = s.sessionName()
		o.Duration = sessionLength
		if externalID != "" {
			o.ExternalID = aws.String(externalID)
		}
	})
	cfg := s.cfg.Copy()
	cfg.Credentials = aws.NewCredentialsCache(told{doing: "assume role " + role, provider: provider}, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow = renewBefore
		o.ExpiryWindowJitterFrac = 0.5
	})
	return newSession(cfg, s.account, s.options)
}

// sessionName has only what STS takes.
func (s *session) sessionName() string {
	name := s.options.Session
	if name == "" {
		name = fmt.Sprint(os.Getpid())
	}
	name = "xplan-" + strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@-_", r) {
			return r
		}
		return '-'
	}, name)
	return name[:min(len(name), longestSession)]
}

// endpoint is the plan's own; nil leaves the SDK's variables, profiles and rules.
func (s *session) endpoint() *string {
	if s.account.EndpointURL == "" {
		return nil
	}
	return aws.String(s.account.EndpointURL)
}

// s3Client gives the client of a region whose requests are pinned to the owners.
func (s *session) s3Client(k clientKey) *s3.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clients[k]
	if !ok {
		c = s.newS3Client(k)
		s.clients[k] = c
	}
	return c
}

func (s *session) pin(k clientKey) pin {
	return pin{owner: k.owner, source: k.source, required: s.account.IsAWS()}
}

func (s *session) newS3Client(k clientKey) *s3.Client {
	owners := s.pin(k)
	return s3.NewFromConfig(s.cfg, func(o *s3.Options) {
		o.Region = k.region
		if e := s.endpoint(); e != nil {
			o.BaseEndpoint = e
		}
		o.UsePathStyle = o.BaseEndpoint != nil
		if s.account.PathStyle != nil {
			o.UsePathStyle = *s.account.PathStyle
		}
		o.Retryer = s.options.retries.patient()
		if k.paced {
			o.Retryer = s.options.retries.paced()
		}
		if !s.account.IsAWS() {
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		}
		o.DisableLogOutputChecksumValidationSkipped = true
		o.DisableS3ExpressSessionAuth = aws.Bool(true)
		o.APIOptions = append(o.APIOptions, owners.add)
	})
}

func (s *session) stsClient() *sts.Client {
	return sts.NewFromConfig(s.cfg, func(o *sts.Options) {
		if e := s.endpoint(); e != nil {
			o.BaseEndpoint = e
		}
		o.Retryer = s.options.retries.patient()
	})
}

func (s *session) iamClient() *iam.Client {
	return iam.NewFromConfig(s.cfg, func(o *iam.Options) {
		if e := s.endpoint(); e != nil {
			o.BaseEndpoint = e
		}
		o.Retryer = s.options.retries.patient()
	})
}

func (s *session) kmsClient(region string) *kms.Client {
	return kms.NewFromConfig(s.cfg, func(o *kms.Options) {
		if region != "" {
			o.Region = region
		}
		if e := s.endpoint(); e != nil {
			o.BaseEndpoint = e
		}
		o.Retryer = s.options.retries.patient()
	})
}

func (s *session) ec2Client(region string) *ec2.Client {
	return ec2.NewFromConfig(s.cfg, func(o *ec2.Options) {
		if region != "" {
			o.Region = region
		}
		if e := s.endpoint(); e != nil {
			o.BaseEndpoint = e
		}
		o.Retryer = s.options.retries.patient()
	})
}

// onceAtMost is for requests that do harm when they are made twice.
func (s *session) onceAtMost(o *iam.Options) { o.Retryer = s.options.retries.onlyRefused() }
