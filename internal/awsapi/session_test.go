package awsapi

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

const callerIdentity = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::210987654321:user/admin</Arn><UserId>AIDAEXAMPLE</UserId><Account>210987654321</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`

func TestIdentityIsTheServersWord(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 200, callerIdentity })
	got, err := account(t, s).Identity(t.Context())
	want := compile.Identity{Account: accountB, ARN: "arn:aws:iam::210987654321:user/admin", UserID: "AIDAEXAMPLE"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	r := s.requests()[0]
	if !strings.Contains(r.Header.Get("User-Agent"), "app/xplan") {
		t.Errorf("user agent %q does not say xplan", r.Header.Get("User-Agent"))
	}
}

func TestServerWithoutAccountsIsNotAskedWhoSigns(t *testing.T) {
	s := serve(t, answerEverything)
	got, err := compatible(t, s).Identity(t.Context())
	if want := (compile.Identity{UserID: testKeyID}); err != nil || got != want || len(s.requests()) != 0 {
		t.Errorf("got %+v, %v, %d requests, want %+v and none", got, err, len(s.requests()), want)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 200, `<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>u</UserName><AccessKeyId>AKIAMINTEDMINTED0001</AccessKeyId>` +
			`<SecretAccessKey>` + testKey + `</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>`
	})
	a := account(t, s)
	_, l, err := a.MintKey(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	role, err := a.AssumeRole(t.Context(), "arn:aws:iam::210987654321:role/r")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{a, *a, l, *l, role, a.Own(), l.OpenSource(compile.Location{Bucket: "b"}), []any{l}, struct{ L *Login }{l}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, testKey) || strings.Contains(got, fmt.Sprintf("%x", testKey)) {
				t.Errorf("%s of %T prints the secret", verb, v)
			}
		}
		if got, err := json.Marshal(v); err != nil || strings.Contains(string(got), testKey) {
			t.Errorf("JSON of %T: %s, %v", v, got, err)
		}
	}
	if got := fmt.Sprint(l); got != "user u with access key AKIAMINTEDMINTED0001" {
		t.Errorf("got %q", got)
	}
}

func TestMintedKeySignsTheLoginsRequests(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if strings.Contains(r.Body, "CreateAccessKey") {
			return 200, `<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><AccessKeyId>AKIAMINTEDMINTED0001</AccessKeyId><SecretAccessKey>` + testKey + `</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>`
		}
		return 200, callerIdentity
	})
	_, l, err := account(t, s).MintKey(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.requests()[1].Header.Get("Authorization"); !strings.Contains(got, "Credential=AKIAMINTEDMINTED0001/") {
		t.Errorf("signed by %q, want the minted key", got)
	}
}

func TestRoleIsAssumedAtFirstUseAndNotAgainWhileItHolds(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if strings.Contains(r.Body, "Action=AssumeRole") {
			return 200, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>x</SecretAccessKey>` +
				`<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
		}
		return 200, callerIdentity
	})
	l, err := account(t, s).AssumeRole(t.Context(), "arn:aws:iam::210987654321:role/path/copier")
	if err != nil || len(s.requests()) != 0 {
		t.Fatalf("got %v after %d requests, want none yet", err, len(s.requests()))
	}
	for range 2 {
		if _, err := l.Identity(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	seen := s.requests()
	if len(seen) != 3 || !strings.Contains(seen[0].Body, "RoleSessionName=xplan-") || !strings.Contains(seen[0].Body, "DurationSeconds=3600") ||
		!strings.Contains(seen[2].Header.Get("Authorization"), "ASIAROLE") {
		t.Errorf("requests %v, want one AssumeRole and two questions signed by it", seen)
	}
}

func TestDeniedRoleIsDeniedAndNotBadCredentials(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 403, iamError("AccessDenied", "not authorized to perform: sts:AssumeRole")
	})
	l, err := account(t, s).AssumeRole(t.Context(), "arn:aws:iam::210987654321:role/copier")
	if err != nil {
		t.Fatal(err)
	}
	err = l.Probe(t.Context(), compile.LegListDest, compile.ProbeSpec{
		Pair: plan.Pair{Source: "tommy", Destination: "tommy-b"}, DestRegion: "us-west-2", DestAccount: accountB,
	})
	want := `list bucket tommy-b: assume role arn:aws:iam::210987654321:role/copier: AccessDenied: not authorized to perform: sts:AssumeRole (request REQ1)`
	if err == nil || err.Error() != want || !isDenied(err) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAccountsRoleIsAssumedWithItsExternalID(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if strings.Contains(r.Body, "Action=AssumeRole") {
			return 200, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>x</SecretAccessKey>` +
				`<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
		}
		return 200, callerIdentity
	})
	a := openAccount(t, plan.Account{
		Provider: plan.AWS, ID: accountB, Region: "eu-central-1", EndpointURL: s.URL,
		RoleARN: "arn:aws:iam::210987654321:role/admin", ExternalID: "ext",
	})
	if _, err := a.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.requests()[0].Body; !strings.Contains(got, "ExternalId=ext") {
		t.Errorf("asked %q, want the external ID", got)
	}
}

func TestEndpointOfThePlanWinsOverTheEnvironment(t *testing.T) {
	planned, ambient := serve(t, answerEverything), serve(t, answerEverything)
	a := account(t, planned)
	t.Setenv("AWS_ENDPOINT_URL", ambient.URL)
	t.Setenv("AWS_ENDPOINT_URL_S3", ambient.URL)
	a, err := Open(t.Context(), a.account, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = a.pair().Tags(t.Context(), "k", "")
	if len(planned.requests()) != 1 || len(ambient.requests()) != 0 {
		t.Errorf("%d requests at the plan's endpoint and %d at the environment's, want 1 and 0", len(planned.requests()), len(ambient.requests()))
	}
}

func TestEndpointOfTheEnvironmentIsAddressedByPath(t *testing.T) {
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		s := serve(t, answerEverything)
		settle(t)
		t.Setenv(name, strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
		a, err := Open(t.Context(), plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = a.pair().Tags(t.Context(), "k", "")
		if seen := s.requests(); len(seen) != 1 || seen[0].Path != "/tommy-b/k" {
			t.Errorf("%s: requests %v, want one for /tommy-b/k", name, seen)
		}
	}
}

func TestEndpointOfAProfileIsAddressedByPath(t *testing.T) {
	s := serve(t, answerEverything)
	settle(t)
	file := filepath.Join(t.TempDir(), "config")
	text := "[profile b]\nregion = eu-west-1\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = x\nservices = here\n[services here]\ns3 =\n  endpoint_url = " + s.URL + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	a, err := Open(t.Context(), plan.Account{Provider: plan.AWS, ID: accountB, Profile: "b"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = a.open(compile.Location{Bucket: "tommy-b", Region: "eu-west-1", Account: accountB}, compile.Location{}).Tags(t.Context(), "k", "")
	seen := s.requests()
	if len(seen) != 1 || seen[0].Path != "/tommy-b/k" || !strings.Contains(seen[0].Header.Get("Authorization"), "AKIAPROFILE") {
		t.Errorf("requests %v, want one for /tommy-b/k signed by the profile, not by the environment", seen)
	}
}

func TestCustomCertificatesAreTrusted(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, callerIdentity) }))
	defer s.Close()
	settle(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", file)
	a, err := Open(t.Context(), plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2", EndpointURL: s.URL}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Identity(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestConnectionsAreKept(t *testing.T) {
	var open int
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			open++
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	a := account(t, s)
	for range 20 { // two clients, one pool
		_, _ = a.pair().Tags(t.Context(), "k", "")
		_, _ = a.pair().CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
	}
	if open != 1 {
		t.Errorf("%d connections were opened for 40 requests one after the other, want 1", open)
	}
}

func TestRegionIsTheBucketsOwn(t *testing.T) {
	s := serveHTTP(t, func(w http.ResponseWriter, r request) {
		if !strings.Contains(r.Header.Get("Authorization"), "/eu-central-1/s3/") {
			w.Header().Set("X-Amz-Bucket-Region", "eu-central-1")
			w.WriteHeader(http.StatusMovedPermanently)
		}
		_, _ = io.WriteString(w, "<Tagging/>")
	})
	b := account(t, s).open(compile.Location{Bucket: "tommy-b", Account: accountB}, compile.Location{})
	for range 2 {
		if _, err := b.Tags(t.Context(), "k", ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.requests()); n != 3 {
		t.Errorf("%d requests, want one to find the region and two for the tags", n)
	}
}
