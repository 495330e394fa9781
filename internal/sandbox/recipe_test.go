package sandbox

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// A recipe is the classic copy by pull: a user of B, let in by A.
type recipe struct {
	s      *Server
	a, b   awsClients
	puller awsClients
	key    string // access key of the puller
	user   string // its ARN
	policy string // ARN
}

const (
	pullDocument = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:ListBucket","s3:GetObject","s3:GetObjectTagging"],"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]},
		{"Effect":"Allow","Action":["s3:ListBucket","s3:PutObject","s3:PutObjectTagging"],"Resource":["arn:aws:s3:::tommy-b","arn:aws:s3:::tommy-b/*"]},
		{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}]}`
	misterRodgers = "misterrodgers"
)

// openBucket is the source's policy for the puller.
func openBucket(arn string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"DelegateS3Access","Effect":"Allow","Principal":{"AWS":"` + arn + `"},
		"Action":["s3:ListBucket","s3:GetObject","s3:GetObjectTagging"],"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]}]}`)
}

// prepare follows the recipe up to the copy.
func prepare(t *testing.T, s *Server) *recipe {
	t.Helper()
	ctx := t.Context()
	r := &recipe{s: s, a: admin(t, s, accountA), b: admin(t, s, accountB)}
	must[*s3.CreateBucketOutput](t)(r.a.s3.CreateBucket(ctx, westBucket("tommy")))
	must[*s3.CreateBucketOutput](t)(r.b.s3.CreateBucket(ctx, westBucket("tommy-b")))
	r.put(t, "plain", nil)
	user := must[*iam.CreateUserOutput](t)(r.b.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(misterRodgers)})).User
	r.user = *user.Arn
	p := must[*iam.CreatePolicyOutput](t)(r.b.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("pull"), PolicyDocument: aws.String(pullDocument)}))
	r.policy = *p.Policy.Arn
	r.attach(t)
	must[*s3.PutBucketPolicyOutput](t)(r.a.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("tommy"), Policy: openBucket(r.user)}))
	k := must[*iam.CreateAccessKeyOutput](t)(r.b.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user.UserName})).AccessKey
	r.key = *k.AccessKeyId
	r.puller = clientsOf(t, s, Credentials{AccessKeyID: r.key, Secret: *k.SecretAccessKey})
	return r
}

func (r *recipe) put(t *testing.T, key string, change func(*s3.PutObjectInput)) {
	t.Helper()
	in := &s3.PutObjectInput{Bucket: aws.String("tommy"), Key: &key, Body: strings.NewReader(key), Tagging: aws.String("a=b")}
	if change != nil {
		change(in)
	}
	must[*s3.PutObjectOutput](t)(r.a.s3.PutObject(t.Context(), in))
}

func (r *recipe) attach(t *testing.T) {
	t.Helper()
	must[*iam.AttachUserPolicyOutput](t)(r.b.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String(misterRodgers), PolicyArn: &r.policy}))
}

func (r *recipe) detach(t *testing.T) {
	t.Helper()
	must[*iam.DetachUserPolicyOutput](t)(r.b.iam.DetachUserPolicy(t.Context(), &iam.DetachUserPolicyInput{UserName: aws.String(misterRodgers), PolicyArn: &r.policy}))
}

// copyAs copies one object of tommy to tommy-b.
func (r *recipe) copyAs(t *testing.T, who awsClients, key string) error {
	t.Helper()
	_, err := who.s3.CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: aws.String("tommy-b"), Key: &key, CopySource: aws.String("tommy/" + key),
		ExpectedBucketOwner: aws.String(accountB), ExpectedSourceBucketOwner: aws.String(accountA),
	})
	return err
}

func TestTheRecipeNeedsBothSides(t *testing.T) {
	r := prepare(t, startServer(t, Config{}))
	wantCode(t, r.copyAs(t, r.a, "plain"), "AccessDenied") // A's admin is nobody in B
	wantCode(t, r.copyAs(t, r.b, "plain"), "AccessDenied") // and B's is nobody in A
	wantCode(t, r.copyAs(t, r.puller, "plain"), "")
	tags := must[*s3.GetObjectTaggingOutput](t)(r.b.s3.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String("tommy-b"), Key: aws.String("plain")}))
	if len(tags.TagSet) != 1 {
		t.Errorf("tags of the copy: %v", tags.TagSet)
	}
	r.detach(t)
	wantCode(t, r.copyAs(t, r.puller, "plain"), "AccessDenied")
	r.attach(t)
	wantCode(t, r.copyAs(t, r.puller, "plain"), "")
	must[*s3.DeleteBucketPolicyOutput](t)(r.a.s3.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String("tommy")}))
	wantCode(t, r.copyAs(t, r.puller, "plain"), "AccessDenied")
}

func TestTheRecipesPolicyDoesNotFollowANamesake(t *testing.T) {
	r := prepare(t, startServer(t, Config{}))
	ctx := t.Context()
	r.detach(t)
	removeUser(t, r.b.iam, misterRodgers)
	shown := must[*s3.GetBucketPolicyOutput](t)(r.a.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String("tommy")}))
	if strings.Contains(*shown.Policy, misterRodgers) || !strings.Contains(*shown.Policy, "AIDA") {
		t.Errorf("the policy of a dead user is shown as %s", *shown.Policy)
	}
	_, err := r.a.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("tommy"), Policy: shown.Policy})
	wantCode(t, err, "MalformedPolicy")
	_, namesake := addUser(t, r.s, accountB, misterRodgers, "")
	r.attach(t)
	wantCode(t, r.copyAs(t, namesake, "plain"), "AccessDenied")
	must[*s3.PutBucketPolicyOutput](t)(r.a.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("tommy"), Policy: openBucket(r.user)}))
	wantCode(t, r.copyAs(t, namesake, "plain"), "")
}

func TestTheRecipeWithEncryptedObjects(t *testing.T) {
	r := prepare(t, startServer(t, Config{}))
	ctx := t.Context()
	key := must[*kms.CreateKeyOutput](t)(r.a.kms.CreateKey(ctx, nil)).KeyMetadata.Arn
	r.put(t, "own", func(in *s3.PutObjectInput) {
		in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, key
	})
	r.put(t, "managed", func(in *s3.PutObjectInput) { in.ServerSideEncryption = s3types.ServerSideEncryptionAwsKms })
	wantCode(t, r.copyAs(t, r.puller, "own"), "AccessDenied")
	wantCode(t, r.copyAs(t, r.puller, "managed"), "AccessDenied")
	grant := must[*kms.CreateGrantOutput](t)(r.a.kms.CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: key, GranteePrincipal: &r.user, Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt},
	}))
	wantCode(t, r.copyAs(t, r.puller, "own"), "")
	must[*kms.RevokeGrantOutput](t)(r.a.kms.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: key, GrantId: grant.GrantId}))
	wantCode(t, r.copyAs(t, r.puller, "own"), "AccessDenied")
}
