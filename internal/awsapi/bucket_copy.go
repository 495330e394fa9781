package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// CopyObject copies one object within the server, on the condition that the source is still the one listed.
// Annotations are left out: S3 would bill each as a PUT, and want a permission for it.
func (b *bucket) CopyObject(ctx context.Context, r s3copy.CopyRequest) (s3copy.Copied, error) {
	c, err := b.client(ctx)
	if err != nil {
		return s3copy.Copied{}, err
	}
	copied, first, ok := b.copyOnLane(ctx, c, r)
	defer first.release()
	if ok {
		return copied, nil
	}
	in := b.copyInput(r)
	out, err := c.CopyObject(ctx, in, first.judge, b.once(r.Once))
	if err != nil {
		return s3copy.Copied{}, b.copyFailed(ctx, err, r)
	}
	b.learn(out.ResultMetadata)
	if out.CopyObjectResult == nil || unquote(out.CopyObjectResult.ETag) == "" {
		return s3copy.Copied{}, emptyAnswer("copy object %q to %s", r.SourceKey, b.at.Bucket)
	}
	return s3copy.Copied{
		ETag: unquote(out.CopyObjectResult.ETag), VersionID: aws.ToString(out.VersionId),
		Checksums: copyChecksums(out.CopyObjectResult), Type: s3copy.ChecksumType(out.CopyObjectResult.ChecksumType),
	}, nil
}

func (b *bucket) copyInput(r s3copy.CopyRequest) *s3.CopyObjectInput {
	in := &s3.CopyObjectInput{
		Bucket: &b.at.Bucket, Key: &r.Key,
		CopySource: aws.String(copySource(b.source.Bucket, r.SourceKey, r.SourceVersion)), CopySourceIfMatch: quote(r.IfMatch),
		StorageClass: types.StorageClass(r.StorageClass), ACL: types.ObjectCannedACL(r.ACL),
		ChecksumAlgorithm: types.ChecksumAlgorithm(r.ChecksumAlgo), RequestPayer: b.payer(), WebsiteRedirectLocation: optional(r.WebsiteRedirect),
		ObjectLockMode: types.ObjectLockMode(r.Lock.Mode), ObjectLockRetainUntilDate: lockDate(r.Lock),
		ObjectLockLegalHoldStatus: legalHold(r.Lock),
	}
	if r.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	if r.DropTags {
		in.TaggingDirective = types.TaggingDirectiveReplace
	}
	if b.session.account.IsAWS() {
		in.AnnotationDirective = types.AnnotationDirectiveExclude
	}
	return in
}

func (b *bucket) copyFailed(ctx context.Context, err error, r s3copy.CopyRequest) error {
	e := failed(err, "copy object %q to %s", r.SourceKey, b.at.Bucket)
	if statusCode(err) != http.StatusPreconditionFailed {
		return e
	}
	switch {
	case !r.IfNoneMatch:
		return because(e, s3copy.ErrChanged)
	case r.IfMatch == "":
		return because(e, s3copy.ErrExists)
	}
	return because(e, b.whichCondition(ctx, r.SourceKey, r.IfMatch))
}

// whichCondition tells apart what one 412 leaves open, by asking for the source on the same condition.
func (b *bucket) whichCondition(ctx context.Context, key, etag string) error {
	region, err := b.session.home(ctx, b.source.Bucket, b.source.Account, b.source.Region)
	if err != nil {
		return s3copy.ErrChanged
	}
	c := b.session.s3Client(clientKey{region: region, owner: b.source.Account})
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.source.Bucket, Key: &key, IfMatch: quote(etag), RequestPayer: b.payer()})
	if err != nil {
		return s3copy.ErrChanged
	}
	return s3copy.ErrExists
}

// CopyPart copies a range of the source as one part. The condition on the source is sent with each.
func (b *bucket) CopyPart(ctx context.Context, r s3copy.PartRequest) (s3copy.Part, error) {
	c, err := b.client(ctx)
	if err != nil {
		return s3copy.Part{}, err
	}
	part, first, ok := b.partOnLane(ctx, c, r)
	defer first.release()
	if ok {
		return part, nil
	}
	out, err := c.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
		Bucket: &b.at.Bucket, Key: &r.Key, UploadId: &r.UploadID, PartNumber: aws.Int32(int32(r.Number)),
		CopySource: aws.String(copySource(b.source.Bucket, r.SourceKey, r.SourceVersion)), CopySourceIfMatch: quote(r.IfMatch),
		CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", r.First, r.Last)), RequestPayer: b.payer(),
	}, first.judge)
	if err != nil {
		e := failed(err, "copy part %d of object %q to %s", r.Number, r.SourceKey, b.at.Bucket)
		if statusCode(err) == http.StatusPreconditionFailed {
			e = because(e, s3copy.ErrChanged)
		}
		return s3copy.Part{}, e
	}
	b.learn(out.ResultMetadata)
	if out.CopyPartResult == nil || unquote(out.CopyPartResult.ETag) == "" {
		return s3copy.Part{}, emptyAnswer("copy part %d of object %q to %s", r.Number, r.SourceKey, b.at.Bucket)
	}
	return s3copy.Part{
		Number: r.Number, Size: r.Last - r.First + 1, ETag: unquote(out.CopyPartResult.ETag),
		Checksums: copyPartChecksums(out.CopyPartResult),
	}, nil
}

// CompleteUpload ends an upload. S3 says of a conflict with another write that the upload is void: then it is
// aborted here, and the error is s3copy.ErrNoUpload.
func (b *bucket) CompleteUpload(ctx context.Context, r s3copy.CompleteRequest) (s3copy.Copied, error) {
	c, err := b.client(ctx)
	if err != nil {
		return s3copy.Copied{}, err
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &b.at.Bucket, Key: &r.Key, UploadId: &r.UploadID, RequestPayer: b.payer(),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: make([]types.CompletedPart, 0, len(r.Parts))},
	}
	if r.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	for _, p := range r.Parts {
		in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, completedPart(int32(p.Number), p.ETag, p.Checksums))
	}
	out, err := c.CompleteMultipartUpload(ctx, in, b.voidOnConflict)
	if err != nil {
		e := failed(err, "complete the upload of object %q to %s", r.Key, b.at.Bucket)
		switch {
		case statusCode(err) == http.StatusPreconditionFailed:
			return s3copy.Copied{}, because(e, s3copy.ErrExists)
		case errorCode(err) == "ConditionalRequestConflict":
			return s3copy.Copied{}, errors.Join(because(e, s3copy.ErrNoUpload), b.AbortUpload(ctx, r.Key, r.UploadID))
		}
		return s3copy.Copied{}, e
	}
	b.sums.forget(r.UploadID)
	if unquote(out.ETag) == "" {
		return s3copy.Copied{}, emptyAnswer("complete the upload of object %q to %s", r.Key, b.at.Bucket)
	}
	return s3copy.Copied{
		ETag: unquote(out.ETag), VersionID: aws.ToString(out.VersionId),
		Checksums: completeChecksums(out), Type: s3copy.ChecksumType(out.ChecksumType),
	}, nil
}

// voidOnConflict does not repeat a completion that met another write: S3 wants the upload made again.
func (b *bucket) voidOnConflict(o *s3.Options) {
	o.Retryer = b.session.options.retries.withoutConflicts()
}
