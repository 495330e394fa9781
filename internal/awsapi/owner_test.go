package awsapi

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// A call is one S3 operation as it left the package.
type call struct {
	input  reflect.Type
	header http.Header
}

// calls records every S3 operation of a session, with the headers that went out.
type calls struct {
	mu   sync.Mutex
	seen []call
}

type inputKey struct{}

func (c *calls) add(stack *middleware.Stack) error {
	err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("testInput",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, reflect.TypeOf(in.Parameters).Elem()), in)
		}), middleware.Before)
	if err != nil {
		return err
	}
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("testHeaders",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if req, ok := in.Request.(*smithyhttp.Request); ok {
				c.mu.Lock()
				c.seen = append(c.seen, call{middleware.GetStackValue(ctx, inputKey{}).(reflect.Type), req.Header.Clone()})
				c.mu.Unlock()
			}
			return next.HandleFinalize(ctx, in)
		}), middleware.After)
}

// everyCall drives all that the package asks of S3. What is answered does not matter here, only what was asked.
func everyCall(t *testing.T, a *Account) {
	t.Helper()
	ctx := t.Context()
	spec := compile.BucketSpec{Name: "absent", Region: "us-west-2", Settings: plan.BucketSettings{
		Versioning: true, Tags: map[string]string{"a": "b"},
	}}
	_ = a.CreateBucket(ctx, spec)
	_ = a.DeleteBucket(ctx, compile.BucketSpec{Name: "tommy-b"})
	_, _, _ = a.Bucket(ctx, "tommy-b")
	_, _, _ = a.Bucket(ctx, "forbidden")
	_, _ = a.BucketPolicy(ctx, "tommy-b", "")
	_ = a.PutBucketPolicy(ctx, "tommy-b", "", "{}")
	_ = a.DeleteBucketPolicy(ctx, "tommy-b", "")
	_ = a.ProbeWrite(ctx, compile.Location{Bucket: "tommy-b"}, "probe")
	everyBucketCall(ctx, a.pair(), a.versions("tommy-b"))
	_ = a.Own().Probe(ctx, compile.LegWriteDest, compile.ProbeSpec{
		Pair: plan.Pair{Source: "tommy", Destination: "tommy-b"}, SourceAccount: accountA, DestAccount: accountB, DestRegion: "us-west-2",
	})
}

// everyBucketCall drives all that the engine asks of a bucket, which copies come from another to, and of one whose versions are listed.
func everyBucketCall(ctx context.Context, b, versions *bucket) {
	_, _ = b.ListPage(ctx, s3copy.PageRequest{}, nil)
	_, _ = versions.ListPage(ctx, s3copy.PageRequest{}, nil)
	_, _ = b.PutMarker(ctx, "k")
	_, _ = b.Head(ctx, s3copy.HeadRequest{Key: "k"})
	_, _ = b.Tags(ctx, "k", "")
	if body, err := b.Open(ctx, s3copy.OpenRequest{Key: "k"}); err == nil {
		_ = body.Close()
	}
	_, _ = b.CopyObject(ctx, s3copy.CopyRequest{SourceKey: "k", Key: "k", IfMatch: "e"})
	_, _ = b.CopyObject(ctx, s3copy.CopyRequest{SourceKey: "k", Key: "conditional", IfMatch: "e", IfNoneMatch: true})
	_, _ = b.CreateUpload(ctx, s3copy.UploadRequest{Key: "k"})
	_, _ = b.CopyPart(ctx, s3copy.PartRequest{SourceKey: "k", Key: "k", UploadID: "u", Number: 1})
	_, _ = b.CompleteUpload(ctx, s3copy.CompleteRequest{Key: "k", UploadID: "u"})
	_ = b.AbortUpload(ctx, "k", "u")
	_, _ = b.ListParts(ctx, "k", "u")
	_, _ = b.ListUploads(ctx, "")
	_, _ = b.PutObject(ctx, s3copy.UploadRequest{Key: "k"}, []byte("x"))
	_, _ = b.PutPart(ctx, "k", "u", 1, []byte("x"))
	_, _ = b.DeleteObjects(ctx, []s3copy.Deletion{{Key: "k"}, {Key: "k\x01"}})
	_ = b.Restore(ctx, s3copy.RestoreRequest{Key: "k", Days: 1})
	_, _ = b.ReadLock(ctx, "k")
	_ = b.SetLock(ctx, "k", "v", s3copy.Lock{Mode: "GOVERNANCE", Until: time.Now().Add(time.Hour), LegalHold: true})
}

func answerEverything(r request) (int, string) {
	switch {
	case r.Method == http.MethodHead && strings.HasPrefix(r.Path, "/absent"):
		return http.StatusNotFound, ""
	case r.Method == http.MethodHead && strings.HasPrefix(r.Path, "/forbidden"):
		return http.StatusForbidden, ""
	case strings.HasSuffix(r.Path, "/conditional"):
		return http.StatusPreconditionFailed, xmlError("PreconditionFailed", "")
	case asks(r, "retention"): // else nobody asks for the legal hold
		return http.StatusOK, "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>"
	}
	return http.StatusOK, "<R/>"
}

// inputsInSource lists the types of S3 requests that the package's code makes.
func inputsInSource(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && strings.HasSuffix(sel.Sel.Name, "Input") {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "s3" {
					names[sel.Sel.Name] = true
				}
			}
			return true
		})
	}
	return names
}

func TestEveryS3CallPinsItsOwner(t *testing.T) {
	s := serve(t, answerEverything)
	a := account(t, s)
	var c calls
	a.cfg.APIOptions = append(a.cfg.APIOptions, c.add)
	everyCall(t, a)

	left := inputsInSource(t)
	for _, got := range c.seen {
		if got.input.PkgPath() != "github.com/aws/aws-sdk-go-v2/service/s3" {
			continue
		}
		delete(left, got.input.Name())
		_, takes := got.input.FieldByName("ExpectedBucketOwner")
		if want := map[bool]string{true: accountB}[takes]; got.header.Get(ownerHeader) != want && !asksSource(got) {
			t.Errorf("%s: owner %q, want %q", got.input.Name(), got.header.Get(ownerHeader), want)
		}
		_, copies := got.input.FieldByName("ExpectedSourceBucketOwner")
		if want := map[bool]string{true: accountA}[copies]; got.header.Get(sourceOwnerHeader) != want {
			t.Errorf("%s: source's owner %q, want %q", got.input.Name(), got.header.Get(sourceOwnerHeader), want)
		}
	}
	for name := range left {
		t.Errorf("%s is made somewhere, and no test has seen it go out: add it to everyCall", name)
	}
}

func TestEveryRequestOnTheWirePinsItsOwner(t *testing.T) {
	for _, plain := range []bool{true, false} {
		s := serve(t, answerEverything)
		a := account(t, s)
		a.options.Plain = plain
		everyCall(t, a)
		short := map[string]bool{}
		for _, r := range s.requests() {
			if r.Path == "/" || r.Method == http.MethodPut && r.Path == "/absent" { // not S3, and the bucket that nobody owns yet
				continue
			}
			source := r.Method == http.MethodHead && r.Header.Get(ownerHeader) == accountA && strings.HasPrefix(r.Path, "/tommy/")
			if r.Header.Get(ownerHeader) != accountB && !source {
				t.Errorf("%s: owner %q, want %q", r, r.Header.Get(ownerHeader), accountB)
			}
			if want := map[bool]string{true: accountA}[r.Header.Get(copySourceHeader) != ""]; r.Header.Get(sourceOwnerHeader) != want {
				t.Errorf("%s: source's owner %q, want %q", r, r.Header.Get(sourceOwnerHeader), want)
			}
			if r.Header.Get("Amz-Sdk-Invocation-Id") == "" {
				short[r.Method] = true
			}
		}
		if want := !plain; short[http.MethodPut] != want || short[http.MethodHead] != want || short[http.MethodGet] != want {
			t.Errorf("plain: %v, by the lane went %v", plain, short)
		}
	}
}

// asksSource recognises the one question about the source: it names the source's owner.
func asksSource(c call) bool {
	return c.input.Name() == "HeadObjectInput" && c.header.Get(ownerHeader) == accountA
}

func TestRequestWithoutOwnerIsNotSent(t *testing.T) {
	s := serve(t, answerEverything)
	a := account(t, s)
	b := a.open(compile.Location{Bucket: "tommy-b", Region: "us-west-2"}, compile.Location{})
	if _, err := b.Tags(t.Context(), "k", ""); err == nil || !strings.Contains(err.Error(), errUnpinned.Error()) {
		t.Errorf("got %v, want %v", err, errUnpinned)
	}
	if _, err := b.ListPage(t.Context(), s3copy.PageRequest{}, nil); err == nil || !strings.Contains(err.Error(), errUnpinned.Error()) {
		t.Errorf("got %v, want %v", err, errUnpinned)
	}
	d := a.open(compile.Location{Bucket: "tommy-b", Region: "us-west-2", Account: accountB}, compile.Location{Bucket: "tommy"})
	if _, err := d.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"}); err == nil {
		t.Error("a copy from a bucket without an owner was made")
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}

func TestServersWithoutAccountsAreToldNoOwner(t *testing.T) {
	s := serve(t, answerEverything)
	b := compatible(t, s).open(compile.Location{Bucket: "b", Region: "us-east-1"}, compile.Location{Bucket: "a"})
	_, err := b.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
	if !errors.Is(err, s3copy.ErrEmptyAnswer) {
		t.Errorf("got %v, want %v", err, s3copy.ErrEmptyAnswer)
	}
	for _, r := range s.requests() {
		if r.Header.Get(ownerHeader)+r.Header.Get(sourceOwnerHeader) != "" {
			t.Errorf("%s names an owner", r)
		}
	}
}
