package awsapi

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// BucketPolicy returns the policy's JSON as S3 has it; "" is none.
func (s *session) BucketPolicy(ctx context.Context, bucket, region string) (string, error) {
	c, err := s.ownClient(ctx, bucket, region)
	if err != nil {
		return "", err
	}
	out, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket})
	if errorCode(err) == "NoSuchBucketPolicy" {
		return "", nil
	}
	if err != nil {
		return "", failed(err, "read the policy of bucket %s", bucket)
	}
	return aws.ToString(out.Policy), nil
}

// PutBucketPolicy writes the whole policy. It never confirms the removal of one's own access. S3 answers another
// account with 405, which is a denial here.
func (s *session) PutBucketPolicy(ctx context.Context, bucket, region, document string) error {
	c, err := s.ownClient(ctx, bucket, region)
	if err != nil {
		return err
	}
	if _, err := c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &document}); err != nil {
		e := failed(err, "write the policy of bucket %s", bucket)
		if s.account.IsAWS() && statusCode(err) == http.StatusMethodNotAllowed {
			return because(because(e, s3copy.ErrDenied), compile.ErrDenied)
		}
		return e
	}
	return nil
}

// DeleteBucketPolicy removes the whole policy; a missing one is no error.
func (s *session) DeleteBucketPolicy(ctx context.Context, bucket, region string) error {
	c, err := s.ownClient(ctx, bucket, region)
	if err != nil {
		return err
	}
	_, err = c.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &bucket})
	if err != nil && errorCode(err) != "NoSuchBucketPolicy" {
		return failed(err, "delete the policy of bucket %s", bucket)
	}
	return nil
}

// ownClient gives a client for a bucket that this account owns.
func (s *session) ownClient(ctx context.Context, bucket, region string) (*s3.Client, error) {
	region, err := s.home(ctx, bucket, s.account.ID, region)
	if err != nil {
		return nil, err
	}
	return s.s3Client(clientKey{region: region, owner: s.account.ID}), nil
}
