package sandbox

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestRangesAnswerTheirBytes(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "0123456789", PutOptions{})
	for rng, want := range map[string]string{
		"bytes=0-0": "0", "bytes=2-4": "234", "bytes=7-": "789", "bytes=-2": "89", "bytes=8-100": "89", "bytes=-100": "0123456789",
	} {
		out, err := w.src.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("tommy"), Key: aws.String("k"), Range: &rng})
		wantAnswer(t, err, "")
		if err != nil {
			continue
		}
		body, _ := io.ReadAll(out.Body)
		_ = out.Body.Close()
		if string(body) != want || !strings.HasSuffix(aws.ToString(out.ContentRange), "/10") {
			t.Errorf("%s: %q (%s), want %q", rng, body, aws.ToString(out.ContentRange), want)
		}
	}
	_, err := w.src.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("tommy"), Key: aws.String("k"), Range: aws.String("bytes=10-")})
	wantAnswer(t, err, "InvalidRange")
}

func TestConditionalReads(t *testing.T) {
	clock := newFakeClock()
	w := newS3World(t, Config{Clock: clock.Now})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "hello", PutOptions{})
	const etag = `"5d41402abc4b2a76b9719d911017c592"`
	before, after := clock.Now().Add(-time.Hour), clock.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		in   s3.GetObjectInput
		want string
	}{
		"match":            {s3.GetObjectInput{IfMatch: aws.String(etag)}, ""},
		"no match":         {s3.GetObjectInput{IfMatch: aws.String(`"x"`)}, "PreconditionFailed"},
		"none match":       {s3.GetObjectInput{IfNoneMatch: aws.String(etag)}, "NotModified"},
		"none other":       {s3.GetObjectInput{IfNoneMatch: aws.String(`"x"`)}, ""},
		"modified":         {s3.GetObjectInput{IfModifiedSince: &before}, ""},
		"not modified":     {s3.GetObjectInput{IfModifiedSince: &after}, "NotModified"},
		"unmodified":       {s3.GetObjectInput{IfUnmodifiedSince: &after}, ""},
		"not unmodified":   {s3.GetObjectInput{IfUnmodifiedSince: &before}, "PreconditionFailed"},
		"match goes first": {s3.GetObjectInput{IfMatch: aws.String(etag), IfUnmodifiedSince: &before}, ""},
	} {
		c.in.Bucket, c.in.Key = aws.String("tommy"), aws.String("k")
		out, err := w.src.GetObject(t.Context(), &c.in)
		if got := errorCode(err); got != c.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
		}
		if err == nil {
			_ = out.Body.Close()
		}
	}
}

func TestConditionalWrites(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	_, err := w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, IfMatch: aws.String(`"x"`)})
	wantAnswer(t, err, "NoSuchKey")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, IfNoneMatch: aws.String("*")})
	wantAnswer(t, err, "")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, IfNoneMatch: aws.String("*")})
	wantAnswer(t, err, "PreconditionFailed")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, IfMatch: aws.String(`"x"`)})
	wantAnswer(t, err, "PreconditionFailed")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, IfMatch: aws.String(`"d41d8cd98f00b204e9800998ecf8427e"`)})
	wantAnswer(t, err, "")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, IfNoneMatch: aws.String(`"x"`)})
	wantAnswer(t, err, "NotImplemented")
	_, err = w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: k, IfMatch: aws.String(`"x"`)})
	wantAnswer(t, err, "PreconditionFailed")
	_, err = w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: k, IfMatch: aws.String(`"d41d8cd98f00b204e9800998ecf8427e"`)})
	wantAnswer(t, err, "")
}

func TestIfMatchNeedsGetObject(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "", PutOptions{})
	c, _ := w.user(SourceAccount, "writer", allowAll("s3:PutObject"))
	in := &s3.PutObjectInput{Bucket: aws.String("tommy"), Key: aws.String("k")}
	_, err := c.PutObject(t.Context(), in)
	wantAnswer(t, err, "")
	in.IfMatch = aws.String(`"d41d8cd98f00b204e9800998ecf8427e"`)
	_, err = c.PutObject(t.Context(), in)
	wantAnswer(t, err, "AccessDenied")
}

func TestAMissingKeyShowsOnlyToWhoMayList(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	blind, _ := w.user(SourceAccount, "blind", allowAll("s3:GetObject"))
	_, err := blind.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("tommy"), Key: aws.String("k")})
	wantAnswer(t, err, "AccessDenied")
	_, err = w.src.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("tommy"), Key: aws.String("k")})
	wantAnswer(t, err, "NoSuchKey")
}

func TestWrongDigestsAreRefused(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	sum := md5.Sum([]byte("other"))
	_, err := w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, Body: strings.NewReader("hello"), ContentMD5: aws.String(base64.StdEncoding.EncodeToString(sum[:]))})
	wantAnswer(t, err, "BadDigest")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, Body: strings.NewReader("hello"), ContentMD5: aws.String("x")})
	wantAnswer(t, err, "InvalidDigest")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, Body: strings.NewReader("hello"), ChecksumSHA1: aws.String(base64.StdEncoding.EncodeToString(make([]byte, 20)))})
	wantAnswer(t, err, "BadDigest")
	_, err = w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, Body: strings.NewReader("hello"), ChecksumSHA1: aws.String("AAAA")})
	wantAnswer(t, err, "InvalidRequest")
	if got := len(w.Objects("tommy")); got != 0 {
		t.Errorf("%d objects were stored", got)
	}
}

func TestEveryChecksumIsTheSDKs(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	for _, a := range checksumAlgorithms() {
		_, err := w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: aws.String(string(a)), Body: strings.NewReader("hello"), ChecksumAlgorithm: types.ChecksumAlgorithm(a)})
		wantAnswer(t, err, "")
		out, err := w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: aws.String(string(a)), ChecksumMode: types.ChecksumModeEnabled})
		wantAnswer(t, err, "")
		if _, err := io.ReadAll(out.Body); err != nil { // the SDK checks what it reads
			t.Errorf("%s: %v", a, err)
		}
		_ = out.Body.Close()
	}
	for _, o := range w.Objects("tommy") {
		if o.ChecksumAlgorithm != o.Key || o.ChecksumType != sumFullObject {
			t.Errorf("%s has the checksum %s %s", o.Key, o.ChecksumAlgorithm, o.ChecksumType)
		}
	}
	quiet := func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired }
	_, err := w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: aws.String("none"), Body: strings.NewReader("hello")}, quiet)
	wantAnswer(t, err, "")
	head, err := w.src.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: aws.String("none"), ChecksumMode: types.ChecksumModeEnabled})
	wantAnswer(t, err, "")
	if aws.ToString(head.ChecksumCRC64NVME) == "" {
		t.Error("no CRC64NVME where the client sent no checksum")
	}
}

func TestLimitsOfOneObject(t *testing.T) {
	w := newS3World(t, Config{S3: S3Config{MaxCopy: 100}})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	tags := make([]string, 11)
	for i := range tags {
		tags[i] = fmt.Sprintf("k%d=v", i)
	}
	in := func(f func(*s3.PutObjectInput)) *s3.PutObjectInput {
		in := &s3.PutObjectInput{Bucket: b, Key: aws.String("k")}
		f(in)
		return in
	}
	for want, input := range map[string]*s3.PutObjectInput{
		"":                              in(func(i *s3.PutObjectInput) { i.Key = aws.String(strings.Repeat("k", 1024)) }),
		"KeyTooLongError":               in(func(i *s3.PutObjectInput) { i.Key = aws.String(strings.Repeat("ü", 513)) }),
		"MetadataTooLarge":              in(func(i *s3.PutObjectInput) { i.Metadata = map[string]string{"a": strings.Repeat("x", 2048)} }),
		"BadRequest":                    in(func(i *s3.PutObjectInput) { i.Tagging = aws.String(strings.Join(tags, "&")) }),
		"InvalidTag":                    in(func(i *s3.PutObjectInput) { i.Tagging = aws.String("a=b&a=c") }),
		"InvalidStorageClass":           in(func(i *s3.PutObjectInput) { i.StorageClass = "COLD" }),
		"InvalidRedirectLocation":       in(func(i *s3.PutObjectInput) { i.WebsiteRedirectLocation = aws.String("x") }),
		"EntityTooLarge":                in(func(i *s3.PutObjectInput) { i.Body = strings.NewReader(strings.Repeat("x", 101)) }),
		"AccessControlListNotSupported": in(func(i *s3.PutObjectInput) { i.ACL = types.ObjectCannedACLPublicRead }),
	} {
		_, err := w.src.PutObject(ctx, input)
		if got := errorCode(err); got != want || (err == nil) != (want == "") {
			t.Errorf("%q (%v), want %q", got, err, want)
		}
	}
	_, err := w.src.PutObject(ctx, in(func(i *s3.PutObjectInput) { i.ACL = types.ObjectCannedACLBucketOwnerFullControl }))
	wantAnswer(t, err, "")
}

func TestTagsAreChangedAlone(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "x", PutOptions{})
	_, err := w.src.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: b, Key: k, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("")}}}})
	wantAnswer(t, err, "")
	out, err := w.src.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: b, Key: k})
	wantAnswer(t, err, "")
	if len(out.TagSet) != 1 || *out.TagSet[0].Key != "a" {
		t.Errorf("tags %+v", out.TagSet)
	}
	_, err = w.src.DeleteObjectTagging(ctx, &s3.DeleteObjectTaggingInput{Bucket: b, Key: k})
	wantAnswer(t, err, "")
	if got := w.Objects("tommy")[0].Tags; len(got) != 0 {
		t.Errorf("tags %v are left", got)
	}
	_, err = w.src.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: b, Key: aws.String("nope")})
	wantAnswer(t, err, "NoSuchKey")
}

func TestPoliciesSeeAnObjectsTags(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("open", "x", PutOptions{Tags: map[string]string{"share": "yes"}})
	w.object("shut", "x", PutOptions{})
	if err := w.SetBucketPolicy("tommy", bucketPolicy(`{"AWS":"210987654321"}`, `"s3:GetObject"`, `"arn:aws:s3:::tommy/*"`, `,"Condition":{"StringEquals":{"s3:ExistingObjectTag/share":"yes"}}`)); err != nil {
		t.Fatal(err)
	}
	if got := get(t, w.dst, "tommy", "open"); got != "x" {
		t.Errorf("body %q", got)
	}
	_, err := w.dst.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("tommy"), Key: aws.String("shut")})
	wantAnswer(t, err, "AccessDenied")
}

func TestListingsObeyTheirPrefixCondition(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	if err := w.SetBucketPolicy("tommy", bucketPolicy(`{"AWS":"210987654321"}`, `"s3:ListBucket"`, `"arn:aws:s3:::tommy"`, `,"Condition":{"StringLike":{"s3:prefix":"in/*"}}`)); err != nil {
		t.Fatal(err)
	}
	list := func(prefix string) error {
		_, err := w.dst.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tommy"), Prefix: &prefix})
		return err
	}
	wantAnswer(t, list("in/x"), "")
	wantAnswer(t, list("out/"), "AccessDenied")
	_, err := w.dst.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tommy")})
	wantAnswer(t, err, "AccessDenied")
}

func TestWritersOwnObjectsWhereACLsAreOn(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{Ownership: "ObjectWriter"})
	everything := bucketPolicy(`{"AWS":["210987654321","123456789012"]}`, `"s3:*"`, `["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]`, "")
	if err := w.SetBucketPolicy("tommy", everything); err != nil {
		t.Fatal(err)
	}
	put(t, w.dst, "tommy", "theirs", "x")
	_, err := w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: aws.String("theirs")})
	wantAnswer(t, err, "AccessDenied")
	_, err = w.dst.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: aws.String("shared"), ACL: types.ObjectCannedACLBucketOwnerFullControl})
	wantAnswer(t, err, "")
	_ = get(t, w.src, "tommy", "shared")
	page, err := w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, FetchOwner: aws.Bool(true)})
	wantAnswer(t, err, "")
	for _, o := range page.Contents {
		if got, want := *o.Owner.ID, w.accountOf(DestinationAccount).canonicalID; got != want {
			t.Errorf("%s is %s's, want %s", *o.Key, got, want)
		}
	}
	_, err = w.src.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: b, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}}}})
	wantAnswer(t, err, "")
	_ = get(t, w.src, "tommy", "theirs") // with ACLs off everything is the bucket owner's
	_, err = w.src.PutObjectAcl(ctx, &s3.PutObjectAclInput{Bucket: b, Key: aws.String("theirs"), ACL: types.ObjectCannedACLPublicRead})
	wantAnswer(t, err, "AccessControlListNotSupported")
	acl, err := w.src.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: b, Key: aws.String("theirs")})
	wantAnswer(t, err, "")
	if got, want := *acl.Owner.ID, w.accountOf(SourceAccount).canonicalID; got != want {
		t.Errorf("the object is %s's, want %s", got, want)
	}
	_, err = w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: aws.String("theirs")})
	wantAnswer(t, err, "")
}

func TestArchivedObjectsMustBeRestored(t *testing.T) {
	clock := newFakeClock()
	w := newS3World(t, Config{Clock: clock.Now, S3: S3Config{Restore: time.Minute}})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "cold", PutOptions{StorageClass: "DEEP_ARCHIVE"})
	w.object("warm", "x", PutOptions{})
	dup := func() error {
		_, err := w.src.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: aws.String("copy"), CopySource: aws.String("tommy/k")})
		return err
	}
	_, err := w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k})
	wantAnswer(t, err, "InvalidObjectState")
	wantAnswer(t, dup(), "InvalidObjectState")
	restore := func(key string) error {
		_, err := w.src.RestoreObject(ctx, &s3.RestoreObjectInput{Bucket: b, Key: &key, RestoreRequest: &types.RestoreRequest{Days: aws.Int32(2)}})
		return err
	}
	wantAnswer(t, restore("warm"), "InvalidObjectState")
	wantAnswer(t, restore("k"), "")
	wantAnswer(t, restore("k"), "RestoreAlreadyInProgress")
	page, err := w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b, OptionalObjectAttributes: []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus}})
	wantAnswer(t, err, "")
	if r := page.Contents[0].RestoreStatus; r == nil || !*r.IsRestoreInProgress {
		t.Errorf("restore status %+v, want in progress", r)
	}
	clock.advance(2 * time.Minute)
	head, err := w.src.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: k})
	wantAnswer(t, err, "")
	if !strings.HasPrefix(aws.ToString(head.Restore), `ongoing-request="false", expiry-date=`) {
		t.Errorf("restore %q", aws.ToString(head.Restore))
	}
	wantAnswer(t, dup(), "")
	clock.advance(100 * time.Hour)
	_, err = w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k})
	wantAnswer(t, err, "RequestTimeTooSkewed") // the client's clock did not move
}

func TestLockedVersionsStay(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{ObjectLock: true})
	until := time.Now().Add(time.Hour)
	out, err := w.src.PutObject(ctx, &s3.PutObjectInput{Bucket: b, Key: k, ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: &until, ContentMD5: aws.String("1B2M2Y8AsgTpgAmY7PhCfg==")})
	wantAnswer(t, err, "")
	del := &s3.DeleteObjectInput{Bucket: b, Key: k, VersionId: out.VersionId}
	_, err = w.src.DeleteObject(ctx, del)
	wantAnswer(t, err, "AccessDenied")
	got, err := w.src.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: b, Key: k})
	wantAnswer(t, err, "")
	if got.Retention.Mode != types.ObjectLockRetentionModeGovernance {
		t.Errorf("mode %q", got.Retention.Mode)
	}
	_, err = w.src.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{Bucket: b, Key: k, LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOn}})
	wantAnswer(t, err, "")
	del.BypassGovernanceRetention = aws.Bool(true)
	_, err = w.src.DeleteObject(ctx, del)
	wantAnswer(t, err, "AccessDenied")
	_, err = w.src.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{Bucket: b, Key: k, LegalHold: &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOff}})
	wantAnswer(t, err, "")
	_, err = w.src.DeleteObject(ctx, del)
	wantAnswer(t, err, "")
}

func TestMetadataNamesStayInLowerCase(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "", PutOptions{Metadata: map[string]string{"my-name": "v"}, Expires: "never"})
	out, err := w.src.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("tommy"), Key: aws.String("k")})
	wantAnswer(t, err, "")
	if out.Metadata["my-name"] != "v" || aws.ToString(out.ExpiresString) != "never" {
		t.Errorf("metadata %v, expires %q", out.Metadata, aws.ToString(out.ExpiresString))
	}
}

func TestAnonymousReadsNeedAnOpenPolicy(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{OpenToPublic: true})
	w.object("k", "x", PutOptions{})
	status := func() int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL()+"/tommy/k", nil)
		if err != nil {
			t.Fatal(err)
		}
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		res, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		return res.StatusCode
	}
	if got := status(); got != http.StatusForbidden {
		t.Errorf("status %d without a policy, want 403", got)
	}
	if err := w.SetBucketPolicy("tommy", bucketPolicy(`"*"`, `"s3:GetObject"`, `"arn:aws:s3:::tommy/*"`, "")); err != nil {
		t.Fatal(err)
	}
	if got := status(); got != http.StatusOK {
		t.Errorf("status %d with a public policy, want 200", got)
	}
}
