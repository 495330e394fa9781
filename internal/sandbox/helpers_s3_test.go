package sandbox

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// westBucket asks for a bucket in the default region.
func westBucket(name string) *s3.CreateBucketInput {
	return &s3.CreateBucketInput{
		Bucket:                    &name,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: defaultRegion},
	}
}
