package awsapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/s3copy"
)

const regionHeader = "X-Amz-Bucket-Region"

// home gives a bucket's own region: the one given, or the one that S3 tells, asked once.
func (s *session) home(ctx context.Context, bucket, owner, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	s.mu.Lock()
	region, ok := s.homes[bucket]
	s.mu.Unlock()
	if ok {
		return region, nil
	}
	region, err := s.discover(ctx, bucket, owner)
	if err != nil && region == "" {
		return "", err
	}
	s.remember(bucket, region)
	return region, nil
}

func (s *session) remember(bucket, region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.homes[bucket] = region
}

// discover asks for the bucket's region. S3 tells it even where it refuses the request, from
// another region or without permission: then both the region and the error are returned.
func (s *session) discover(ctx context.Context, bucket, owner string) (string, error) {
	c := s.s3Client(clientKey{region: s.cfg.Region, owner: owner})
	out, err := c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	if err == nil {
		return cmp.Or(aws.ToString(out.BucketRegion), s.cfg.Region), nil
	}
	why := because404(whyRefused(ctx, c, bucket, explain(err, "look at bucket "+bucket)), s3copy.ErrNoBucket)
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.Header.Get(regionHeader), why
	}
	return "", why
}

// because404 gives a 404 the meaning that only its request tells.
func because404(err, meaning error) error {
	var e *RequestError
	if errors.As(err, &e) && errors.Is(err, s3copy.ErrNotFound) {
		e.means = []error{meaning}
	}
	return err
}

// whyRefused asks for a page of a key where the credentials may be the reason: a HEAD's refusal has no body to say so.
func whyRefused(ctx context.Context, c *s3.Client, bucket string, refusal *RequestError) error {
	if refusal.Status != http.StatusBadRequest && refusal.Status != http.StatusForbidden {
		return refusal
	}
	_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket, MaxKeys: aws.Int32(1)})
	if err == nil {
		return refusal
	}
	if why := explain(err, refusal.Doing); errors.Is(why, s3copy.ErrCredentials) {
		return why
	}
	return refusal
}
