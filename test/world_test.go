package test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"xplan/internal/awsapi"
	"xplan/internal/compile"
	"xplan/internal/sandbox"
	"xplan/plan"
)

const (
	region             = "us-west-2"
	sourceAccount      = "123456789012"
	destinationAccount = "210987654321"
	sourceProfile      = "account-a-admin"
	destinationProfile = "account-b-admin"
)

// A world is a server with two accounts. What a test arranges or looks up for itself goes through the bare
// SDK; what it tests goes through the adapters or the program.
type world struct {
	t                   *testing.T // the test that it is used in
	server              string     // as in the table of differences
	url                 string     // "" for AWS
	config              string     // AWS_CONFIG_FILE, with the profiles
	region              string
	profiles            []profile
	source, destination side
	host, guest         string          // how a bucket policy names the source's and the destination's account
	box                 *sandbox.Server // nil elsewhere
}

// in is the world as a subtest uses it.
func (w *world) in(t *testing.T) *world {
	t.Helper()
	other := *w
	other.t = t
	return &other
}

// A side is one account, as its administrator.
type side struct {
	account plan.Account
	s3      *s3.Client
	iam     *iam.Client
	sts     *sts.Client
	kms     *kms.Client
	ec2     *ec2.Client
}

// A profile is one section of an AWS config file.
type profile struct{ name, id, secret string }

// configFile writes an AWS config file with the world's profiles, all at the endpoint.
func (w *world) configFile(t *testing.T, url string) string {
	t.Helper()
	var text strings.Builder
	for _, p := range w.profiles {
		fmt.Fprintf(&text, "[profile %s]\nregion = %s\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n",
			p.name, w.region, url, p.id, p.secret)
	}
	path := filepath.Join(t.TempDir(), "aws-config")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open makes a side's bare clients from its profile.
func (w *world) open(t *testing.T, a plan.Account) side {
	t.Helper()
	c := w.clients(t, a.Profile, a.Region)
	c.account = a
	return c
}

// clients are the bare SDK's, of a profile, with its default retries and checksums.
func (w *world) clients(t *testing.T, name, region string) side {
	t.Helper()
	options := []func(*config.LoadOptions) error{config.WithSharedConfigProfile(name), config.WithRegion(region)}
	if w.url != "" { // else the person's own settings lead to AWS
		options = append(options, config.WithSharedConfigFiles([]string{w.config}), config.WithSharedCredentialsFiles(nil))
	}
	cfg, err := config.LoadDefaultConfig(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DisableRequestCompression = true
	return side{
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.UsePathStyle = w.url != ""
			o.DisableLogOutputChecksumValidationSkipped = true
		}),
		iam: iam.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg), kms: kms.NewFromConfig(cfg), ec2: ec2.NewFromConfig(cfg),
	}
}

// admin opens a side through the adapters.
func (s side) admin(t *testing.T) *awsapi.Account {
	t.Helper()
	a, err := awsapi.Open(t.Context(), s.account, awsapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// at is where a side's bucket is.
func (s side) at(bucket string) compile.Location {
	return compile.Location{Bucket: bucket, Region: s.account.Region, Account: s.account.ID}
}

// ownerOf is who owns a side's buckets, as the owner's header names it.
func (w *world) ownerOf(s side) string {
	switch {
	case s.account.IsAWS():
		return s.account.ID
	case s.account.Profile == sourceProfile:
		return w.host
	}
	return w.guest
}

// name makes a name that nothing else has.
func name(base string) string {
	return base + "-" + strings.ToLower(rand.Text()[:10])
}

// bucket makes a bucket through the bare SDK, and removes it from AWS at the end.
func (w *world) bucket(t *testing.T, s side, base string) string {
	t.Helper()
	b := name(base)
	w.makeBucket(t, s, b)
	return b
}

func (w *world) makeBucket(t *testing.T, s side, b string) {
	t.Helper()
	in := &s3.CreateBucketInput{Bucket: &b}
	if s.account.IsAWS() && s.account.Region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(s.account.Region)}
	}
	if _, err := s.s3.CreateBucket(t.Context(), in); err != nil {
		t.Fatalf("create bucket %s: %v", b, err)
	}
	w.removeAfter(t, s, b)
}

// removeAfter removes a bucket with its objects at the end, where leaving it would cost.
func (w *world) removeAfter(t *testing.T, s side, b string) {
	t.Helper()
	if w.server != awsName {
		return
	}
	t.Cleanup(func() {
		ctx := t.Context()
		ctx, cancel := contextAfter(ctx)
		defer cancel()
		pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: &b})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Errorf("empty bucket %s: %v", b, err)
				return
			}
			for _, o := range page.Contents {
				_, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b, Key: o.Key})
				if err != nil {
					t.Errorf("empty bucket %s: %v", b, err)
				}
			}
		}
		if _, err := s.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b}); err != nil {
			t.Errorf("delete bucket %s: %v", b, err)
		}
	})
}

// put puts an object through the bare SDK; the options change the request.
func (s side) put(t *testing.T, bucket, key, body string, options ...func(*s3.PutObjectInput)) *s3.PutObjectOutput {
	t.Helper()
	out, err := s.tryPut(t, bucket, key, body, options...)
	if err != nil {
		t.Fatalf("put %q to %s: %v", key, bucket, err)
	}
	return out
}

func (s side) tryPut(t *testing.T, bucket, key, body string, options ...func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
	t.Helper()
	in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}
	for _, o := range options {
		o(in)
	}
	return s.s3.PutObject(t.Context(), in)
}

// share lets the destination's account read a bucket of the source, and names the owner beside it: to
// versitygw a policy is all that counts.
func (w *world) share(t *testing.T, bucket string) {
	t.Helper()
	document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"Guest","Effect":"Allow","Principal":{"AWS":%q},`+
		`"Action":["s3:ListBucket","s3:GetObject","s3:GetObjectTagging"],"Resource":["arn:aws:s3:::%[2]s","arn:aws:s3:::%[2]s/*"]},`+
		`{"Sid":"Host","Effect":"Allow","Principal":{"AWS":%[3]q},"Action":"s3:*","Resource":["arn:aws:s3:::%[2]s","arn:aws:s3:::%[2]s/*"]}]}`,
		w.guest, bucket, w.host)
	_, err := w.source.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: aws.String(document)})
	if err != nil {
		t.Fatalf("share bucket %s: %v", bucket, err)
	}
	if w.server == awsName { // where it takes a moment
		time.Sleep(15 * time.Second)
	}
}
