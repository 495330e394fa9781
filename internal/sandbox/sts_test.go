package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const roleB = "arn:aws:iam::" + accountB + ":role/puller"

// addRole makes the role puller of account B.
func addRole(tb testing.TB, s *Server, trust, text string) {
	tb.Helper()
	arn, err := s.AddRole(accountB, "puller", trust)
	if err == nil && text != "" {
		err = s.PutInlinePolicy(arn, "own", text)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// assume asks for a session of the role puller.
func assume(tb testing.TB, c awsClients, change func(*sts.AssumeRoleInput)) (*types.Credentials, error) {
	tb.Helper()
	in := &sts.AssumeRoleInput{RoleArn: aws.String(roleB), RoleSessionName: aws.String("run")}
	if change != nil {
		change(in)
	}
	out, err := c.sts.AssumeRole(tb.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.Credentials, nil
}

func sessionClients(tb testing.TB, s *Server, c *types.Credentials) awsClients {
	tb.Helper()
	return clientsOf(tb, s, Credentials{AccessKeyID: *c.AccessKeyId, Secret: *c.SecretAccessKey, SessionToken: *c.SessionToken})
}

func TestAssumedRoleActsAsTheRoleUntilItExpires(t *testing.T) {
	clock := newFakeClock()
	s := startServer(t, Config{Clock: clock.Now})
	addRole(t, s, trustB, allowAll("iam:ListUsers"))
	c := must[*types.Credentials](t)(assume(t, admin(t, s, accountB), func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(900) }))
	if !strings.HasPrefix(*c.AccessKeyId, "ASIA") || time.Until(*c.Expiration) > 16*time.Minute {
		t.Errorf("key %s until %s", *c.AccessKeyId, c.Expiration)
	}
	ses := sessionClients(t, s, c)
	id := must[*sts.GetCallerIdentityOutput](t)(ses.sts.GetCallerIdentity(t.Context(), nil))
	if *id.Arn != "arn:aws:sts::"+accountB+":assumed-role/puller/run" || !strings.HasPrefix(*id.UserId, "AROA") || !strings.HasSuffix(*id.UserId, ":run") {
		t.Errorf("the session is %s %s", *id.Arn, *id.UserId)
	}
	must[*iam.ListUsersOutput](t)(ses.iam.ListUsers(t.Context(), nil))
	_, err := ses.iam.ListRoles(t.Context(), nil)
	wantCode(t, err, "AccessDenied")
	clock.advance(15 * time.Minute)
	_, err = ses.s3.ListBuckets(t.Context(), nil)
	wantCode(t, err, "ExpiredToken")
	_, err = ses.sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "ExpiredToken")
}

func TestSessionKeyWithoutItsTokenIsRefused(t *testing.T) {
	s := startServer(t, Config{})
	addRole(t, s, trustB, "")
	c := must[*types.Credentials](t)(assume(t, admin(t, s, accountB), nil))
	bare := clientsOf(t, s, Credentials{AccessKeyID: *c.AccessKeyId, Secret: *c.SecretAccessKey})
	_, err := bare.sts.GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "InvalidClientTokenId")
}

func TestTrustPolicyDecidesWhoAssumes(t *testing.T) {
	s := startServer(t, Config{})
	fredARN, fred := addUser(t, s, accountB, "fred", "")
	_, wilma := addUser(t, s, accountB, "wilma", allowAll("sts:AssumeRole"))
	addRole(t, s, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["`+fredARN+`","arn:aws:iam::`+accountA+`:root"]},"Action":"sts:AssumeRole",
		"Condition":{"StringEqualsIfExists":{"sts:ExternalId":"s3cret"}}}]}`, "")
	bossA := admin(t, s, accountA)
	external := func(id string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.ExternalId = &id }
	}
	cases := []struct {
		name   string
		who    awsClients
		change func(*sts.AssumeRoleInput)
		code   string
	}{
		{"the named user, without a policy of its own", fred, nil, ""},
		{"another user of the account, with a policy", wilma, nil, "AccessDenied"},
		{"another account's admin, both sides allowing", bossA, external("s3cret"), ""},
		{"a wrong external ID", bossA, external("guess"), "AccessDenied"},
		{"a role that does not exist", bossA, func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(roleB + "x") }, "AccessDenied"},
		{"a session name of one letter", fred, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("r s") }, "ValidationError"},
		{"longer than the role allows", fred, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) }, "ValidationError"},
	}
	for _, c := range cases {
		_, err := assume(t, c.who, c.change)
		if got := errorCode(err); got != c.code {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.code, err)
		}
	}
}

func TestSessionPolicyOnlyTakesAway(t *testing.T) {
	s := startServer(t, Config{})
	addRole(t, s, trustB, allowAll("iam:List*"))
	c := must[*types.Credentials](t)(assume(t, admin(t, s, accountB), func(in *sts.AssumeRoleInput) {
		in.Policy = aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ListRoles","iam:GetUser"],"Resource":"*"}]}`)
	}))
	ses := sessionClients(t, s, c)
	must[*iam.ListRolesOutput](t)(ses.iam.ListRoles(t.Context(), nil))
	_, err := ses.iam.ListUsers(t.Context(), nil)
	wantCode(t, err, "AccessDenied")
	_, err = ses.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("admin")})
	wantCode(t, err, "AccessDenied")
}

func TestChainedSessionLastsAnHourAtMost(t *testing.T) {
	s := startServer(t, Config{})
	boss := admin(t, s, accountB)
	must[*iam.CreateRoleOutput](t)(boss.iam.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String("puller"), AssumeRolePolicyDocument: aws.String(trustB), MaxSessionDuration: aws.Int32(4 * 3600),
	}))
	if err := s.PutInlinePolicy(roleB, "own", allowAll("sts:*")); err != nil {
		t.Fatal(err)
	}
	longer := func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(2 * 3600) }
	ses := sessionClients(t, s, must[*types.Credentials](t)(assume(t, boss, longer)))
	_, err := assume(t, ses, longer)
	wantCode(t, err, "ValidationError")
	must[*types.Credentials](t)(assume(t, ses, nil))
}

func TestDeletedRolesSessionsHaveNothingLeft(t *testing.T) {
	s := startServer(t, Config{})
	boss := admin(t, s, accountB)
	must[*iam.CreateRoleOutput](t)(boss.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("puller"), AssumeRolePolicyDocument: aws.String(trustB)}))
	attach := &iam.AttachRolePolicyInput{RoleName: aws.String("puller"), PolicyArn: aws.String(administratorAccess)}
	must[*iam.AttachRolePolicyOutput](t)(boss.iam.AttachRolePolicy(t.Context(), attach))
	ses := sessionClients(t, s, must[*types.Credentials](t)(assume(t, boss, nil)))
	must[*iam.ListUsersOutput](t)(ses.iam.ListUsers(t.Context(), nil))
	must[*iam.DetachRolePolicyOutput](t)(boss.iam.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: attach.RoleName, PolicyArn: attach.PolicyArn}))
	must[*iam.DeleteRoleOutput](t)(boss.iam.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: attach.RoleName}))
	_, err := ses.iam.ListUsers(t.Context(), nil)
	wantCode(t, err, "AccessDenied")
}
