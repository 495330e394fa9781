package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"xplan/internal/compile"
)

// Attach attaches a managed policy to a user or role; attached already is no error.
func (s *session) Attach(ctx context.Context, a compile.AttachmentSpec) error {
	name, role, err := principalName(a.Principal)
	if err != nil {
		return err
	}
	if role {
		_, err = s.iamClient().AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: &a.PolicyARN})
	} else {
		_, err = s.iamClient().AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: &a.PolicyARN})
	}
	if err != nil {
		return failed(err, "attach %s to %s", a.PolicyARN, a.Principal)
	}
	return nil
}

// Detach detaches a managed policy; not attached is no error.
func (s *session) Detach(ctx context.Context, a compile.AttachmentSpec) error {
	name, role, err := principalName(a.Principal)
	if err != nil {
		return err
	}
	if role {
		_, err = s.iamClient().DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: &a.PolicyARN})
	} else {
		_, err = s.iamClient().DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &name, PolicyArn: &a.PolicyARN})
	}
	if err != nil && !missing(err) {
		return failed(err, "detach %s from %s", a.PolicyARN, a.Principal)
	}
	return nil
}

// Attached lists the ARNs of the managed policies attached to a principal; a missing principal has none.
func (s *session) Attached(ctx context.Context, principalARN string) ([]string, error) {
	name, role, err := principalName(principalARN)
	if err != nil {
		return nil, err
	}
	arns, err := s.attached(ctx, name, role)
	if err != nil && !missing(err) {
		return nil, failed(err, "list the policies attached to %s", principalARN)
	}
	return arns, nil
}

func (s *session) attached(ctx context.Context, name string, role bool) ([]string, error) {
	if role {
		return s.attachedToRole(ctx, name)
	}
	return s.attachedToUser(ctx, name)
}

func (s *session) attachedToUser(ctx context.Context, name string) ([]string, error) {
	var arns []string
	pages := iam.NewListAttachedUserPoliciesPaginator(s.iamClient(), &iam.ListAttachedUserPoliciesInput{UserName: &name})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		arns = appendARNs(arns, out.AttachedPolicies)
	}
	return arns, nil
}

func (s *session) attachedToRole(ctx context.Context, name string) ([]string, error) {
	var arns []string
	pages := iam.NewListAttachedRolePoliciesPaginator(s.iamClient(), &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		arns = appendARNs(arns, out.AttachedPolicies)
	}
	return arns, nil
}

func appendARNs(arns []string, policies []types.AttachedPolicy) []string {
	for _, p := range policies {
		arns = append(arns, aws.ToString(p.PolicyArn))
	}
	return arns
}
