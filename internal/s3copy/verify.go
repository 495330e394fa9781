package s3copy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// differsError says how two objects that ought to be equal are not.
type differsError struct{ Reason Reason }

func (e *differsError) Error() string { return "differs: " + string(e.Reason) }

// prove verifies an object that was found at the destination, at the level asked.
func (r *run) prove(ctx context.Context, t *task) (outcome, error) {
	p, err := r.evidence(ctx, t, &t.dst, nil)
	if errors.Is(err, errGone) {
		return outcome{state: isGone}, nil
	}
	if err != nil {
		return outcome{}, &ObjectError{Phase: phaseVerify, Key: t.src.Key, Err: err}
	}
	return outcome{state: isSame, size: t.src.Size, proof: p}, nil
}

// evidence finds the proof that dst equals the task's source, at the level asked.
// After a copy answer is what the server said.
func (r *run) evidence(ctx context.Context, t *task, dst *Object, answer *Copied) (proof, error) {
	level := r.job.Rules.Level
	switch {
	case t.src.Size == 0:
		return r.proveEmpty(ctx, t, dst, answer != nil)
	case level == levelBytes:
		return r.readBoth(ctx, t, dst)
	case t.src.ETag != "" && t.src.ETag == dst.ETag:
		return byETag, nil
	case answer != nil && t.streamed != "" && t.streamed == answer.ETag:
		return byChecksum, nil
	case level == levelSize:
		return r.measure(ctx, t, dst)
	}
	var f finding
	if !t.examined || answer != nil {
		var err error
		if f, err = r.checksums(ctx, t, answer); err != nil {
			return noProof, err
		}
	}
	switch {
	case f.differ != "":
		return noProof, &differsError{f.differ}
	case f.proof != noProof:
		return f.proof, nil
	}
	switch r.job.Rules.Otherwise {
	case otherwiseBytes:
		return r.readBoth(ctx, t, dst)
	case otherwiseFail:
		return noProof, errors.New("no comparable checksum, and the plan says fail")
	}
	if answer != nil {
		return r.measure(ctx, t, dst)
	}
	return bySize, nil
}

// checksums compares by checksums: with one HEAD where the copy's answer tells the
// destination's, else with two.
func (r *run) checksums(ctx context.Context, t *task, answer *Copied) (finding, error) {
	src, dst, f, err := r.compare(ctx, t, answer)
	switch {
	case err != nil:
		return finding{}, err
	case dst == nil:
		return finding{}, errors.New("missing at the destination")
	case src != nil && src.ETag != t.src.ETag:
		return finding{}, ErrChanged
	}
	return f, nil
}

// measure compares sizes, with one HEAD: a copy's answer does not tell the size.
func (r *run) measure(ctx context.Context, t *task, dst *Object) (proof, error) {
	d, err := r.head(ctx, r.job.Destination, HeadRequest{Key: dst.Key, VersionID: t.copied})
	switch {
	case err != nil:
		return noProof, fmt.Errorf("head the copy: %w", err)
	case d.Size != t.src.Size:
		return noProof, &differsError{sizeReason(t.src.Size, d.Size)}
	}
	return bySize, nil
}

// proveEmpty verifies an object without bytes: an equal size is all there is to prove.
func (r *run) proveEmpty(ctx context.Context, t *task, dst *Object, copied bool) (proof, error) {
	if copied && t.src.ETag != dst.ETag {
		if _, err := r.measure(ctx, t, dst); err != nil {
			return noProof, err
		}
	}
	return byBytes, nil
}

const (
	readChunk = 64 << 20 // bytes that one request reads
	readTries = 3        // of one chunk whose stream breaks
	readBlock = 64 << 10
)

// readBoth reads both objects and compares their bytes.
func (r *run) readBoth(ctx context.Context, t *task, dst *Object) (proof, error) {
	a, b := make([]byte, readBlock), make([]byte, readBlock)
	for off := Bytes(0); off < t.src.Size; off += readChunk {
		n := min(readChunk, t.src.Size-off)
		left := OpenRequest{Key: t.src.Key, VersionID: t.version, IfMatch: t.src.ETag, Offset: off, Length: n}
		right := OpenRequest{Key: dst.Key, VersionID: t.copied, IfMatch: dst.ETag, Offset: off, Length: n}
		for try := 1; ; try++ {
			err := r.readChunk(ctx, left, right, a, b)
			if err == nil {
				break
			}
			var broken *brokenError
			if !errors.As(err, &broken) || try == readTries {
				return noProof, err
			}
			r.count.Retried.Add(1)
		}
	}
	return byBytes, nil
}

// brokenError is a stream that ended early.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "read: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

func (r *run) readChunk(ctx context.Context, left, right OpenRequest, a, b []byte) error {
	src, err := r.open(ctx, r.job.Source, left)
	if err != nil {
		return fmt.Errorf("open the source: %w", err)
	}
	defer src.Close()
	dst, err := r.open(ctx, r.job.Destination, right)
	if err != nil {
		return fmt.Errorf("open the destination: %w", err)
	}
	defer dst.Close()
	for off := Bytes(0); off < left.Length; off += readBlock {
		n := min(readBlock, left.Length-off)
		if _, err := io.ReadFull(src, a[:n]); err != nil {
			return &brokenError{err}
		}
		if _, err := io.ReadFull(dst, b[:n]); err != nil {
			return &brokenError{err}
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return &differsError{Reason(fmt.Sprintf("the bytes differ behind offset %d", left.Offset+off))}
		}
	}
	return nil
}

func (r *run) open(ctx context.Context, o Opener, req OpenRequest) (io.ReadCloser, error) {
	return paced(ctx, r, req.Key, func(ctx context.Context) (io.ReadCloser, error) { return o.Open(ctx, req) })
}
