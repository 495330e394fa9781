package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

const (
	accountA  = "123456789012"
	accountB  = "210987654321"
	testKeyID = "AKIAIOSFODNN7EXAMPLE"
	testKey   = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// A request is what a test's server saw.
type request struct {
	Method, Path, Query, Body string
	Header                    http.Header
}

func (r request) String() string { return r.Method + " " + r.Path + "?" + r.Query }

// A server answers by a function and remembers what it was asked.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	seen []request
}

// answer writes status and body.
type answer func(r request) (status int, body string)

func serve(t *testing.T, a answer) *server {
	t.Helper()
	return serveHTTP(t, func(w http.ResponseWriter, r request) {
		status, body := a(r)
		w.Header().Set("X-Amz-Request-Id", "REQ1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func serveHTTP(t *testing.T, h func(http.ResponseWriter, request)) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), r.Header}
		s.mu.Lock()
		s.seen = append(s.seen, got)
		s.mu.Unlock()
		h(w, got)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.seen...)
}

// settle keeps the machine's own settings out of a test.
func settle(tb testing.TB) {
	tb.Helper()
	for _, name := range []string{
		"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS",
		"AWS_SESSION_TOKEN", "AWS_CA_BUNDLE",
	} {
		tb.Setenv(name, "")
	}
	tb.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	tb.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	tb.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	tb.Setenv("AWS_ACCESS_KEY_ID", testKeyID)
	tb.Setenv("AWS_SECRET_ACCESS_KEY", testKey)
}

func openAccount(t *testing.T, a plan.Account) *Account {
	t.Helper()
	settle(t)
	got, err := Open(t.Context(), a, Options{retries: retries{first: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// account opens account B at the server.
func account(t *testing.T, s *server) *Account {
	t.Helper()
	return openAccount(t, plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2", EndpointURL: s.URL})
}

// compatible opens the server as one without accounts.
func compatible(t *testing.T, s *server) *Account {
	t.Helper()
	return openAccount(t, plan.Account{Provider: plan.S3Compatible, EndpointURL: s.URL})
}

// pair opens tommy-b as the destination of copies from tommy.
func (a *Account) pair() *bucket {
	return a.engine(
		compile.Location{Bucket: "tommy-b", Region: "us-west-2", Account: accountB},
		compile.Location{Bucket: "tommy", Region: "us-west-2", Account: accountA},
	)
}

func xmlError(code, message string) string {
	return fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message><RequestId>REQ1</RequestId></Error>", code, message)
}

func iamError(code, message string) string {
	return fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>REQ1</RequestId></ErrorResponse>", code, message)
}

// cancelled is a context that has ended.
func cancelled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func isDenied(err error) bool {
	return errors.Is(err, s3copy.ErrDenied) && errors.Is(err, compile.ErrDenied) && !errors.Is(err, s3copy.ErrCredentials)
}
