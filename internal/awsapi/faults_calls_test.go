package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
	"xplan/plan"
)

// A faultWorld is a sandbox of its own with what the calls need, seen by account B's administrator over a lossy wire.
type faultWorld struct {
	box     *sandbox.Server
	wire    *lossyWire
	b       *Account
	key     string // KMS
	upload  string // one that is under way, with one part
	part    s3copy.Part
	skew    atomic.Int64
	ownerOf string // who is said to own the destination; account B unless a test lies
}

const (
	faultUser   = "arn:aws:iam::" + accountB + ":user/misterrodgers"
	faultRole   = "arn:aws:iam::" + accountB + ":role/pull"
	faultPolicy = "arn:aws:iam::" + accountB + ":policy/s3_copy"
	faultDoc    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`
	faultTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountB + `:root"},"Action":"sts:AssumeRole"}]}`
	faultGuest  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountB + `:root"},` +
		`"Action":"s3:*","Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]}]}`
	partBytes = 5 << 20
)

// newFaultWorld arranges the world. The settings are those of an account that was opened before.
func newFaultWorld(like *Account) (*faultWorld, error) {
	w := &faultWorld{ownerOf: accountB}
	box := sandbox.New(sandbox.Config{Clock: func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) }})
	w.box, w.wire = box, &lossyWire{box: box}
	id, secret := box.Admin(accountB)
	cfg := like.cfg.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "")
	cfg.HTTPClient = pooled{&http.Client{Transport: w.wire}}
	w.b = &Account{session: newSession(cfg, like.account, like.options)}
	for _, name := range []string{"misterrodgers", "fresh"} {
		if _, err := box.AddUser(accountB, name); err != nil {
			return nil, err
		}
	}
	_, err := box.AddRole(accountB, "pull", faultTrust)
	w.key, _ = box.AddKMSKey(accountB, "us-west-2", "")
	box.AddInstance(accountB, "us-west-2", "i-0123456789abcdef0", false)
	return w, errors.Join(
		err, box.AddBucket(accountA, "tommy", sandbox.BucketOptions{}), box.AddBucket(accountB, "tommy-b", sandbox.BucketOptions{}),
		box.AddBucket(accountB, "empty", sandbox.BucketOptions{}), box.SetBucketPolicy("tommy", faultGuest), box.SetBucketPolicy("tommy-b", strings.ReplaceAll(faultGuest, "tommy", "tommy-b")),
		box.PutObject("tommy", "k", []byte("body of k"), sandbox.PutOptions{Tags: map[string]string{"a": "b"}}),
		box.PutObject("tommy", "large", nil, sandbox.PutOptions{Size: 2 * partBytes}),
		box.PutObject("tommy-b", "old", []byte("old"), sandbox.PutOptions{}), box.PutObject("tommy-b", "cold", []byte("x"), sandbox.PutOptions{StorageClass: "GLACIER"}),
		box.AddBucket(accountB, "locked", sandbox.BucketOptions{ObjectLock: true}),
		box.PutObject("locked", "free", []byte("free"), sandbox.PutOptions{}), box.PutObject("locked", "held", []byte("held"), sandbox.PutOptions{LegalHold: true}),
		box.PutInlinePolicy(faultUser, "inline", faultDoc), box.AttachManagedPolicy(faultUser, "mine", faultDoc),
	)
}

// pair opens the destination, with the source's bucket behind it.
func (w *faultWorld) pair() *bucket {
	return w.b.engine(
		compile.Location{Bucket: "tommy-b", Region: "us-west-2", Account: w.ownerOf},
		compile.Location{Bucket: "tommy", Region: "us-west-2", Account: accountA},
	)
}

// locked opens a bucket with Object Lock.
func (w *faultWorld) locked() *bucket {
	return w.b.engine(compile.Location{Bucket: "locked", Region: "us-west-2", Account: w.ownerOf}, compile.Location{})
}

// versions is pair, whose listings are of versions.
func (w *faultWorld) versions() *bucket {
	b := w.pair()
	b.at.Versions = true
	return b
}

// begin starts an upload, with one part where asked.
func (w *faultWorld) begin(ctx context.Context, parts bool) (err error) {
	b := w.pair()
	if w.upload, err = b.CreateUpload(ctx, s3copy.UploadRequest{Key: "large"}); err != nil || !parts {
		return err
	}
	w.part, err = b.CopyPart(ctx, s3copy.PartRequest{SourceKey: "large", Key: "large", UploadID: w.upload, Number: 1, First: 0, Last: partBytes - 1})
	return err
}

func begun(ctx context.Context, w *faultWorld) error { return w.begin(ctx, true) }

func (w *faultWorld) policySpec() compile.PolicySpec {
	return compile.PolicySpec{ARN: faultPolicy, Name: "s3_copy", Document: faultDoc, Tags: map[string]string{"xplan": "p"}}
}

func hasPolicy(ctx context.Context, w *faultWorld) error {
	return w.b.CreatePolicy(ctx, w.policySpec())
}

func hasGrant(ctx context.Context, w *faultWorld) (err error) {
	_, err = w.b.CreateGrant(ctx, w.grantSpec())
	return err
}

func (w *faultWorld) grantSpec() compile.GrantSpec {
	return compile.GrantSpec{KeyARN: w.key, Principal: faultUser, Operations: []string{"Decrypt"}, Name: "xplan-p", Region: "us-west-2"}
}

func hasKey(ctx context.Context, w *faultWorld) (err error) {
	w.upload, _, err = w.b.MintKey(ctx, "misterrodgers") // its ID
	return err
}

func (w *faultWorld) probeSpec(key string) compile.ProbeSpec {
	return compile.ProbeSpec{
		Pair:          plan.Pair{Source: "tommy", Destination: "tommy-b", Copy: plan.Copy{Tags: true}},
		SourceAccount: accountA, DestAccount: w.ownerOf, SourceRegion: "us-west-2", DestRegion: "us-west-2", UploadKey: key,
	}
}

// A faultCall is one call of the package with what it needs.
type faultCall struct {
	name    string                                         // "bucket.Head", and behind ": " which form of it
	arrange func(ctx context.Context, w *faultWorld) error // nil: nothing more
	do      func(ctx context.Context, w *faultWorld) (string, error)
	// stands counts what a second effect would leave: nil where repeating does no harm.
	stands func(ctx context.Context, w *faultWorld) (int, error)
	// missing: what says that something is not there is an answer.
	missing bool
	// unseen: what may not be read is told beside the rest.
	unseen bool
	// condition is what a 412 means: one of these.
	condition []error
	// once: its failures are told, not waited out.
	once bool
	// silent calls make no request.
	silent bool
	// throttled: the engine is told of throttling at once.
	paced bool
}

func (c faultCall) method() string {
	m, _, _ := strings.Cut(c.name, ":")
	return m
}

// done is the answer of calls that have none.
func done(err error) (string, error) { return "done", err }

func uploadsOf(_ context.Context, w *faultWorld) (int, error) { return w.box.Uploads("tommy-b"), nil }

func keysOfUser(ctx context.Context, w *faultWorld) (int, error) {
	keys, err := w.b.AccessKeys(ctx, "misterrodgers")
	return len(keys), err
}

func versionsOfPolicy(ctx context.Context, w *faultWorld) (int, error) {
	p, err := w.b.ManagedPolicy(ctx, faultPolicy)
	return p.Versions, err
}

func grantsOfKey(ctx context.Context, w *faultWorld) (int, error) {
	g, err := w.b.Grants(ctx, w.key, "us-west-2")
	return len(g), err
}

// faultCalls are all calls of the package's exported methods. Held by TestEveryMethodHasItsFaults.
func faultCalls() []faultCall {
	var all []faultCall
	for _, list := range [][]faultCall{objectCalls(), uploadCalls(), bucketCalls(), principalCalls(), policyCalls(), otherCalls(), loginCalls()} {
		all = append(all, list...)
	}
	return all
}

// withVersions has the destination keep versions from now on.
func withVersions(_ context.Context, w *faultWorld) error {
	return errors.Join(w.box.SetVersioning("tommy-b", "Enabled"), w.box.PutObject("tommy-b", "old", []byte("newer"), sandbox.PutOptions{}),
		w.box.DeleteObject("tommy-b", "old"))
}

func versionsOfOld(_ context.Context, w *faultWorld) (n int, err error) {
	for _, v := range w.box.Versions("tommy-b") {
		if v.Key == "old" {
			n++
		}
	}
	return n, nil
}

func objectCalls() []faultCall {
	changed := []error{s3copy.ErrChanged, s3copy.ErrExists}
	return []faultCall{
		{name: "bucket.ListPage", paced: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			p, err := w.pair().ListPage(ctx, s3copy.PageRequest{}, nil)
			return fmt.Sprint(len(p.Objects), p.More), err
		}},
		{name: "bucket.ListPage: of versions", paced: true, arrange: withVersions, do: func(ctx context.Context, w *faultWorld) (string, error) {
			p, err := w.versions().ListPage(ctx, s3copy.PageRequest{Prefix: "old"}, nil)
			if err != nil || len(p.Objects) != 1 {
				return "", err
			}
			return fmt.Sprint(len(p.Objects[0].Chain.Versions), p.More), nil
		}},
		{name: "bucket.PutMarker", paced: true, arrange: withVersions, stands: versionsOfOld, do: func(ctx context.Context, w *faultWorld) (string, error) {
			id, err := w.pair().PutMarker(ctx, "old")
			return fmt.Sprint(id != ""), err
		}},
		{name: "bucket.CopyObject: once", paced: true, arrange: withVersions, stands: versionsOfOld, condition: changed, do: func(ctx context.Context, w *faultWorld) (string, error) {
			c, err := w.pair().CopyObject(ctx, s3copy.CopyRequest{SourceKey: "k", Key: "old", Once: true})
			return fmt.Sprint(c.ETag, c.VersionID != ""), err
		}},
		{name: "bucket.PutObject: once", paced: true, arrange: withVersions, stands: versionsOfOld, condition: changed, do: func(ctx context.Context, w *faultWorld) (string, error) {
			c, err := w.pair().PutObject(ctx, s3copy.UploadRequest{Key: "old", Once: true}, []byte("x"))
			return fmt.Sprint(c.ETag, c.VersionID != ""), err
		}},
		{name: "bucket.Head", paced: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			d, err := w.pair().Head(ctx, s3copy.HeadRequest{Key: "old", Checksums: true})
			return fmt.Sprint(d.Size, d.ETag, d.Checksums), err
		}},
		{name: "bucket.Tags", paced: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			source := w.b.OpenSource(compile.Location{Bucket: "tommy", Region: "us-west-2", Account: accountA})
			tags, err := source.Tags(ctx, "k", "")
			return fmt.Sprint(tags), err
		}},
		{name: "bucket.Open", paced: true, condition: changed, do: func(ctx context.Context, w *faultWorld) (string, error) {
			body, err := w.pair().Open(ctx, s3copy.OpenRequest{Key: "old"})
			if err != nil {
				return "", err
			}
			data, err := io.ReadAll(body)
			return string(data), errors.Join(err, body.Close())
		}},
		{name: "bucket.CopyObject", paced: true, condition: changed, do: func(ctx context.Context, w *faultWorld) (string, error) {
			c, err := w.pair().CopyObject(ctx, s3copy.CopyRequest{SourceKey: "k", Key: "k"})
			return c.ETag, err
		}},
		{name: "bucket.CopyObject: onto nothing", paced: true, condition: changed, do: func(ctx context.Context, w *faultWorld) (string, error) {
			c, err := w.pair().CopyObject(ctx, s3copy.CopyRequest{SourceKey: "k", Key: "k", IfNoneMatch: true})
			if errors.Is(err, s3copy.ErrExists) { // it was lost whether this is our own: the engine looks
				return "exists", err
			}
			return c.ETag, err
		}},
		{name: "bucket.PutObject", paced: true, condition: changed, do: func(ctx context.Context, w *faultWorld) (string, error) {
			c, err := w.pair().PutObject(ctx, s3copy.UploadRequest{Key: "put"}, []byte("x"))
			return c.ETag, err
		}},
		{name: "bucket.DeleteObjects", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			errs, err := w.pair().DeleteObjects(ctx, []s3copy.Deletion{{Key: "old"}, {Key: "control\x01"}})
			return "done", errors.Join(err, errors.Join(errs...))
		}},
		{name: "bucket.ReadLock", paced: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			l, err := w.locked().ReadLock(ctx, "held")
			return l.String(), err
		}},
		{name: "bucket.SetLock", paced: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.locked().SetLock(ctx, "free", "", s3copy.Lock{Mode: "GOVERNANCE", Until: time.Now().Add(time.Hour), LegalHold: true}))
		}},
		{name: "bucket.Restore", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.pair().Restore(ctx, s3copy.RestoreRequest{Key: "cold", Days: 1}))
		}},
	}
}

func uploadCalls() []faultCall {
	return []faultCall{
		{name: "bucket.CreateUpload", paced: true, stands: uploadsOf, do: func(ctx context.Context, w *faultWorld) (string, error) {
			id, err := w.pair().CreateUpload(ctx, s3copy.UploadRequest{Key: "large"})
			return fmt.Sprint(id != ""), err
		}},
		{name: "bucket.CopyPart", paced: true, condition: []error{s3copy.ErrChanged}, arrange: func(ctx context.Context, w *faultWorld) error { return w.begin(ctx, false) }, do: func(ctx context.Context, w *faultWorld) (string, error) {
			p, err := w.pair().CopyPart(ctx, s3copy.PartRequest{SourceKey: "large", Key: "large", UploadID: w.upload, Number: 1, First: 0, Last: partBytes - 1})
			return p.ETag, err
		}},
		{name: "bucket.PutPart", paced: true, arrange: func(ctx context.Context, w *faultWorld) error { return w.begin(ctx, false) }, do: func(ctx context.Context, w *faultWorld) (string, error) {
			p, err := w.pair().PutPart(ctx, "large", w.upload, 1, []byte("x"))
			return p.ETag, err
		}},
		{name: "bucket.CompleteUpload", paced: true, condition: []error{s3copy.ErrExists}, arrange: begun, do: func(ctx context.Context, w *faultWorld) (string, error) {
			c, err := w.pair().CompleteUpload(ctx, s3copy.CompleteRequest{Key: "large", UploadID: w.upload, Parts: []s3copy.Part{w.part}})
			return c.ETag, err
		}},
		{name: "bucket.AbortUpload", missing: true, arrange: begun, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.pair().AbortUpload(ctx, "large", w.upload))
		}},
		{name: "bucket.ListParts", paced: true, arrange: begun, do: func(ctx context.Context, w *faultWorld) (string, error) {
			parts, err := w.pair().ListParts(ctx, "large", w.upload)
			return fmt.Sprint(parts), err
		}},
		{name: "bucket.ListUploads", arrange: begun, do: func(ctx context.Context, w *faultWorld) (string, error) {
			list, err := w.pair().ListUploads(ctx, "")
			return fmt.Sprint(len(list)), err
		}},
	}
}

func bucketCalls() []faultCall {
	return []faultCall{
		{name: "Account.Bucket", missing: true, unseen: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			b, unseen, err := w.b.Bucket(ctx, "tommy-b")
			if len(unseen) > 0 || b.Foreign {
				return "unseen", err
			}
			all := b.PublicAccess.All()
			b.PublicAccess = nil // a pointer
			return fmt.Sprintf("%+v %t", b, all), err
		}},
		{name: "Account.CreateBucket", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.CreateBucket(ctx, compile.BucketSpec{
				Name: "made", Region: "us-west-2", Settings: plan.BucketSettings{Versioning: true}, Tags: map[string]string{"xplan": "p"},
			}))
		}},
		{name: "Account.DeleteBucket", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.DeleteBucket(ctx, compile.BucketSpec{Name: "empty"}))
		}},
		{name: "Account.BucketPolicy", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return w.b.BucketPolicy(ctx, "tommy-b", "us-west-2")
		}},
		{name: "Account.PutBucketPolicy", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.PutBucketPolicy(ctx, "tommy-b", "us-west-2", strings.ReplaceAll(faultGuest, "tommy", "tommy-b")))
		}},
		{name: "Account.ProbeWrite", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.ProbeWrite(ctx, compile.Location{Bucket: "tommy-b", Account: accountB, Region: "us-west-2"}, "probe"))
		}},
		{name: "Account.DeleteBucketPolicy", do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.DeleteBucketPolicy(ctx, "tommy-b", "us-west-2"))
		}},
	}
}

func otherCalls() []faultCall {
	const instance = "i-0123456789abcdef0"
	return []faultCall{
		{name: "Account.Identity", do: func(ctx context.Context, w *faultWorld) (string, error) {
			who, err := w.b.Identity(ctx)
			return who.Account + who.ARN, err
		}},
		{name: "Account.CanonicalID", do: func(ctx context.Context, w *faultWorld) (string, error) {
			id, err := w.b.CanonicalID(ctx)
			return fmt.Sprint(id != ""), err
		}},
		{name: "Account.Instance", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			f, err := w.b.Instance(ctx, instance, "us-west-2")
			return fmt.Sprintf("%+v", f), err
		}},
		{name: "Account.TerminateInstance", missing: true, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.TerminateInstance(ctx, instance, "us-west-2"))
		}},
		{name: "Account.KMSKey", unseen: true, missing: true, arrange: hasGrant, do: func(ctx context.Context, w *faultWorld) (string, error) {
			k, unseen, err := w.b.KMSKey(ctx, w.key, "us-west-2")
			if len(unseen) > 0 {
				return "unseen", err
			}
			return fmt.Sprint(strings.HasPrefix(k.ARN, "arn:aws:kms:"), k.State, k.AWSManaged, len(k.Policy) > 0, len(k.Grants)), err
		}},
		{name: "Account.CreateGrant", stands: grantsOfKey, do: func(ctx context.Context, w *faultWorld) (string, error) {
			id, err := w.b.CreateGrant(ctx, w.grantSpec())
			return fmt.Sprint(id != ""), err
		}},
		{name: "Account.Grants", missing: true, arrange: hasGrant, do: func(ctx context.Context, w *faultWorld) (string, error) {
			g, err := w.b.Grants(ctx, w.key, "us-west-2")
			return fmt.Sprint(len(g)), err
		}},
		{name: "Account.RevokeGrant", missing: true, arrange: func(ctx context.Context, w *faultWorld) (err error) {
			w.upload, err = w.b.CreateGrant(ctx, w.grantSpec())
			return err
		}, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.RevokeGrant(ctx, w.key, "us-west-2", w.upload))
		}},
	}
}

func loginCalls() []faultCall {
	calls := []faultCall{
		{name: "Login.Identity", do: func(ctx context.Context, w *faultWorld) (string, error) {
			who, err := w.b.Own().Identity(ctx)
			return who.ARN, err
		}},
		{name: "Account.AssumeRole", do: func(ctx context.Context, w *faultWorld) (string, error) {
			l, err := w.b.AssumeRole(ctx, faultRole)
			if err != nil {
				return "", err
			}
			who, err := l.Identity(ctx)
			return who.ARN, err
		}},
	}
	for _, leg := range legs() {
		calls = append(calls, faultCall{name: "Login.Probe: " + string(leg), stands: uploadsOf, do: func(ctx context.Context, w *faultWorld) (string, error) {
			return done(w.b.Own().Probe(ctx, leg, w.probeSpec(".xplan-probe-1")))
		}, paced: false, missing: leg == compile.LegReadSource || leg == compile.LegTagsSource || leg == compile.LegWriteDest})
	}
	for _, silent := range []string{
		"Account.Own", "Account.Profile", "Account.OpenSource", "Account.OpenDestination", "Account.OpenDeleter", "Account.OpenRestorer",
		"Login.OpenSource", "Login.OpenDestination", "Login.OpenDeleter", "Login.OpenRestorer",
	} {
		calls = append(calls, faultCall{name: silent, silent: true, do: func(ctx context.Context, w *faultWorld) (string, error) { return w.silently(ctx, silent) }})
	}
	return calls
}

// silently makes the calls that open something, which ask nobody.
func (w *faultWorld) silently(ctx context.Context, name string) (string, error) {
	at := compile.Location{Bucket: "tommy-b", Region: "us-west-2", Account: accountB}
	l := w.b.Own()
	var opened any
	switch name {
	case "Account.Own":
		opened = l
	case "Account.Profile":
		_, err := w.b.Profile(ctx, "nobody")
		return "none", unless(err, compile.ErrCredentials)
	case "Account.OpenSource":
		opened = w.b.OpenSource(at)
	case "Account.OpenDestination":
		opened = w.b.OpenDestination(at, at)
	case "Account.OpenDeleter":
		opened = w.b.OpenDeleter(at)
	case "Account.OpenRestorer":
		opened = w.b.OpenRestorer(at)
	case "Login.OpenSource":
		opened = l.OpenSource(at)
	case "Login.OpenDestination":
		opened = l.OpenDestination(at, at)
	case "Login.OpenDeleter":
		opened = l.OpenDeleter(at)
	case "Login.OpenRestorer":
		opened = l.OpenRestorer(at)
	}
	return fmt.Sprint(opened), nil
}
