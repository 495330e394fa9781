package test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

const partSize = 5 << 20 // the least that S3 takes for a part that is not the last

const partsCRC32C = "FuaiLQ==" // of partsBody, in base64

// partsBody is a body of two parts: a whole one, and a rest.
var partsBody = strings.Repeat("0123456789abcdef", partSize/16) + "the rest"

// putByParts uploads the body by two parts through the bare SDK, and gives its ETag.
func putByParts(t *testing.T, s side, bucket, key string) string {
	t.Helper()
	up, err := s.s3.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: &bucket, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		t.Fatal(err)
	}
	var parts []types.CompletedPart
	for i, body := range []string{partsBody[:partSize], partsBody[partSize:]} {
		p, err := s.s3.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: &bucket, Key: &key, UploadId: up.UploadId, PartNumber: aws.Int32(int32(i + 1)), Body: strings.NewReader(body),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32})
	}
	done, err := s.s3.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: &key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		t.Fatal(err)
	}
	return trimQuotes(*done.ETag)
}

// copyParts copies the body's two parts into an upload.
func copyParts(t *testing.T, d s3copy.Destination, key, upload, etag string) []s3copy.Part {
	t.Helper()
	ends := []s3copy.Bytes{0, partSize, s3copy.Bytes(len(partsBody))}
	var parts []s3copy.Part
	for n := 1; n < len(ends); n++ {
		p, err := d.CopyPart(t.Context(), s3copy.PartRequest{
			SourceKey: "big", Key: key, UploadID: upload, IfMatch: etag, Number: n, First: ends[n-1], Last: ends[n] - 1,
		})
		if err != nil {
			t.Fatalf("copy part %d: %v", n, err)
		}
		parts = append(parts, p)
	}
	return parts
}

// checkParts copies by the source's own parts: the ETags compare afterwards, and nothing that was sent is lost.
func checkParts(w *world) {
	t := w.t
	for _, p := range w.pairings(t, "parts") {
		etag := putByParts(t, p.from, p.bucket, "big")
		first := head(t, p.source, s3copy.HeadRequest{Key: "big", Part: 1})
		w.holds(t, headTellsParts, first.Parts == 2 && first.PartSize == partSize && first.Size == s3copy.Bytes(len(partsBody)),
			"part 1 of the source is told as %d parts of %d, %d in all", first.Parts, first.PartSize, first.Size)
		upload, err := p.destination.CreateUpload(t.Context(), s3copy.UploadRequest{Key: "to/big", Headers: dressedHeaders, Tags: dressedTags})
		if err != nil {
			t.Fatalf("start %s: %v", p.name, err)
		}
		copied := copyParts(t, p.destination, "to/big", upload, etag)
		stand, err := p.destination.ListParts(t.Context(), "to/big", upload)
		if err != nil || len(stand) != 2 || stand[0].ETag != copied[0].ETag || stand[1].Size != 8 {
			t.Errorf("the parts that stand %s: %+v, %v", p.name, stand, err)
		}
		pending, err := p.destination.ListUploads(t.Context(), "to/")
		if err != nil || len(pending) != 1 || pending[0].Key != "to/big" || pending[0].ID != upload {
			t.Errorf("the uploads %s: %+v, %v", p.name, pending, err)
		}
		w.holds(t, uploadsDated, len(pending) == 1 && time.Since(pending[0].Initiated).Abs() < time.Hour, "an upload of now is dated %+v", pending)
		done, err := p.destination.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: "to/big", UploadID: upload, Parts: copied})
		if err != nil || done.ETag != etag {
			t.Errorf("complete %s: ETag %q, source's %q, %v", p.name, done.ETag, etag, err)
		}
		if got := read(t, p.destination, s3copy.OpenRequest{Key: "to/big"}); got != partsBody {
			t.Errorf("the copy %s has %d other bytes", p.name, len(got))
		}
		isDressed(t, p.destination, "to/big", true)
		if pending, _ := p.destination.ListUploads(t.Context(), ""); len(pending) != 0 {
			t.Errorf("uploads are left %s: %+v", p.name, pending)
		}
	}
}

// checkPartConditions changes the source in between, completes onto a taken key, and aborts.
func checkPartConditions(w *world) {
	t := w.t
	p := w.pairings(t, "ifparts")[1]
	etag := putByParts(t, p.from, p.bucket, "big")
	start := func(key string) string {
		upload, err := p.destination.CreateUpload(t.Context(), s3copy.UploadRequest{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return upload
	}
	upload := start("k")
	_, err := p.destination.CopyPart(t.Context(), s3copy.PartRequest{
		SourceKey: "big", Key: "k", UploadID: upload, IfMatch: otherETag, Number: 1, First: 0, Last: partSize - 1,
	})
	w.holds(t, partIfMatch, errors.Is(err, s3copy.ErrChanged), "a part of a changed source: %v", err)
	parts := copyParts(t, p.destination, "k", upload, etag)
	if _, err := p.destination.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: "k", UploadID: upload, Parts: parts, IfNoneMatch: true}); err != nil {
		t.Errorf("complete onto a free key: %v", err)
	}
	upload = start("k")
	parts = copyParts(t, p.destination, "k", upload, etag)
	_, err = p.destination.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: "k", UploadID: upload, Parts: parts, IfNoneMatch: true})
	w.holds(t, completeIfNoneMatch, errors.Is(err, s3copy.ErrExists), "complete onto a taken key: %v", err)
	if err == nil {
		return
	}
	for range 2 {
		if err := p.destination.AbortUpload(t.Context(), "k", upload); err != nil {
			t.Errorf("abort: %v", err)
		}
	}
}

func checkAbort(w *world) {
	t := w.t
	p := w.pairings(t, "abort")[1]
	etag := putByParts(t, p.from, p.bucket, "big")
	upload, err := p.destination.CreateUpload(t.Context(), s3copy.UploadRequest{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	parts := copyParts(t, p.destination, "k", upload, etag)
	for range 2 {
		if err := p.destination.AbortUpload(t.Context(), "k", upload); err != nil {
			t.Errorf("abort: %v", err)
		}
	}
	if _, err := p.destination.ListParts(t.Context(), "k", upload); !errors.Is(err, s3copy.ErrNoUpload) {
		t.Errorf("the parts of an aborted upload: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // moto's answer would be asked for again and again
	defer cancel()
	_, err = p.destination.CompleteUpload(ctx, s3copy.CompleteRequest{Key: "k", UploadID: upload, Parts: parts})
	w.holds(t, completeAborted, errors.Is(err, s3copy.ErrNoUpload), "complete an aborted upload: %v", err)
	if _, err := p.destination.Head(t.Context(), s3copy.HeadRequest{Key: "k"}); !errors.Is(err, s3copy.ErrNotFound) {
		t.Errorf("an aborted upload left an object: %v", err)
	}
}

// checkPutParts writes parts whose bytes come through this process.
func checkPutParts(w *world) {
	t := w.t
	d := w.bucket(t, w.destination, "putparts")
	destination := w.destination.admin(t).OpenDestination(w.destination.at(d), w.source.at("elsewhere"))
	putParts(t, destination, s3copy.UploadRequest{Key: "plain"})
	putParts(t, destination, s3copy.UploadRequest{Key: "sums", Headers: dressedHeaders, ChecksumAlgo: "CRC32C", ChecksumType: s3copy.FullObject})
	got := head(t, destination, s3copy.HeadRequest{Key: "sums", Checksums: true})
	w.holds(t, fullSums, got.Checksums["CRC32C"] == partsCRC32C && got.Checksum == s3copy.FullObject,
		"parts with a checksum of the whole object: %v, %q", got.Checksums, got.Checksum)
}

func putParts(t *testing.T, destination s3copy.Destination, r s3copy.UploadRequest) {
	t.Helper()
	upload, err := destination.CreateUpload(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var parts []s3copy.Part
	for i, body := range []string{partsBody[:partSize], partsBody[partSize:]} {
		p, err := destination.PutPart(t.Context(), r.Key, upload, i+1, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	if _, err := destination.CompleteUpload(t.Context(), s3copy.CompleteRequest{Key: r.Key, UploadID: upload, Parts: parts}); err != nil {
		t.Fatalf("complete %q: %v", r.Key, err)
	}
	if got := read(t, destination, s3copy.OpenRequest{Key: r.Key, Offset: partSize - 2}); got != "ef"+"the rest" {
		t.Errorf("the end of %q reads %q", r.Key, got)
	}
}
