package awsapi

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// CreateBucket makes the bucket with its settings. Ownership is enforced by the very request that makes it, which also
// tags it, so that it is known as the plan's even if nothing comes after; and public access is blocked before anything else is set. A bucket that this account owns already is
// configured; another account's is an error.
func (s *session) CreateBucket(ctx context.Context, b compile.BucketSpec) error {
	have, _, err := s.Bucket(ctx, b.Name)
	if err != nil {
		return err
	}
	region := cmp.Or(b.Region, s.cfg.Region)
	switch {
	case have.Foreign:
		return &RequestError{
			Doing: "create bucket " + b.Name, Message: "the name is taken by another account",
			means: []error{s3copy.ErrDenied, compile.ErrDenied},
		}
	case have.Exists:
		region = cmp.Or(have.Region, region)
	default:
		if err := s.newBucket(ctx, b, region); err != nil {
			return err
		}
	}
	s.remember(b.Name, region)
	return s.configure(ctx, b, have, region)
}

func (s *session) newBucket(ctx context.Context, b compile.BucketSpec, region string) error {
	in := &s3.CreateBucketInput{Bucket: &b.Name}
	if b.Settings.ObjectLock {
		in.ObjectLockEnabledForBucket = aws.Bool(true)
	}
	if s.account.IsAWS() {
		in.ObjectOwnership = types.ObjectOwnershipBucketOwnerEnforced
		in.CreateBucketConfiguration = birth(region, tagSet(s.tagsOf(b, nil)))
	}
	client := s.s3Client(clientKey{region: region, owner: s.account.ID})
	_, err := client.CreateBucket(ctx, in)
	if c := in.CreateBucketConfiguration; c != nil && len(c.Tags) > 0 && errorCode(err) == "AccessDenied" {
		in.CreateBucketConfiguration = birth(region, nil) // without s3:TagResource it is tagged afterwards
		_, err = client.CreateBucket(ctx, in)
	}
	if errorCode(err) == "IllegalLocationConstraintException" && region != defaultRegion && in.CreateBucketConfiguration == nil {
		in.CreateBucketConfiguration = birth(region, nil) // most servers have one region and want nothing said; this one does
		_, err = client.CreateBucket(ctx, in)
	}
	if errorCode(err) == "BucketAlreadyOwnedByYou" {
		return nil
	}
	if errorCode(err) == "BucketAlreadyExists" {
		return &RequestError{Doing: "create bucket " + b.Name, Code: errorCode(err), Message: "the name is taken by another account"}
	}
	if err != nil {
		return failed(err, "create bucket %s in %s", b.Name, region)
	}
	return nil
}

// birth is what the request that makes a bucket says of it: us-east-1 is not named. nil says nothing.
func birth(region string, tags []types.Tag) *types.CreateBucketConfiguration {
	if region == defaultRegion {
		region = ""
	}
	if region == "" && len(tags) == 0 {
		return nil
	}
	return &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region), Tags: tags}
}

// A setting is one write of a bucket's configuration.
type setting struct {
	what string
	want bool // it differs from what stands
	put  func(ctx context.Context, c *s3.Client, name *string, o func(*s3.Options)) error
}

// configure writes the settings that differ, what makes the bucket safe first.
func (s *session) configure(ctx context.Context, b compile.BucketSpec, have compile.Bucket, region string) error {
	c := s.s3Client(clientKey{region: region, owner: s.account.ID})
	wait := func(o *s3.Options) { o.Retryer = s.options.retries.settling() }
	for _, set := range s.settings(b, have) {
		if !set.want {
			continue
		}
		if err := set.put(ctx, c, &b.Name, wait); err != nil {
			return failed(err, "set %s of bucket %s", set.what, b.Name)
		}
	}
	return nil
}

func (s *session) settings(b compile.BucketSpec, have compile.Bucket) []setting {
	encryption := b.Settings.Encryption
	if encryption.Algorithm == "" && have.Encryption.Algorithm == "" && s.account.IsAWS() {
		encryption = plan.Encryption{Algorithm: string(types.ServerSideEncryptionAes256)}
	}
	tags := s.tagsOf(b, have.Tags)
	return []setting{
		{"the public access block", s.account.IsAWS() && !have.PublicAccess.All(), putPublicAccess},
		{"ownership", s.account.IsAWS() && have.Ownership != string(types.ObjectOwnershipBucketOwnerEnforced), putOwnership},
		{"encryption", encryption.Algorithm != "" && encryption != have.Encryption, putEncryption(encryption)},
		{"versioning", b.Settings.Versioning && have.Versioning != string(types.BucketVersioningStatusEnabled), putVersioning},
		{"tags", !maps.Equal(tags, have.Tags) && len(tags) > 0, putTags(tags)},
	}
}

// tagsOf are the bucket's tags: those that stand, the plan's, and ours where the server has accounts.
func (s *session) tagsOf(b compile.BucketSpec, have map[string]string) map[string]string {
	tags := maps.Clone(have)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, b.Settings.Tags)
	if s.account.IsAWS() {
		maps.Copy(tags, b.Tags)
	}
	return tags
}

func putPublicAccess(ctx context.Context, c *s3.Client, name *string, o func(*s3.Options)) error {
	yes := aws.Bool(true)
	_, err := c.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: name,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: yes, IgnorePublicAcls: yes, BlockPublicPolicy: yes, RestrictPublicBuckets: yes,
		},
	}, o)
	return err
}

func putOwnership(ctx context.Context, c *s3.Client, name *string, o func(*s3.Options)) error {
	_, err := c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{
		Bucket: name,
		OwnershipControls: &types.OwnershipControls{
			Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}},
		},
	}, o)
	return err
}

func putEncryption(e plan.Encryption) func(context.Context, *s3.Client, *string, func(*s3.Options)) error {
	rule := types.ServerSideEncryptionRule{
		ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
			SSEAlgorithm: types.ServerSideEncryption(e.Algorithm), KMSMasterKeyID: optional(e.KMSKeyID),
		},
	}
	if e.BucketKey {
		rule.BucketKeyEnabled = aws.Bool(true)
	}
	return func(ctx context.Context, c *s3.Client, name *string, o func(*s3.Options)) error {
		_, err := c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
			Bucket:                            name,
			ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{rule}},
		}, o)
		return err
	}
}

func putVersioning(ctx context.Context, c *s3.Client, name *string, o func(*s3.Options)) error {
	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  name,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}, o)
	return err
}

// putTags replaces all tags but AWS's own.
func putTags(tags map[string]string) func(context.Context, *s3.Client, *string, func(*s3.Options)) error {
	set := tagSet(tags)
	return func(ctx context.Context, c *s3.Client, name *string, o func(*s3.Options)) error {
		_, err := c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: name, Tagging: &types.Tagging{TagSet: set}}, o)
		return err
	}
}

// tagSet is sorted, and leaves out AWS's own tags, which nobody else may write.
func tagSet(tags map[string]string) []types.Tag {
	var set []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if !strings.HasPrefix(k, "aws:") {
			set = append(set, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
		}
	}
	return set
}

// DeleteBucket deletes an empty bucket; a missing one is no error.
func (s *session) DeleteBucket(ctx context.Context, b compile.BucketSpec) error {
	region, err := s.home(ctx, b.Name, s.account.ID, b.Region)
	if err == nil {
		_, err = s.s3Client(clientKey{region: region, owner: s.account.ID}).DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b.Name})
		if err != nil {
			err = because404(failed(err, "delete bucket %s", b.Name), s3copy.ErrNoBucket)
		}
	}
	return unless(err, s3copy.ErrNoBucket)
}

// optional is nil for "".
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
