package s3copy

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The phases of failures.
const (
	phaseCompare = "compare"
	phaseCopy    = "copy"
	phaseVerify  = "verify"
	phaseRestore = "restore"
	phaseDelete  = "delete"
)

// mostReason bounds the text of a failure that is kept.
const mostReason = 500

// serve settles tasks until there are no more. Once the scheduling has ended it
// leaves what it gets undone.
func (r *run) serve(sched, hands context.Context) {
	for t := range r.tasks {
		if sched.Err() != nil || r.pace.enter(sched) != nil {
			r.finish(t.page, false)
			continue
		}
		r.count.InFlight.Add(1)
		err := r.perform(hands, &t)
		r.count.InFlight.Add(-1)
		r.pace.leave()
		if err != nil && fatal(err) {
			r.stop(err)
		}
		r.finish(t.page, err == nil)
	}
}

// finish closes a task of the page, and hands the page on when it was the last.
func (r *run) finish(p *page, done bool) {
	if p.finish(done) {
		r.settled <- p // has room for every page that may be under way
	}
}

// settle counts a key, for good.
func (r *run) settle(t *task, out outcome) {
	out.reason = clip(out.reason)
	t.page.enter(t, out)
	if t.old == nil {
		r.count.Settled.Add(1)
		r.count.BytesSettled.Add(int64(out.size))
	}
	switch out.state {
	case isCopied:
		r.count.Copied.Add(1)
	case isFailed:
		if t.old == nil {
			r.count.Failed.Add(1)
		}
	default:
	}
	if t.old != nil && out.state != isFailed {
		r.count.Failed.Add(-1)
	}
	r.note(t, out)
	if r.job.Mode == Scan && r.todo(out) {
		t.page.mark()
		if r.job.StopAtFirst {
			r.stop(errEnough)
		}
	}
	if r.job.Mode == Scan && out.state == isSame && !out.proof.enough(r.job.Rules.Level) {
		t.page.soften()
	}
}

// clip bounds a reason's length.
func clip(reason string) string {
	if len(reason) <= mostReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:mostReason], "") + "…"
}

// todo tells whether a scan's verdict leaves a copy something to do.
func (r *run) todo(out outcome) bool {
	switch out.state {
	case isNew, isChanged, isUnreadable:
		return true
	default:
		return false
	}
}

// note keeps samples for the review.
func (r *run) note(t *task, out outcome) {
	switch out.state {
	case isNew:
		r.notes.sample("new", t.src.Key, out.size, "")
	case isChanged:
		r.notes.sample("changed", t.src.Key, out.size, out.reason)
	case isUnreadable:
		r.notes.sample("unreadable", t.src.Key, out.size, out.reason)
	case isArchived:
		r.notes.sample("archived", t.src.Key, out.size, t.src.StorageClass)
	case isSame, isCopied:
		if out.proof == bySize {
			r.notes.sample("size_only", t.src.Key, out.size, "")
		}
	default:
	}
	if r.job.Mode == Scan && (out.state == isNew || out.state == isChanged) && archivedNow(&t.src) {
		r.notes.wait()
		r.notes.sample("archived", t.src.Key, out.size, t.src.StorageClass)
	}
}

// perform settles a task. An error means that it is not settled.
func (r *run) perform(ctx context.Context, t *task) error {
	if len(t.extras) > 0 {
		return r.remove(ctx, t)
	}
	if t.old != nil && t.old.Phase == phaseDelete {
		return r.removeAgain(ctx, t)
	}
	out, err := r.decide(ctx, t)
	if err != nil {
		if fatal(err) || ctx.Err() != nil || errors.Is(err, errPaused) {
			return err // and the scheduling has ended, or ends now
		}
		failure := &ObjectError{Phase: phaseCopy, Err: err}
		errors.As(err, &failure)
		out = failed(t.src.Size, failure.Phase, failure.Err.Error())
		if r.job.Mode == Scan {
			out.state = isUnreadable
		}
	}
	r.settle(t, out)
	return nil
}

// decide brings one key to its end. Errors are object errors.
func (r *run) decide(ctx context.Context, t *task) (outcome, error) {
	act, out := t.action, outcome{size: t.src.Size, state: isSame, proof: t.f.proof}
	var err error
	if t.old != nil {
		if act, out, err = r.look(ctx, t); err != nil {
			return out, err
		}
	}
	if act == examine {
		if act, out, err = r.examine(ctx, t); err != nil {
			return out, err
		}
	}
	switch act {
	case transfer:
		return r.transfer(ctx, t)
	case prove:
		return r.prove(ctx, t)
	case thaw:
		return r.thaw(ctx, t)
	case rest, examine:
	}
	return out, nil
}

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
			return rest, outcome{state: isUnreadable, size: t.src.Size, reason: ErrCustomerKey.Error()}, nil
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
	s, err := r.head(ctx, r.job.Source, HeadRequest{Key: t.src.Key, Checksums: true})
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
	d, err := r.head(ctx, r.job.Destination, HeadRequest{Key: r.job.place(t.src.Key), Checksums: true})
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
	return paced(ctx, r, func(ctx context.Context) (Details, error) { return h.Head(ctx, req) })
}

// thaw asks for an archived object's restore. It stays a failure until it is done.
func (r *run) thaw(ctx context.Context, t *task) (outcome, error) {
	_, err := paced(ctx, r, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.job.Restorer.Restore(ctx, t.src.Key, r.job.Rules.RestoreDays)
	})
	if err != nil && !errors.Is(err, ErrExists) {
		return outcome{}, &ObjectError{Phase: phaseCopy, Key: t.src.Key, Err: fmt.Errorf("ask for the restore: %w", err)}
	}
	return failed(t.src.Size, phaseRestore, fmt.Sprintf("archived (%s): its restore for %d days is asked for",
		t.src.StorageClass, r.job.Rules.RestoreDays)), nil
}
