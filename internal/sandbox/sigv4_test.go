package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestEveryServiceKnowsItsCaller(t *testing.T) {
	s := startServer(t, Config{})
	for _, account := range []string{accountA, accountB} {
		id := must[*sts.GetCallerIdentityOutput](t)(admin(t, s, account).sts.GetCallerIdentity(t.Context(), nil))
		if *id.Account != account || *id.Arn != "arn:aws:iam::"+account+":user/admin" || !strings.HasPrefix(*id.UserId, "AIDA") {
			t.Errorf("account %s is called %s %s %s", account, *id.Account, *id.Arn, *id.UserId)
		}
	}
}

func TestWrongCredentialsAreRefusedInEachServicesWords(t *testing.T) {
	s := startServer(t, Config{})
	id, secret := s.Admin(accountA)
	cases := []struct {
		name              string
		with              Credentials
		s3, sts, kms, ec2 string
	}{
		{"unknown key", Credentials{AccessKeyID: "AKIAXXXXXXXXXXXXXXXX", Secret: secret}, "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"},
		{"wrong secret", Credentials{AccessKeyID: id, Secret: secret + "x"}, "SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"},
		{"token out of place", Credentials{AccessKeyID: id, Secret: secret, SessionToken: "x"}, "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			aws := clientsOf(t, s, c.with)
			_, err := aws.s3.ListBuckets(t.Context(), nil)
			wantCode(t, err, c.s3)
			_, err = aws.sts.GetCallerIdentity(t.Context(), nil)
			wantCode(t, err, c.sts)
			_, err = aws.kms.ListKeys(t.Context(), nil)
			wantCode(t, err, c.kms)
			_, err = aws.ec2.DescribeInstances(t.Context(), nil)
			wantCode(t, err, c.ec2)
		})
	}
}

func TestInactiveAndDeletedKeysAreRefused(t *testing.T) {
	s := startServer(t, Config{})
	boss := admin(t, s, accountB)
	arn, err := s.AddUser(accountB, "fred")
	if err != nil {
		t.Fatal(err)
	}
	key := must[Credentials](t)(s.AddAccessKey(arn))
	fred := clientsOf(t, s, key)
	must[*sts.GetCallerIdentityOutput](t)(fred.sts.GetCallerIdentity(t.Context(), nil))
	_, err = boss.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
		UserName: aws.String("fred"), AccessKeyId: &key.AccessKeyID, Status: types.StatusTypeInactive,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = fred.sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId")
	_, err = boss.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("fred"), AccessKeyId: &key.AccessKeyID})
	if err != nil {
		t.Fatal(err)
	}
	_, err = fred.s3.ListBuckets(t.Context(), nil)
	wantCode(t, err, "InvalidAccessKeyId")
}

func TestSkewedClockIsRefused(t *testing.T) {
	clock := newFakeClock()
	clock.advance(16 * time.Minute)
	s := startServer(t, Config{Clock: clock.Now})
	a := admin(t, s, accountA)
	_, err := a.s3.ListBuckets(t.Context(), nil)
	wantCode(t, err, "RequestTimeTooSkewed")
	_, err = a.sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "SignatureDoesNotMatch")
	_, err = a.kms.ListKeys(t.Context(), &kms.ListKeysInput{})
	wantCode(t, err, "InvalidSignatureException")
}

// signedBy builds a request without a body, signed by A's admin.
func signedBy(tb testing.TB, s *Server, method, path string) *http.Request {
	tb.Helper()
	return signed(tb, s, method, path, emptyHash, nil)
}

// signed builds a request signed by A's admin, to be spoiled by the test.
func signed(tb testing.TB, s *Server, method, path, hash string, body []byte) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, s.URL()+path, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("X-Amz-Content-Sha256", hash)
	id, secret := s.Admin(accountA)
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(
		tb.Context(), aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, r, hash, "s3", defaultRegion, time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// send answers status and body.
func send(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestSignatureCoversPathQueryHeadersAndBody(t *testing.T) {
	s := startServer(t, Config{})
	a := admin(t, s, accountA)
	if _, err := a.s3.CreateBucket(t.Context(), westBucket("sealed")); err != nil {
		t.Fatal(err)
	}
	const hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of "hello"
	hello := []byte("hello")
	put := func() *http.Request { return signed(t, s, http.MethodPut, "/sealed/key", hash, hello) }
	if status, text := send(t, put()); status != http.StatusOK {
		t.Fatalf("a sound request answers %d %s", status, text)
	}
	spoil := map[string]func(r *http.Request){
		"path":   func(r *http.Request) { r.URL.Path = "/sealed/other" },
		"query":  func(r *http.Request) { r.URL.RawQuery = "tagging" },
		"header": func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", emptyHash) },
		"method": func(r *http.Request) { r.Method = http.MethodDelete },
	}
	for what, do := range spoil {
		r := put()
		do(r)
		if status, text := send(t, r); status != http.StatusForbidden || !strings.Contains(text, "SignatureDoesNotMatch") {
			t.Errorf("after changing its %s the request answers %d %s", what, status, text)
		}
	}
	r := put()
	r.Body = io.NopCloser(strings.NewReader("jello"))
	if status, text := send(t, r); status != http.StatusBadRequest || !strings.Contains(text, "XAmzContentSHA256Mismatch") {
		t.Errorf("another body answers %d %s", status, text)
	}
}

func TestHostileKeysSign(t *testing.T) {
	s := startServer(t, Config{})
	a := admin(t, s, accountA)
	if _, err := a.s3.CreateBucket(t.Context(), westBucket("odd")); err != nil {
		t.Fatal(err)
	}
	keys := []string{
		"a b", "a+b", "a%2Fb", "a%b", "a&b=c?d#e", "a;b:c@d", "(x)'!*'", "//", "/lead", "trail/", "a//b", "./x", "../x", "a/../b",
		"ü", "u\u0308", "日本", "\x01", "new\nline", "tab\t", "quote\"", "back\\slash", "<&>", "~-_.", "emoji😀", "\x7f",
		"%", "%%", "=", "a=b", "a,b", "$", "[x]{y}|^`", strings.Repeat("k", 1024),
	}
	for _, key := range keys {
		_, err := a.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("odd"), Key: &key, Body: strings.NewReader(key)})
		if err != nil && errorCode(err) != "InvalidURI" {
			t.Errorf("put %q: %v", key, err)
			continue
		}
		if err != nil {
			continue // S3 refuses such keys, but not their signature
		}
		got, err := a.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("odd"), Key: &key})
		if err != nil {
			t.Errorf("get %q: %v", key, err)
			continue
		}
		b, err := io.ReadAll(got.Body)
		got.Body.Close()
		if err != nil || string(b) != key {
			t.Errorf("get %q answers %q, %v", key, b, err)
		}
		_, err = a.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("odd"), Prefix: &key, EncodingType: "url"})
		if err != nil {
			t.Errorf("list %q: %v", key, err)
		}
	}
}

func TestPresignedURLWorksUntilItExpires(t *testing.T) {
	clock := newFakeClock()
	s := startServer(t, Config{Clock: clock.Now})
	a := admin(t, s, accountA)
	if _, err := a.s3.CreateBucket(t.Context(), westBucket("pre")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pre"), Key: aws.String("a b+c"), Body: strings.NewReader("x")}); err != nil {
		t.Fatal(err)
	}
	u, err := s3.NewPresignClient(a.s3).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("pre"), Key: aws.String("a b+c")},
		s3.WithPresignExpires(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	get := func(url string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), u.Method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return send(t, r)
	}
	if status, text := get(u.URL); status != http.StatusOK || text != "x" {
		t.Errorf("the URL answers %d %s", status, text)
	}
	if status, text := get(strings.Replace(u.URL, "/pre/a", "/pre/b", 1)); status != http.StatusForbidden {
		t.Errorf("a changed URL answers %d %s", status, text)
	}
	clock.advance(2 * time.Minute)
	if status, text := get(u.URL); status != http.StatusForbidden || !strings.Contains(text, "Request has expired") {
		t.Errorf("an expired URL answers %d %s", status, text)
	}
}
