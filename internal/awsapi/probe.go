package awsapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

const (
	probeKeys    = 10 // looked at for one that has bytes to read
	probeName    = ".xplan-probe-"
	probeTimeout = 30 * time.Second
	lockProbe    = 24 * time.Hour
)

// Probe tries one leg once, as the principal: nil says that it answered. It leaves nothing behind. A source
// without objects passes where there is nothing to read.
func (l *Login) Probe(ctx context.Context, leg compile.Leg, p compile.ProbeSpec) error {
	source := l.session.open(p.Source(), compile.Location{})
	destination := l.session.open(p.Destination(), source.at)
	switch leg {
	case compile.LegIdentity:
		return l.probeIdentity(ctx, p.PrincipalARN)
	case compile.LegListSource:
		_, err := source.ListPage(ctx, s3copy.PageRequest{Prefix: p.Pair.Prefix, Max: 1}, nil)
		return err
	case compile.LegListDest:
		_, err := destination.ListPage(ctx, s3copy.PageRequest{Prefix: p.Pair.ToPrefix, Max: 1}, nil)
		return err
	case compile.LegReadSource:
		return onSample(ctx, source, p.Pair.Prefix, probeRead)
	case compile.LegTagsSource:
		return onSample(ctx, source, p.Pair.Prefix, probeTags)
	case compile.LegVersionsSource, compile.LegVersionsDest, compile.LegReadVersion:
		return l.probeVersions(ctx, leg, p)
	case compile.LegLocksSource:
		return onSample(ctx, source, p.Pair.Prefix, probeLock)
	case compile.LegWriteDest:
		return destination.probeWrite(ctx, p)
	}
	return fmt.Errorf("probe: unknown leg %q", leg)
}

// probeIdentity asks who signs, and wants it to be the principal where one is named.
func (l *Login) probeIdentity(ctx context.Context, principal string) error {
	who, err := l.Identity(ctx)
	if err != nil || principal == "" || !l.session.account.IsAWS() || samePrincipal(who.ARN, principal) {
		return err
	}
	return fmt.Errorf("the credentials of %s belong to %s, not to %s", l.public, who.ARN, principal)
}

// samePrincipal compares who signs with a principal's ARN: a role signs as
// arn:aws:sts::ID:assumed-role/NAME/SESSION, without its path.
func samePrincipal(signer, principal string) bool {
	if signer == principal {
		return true
	}
	name, role, err := principalName(principal)
	if err != nil || !role {
		return false
	}
	prefix, _, _ := strings.Cut(principal, ":role/")
	return strings.HasPrefix(signer, strings.Replace(prefix, ":iam::", ":sts::", 1)+":assumed-role/"+name+"/")
}

// errNoProof says that an object tells nothing about access: it is gone, archived, or under a customer's own key.
var errNoProof = errors.New("the object proves nothing")

// onSample runs a probe on the first objects of the bucket, those with bytes first, until one proves something. A denial
// may be the object's own (its key, its owner): it counts where no other object answers.
func onSample(ctx context.Context, b *bucket, prefix string, probe func(context.Context, *bucket, s3copy.Object) error) error {
	page, err := b.ListPage(ctx, s3copy.PageRequest{Prefix: prefix, Max: probeKeys}, nil)
	if err != nil {
		return err
	}
	slices.SortStableFunc(page.Objects, func(x, y s3copy.Object) int { return telling(y) - telling(x) })
	var refusal error
	for _, o := range page.Objects {
		switch err := probe(ctx, b, o); {
		case errors.Is(err, s3copy.ErrDenied):
			refusal = cmp.Or(refusal, err)
		case !errors.Is(err, errNoProof):
			return err
		}
	}
	return refusal
}

// telling ranks objects by what reading them proves.
func telling(o s3copy.Object) int {
	class := types.ObjectStorageClass(o.StorageClass)
	switch {
	case class == types.ObjectStorageClassGlacier, class == types.ObjectStorageClassDeepArchive:
		return 0
	case o.Size == 0:
		return 1
	}
	return 2
}

// probeRead asks for details and the first byte, which also decrypts.
func probeRead(ctx context.Context, b *bucket, o s3copy.Object) error {
	_, err := b.Head(ctx, s3copy.HeadRequest{Key: o.Key})
	if err != nil || o.Size == 0 {
		return proof(err)
	}
	body, err := b.Open(ctx, s3copy.OpenRequest{Key: o.Key, Length: 1})
	if err != nil {
		return proof(err)
	}
	_, err = io.Copy(io.Discard, body)
	return errors.Join(err, body.Close())
}

func probeTags(ctx context.Context, b *bucket, o s3copy.Object) error {
	_, err := b.Tags(ctx, o.Key, "")
	return proof(err)
}

// probeVersions tries the legs of versions.
func (l *Login) probeVersions(ctx context.Context, leg compile.Leg, p compile.ProbeSpec) error {
	at, prefix := p.Source(), p.Pair.Prefix
	if leg == compile.LegVersionsDest {
		at, prefix = p.Destination(), p.Pair.ToPrefix
	}
	at.Versions = true
	b := l.session.open(at, compile.Location{})
	if leg != compile.LegReadVersion {
		_, err := b.ListPage(ctx, s3copy.PageRequest{Prefix: prefix, Max: 1}, nil)
		return err
	}
	return onSample(ctx, b, prefix, func(ctx context.Context, b *bucket, o s3copy.Object) error {
		return probeVersion(ctx, b, o, p.Pair.Copy.Tags)
	})
}

// probeVersion asks for details, the first byte and the tags of the key's oldest version with bytes.
func probeVersion(ctx context.Context, b *bucket, o s3copy.Object, tags bool) error {
	versions := o.Chain.Versions
	i := len(versions) - 1
	for i >= 0 && (versions[i].Marker || telling(versions[i].Object) < 2) {
		i--
	}
	if i < 0 {
		return errNoProof
	}
	v := versions[i]
	body, err := b.Open(ctx, s3copy.OpenRequest{Key: v.Key, VersionID: v.ID, Length: 1})
	if err != nil {
		return proof(err)
	}
	_, err = io.Copy(io.Discard, body)
	if err = errors.Join(err, body.Close()); err == nil && tags {
		_, err = b.Tags(ctx, v.Key, v.ID)
	}
	return proof(err)
}

func probeLock(ctx context.Context, b *bucket, o s3copy.Object) error {
	_, err := b.ReadLock(ctx, o.Key)
	return proof(err)
}

// proof tells a refusal of the caller from one that is the object's own.
func proof(err error) error {
	e, ok := errors.AsType[*RequestError](err)
	if ok && (errors.Is(err, s3copy.ErrNotFound) || errors.Is(err, s3copy.ErrArchived) || errors.Is(err, s3copy.ErrCustomerKey) || e.Status == http.StatusBadRequest && e.means == nil) {
		return fmt.Errorf("%w: %w", errNoProof, err)
	}
	return err
}

// probeWrite starts an upload and aborts it: that asks for the permission to write, for the default key, and for
// tags, ACL and locks where the plan copies them, and leaves no object. Once begun it goes on to the abortion even when ctx
// ends, for a few seconds; an upload whose answer was lost is looked for by its key, which nobody else has.
func (b *bucket) probeWrite(ctx context.Context, spec compile.ProbeSpec) error {
	p, key := spec.Pair, spec.UploadKey
	c, err := b.client(ctx)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return failed(ctx.Err(), "start an upload to %s", b.at.Bucket)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	if key == "" {
		key = p.ToPrefix + probeName + rand.Text()
	}
	in := &s3.CreateMultipartUploadInput{Bucket: &b.at.Bucket, Key: &key, RequestPayer: b.payer()}
	if spec.Locks { // of an upload that never becomes an object
		in.ObjectLockMode, in.ObjectLockLegalHoldStatus = types.ObjectLockModeGovernance, types.ObjectLockLegalHoldStatusOn
		in.ObjectLockRetainUntilDate = aws.Time(time.Now().Add(lockProbe))
	}
	if p.Copy.ACL != "" && p.Copy.ACL != "none" {
		in.ACL = types.ObjectCannedACL(p.Copy.ACL)
	}
	if p.Copy.Tags {
		in.Tagging = tagging([]s3copy.Tag{{Key: "xplan", Value: "probe"}})
	}
	out, err := c.CreateMultipartUpload(ctx, in, func(o *s3.Options) { o.Retryer = b.session.options.retries.onlyRefused() })
	if err != nil {
		e := failed(err, "start an upload to %s", b.at.Bucket)
		if status := statusCode(err); status == 0 || status >= http.StatusInternalServerError {
			return errors.Join(e, b.abortAll(ctx, key))
		}
		return e
	}
	return b.AbortUpload(ctx, key, aws.ToString(out.UploadId))
}

// abortAll aborts the uploads of a key, as far as they may be listed.
func (b *bucket) abortAll(ctx context.Context, key string) error {
	uploads, err := b.ListUploads(ctx, key)
	if err != nil {
		return nil //nolint:nilerr // it adds nothing to the failure that is being reported
	}
	var errs []error
	for _, u := range uploads {
		if u.Key == key {
			errs = append(errs, b.AbortUpload(ctx, u.Key, u.ID))
		}
	}
	return errors.Join(errs...)
}
