package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// An upload is a multipart upload of tommy/k in the tests.
type upload struct {
	w     *s3World
	t     *testing.T
	id    *string
	parts []types.CompletedPart
}

func (w *s3World) begin(t *testing.T, in *s3.CreateMultipartUploadInput) *upload {
	t.Helper()
	in.Bucket, in.Key = aws.String("tommy"), aws.String("k")
	out, err := w.src.CreateMultipartUpload(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return &upload{w: w, t: t, id: out.UploadId}
}

func (u *upload) part(body string, a types.ChecksumAlgorithm) {
	u.t.Helper()
	n := aws.Int32(int32(len(u.parts) + 1))
	out, err := u.w.src.UploadPart(u.t.Context(), &s3.UploadPartInput{
		Bucket: aws.String("tommy"), Key: aws.String("k"), UploadId: u.id, PartNumber: n, Body: strings.NewReader(body), ChecksumAlgorithm: a,
	})
	if err != nil {
		u.t.Fatal(err)
	}
	u.parts = append(u.parts, types.CompletedPart{
		ETag: out.ETag, PartNumber: n, ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C,
		ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumSHA1: out.ChecksumSHA1, ChecksumSHA256: out.ChecksumSHA256,
	})
}

func (u *upload) complete(f func(*s3.CompleteMultipartUploadInput)) (*s3.CompleteMultipartUploadOutput, error) {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: aws.String("tommy"), Key: aws.String("k"), UploadId: u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	}
	if f != nil {
		f(in)
	}
	return u.w.src.CompleteMultipartUpload(u.t.Context(), in)
}

func smallParts() Config { return Config{S3: S3Config{MinPart: 5}} }

func TestPartsBecomeAnObject(t *testing.T) {
	w := newS3World(t, smallParts())
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	u := w.begin(t, &s3.CreateMultipartUploadInput{ContentType: aws.String("text/plain"), Tagging: aws.String("a=b"), Metadata: map[string]string{"m": "1"}, StorageClass: types.StorageClassStandardIa})
	u.part("hello", "")
	u.part("world", "")
	u.part("!", "")
	out, err := u.complete(nil)
	wantAnswer(t, err, "")
	// md5(md5("hello") md5("world") md5("!"))
	var sums []byte
	for _, s := range []string{"hello", "world", "!"} {
		sum := bodyOf([]byte(s)).md5()
		sums = append(sums, sum[:]...)
	}
	if want := `"` + hexDigest(bodyOf(sums).md5()) + `-3"`; *out.ETag != want {
		t.Errorf("ETag %s, want %s", *out.ETag, want)
	}
	if got := get(t, w.src, "tommy", "k"); got != "helloworld!" {
		t.Errorf("body %q", got)
	}
	o := w.Objects("tommy")[0]
	if o.ContentType != "text/plain" || o.Tags["a"] != "b" || o.Metadata["m"] != "1" || o.StorageClass != "STANDARD_IA" || o.Parts != 3 {
		t.Errorf("object %+v", o)
	}
	head, err := w.src.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("tommy"), Key: aws.String("k"), PartNumber: aws.Int32(2)})
	wantAnswer(t, err, "")
	if *head.PartsCount != 3 || *head.ContentLength != 5 || aws.ToString(head.ContentRange) != "bytes 5-9/11" {
		t.Errorf("part 2: %d parts, %d bytes, %s", *head.PartsCount, *head.ContentLength, aws.ToString(head.ContentRange))
	}
	_, err = u.complete(nil)
	wantAnswer(t, err, "NoSuchUpload")
}

func TestMultipartChecksums(t *testing.T) {
	w := newS3World(t, smallParts())
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	body := "helloworld!"
	for _, c := range []struct {
		algorithm checksumAlgorithm
		kind      types.ChecksumType
	}{
		{sumCRC32, types.ChecksumTypeComposite},
		{sumCRC32, types.ChecksumTypeFullObject},
		{sumCRC32C, types.ChecksumTypeFullObject},
		{sumCRC64NVME, types.ChecksumTypeFullObject},
		{sumSHA1, types.ChecksumTypeComposite},
		{sumSHA256, types.ChecksumTypeComposite},
	} {
		u := w.begin(t, &s3.CreateMultipartUploadInput{ChecksumAlgorithm: types.ChecksumAlgorithm(c.algorithm), ChecksumType: c.kind})
		for _, p := range []string{body[:5], body[5:10], body[10:]} {
			u.part(p, types.ChecksumAlgorithm(c.algorithm))
		}
		out, err := u.complete(nil)
		wantAnswer(t, err, "")
		if out.ChecksumType != c.kind {
			t.Errorf("%v: type %s", c, out.ChecksumType)
		}
		o := w.Objects("tommy")[0]
		if want := w.s3.sums.value(c.algorithm, bodyOf([]byte(body))); c.kind == types.ChecksumTypeFullObject && o.Checksum != want {
			t.Errorf("%v: %s, want %s", c, o.Checksum, want)
		}
		if c.kind == types.ChecksumTypeComposite && !strings.HasSuffix(o.Checksum, "-3") {
			t.Errorf("%v: %s has no number of parts", c, o.Checksum)
		}
		attrs, err := w.src.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
			Bucket: aws.String("tommy"), Key: aws.String("k"),
			ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesChecksum, types.ObjectAttributesObjectParts, types.ObjectAttributesObjectSize, types.ObjectAttributesEtag},
		})
		wantAnswer(t, err, "")
		if attrs.Checksum.ChecksumType != c.kind || *attrs.ObjectSize != 11 || *attrs.ObjectParts.TotalPartsCount != 3 || len(attrs.ObjectParts.Parts) != 3 || *attrs.ETag != o.ETag {
			t.Errorf("%v: attributes %+v", c, attrs)
		}
	}
	_, err := w.src.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("tommy"), Key: aws.String("k"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumType: types.ChecksumTypeFullObject})
	wantAnswer(t, err, "InvalidRequest")
}

func TestUploadsThatCannotBeCompleted(t *testing.T) {
	w := newS3World(t, smallParts())
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	u := w.begin(t, &s3.CreateMultipartUploadInput{})
	u.part("hell", "")
	u.part("world", "")
	parts := func(p ...types.CompletedPart) func(*s3.CompleteMultipartUploadInput) {
		return func(in *s3.CompleteMultipartUploadInput) { in.MultipartUpload.Parts = p }
	}
	for name, c := range map[string]struct {
		f    func(*s3.CompleteMultipartUploadInput)
		want string
	}{
		"small part":   {nil, "EntityTooSmall"},
		"order":        {parts(u.parts[1], u.parts[0]), "InvalidPartOrder"},
		"twice":        {parts(u.parts[1], u.parts[1]), "InvalidPartOrder"},
		"no part":      {parts(), "MalformedXML"},
		"unknown part": {parts(types.CompletedPart{PartNumber: aws.Int32(9), ETag: u.parts[0].ETag}), "InvalidPart"},
		"wrong etag":   {parts(types.CompletedPart{PartNumber: aws.Int32(1), ETag: u.parts[1].ETag}), "InvalidPart"},
		"wrong upload": {func(in *s3.CompleteMultipartUploadInput) { in.UploadId = aws.String("x") }, "NoSuchUpload"},
		"wrong size": {func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts, in.MpuObjectSize = u.parts[1:], aws.Int64(4)
		}, "InvalidRequest"},
	} {
		_, err := u.complete(c.f)
		if got := errorCode(err); got != c.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
		}
	}
	w.object("k", "there", PutOptions{})
	_, err := u.complete(func(in *s3.CompleteMultipartUploadInput) {
		in.MultipartUpload.Parts, in.IfNoneMatch = u.parts[1:], aws.String("*")
	})
	wantAnswer(t, err, "PreconditionFailed")
	if got := w.Uploads("tommy"); got != 1 {
		t.Errorf("%d uploads after a failed condition, want 1", got)
	}
	_, err = w.src.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String("tommy"), Key: aws.String("k"), UploadId: u.id})
	wantAnswer(t, err, "")
	_, err = w.src.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String("tommy"), Key: aws.String("k"), UploadId: u.id})
	wantAnswer(t, err, "NoSuchUpload")
	_, err = w.src.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: aws.String("tommy"), Key: aws.String("k"), UploadId: u.id, PartNumber: aws.Int32(1)})
	wantAnswer(t, err, "NoSuchUpload")
}

func TestPartCopiesKeepTheLayout(t *testing.T) {
	w := newS3World(t, smallParts())
	ctx := t.Context()
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("src", "helloworld!", PutOptions{PartSize: 5})
	src := w.Objects("tommy")[0]
	u := w.begin(t, &s3.CreateMultipartUploadInput{})
	dup := func(n int32, rng string, f func(*s3.UploadPartCopyInput)) (*s3.UploadPartCopyOutput, error) {
		in := &s3.UploadPartCopyInput{
			Bucket: aws.String("tommy"), Key: aws.String("k"), UploadId: u.id, PartNumber: &n, CopySource: aws.String("tommy/src"),
			CopySourceIfMatch: aws.String(src.ETag),
		}
		if rng != "" {
			in.CopySourceRange = &rng
		}
		if f != nil {
			f(in)
		}
		return w.src.UploadPartCopy(ctx, in)
	}
	for i, rng := range []string{"bytes=0-4", "bytes=5-9", "bytes=10-10"} {
		out, err := dup(int32(i+1), rng, nil)
		wantAnswer(t, err, "")
		u.parts = append(u.parts, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: out.CopyPartResult.ETag})
	}
	for rng, want := range map[string]string{"bytes=5-11": "InvalidArgument", "bytes=5-": "InvalidArgument", "0-4": "InvalidArgument"} {
		_, err := dup(4, rng, nil)
		wantAnswer(t, err, want)
	}
	_, err := dup(4, "", func(in *s3.UploadPartCopyInput) { in.CopySourceIfMatch = aws.String(`"x"`) })
	wantAnswer(t, err, "PreconditionFailed")
	_, err = dup(4, "", func(in *s3.UploadPartCopyInput) { in.ExpectedSourceBucketOwner = aws.String(DestinationAccount) })
	wantAnswer(t, err, "AccessDenied")
	out, err := u.complete(nil)
	wantAnswer(t, err, "")
	if *out.ETag != `"`+src.ETag+`"` {
		t.Errorf("ETag %s, want %s", *out.ETag, src.ETag)
	}
	w.object("src", "hell", PutOptions{})
	u = w.begin(t, &s3.CreateMultipartUploadInput{})
	_, err = dup(1, "bytes=0-1", func(in *s3.UploadPartCopyInput) { in.CopySourceIfMatch = nil })
	wantAnswer(t, err, "InvalidRequest") // S3 copies no range of a source below 5 MiB
}

func TestPartsAndUploadsAreListedInPages(t *testing.T) {
	w := newS3World(t, smallParts())
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	u := w.begin(t, &s3.CreateMultipartUploadInput{})
	for range 5 {
		u.part("hello", "")
	}
	var numbers []int32
	p := s3.NewListPartsPaginator(w.src, &s3.ListPartsInput{Bucket: b, Key: aws.String("k"), UploadId: u.id, MaxParts: aws.Int32(2)})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range page.Parts {
			numbers = append(numbers, *part.PartNumber)
		}
	}
	if fmt.Sprint(numbers) != "[1 2 3 4 5]" {
		t.Errorf("parts %v", numbers)
	}
	for _, key := range []string{"a", "a", "dir/x", "dir/y", "z"} {
		if _, err := w.src.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	var keys []string
	up := s3.NewListMultipartUploadsPaginator(w.src, &s3.ListMultipartUploadsInput{Bucket: b, MaxUploads: aws.Int32(1)})
	for up.HasMorePages() {
		page, err := up.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Uploads {
			keys = append(keys, *u.Key)
		}
	}
	if got := strings.Join(keys, " "); got != "a a dir/x dir/y k z" {
		t.Errorf("uploads %s", got)
	}
	page, err := w.src.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: b, Delimiter: aws.String("/")})
	wantAnswer(t, err, "")
	if len(page.Uploads) != 4 || len(page.CommonPrefixes) != 1 {
		t.Errorf("%d uploads and %d prefixes, want 4 and 1", len(page.Uploads), len(page.CommonPrefixes))
	}
}

func TestHugeObjectsAreNotStored(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	const size = 12 << 30
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("src", "", PutOptions{Size: size, PartSize: 1 << 30})
	src := w.Objects("tommy")[0]
	_, err := w.src.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("tommy"), Key: aws.String("k"), CopySource: aws.String("tommy/src")})
	wantAnswer(t, err, "InvalidRequest")
	u := w.begin(t, &s3.CreateMultipartUploadInput{})
	for n := range int32(12) {
		from := int64(n) << 30
		out, err := w.src.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
			Bucket: aws.String("tommy"), Key: aws.String("k"), UploadId: u.id, PartNumber: aws.Int32(n + 1), CopySource: aws.String("tommy/src"),
			CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", from, from+1<<30-1)),
		})
		if err != nil {
			t.Fatal(err)
		}
		u.parts = append(u.parts, types.CompletedPart{PartNumber: aws.Int32(n + 1), ETag: out.CopyPartResult.ETag})
	}
	out, err := u.complete(nil)
	wantAnswer(t, err, "")
	if *out.ETag != `"`+src.ETag+`"` || *out.ChecksumCRC64NVME != src.Checksum {
		t.Errorf("ETag %s, checksum %s; want %s, %s", *out.ETag, *out.ChecksumCRC64NVME, src.ETag, src.Checksum)
	}
}

func TestZerosHaveTheirTrueChecksums(t *testing.T) {
	s := newSummer()
	for _, n := range []int64{0, 1, 5, 1000, 64 << 10, 64<<10 + 1, 1<<20 + 7} {
		for _, a := range []checksumAlgorithm{sumCRC32, sumCRC32C, sumCRC64NVME} {
			if got, want := s.value(a, zeroBody(n)), s.value(a, bodyOf(make([]byte, n))); got != want {
				t.Errorf("%s of %d zeros: %s, want %s", a, n, got, want)
			}
		}
		if got, want := zeroBody(n).md5(), bodyOf(make([]byte, n)).md5(); got != want {
			t.Errorf("MD5 of %d zeros: %x, want %x", n, got, want)
		}
	}
	mixed := bodyOf([]byte("head")).append(zeroBody(100_000)).append(bodyOf([]byte("tail")))
	var buf bytes.Buffer
	if _, err := mixed.slice(2, mixed.size-3).WriteTo(&buf); err != nil {
		t.Fatal(err)
	}
	want := "ad" + strings.Repeat("\x00", 100_000) + "tai"
	if buf.String() != want {
		t.Errorf("a slice of %d bytes differs", buf.Len())
	}
	if got, want := s.value(sumCRC64NVME, mixed.slice(2, mixed.size-3)), s.value(sumCRC64NVME, bodyOf([]byte(want))); got != want {
		t.Errorf("checksum %s, want %s", got, want)
	}
	if _, err := zeroBody(10).WriteTo(io.Discard); err != nil {
		t.Error(err)
	}
}
