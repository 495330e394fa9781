package s3copy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

const (
	copyTries = 3       // of an object that keeps changing
	singleMax = 5 << 30 // bytes that one CopyObject takes
)

// transfer copies the task's object and verifies the copy.
func (r *run) transfer(ctx context.Context, t *task) (outcome, error) {
	to := r.job.place(t.src.Key)
	fresh := r.job.Rules.NeverReplace && !t.exists
	for try := 1; ; try++ {
		answer, err := r.send(ctx, t, to, fresh)
		switch {
		case err == nil:
			return r.verified(ctx, t, to, answer)
		case errors.Is(err, ErrArchived):
			return r.frozen(ctx, t)
		case errors.Is(err, ErrExists) && fresh:
			return r.occupied(ctx, t, err)
		case errors.Is(err, ErrUnsupported) && fresh: // no such condition: look before
			if err := r.lookThere(ctx, t); err != nil || t.exists {
				return r.occupied(ctx, t, err)
			}
			fresh = false
			continue
		case !outdated(err), try == copyTries:
			return outcome{}, r.copyError(t, err)
		}
		r.count.Retried.Add(1)
		moved, again := r.refresh(ctx, t)
		switch {
		case errors.Is(again, errGone):
			return outcome{state: isGone}, nil
		case again != nil:
			return outcome{}, r.copyError(t, again)
		case !moved && fresh: // then it was the destination that failed the condition
			if r.lookThere(ctx, t) == nil && t.exists {
				return r.occupied(ctx, t, err)
			}
		}
	}
}

// occupied settles an object that must not replace what appeared in its place
// meanwhile: perhaps our own copy, whose answer got lost.
func (r *run) occupied(ctx context.Context, t *task, cause error) (outcome, error) {
	if err := r.lookThere(ctx, t); err != nil || !t.exists {
		return outcome{}, r.copyError(t, cmp.Or(err, cause))
	}
	act, out := r.job.judge(&t.src, t.target(), t.f, false)
	var err error
	if act == examine {
		if act, out, err = r.examine(ctx, t); err != nil {
			return out, err
		}
	}
	switch act {
	case prove:
		return r.prove(ctx, t)
	case rest:
		return out, nil
	default:
		return outcome{}, r.copyError(t, cmp.Or(cause, ErrExists))
	}
}

// outdated tells whether an error may come from what was known before, or is an
// answer that got lost: then another try is worth it.
func outdated(err error) bool {
	return errors.Is(err, ErrEmptyAnswer) || errors.Is(err, ErrChanged) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrNoUpload)
}

func (r *run) copyError(t *task, err error) error {
	return &ObjectError{Phase: phaseCopy, Key: t.src.Key, Err: err}
}

// verified proves a copy at the level asked.
func (r *run) verified(ctx context.Context, t *task, to string, answer Copied) (outcome, error) {
	dst := Object{Key: to, Size: t.src.Size, ETag: answer.ETag}
	p, err := r.evidence(ctx, t, &dst, &answer)
	if err == nil {
		err = r.bound(ctx, t, &dst)
	}
	switch {
	case errors.Is(err, errGone):
		return outcome{state: isGone}, nil
	case err != nil:
		return outcome{}, &ObjectError{Phase: phaseVerify, Key: t.src.Key, Err: err}
	}
	return outcome{state: isCopied, size: t.src.Size, proof: p}, nil
}

// frozen settles an object that turned out to be archived when it was to be copied.
func (r *run) frozen(ctx context.Context, t *task) (outcome, error) {
	if r.job.Rules.Restore {
		return r.thaw(ctx, t)
	}
	return outcome{state: isArchived, size: t.src.Size}, nil
}

// refresh reads the source object again, and tells whether it changed.
func (r *run) refresh(ctx context.Context, t *task) (moved bool, err error) {
	d, err := r.head(ctx, r.job.Source, HeadRequest{Key: t.src.Key})
	if errors.Is(err, ErrNotFound) {
		return false, errGone
	}
	if err != nil {
		return false, fmt.Errorf("head the source: %w", err)
	}
	moved = d.ETag != t.src.ETag || d.Size != t.src.Size
	key := t.src.Key
	t.src = d.Object
	t.src.Key = key
	return moved, nil
}

// send copies one object in the way that suits it.
func (r *run) send(ctx context.Context, t *task, to string, fresh bool) (Copied, error) {
	if r.job.Streaming {
		return r.stream(ctx, t, to, fresh)
	}
	if t.src.Size > 0 && (t.src.Size > r.limits.PartThreshold || partsOf(t.src.ETag) > 0) {
		return r.copyLarge(ctx, t, to, fresh)
	}
	answer, err := r.copyWhole(ctx, t, to, fresh, nil)
	if err != nil && t.src.Size == 0 && t.version == "" && ctx.Err() == nil && unnamed(err) {
		return r.stream(ctx, t, to, fresh) // some servers cannot copy a "dir/" marker, but can put it
	}
	return answer, err
}

// unnamed tells whether an error is none that the engine knows.
func unnamed(err error) bool {
	known := []error{
		ErrDenied, ErrNotFound, ErrNoBucket, ErrChanged, ErrExists, ErrArchived, ErrThrottled, ErrCredentials,
		ErrEmptyAnswer, ErrCustomerKey,
	}
	return !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) })
}

// copyWhole copies with one request. Known is what a HEAD has told of the source, if one was asked.
func (r *run) copyWhole(ctx context.Context, t *task, to string, fresh bool, known *Details) (Copied, error) {
	lock, redirect, err := r.alongside(ctx, t, known)
	if err != nil {
		return Copied{}, err
	}
	req := CopyRequest{
		SourceKey: t.src.Key, SourceVersion: t.version, Key: to, IfMatch: t.src.ETag, IfNoneMatch: fresh, Once: t.version != "",
		StorageClass: r.class(&t.src), ACL: r.job.Rules.ACL, DropTags: !r.job.Rules.Tags,
		Lock: lock, WebsiteRedirect: redirect,
	}
	answer, err := answered(paced(ctx, r, to, func(ctx context.Context) (Copied, error) {
		return r.job.Destination.CopyObject(ctx, req)
	}))
	if err == nil {
		r.count.BytesCopied.Add(int64(t.src.Size))
	}
	return answer, err
}

// answered takes a success without an ETag for what it is.
func answered(c Copied, err error) (Copied, error) {
	if err == nil && c.ETag == "" {
		err = ErrEmptyAnswer
	}
	return c, err
}

// class gives the storage class to ask for; "" leaves it to the server.
func (r *run) class(src *Object) string {
	class := r.job.Rules.StorageClass
	if class == "preserve" {
		class = src.StorageClass
	}
	if class == standardClass {
		return ""
	}
	return class
}
