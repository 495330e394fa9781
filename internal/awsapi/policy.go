package awsapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"xplan/internal/compile"
)

const mostVersions = 5 // of a managed policy, by IAM

// ManagedPolicy reads a customer managed policy with its default document and what it is attached to.
// A missing one does not exist.
func (s *session) ManagedPolicy(ctx context.Context, arn string) (compile.ManagedPolicy, error) {
	p, err := s.PolicyTags(ctx, arn)
	if err != nil || !p.Exists {
		return p, err
	}
	version, err := s.iamClient().GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: &p.Default})
	if err != nil {
		return compile.ManagedPolicy{}, failed(err, "read version %s of policy %s", p.Default, arn)
	}
	if version.PolicyVersion == nil {
		return compile.ManagedPolicy{}, emptyAnswer("read version %s of policy %s", p.Default, arn)
	}
	if p.Document, err = document(version.PolicyVersion.Document); err != nil {
		return compile.ManagedPolicy{}, failed(err, "read version %s of policy %s", p.Default, arn)
	}
	versions, err := s.versions(ctx, arn)
	if err != nil {
		return compile.ManagedPolicy{}, err
	}
	p.Versions = len(versions)
	p.Attached, err = s.entities(ctx, arn)
	return p, err
}

// versions lists a policy's versions, newest first.
func (s *session) versions(ctx context.Context, arn string) ([]types.PolicyVersion, error) {
	var list []types.PolicyVersion
	pages := iam.NewListPolicyVersionsPaginator(s.iamClient(), &iam.ListPolicyVersionsInput{PolicyArn: &arn})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "list the versions of policy %s", arn)
		}
		list = append(list, out.Versions...)
	}
	return list, nil
}

// entities lists what a policy is attached to: ARNs of users and roles, and groups by name.
func (s *session) entities(ctx context.Context, arn string) ([]string, error) {
	var list []string
	pages := iam.NewListEntitiesForPolicyPaginator(s.iamClient(), &iam.ListEntitiesForPolicyInput{PolicyArn: &arn})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "list what policy %s is attached to", arn)
		}
		for _, u := range out.PolicyUsers {
			list = append(list, s.arnOf(ctx, arn, aws.ToString(u.UserName), "user"))
		}
		for _, r := range out.PolicyRoles {
			list = append(list, s.arnOf(ctx, arn, aws.ToString(r.RoleName), "role"))
		}
		for _, g := range out.PolicyGroups {
			list = append(list, "group/"+aws.ToString(g.GroupName))
		}
	}
	slices.Sort(list)
	return list, nil
}

// arnOf asks for an entity's ARN, since the list tells only its name. Where that may not be read, the
// ARN is put together as if it had no path.
func (s *session) arnOf(ctx context.Context, policyARN, name, kind string) string {
	read := s.user
	if kind == "role" {
		read = s.role
	}
	if p, err := read(ctx, name); err == nil && p.ARN != "" {
		return p.ARN
	}
	account, _, _ := strings.Cut(policyARN, ":policy/")
	return account + ":" + kind + "/" + name
}

// CreatePolicy makes the policy with its first version and its tags.
func (s *session) CreatePolicy(ctx context.Context, p compile.PolicySpec) error {
	_, err := s.iamClient().CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: &p.Name, Path: aws.String(pathOf(p.ARN)), PolicyDocument: &p.Document, Tags: iamTags(p.Tags),
		Description: aws.String("Made by xplan for one copy between accounts; removed by its clean-up"),
	}, s.onceAtMost)
	if err != nil {
		return failed(err, "create policy %s", p.Name)
	}
	return nil
}

// pathOf gives the path inside a policy's ARN, "/" at least.
func pathOf(arn string) string {
	_, rest, _ := strings.Cut(arn, ":policy")
	if i := strings.LastIndex(rest, "/"); i >= 0 {
		return rest[:i+1]
	}
	return "/"
}

// UpdatePolicy makes a new default version, and room for it first. The tags follow: between the two
// requests a crash leaves the old digest beside the new document, and the next run writes them again.
func (s *session) UpdatePolicy(ctx context.Context, p compile.PolicySpec) error {
	versions, err := s.versions(ctx, p.ARN)
	if err != nil {
		return err
	}
	if len(versions) >= mostVersions {
		if err := s.dropOldest(ctx, p.ARN, versions); err != nil {
			return err
		}
	}
	_, err = s.iamClient().CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
		PolicyArn: &p.ARN, PolicyDocument: &p.Document, SetAsDefault: true,
	}, s.onceAtMost)
	if err != nil {
		return failed(err, "make a new version of policy %s", p.ARN)
	}
	if len(p.Tags) == 0 {
		return nil
	}
	if _, err := s.iamClient().TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: &p.ARN, Tags: iamTags(p.Tags)}); err != nil {
		return failed(err, "tag policy %s", p.ARN)
	}
	return nil
}

// dropOldest deletes the oldest version that is not the default.
func (s *session) dropOldest(ctx context.Context, arn string, versions []types.PolicyVersion) error {
	spare := slices.DeleteFunc(slices.Clone(versions), func(v types.PolicyVersion) bool { return v.IsDefaultVersion })
	if len(spare) == 0 {
		return nil
	}
	oldest := slices.MinFunc(spare, func(a, b types.PolicyVersion) int {
		return aws.ToTime(a.CreateDate).Compare(aws.ToTime(b.CreateDate))
	})
	return s.deleteVersion(ctx, arn, oldest)
}

func (s *session) deleteVersion(ctx context.Context, arn string, v types.PolicyVersion) error {
	_, err := s.iamClient().DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: v.VersionId})
	if err != nil && !missing(err) {
		return failed(err, "delete version %s of policy %s", aws.ToString(v.VersionId), arn)
	}
	return nil
}

// DeletePolicy deletes all versions and the policy; a missing one is no error.
func (s *session) DeletePolicy(ctx context.Context, arn string) error {
	_, err := s.iamClient().GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if missing(err) {
		return nil
	}
	if err != nil {
		return failed(err, "read policy %s", arn)
	}
	versions, err := s.versions(ctx, arn)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v.IsDefaultVersion {
			continue
		}
		if err := s.deleteVersion(ctx, arn, v); err != nil {
			return err
		}
	}
	if _, err := s.iamClient().DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &arn}); err != nil && !missing(err) {
		return failed(err, "delete policy %s", arn)
	}
	return nil
}
