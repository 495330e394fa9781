package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

const pageSize = 1000 // the most that S3 gives

// ListPage reads one page of the bucket, keys decoded. It always asks for URL encoding: one control
// character in one key would fail the whole page otherwise.
func (b *bucket) ListPage(ctx context.Context, r s3copy.PageRequest, buf []s3copy.Object) (s3copy.Page, error) {
	c, err := b.client(ctx)
	if err != nil {
		return s3copy.Page{}, err
	}
	if b.at.Versions {
		return b.listVersions(ctx, c, r, buf)
	}
	page, first, ok := b.listOnLane(ctx, c, r, buf)
	defer first.release()
	if ok {
		return page, nil
	}
	out, err := c.ListObjectsV2(ctx, b.listInput(r), first.judge)
	if err != nil {
		return s3copy.Page{}, because404(failed(err, "list bucket %s", b.at.Bucket), s3copy.ErrNoBucket)
	}
	b.learn(out.ResultMetadata)
	page = s3copy.Page{Objects: buf[:0], Token: aws.ToString(out.NextContinuationToken), More: aws.ToBool(out.IsTruncated)}
	for i := range out.Contents {
		o, err := objectOf(&out.Contents[i], out.EncodingType)
		if err != nil {
			return s3copy.Page{}, fmt.Errorf("list bucket %s: %w", b.at.Bucket, err)
		}
		page.Objects = append(page.Objects, o)
	}
	if page.More && page.Token == "" {
		return s3copy.Page{}, fmt.Errorf("list bucket %s: the page says that there is more, and not where", b.at.Bucket)
	}
	return page, nil
}

func (b *bucket) listInput(r s3copy.PageRequest) *s3.ListObjectsV2Input {
	in := &s3.ListObjectsV2Input{
		Bucket: &b.at.Bucket, Prefix: optional(r.Prefix), MaxKeys: aws.Int32(int32(pageLength(r))),
		EncodingType:             types.EncodingTypeUrl,
		OptionalObjectAttributes: []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus},
		RequestPayer:             b.payer(),
	}
	if r.Token != "" {
		in.ContinuationToken = &r.Token
	} else {
		in.StartAfter = optional(r.After)
	}
	if b.session.options.FetchOwner || b.at.Owners {
		in.FetchOwner = aws.Bool(true)
	}
	return in
}

func objectOf(o *types.Object, encoding types.EncodingType) (s3copy.Object, error) {
	key, err := decodeKey(aws.ToString(o.Key), encoding)
	if err != nil {
		return s3copy.Object{}, err
	}
	object := s3copy.Object{
		Key: key, Size: s3copy.Bytes(aws.ToInt64(o.Size)), ETag: unquote(o.ETag),
		StorageClass: classOf(string(o.StorageClass)), Modified: aws.ToTime(o.LastModified),
		Checksum: s3copy.ChecksumType(o.ChecksumType),
	}
	if len(o.ChecksumAlgorithm) > 0 {
		object.Algorithm = string(o.ChecksumAlgorithm[0])
	}
	if r := o.RestoreStatus; r != nil {
		object.Restoring = aws.ToBool(r.IsRestoreInProgress)
		object.Restored = r.RestoreExpiryDate != nil && !object.Restoring
	}
	if o.Owner != nil {
		object.Owner = aws.ToString(o.Owner.ID)
	}
	return object, nil
}

// classOf gives STANDARD its name in s3copy, where listings and HEADs differ.
func classOf(class string) string {
	if class == string(types.StorageClassStandard) {
		return ""
	}
	return class
}
