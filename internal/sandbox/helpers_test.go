package sandbox

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"
)

// The accounts of the tests: A has the source, B the destination.
const (
	accountA = SourceAccount
	accountB = DestinationAccount
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startServer serves cfg until the test ends.
func startServer(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s := New(cfg)
	if err := s.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

// awsClients are the clients of one caller, without retries.
type awsClients struct {
	s3  *s3.Client
	iam *iam.Client
	sts *sts.Client
	kms *kms.Client
	ec2 *ec2.Client
}

// admin are the clients of an account's administrator.
func admin(tb testing.TB, s *Server, account string) awsClients {
	tb.Helper()
	id, secret := s.Admin(account)
	return clientsOf(tb, s, Credentials{AccessKeyID: id, Secret: secret})
}

// clientsOf are the clients of whoever holds the credentials.
func clientsOf(tb testing.TB, s *Server, c Credentials) awsClients {
	tb.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	tb.Cleanup(client.CloseIdleConnections)
	cfg := aws.Config{
		Region: defaultRegion, BaseEndpoint: aws.String(s.URL()), HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.Secret, c.SessionToken),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	return awsClients{
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), iam: iam.NewFromConfig(cfg),
		sts: sts.NewFromConfig(cfg), kms: kms.NewFromConfig(cfg), ec2: ec2.NewFromConfig(cfg),
	}
}

// addUser makes a user with an inline policy ("" for none) and a key.
func addUser(tb testing.TB, s *Server, account, name, text string) (arn string, c awsClients) {
	tb.Helper()
	arn, err := s.AddUser(account, name)
	if err == nil && text != "" {
		err = s.PutInlinePolicy(arn, "own", text)
	}
	if err != nil {
		tb.Fatal(err)
	}
	key, err := s.AddAccessKey(arn)
	if err != nil {
		tb.Fatal(err)
	}
	return arn, clientsOf(tb, s, key)
}

// errorCode is the AWS code of an error; "" for nil or another kind.
func errorCode(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// wantCode fails unless err has the AWS code.
func wantCode(tb testing.TB, err error, code string) {
	tb.Helper()
	if got := errorCode(err); got != code {
		tb.Fatalf("error code %q, want %q (%v)", got, code, err)
	}
}

// must fails on an error and passes the result on.
func must[T any](tb testing.TB) func(v T, err error) T {
	tb.Helper()
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// A fakeClock is moved by hand.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newFakeClock() *fakeClock { return &fakeClock{now: time.Now()} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// allowAll is an identity policy for actions on everything.
func allowAll(actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + actions + `","Resource":"*"}]}`
}
