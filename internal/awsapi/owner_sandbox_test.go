package awsapi

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// TestThePinKnowsEveryOperationThatTakesAnOwner holds takesOwner to the SDK's own types, for all operations of S3 that the
// package's source names, by the SDK's client or on the lane.
func TestThePinKnowsEveryOperationThatTakesAnOwner(t *testing.T) {
	takes := map[string]bool{}
	for m := range reflect.TypeFor[*s3.Client]().Methods() {
		if m.Type.NumIn() >= 3 && m.Type.In(2).Kind() == reflect.Pointer {
			_, takes[m.Name] = m.Type.In(2).Elem().FieldByName("ExpectedBucketOwner")
		}
	}
	asked := laneOperations(t)
	for name := range inputsInSource(t) {
		asked[strings.TrimSuffix(name, "Input")] = true
	}
	pinned := 0
	for name := range asked {
		takesOne, known := takes[name]
		if !known {
			t.Errorf("%s is no operation of S3", name)
		}
		if takesOwner(name) != takesOne {
			t.Errorf("%s takes an expected owner: %t, and the pin says %t", name, takesOne, takesOwner(name))
		}
		if takesOne {
			pinned++
		}
	}
	t.Logf("%d operations of S3 are asked for, %d of them take an owner, and are pinned", len(asked), pinned)
}

// laneOperations are the operations that the source asks for by the lane.
func laneOperations(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	files, err := fs.Glob(os.DirFS("."), "lane*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 3 {
				return true
			}
			called, isName := call.Fun.(*ast.Ident)
			operation, isText := call.Args[0].(*ast.BasicLit)
			if isName && isText && called.Name == "ask" {
				text, err := strconv.Unquote(operation.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[text] = true
			}
			return true
		})
	}
	if len(found) < 4 {
		t.Errorf("on the lane are %v, want four at least", found)
	}
	return found
}

// otherOwners are the calls on a bucket whose name is the plan's, and whose owner is not. All of it is permitted otherwise: the pin
// alone refuses.
func otherOwners() []faultCall {
	var calls []faultCall
	for _, c := range faultCalls() {
		source := c.name == "bucket.Tags" || strings.Contains(c.name, "source") ||
			strings.HasSuffix(c.name, string(compile.LegIdentity)) || strings.HasSuffix(c.name, string(compile.LegTagsSource))
		if (strings.HasPrefix(c.name, "bucket.") || strings.HasPrefix(c.name, "Login.Probe")) && !source {
			c.arrange = then(c.arrange, func(_ context.Context, w *faultWorld) error { w.ownerOf = accountA; return nil })
			calls = append(calls, c)
		}
	}
	const theirs = "tommy"
	lied := func(w *faultWorld) *bucket {
		return w.b.engine(
			compile.Location{Bucket: "tommy-b", Region: "us-west-2", Account: accountB}, compile.Location{Bucket: theirs, Region: "us-west-2", Account: accountB},
		)
	}
	return append(calls, []faultCall{
		{name: "a copy's source", do: func(ctx context.Context, w *faultWorld) (string, error) {
			_, err := lied(w).CopyObject(ctx, s3copy.CopyRequest{SourceKey: "k", Key: "k"})
			return "", err
		}},
		{name: "a part's source", arrange: func(ctx context.Context, w *faultWorld) error { return w.begin(ctx, false) }, do: func(ctx context.Context, w *faultWorld) (string, error) {
			_, err := lied(w).CopyPart(ctx, s3copy.PartRequest{SourceKey: "large", Key: "large", UploadID: w.upload, Number: 1, Last: partBytes - 1})
			return "", err
		}},
		{name: "Account.BucketPolicy", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return w.b.BucketPolicy(ctx, theirs, "us-west-2")
		}},
		{name: "Account.PutBucketPolicy", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.PutBucketPolicy(ctx, theirs, "us-west-2", faultGuest))
		}},
		{name: "Account.ProbeWrite", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.ProbeWrite(ctx, compile.Location{Bucket: theirs, Account: accountB, Region: "us-west-2"}, "probe"))
		}},
		{name: "Account.DeleteBucketPolicy", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.DeleteBucketPolicy(ctx, theirs, "us-west-2"))
		}},
		{name: "Account.DeleteBucket", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.DeleteBucket(ctx, compile.BucketSpec{Name: theirs, Region: "us-west-2"}))
		}},
		{name: "Account.CreateBucket", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.CreateBucket(ctx, compile.BucketSpec{Name: theirs, Region: "us-west-2", Settings: plan.BucketSettings{Versioning: true}}))
		}},
	}...)
}

// then arranges one thing after another.
func then(first, second func(context.Context, *faultWorld) error) func(context.Context, *faultWorld) error {
	return func(ctx context.Context, w *faultWorld) error {
		if first != nil {
			if err := first(ctx, w); err != nil {
				return err
			}
		}
		return second(ctx, w)
	}
}

func TestBucketsOfAnotherOwnerAreRefusedAndStayAsTheyAre(t *testing.T) {
	settle(t)
	for _, plain := range []bool{false, true} {
		like, err := Open(t.Context(), plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2", EndpointURL: "http://sandbox.invalid"},
			Options{Plain: plain, retries: retries{first: time.Nanosecond}})
		if err != nil {
			t.Fatal(err)
		}
		calls := otherOwners()
		for _, c := range calls {
			refusesOtherOwner(t, like, c)
		}
		t.Logf("%d calls", len(calls))
	}
}

func refusesOtherOwner(t *testing.T, like *Account, c faultCall) {
	t.Helper()
	w, err := newFaultWorld(like)
	if err == nil && c.arrange != nil {
		err = c.arrange(t.Context(), w)
	}
	if err != nil {
		t.Fatalf("%s: arrange: %v", c.name, err)
	}
	before := len(w.box.Mutations())
	if got, err := c.do(t.Context(), w); !errors.Is(err, s3copy.ErrDenied) {
		t.Errorf("%s: %q, %v, want %v", c.name, got, err, s3copy.ErrDenied)
	}
	for _, m := range w.box.Mutations()[before:] {
		if m.Status < 400 {
			t.Errorf("%s: %s of %s/%s was done: %d", c.name, m.Operation, m.Bucket, m.Key, m.Status)
		}
	}
	if b, _, err := w.b.Bucket(t.Context(), "tommy"); err != nil || !b.Foreign {
		t.Errorf("%s: the other's bucket is foreign: %t, %v", c.name, b.Foreign, err)
	}
	if err := w.box.Close(); err != nil {
		t.Error(err)
	}
}
