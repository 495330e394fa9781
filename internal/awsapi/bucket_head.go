package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// Head reads one object's details. HEAD answers have no body, so a refusal carries a status alone.
func (b *bucket) Head(ctx context.Context, r s3copy.HeadRequest) (s3copy.Details, error) {
	c, err := b.client(ctx)
	if err != nil {
		return s3copy.Details{}, err
	}
	details, first, ok := b.headOnLane(ctx, c, r)
	defer first.release()
	if ok {
		return details, nil
	}
	in := &s3.HeadObjectInput{Bucket: &b.at.Bucket, Key: &r.Key, VersionId: optional(r.VersionID), RequestPayer: b.payer()}
	if r.Part > 0 {
		in.PartNumber = aws.Int32(int32(r.Part))
	}
	if r.Checksums {
		in.ChecksumMode = types.ChecksumModeEnabled
	}
	out, err := c.HeadObject(ctx, in, first.judge)
	if err != nil {
		e := explain(err, fmt.Sprintf("read the details of object %q in %s", r.Key, b.at.Bucket))
		return s3copy.Details{}, b.whyRefused(ctx, c, r, e)
	}
	b.learn(out.ResultMetadata)
	if unquote(out.ETag) == "" {
		return s3copy.Details{}, emptyAnswer("read the details of object %q in %s", r.Key, b.at.Bucket)
	}
	return detailsOf(r, out), nil
}

// whyRefused finds out what a refusal without a body means, where that is open: S3 answers a 400 for an object under a
// customer-provided key as it does for a token that expired, and a 403 for a key that was deleted as for a denial.
func (b *bucket) whyRefused(ctx context.Context, c *s3.Client, r s3copy.HeadRequest, e *RequestError) *RequestError {
	switch {
	case e.Status == http.StatusBadRequest && e.means == nil:
		return b.ask(ctx, c, r, e)
	case e.Status == http.StatusForbidden && errors.Is(e, s3copy.ErrDenied):
		if why := b.ask(ctx, c, r, e); errors.Is(why, s3copy.ErrCredentials) {
			return why
		}
	}
	return e
}

// ask asks for the object's first byte, whose refusal has a body.
func (b *bucket) ask(ctx context.Context, c *s3.Client, r s3copy.HeadRequest, refusal *RequestError) *RequestError {
	out, err := c.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &b.at.Bucket, Key: &r.Key, VersionId: optional(r.VersionID), Range: aws.String("bytes=0-0"), RequestPayer: b.payer(),
	})
	if err == nil {
		_ = out.Body.Close() // nobody wants the byte
	}
	if err == nil || statusCode(err) == http.StatusRequestedRangeNotSatisfiable {
		return refusal
	}
	return explain(err, refusal.Doing)
}

func detailsOf(r s3copy.HeadRequest, out *s3.HeadObjectOutput) s3copy.Details {
	d := s3copy.Details{
		Object: s3copy.Object{
			Key: r.Key, Size: s3copy.Bytes(aws.ToInt64(out.ContentLength)), ETag: unquote(out.ETag),
			StorageClass: classOf(string(out.StorageClass)), Modified: aws.ToTime(out.LastModified),
			Checksum: s3copy.ChecksumType(out.ChecksumType), Restored: restored(aws.ToString(out.Restore)),
			Restoring: restoring(aws.ToString(out.Restore)), Archived: out.ArchiveStatus != "",
		},
		VersionID: aws.ToString(out.VersionId),
		Checksums: headChecksums(out),
		Headers: s3copy.Headers{
			ContentType: aws.ToString(out.ContentType), ContentEncoding: aws.ToString(out.ContentEncoding),
			ContentDisposition: aws.ToString(out.ContentDisposition), ContentLanguage: aws.ToString(out.ContentLanguage),
			CacheControl: aws.ToString(out.CacheControl), Expires: aws.ToString(out.ExpiresString),
			WebsiteRedirect: aws.ToString(out.WebsiteRedirectLocation), Metadata: out.Metadata,
		},
		Encryption: s3copy.Encryption{
			Algorithm: string(out.ServerSideEncryption), KMSKeyID: aws.ToString(out.SSEKMSKeyId),
			Customer: aws.ToString(out.SSECustomerAlgorithm) != "",
		},
		Lock: s3copy.Lock{
			Mode: string(out.ObjectLockMode), Until: aws.ToTime(out.ObjectLockRetainUntilDate),
			LegalHold: out.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn,
		},
	}
	for algorithm := range d.Checksums {
		d.Algorithm = algorithm
	}
	if r.Part > 0 {
		d.PartSize = d.Size
		d.Parts = int(aws.ToInt32(out.PartsCount))
		if total, ok := totalOf(aws.ToString(out.ContentRange)); ok {
			d.Size = total
		}
	}
	return d
}

// totalOf reads the whole object's size out of "bytes 0-8388607/104857600".
func totalOf(contentRange string) (s3copy.Bytes, bool) {
	_, total, ok := strings.Cut(contentRange, "/")
	n, err := strconv.ParseInt(total, 10, 64)
	return s3copy.Bytes(n), ok && err == nil
}

// restored reads x-amz-restore: `ongoing-request="false", expiry-date="…"` is a copy that can be read.
func restored(header string) bool { return strings.Contains(header, `ongoing-request="false"`) }

// restoring reads it, too: `ongoing-request="true"` is a restore that is under way.
func restoring(header string) bool { return strings.Contains(header, `ongoing-request="true"`) }

// Tags reads an object's tags: those of the current version, where no version is named.
func (b *bucket) Tags(ctx context.Context, key, versionID string) ([]s3copy.Tag, error) {
	c, err := b.client(ctx)
	if err != nil {
		return nil, err
	}
	out, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{
		Bucket: &b.at.Bucket, Key: &key, VersionId: optional(versionID), RequestPayer: b.payer(),
	})
	if errorCode(err) == "NoSuchTagSet" { // MinIO
		return nil, nil
	}
	if err != nil {
		return nil, failed(err, "read the tags of object %q in %s", key, b.at.Bucket)
	}
	tags := make([]s3copy.Tag, 0, len(out.TagSet))
	for _, t := range out.TagSet {
		tags = append(tags, s3copy.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	return tags, nil
}
