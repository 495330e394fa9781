package sandbox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestBucketNamesAreGlobal(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	_, err := w.src.CreateBucket(ctx, westBucket("tommy"))
	wantAnswer(t, err, "")
	_, err = w.src.CreateBucket(ctx, westBucket("tommy"))
	wantAnswer(t, err, "BucketAlreadyOwnedByYou")
	_, err = w.dst.CreateBucket(ctx, westBucket("tommy"))
	wantAnswer(t, err, "BucketAlreadyExists")
	_, err = w.dst.CreateBucket(ctx, westBucket("Tommy_B"))
	wantAnswer(t, err, "InvalidBucketName")
	out, err := w.dst.ListBuckets(ctx, &s3.ListBucketsInput{})
	wantAnswer(t, err, "")
	if len(out.Buckets) != 0 {
		t.Errorf("the other account lists %d buckets, want none", len(out.Buckets))
	}
}

func TestNewBucketsAreClosed(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	_, err := w.src.CreateBucket(ctx, westBucket("tommy"))
	wantAnswer(t, err, "")
	block, err := w.src.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b})
	wantAnswer(t, err, "")
	if c := block.PublicAccessBlockConfiguration; !*c.BlockPublicAcls || !*c.BlockPublicPolicy || !*c.IgnorePublicAcls || !*c.RestrictPublicBuckets {
		t.Errorf("public access block %+v, want all on", c)
	}
	owner, err := w.src.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: b})
	wantAnswer(t, err, "")
	if got := owner.OwnershipControls.Rules[0].ObjectOwnership; got != types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("ownership %s", got)
	}
	enc, err := w.src.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: b})
	wantAnswer(t, err, "")
	if got := enc.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm; got != types.ServerSideEncryptionAes256 {
		t.Errorf("default encryption %s", got)
	}
	loc, err := w.src.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: b})
	wantAnswer(t, err, "")
	if loc.LocationConstraint != defaultRegion {
		t.Errorf("location %q", loc.LocationConstraint)
	}
}

func TestAnEndpointOfAnotherRegionRedirects(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	w.bucket(SourceAccount, "tommy", BucketOptions{Region: "eu-west-1"})
	w.bucket(SourceAccount, "classic", BucketOptions{Region: "us-east-1"})
	_, err := w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("tommy")})
	wantAnswer(t, err, "PermanentRedirect")
	_, err = w.src.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("tommy")})
	if err == nil || !strings.Contains(err.Error(), "301") {
		t.Errorf("HeadBucket in the wrong region: %v, want status 301", err)
	}
	there := func(o *s3.Options) { o.Region = "eu-west-1" }
	head, err := w.src.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("tommy")}, there)
	wantAnswer(t, err, "")
	if got := aws.ToString(head.BucketRegion); got != "eu-west-1" {
		t.Errorf("region %q", got)
	}
	loc, err := w.src.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String("classic")})
	wantAnswer(t, err, "")
	if loc.LocationConstraint != "" {
		t.Errorf("us-east-1 has the location %q, want none", loc.LocationConstraint)
	}
	_, err = w.src.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("tommy-2")})
	wantAnswer(t, err, "IllegalLocationConstraintException")
	_, err = w.src.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("tommy-2")}, func(o *s3.Options) { o.Region = "us-east-1" })
	wantAnswer(t, err, "")
}

// virtualHosts makes a client name buckets by hosts, and finds those.
func (w *s3World) virtualHosts(o *s3.Options) {
	tr := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(w.URL(), "http://"))
	}}
	w.t.Cleanup(tr.CloseIdleConnections)
	o.HTTPClient = &http.Client{Transport: tr}
	o.UsePathStyle = false
	o.BaseEndpoint = aws.String(strings.Replace(w.URL(), "127.0.0.1", "localhost", 1))
}

func TestVirtualHostsNameBuckets(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("a b/+c", "hello", PutOptions{})
	id, secret := w.Admin(SourceAccount)
	c := w.client(id, secret, w.virtualHosts)
	if got := get(t, c, "tommy", "a b/+c"); got != "hello" {
		t.Errorf("body %q", got)
	}
}

func TestOnlyEmptyBucketsAreDeleted(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	_, err := w.src.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantAnswer(t, err, "NoSuchBucket")
	w.bucket(SourceAccount, "tommy", BucketOptions{Versioning: versioningEnabled})
	w.object("k", "x", PutOptions{})
	_, err = w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: aws.String("k")})
	wantAnswer(t, err, "")
	_, err = w.src.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantAnswer(t, err, "BucketNotEmpty")
	w.RemoveObject("tommy", "k")
	_, err = w.dst.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantAnswer(t, err, "AccessDenied")
	_, err = w.src.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantAnswer(t, err, "")
	_, err = w.src.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: b})
	wantAnswer(t, err, "NotFound")
}

func TestTheWrongOwnerIsRefused(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	_, err := w.src.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: b, ExpectedBucketOwner: aws.String(SourceAccount)})
	wantAnswer(t, err, "")
	_, err = w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, ExpectedBucketOwner: aws.String(DestinationAccount)})
	wantAnswer(t, err, "AccessDenied")
	_, err = w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, ExpectedBucketOwner: aws.String("12")})
	wantAnswer(t, err, "InvalidBucketOwnerAWSAccountID")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: aws.String("k"), ExpectedBucketOwner: aws.String(DestinationAccount)})
	wantAnswer(t, err, "AccessDenied")
}

func bucketPolicy(principal, actions, resources, condition string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Principal":%s,"Action":%s,"Resource":%s%s}]}`, principal, actions, resources, condition)
}

func TestMalformedPoliciesAreRefused(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	const everybody, objects = `{"AWS":"123456789012"}`, `"arn:aws:s3:::tommy/*"`
	for name, c := range map[string]struct{ policy, message string }{
		"no JSON":              {"hello", "first byte"},
		"unknown principal":    {bucketPolicy(`{"AWS":"arn:aws:iam::210987654321:user/nobody"}`, `"s3:GetObject"`, objects, ""), "Invalid principal in policy"},
		"another bucket":       {bucketPolicy(everybody, `"s3:GetObject"`, `"arn:aws:s3:::tommy-b/*"`, ""), "invalid resource"},
		"another service":      {bucketPolicy(everybody, `"iam:GetUser"`, objects, ""), "invalid action"},
		"bucket action on key": {bucketPolicy(everybody, `"s3:ListBucket"`, objects, ""), "does not apply to any resource"},
		"object action alone":  {bucketPolicy(everybody, `"s3:GetObject"`, `"arn:aws:s3:::tommy"`, ""), "does not apply to any resource"},
		"too long":             {bucketPolicy(everybody, `"s3:GetObject"`, objects, strings.Repeat(" ", maxPolicySize)), "maximum allowed"},
	} {
		_, err := w.src.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: aws.String(c.policy)})
		if errorCode(err) != "MalformedPolicy" || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: %v, want MalformedPolicy with %q", name, err, c.message)
		}
	}
	_, err := w.src.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b})
	wantAnswer(t, err, "NoSuchBucketPolicy")
}

func TestPoliciesBelongToTheOwnersAccount(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	text := bucketPolicy(`{"AWS":"210987654321"}`, `"s3:*"`, `["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]`, "")
	_, err := w.dst.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &text})
	wantAnswer(t, err, "MethodNotAllowed")
	poor, _ := w.user(DestinationAccount, "poor", "")
	_, err = poor.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &text})
	wantAnswer(t, err, "AccessDenied")
	_, err = w.src.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &text})
	wantAnswer(t, err, "")
	out, err := w.src.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b})
	wantAnswer(t, err, "")
	if *out.Policy != w.BucketPolicy("tommy") || !strings.Contains(*out.Policy, "arn:aws:s3:::tommy/*") {
		t.Errorf("policy %s", *out.Policy)
	}
	_, err = w.src.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: b})
	wantAnswer(t, err, "")
	_, err = w.src.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: b})
	wantAnswer(t, err, "NoSuchBucketPolicy")
}

func TestPublicPoliciesAreHeldBack(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "x", PutOptions{})
	public := bucketPolicy(`"*"`, `"s3:GetObject"`, `"arn:aws:s3:::tommy/*"`, "")
	_, err := w.src.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &public})
	wantAnswer(t, err, "AccessDenied")
	if !strings.Contains(err.Error(), "BlockPublicPolicy") {
		t.Errorf("%v does not name BlockPublicPolicy", err)
	}
	set := func(policy, restrict bool) {
		t.Helper()
		_, err = w.src.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: b, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicPolicy: &policy, RestrictPublicBuckets: &restrict,
		}})
		wantAnswer(t, err, "")
	}
	set(false, true)
	_, err = w.src.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &public})
	wantAnswer(t, err, "")
	status, err := w.src.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: b})
	wantAnswer(t, err, "")
	if !*status.PolicyStatus.IsPublic {
		t.Error("the policy does not count as public")
	}
	read := func(c *s3.Client) error {
		_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: aws.String("k")})
		return err
	}
	wantAnswer(t, read(w.dst), "AccessDenied")
	wantAnswer(t, read(w.src), "")
	set(false, false)
	wantAnswer(t, read(w.dst), "")
	_, err = w.src.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: b})
	wantAnswer(t, err, "")
	_, err = w.src.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b})
	wantAnswer(t, err, "NoSuchPublicAccessBlockConfiguration")
}

func TestUnsetSettingsHaveTheirCodes(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	for want, call := range map[string]func() error{
		"NoSuchTagSet": func() error { _, err := w.src.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b}); return err },
		"NoSuchLifecycleConfiguration": func() error {
			_, err := w.src.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b})
			return err
		},
		"NoSuchCORSConfiguration": func() error { _, err := w.src.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: b}); return err },
		"ReplicationConfigurationNotFoundError": func() error {
			_, err := w.src.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: b})
			return err
		},
		"NoSuchWebsiteConfiguration": func() error { _, err := w.src.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b}); return err },
		"ObjectLockConfigurationNotFoundError": func() error {
			_, err := w.src.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: b})
			return err
		},
	} {
		wantAnswer(t, call(), want)
	}
	notes, err := w.src.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: b})
	wantAnswer(t, err, "")
	if len(notes.QueueConfigurations) != 0 {
		t.Errorf("notifications %+v", notes)
	}
	logs, err := w.src.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b})
	wantAnswer(t, err, "")
	if logs.LoggingEnabled != nil {
		t.Errorf("logging %+v", logs)
	}
}

func TestListedSettingsAreKeptByTheirIDs(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	put := func(id, inside string) error {
		_, err := w.src.PutBucketMetricsConfiguration(ctx, &s3.PutBucketMetricsConfigurationInput{Bucket: b, Id: &id, MetricsConfiguration: &types.MetricsConfiguration{Id: &inside}})
		return err
	}
	wantAnswer(t, put("one", "one"), "")
	wantAnswer(t, put("two", "two"), "")
	wantAnswer(t, put("one", "other"), "MalformedXML")
	list := func(c *s3.Client) (int, error) {
		out, err := c.ListBucketMetricsConfigurations(ctx, &s3.ListBucketMetricsConfigurationsInput{Bucket: b})
		if err != nil {
			return 0, err
		}
		return len(out.MetricsConfigurationList), nil
	}
	if n, err := list(w.src); n != 2 || err != nil {
		t.Errorf("%d are listed, %v", n, err)
	}
	_, err := list(w.dst)
	wantAnswer(t, err, "AccessDenied")
	one, err := w.src.GetBucketMetricsConfiguration(ctx, &s3.GetBucketMetricsConfigurationInput{Bucket: b, Id: aws.String("one")})
	wantAnswer(t, err, "")
	if *one.MetricsConfiguration.Id != "one" {
		t.Errorf("it is %+v", one.MetricsConfiguration)
	}
	_, err = w.src.DeleteBucketMetricsConfiguration(ctx, &s3.DeleteBucketMetricsConfigurationInput{Bucket: b, Id: aws.String("one")})
	wantAnswer(t, err, "")
	_, err = w.src.GetBucketMetricsConfiguration(ctx, &s3.GetBucketMetricsConfigurationInput{Bucket: b, Id: aws.String("one")})
	wantAnswer(t, err, "NoSuchConfiguration")
	other, err := w.src.ListBucketInventoryConfigurations(ctx, &s3.ListBucketInventoryConfigurationsInput{Bucket: b})
	wantAnswer(t, err, "")
	if len(other.InventoryConfigurationList) != 0 {
		t.Errorf("another kind has %+v", other.InventoryConfigurationList)
	}
}

func TestSettingsComeBackAsTheyWerePut(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	_, err := w.src.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: b, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{
		{ID: aws.String("old"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("logs/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(30)}},
	}}})
	wantAnswer(t, err, "")
	life, err := w.src.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b})
	wantAnswer(t, err, "")
	if len(life.Rules) != 1 || *life.Rules[0].ID != "old" || *life.Rules[0].Expiration.Days != 30 {
		t.Errorf("lifecycle %+v", life.Rules)
	}
	_, err = w.src.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: b})
	wantAnswer(t, err, "")
	_, err = w.src.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b})
	wantAnswer(t, err, "NoSuchLifecycleConfiguration")

	_, err = w.src.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: b, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("team"), Value: aws.String("tv - co/@ é")}}}})
	wantAnswer(t, err, "")
	tags, err := w.src.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b})
	wantAnswer(t, err, "")
	if len(tags.TagSet) != 1 || *tags.TagSet[0].Value != "tv - co/@ é" {
		t.Errorf("tags %+v", tags.TagSet)
	}
	_, err = w.src.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	wantAnswer(t, err, "")
	v, err := w.src.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: b})
	wantAnswer(t, err, "")
	if v.Status != types.BucketVersioningStatusEnabled {
		t.Errorf("versioning %q", v.Status)
	}
	_, err = w.src.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: b, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{
		{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms}, BucketKeyEnabled: aws.Bool(true)},
	}}})
	wantAnswer(t, err, "")
	enc, err := w.src.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: b})
	wantAnswer(t, err, "")
	if r := enc.ServerSideEncryptionConfiguration.Rules[0]; r.ApplyServerSideEncryptionByDefault.SSEAlgorithm != types.ServerSideEncryptionAwsKms || !*r.BucketKeyEnabled {
		t.Errorf("encryption %+v", r)
	}
	_, err = w.src.PutBucketRequestPayment(ctx, &s3.PutBucketRequestPaymentInput{Bucket: b, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: types.PayerRequester}})
	wantAnswer(t, err, "")
	pay, err := w.src.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: b})
	wantAnswer(t, err, "")
	if pay.Payer != types.PayerRequester {
		t.Errorf("payer %q", pay.Payer)
	}
}

func TestOthersPayWhereTheRequesterDoes(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	w.bucket(SourceAccount, "tommy", BucketOptions{RequesterPay: true})
	w.bucket(DestinationAccount, "tommy-b", BucketOptions{})
	w.object("k", "x", PutOptions{})
	if err := w.SetBucketPolicy("tommy", bucketPolicy(`{"AWS":"210987654321"}`, `"s3:*"`, `["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]`, "")); err != nil {
		t.Fatal(err)
	}
	in := &s3.CopyObjectInput{Bucket: aws.String("tommy-b"), Key: aws.String("k"), CopySource: aws.String("tommy/k")}
	_, err := w.dst.CopyObject(ctx, in)
	wantAnswer(t, err, "AccessDenied")
	in.RequestPayer = types.RequestPayerRequester
	out, err := w.dst.CopyObject(ctx, in)
	wantAnswer(t, err, "")
	if out.RequestCharged != types.RequestChargedRequester {
		t.Errorf("charged %q", out.RequestCharged)
	}
}

func TestADeletedPrincipalShowsAsItsID(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	boss := admin(t, w.Server, DestinationAccount).iam
	made, err := boss.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("fred")})
	wantAnswer(t, err, "")
	text := bucketPolicy(`{"AWS":"`+*made.User.Arn+`"}`, `"s3:GetObject"`, `"arn:aws:s3:::tommy/*"`, "")
	_, err = w.src.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &text})
	wantAnswer(t, err, "")
	if got := w.BucketPolicy("tommy"); !strings.Contains(got, *made.User.Arn) {
		t.Errorf("policy %s", got)
	}
	_, err = boss.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("fred")})
	wantAnswer(t, err, "")
	got := w.BucketPolicy("tommy")
	if !strings.Contains(got, *made.User.UserId) || strings.Contains(got, *made.User.Arn) {
		t.Errorf("policy %s does not show %s", got, *made.User.UserId)
	}
	_, err = w.src.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &got})
	wantAnswer(t, err, "MalformedPolicy")
}

func TestAVirtualHostOfAnotherRegionIsMalformed(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{Region: "eu-west-1"})
	id, secret := w.Admin(SourceAccount)
	c := w.client(id, secret, w.virtualHosts)
	_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tommy")})
	wantAnswer(t, err, "AuthorizationHeaderMalformed")
}
