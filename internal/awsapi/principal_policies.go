package awsapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"xplan/internal/compile"
)

// PrincipalPolicies reads what a user or role may do: its attached and inline policies, those of a user's groups, and its
// boundary. The facts name what is attached. What may not be read is unseen, in one note.
func (s *session) PrincipalPolicies(ctx context.Context, f compile.PrincipalFacts) (compile.PrincipalPolicies, []compile.Unseen, error) {
	name, role, err := principalName(f.ARN)
	if err != nil {
		return compile.PrincipalPolicies{}, nil, err
	}
	r := &policyReader{s: s}
	r.later(func() { r.boundary(ctx, f.Boundary) })
	for _, arn := range f.Attached {
		r.later(func() { r.managed(ctx, arn, "") })
	}
	switch {
	case !f.Exists:
	case role:
		r.later(func() { r.inlineOfRole(ctx, name) })
	default:
		r.later(func() { r.inlineOfUser(ctx, name) })
		r.later(func() { r.groups(ctx, name) })
	}
	r.running.Wait()
	if err := errors.Join(r.failures...); err != nil {
		return compile.PrincipalPolicies{}, nil, err
	}
	slices.SortFunc(r.found.Documents, func(a, b compile.PolicyText) int {
		return slices.Compare([]string{a.Group, a.ARN, a.Name}, []string{b.Group, b.ARN, b.Name})
	})
	slices.Sort(r.denied)
	if len(r.denied) == 0 {
		return r.found, nil, nil
	}
	return r.found, []compile.Unseen{{
		What: "policies of " + f.ARN + ", beside ours", Why: strings.Join(slices.Compact(r.denied), ", ") + " denied", About: "principal policies",
	}}, nil
}

// A policyReader gathers policies, read side by side.
type policyReader struct {
	s       *session
	running sync.WaitGroup

	mu       sync.Mutex
	found    compile.PrincipalPolicies
	denied   []string // actions
	failures []error
}

func (r *policyReader) later(read func()) { r.running.Go(read) }

// refused notes what may not be read, or what the server lacks. What is gone meanwhile allows nothing.
func (r *policyReader) refused(err error, action, doing string) bool {
	if err == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := failed(err, "%s", doing)
	switch {
	case missing(err):
	case errors.Is(e, compile.ErrDenied), errors.Is(e, compile.ErrUnsupported), errorCode(err) == "InvalidAction":
		r.denied = append(r.denied, action)
	default:
		r.failures = append(r.failures, e)
	}
	return true
}

// put keeps a policy as IAM sent it.
func (r *policyReader) put(t compile.PolicyText, encoded *string) {
	text, err := document(encoded)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failures = append(r.failures, err)
		return
	}
	t.Document = text
	r.found.Documents = append(r.found.Documents, t)
}

func (r *policyReader) boundary(ctx context.Context, arn string) {
	if arn == "" {
		return
	}
	encoded, ok := r.version(ctx, arn)
	if !ok {
		return
	}
	text, err := document(encoded)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failures = append(r.failures, err)
	}
	r.found.Boundary = text
}

func (r *policyReader) managed(ctx context.Context, arn, group string) {
	if encoded, ok := r.version(ctx, arn); ok {
		r.put(compile.PolicyText{Name: arn[strings.LastIndexByte(arn, '/')+1:], ARN: arn, Group: group}, encoded)
	}
}

// version reads a managed policy's default document.
func (r *policyReader) version(ctx context.Context, arn string) (*string, bool) {
	c := r.s.iamClient()
	out, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if r.refused(err, "iam:GetPolicy", "read policy "+arn) || out.Policy == nil {
		return nil, false
	}
	v, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: out.Policy.DefaultVersionId})
	if r.refused(err, "iam:GetPolicyVersion", "read policy "+arn) || v.PolicyVersion == nil {
		return nil, false
	}
	return v.PolicyVersion.Document, true
}

func (r *policyReader) inlineOfUser(ctx context.Context, user string) {
	c := r.s.iamClient()
	pages := iam.NewListUserPoliciesPaginator(c, &iam.ListUserPoliciesInput{UserName: &user})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if r.refused(err, "iam:ListUserPolicies", "list the inline policies of user "+user) {
			return
		}
		for _, name := range out.PolicyNames {
			one, err := c.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &user, PolicyName: &name})
			if !r.refused(err, "iam:GetUserPolicy", "read inline policy "+name+" of user "+user) {
				r.put(compile.PolicyText{Name: name}, one.PolicyDocument)
			}
		}
	}
}

func (r *policyReader) inlineOfRole(ctx context.Context, role string) {
	c := r.s.iamClient()
	pages := iam.NewListRolePoliciesPaginator(c, &iam.ListRolePoliciesInput{RoleName: &role})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if r.refused(err, "iam:ListRolePolicies", "list the inline policies of role "+role) {
			return
		}
		for _, name := range out.PolicyNames {
			one, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
			if !r.refused(err, "iam:GetRolePolicy", "read inline policy "+name+" of role "+role) {
				r.put(compile.PolicyText{Name: name}, one.PolicyDocument)
			}
		}
	}
}

// groups reads the policies of the groups that a user is in.
func (r *policyReader) groups(ctx context.Context, user string) {
	pages := iam.NewListGroupsForUserPaginator(r.s.iamClient(), &iam.ListGroupsForUserInput{UserName: &user})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if r.refused(err, "iam:ListGroupsForUser", "list the groups of user "+user) {
			return
		}
		for _, g := range out.Groups {
			r.attachedToGroup(ctx, aws.ToString(g.GroupName))
			r.inlineOfGroup(ctx, aws.ToString(g.GroupName))
		}
	}
}

func (r *policyReader) attachedToGroup(ctx context.Context, group string) {
	pages := iam.NewListAttachedGroupPoliciesPaginator(r.s.iamClient(), &iam.ListAttachedGroupPoliciesInput{GroupName: &group})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if r.refused(err, "iam:ListAttachedGroupPolicies", "list the policies attached to group "+group) {
			return
		}
		for _, p := range out.AttachedPolicies {
			r.managed(ctx, aws.ToString(p.PolicyArn), group)
		}
	}
}

func (r *policyReader) inlineOfGroup(ctx context.Context, group string) {
	c := r.s.iamClient()
	pages := iam.NewListGroupPoliciesPaginator(c, &iam.ListGroupPoliciesInput{GroupName: &group})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if r.refused(err, "iam:ListGroupPolicies", "list the inline policies of group "+group) {
			return
		}
		for _, name := range out.PolicyNames {
			one, err := c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: &group, PolicyName: &name})
			if !r.refused(err, "iam:GetGroupPolicy", "read inline policy "+name+" of group "+group) {
				r.put(compile.PolicyText{Name: name, Group: group}, one.PolicyDocument)
			}
		}
	}
}
