package awsapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
)

func TestHeadRefusedWithoutAReasonAsksForIt(t *testing.T) {
	for body, want := range map[string]error{
		xmlError("ExpiredToken", "The provided token has expired."):                                                        s3copy.ErrCredentials,
		xmlError("InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters"): s3copy.ErrCustomerKey,
	} {
		s := serve(t, func(r request) (int, string) {
			if r.Method == http.MethodHead {
				return 400, ""
			}
			return 400, body
		})
		if _, err := account(t, s).pair().Head(t.Context(), s3copy.HeadRequest{Key: "k"}); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestRequesterPaysIsSaidToTheBucketThatWantsIt(t *testing.T) {
	w := newWorld(t)
	if err := w.AddBucket(accountA, "paid", sandbox.BucketOptions{RequesterPay: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.PutObject("paid", "k", []byte("body"), sandbox.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:user/admin"},
		"Action":["s3:ListBucket","s3:GetObject*"],"Resource":["arn:aws:s3:::paid","arn:aws:s3:::paid/*"]}]}`
	err := errors.Join(w.SetBucketPolicy("paid", allow), w.b.CreateBucket(t.Context(), compile.BucketSpec{Name: "tommy-b", Account: accountB, Region: "us-west-2"}))
	if err != nil {
		t.Fatal(err)
	}
	at := compile.Location{Bucket: "paid", Region: "us-west-2", Account: accountA}
	if _, err := w.b.OpenSource(at).Head(t.Context(), s3copy.HeadRequest{Key: "k"}); !errors.Is(err, s3copy.ErrDenied) {
		t.Errorf("unpaid: got %v, want %v", err, s3copy.ErrDenied)
	}
	at.RequesterPays = true
	_, err = w.b.OpenSource(at).Head(t.Context(), s3copy.HeadRequest{Key: "k"})
	_, copyErr := w.b.OpenDestination(w.destination(), at).CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
	spec := w.spec()
	spec.Pair.Source, spec.RequesterPays, spec.PrincipalARN = "paid", true, ""
	if err := errors.Join(err, copyErr, w.b.Own().Probe(t.Context(), compile.LegReadSource, spec)); err != nil {
		t.Error(err)
	}
}

func TestRefusalOfAKeyThatXMLCannotNameIsReadByItsStatus(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 403, "<Error><Code>AccessDenied</Code><Message>no</Message><Key>k&#x1;</Key></Error>"
	})
	_, err := account(t, s).pair().CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k\x01", Key: "k\x01"})
	if n := len(s.requests()); !errors.Is(err, s3copy.ErrDenied) || n != 1 {
		t.Errorf("got %v after %d requests, want %v after one", err, n, s3copy.ErrDenied)
	}
}

func TestWhatStandsBehindASecretsNameIsWithheld(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	shows := func(text string) bool {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("user:" + secret)), hex.EncodeToString(sha256.New().Sum(nil))} {
			if strings.Contains(text, form[:12]) {
				return true
			}
		}
		return false
	}
	for _, text := range []string{
		`<SecretAccessKey>` + secret + `</SecretAccessKey><Status>Active</Status>`, `"SecretAccessKey" : "` + secret + `"`, "aws_secret_access_key = " + secret,
		"aws_session_token=" + secret, `"SessionToken": "` + secret + `"`, "X-Amz-Security-Token: " + secret, "X-Amz-Security-Token=>" + secret,
		"?X-Amz-Signature=" + secret + "&x=y", "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20261129, Signature=" + secret, "password: " + secret,
		"FwoGZXIvYXdzEJr" + secret, "IQoJb3JpZ2luX2VjEJr/" + secret, "http://user:" + secret + "@127.0.0.1:1/x",
		"parse failed of process output: whatever " + secret + ", error: invalid character",
		// without a name, and in the forms that pages and proxies give it
		secret, "[" + secret + "]", url.QueryEscape("<SecretAccessKey>" + secret + "</SecretAccessKey>"), html.EscapeString(html.EscapeString("<SecretAccessKey>" + secret + "</SecretAccessKey><Status>")),
		url.QueryEscape("IQoJb3JpZ2luX2Vj" + strings.Repeat("a", 12) + "/" + secret[:30]), "Xmj7" + strings.Repeat(secret, 12), base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte("user:" + secret)),
		hex.EncodeToString(sha256.New().Sum(nil)), // as signatures are
		strings.ReplaceAll(secret, "+", "&#43;"), strings.ReplaceAll(secret, "/", "&#x2F;"), strings.ReplaceAll(secret, "/", `\/`), strings.ReplaceAll(secret, "/", `\u002f`),
	} {
		if got := clean("before " + text + " behind"); shows(got) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " behind") {
			t.Errorf("%s becomes %s", text, got)
		}
	}
	for _, plain := range []string{
		"The security token included in the request is invalid", "error in credential_process: exit status 3",
		"User: arn:aws:iam::123456789012:user/x is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::tommy/a/B1/c@d\"",
		"no access to arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/SomeBody", "policy AdministratorsOfTheWholeOrganisationInEveryRegion2026 is missing",
		"resource arn:aws:s3:::tommy/2026/11/29/13/45/ab/cd/ef/01/23/45/67/89/K1/L2/M3", "key arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		"open /Users/SomeBody/Projects/CopyOfBuckets/Settings/config: no such file", `open C:\Users\SomeBody\Projects\CopyOfBuckets\Settings\config`, "grant " + strings.Repeat("0", 64), "AT&T; &c.",
	} {
		if got := clean(plain); got != plain {
			t.Errorf("%s becomes %s", plain, got)
		}
	}
}

func TestACodeThatQuotesASecretIsWithheldToo(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	err := failed(&smithy.OperationError{ServiceID: "S3", OperationName: "HeadObject", Err: &smithy.GenericAPIError{Code: "Bad\n" + secret, Message: "no"}}, "look")
	if text := err.Error(); strings.Contains(text, secret[:12]) || strings.Contains(text, "\n") || !strings.Contains(text, "Bad") {
		t.Errorf("got %q", text)
	}
}
