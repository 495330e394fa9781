package awsapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/s3copy"
)

const (
	mostDeletions = 1000 // a request
	deleteRounds  = 4    // for keys that the server failed on for the moment
	deletePause   = 200 * time.Millisecond
)

// DeleteObjects deletes up to 1,000 objects and answers for every one of them, in order. An object without
// an answer counts as not deleted (s3copy.ErrEmptyAnswer); one that is not there counts as deleted, and one
// that no longer carries the ETag is left (s3copy.ErrChanged), as it is where the server refuses to know conditions
// (s3copy.ErrUnsupported). Those asked for once are asked for again only where the server refused to carry it out. The second result is non-nil only where nothing was asked.
func (b *bucket) DeleteObjects(ctx context.Context, objects []s3copy.Deletion) ([]error, error) {
	if len(objects) > mostDeletions {
		return nil, fmt.Errorf("delete %d objects of %s: at most %d at once", len(objects), b.at.Bucket, mostDeletions)
	}
	c, err := b.patient(ctx)
	if err != nil {
		return nil, err
	}
	d := &deleting{bucket: b, client: c, objects: objects, results: make([]error, len(objects))}
	var together, single []int
	seen := make(map[string]bool, len(objects))
	for i, o := range objects {
		if id := o.Key + "\x00" + o.VersionID; xmlCarries(o.Key) && !seen[id] {
			seen[id] = true
			together = append(together, i)
		} else {
			single = append(single, i)
		}
	}
	for round := range deleteRounds {
		if together = d.together(ctx, together); len(together) == 0 || objects[0].Once || pause(ctx, deletePause<<round) != nil {
			break
		}
	}
	for _, i := range single {
		d.results[i] = d.one(ctx, objects[i])
	}
	return d.results, nil
}

// deleting is one call of DeleteObjects under way.
type deleting struct {
	bucket  *bucket
	client  *s3.Client
	objects []s3copy.Deletion
	results []error
}

// together asks for many objects in one request and gives back those to ask for once more.
func (d *deleting) together(ctx context.Context, which []int) (again []int) {
	if len(which) == 0 {
		return nil
	}
	list := make([]types.ObjectIdentifier, 0, len(which))
	for _, i := range which {
		o := d.objects[i]
		list = append(list, types.ObjectIdentifier{Key: aws.String(o.Key), VersionId: optional(o.VersionID), ETag: optional(o.ETag)})
	}
	out, err := d.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &d.bucket.at.Bucket, Delete: &types.Delete{Objects: list}, RequestPayer: d.bucket.payer(),
	}, d.withMD5, d.bucket.once(d.objects[which[0]].Once))
	if err != nil {
		for _, i := range which {
			d.results[i] = d.instead(ctx, err, d.objects[i])
		}
		return nil
	}
	return d.account(which, out)
}

// withMD5 sends what servers older than S3's checksums want to see.
func (d *deleting) withMD5(o *s3.Options) {
	if !d.bucket.session.account.IsAWS() {
		o.APIOptions = append(o.APIOptions, smithyhttp.AddContentChecksumMiddleware)
	}
}

// instead deletes one object by itself where the server refused the whole request for its form.
func (d *deleting) instead(ctx context.Context, err error, o s3copy.Deletion) error {
	switch errorCode(err) {
	case "NotImplemented", "XNotImplemented", "MalformedXML", "MissingContentMD5", "InvalidRequest", "InvalidDigest", "MethodNotAllowed":
		return d.one(ctx, o)
	}
	return failed(err, "delete object %q of %s", o.Key, d.bucket.at.Bucket)
}

// account holds the answer against what was asked: every object has to be in it.
func (d *deleting) account(which []int, out *s3.DeleteObjectsOutput) (again []int) {
	answers := make(map[string]error, len(which))
	for _, o := range out.Deleted {
		answers[aws.ToString(o.Key)+"\x00"+aws.ToString(o.VersionId)] = nil
	}
	for _, e := range out.Errors {
		answers[aws.ToString(e.Key)+"\x00"+aws.ToString(e.VersionId)] = &smithy.GenericAPIError{
			Code: aws.ToString(e.Code), Message: aws.ToString(e.Message),
		}
	}
	for _, i := range which {
		o := d.objects[i]
		err, answered := answers[o.Key+"\x00"+o.VersionID]
		switch {
		case !answered:
			d.results[i] = emptyAnswer("delete object %q of %s", o.Key, d.bucket.at.Bucket)
		case err == nil:
			d.results[i] = nil
		case errorCode(err) == "InternalError" || throttling(errorCode(err)):
			again = append(again, i)
			d.results[i] = d.failed(err, o)
		default:
			d.results[i] = d.failed(err, o)
		}
	}
	return again
}

// one deletes an object by a request of its own, where its key travels in the URL. A server that did not heed the version
// made a delete marker of another ID, or none: it has deleted nothing of what was asked.
func (d *deleting) one(ctx context.Context, o s3copy.Deletion) error {
	out, err := d.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &d.bucket.at.Bucket, Key: &o.Key, VersionId: optional(o.VersionID), IfMatch: quote(o.ETag), RequestPayer: d.bucket.payer(),
	}, d.bucket.once(o.Once))
	if err == nil && o.VersionID != "" && aws.ToString(out.VersionId) != o.VersionID {
		return emptyAnswer("delete version %s of object %q of %s", o.VersionID, o.Key, d.bucket.at.Bucket)
	}
	return d.failed(err, o)
}

func (d *deleting) failed(err error, o s3copy.Deletion) error {
	if err == nil {
		return nil
	}
	e := failed(err, "delete object %q of %s", o.Key, d.bucket.at.Bucket)
	if statusCode(err) == http.StatusPreconditionFailed || errorCode(err) == "PreconditionFailed" {
		return because(e, s3copy.ErrChanged)
	}
	return unless(e, s3copy.ErrNotFound)
}
