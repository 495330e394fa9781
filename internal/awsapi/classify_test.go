package awsapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

func TestAnswersMeanWhatTheRestAsksFor(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   []error
	}{
		{403, "AccessDenied", []error{s3copy.ErrDenied, compile.ErrDenied}},
		{403, "AllAccessDisabled", []error{s3copy.ErrDenied}},
		{403, "SomethingNew", []error{s3copy.ErrDenied, compile.ErrDenied}},
		{404, "NoSuchKey", []error{s3copy.ErrNotFound}},
		{404, "NoSuchBucket", []error{s3copy.ErrNoBucket}},
		{404, "NoSuchUpload", []error{s3copy.ErrNoUpload}},
		{403, "InvalidObjectState", []error{s3copy.ErrArchived}},
		{503, "SlowDown", []error{s3copy.ErrThrottled}},
		{503, "ServiceUnavailable", []error{s3copy.ErrThrottled}},
		{429, "TooManyRequests", []error{s3copy.ErrThrottled}},
		{429, "Unheard", []error{s3copy.ErrThrottled}},
		{400, "ExpiredToken", []error{s3copy.ErrCredentials, compile.ErrCredentials}},
		{403, "InvalidAccessKeyId", []error{s3copy.ErrCredentials, compile.ErrCredentials}},
		{403, "SignatureDoesNotMatch", []error{s3copy.ErrCredentials}},
		{403, "RequestTimeTooSkewed", []error{s3copy.ErrCredentials}},
		{501, "NotImplemented", []error{s3copy.ErrUnsupported, compile.ErrUnsupported}},
		{501, "XNotImplemented", []error{s3copy.ErrUnsupported}},
		{405, "MethodNotAllowed", []error{s3copy.ErrUnsupported, compile.ErrUnsupported}},
		{412, "PreconditionFailed", []error{s3copy.ErrChanged}},
	} {
		t.Run(c.code, func(t *testing.T) {
			s := serve(t, func(request) (int, string) { return c.status, xmlError(c.code, "why it is so") })
			_, err := account(t, s).pair().CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k", IfMatch: "e"})
			for _, want := range c.want {
				if !errors.Is(err, want) {
					t.Errorf("got %v, want it to be %q", err, want)
				}
			}
			if want := `copy object "k" to tommy-b: ` + c.code + ": why it is so (request REQ1)"; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if errors.Is(err, s3copy.ErrDenied) && errors.Is(err, s3copy.ErrCredentials) {
				t.Error("bad credentials count as denied: waiting for propagation would take them for granted")
			}
		})
	}
}

func TestHeadAnswersHaveAStatusOnly(t *testing.T) {
	for status, want := range map[int]error{
		403: s3copy.ErrDenied, 404: s3copy.ErrNotFound, 503: s3copy.ErrThrottled, 501: s3copy.ErrUnsupported,
	} {
		s := serve(t, func(request) (int, string) { return status, "" })
		_, err := account(t, s).pair().Head(t.Context(), s3copy.HeadRequest{Key: "k"})
		if !errors.Is(err, want) {
			t.Errorf("HEAD %d: got %v, want %v", status, err, want)
		}
	}
}

func TestPolicyNamingANewPrincipalIsInvalidForNow(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 400, xmlError("MalformedPolicy", "Invalid principal in policy") })
	err := account(t, s).PutBucketPolicy(t.Context(), "tommy", "us-west-2", "{}")
	if !errors.Is(err, compile.ErrInvalidPrincipal) {
		t.Errorf("got %v, want %v", err, compile.ErrInvalidPrincipal)
	}
	s = serve(t, func(request) (int, string) {
		return 400, xmlError("MalformedPolicy", "Missing required field Resource")
	})
	err = account(t, s).PutBucketPolicy(t.Context(), "tommy", "us-west-2", "{}")
	if err == nil || errors.Is(err, compile.ErrInvalidPrincipal) {
		t.Errorf("got %v, want an error that no waiting mends", err)
	}
}

func TestPolicyOfAnotherAccountsBucketIsDenied(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 405, xmlError("MethodNotAllowed", "not against this resource") })
	if err := account(t, s).PutBucketPolicy(t.Context(), "tommy", "us-west-2", "{}"); !errors.Is(err, compile.ErrDenied) {
		t.Errorf("got %v, want %v", err, compile.ErrDenied)
	}
}

func TestErrorsHoldNoSecret(t *testing.T) {
	const token = "FwoGZXIvYXdzEXAMPLETOKEN"
	leak := "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key. " +
		"The Canonical String for this request should have been\n'GET\n/\n\nx-amz-security-token:" + token + "\n'"
	for name, message := range map[string]string{
		"SignatureDoesNotMatch": leak,
		"AccessDenied":          "no: https://b.s3.amazonaws.com/k?X-Amz-Signature=" + token + "&amp;X-Amz-Security-Token=" + token,
	} {
		s := serve(t, func(request) (int, string) { return 403, iamError(name, message) })
		_, err := account(t, s).Identity(t.Context())
		if err == nil || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), testKey) {
			t.Errorf("got %v, want no token in it", err)
		}
		if e, ok := errors.AsType[*RequestError](err); !ok || e.Code != name || e.RequestID != "REQ1" {
			t.Errorf("got %#v, want code %s and its request", err, name)
		}
	}
}

func TestCancelledRequestStaysRecognisable(t *testing.T) {
	s := serve(t, answerEverything)
	_, err := account(t, s).pair().Tags(cancelled(t), "k", "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestUnreachableServerIsNamedWithoutItsURL(t *testing.T) {
	s := serve(t, answerEverything)
	a := account(t, s)
	s.Close()
	_, err := a.pair().Tags(t.Context(), "k", "")
	if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "http://") {
		t.Errorf("got %v, want the refused connection and no URL", err)
	}
}

func TestWithoutCredentialsTheErrorSaysWhatToDo(t *testing.T) {
	s := serve(t, func(request) (int, string) { return http.StatusOK, "" })
	a := account(t, s)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	bare, err := Open(t.Context(), a.account, Options{})
	if err == nil {
		_, err = bare.Identity(t.Context())
	}
	if !errors.Is(err, compile.ErrCredentials) || !strings.Contains(err.Error(), "AWS_PROFILE") {
		t.Errorf("got %v, want %v with what to do", err, compile.ErrCredentials)
	}
	named := a.account
	named.Profile = "nobody"
	if _, err := Open(t.Context(), named, Options{}); !errors.Is(err, compile.ErrCredentials) || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("got %v, want %v naming the profile", err, compile.ErrCredentials)
	}
}
