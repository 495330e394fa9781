package test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/policy"
)

// A content is all of an object that a copy has to keep.
type content struct {
	sum                                          [sha256.Size]byte
	class, kind, encoding, disposition, language string
	cache, expires                               string
	metadata, tags                               map[string]string
}

func (c content) same(o content) bool {
	return c.sum == o.sum && c.class == o.class && c.kind == o.kind && c.encoding == o.encoding && c.disposition == o.disposition &&
		c.language == o.language && c.cache == o.cache && c.expires == o.expires && maps.Equal(c.metadata, o.metadata) && maps.Equal(c.tags, o.tags)
}

// contents reads a whole bucket as its owner.
func (s side) contents(t *testing.T, bucket string, tags bool) map[string]content {
	t.Helper()
	all := map[string]content{}
	in := &s3.ListObjectsV2Input{Bucket: &bucket, EncodingType: "url"}
	for {
		page, err := s.s3.ListObjectsV2(t.Context(), in)
		if err != nil {
			t.Fatalf("list %s: %v", bucket, err)
		}
		for _, o := range page.Contents {
			key := *o.Key
			if page.EncodingType == "url" {
				key = unescape(t, key)
			}
			all[key] = s.content(t, bucket, key, tags)
		}
		if in.ContinuationToken = page.NextContinuationToken; !aws.ToBool(page.IsTruncated) {
			return all
		}
	}
}

func (s side) content(t *testing.T, bucket, key string, tags bool) content {
	t.Helper()
	out, err := s.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("read %q of %s: %v", key, bucket, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("read %q of %s: %v", key, bucket, err)
	}
	c := content{
		sum: sha256.Sum256(body), class: string(out.StorageClass), kind: aws.ToString(out.ContentType), encoding: aws.ToString(out.ContentEncoding),
		disposition: aws.ToString(out.ContentDisposition), language: aws.ToString(out.ContentLanguage), cache: aws.ToString(out.CacheControl),
		expires: aws.ToString(out.ExpiresString), metadata: out.Metadata, tags: map[string]string{},
	}
	if !tags {
		return c
	}
	set, err := s.s3.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("tags of %q of %s: %v", key, bucket, err)
	}
	for _, tag := range set.TagSet {
		c.tags[*tag.Key] = *tag.Value
	}
	return c
}

// isCopied compares both buckets in bytes, headers, metadata, class and, where the server keeps them, tags.
func (r *recipe) isCopied(t *testing.T) {
	t.Helper()
	tags := r.differs(tagsAcross) == ""
	a, b := r.source.contents(t, r.bucket, tags), r.destination.contents(t, r.copy, tags)
	if len(a) < r.objects || len(a) != len(b) {
		t.Errorf("%d objects became %d", len(a), len(b))
	}
	for key, want := range a {
		if got, ok := b[key]; !ok || !got.same(want) {
			t.Errorf("%q is copied: %t, as\n%+v, and the source is\n%+v", key, ok, got, want)
		}
	}
}

// isClean looks for everything that a run could leave.
func (r *recipe) isClean(t *testing.T) {
	t.Helper()
	keys, err := r.destination.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: &r.user})
	if err != nil || len(keys.AccessKeyMetadata) != r.ownKeys {
		t.Errorf("the user has %d keys, and had %d, %v", len(keys.AccessKeyMetadata), r.ownKeys, err)
	}
	attached, err := r.destination.iam.ListAttachedUserPolicies(t.Context(), &iam.ListAttachedUserPoliciesInput{UserName: &r.user})
	if err != nil || len(attached.AttachedPolicies) != 0 {
		t.Errorf("attached are %+v, %v", attached.AttachedPolicies, err)
	}
	policies, err := r.destination.iam.ListPolicies(t.Context(), &iam.ListPoliciesInput{Scope: "Local"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range policies.Policies {
		if *p.PolicyName == r.policy {
			t.Errorf("the policy %s is left", r.policy)
		}
	}
	if now := r.bucketPolicy(t); !policy.Equal(now, parse(t, r.others)) {
		t.Errorf("the bucket policy was\n%s\nand is\n%s", r.others, policyText(now))
	}
	uploads, err := r.destination.s3.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &r.copy})
	if err != nil || len(uploads.Uploads) > r.undated {
		t.Errorf("left are %d uploads, %v", len(uploads.Uploads), err)
	}
}

func (r *recipe) bucketPolicy(t *testing.T) policy.Document {
	t.Helper()
	out, err := r.source.s3.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &r.bucket})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, *out.Policy)
}

func policyText(d policy.Document) string {
	var sids []string
	for _, s := range d.Statements {
		sids = append(sids, fmt.Sprintf("%+v", s))
	}
	slices.Sort(sids)
	return fmt.Sprint(sids)
}
