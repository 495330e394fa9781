package s3copy

import (
	"context"
	"errors"
	"fmt"
)

// look reads both objects of a failure afresh, and judges them.
func (r *run) look(ctx context.Context, t *task) (action, outcome, error) {
	key := t.src.Key
	_, err := r.refresh(ctx, t)
	switch {
	case errors.Is(err, errGone):
		return rest, outcome{state: isGone}, nil
	case err != nil:
		return rest, outcome{}, &ObjectError{Phase: t.old.Phase, Key: key, Err: err}
	}
	if err := r.job.placeable(key); err != nil {
		return rest, failed(t.src.Size, phaseCopy, err.Error()), nil
	}
	if err := r.lookThere(ctx, t); err != nil {
		return rest, outcome{}, &ObjectError{Phase: t.old.Phase, Key: key, Err: err}
	}
	act, out := r.job.judge(&t.src, t.target(), t.f, false)
	return act, out, nil
}

// lookThere reads what stands at the task's place in the destination.
func (r *run) lookThere(ctx context.Context, t *task) error {
	to := r.job.place(t.src.Key)
	d, err := r.head(ctx, r.job.Destination, HeadRequest{Key: to})
	switch {
	case errors.Is(err, ErrNotFound):
		t.exists = false
		return nil
	case err != nil:
		return fmt.Errorf("head the destination: %w", err)
	}
	t.dst, t.exists = d.Object, true
	t.dst.Key = to
	t.f = compareListed(&t.src, &t.dst, r.job.rule())
	return nil
}

// examine asks both sides for what listings do not tell, and judges again.
func (r *run) examine(ctx context.Context, t *task) (action, outcome, error) {
	src, dst, f, err := r.compare(ctx, t, nil)
	var there *thereError
	switch {
	case errors.As(err, &there) && !fatal(err) && ctx.Err() == nil && r.job.Mode != Verify:
		dst = &Details{} // whatever is wrong with it, a copy puts it right
	case errors.Is(err, errGone):
		return rest, outcome{state: isGone}, nil
	case errors.Is(err, ErrCustomerKey):
		if r.job.Mode == Scan {
			return rest, outcome{state: isUnreadable, size: t.src.Size, reason: ErrCustomerKey.Error(), why: whyNot(err)}, nil
		}
		return rest, outcome{}, &ObjectError{Phase: phaseCopy, Key: t.src.Key, Err: err}
	case err != nil:
		return rest, outcome{}, &ObjectError{Phase: phaseCompare, Key: t.src.Key, Err: err}
	}
	if src != nil { // it may be another version than the one listed
		t.src.Size, t.src.ETag, t.src.Modified = src.Size, src.ETag, src.Modified
	}
	t.exists = dst != nil
	if dst != nil && dst.ETag != "" {
		t.dst.Size, t.dst.ETag, t.dst.Modified = dst.Size, dst.ETag, dst.Modified
	}
	t.examined, t.f = true, f
	act, out := r.job.judge(&t.src, t.target(), f, true)
	return act, out, nil
}

var errGone = errors.New("gone from the source")

// thereError is a destination's object that could not be asked.
type thereError struct{ err error }

func (e *thereError) Error() string { return "head the destination: " + e.err.Error() }
func (e *thereError) Unwrap() error { return e.err }

// compare reads both objects' checksums: the destination's from a copy's answer where
// that suffices. Where a side may not be asked, nothing is decided, and src is nil or
// dst is empty; dst is nil where nothing stands there any more.
func (r *run) compare(ctx context.Context, t *task, answer *Copied) (src, dst *Details, f finding, err error) {
	s, err := r.head(ctx, r.job.Source, HeadRequest{Key: t.src.Key, VersionID: t.version, Checksums: true})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil, f, errGone
	case err == nil && s.Encryption.Customer:
		return nil, nil, f, ErrCustomerKey
	case err == nil:
		src = &s
	case errors.Is(err, ErrCustomerKey) || !silentHead(err):
		return nil, nil, f, fmt.Errorf("head the source: %w", err)
	}
	if src != nil && answer != nil && answer.Type == FullObject {
		d := Details{Object: Object{ETag: answer.ETag, Checksum: answer.Type}, Checksums: answer.Checksums}
		if f = compareChecksums(src, &d); f.proof != noProof {
			return src, &d, f, nil
		}
	}
	d, err := r.head(ctx, r.job.Destination, HeadRequest{Key: r.job.place(t.src.Key), VersionID: t.copied, Checksums: true})
	switch {
	case errors.Is(err, ErrNotFound):
		return src, nil, finding{}, nil
	case silentHead(err):
		return src, &Details{}, finding{}, nil
	case err != nil:
		return src, nil, f, &thereError{err}
	case src == nil:
		return nil, &d, finding{}, nil
	}
	return src, &d, compareDetails(src, &d), nil
}

// silentHead tells whether a HEAD was refused in a way that only leaves unknown what
// it was to tell.
func silentHead(err error) bool {
	return errors.Is(err, ErrDenied) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrCustomerKey)
}

func (r *run) head(ctx context.Context, h Header, req HeadRequest) (Details, error) {
	return paced(ctx, r, req.Key, func(ctx context.Context) (Details, error) { return h.Head(ctx, req) })
}
