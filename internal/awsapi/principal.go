package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"xplan/internal/compile"
)

// principalName splits "arn:aws:iam::ID:user/path/name".
func principalName(arn string) (name string, role bool, err error) {
	_, resource, ok := strings.Cut(arn, ":iam::")
	if _, resource, _ = strings.Cut(resource, ":"); ok {
		kind, rest, _ := strings.Cut(resource, "/")
		name = rest[strings.LastIndex(rest, "/")+1:]
		if name != "" && (kind == "user" || kind == "role") {
			return name, kind == "role", nil
		}
	}
	return "", false, fmt.Errorf("%q is not the ARN of an IAM user or role", arn)
}

func missing(err error) bool { return errorCode(err) == "NoSuchEntity" }

// Principal reads a user or a role with its keys, attached policies and tags. A missing one does not exist.
func (s *session) Principal(ctx context.Context, arn string) (compile.PrincipalFacts, error) {
	name, role, err := principalName(arn)
	if err != nil {
		return compile.PrincipalFacts{}, err
	}
	read := s.user
	if role {
		read = s.role
	}
	p, err := read(ctx, name)
	if missing(err) {
		return compile.PrincipalFacts{Role: role}, nil
	}
	if err != nil {
		return compile.PrincipalFacts{}, failed(err, "read %s", arn)
	}
	if p.Attached, err = s.attached(ctx, name, role); err != nil {
		return compile.PrincipalFacts{}, failed(err, "list the policies attached to %s", arn)
	}
	if !role {
		p.Keys, err = s.AccessKeys(ctx, name)
	}
	return p, err
}

func (s *session) user(ctx context.Context, name string) (compile.PrincipalFacts, error) {
	out, err := s.iamClient().GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if err != nil {
		return compile.PrincipalFacts{}, err
	}
	return factsOfUser(out.User), nil
}

func factsOfUser(u *types.User) compile.PrincipalFacts {
	if u == nil {
		return compile.PrincipalFacts{}
	}
	return compile.PrincipalFacts{
		Exists: true, ARN: aws.ToString(u.Arn), UserID: aws.ToString(u.UserId),
		Boundary: boundaryOf(u.PermissionsBoundary), Tags: tagsOf(u.Tags),
	}
}

func (s *session) role(ctx context.Context, name string) (compile.PrincipalFacts, error) {
	out, err := s.iamClient().GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return compile.PrincipalFacts{}, err
	}
	return factsOfRole(out.Role)
}

func factsOfRole(r *types.Role) (compile.PrincipalFacts, error) {
	if r == nil {
		return compile.PrincipalFacts{Role: true}, nil
	}
	trust, err := document(r.AssumeRolePolicyDocument)
	return compile.PrincipalFacts{
		Exists: true, Role: true, ARN: aws.ToString(r.Arn), UserID: aws.ToString(r.RoleId),
		Boundary: boundaryOf(r.PermissionsBoundary), Trust: trust, Tags: tagsOf(r.Tags),
	}, err
}

func boundaryOf(b *types.AttachedPermissionsBoundary) string {
	if b == nil {
		return ""
	}
	return aws.ToString(b.PermissionsBoundaryArn)
}

// document decodes a policy as IAM returns it: JSON with percent signs; some servers send it plain.
func document(encoded *string) (string, error) {
	text := aws.ToString(encoded)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return text, nil
	}
	decoded, err := url.PathUnescape(text)
	if err != nil {
		return "", errors.New("a policy document is not URL-encoded JSON")
	}
	return decoded, nil
}

func tagsOf(tags []types.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

func iamTags(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return list
}

// CreatePrincipal makes the user or role. One that stands already with all of our tags is an earlier
// attempt of this run, and is returned; any other is an error.
func (s *session) CreatePrincipal(ctx context.Context, p compile.PrincipalSpec) (compile.PrincipalFacts, error) {
	create := s.createUser
	if p.Role {
		create = s.createRole
	}
	facts, err := create(ctx, p)
	if errorCode(err) == "EntityAlreadyExists" {
		have, readErr := s.Principal(ctx, p.ARN)
		if readErr == nil && have.Exists && len(p.Tags) > 0 && holdsAll(have.Tags, p.Tags) {
			return have, nil
		}
	}
	if err != nil {
		return compile.PrincipalFacts{}, failed(err, "create %s", p.ARN)
	}
	return facts, nil
}

func holdsAll(tags, wanted map[string]string) bool {
	for k, v := range wanted {
		if have, ok := tags[k]; !ok || have != v {
			return false
		}
	}
	return true
}

func (s *session) createUser(ctx context.Context, p compile.PrincipalSpec) (compile.PrincipalFacts, error) {
	out, err := s.iamClient().CreateUser(ctx, &iam.CreateUserInput{
		UserName: &p.Name, Path: aws.String(cmp.Or(p.Path, "/")), PermissionsBoundary: optional(p.Boundary), Tags: iamTags(p.Tags),
	}, s.onceAtMost)
	if err != nil {
		return compile.PrincipalFacts{}, err
	}
	return factsOfUser(out.User), nil
}

func (s *session) createRole(ctx context.Context, p compile.PrincipalSpec) (compile.PrincipalFacts, error) {
	out, err := s.iamClient().CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &p.Name, Path: aws.String(cmp.Or(p.Path, "/")), PermissionsBoundary: optional(p.Boundary), Tags: iamTags(p.Tags),
		AssumeRolePolicyDocument: &p.Trust,
	}, s.onceAtMost)
	if err != nil {
		return compile.PrincipalFacts{}, err
	}
	return factsOfRole(out.Role)
}

// DeletePrincipal deletes a user or role that has nothing left; a missing one is no error.
func (s *session) DeletePrincipal(ctx context.Context, p compile.PrincipalSpec) error {
	var err error
	if p.Role {
		_, err = s.iamClient().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &p.Name})
	} else {
		_, err = s.iamClient().DeleteUser(ctx, &iam.DeleteUserInput{UserName: &p.Name})
	}
	if err != nil && !missing(err) {
		return failed(err, "delete %s", p.ARN)
	}
	return nil
}
