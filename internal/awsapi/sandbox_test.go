package awsapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
	"xplan/plan"
)

// A world is the sandbox with both administrators, reached through their profiles.
type world struct {
	*sandbox.Server
	a, b *Account
}

func newWorld(tb testing.TB) world {
	tb.Helper()
	s := sandbox.New(sandbox.Config{})
	if err := s.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	settle(tb)
	file := filepath.Join(tb.TempDir(), "config")
	if err := s.WriteAWSConfig(file); err != nil {
		tb.Fatal(err)
	}
	tb.Setenv("AWS_CONFIG_FILE", file)
	w := world{Server: s}
	for id, side := range map[string]**Account{accountA: &w.a, accountB: &w.b} {
		a, err := Open(tb.Context(), plan.Account{
			Provider: plan.AWS, ID: id, Profile: map[string]string{accountA: sandbox.SourceProfile, accountB: sandbox.DestinationProfile}[id],
		}, Options{retries: retries{first: time.Millisecond}})
		if err != nil {
			tb.Fatal(err)
		}
		*side = a
	}
	if err := s.AddBucket(accountA, "tommy", sandbox.BucketOptions{}); err != nil {
		tb.Fatal(err)
	}
	return w
}

func (w world) put(t *testing.T, key string, o sandbox.PutOptions) {
	t.Helper()
	if err := w.PutObject("tommy", key, []byte("body of "+key), o); err != nil {
		t.Fatal(err)
	}
}

// locations of both buckets, with their owners.
func (world) source() compile.Location {
	return compile.Location{Bucket: "tommy", Region: "us-west-2", Account: accountA}
}

func (world) destination() compile.Location {
	return compile.Location{Bucket: "tommy-b", Region: "us-west-2", Account: accountB}
}

const pullARN = "arn:aws:iam::210987654321:user/misterrodgers"

// permit makes the user, its policy and the source's statement, and mints its key.
func (w world) permit(t *testing.T) (keyID string, _ *Login) {
	t.Helper()
	ctx := t.Context()
	tags := map[string]string{compile.PlanTag: "tommy-to-b"}
	pull := compile.PolicySpec{ARN: policyARN, Name: "s3_copy", Tags: tags, Document: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:ListBucket","s3:GetObject","s3:GetObjectTagging"],"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]},
		{"Effect":"Allow","Action":["s3:ListBucket","s3:GetObject","s3:GetObjectTagging","s3:PutObject","s3:PutObjectTagging","s3:AbortMultipartUpload","s3:ListMultipartUploadParts","s3:ListBucketMultipartUploads"],
		"Resource":["arn:aws:s3:::tommy-b","arn:aws:s3:::tommy-b/*"]}]}`}
	statement := `{"Version":"2012-10-17","Statement":[{"Sid":"DelegateS3Access","Effect":"Allow","Principal":{"AWS":"` + pullARN + `"},
		"Action":["s3:ListBucket","s3:GetObject","s3:GetObjectTagging"],"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]}]}`
	if err := w.a.PutBucketPolicy(ctx, "tommy", "", statement); !errors.Is(err, compile.ErrInvalidPrincipal) {
		t.Errorf("a policy naming nobody: got %v, want %v", err, compile.ErrInvalidPrincipal)
	}
	_, err := w.b.CreatePrincipal(ctx, compile.PrincipalSpec{ARN: pullARN, Name: "misterrodgers", Path: "/", Tags: tags})
	err = errors.Join(
		err, w.b.CreateBucket(ctx, compile.BucketSpec{Name: "tommy-b", Account: accountB, Region: "us-west-2", Tags: tags}),
		w.b.CreatePolicy(ctx, pull), w.b.Attach(ctx, compile.AttachmentSpec{PolicyARN: policyARN, Principal: pullARN}),
		w.a.PutBucketPolicy(ctx, "tommy", "", statement),
	)
	if err != nil {
		t.Fatal(err)
	}
	keyID, l, err := w.b.MintKey(ctx, "misterrodgers")
	if err != nil {
		t.Fatal(err)
	}
	return keyID, l
}

func (w world) spec() compile.ProbeSpec {
	return compile.ProbeSpec{
		Pair:          plan.Pair{Source: "tommy", Destination: "tommy-b", Copy: plan.Copy{Tags: true}},
		SourceAccount: accountA, DestAccount: accountB, SourceRegion: "us-west-2", DestRegion: "us-west-2", PrincipalARN: pullARN,
	}
}

func legs() []compile.Leg {
	return []compile.Leg{
		compile.LegIdentity, compile.LegListSource, compile.LegReadSource, compile.LegTagsSource, compile.LegListDest, compile.LegWriteDest,
	}
}

func TestPrincipalIsLetInAndOutAgain(t *testing.T) {
	w := newWorld(t)
	w.put(t, "k", sandbox.PutOptions{})
	keyID, l := w.permit(t)
	ctx := t.Context()
	for _, leg := range legs() {
		if err := l.Probe(ctx, leg, w.spec()); err != nil {
			t.Errorf("%s: %v", leg, err)
		}
	}
	if n := w.Uploads("tommy-b"); n != 0 {
		t.Errorf("the probe left %d uploads", n)
	}
	at := compile.AttachmentSpec{PolicyARN: policyARN, Principal: pullARN}
	if err := errors.Join(w.a.DeleteBucketPolicy(ctx, "tommy", ""), w.b.Detach(ctx, at)); err != nil {
		t.Fatal(err)
	}
	for _, leg := range legs()[1:] {
		if err := l.Probe(ctx, leg, w.spec()); !isDenied(err) {
			t.Errorf("%s afterwards: got %v, want %v", leg, err, s3copy.ErrDenied)
		}
	}
	if err := w.b.DeleteAccessKey(ctx, "misterrodgers", keyID); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Identity(ctx); !errors.Is(err, s3copy.ErrCredentials) {
		t.Errorf("with a deleted key: got %v, want %v", err, s3copy.ErrCredentials)
	}
	if err := errors.Join(w.b.DeletePolicy(ctx, policyARN), w.b.DeletePrincipal(ctx, compile.PrincipalSpec{ARN: pullARN, Name: "misterrodgers"})); err != nil {
		t.Error(err)
	}
	p, err := w.b.Principal(ctx, pullARN)
	if err != nil || p.Exists {
		t.Errorf("the user is still there: %+v, %v", p, err)
	}
}

func hostileKeys() []string {
	return []string{
		"a b+c", "a%20b", "q?x=1&y", "d//e", "/lead", "a/../b", "./x", "dir/", "ü", "u\u0308", "\u65e5\u672c/\U0001F600", "t\ta\nb\rc", "\x01\x7f", "'\"<>&;:@=$,", "~._-*!()",
	}
}

func TestHostileKeysAreCopiedListedAndDeleted(t *testing.T) {
	w := newWorld(t)
	want := hostileKeys()
	slices.Sort(want)
	for _, key := range want {
		w.put(t, key, sandbox.PutOptions{Tags: map[string]string{"k 1": "v+2"}, Metadata: map[string]string{"a": "b"}})
	}
	_, l := w.permit(t)
	d := l.OpenDestination(w.destination(), w.source())
	var deletions []s3copy.Deletion
	for o := range everyObject(t, l.OpenSource(w.source()), 4) {
		got, err := d.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: o.Key, Key: o.Key, IfMatch: o.ETag, IfNoneMatch: true})
		if err != nil || got.ETag != o.ETag {
			t.Errorf("%q: got %+v, %v, want ETag %s", o.Key, got, err, o.ETag)
		}
		tags, err := d.Tags(t.Context(), o.Key, "")
		if dd := cmp.Diff([]s3copy.Tag{{Key: "k 1", Value: "v+2"}}, tags); err != nil || dd != "" {
			t.Errorf("%q: %v, tags (-want +got):\n%s", o.Key, err, dd)
		}
		deletions = append(deletions, s3copy.Deletion{Key: o.Key, ETag: o.ETag})
	}
	var keys []string
	for o := range everyObject(t, d, 1000) {
		keys = append(keys, o.Key)
	}
	if dd := cmp.Diff(want, keys); dd != "" {
		t.Errorf("keys (-want +got):\n%s", dd)
	}
	errs, err := w.b.OpenDeleter(w.destination()).DeleteObjects(t.Context(), deletions)
	if err != nil || errors.Join(errs...) != nil || len(w.Objects("tommy-b")) != 0 {
		t.Errorf("%v, %v, left: %v", errs, err, w.Objects("tommy-b"))
	}
}

// everyObject goes through a listing by pages of the given size.
func everyObject(t *testing.T, l s3copy.Lister, size int) func(func(s3copy.Object) bool) {
	t.Helper()
	return func(yield func(s3copy.Object) bool) {
		var buf []s3copy.Object
		for token := ""; ; {
			page, err := l.ListPage(t.Context(), s3copy.PageRequest{Token: token, Max: size}, buf)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Objects {
				if !yield(o) {
					return
				}
			}
			if token, buf = page.Token, page.Objects; !page.More {
				return
			}
		}
	}
}

func TestWrongOwnerIsRefusedOnBothSides(t *testing.T) {
	w := newWorld(t)
	w.put(t, "k", sandbox.PutOptions{})
	_, l := w.permit(t)
	for name, at := range map[string][2]compile.Location{
		"destination": {{Bucket: "tommy-b", Region: "us-west-2", Account: accountA}, w.source()},
		"source":      {w.destination(), {Bucket: "tommy", Region: "us-west-2", Account: accountB}},
	} {
		_, err := l.OpenDestination(at[0], at[1]).CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
		if !errors.Is(err, s3copy.ErrDenied) || len(w.Objects("tommy-b")) != 0 {
			t.Errorf("another owner of the %s: got %v, and %d objects were written", name, err, len(w.Objects("tommy-b")))
		}
	}
	got, _, err := w.b.Bucket(t.Context(), "tommy")
	if err != nil || !got.Foreign {
		t.Errorf("A's bucket seen by B: %+v, %v, want foreign", got, err)
	}
	if err := w.b.CreateBucket(t.Context(), compile.BucketSpec{Name: "tommy"}); !errors.Is(err, compile.ErrDenied) {
		t.Errorf("creating A's bucket in B: got %v", err)
	}
}

func TestBucketsSettingsAreReadAsTheyWereMade(t *testing.T) {
	w := newWorld(t)
	tags := map[string]string{"team": "x"}
	key, err := w.AddKMSKey(accountB, "eu-west-1", "")
	if err != nil {
		t.Fatal(err)
	}
	spec := compile.BucketSpec{
		Name: "tommy-b", Region: "eu-west-1", Tags: map[string]string{compile.PlanTag: "p"},
		Settings: plan.BucketSettings{Versioning: true, Tags: tags, Encryption: plan.Encryption{Algorithm: "aws:kms", KMSKeyID: key, BucketKey: true}},
	}
	for range 2 { // the second time it is ours already
		if err := w.b.CreateBucket(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	got, unseen, err := w.b.Bucket(t.Context(), "tommy-b")
	want := compile.Bucket{
		Exists: true, Region: "eu-west-1", Versioning: "Enabled", Ownership: "BucketOwnerEnforced", Encryption: spec.Settings.Encryption,
		PublicAccess: &compile.PublicAccess{BlockACLs: true, IgnoreACLs: true, BlockPolicy: true, RestrictBuckets: true},
		Tags:         map[string]string{"team": "x", compile.PlanTag: "p"},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" || len(unseen) != 0 {
		t.Errorf("%v, unseen %v, bucket (-want +got):\n%s", err, unseen, d)
	}
	if err := w.b.DeleteBucket(t.Context(), compile.BucketSpec{Name: "tommy-b"}); err != nil {
		t.Error(err)
	}
	if got, _, err := w.b.Bucket(t.Context(), "tommy-b"); err != nil || got.Exists {
		t.Errorf("deleted, and there: %+v, %v", got, err)
	}
}

func TestMultipartCopyKeepsLayoutHeadersAndBytes(t *testing.T) {
	w := newWorld(t)
	body := bytes.Repeat([]byte("0123456789abcdef"), 11<<20/16)
	err := w.PutObject("tommy", "big", body, sandbox.PutOptions{
		PartSize: 5 << 20, ContentType: "text/x", Expires: "0", Metadata: map[string]string{"a": "ü"}, Checksum: "CRC32C",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, l := w.permit(t)
	ctx := t.Context()
	src, dst := l.OpenSource(w.source()), l.OpenDestination(w.destination(), w.source())
	head, err := src.Head(ctx, s3copy.HeadRequest{Key: "big", Part: 1, Checksums: true})
	if err != nil || head.Parts != 3 || head.PartSize != 5<<20 || head.Size != s3copy.Bytes(len(body)) {
		t.Fatalf("got %+v, %v, want 3 parts of 5 MiB", head, err)
	}
	id, err := dst.CreateUpload(ctx, s3copy.UploadRequest{Key: "big", Headers: head.Headers, ChecksumAlgo: head.Algorithm})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		first := s3copy.Bytes(n) * head.PartSize
		r := s3copy.PartRequest{SourceKey: "big", Key: "big", UploadID: id, IfMatch: head.ETag, Number: n + 1, First: first, Last: min(first+head.PartSize, head.Size) - 1}
		if _, err := dst.CopyPart(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	parts, err := dst.ListParts(ctx, "big", id)
	if err != nil || len(parts) != 3 {
		t.Fatalf("got %v, %v, want 3 parts", parts, err)
	}
	done, err := dst.CompleteUpload(ctx, s3copy.CompleteRequest{Key: "big", UploadID: id, Parts: parts, IfNoneMatch: true})
	if err != nil || done.ETag != head.ETag {
		t.Errorf("got %+v, %v, want the source's ETag %s", done, err, head.ETag)
	}
	there, err := dst.Head(ctx, s3copy.HeadRequest{Key: "big", Checksums: true})
	if d := cmp.Diff(head.Headers, there.Headers); err != nil || d != "" {
		t.Errorf("%v, headers (-want +got):\n%s", err, d)
	}
	stream, err := dst.Open(ctx, s3copy.OpenRequest{Key: "big", Offset: 1})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(stream)
	if err = errors.Join(err, stream.Close()); err != nil || !bytes.Equal(got, body[1:]) {
		t.Errorf("%v, and %d bytes are not the source's %d", err, len(got), len(body)-1)
	}
	if err := dst.AbortUpload(ctx, "big", id); err != nil {
		t.Error(err)
	}
}

func TestArchivedObjectIsKnownAsSuch(t *testing.T) {
	w := newWorld(t)
	w.put(t, "cold", sandbox.PutOptions{StorageClass: "GLACIER"})
	_, l := w.permit(t)
	_, err := l.OpenDestination(w.destination(), w.source()).CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "cold", Key: "cold"})
	if !errors.Is(err, s3copy.ErrArchived) {
		t.Errorf("got %v, want %v", err, s3copy.ErrArchived)
	}
	for _, leg := range legs() {
		if err := l.Probe(t.Context(), leg, w.spec()); err != nil {
			t.Errorf("%s of a bucket that holds archived objects only: %v", leg, err)
		}
	}
	for range 2 {
		if err := w.a.OpenRestorer(w.source()).Restore(t.Context(), s3copy.RestoreRequest{Key: "cold", Days: 1}); err != nil {
			t.Error(err)
		}
	}
}

func TestGrantsComeAndGo(t *testing.T) {
	w := newWorld(t)
	key, err := w.AddKMSKey(accountA, "us-west-2", "")
	if err != nil {
		t.Fatal(err)
	}
	user, err := w.AddUser(accountB, "misterrodgers")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	spec := compile.GrantSpec{KeyARN: key, Principal: user, Operations: []string{"Decrypt", "DescribeKey"}, Name: "xplan"}
	id, err := w.a.CreateGrant(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.a.CreateGrant(ctx, spec); err != nil || again != id {
		t.Errorf("the same grant again: %s, %v, want %s", again, err, id)
	}
	k, unseen, err := w.a.KMSKey(ctx, key, "")
	want := []compile.Grant{{ID: id, Name: "xplan", Grantee: user, Operations: spec.Operations}}
	if d := cmp.Diff(want, k.Grants); err != nil || d != "" || len(unseen) != 0 || k.AWSManaged || k.Policy == "" {
		t.Errorf("%+v, %v, %v, grants (-want +got):\n%s", k, unseen, err, d)
	}
	for range 2 {
		if err := w.a.RevokeGrant(ctx, key, "", id); err != nil {
			t.Error(err)
		}
	}
	if left, err := w.a.Grants(ctx, key, ""); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestRoleIsAssumedAndNamedByItsSession(t *testing.T) {
	w := newWorld(t)
	arn := "arn:aws:iam::210987654321:role/copiers/puller"
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:root"},"Action":"sts:AssumeRole"}]}`
	p, err := w.b.CreatePrincipal(t.Context(), compile.PrincipalSpec{ARN: arn, Role: true, Name: "puller", Path: "/copiers/", Trust: trust})
	if err != nil || p.ARN != arn || !p.Role {
		t.Fatalf("got %+v, %v", p, err)
	}
	l, err := w.b.AssumeRole(t.Context(), arn)
	if err != nil {
		t.Fatal(err)
	}
	spec := w.spec()
	if err := l.Probe(t.Context(), compile.LegIdentity, spec); err == nil {
		t.Error("the role passes for the user")
	}
	spec.PrincipalARN = arn
	if err := l.Probe(t.Context(), compile.LegIdentity, spec); err != nil {
		t.Error(err)
	}
	if err := w.b.DeletePrincipal(t.Context(), compile.PrincipalSpec{ARN: arn, Role: true, Name: "puller"}); err != nil {
		t.Error(err)
	}
}

func TestProtectedInstanceSurvives(t *testing.T) {
	w := newWorld(t)
	w.AddInstance(accountB, "us-west-2", "i-0fee0123456789ab", false)
	w.AddInstance(accountB, "us-west-2", "i-0de10123456789ab", true)
	ctx := t.Context()
	if err := w.b.TerminateInstance(ctx, "i-0de10123456789ab", ""); err == nil {
		t.Error("a protected instance was terminated")
	}
	if err := w.b.TerminateInstance(ctx, "i-0fee0123456789ab", ""); err != nil {
		t.Error(err)
	}
	if got, err := w.b.Instance(ctx, "i-0de10123456789ab", ""); err != nil || !got.Protected {
		t.Errorf("got %+v, %v, want it protected", got, err)
	}
	if got, err := w.a.Instance(ctx, "i-0de10123456789ab", "us-west-2"); err != nil || got.Exists {
		t.Errorf("seen from A: %+v, %v, want nothing", got, err)
	}
}

func TestFaultsOfTheServerAreToldAsTheyAre(t *testing.T) {
	w := newWorld(t)
	w.put(t, "k", sandbox.PutOptions{})
	_, l := w.permit(t)
	d := l.OpenDestination(w.destination(), w.source())
	for kind, want := range map[sandbox.FaultKind]error{sandbox.FaultEmpty200: s3copy.ErrEmptyAnswer, sandbox.FaultTear: nil, sandbox.FaultErrorIn200: nil} {
		remove := w.Inject(sandbox.Fault{Operation: "CopyObject", Times: 1, Do: kind})
		_, err := d.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: fmt.Sprint("k", kind)})
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("fault %d: got %v, want %v", kind, err, want)
		}
		remove()
	}
	w.put(t, "k", sandbox.PutOptions{ContentType: "other"})
	_, err := d.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "new", IfMatch: "0123", IfNoneMatch: true})
	if !errors.Is(err, s3copy.ErrChanged) {
		t.Errorf("a changed source: got %v, want %v", err, s3copy.ErrChanged)
	}
	if _, err = d.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "new"}); err != nil {
		t.Fatal(err)
	}
	_, err = d.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "new", IfNoneMatch: true})
	if !errors.Is(err, s3copy.ErrExists) {
		t.Errorf("a taken key: got %v, want %v", err, s3copy.ErrExists)
	}
}

func TestObjectUnderACustomersKeySaysSo(t *testing.T) {
	w := newWorld(t)
	w.put(t, "k", sandbox.PutOptions{CustomerKeyMD5: "1B2M2Y8AsgTpgAmY7PhCfg=="})
	_, l := w.permit(t)
	_, err := l.OpenSource(w.source()).Head(t.Context(), s3copy.HeadRequest{Key: "k"})
	if !errors.Is(err, s3copy.ErrCustomerKey) || !strings.Contains(err.Error(), "SSE-C") {
		t.Errorf("HEAD: got %v, want %v", err, s3copy.ErrCustomerKey)
	}
	_, err = l.OpenDestination(w.destination(), w.source()).CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k"})
	if !errors.Is(err, s3copy.ErrCustomerKey) || errors.Is(err, s3copy.ErrDenied) {
		t.Errorf("copy: got %v, want %v", err, s3copy.ErrCustomerKey)
	}
	if err := l.Probe(t.Context(), compile.LegReadSource, w.spec()); err != nil {
		t.Errorf("probe: %v", err)
	}
}
