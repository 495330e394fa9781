package awsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go/middleware"

	"xplan/internal/compile"
)

// PolicyTags reads what ManagedPolicy does, but for the document, the versions and the attachments.
func (s *session) PolicyTags(ctx context.Context, arn string) (compile.ManagedPolicy, error) {
	out, err := s.iamClient().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	switch {
	case missing(err):
		return compile.ManagedPolicy{}, nil
	case err != nil:
		return compile.ManagedPolicy{}, failed(err, "read policy %s", arn)
	case out.Policy == nil:
		return compile.ManagedPolicy{}, emptyAnswer("read policy %s", arn)
	}
	return compile.ManagedPolicy{
		Exists: true, ARN: arn, Name: aws.ToString(out.Policy.PolicyName), ID: aws.ToString(out.Policy.PolicyId),
		Default: aws.ToString(out.Policy.DefaultVersionId), Tags: tagsOf(out.Policy.Tags), At: toldTime(out.ResultMetadata),
	}, nil
}

// toldTime is when the server says that it answered.
func toldTime(md middleware.Metadata) time.Time {
	at, _ := awsmiddleware.GetServerTime(md)
	return at
}

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
