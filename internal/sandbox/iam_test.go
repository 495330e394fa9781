package sandbox

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const (
	listDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::tommy"}]}`
	trustB       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountB + `:root"},"Action":"sts:AssumeRole"}]}`
)

func TestPolicyLifeCycle(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx := admin(t, s, accountB).iam, t.Context()
	if _, err := s.AddUser(accountB, "fred"); err != nil {
		t.Fatal(err)
	}
	made := must[*iam.CreatePolicyOutput](t)(boss.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("pull"), PolicyDocument: aws.String(listDocument), Description: aws.String("d"),
		Tags: []types.Tag{{Key: aws.String("plan"), Value: aws.String("tommy-to-b")}},
	}))
	arn := made.Policy.Arn
	if *arn != "arn:aws:iam::"+accountB+":policy/pull" || !strings.HasPrefix(*made.Policy.PolicyId, "ANPA") || *made.Policy.DefaultVersionId != "v1" {
		t.Errorf("made %s %s %s", *arn, *made.Policy.PolicyId, *made.Policy.DefaultVersionId)
	}
	_, err := boss.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("PULL"), PolicyDocument: aws.String(listDocument)})
	wantCode(t, err, "EntityAlreadyExists")

	for range 4 {
		must[*iam.CreatePolicyVersionOutput](t)(boss.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
			PolicyArn: arn, PolicyDocument: aws.String(allowAll("s3:Get*")), SetAsDefault: true,
		}))
	}
	_, err = boss.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(listDocument)})
	wantCode(t, err, "LimitExceeded")
	version := must[*iam.GetPolicyVersionOutput](t)(boss.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}))
	if text, err := url.QueryUnescape(*version.PolicyVersion.Document); text != listDocument || version.PolicyVersion.IsDefaultVersion {
		t.Errorf("v1 holds %s, %v, default %v", text, err, version.PolicyVersion.IsDefaultVersion)
	}
	must[*iam.AttachUserPolicyOutput](t)(boss.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("fred"), PolicyArn: arn}))
	got := must[*iam.GetPolicyOutput](t)(boss.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn}))
	if *got.Policy.AttachmentCount != 1 || *got.Policy.DefaultVersionId != "v5" || len(got.Policy.Tags) != 1 {
		t.Errorf("attached %d, default %s, tags %v", *got.Policy.AttachmentCount, *got.Policy.DefaultVersionId, got.Policy.Tags)
	}
	entities := must[*iam.ListEntitiesForPolicyOutput](t)(boss.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: arn}))
	if len(entities.PolicyUsers) != 1 || *entities.PolicyUsers[0].UserName != "fred" {
		t.Errorf("attached to %v", entities.PolicyUsers)
	}
	removePolicy(t, boss, *arn)
}

// removePolicy takes the policy away from fred and deletes it, and meets every
// refusal on the way.
func removePolicy(t *testing.T, boss *iam.Client, arn string) {
	t.Helper()
	ctx := t.Context()
	remove := func() error {
		_, err := boss.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &arn})
		return err
	}
	_, err := boss.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("fred")})
	wantCode(t, err, "DeleteConflict")
	wantCode(t, remove(), "DeleteConflict")
	detach := &iam.DetachUserPolicyInput{UserName: aws.String("fred"), PolicyArn: &arn}
	must[*iam.DetachUserPolicyOutput](t)(boss.DetachUserPolicy(ctx, detach))
	_, err = boss.DetachUserPolicy(ctx, detach)
	wantCode(t, err, "NoSuchEntity")
	wantCode(t, remove(), "DeleteConflict")
	versions := must[*iam.ListPolicyVersionsOutput](t)(boss.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: &arn}))
	for _, v := range versions.Versions {
		_, err := boss.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: v.VersionId})
		if v.IsDefaultVersion {
			wantCode(t, err, "DeleteConflict")
		} else if err != nil {
			t.Error(err)
		}
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	_, err = boss.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if _, typed := errors.AsType[*types.NoSuchEntityException](err); !typed {
		t.Errorf("the error is no NoSuchEntityException: %v", err)
	}
	must[*iam.DeleteUserOutput](t)(boss.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("fred")}))
}

func TestAccessKeysAreTwoAtMostAndPaged(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx, fred := admin(t, s, accountB).iam, t.Context(), aws.String("fred")
	must[*iam.CreateUserOutput](t)(boss.CreateUser(ctx, &iam.CreateUserInput{UserName: fred, Path: aws.String("/team/")}))
	for range 2 {
		k := must[*iam.CreateAccessKeyOutput](t)(boss.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: fred})).AccessKey
		if !strings.HasPrefix(*k.AccessKeyId, "AKIA") || len(*k.AccessKeyId) != 20 || len(*k.SecretAccessKey) != 40 {
			t.Errorf("key of a strange form: %s, secret of %d characters", *k.AccessKeyId, len(*k.SecretAccessKey))
		}
	}
	_, err := boss.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: fred})
	wantCode(t, err, "LimitExceeded")
	var ids []string
	pages := iam.NewListAccessKeysPaginator(boss, &iam.ListAccessKeysInput{UserName: fred, MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		page := must[*iam.ListAccessKeysOutput](t)(pages.NextPage(ctx))
		for _, k := range page.AccessKeyMetadata {
			ids = append(ids, *k.AccessKeyId)
		}
	}
	if len(ids) != 2 {
		t.Fatalf("listed %v", ids)
	}
	_, err = boss.DeleteUser(ctx, &iam.DeleteUserInput{UserName: fred})
	wantCode(t, err, "DeleteConflict")
	for _, id := range ids {
		must[*iam.DeleteAccessKeyOutput](t)(boss.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: fred, AccessKeyId: &id}))
	}
	_, err = boss.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: fred, AccessKeyId: &ids[0]})
	wantCode(t, err, "NoSuchEntity")
	must[*iam.DeleteUserOutput](t)(boss.DeleteUser(ctx, &iam.DeleteUserInput{UserName: fred}))
	_, err = boss.GetUser(ctx, &iam.GetUserInput{UserName: fred})
	wantCode(t, err, "NoSuchEntity")
}

func TestPolicyTextsAreChecked(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx := admin(t, s, accountB).iam, t.Context()
	create := func(text string) error {
		_, err := boss.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: &text})
		return err
	}
	var resources []string
	for i := range 200 {
		resources = append(resources, fmt.Sprintf(`"arn:aws:s3:::a-bucket-with-a-long-name-%04d/*"`, i))
	}
	long := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":[` + strings.Join(resources, ",") + `]}]}`
	for text, code := range map[string]string{
		`{`: "MalformedPolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"s3:*","Resource":"*"}]}`:                 "MalformedPolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`: "MalformedPolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*"}]}`:                                "MalformedPolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Sid":"a b","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`:     "MalformedPolicyDocument",
		long: "LimitExceeded",
		`{"Version":"2012-10-17",` + strings.Repeat(" ", 7000) + `"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`: "",
	} {
		if got := errorCode(create(text)); got != code {
			t.Errorf("policy %.60s… answers %q, want %q", text, got, code)
		}
	}
}

func TestTenPoliciesAtMostAreAttached(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx := admin(t, s, accountB).iam, t.Context()
	must[*iam.CreateRoleOutput](t)(boss.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("puller"), AssumeRolePolicyDocument: aws.String(trustB)}))
	attach := func(i int) error {
		name := fmt.Sprintf("p%d", i)
		p := must[*iam.CreatePolicyOutput](t)(boss.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(listDocument)}))
		_, err := boss.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("puller"), PolicyArn: p.Policy.Arn})
		return err
	}
	for i := range 10 {
		if err := attach(i); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, attach(10), "LimitExceeded")
	listed := must[*iam.ListAttachedRolePoliciesOutput](t)(boss.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("puller")}))
	if len(listed.AttachedPolicies) != 10 || listed.IsTruncated {
		t.Errorf("%d are attached, truncated %v", len(listed.AttachedPolicies), listed.IsTruncated)
	}
}

func TestRolesKeepTrustTagsAndInlinePolicies(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx, name := admin(t, s, accountB).iam, t.Context(), aws.String("puller")
	must[*iam.CreateRoleOutput](t)(boss.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trustB)}))
	_, err := boss.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trustB)})
	wantCode(t, err, "EntityAlreadyExists")
	_, err = boss.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("x"), AssumeRolePolicyDocument: aws.String(
		strings.Replace(trustB, ":root", ":user/nobody", 1))})
	wantCode(t, err, "MalformedPolicyDocument")
	must[*iam.TagRoleOutput](t)(boss.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}))
	must[*iam.PutRolePolicyOutput](t)(boss.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("in"), PolicyDocument: aws.String(listDocument)}))
	role := must[*iam.GetRoleOutput](t)(boss.GetRole(ctx, &iam.GetRoleInput{RoleName: name})).Role
	trust, err := url.QueryUnescape(*role.AssumeRolePolicyDocument)
	if trust != trustB || err != nil || len(role.Tags) != 1 || !strings.HasPrefix(*role.RoleId, "AROA") {
		t.Errorf("role holds %s, %v, tags %v, ID %s", trust, err, role.Tags, *role.RoleId)
	}
	in := must[*iam.GetRolePolicyOutput](t)(boss.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("in")}))
	if text, _ := url.QueryUnescape(*in.PolicyDocument); text != listDocument || *in.RoleName != "puller" {
		t.Errorf("inline policy of %s holds %s", *in.RoleName, text)
	}
	_, err = boss.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	wantCode(t, err, "DeleteConflict")
	must[*iam.DeleteRolePolicyOutput](t)(boss.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("in")}))
	must[*iam.DeleteRoleOutput](t)(boss.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}))
}

func TestIAMCallsAreAuthorized(t *testing.T) {
	s := startServer(t, Config{})
	_, fred := addUser(t, s, accountB, "fred", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iam:GetUser","Resource":"arn:aws:iam::`+accountB+`:user/${aws:username}"}]}`)
	must[*iam.GetUserOutput](t)(fred.iam.GetUser(t.Context(), &iam.GetUserInput{}))
	_, err := fred.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("admin")})
	wantCode(t, err, "AccessDenied")
	want := "User: arn:aws:iam::" + accountB + ":user/fred is not authorized to perform: iam:GetUser on resource: user admin because no identity-based policy allows the iam:GetUser action"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("denied with %v, want %s", err, want)
	}
	_, err = fred.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
	wantCode(t, err, "AccessDenied")
}

func TestTaggingAndAttachingHaveGuardsOfTheirOwn(t *testing.T) {
	s := startServer(t, Config{})
	ctx, ours := t.Context(), "arn:aws:iam::"+accountB+":policy/ours"
	_, fred := addUser(t, s, accountB, "fred", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iam:CreatePolicy","iam:CreateUser"],"Resource":"*"},
		{"Effect":"Allow","Action":["iam:AttachUserPolicy","iam:DetachUserPolicy"],"Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"`+ours+`"}}}]}`)
	tags := []types.Tag{{Key: aws.String("by"), Value: aws.String("fred")}}
	_, err := fred.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("ours"), PolicyDocument: aws.String(allowAll("s3:*")), Tags: tags})
	wantCode(t, err, "AccessDenied")
	_, err = fred.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("jane"), Tags: tags})
	wantCode(t, err, "AccessDenied")
	must[*iam.CreateUserOutput](t)(fred.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("jane")}))
	must[*iam.CreatePolicyOutput](t)(fred.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("ours"), PolicyDocument: aws.String(allowAll("s3:*"))}))
	_, err = fred.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("jane"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	wantCode(t, err, "AccessDenied")
	must[*iam.AttachUserPolicyOutput](t)(fred.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("jane"), PolicyArn: &ours}))
}

func TestBoundaryLimitsWhatPoliciesGive(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx := admin(t, s, accountB).iam, t.Context()
	_, fred := addUser(t, s, accountB, "fred", allowAll("iam:*"))
	must[*iam.ListUsersOutput](t)(fred.iam.ListUsers(ctx, &iam.ListUsersInput{}))
	p := must[*iam.CreatePolicyOutput](t)(boss.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("edge"), PolicyDocument: aws.String(allowAll("iam:Get*"))}))
	must[*iam.PutUserPermissionsBoundaryOutput](t)(boss.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{
		UserName: aws.String("fred"), PermissionsBoundary: p.Policy.Arn,
	}))
	got := must[*iam.GetUserOutput](t)(fred.iam.GetUser(ctx, &iam.GetUserInput{}))
	if got.User.PermissionsBoundary == nil || *got.User.PermissionsBoundary.PermissionsBoundaryArn != *p.Policy.Arn {
		t.Errorf("boundary shown as %v", got.User.PermissionsBoundary)
	}
	_, err := fred.iam.ListUsers(ctx, &iam.ListUsersInput{})
	wantCode(t, err, "AccessDenied")
	if !strings.Contains(err.Error(), "no permissions boundary allows") {
		t.Errorf("denied with %v", err)
	}
	_, err = boss.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: p.Policy.Arn})
	wantCode(t, err, "DeleteConflict")
}

func TestSimulatorDecidesAsAccessDoes(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx := admin(t, s, accountB).iam, t.Context()
	arn, _ := addUser(t, s, accountB, "fred", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::tommy/*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-west-2"}}},
		{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`)
	out := must[*iam.SimulatePrincipalPolicyOutput](t)(boss.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &arn, ActionNames: []string{"s3:GetObject", "s3:DeleteObject"}, ResourceArns: []string{"arn:aws:s3:::tommy/x", "arn:aws:s3:::other/x"},
		ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("aws:RequestedRegion"), ContextKeyType: "string", ContextKeyValues: []string{"us-west-2"}}},
	}))
	var got []string
	for _, r := range out.EvaluationResults {
		got = append(got, fmt.Sprint(*r.EvalActionName, " ", *r.EvalResourceName, " ", r.EvalDecision))
	}
	want := []string{
		"s3:GetObject arn:aws:s3:::tommy/x allowed", "s3:GetObject arn:aws:s3:::other/x implicitDeny",
		"s3:DeleteObject arn:aws:s3:::tommy/x explicitDeny", "s3:DeleteObject arn:aws:s3:::other/x explicitDeny",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q\nwant %q", got, want)
	}
	custom := must[*iam.SimulateCustomPolicyOutput](t)(boss.SimulateCustomPolicy(ctx, &iam.SimulateCustomPolicyInput{
		PolicyInputList: []string{listDocument}, ActionNames: []string{"s3:ListBucket"}, ResourceArns: []string{"arn:aws:s3:::tommy"},
	}))
	if custom.EvaluationResults[0].EvalDecision != types.PolicyEvaluationDecisionTypeAllowed {
		t.Errorf("the custom policy answers %s", custom.EvaluationResults[0].EvalDecision)
	}
}

func TestListsOfUsersRolesAndPoliciesArePaged(t *testing.T) {
	s := startServer(t, Config{})
	boss, ctx := admin(t, s, accountB).iam, t.Context()
	for i := range 5 {
		if _, err := s.AddUser(accountB, fmt.Sprintf("u%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for pages := iam.NewListUsersPaginator(boss, &iam.ListUsersInput{MaxItems: aws.Int32(2)}); pages.HasMorePages(); {
		n += len(must[*iam.ListUsersOutput](t)(pages.NextPage(ctx)).Users)
	}
	if n != 6 {
		t.Errorf("%d users, want 6 with the admin", n)
	}
	local := must[*iam.ListPoliciesOutput](t)(boss.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal}))
	all := must[*iam.ListPoliciesOutput](t)(boss.ListPolicies(ctx, &iam.ListPoliciesInput{}))
	if len(local.Policies) != 0 || len(all.Policies) == 0 {
		t.Errorf("%d local policies, %d in all", len(local.Policies), len(all.Policies))
	}
	must[*iam.GetAccountSummaryOutput](t)(boss.GetAccountSummary(ctx, nil))
}
