package sandbox

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestNewKeysAndPoliciesTakeTimeAndSoDoTheirEnds(t *testing.T) {
	clock := newFakeClock()
	s := startServer(t, Config{Clock: clock.Now, Propagation: 10 * time.Second})
	boss, ctx, fred := admin(t, s, accountB).iam, t.Context(), aws.String("fred")
	must[*iam.CreateUserOutput](t)(boss.CreateUser(ctx, &iam.CreateUserInput{UserName: fred}))
	must[*iam.GetUserOutput](t)(boss.GetUser(ctx, &iam.GetUserInput{UserName: fred})) // seen at once
	k := must[*iam.CreateAccessKeyOutput](t)(boss.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: fred})).AccessKey
	c := clientsOf(t, s, Credentials{AccessKeyID: *k.AccessKeyId, Secret: *k.SecretAccessKey})
	whoami := func() error {
		_, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		return err
	}
	list := func() error {
		_, err := c.iam.ListUsers(ctx, &iam.ListUsersInput{})
		return err
	}
	wantCode(t, whoami(), "InvalidClientTokenId")
	clock.advance(10 * time.Second)
	wantCode(t, whoami(), "")

	p := must[*iam.CreatePolicyOutput](t)(boss.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(allowAll("iam:ListUsers"))})).Policy
	must[*iam.AttachUserPolicyOutput](t)(boss.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: fred, PolicyArn: p.Arn}))
	clock.advance(9 * time.Second)
	wantCode(t, list(), "AccessDenied")
	clock.advance(time.Second)
	wantCode(t, list(), "")

	must[*iam.CreatePolicyVersionOutput](t)(boss.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
		PolicyArn: p.Arn, PolicyDocument: aws.String(allowAll("iam:ListRoles")), SetAsDefault: true,
	}))
	wantCode(t, list(), "") // the old version is still in force
	clock.advance(10 * time.Second)
	wantCode(t, list(), "AccessDenied")

	must[*iam.UpdateAccessKeyOutput](t)(boss.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: fred, AccessKeyId: k.AccessKeyId, Status: types.StatusTypeInactive}))
	must[*iam.DeleteAccessKeyOutput](t)(boss.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: fred, AccessKeyId: k.AccessKeyId}))
	wantCode(t, whoami(), "")
	clock.advance(10 * time.Second)
	wantCode(t, whoami(), "InvalidClientTokenId")
}

func TestPolicyCannotNameAPrincipalTooYoungToBeKnown(t *testing.T) {
	clock := newFakeClock()
	s := startServer(t, Config{Clock: clock.Now, Propagation: 10 * time.Second})
	boss, ctx := admin(t, s, accountB).iam, t.Context()
	u := must[*iam.CreateUserOutput](t)(boss.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("fred")})).User
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + *u.Arn + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*"}]}`
	_, err := s.compileResourcePolicy(text)
	if err == nil || err.Error() != "MalformedPolicy: Invalid principal in policy" {
		t.Errorf("too young: %v", err)
	}
	clock.advance(10 * time.Second)
	if _, err := s.compileResourcePolicy(text); err != nil {
		t.Errorf("old enough: %v", err)
	}
}

func TestDeletedPrincipalStandsByItsIDInPolicies(t *testing.T) {
	s := startServer(t, Config{})
	boss := admin(t, s, accountB).iam
	arn, _ := addUser(t, s, accountB, "fred", "")
	id := *must[*iam.GetUserOutput](t)(boss.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("fred")})).User.UserId
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*"}]}`
	p := must[*resourcePolicy](t)(s.compileResourcePolicy(text))
	if p.document() != text {
		t.Errorf("shown as %s", p.document())
	}
	byID := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + id + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*"}]}`
	if q := must[*resourcePolicy](t)(s.compileResourcePolicy(byID)); q.document() != text {
		t.Errorf("put by ID it is shown as %s", q.document())
	}
	removeUser(t, boss, "fred")
	if p.document() != byID {
		t.Errorf("after the user's end it is shown as %s", p.document())
	}
	if _, err := s.compileResourcePolicy(byID); err == nil {
		t.Error("a dead principal's ID can be put")
	}
	addUser(t, s, accountB, "fred", "")
	if p.document() != byID {
		t.Errorf("a namesake turns it into %s", p.document())
	}
}
