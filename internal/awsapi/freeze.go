package awsapi

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// noUpload is the ID of an upload that nobody ever began.
const noUpload = "xplan-asks-whether-a-write-would-be-let-through"

// ProbeWrite is nil where a write of the key would be let through. It sends an empty part of an upload that was never begun:
// S3 decides access first, by s3:PutObject, and then does not find the upload. So nothing is written, not even by a server
// that heeds no conditions.
func (s *session) ProbeWrite(ctx context.Context, at compile.Location, key string) error {
	c, err := s.ownClient(ctx, at.Bucket, at.Region)
	if err != nil {
		return err
	}
	_, err = c.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &at.Bucket, Key: &key, PartNumber: aws.Int32(1), UploadId: aws.String(noUpload), Body: bytes.NewReader(nil),
		RequestPayer: s.open(at, compile.Location{}).payer(),
	})
	if err == nil {
		return nil
	}
	return unless(failed(err, "ask whether object %q may be written to %s", key, at.Bucket), s3copy.ErrNoUpload)
}
