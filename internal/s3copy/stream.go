package s3copy

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's ETags are MD5s
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	streamParts = 16 // times StreamPart are held by a run at most
	streamOwn   = 4  // times StreamPart may a part of the source's own layout have
)

// stream copies an object through this process: whole where it is small, else by
// parts, of the source's own layout where that is not too coarse. What is sent is
// held in memory, so that a request can be repeated.
func (r *run) stream(ctx context.Context, t *task, to string, fresh bool) (Copied, error) {
	d, err := r.head(ctx, r.job.Source, HeadRequest{Key: t.src.Key, VersionID: t.version, Checksums: true})
	switch {
	case err != nil:
		return Copied{}, fmt.Errorf("head the source: %w", err)
	case d.ETag != t.src.ETag:
		return Copied{}, ErrChanged
	}
	req, err := r.uploadRequest(ctx, t, to, &d)
	if err != nil {
		return Copied{}, err
	}
	sizes, err := r.streamLayout(ctx, t, &d)
	if err != nil {
		return Copied{}, err
	}
	req.ChecksumAlgo, req.ChecksumType = uploadChecksum(&d, partsOf(d.ETag) == len(sizes))
	if len(sizes) == 0 {
		if req.ChecksumAlgo == "" { // which no upload by parts has over the whole object, but a single put does
			req.ChecksumAlgo = digestChecksum(&d)
		}
		return r.streamWhole(ctx, t, req, &d, fresh)
	}
	return r.byUpload(ctx, t, req, sizes, fresh)
}

// streamLayout gives the parts to stream; none means whole.
func (r *run) streamLayout(ctx context.Context, t *task, d *Details) ([]Bytes, error) {
	src := &t.src
	coarse := streamOwn * r.limits.StreamPart
	if src.Size > 0 {
		own, err := r.sourceParts(ctx, src, t.version)
		if err != nil {
			return nil, err
		}
		if own != nil && slices.Max(own) <= coarse {
			return own, nil
		}
	}
	if src.Size <= r.limits.StreamPart || src.Size <= coarse && digestETag(d) {
		return nil, nil
	}
	return evenParts(src.Size, r.limits.StreamPart), nil
}

// streamWhole brings an object over in one piece.
func (r *run) streamWhole(ctx context.Context, t *task, req UploadRequest, d *Details, fresh bool) (Copied, error) {
	if fresh { // a put has no condition here, so look right before
		switch err := r.lookThere(ctx, t); {
		case err != nil:
			return Copied{}, err
		case t.exists:
			return Copied{}, ErrExists
		}
	}
	body, release, err := r.fetch(ctx, OpenRequest{Key: t.src.Key, VersionID: t.version, IfMatch: t.src.ETag, Length: t.src.Size})
	if err != nil {
		return Copied{}, err
	}
	defer release()
	sum := etagOf(body)
	if digestETag(d) && sum != d.ETag {
		return Copied{}, fmt.Errorf("what was read has the MD5 %s, and the source %s", sum, d.ETag)
	}
	answer, err := answered(paced(ctx, r, req.Key, func(ctx context.Context) (Copied, error) {
		return r.job.Destination.PutObject(ctx, req, body)
	}))
	if err == nil {
		t.streamed = sum
		r.count.BytesCopied.Add(int64(t.src.Size))
	}
	return answer, err
}

// streamPart brings one part over, and notes the ETag that it ought to have.
func (r *run) streamPart(ctx context.Context, req PartRequest, local []string) (Part, error) {
	body, release, err := r.fetch(ctx, OpenRequest{
		Key: req.SourceKey, VersionID: req.SourceVersion, IfMatch: req.IfMatch, Offset: req.First, Length: req.Last - req.First + 1,
	})
	if err != nil {
		return Part{}, err
	}
	defer release()
	local[req.Number-1] = etagOf(body)
	return paced(ctx, r, req.Key, func(ctx context.Context) (Part, error) {
		return r.job.Destination.PutPart(ctx, req.Key, req.UploadID, req.Number, body)
	})
}

// fetch reads a stretch of the source into memory, as soon as the run's share of
// memory allows. release gives the share back.
func (r *run) fetch(ctx context.Context, req OpenRequest) (body []byte, release func(), err error) {
	share := min(int64(req.Length), streamParts*int64(r.limits.StreamPart))
	if err := r.budget.memory.Acquire(ctx, share); err != nil {
		return nil, nil, context.Cause(ctx)
	}
	body = make([]byte, req.Length)
	for try := 1; ; try++ {
		err = r.fill(ctx, req, body)
		if err == nil {
			return body, func() { r.budget.memory.Release(share) }, nil
		}
		var broken *brokenError
		if !errors.As(err, &broken) || try == readTries {
			r.budget.memory.Release(share)
			return nil, nil, err
		}
		r.count.Retried.Add(1)
	}
}

func (r *run) fill(ctx context.Context, req OpenRequest, body []byte) error {
	if len(body) == 0 {
		return nil
	}
	stream, err := r.open(ctx, r.job.Source, req)
	if err != nil {
		return fmt.Errorf("open the source: %w", err)
	}
	defer stream.Close()
	if _, err := io.ReadFull(stream, body); err != nil {
		return &brokenError{err}
	}
	return nil
}

func etagOf(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // S3's ETags are MD5s
	return hex.EncodeToString(sum[:])
}
