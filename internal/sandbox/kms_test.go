package sandbox

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// mayDecrypt asks as S3 would for the caller whose clients these are.
func mayDecrypt(tb testing.TB, s *Server, c awsClients, key, account string) string {
	tb.Helper()
	id := must[*sts.GetCallerIdentityOutput](tb)(c.sts.GetCallerIdentity(tb.Context(), nil))
	i, _ := s.principalNamed(*id.Arn)
	s.accountOf(account).mu.RLock()
	u := s.accountOf(account).users[i.name]
	s.accountOf(account).mu.RUnlock()
	asked := &call{
		r: &http.Request{Header: http.Header{}}, region: defaultRegion, now: s.now(), target: target{Service: serviceS3},
		caller: caller{Account: account, ARN: u.arn, UserID: u.id, UserName: u.name, user: u},
	}
	if err := s.kmsAllowed(asked, "kms:Decrypt", key, map[string]string{"aws:s3:arn": "arn:aws:s3:::tommy/x"}); err != nil {
		return err.Code
	}
	return ""
}

func TestWhoMayDecrypt(t *testing.T) {
	s := startServer(t, Config{})
	bossA := admin(t, s, accountA)
	decrypt := allowAll("kms:Decrypt")
	_, plainA := addUser(t, s, accountA, "plain", "")
	_, rightA := addUser(t, s, accountA, "right", decrypt)
	_, plainB := addUser(t, s, accountB, "plain", "")
	arnB, rightB := addUser(t, s, accountB, "right", decrypt)
	key := must[*kms.CreateKeyOutput](t)(bossA.kms.CreateKey(t.Context(), &kms.CreateKeyInput{Description: aws.String("source")})).KeyMetadata.Arn
	check := func(when string, want map[string]string) {
		t.Helper()
		who := map[string]awsClients{"plainA": plainA, "rightA": rightA, "plainB": plainB, "rightB": rightB}
		for name, code := range want {
			account := map[byte]string{'A': accountA, 'B': accountB}[name[len(name)-1]]
			if got := mayDecrypt(t, s, who[name], *key, account); got != code {
				t.Errorf("%s %s gets %q, want %q", when, name, got, code)
			}
		}
	}
	check("by the default policy", map[string]string{"plainA": "AccessDenied", "rightA": "", "plainB": "AccessDenied", "rightB": "AccessDenied"})

	grant := must[*kms.CreateGrantOutput](t)(bossA.kms.CreateGrant(t.Context(), &kms.CreateGrantInput{
		KeyId: key, GranteePrincipal: &arnB, Operations: []types.GrantOperation{types.GrantOperationDecrypt}, Name: aws.String("tommy-to-b"),
	}))
	check("with a grant", map[string]string{"plainA": "AccessDenied", "plainB": "AccessDenied", "rightB": ""})
	must[*kms.RevokeGrantOutput](t)(bossA.kms.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: key, GrantId: grant.GrantId}))
	check("after revoking it", map[string]string{"rightB": "AccessDenied"})

	_, err := bossA.kms.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: key, Policy: aws.String(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountA + `:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountB + `:root"},"Action":"kms:Decrypt","Resource":"*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	check("opened to the other account", map[string]string{"plainB": "AccessDenied", "rightB": ""})
	must[*kms.DisableKeyOutput](t)(bossA.kms.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: key}))
	check("disabled", map[string]string{"rightA": "KMS.DisabledException", "plainA": "AccessDenied"})
	must[*kms.EnableKeyOutput](t)(bossA.kms.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: key}))
	must[*kms.ScheduleKeyDeletionOutput](t)(bossA.kms.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: key, PendingWindowInDays: aws.Int32(7)}))
	check("pending deletion", map[string]string{"rightA": "KMS.KMSInvalidStateException"})
}

func TestAWSManagedKeyServesItsOwnAccountOnly(t *testing.T) {
	s := startServer(t, Config{})
	_, plainA := addUser(t, s, accountA, "plain", "")
	_, rightB := addUser(t, s, accountB, "right", allowAll("kms:*"))
	arn, apiErr := s.resolveKMSKey(accountA, defaultRegion, "")
	if apiErr != nil {
		t.Fatal(apiErr)
	}
	if got := mayDecrypt(t, s, plainA, arn, accountA); got != "" {
		t.Errorf("its own account gets %s", got)
	}
	if got := mayDecrypt(t, s, rightB, arn, accountB); got != "AccessDenied" {
		t.Errorf("another account gets %q", got)
	}
	meta := must[*kms.DescribeKeyOutput](t)(admin(t, s, accountA).kms.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/s3")})).KeyMetadata
	if meta.KeyManager != types.KeyManagerTypeAws || *meta.Arn != arn {
		t.Errorf("described as %s of %s", *meta.Arn, meta.KeyManager)
	}
}

func TestGrantsAreNamedListedAndRetired(t *testing.T) {
	s := startServer(t, Config{})
	bossA, ctx := admin(t, s, accountA).kms, t.Context()
	arnB, b := addUser(t, s, accountB, "right", allowAll("kms:*"))
	key, err := s.AddKMSKey(accountA, defaultRegion, "")
	if err != nil {
		t.Fatal(err)
	}
	in := &kms.CreateGrantInput{
		KeyId: &key, GranteePrincipal: &arnB, RetiringPrincipal: &arnB, Name: aws.String("n"),
		Operations:  []types.GrantOperation{types.GrantOperationDecrypt},
		Constraints: &types.GrantConstraints{EncryptionContextSubset: map[string]string{"aws:s3:arn": "arn:aws:s3:::other/x"}},
	}
	first := must[*kms.CreateGrantOutput](t)(bossA.CreateGrant(ctx, in))
	again := must[*kms.CreateGrantOutput](t)(bossA.CreateGrant(ctx, in))
	if *first.GrantId != *again.GrantId {
		t.Error("a repeated CreateGrant made a second grant")
	}
	if got := mayDecrypt(t, s, b, key, accountB); got != "AccessDenied" {
		t.Errorf("a grant for another encryption context gives %q", got)
	}
	listed := must[*kms.ListGrantsOutput](t)(bossA.ListGrants(ctx, &kms.ListGrantsInput{KeyId: &key}))
	if len(listed.Grants) != 1 || *listed.Grants[0].Name != "n" || *listed.Grants[0].GranteePrincipal != arnB || listed.Grants[0].Constraints == nil {
		t.Errorf("listed %+v", listed.Grants)
	}
	_, err = bossA.CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: &key, GranteePrincipal: aws.String("arn:aws:iam::" + accountB + ":user/nobody"), Operations: in.Operations,
	})
	wantCode(t, err, "InvalidArnException")
	_, err = admin(t, s, accountB).kms.RetireGrant(ctx, &kms.RetireGrantInput{KeyId: &key, GrantId: first.GrantId})
	wantCode(t, err, "AccessDeniedException")
	must[*kms.RetireGrantOutput](t)(b.kms.RetireGrant(ctx, &kms.RetireGrantInput{KeyId: &key, GrantId: first.GrantId}))
	_, err = bossA.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: &key, GrantId: first.GrantId})
	wantCode(t, err, "NotFoundException")
}

func TestKeyPolicyIsNeverWrittenFromAnotherAccountNorIntoALockout(t *testing.T) {
	s := startServer(t, Config{})
	key, err := s.AddKMSKey(accountA, defaultRegion, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::`+
		accountA+`:root","arn:aws:iam::`+accountB+`:root"]},"Action":"kms:*","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	open := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountA + `:root"},"Action":"kms:*","Resource":"*"}]}`)
	shut := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountB + `:root"},"Action":"kms:*","Resource":"*"}]}`)
	_, err = admin(t, s, accountB).kms.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: open})
	wantCode(t, err, "AccessDeniedException")
	must[*kms.DescribeKeyOutput](t)(admin(t, s, accountB).kms.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key}))
	bossA := admin(t, s, accountA).kms
	_, err = bossA.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: shut})
	wantCode(t, err, "MalformedPolicyDocumentException")
	must[*kms.PutKeyPolicyOutput](t)(bossA.PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: open}))
	got := must[*kms.GetKeyPolicyOutput](t)(bossA.GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &key}))
	if *got.Policy != *open {
		t.Errorf("the key policy is %s", *got.Policy)
	}
}

func TestAliasesNameKeysInTheirRegion(t *testing.T) {
	s := startServer(t, Config{})
	bossA, ctx := admin(t, s, accountA).kms, t.Context()
	key := must[*kms.CreateKeyOutput](t)(bossA.CreateKey(ctx, nil)).KeyMetadata
	must[*kms.CreateAliasOutput](t)(bossA.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/src"), TargetKeyId: key.KeyId}))
	_, err := bossA.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/src"), TargetKeyId: key.KeyId})
	wantCode(t, err, "AlreadyExistsException")
	got := must[*kms.DescribeKeyOutput](t)(bossA.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/src")})).KeyMetadata
	if *got.Arn != *key.Arn || !got.Enabled || got.CreationDate == nil {
		t.Errorf("alias names %s", *got.Arn)
	}
	aliases := must[*kms.ListAliasesOutput](t)(bossA.ListAliases(ctx, &kms.ListAliasesInput{KeyId: key.KeyId}))
	if len(aliases.Aliases) != 1 || *aliases.Aliases[0].TargetKeyId != *key.KeyId {
		t.Errorf("listed %+v", aliases.Aliases)
	}
	elsewhere := func(o *kms.Options) { o.Region = "eu-central-1" }
	_, err = bossA.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/src")}, elsewhere)
	wantCode(t, err, "NotFoundException")
	_, err = bossA.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyId}, elsewhere)
	wantCode(t, err, "NotFoundException")
}

func TestGrantDoesNotFollowAUserMadeAgain(t *testing.T) {
	s := startServer(t, Config{})
	bossB := admin(t, s, accountB).iam
	key, err := s.AddKMSKey(accountA, defaultRegion, "")
	if err != nil {
		t.Fatal(err)
	}
	arn, first := addUser(t, s, accountB, "right", "")
	if err := s.PutInlinePolicy(arn, "own", allowAll("kms:*")); err != nil {
		t.Fatal(err)
	}
	must[*kms.CreateGrantOutput](t)(admin(t, s, accountA).kms.CreateGrant(t.Context(), &kms.CreateGrantInput{
		KeyId: &key, GranteePrincipal: &arn, Operations: []types.GrantOperation{types.GrantOperationDecrypt},
	}))
	if got := mayDecrypt(t, s, first, key, accountB); got != "" {
		t.Fatalf("the grantee gets %s", got)
	}
	removeUser(t, bossB, "right")
	_, second := addUser(t, s, accountB, "right", allowAll("kms:*"))
	if got := mayDecrypt(t, s, second, key, accountB); got != "AccessDenied" {
		t.Errorf("the namesake gets %q", got)
	}
}

// removeUser deletes a user with its keys and the inline policy "own".
func removeUser(tb testing.TB, boss *iam.Client, name string) {
	tb.Helper()
	ctx := tb.Context()
	keys := must[*iam.ListAccessKeysOutput](tb)(boss.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name}))
	for _, k := range keys.AccessKeyMetadata {
		must[*iam.DeleteAccessKeyOutput](tb)(boss.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: k.AccessKeyId}))
	}
	inline := must[*iam.ListUserPoliciesOutput](tb)(boss.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: &name}))
	for _, p := range inline.PolicyNames {
		must[*iam.DeleteUserPolicyOutput](tb)(boss.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &name, PolicyName: &p}))
	}
	must[*iam.DeleteUserOutput](tb)(boss.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))
}
