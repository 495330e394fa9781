package sandbox

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestFaultsFireByCountAndAreRemoved(t *testing.T) {
	s := startServer(t, Config{})
	a := admin(t, s, accountA)
	whoami := func() error {
		_, err := a.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		return err
	}
	remove := s.Inject(Fault{Service: "sts", Skip: 1, Times: 2, Do: FaultError, Status: 503, Code: "SlowDown", Message: "slow"})
	for i, want := range []string{"", "SlowDown", "SlowDown", ""} {
		if got := errorCode(whoami()); got != want {
			t.Errorf("call %d: %q, want %q", i, got, want)
		}
	}
	remove()
	remove()
	remove = s.Inject(Fault{Account: accountB, Do: FaultError, Code: "InternalFailure"})
	wantCode(t, whoami(), "")
	_, err := admin(t, s, accountB).kms.ListKeys(t.Context(), nil)
	wantCode(t, err, "InternalFailure")
	remove()
}

func TestTornConnectionMayHideAnEffect(t *testing.T) {
	s := startServer(t, Config{})
	boss := admin(t, s, accountB).iam
	create := func(name string) error {
		_, err := boss.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
		return err
	}
	exists := func(name string) bool {
		_, err := boss.GetUser(t.Context(), &iam.GetUserInput{UserName: &name})
		return err == nil
	}
	s.Inject(Fault{Operation: "CreateUser", Times: 1, Do: FaultTear})
	s.Inject(Fault{Operation: "CreateUser", Times: 1, Do: FaultTear, AfterEffect: true})
	if err := create("before"); err == nil || errorCode(err) != "" || exists("before") {
		t.Errorf("torn before the effect: %v, exists %v", err, exists("before"))
	}
	if err := create("after"); err == nil || errorCode(err) != "" || !exists("after") {
		t.Errorf("torn after the effect: %v, exists %v", err, exists("after"))
	}
	log := s.Requests()
	for _, r := range log {
		if r.Operation == "CreateUser" && r.Status != 0 {
			t.Errorf("a torn request is logged with status %d", r.Status)
		}
	}
}

func TestFaultCallsBeforeOrAfterTheEffect(t *testing.T) {
	s := startServer(t, Config{})
	boss := admin(t, s, accountB).iam
	count := func() int {
		return len(must[*iam.ListUsersOutput](t)(boss.ListUsers(t.Context(), nil)).Users)
	}
	var seen []int
	look := func() { seen = append(seen, count()) }
	caller := "arn:aws:iam::" + accountB + ":user/admin"
	s.Inject(Fault{Operation: "CreateUser", Caller: caller, Times: 1, Call: look})
	s.Inject(Fault{Operation: "CreateUser", Caller: caller, Times: 1, Call: look, AfterEffect: true})
	for _, name := range []string{"one", "two"} {
		u := must[*iam.CreateUserOutput](t)(boss.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})).User
		if *u.UserName != name {
			t.Errorf("made %s, want %s", *u.UserName, name)
		}
	}
	if len(seen) != 2 || seen[0] != 1 || seen[1] != 3 {
		t.Errorf("users at the calls: %v, want 1 before and 3 after", seen)
	}
}

// rawGet reads spoiled/k: the status, the body, and the error of reading it.
func rawGet(t *testing.T, s *Server) (int, string, error) {
	t.Helper()
	r := signedBy(t, s, http.MethodGet, "/spoiled/k")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestAnswersAreSpoiled(t *testing.T) {
	s := startServer(t, Config{})
	a := admin(t, s, accountA)
	if _, err := a.s3.CreateBucket(t.Context(), westBucket("spoiled")); err != nil {
		t.Fatal(err)
	}
	_, err := a.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("spoiled"), Key: aws.String("k"), Body: strings.NewReader("0123456789")})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []FaultKind{FaultErrorIn200, FaultEmpty200, FaultTruncate, FaultCut} {
		s.Inject(Fault{Bucket: "spoiled", KeyContains: "k", Operation: "HeadObject|GetObject", Times: 1, Do: kind})
	}
	status, body, err := rawGet(t, s)
	if status != http.StatusOK || !strings.Contains(body, "<Code>InternalError</Code>") || err != nil {
		t.Errorf("error in 200: %d %q %v", status, body, err)
	}
	if status, body, err := rawGet(t, s); status != http.StatusOK || body != "" || err != nil {
		t.Errorf("empty 200: %d %q %v", status, body, err)
	}
	if status, body, err := rawGet(t, s); status != http.StatusOK || body != "01234" || err != nil {
		t.Errorf("truncated: %d %q %v", status, body, err)
	}
	if status, body, err := rawGet(t, s); status != http.StatusOK || body != "01234" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %d %q %v", status, body, err)
	}
	if status, body, err := rawGet(t, s); status != http.StatusOK || body != "0123456789" || err != nil {
		t.Errorf("unspoiled: %d %q %v", status, body, err)
	}
}

func TestThrottleCountsByPrefixAndSecond(t *testing.T) {
	clock := newFakeClock()
	s := startServer(t, Config{Clock: clock.Now})
	s.Inject(Fault{Service: "s3", Do: FaultThrottle, PerSecond: 2})
	a := admin(t, s, accountA).s3
	head := func(key string) error {
		_, err := a.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("none"), Key: &key})
		return err
	}
	for i, want := range []string{"NoSuchBucket", "NoSuchBucket", "SlowDown"} {
		if got := errorCode(head("p/x")); got != want {
			t.Errorf("call %d: %q, want %q", i, got, want)
		}
	}
	wantCode(t, head("q/x"), "NoSuchBucket")
	clock.advance(time.Second)
	wantCode(t, head("p/x"), "NoSuchBucket")
}

func TestDelayEndsWithTheServer(t *testing.T) {
	s := New(Config{Latency: time.Hour})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	a := admin(t, s, accountA)
	done := make(chan error, 1)
	go func() {
		_, err := a.sts.GetCallerIdentity(t.Context(), nil)
		done <- err
	}()
	for len(s.URL()) > 0 && s.requests.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("a request outlived its server")
	}
}

func TestLogTellsReadsFromWrites(t *testing.T) {
	s := startServer(t, Config{Log: 3})
	boss, ctx := admin(t, s, accountB), t.Context()
	must[*iam.ListUsersOutput](t)(boss.iam.ListUsers(ctx, nil))
	must[*sts.GetCallerIdentityOutput](t)(boss.sts.GetCallerIdentity(ctx, nil))
	if n := s.MutationCount(); n != 0 {
		t.Errorf("reading counts as %d changes", n)
	}
	must[*iam.CreateUserOutput](t)(boss.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("fred")}))
	_, err := boss.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("none"), Key: aws.String("k/x"), Body: strings.NewReader("x")})
	wantCode(t, err, "NoSuchBucket")
	got := s.Requests()
	if len(got) != 3 || got[0].Operation != "GetCallerIdentity" || s.Count("ListUsers") != 1 || s.Count("iam:ListUsers") != 1 {
		t.Errorf("kept %+v, counted %d", got, s.Count("ListUsers"))
	}
	last := got[2]
	if last.Operation != "PutObject" || last.Bucket != "none" || last.Key != "k/x" || last.Status != 404 || last.Code != "NoSuchBucket" ||
		last.Account != accountB || last.Caller != "arn:aws:iam::"+accountB+":user/admin" {
		t.Errorf("logged %+v", last)
	}
	if m := s.Mutations(); len(m) != 2 || m[0].Operation != "CreateUser" || m[1].Operation != "PutObject" {
		t.Errorf("changes: %+v", m)
	}
}
