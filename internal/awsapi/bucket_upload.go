package awsapi

import (
	"bytes"
	"context"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/s3copy"
)

// withExpires sends the Expires header as the source has it: the SDK takes only times, and S3 keeps any text.
func withExpires(expires string) func(*s3.Options) {
	return func(o *s3.Options) {
		if expires != "" {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("Expires", expires))
		}
	}
}

// uploadSums remember which checksum each upload was started with: S3 refuses a part that is sent with another,
// and keeps no part without one. What an earlier process started, ListParts tells.
type uploadSums struct{ byID sync.Map }

func (u *uploadSums) note(uploadID string, algorithm types.ChecksumAlgorithm) {
	u.byID.Store(uploadID, algorithm)
}

func (u *uploadSums) of(uploadID string) types.ChecksumAlgorithm {
	a, _ := u.byID.Load(uploadID)
	algorithm, _ := a.(types.ChecksumAlgorithm)
	return algorithm
}

func (u *uploadSums) forget(uploadID string) { u.byID.Delete(uploadID) }

// CreateUpload starts a multipart upload with all that the finished object has to carry. It is asked for at most once: of
// two that stand nobody could tell which one is known.
func (b *bucket) CreateUpload(ctx context.Context, r s3copy.UploadRequest) (string, error) {
	c, err := b.client(ctx)
	if err != nil {
		return "", err
	}
	h := r.Headers
	out, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &b.at.Bucket, Key: &r.Key,
		ContentType: optional(h.ContentType), ContentEncoding: optional(h.ContentEncoding),
		ContentDisposition: optional(h.ContentDisposition), ContentLanguage: optional(h.ContentLanguage),
		CacheControl: optional(h.CacheControl), WebsiteRedirectLocation: optional(h.WebsiteRedirect),
		Metadata: h.Metadata, Tagging: tagging(r.Tags),
		StorageClass: types.StorageClass(r.StorageClass), ACL: types.ObjectCannedACL(r.ACL),
		ObjectLockMode: types.ObjectLockMode(r.Lock.Mode), ObjectLockRetainUntilDate: lockDate(r.Lock),
		ObjectLockLegalHoldStatus: legalHold(r.Lock),
		ChecksumAlgorithm:         types.ChecksumAlgorithm(r.ChecksumAlgo), ChecksumType: types.ChecksumType(r.ChecksumType), RequestPayer: b.payer(),
	}, withExpires(h.Expires), b.once(true))
	if err != nil {
		return "", failed(err, "start the upload of object %q to %s", r.Key, b.at.Bucket)
	}
	if aws.ToString(out.UploadId) == "" {
		return "", emptyAnswer("start the upload of object %q to %s", r.Key, b.at.Bucket)
	}
	b.sums.note(*out.UploadId, types.ChecksumAlgorithm(r.ChecksumAlgo))
	return *out.UploadId, nil
}

// once has a request repeated only after an answer that says that it was not carried out: a second try would make another.
func (b *bucket) once(only bool) func(*s3.Options) {
	return func(o *s3.Options) {
		if only {
			o.Retryer = b.session.options.retries.onceForTheEngine()
		}
	}
}

// AbortUpload drops an upload with its parts; a missing one is no error.
func (b *bucket) AbortUpload(ctx context.Context, key, uploadID string) error {
	c, err := b.patient(ctx)
	if err != nil {
		return err
	}
	_, err = c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &b.at.Bucket, Key: &key, UploadId: &uploadID, RequestPayer: b.payer(),
	})
	b.sums.forget(uploadID)
	if err != nil {
		e := failed(err, "abort the upload of object %q to %s", key, b.at.Bucket)
		return unless(unless(e, s3copy.ErrNoUpload), s3copy.ErrNotFound)
	}
	return nil
}

// ListParts lists what stands of an upload, in order. The markers are numbers, and no key is in the
// answer's parts, so there is nothing to decode.
func (b *bucket) ListParts(ctx context.Context, key, uploadID string) ([]s3copy.Part, error) {
	c, err := b.client(ctx)
	if err != nil {
		return nil, err
	}
	var parts []s3copy.Part
	pages := s3.NewListPartsPaginator(c, &s3.ListPartsInput{
		Bucket: &b.at.Bucket, Key: &key, UploadId: &uploadID, RequestPayer: b.payer(),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "list the parts of object %q in %s", key, b.at.Bucket)
		}
		b.sums.note(uploadID, out.ChecksumAlgorithm)
		for i := range out.Parts {
			p := &out.Parts[i]
			parts = append(parts, s3copy.Part{
				Number: int(aws.ToInt32(p.PartNumber)), Size: s3copy.Bytes(aws.ToInt64(p.Size)),
				ETag: unquote(p.ETag), Checksums: partChecksums(p),
			})
		}
	}
	return parts, nil
}

// ListUploads lists the uploads under a prefix that are neither complete nor aborted.
func (b *bucket) ListUploads(ctx context.Context, prefix string) ([]s3copy.PendingUpload, error) {
	c, err := b.patient(ctx)
	if err != nil {
		return nil, err
	}
	var uploads []s3copy.PendingUpload
	in := &s3.ListMultipartUploadsInput{
		Bucket: &b.at.Bucket, Prefix: optional(prefix), EncodingType: types.EncodingTypeUrl, RequestPayer: b.payer(),
	}
	for {
		out, err := c.ListMultipartUploads(ctx, in)
		if err != nil {
			return nil, failed(err, "list the uploads to %s", b.at.Bucket)
		}
		for _, u := range out.Uploads {
			key, err := decodeKey(aws.ToString(u.Key), out.EncodingType)
			if err != nil {
				return nil, err
			}
			pending := s3copy.PendingUpload{Key: key, ID: aws.ToString(u.UploadId), Initiated: aws.ToTime(u.Initiated)}
			if u.Initiator != nil {
				pending.Initiator = aws.ToString(u.Initiator.ID)
			}
			uploads = append(uploads, pending)
		}
		next, err := decodeKey(aws.ToString(out.NextKeyMarker), out.EncodingType)
		if err != nil {
			return nil, err
		}
		if !aws.ToBool(out.IsTruncated) || next == "" {
			return uploads, nil
		}
		in.KeyMarker, in.UploadIdMarker = &next, out.NextUploadIdMarker
	}
}

// PutObject writes bytes that came through this process. With a lock it sends a checksum whatever was asked for: S3 wants one then
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, Content-MD5).
func (b *bucket) PutObject(ctx context.Context, r s3copy.UploadRequest, body []byte) (s3copy.Copied, error) {
	c, err := b.client(ctx)
	if err != nil {
		return s3copy.Copied{}, err
	}
	h := r.Headers
	if r.ChecksumAlgo == "" && r.Lock != (s3copy.Lock{}) {
		r.ChecksumAlgo = string(types.ChecksumAlgorithmCrc32)
	}
	out, err := c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.at.Bucket, Key: &r.Key, Body: bytes.NewReader(body),
		ContentType: optional(h.ContentType), ContentEncoding: optional(h.ContentEncoding),
		ContentDisposition: optional(h.ContentDisposition), ContentLanguage: optional(h.ContentLanguage),
		CacheControl: optional(h.CacheControl), WebsiteRedirectLocation: optional(h.WebsiteRedirect),
		Metadata: h.Metadata, Tagging: tagging(r.Tags),
		StorageClass: types.StorageClass(r.StorageClass), ACL: types.ObjectCannedACL(r.ACL),
		ObjectLockMode: types.ObjectLockMode(r.Lock.Mode), ObjectLockRetainUntilDate: lockDate(r.Lock),
		ObjectLockLegalHoldStatus: legalHold(r.Lock),
		ChecksumAlgorithm:         types.ChecksumAlgorithm(r.ChecksumAlgo), RequestPayer: b.payer(),
	}, withExpires(h.Expires), b.once(r.Once))
	if err != nil {
		e := failed(err, "write object %q to %s", r.Key, b.at.Bucket)
		if statusCode(err) == http.StatusPreconditionFailed {
			e = because(e, s3copy.ErrExists)
		}
		return s3copy.Copied{}, e
	}
	if unquote(out.ETag) == "" {
		return s3copy.Copied{}, emptyAnswer("write object %q to %s", r.Key, b.at.Bucket)
	}
	return s3copy.Copied{
		ETag: unquote(out.ETag), VersionID: aws.ToString(out.VersionId),
		Checksums: putChecksums(out), Type: s3copy.ChecksumType(out.ChecksumType),
	}, nil
}

// PutPart writes one part from bytes that came through this process.
func (b *bucket) PutPart(ctx context.Context, key, uploadID string, number int, body []byte) (s3copy.Part, error) {
	c, err := b.client(ctx)
	if err != nil {
		return s3copy.Part{}, err
	}
	out, err := c.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &b.at.Bucket, Key: &key, UploadId: &uploadID, PartNumber: aws.Int32(int32(number)),
		Body: bytes.NewReader(body), ChecksumAlgorithm: b.sums.of(uploadID), RequestPayer: b.payer(),
	})
	if err != nil {
		return s3copy.Part{}, failed(err, "write part %d of object %q to %s", number, key, b.at.Bucket)
	}
	if unquote(out.ETag) == "" {
		return s3copy.Part{}, emptyAnswer("write part %d of object %q to %s", number, key, b.at.Bucket)
	}
	part := s3copy.Part{Number: number, Size: s3copy.Bytes(len(body)), ETag: unquote(out.ETag)}
	if b.sums.of(uploadID) != "" { // else it is the SDK's own, for the way only, and completing with it is refused
		part.Checksums = putPartChecksums(out)
	}
	return part, nil
}
