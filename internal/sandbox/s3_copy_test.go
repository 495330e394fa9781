package sandbox

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// copyIn is a copy of tommy/k to tommy/copy, changed by f.
func copyIn(f func(*s3.CopyObjectInput)) *s3.CopyObjectInput {
	in := &s3.CopyObjectInput{Bucket: aws.String("tommy"), Key: aws.String("copy"), CopySource: aws.String("tommy/k")}
	f(in)
	return in
}

func TestACopySharesEveryByte(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	body := []byte(strings.Repeat("x", 1000))
	if err := w.PutObject("tommy", "k", body, PutOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := w.src.CopyObject(t.Context(), copyIn(func(*s3.CopyObjectInput) {}))
	wantAnswer(t, err, "")
	b, err := w.s3.find("tommy")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.version("copy", "").body.segments[0].data; &got[0] != &body[0] {
		t.Error("the copy has bytes of its own")
	}
}

func TestACopyKeepsWhatS3Keeps(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "hello", PutOptions{
		ContentType: "text/plain", Metadata: map[string]string{"a": "1"}, Tags: map[string]string{"t": "v"},
		StorageClass: "STANDARD_IA", WebsiteRedirect: "/x", Checksum: "SHA256",
	})
	out, err := w.src.CopyObject(ctx, copyIn(func(*s3.CopyObjectInput) {}))
	wantAnswer(t, err, "")
	objects := w.Objects("tommy")
	dup, old := objects[0], objects[1]
	if dup.ContentType != "text/plain" || dup.Metadata["a"] != "1" || dup.Tags["t"] != "v" || dup.Checksum != old.Checksum || dup.ETag != old.ETag {
		t.Errorf("the copy lost something: %+v", dup)
	}
	if dup.StorageClass != classStandard || dup.WebsiteRedirect != "" {
		t.Errorf("the copy kept the class %q or the redirect %q", dup.StorageClass, dup.WebsiteRedirect)
	}
	if got := aws.ToString(out.CopyObjectResult.ChecksumSHA256); got != old.Checksum {
		t.Errorf("answered checksum %q, want %q", got, old.Checksum)
	}
	_, err = w.src.CopyObject(ctx, copyIn(func(in *s3.CopyObjectInput) {
		in.MetadataDirective, in.TaggingDirective = types.MetadataDirectiveReplace, types.TaggingDirectiveReplace
		in.Metadata, in.Tagging = map[string]string{"b": "2"}, aws.String("x=y")
		in.StorageClass = types.StorageClassGlacierIr
		in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32c
	}))
	wantAnswer(t, err, "")
	dup = w.Objects("tommy")[0]
	if len(dup.Metadata) != 1 || dup.Metadata["b"] != "2" || len(dup.Tags) != 1 || dup.Tags["x"] != "y" ||
		dup.ContentType == "text/plain" || dup.StorageClass != "GLACIER_IR" || dup.ChecksumAlgorithm != "CRC32C" {
		t.Errorf("the copy did not replace: %+v", dup)
	}
}

func TestCopiesThatS3Refuses(t *testing.T) {
	clock := newFakeClock()
	w := newS3World(t, Config{Clock: clock.Now, S3: S3Config{MaxCopy: 10}})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.bucket(DestinationAccount, "tommy-b", BucketOptions{})
	w.object("k", "hello", PutOptions{})
	w.object("big", "hello hello", PutOptions{})
	w.object("there", "x", PutOptions{})
	before := clock.Now().Add(-time.Hour)
	const etag = `"5d41402abc4b2a76b9719d911017c592"`
	for name, c := range map[string]struct {
		in   *s3.CopyObjectInput
		want string
	}{
		"source's etag":    {copyIn(func(in *s3.CopyObjectInput) { in.CopySourceIfMatch = aws.String(etag) }), ""},
		"source changed":   {copyIn(func(in *s3.CopyObjectInput) { in.CopySourceIfMatch = aws.String(`"x"`) }), "PreconditionFailed"},
		"source unchanged": {copyIn(func(in *s3.CopyObjectInput) { in.CopySourceIfNoneMatch = aws.String(etag) }), "PreconditionFailed"},
		"source too new":   {copyIn(func(in *s3.CopyObjectInput) { in.CopySourceIfUnmodifiedSince = &before }), "PreconditionFailed"},
		"onto another":     {copyIn(func(in *s3.CopyObjectInput) { in.Key, in.IfNoneMatch = aws.String("there"), aws.String("*") }), "PreconditionFailed"},
		"onto the right one": {copyIn(func(in *s3.CopyObjectInput) {
			in.Key, in.IfMatch = aws.String("there"), aws.String(`"9dd4e461268c8034f5c8564e155c67a6"`)
		}), ""},
		"onto itself":         {copyIn(func(in *s3.CopyObjectInput) { in.Key = aws.String("k") }), "InvalidRequest"},
		"onto itself in IA":   {copyIn(func(in *s3.CopyObjectInput) { in.Key, in.StorageClass = aws.String("k"), types.StorageClassStandardIa }), ""},
		"too large":           {copyIn(func(in *s3.CopyObjectInput) { in.CopySource = aws.String("tommy/big") }), "InvalidRequest"},
		"no such key":         {copyIn(func(in *s3.CopyObjectInput) { in.CopySource = aws.String("tommy/nope") }), "NoSuchKey"},
		"no such bucket":      {copyIn(func(in *s3.CopyObjectInput) { in.CopySource = aws.String("nope/k") }), "NoSuchBucket"},
		"no such version":     {copyIn(func(in *s3.CopyObjectInput) { in.CopySource = aws.String("tommy/k?versionId=x") }), "NoSuchVersion"},
		"no key":              {copyIn(func(in *s3.CopyObjectInput) { in.CopySource = aws.String("tommy") }), "InvalidArgument"},
		"directive":           {copyIn(func(in *s3.CopyObjectInput) { in.MetadataDirective = "MERGE" }), "InvalidArgument"},
		"source's owner":      {copyIn(func(in *s3.CopyObjectInput) { in.ExpectedSourceBucketOwner = aws.String(SourceAccount) }), ""},
		"another source":      {copyIn(func(in *s3.CopyObjectInput) { in.ExpectedSourceBucketOwner = aws.String(DestinationAccount) }), "AccessDenied"},
		"another destination": {copyIn(func(in *s3.CopyObjectInput) { in.ExpectedBucketOwner = aws.String(DestinationAccount) }), "AccessDenied"},
		"into another's":      {copyIn(func(in *s3.CopyObjectInput) { in.Bucket = aws.String("tommy-b") }), "AccessDenied"},
	} {
		_, err := w.src.CopyObject(t.Context(), c.in)
		if got := errorCode(err); got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
		}
	}
}

func TestHostileKeysAreCopied(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.bucket(SourceAccount, "tommy-2", BucketOptions{})
	for _, key := range hostileKeys() {
		w.object(key, key, PutOptions{})
		source := strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape("tommy/"+key), "+", "%20"), "%2F", "/")
		_, err := w.src.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("tommy-2"), Key: &key, CopySource: &source})
		if err != nil {
			t.Errorf("copy %q: %v", key, err)
			continue
		}
		if got := get(t, w.src, "tommy-2", key); got != key {
			t.Errorf("key %q holds %q", key, got)
		}
	}
}

func TestAPlusInACopySourceIsASpace(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("a b", "space", PutOptions{})
	w.object("a+b", "plus", PutOptions{})
	_, err := w.src.CopyObject(t.Context(), copyIn(func(in *s3.CopyObjectInput) { in.CopySource = aws.String("tommy/a+b") }))
	wantAnswer(t, err, "")
	if got := get(t, w.src, "tommy", "copy"); got != "space" {
		t.Errorf("copied %q", got)
	}
}

func TestAnObjectChangedAfterItsListingIsSeen(t *testing.T) {
	w := newS3World(t, Config{})
	w.Inject(Fault{Operation: "CopyObject", Do: FaultDelay, Call: func() { _ = w.PutObject("tommy", "k", []byte("newer"), PutOptions{}) }})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "older", PutOptions{})
	page, err := w.src.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tommy")})
	wantAnswer(t, err, "")
	_, err = w.src.CopyObject(t.Context(), copyIn(func(in *s3.CopyObjectInput) { in.CopySourceIfMatch = page.Contents[0].ETag }))
	wantAnswer(t, err, "PreconditionFailed")
}

func TestCopiesOfEncryptedObjectsNeedTheirKeys(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	key, err := w.AddKMSKey(SourceAccount, defaultRegion, "")
	if err != nil {
		t.Fatal(err)
	}
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.bucket(SourceAccount, "sealed", BucketOptions{Encryption: sseKMS, KMSKey: key})
	w.object("k", "hello", PutOptions{Encryption: sseKMS, KMSKey: key})
	_, err = w.src.CopyObject(ctx, copyIn(func(*s3.CopyObjectInput) {}))
	wantAnswer(t, err, "")
	poor, _ := w.user(SourceAccount, "poor", allowAll("s3:*"))
	_, err = poor.CopyObject(ctx, copyIn(func(*s3.CopyObjectInput) {}))
	wantAnswer(t, err, "AccessDenied")
	_, err = poor.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("sealed"), Key: aws.String("k")})
	wantAnswer(t, err, "AccessDenied")
	out, err := w.src.CopyObject(ctx, copyIn(func(in *s3.CopyObjectInput) { in.Bucket = aws.String("sealed") }))
	wantAnswer(t, err, "")
	if out.ServerSideEncryption != types.ServerSideEncryptionAwsKms || aws.ToString(out.SSEKMSKeyId) != key {
		t.Errorf("encrypted with %s %s", out.ServerSideEncryption, aws.ToString(out.SSEKMSKeyId))
	}
	sealed, plain := w.Objects("sealed")[0], w.Objects("tommy")[0]
	if sealed.ETag == plain.ETag || sealed.MD5 != plain.MD5 {
		t.Errorf("ETags %s and %s, MD5s %s and %s", sealed.ETag, plain.ETag, sealed.MD5, plain.MD5)
	}
}

func TestCustomerKeysMustBeShown(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "x", PutOptions{CustomerKeyMD5: "DWygnHRtgiJ77HCm+1rvHw=="})
	_, err := w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k})
	wantAnswer(t, err, "InvalidRequest")
	_, err = w.src.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: k})
	wantAnswer(t, err, "BadRequest")
	_, err = w.src.CopyObject(ctx, copyIn(func(*s3.CopyObjectInput) {}))
	wantAnswer(t, err, "InvalidRequest")
}

func TestCustomerKeysOpenTheirObjects(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	customer := func(c string) (key, sum *string) {
		raw := []byte(strings.Repeat(c, 32))
		digest := bodyOf(raw).md5()
		return aws.String(base64.StdEncoding.EncodeToString(raw)), aws.String(base64.StdEncoding.EncodeToString(digest[:]))
	}
	algorithm := aws.String("AES256")
	key, sum := customer("k")
	_, err := w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, Body: strings.NewReader("hello"), SSECustomerAlgorithm: algorithm, SSECustomerKey: key, SSECustomerKeyMD5: sum})
	wantAnswer(t, err, "")
	out, err := w.src.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: k, SSECustomerAlgorithm: algorithm, SSECustomerKey: key, SSECustomerKeyMD5: sum})
	wantAnswer(t, err, "")
	if *out.ETag == `"5d41402abc4b2a76b9719d911017c592"` {
		t.Error("the ETag of a sealed object is its MD5")
	}
	other, otherSum := customer("x")
	_, err = w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k, SSECustomerAlgorithm: algorithm, SSECustomerKey: other, SSECustomerKeyMD5: otherSum})
	wantAnswer(t, err, "AccessDenied")
	_, err = w.src.CopyObject(ctx, copyIn(func(in *s3.CopyObjectInput) {
		in.CopySourceSSECustomerAlgorithm, in.CopySourceSSECustomerKey, in.CopySourceSSECustomerKeyMD5 = algorithm, key, sum
	}))
	wantAnswer(t, err, "")
	if got := w.Objects("tommy")[0]; got.Encryption != sseAES256 || got.ETag != "5d41402abc4b2a76b9719d911017c592" {
		t.Errorf("copied %+v", got)
	}
}
