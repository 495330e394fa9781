package sandbox

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestVersionsAreKeptBehindMarkers(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{Versioning: versioningEnabled})
	first := put(t, w.src, "tommy", "k", "one")
	second := put(t, w.src, "tommy", "k", "two")
	if first.VersionId == nil || second.VersionId == nil || *first.VersionId == *second.VersionId {
		t.Fatalf("versions %v and %v", first.VersionId, second.VersionId)
	}
	old, err := w.src.HeadObject(ctx, &s3.HeadObjectInput{Bucket: b, Key: k, VersionId: first.VersionId})
	wantAnswer(t, err, "")
	if *old.ETag != *first.ETag {
		t.Errorf("ETag %s, want %s", *old.ETag, *first.ETag)
	}
	del, err := w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: k})
	wantAnswer(t, err, "")
	if !aws.ToBool(del.DeleteMarker) {
		t.Error("no delete marker")
	}
	_, err = w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k})
	wantAnswer(t, err, "NoSuchKey")
	_, err = w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k, VersionId: del.VersionId})
	wantAnswer(t, err, "MethodNotAllowed")
	_, err = w.src.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: k, VersionId: aws.String("nope")})
	wantAnswer(t, err, "NoSuchVersion")
	if got := allKeys(ctx, t, w.src, &s3.ListObjectsV2Input{Bucket: b}); len(got) != 0 {
		t.Errorf("lists %q behind a marker", got)
	}
	dup, err := w.src.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: aws.String("copy"), CopySource: aws.String("tommy/k?versionId=" + *first.VersionId)})
	wantAnswer(t, err, "")
	if aws.ToString(dup.CopySourceVersionId) != *first.VersionId {
		t.Errorf("copied version %q", aws.ToString(dup.CopySourceVersionId))
	}
	_, err = w.src.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: aws.String("copy"), CopySource: aws.String("tommy/k?versionId=" + *del.VersionId)})
	wantAnswer(t, err, "InvalidRequest")
	_, err = w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: k, VersionId: del.VersionId})
	wantAnswer(t, err, "")
	if got := get(t, w.src, "tommy", "k"); got != "two" {
		t.Errorf("body %q after the marker is gone", got)
	}
}

func TestAllVersionsAreListedInPages(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{Versioning: versioningEnabled})
	for _, key := range []string{"a", "a", "a", "b", "c/1", "c/2"} {
		w.object(key, "x", PutOptions{})
	}
	_, err := w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: aws.String("b")})
	wantAnswer(t, err, "")
	var got []string
	p := s3.NewListObjectVersionsPaginator(w.src, &s3.ListObjectVersionsInput{Bucket: b, MaxKeys: aws.Int32(2)})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			entry := *v.Key
			if *v.IsLatest {
				entry += "*"
			}
			got = append(got, entry)
		}
		for _, m := range page.DeleteMarkers {
			got = append(got, "!"+*m.Key)
		}
	}
	if g := strings.Join(got, " "); g != "a* a a !b b c/1* c/2*" {
		t.Errorf("versions %s", g)
	}
	page, err := w.src.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b, Delimiter: aws.String("/")})
	wantAnswer(t, err, "")
	if len(page.CommonPrefixes) != 1 || len(page.Versions) != 4 {
		t.Errorf("%d prefixes and %d versions", len(page.CommonPrefixes), len(page.Versions))
	}
}

func TestDeleteObjectsAnswersForEachKey(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("a", "x", PutOptions{})
	w.object("b", "x", PutOptions{})
	del := func(quiet bool, objects ...types.ObjectIdentifier) *s3.DeleteObjectsOutput {
		t.Helper()
		out, err := w.src.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: objects, Quiet: &quiet}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := del(false, types.ObjectIdentifier{Key: aws.String("a"), ETag: aws.String(`"x"`)}, types.ObjectIdentifier{Key: aws.String("nope")}, types.ObjectIdentifier{Key: aws.String("b")})
	if len(out.Deleted) != 2 || len(out.Errors) != 1 || *out.Errors[0].Code != "PreconditionFailed" {
		t.Errorf("deleted %d, errors %+v", len(out.Deleted), out.Errors)
	}
	out = del(true, types.ObjectIdentifier{Key: aws.String("a"), ETag: aws.String(`"9dd4e461268c8034f5c8564e155c67a6"`)})
	if len(out.Deleted) != 0 || len(out.Errors) != 0 || len(w.Objects("tommy")) != 0 {
		t.Errorf("quiet: deleted %d, errors %d, left %d", len(out.Deleted), len(out.Errors), len(w.Objects("tommy")))
	}
	many := make([]types.ObjectIdentifier, 1001)
	for i := range many {
		many[i].Key = aws.String("k")
	}
	_, err := w.src.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: many}})
	wantAnswer(t, err, "MalformedXML")
	w.object("a", "x", PutOptions{})
	out, err = w.dst.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: many[:1]}})
	wantAnswer(t, err, "")
	if len(out.Errors) != 1 || *out.Errors[0].Code != "AccessDenied" {
		t.Errorf("another account's errors %+v", out.Errors)
	}
}

func TestASyntheticBucketIsABucket(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	for name, ns := range map[string]Namespace{
		"hex": HexKeys("x/", 2500, 10), "dated": DatedKeys(2500, 7, 20), "hot": HotKeys(2500, 30),
	} {
		if err := w.AddSyntheticBucket(SourceAccount, "src-"+name, ns); err != nil {
			t.Fatal(err)
		}
		hole, err := w.AddBlackHole(SourceAccount, "dst-"+name, ns)
		if err != nil {
			t.Fatal(err)
		}
		keys := allKeys(ctx, t, w.src, &s3.ListObjectsV2Input{Bucket: aws.String("src-" + name)})
		if len(keys) != ns.Len() {
			t.Fatalf("%s: %d keys, want %d", name, len(keys), ns.Len())
		}
		for i, key := range keys {
			if ns.Key(i) != key || ns.Search(key) != i || i > 0 && keys[i-1] >= key {
				t.Fatalf("%s: key %d is %q", name, i, key)
			}
		}
		key := keys[1234]
		for range 2 {
			_, err = w.src.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("dst-" + name), Key: &key, CopySource: aws.String("src-" + name + "/" + key)})
			wantAnswer(t, err, "")
		}
		put(t, w.src, "dst-"+name, "stranger", "x")
		if hole.Count() != 1 || hole.Writes() != 3 || hole.Strangers() != 1 {
			t.Errorf("%s: the hole holds %d after %d writes, %d of them of strangers", name, hole.Count(), hole.Writes(), hole.Strangers())
		}
		src, err := w.src.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("src-" + name), Key: &key})
		wantAnswer(t, err, "")
		page, err := w.src.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("dst-" + name)})
		wantAnswer(t, err, "")
		if len(page.Contents) != 1 || *page.Contents[0].ETag != *src.ETag || *page.Contents[0].Size != ns.Size(0) {
			t.Errorf("%s: the hole lists %+v", name, page.Contents)
		}
		hole.Fill(nil)
		if got := len(w.Objects("dst-" + name)); got != ns.Len() {
			t.Errorf("%s: a full hole lists %d", name, got)
		}
	}
}

func TestSuspendedVersioningKeepsOneNullVersion(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{Versioning: versioningEnabled})
	kept := put(t, w.src, "tommy", "k", "one")
	_, err := w.src.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
	wantAnswer(t, err, "")
	put(t, w.src, "tommy", "k", "two")
	if out := put(t, w.src, "tommy", "k", "three"); aws.ToString(out.VersionId) != nullVersion {
		t.Errorf("version %q, want null", aws.ToString(out.VersionId))
	}
	del, err := w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: k})
	wantAnswer(t, err, "")
	if !aws.ToBool(del.DeleteMarker) || aws.ToString(del.VersionId) != nullVersion {
		t.Errorf("delete answers %+v", del)
	}
	page, err := w.src.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: b})
	wantAnswer(t, err, "")
	if len(page.Versions) != 1 || *page.Versions[0].VersionId != *kept.VersionId || len(page.DeleteMarkers) != 1 {
		t.Errorf("versions %+v, markers %+v", page.Versions, page.DeleteMarkers)
	}
}
