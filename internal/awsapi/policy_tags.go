package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TagPolicy sets tags of a managed policy; others stay.
func (s *session) TagPolicy(ctx context.Context, arn string, tags map[string]string) error {
	if _, err := s.iamClient().TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: &arn, Tags: iamTags(tags)}); err != nil {
		return failed(err, "tag policy %s", arn)
	}
	return nil
}

// UntagPolicy takes tags off a managed policy. A policy that is gone has none, which is no error.
func (s *session) UntagPolicy(ctx context.Context, arn string, keys []string) error {
	_, err := s.iamClient().UntagPolicy(ctx, &iam.UntagPolicyInput{PolicyArn: &arn, TagKeys: keys})
	if err != nil && errorCode(err) != "NoSuchEntity" {
		return failed(err, "untag policy %s", arn)
	}
	return nil
}
