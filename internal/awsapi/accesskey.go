package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"xplan/internal/compile"
)

// AccessKeys lists a user's keys; a missing user has none.
func (s *session) AccessKeys(ctx context.Context, user string) ([]compile.AccessKey, error) {
	var keys []compile.AccessKey
	pages := iam.NewListAccessKeysPaginator(s.iamClient(), &iam.ListAccessKeysInput{UserName: &user})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if missing(err) {
			return nil, nil
		}
		if err != nil {
			return nil, failed(err, "list the access keys of user %s", user)
		}
		for _, k := range out.AccessKeyMetadata {
			keys = append(keys, compile.AccessKey{
				ID: aws.ToString(k.AccessKeyId), Active: k.Status == types.StatusTypeActive, Created: aws.ToTime(k.CreateDate),
			})
		}
	}
	return keys, nil
}

// DeleteAccessKey sets the key inactive, so that it is of no use even where the deletion fails, and
// deletes it. A missing one is no error.
func (s *session) DeleteAccessKey(ctx context.Context, user, keyID string) error {
	_, err := s.iamClient().UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: &user, AccessKeyId: &keyID, Status: types.StatusTypeInactive,
	})
	if missing(err) {
		return nil
	}
	if err != nil {
		return failed(err, "set access key %s of user %s inactive", keyID, user)
	}
	_, err = s.iamClient().DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &keyID})
	if err != nil && !missing(err) {
		return failed(err, "delete access key %s of user %s", keyID, user)
	}
	return nil
}
