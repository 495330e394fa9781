package awsapi

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// tear closes the connection without an answer.
func tear(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func TestAccessKeyIsAskedForOnceWhereTheAnswerIsLost(t *testing.T) {
	for name, h := range map[string]func(http.ResponseWriter, request){
		"torn connection": func(w http.ResponseWriter, _ request) { tear(w) },
		"500":             func(w http.ResponseWriter, _ request) { w.WriteHeader(500) },
		"503":             func(w http.ResponseWriter, _ request) { w.WriteHeader(503) },
	} {
		t.Run(name, func(t *testing.T) {
			s := serveHTTP(t, h)
			a := account(t, s)
			if _, _, err := a.MintKey(t.Context(), "misterrodgers"); err == nil {
				t.Error("got no error")
			}
			if err := a.CreatePolicy(t.Context(), compile.PolicySpec{Name: "p", ARN: "arn:aws:iam::" + accountB + ":policy/p"}); err == nil {
				t.Error("got no error")
			}
			if n := len(s.requests()); n != 2 {
				t.Errorf("%d requests were sent, want one each", n)
			}
		})
	}
}

func TestThrottledAccessKeyIsAskedForAgain(t *testing.T) {
	n := 0
	s := serve(t, func(request) (int, string) {
		if n++; n < 3 {
			return 400, iamError("Throttling", "Rate exceeded")
		}
		return 200, `<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>u</UserName><AccessKeyId>` + testKeyID +
			`</AccessKeyId><Status>Active</Status><SecretAccessKey>` + testKey + `</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>`
	})
	id, _, err := account(t, s).MintKey(t.Context(), "u")
	if err != nil || id != testKeyID || n != 3 {
		t.Errorf("got %s, %v after %d requests, want the key after 3", id, err, n)
	}
}

func TestThrottlingIsToldToTheEngineAtOnce(t *testing.T) {
	for status, body := range map[int]string{503: xmlError("SlowDown", "Please reduce your request rate."), 429: "", 400: xmlError("RequestLimitExceeded", "")} {
		s := serve(t, func(request) (int, string) { return status, body })
		b := account(t, s).pair()
		for what, do := range map[string]func() error{
			"copy": func() error {
				_, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
				return err
			},
			"head": func() error { _, err := b.Head(t.Context(), s3copy.HeadRequest{Key: "k"}); return err },
			"list": func() error { _, err := b.ListPage(t.Context(), s3copy.PageRequest{}, nil); return err },
			"complete": func() error {
				_, err := b.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: "k", UploadID: "u"})
				return err
			},
		} {
			want := 1
			if what == "head" && status == 400 {
				want = 2 // its refusal has no body, so a GET asks for the reason
			}
			before := len(s.requests())
			err := do()
			if n := len(s.requests()) - before; n != want || !errors.Is(err, s3copy.ErrThrottled) {
				t.Errorf("%s, answered with %d: got %v after %d requests, want %v after %d", what, status, err, n, s3copy.ErrThrottled, want)
			}
		}
	}
}

func TestThrottlingIsSatOutWhereNobodyAsksAgain(t *testing.T) {
	n := 0
	s := serve(t, func(r request) (int, string) {
		if n++; n%3 != 0 {
			return 503, xmlError("SlowDown", "Please reduce your request rate.")
		}
		if strings.HasPrefix(r.Query, "policy") {
			return 200, "{}"
		}
		return 200, "<R/>"
	})
	a := account(t, s)
	b := a.pair()
	for what, do := range map[string]func() error{
		"policy":  func() error { _, err := a.BucketPolicy(t.Context(), "tommy", "us-west-2"); return err },
		"abort":   func() error { return b.AbortUpload(t.Context(), "k", "u") },
		"uploads": func() error { _, err := b.ListUploads(t.Context(), ""); return err },
		"probe":   func() error { return a.Own().Probe(t.Context(), compile.LegListDest, probeSpec()) },
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestErrorInsideA200IsRepeatedAndThenTold(t *testing.T) {
	s := serve(t, func(request) (int, string) {
		return 200, xmlError("InternalError", "We encountered an internal error.")
	})
	_, err := account(t, s).pair().CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
	if n := len(s.requests()); err == nil || !strings.Contains(err.Error(), "InternalError") || n != patientAttempts {
		t.Errorf("got %v after %d requests, want InternalError after %d", err, n, patientAttempts)
	}
}

func TestTornReadIsRepeated(t *testing.T) {
	n := 0
	s := serveHTTP(t, func(w http.ResponseWriter, _ request) {
		if n++; n == 1 {
			tear(w)
		}
		_, _ = io.WriteString(w, "<Tagging/>")
	})
	if _, err := account(t, s).pair().Tags(t.Context(), "k", ""); err != nil || n < 2 {
		t.Errorf("got %v after %d requests, want no error after 2", err, n)
	}
}

func TestVoidUploadIsAbortedAndSaidToBeGone(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if r.Method == http.MethodPost {
			return 409, xmlError("ConditionalRequestConflict", "another write came between")
		}
		return 204, ""
	})
	_, err := account(t, s).pair().CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: "k", UploadID: "u", IfNoneMatch: true})
	seen := s.requests()
	if !errors.Is(err, s3copy.ErrNoUpload) || len(seen) != 2 || seen[1].Method != http.MethodDelete {
		t.Errorf("got %v after %v, want %v after one POST and the DELETE", err, seen, s3copy.ErrNoUpload)
	}
}
