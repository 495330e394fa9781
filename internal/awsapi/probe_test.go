package awsapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

func probeSpec() compile.ProbeSpec {
	return compile.ProbeSpec{
		Pair:          plan.Pair{Source: "tommy", Destination: "tommy-b", Prefix: "in/", ToPrefix: "out/", Copy: plan.Copy{Tags: true, ACL: "bucket-owner-full-control"}},
		SourceAccount: accountA, DestAccount: accountB, SourceRegion: "us-west-2", DestRegion: "us-west-2", PrincipalARN: userARN,
	}
}

func TestProbeReadsTheFirstByteOfAnObjectThatHasSome(t *testing.T) {
	s := serveHTTP(t, func(w http.ResponseWriter, r request) {
		w.Header().Set("Etag", `"e"`)
		switch {
		case strings.Contains(r.Query, "list-type"):
			_, _ = w.Write([]byte(`<ListBucketResult><Contents><Key>in/dir/</Key><Size>0</Size></Contents><Contents><Key>in/old</Key><Size>9</Size><StorageClass>GLACIER</StorageClass></Contents>` +
				`<Contents><Key>in/k</Key><Size>9</Size></Contents></ListBucketResult>`))
		case r.Method == http.MethodGet && r.Header.Get("Range") == "bytes=0-0":
			w.Header().Set("Content-Range", "bytes 0-0/9")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write([]byte("x"))
		case r.Method == http.MethodGet:
			_, _ = w.Write([]byte("<Tagging/>"))
		}
	})
	l := account(t, s).Own()
	for _, leg := range []compile.Leg{compile.LegReadSource, compile.LegTagsSource} {
		if err := l.Probe(t.Context(), leg, probeSpec()); err != nil {
			t.Errorf("%s: %v", leg, err)
		}
	}
	var paths []string
	for _, r := range s.requests() {
		paths = append(paths, r.Method+" "+r.Path)
		if r.Header.Get(ownerHeader) != accountA {
			t.Errorf("%s is pinned to %q, want %s", r, r.Header.Get(ownerHeader), accountA)
		}
	}
	if got, want := strings.Join(paths, ", "), "GET /tommy, HEAD /tommy/in/k, GET /tommy/in/k, GET /tommy, GET /tommy/in/k"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

func TestEmptySourcePassesTheProbe(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 200, "<ListBucketResult/>" })
	l := account(t, s).Own()
	for _, leg := range []compile.Leg{compile.LegListSource, compile.LegReadSource, compile.LegTagsSource, compile.LegListDest} {
		if err := l.Probe(t.Context(), leg, probeSpec()); err != nil {
			t.Errorf("%s: %v", leg, err)
		}
	}
}

func TestDeniedLegIsDenied(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 403, xmlError("AccessDenied", "Access Denied") })
	l := account(t, s).Own()
	for _, leg := range []compile.Leg{
		compile.LegIdentity, compile.LegListSource, compile.LegReadSource, compile.LegTagsSource, compile.LegListDest, compile.LegWriteDest,
	} {
		if err := l.Probe(t.Context(), leg, probeSpec()); !isDenied(err) {
			t.Errorf("%s: got %v, want %v", leg, err, s3copy.ErrDenied)
		}
	}
	if err := l.Probe(t.Context(), "nonsense", probeSpec()); err == nil {
		t.Error("an unknown leg passed")
	}
}

func TestProbeOfWritingLeavesNothingEvenWhenInterrupted(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if r.Method == http.MethodPost {
			return 200, `<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`
		}
		return 204, ""
	})
	l := account(t, s).Own()
	if err := l.Probe(t.Context(), compile.LegWriteDest, probeSpec()); err != nil {
		t.Error(err)
	}
	seen := s.requests()
	if len(seen) != 2 || !strings.HasPrefix(seen[0].Path, "/tommy-b/out/.xplan-probe-") || seen[1].Method != http.MethodDelete || seen[1].Path != seen[0].Path {
		t.Fatalf("asked %v, want an upload below out/ and its abortion", seen)
	}
	if h := seen[0].Header; h.Get("X-Amz-Tagging") == "" || h.Get("X-Amz-Acl") == "" {
		t.Errorf("the upload asks for neither tags nor ACL: %v", h)
	}
}

func TestProbeGoesOnToItsAbortionWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(r request) (int, string) {
		if r.Method == http.MethodPost {
			cancel()
			return 200, `<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`
		}
		return 204, ""
	})
	l := account(t, s).Own()
	if err := l.Probe(ctx, compile.LegWriteDest, probeSpec()); err != nil {
		t.Error(err)
	}
	if seen := s.requests(); len(seen) != 2 || seen[1].Method != http.MethodDelete {
		t.Errorf("asked %v, want the upload and its abortion", seen)
	}
	if err := l.Probe(ctx, compile.LegWriteDest, probeSpec()); !errors.Is(err, context.Canceled) || len(s.requests()) != 2 {
		t.Errorf("got %v after %v, want no new upload", err, s.requests())
	}
}

func TestProbeLooksForAnUploadWhoseAnswerWasLost(t *testing.T) {
	var key string
	s := serveHTTP(t, func(w http.ResponseWriter, r request) {
		switch r.Method {
		case http.MethodPost:
			key = strings.TrimPrefix(r.Path, "/tommy-b/")
			tear(w)
		case http.MethodGet:
			_, _ = w.Write([]byte(`<ListMultipartUploadsResult><Upload><Key>` + key + `</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>`))
		}
	})
	err := account(t, s).Own().Probe(t.Context(), compile.LegWriteDest, probeSpec())
	seen := s.requests()
	if err == nil || len(seen) != 3 || seen[2].Method != http.MethodDelete || !strings.Contains(seen[2].Query, "uploadId=u") {
		t.Errorf("got %v after %v, want the loss, one upload, the look, and the abortion", err, seen)
	}
}

func TestCredentialsOfSomebodyElseFailTheProbe(t *testing.T) {
	for signer, ok := range map[string]bool{
		userARN:                                true,
		"arn:aws:iam::210987654321:user/other": false,
		"arn:aws:sts::210987654321:assumed-role/misterrodgers/s": false,
	} {
		s := serve(t, func(request) (int, string) {
			return 200, strings.Replace(callerIdentity, "arn:aws:iam::210987654321:user/admin", signer, 1)
		})
		err := account(t, s).Own().Probe(t.Context(), compile.LegIdentity, probeSpec())
		if ok != (err == nil) || errors.Is(err, s3copy.ErrDenied) {
			t.Errorf("signed by %s: got %v", signer, err)
		}
	}
	if !samePrincipal("arn:aws:sts::210987654321:assumed-role/copier/xplan-1", "arn:aws:iam::210987654321:role/path/copier") {
		t.Error("a role's session is not its role")
	}
	if samePrincipal("arn:aws:sts::123456789012:assumed-role/copier/xplan-1", "arn:aws:iam::210987654321:role/copier") {
		t.Error("another account's role of that name passes")
	}
}

func TestProbeIsNotHeldUpByOneObjectsOwnDenial(t *testing.T) {
	for name, c := range map[string]struct {
		open string // the object that may be read
		want error
	}{
		"one of them answers": {"/tommy/in/b", nil},
		"none does":           {"", s3copy.ErrDenied},
	} {
		s := serve(t, func(r request) (int, string) {
			switch {
			case strings.Contains(r.Query, "list-type"):
				return 200, `<ListBucketResult><Contents><Key>in/a</Key><Size>9</Size></Contents><Contents><Key>in/b</Key><Size>9</Size></Contents></ListBucketResult>`
			case r.Path == c.open:
				return 200, "<Tagging/>"
			}
			return 403, xmlError("AccessDenied", "kms:Decrypt")
		})
		if err := account(t, s).Own().Probe(t.Context(), compile.LegTagsSource, probeSpec()); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
