package sandbox

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func listDecode(t *testing.T, s string) string {
	t.Helper()
	out, err := url.QueryUnescape(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestObjectsComeBackAsTheyWerePut(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	_, err := w.src.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("tommy"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: defaultRegion}})
	wantAnswer(t, err, "")
	out, err := w.src.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("tommy"), Key: aws.String("a/b"), Body: strings.NewReader("hello"),
		ContentType: aws.String("text/plain"), CacheControl: aws.String("no-cache"), Metadata: map[string]string{"who": "fred"},
		Tagging: aws.String("k=v&x=y%20z"), StorageClass: types.StorageClassStandardIa,
	})
	wantAnswer(t, err, "")
	if got, want := aws.ToString(out.ETag), `"5d41402abc4b2a76b9719d911017c592"`; got != want {
		t.Errorf("ETag %s, want %s", got, want)
	}
	if got := get(t, w.src, "tommy", "a/b"); got != "hello" {
		t.Errorf("body %q, want hello", got)
	}
	head, err := w.src.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("tommy"), Key: aws.String("a/b"), ChecksumMode: types.ChecksumModeEnabled})
	wantAnswer(t, err, "")
	if *head.ContentType != "text/plain" || head.Metadata["who"] != "fred" || head.StorageClass != types.StorageClassStandardIa ||
		*head.CacheControl != "no-cache" || *head.ContentLength != 5 || *head.TagCount != 2 || head.ChecksumType != types.ChecksumTypeFullObject {
		t.Errorf("head %+v", head)
	}
	keys := allKeys(ctx, t, w.src, &s3.ListObjectsV2Input{Bucket: aws.String("tommy")})
	if !slices.Equal(keys, []string{"a/b"}) {
		t.Errorf("keys %q", keys)
	}
	_, err = w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("tommy"), Key: aws.String("a/b")})
	wantAnswer(t, err, "")
	_, err = w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("tommy"), Key: aws.String("a/b")})
	wantAnswer(t, err, "NoSuchKey")
	_, err = w.src.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("tommy"), Key: aws.String("a/b")})
	wantAnswer(t, err, "NotFound")
}

func TestCopyAcrossAccountsNeedsBothSides(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.bucket(DestinationAccount, "tommy-b", BucketOptions{})
	w.object("k", "hello", PutOptions{Tags: map[string]string{"a": "b"}})
	user, arn := w.user(DestinationAccount, "misterrodgers", "")
	dup := func() error {
		_, err := user.CopyObject(ctx, &s3.CopyObjectInput{
			Bucket: aws.String("tommy-b"), Key: aws.String("k"), CopySource: aws.String("tommy/k"),
			ExpectedBucketOwner: aws.String(DestinationAccount), ExpectedSourceBucketOwner: aws.String(SourceAccount),
		})
		return err
	}
	allow := func(actions string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"D","Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":[` + actions + `],"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]}]}`
	}
	identity := func(actions string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + actions + `],"Resource":["arn:aws:s3:::tommy*","arn:aws:s3:::tommy-b/*","arn:aws:s3:::tommy/*"]}]}`
	}
	const bucketSide = `"s3:ListBucket","s3:GetObject","s3:GetObjectTagging"`
	const userSide = bucketSide + `,"s3:PutObject","s3:PutObjectTagging"`
	set := func(bucketPolicy, userPolicy string) {
		t.Helper()
		if err := w.SetBucketPolicy("tommy", bucketPolicy); err != nil {
			t.Fatal(err)
		}
		if err := w.PutInlinePolicy(arn, "inline", userPolicy); err != nil {
			t.Fatal(err)
		}
	}
	wantAnswer(t, dup(), "AccessDenied")
	set(allow(bucketSide), identity(userSide))
	wantAnswer(t, dup(), "")
	for name, c := range map[string]struct{ bucket, user string }{
		"no bucket policy":             {"", identity(userSide)},
		"bucket policy without get":    {allow(`"s3:ListBucket","s3:GetObjectTagging"`), identity(userSide)},
		"bucket policy without tags":   {allow(`"s3:ListBucket","s3:GetObject"`), identity(userSide)},
		"user without get":             {allow(bucketSide), identity(`"s3:GetObjectTagging","s3:PutObject","s3:PutObjectTagging"`)},
		"user without source tags":     {allow(bucketSide), identity(`"s3:GetObject","s3:PutObject","s3:PutObjectTagging"`)},
		"user without put":             {allow(bucketSide), identity(bucketSide + `,"s3:PutObjectTagging"`)},
		"user without destination tag": {allow(bucketSide), identity(bucketSide + `,"s3:PutObject"`)},
	} {
		set(c.bucket, c.user)
		if err := dup(); err == nil {
			t.Errorf("%s: copied", name)
		} else {
			wantAnswer(t, err, "AccessDenied")
		}
	}
	set(allow(bucketSide), identity(userSide))
	wantAnswer(t, dup(), "")
	src, dst := w.Objects("tommy"), w.Objects("tommy-b")
	if len(dst) != 1 || dst[0].MD5 != src[0].MD5 || dst[0].ETag != src[0].ETag || dst[0].Tags["a"] != "b" || dst[0].Owner != DestinationAccount {
		t.Errorf("copied %+v from %+v", dst, src)
	}
}
