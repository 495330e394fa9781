package s3copy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The phases of failures.
const (
	phaseCompare = "compare"
	phaseCopy    = "copy"
	phaseVerify  = "verify"
	phaseRestore = "restore"
	phaseLock    = "lock"
	phaseDelete  = "delete"
	// phaseAttributes is of an object whose bytes are proven, and whose tags or headers are not the source's.
	phaseAttributes = "attributes"
)

// mostReason bounds the text of a failure that is kept.
const mostReason = 500

// serve settles tasks until there are no more. Once the scheduling has ended it
// leaves what it gets undone.
func (r *run) serve(sched, hands context.Context) {
	for t := range r.tasks {
		if sched.Err() != nil || r.enter(sched) != nil {
			r.finish(t.page, false)
			continue
		}
		r.count.InFlight.Add(1)
		err := r.perform(hands, &t)
		r.count.InFlight.Add(-1)
		<-r.budget.hands
		r.pace.leave()
		if err != nil && fatal(err) {
			r.stop(err)
		}
		r.finish(t.page, err == nil)
	}
}

// enter waits for a slot of the job, and then for one of the engine. It fails only when ctx ends first.
func (r *run) enter(ctx context.Context) error {
	if err := r.pace.enter(ctx); err != nil {
		return err
	}
	select {
	case r.budget.hands <- struct{}{}:
		return nil
	case <-ctx.Done():
		r.pace.leave()
		return context.Cause(ctx)
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
	if t.src.Chain != nil && out.history == (History{}) && out.state != isFailed && out.state != isGone {
		out.history = t.src.Chain.newer(0) // nobody looked at them, and they are in the account all the same
	}
	t.page.enter(t, out)
	counted := t.old != nil && t.old.counted()
	if t.old == nil {
		r.count.Settled.Add(1)
		r.count.BytesSettled.Add(int64(out.size))
	}
	switch out.state {
	case isCopied:
		r.count.Copied.Add(1)
	case isFailed:
		if !counted {
			r.count.Failed.Add(1)
		}
	default:
	}
	if counted && out.state != isFailed {
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
	case isNew, isChanged:
		return !out.thawed
	case isUnreadable:
		return true
	case isSame:
		return out.weaker
	default:
		return false
	}
}

// note keeps samples for the review, and what a scan found to do.
func (r *run) note(t *task, out outcome) {
	switch out.state {
	case isNew:
		r.notes.sample("new", t.src.Key, out.size, "")
	case isChanged:
		r.notes.sample("changed", t.src.Key, out.size, out.reason)
	case isUnreadable:
		r.notes.sample("unreadable", t.src.Key, out.size, out.reason)
	case isKept:
		r.notes.sample("kept", t.src.Key, out.size, out.reason)
	case isFiltered:
		r.notes.sample("filtered", t.src.Key, out.size, "")
	case isArchived:
		r.notes.archive(&t.src)
		r.notes.sample("archived", t.src.Key, out.size, cmp.Or(out.reason, t.src.StorageClass))
	case isSame, isCopied:
		if out.weaker {
			r.notes.sample("lock", t.src.Key, out.size, out.reason)
		}
		if out.proof == bySize {
			r.notes.sample("size_only", t.src.Key, out.size, "")
		}
	default:
	}
	if r.job.Mode != Scan {
		return
	}
	switch out.state {
	case isNew, isChanged:
		if t.src.Chain != nil {
			r.noteChain(t, out)
			return
		}
		r.notes.work(&t.src, out, r.limits)
		if archivedNow(&t.src) {
			r.notes.sample("archived", t.src.Key, out.size, t.src.StorageClass)
		}
	case isUnreadable:
		r.notes.unread(out)
	default:
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
	decide := r.decide
	if r.job.Versions {
		decide = r.decideChain
	}
	out, err := decide(ctx, t)
	if err == nil && out.state == isGone {
		out, err = r.confirmGone(ctx, t)
	}
	if err != nil {
		if fatal(err) || ctx.Err() != nil || errors.Is(err, errPaused) {
			return err // and the scheduling has ended, or ends now
		}
		failure := &ObjectError{Phase: phaseCopy, Err: err}
		errors.As(err, &failure)
		out = failed(t.src.Size, failure.Phase, failure.Err.Error())
		if errors.Is(err, ErrChanged) {
			out.why = keepsChanging
		}
		if r.job.Mode == Scan {
			out.state, out.why = isUnreadable, whyNot(err)
		}
	}
	r.settle(t, out)
	return nil
}

// decide brings one key to its end. Errors are object errors.
func (r *run) decide(ctx context.Context, t *task) (outcome, error) {
	out, err := r.decideBytes(ctx, t)
	if err != nil || out.state != isSame || !r.job.whole {
		return out, err
	}
	if err = r.carried(ctx, t); errors.Is(err, errGone) {
		return outcome{state: isGone}, nil
	}
	return out, err
}

func (r *run) decideBytes(ctx context.Context, t *task) (outcome, error) {
	act, out := t.action, outcome{size: t.src.Size, state: isSame, proof: t.f.proof}
	var err error
	if t.old != nil {
		if act, out, err = r.look(ctx, t); err != nil {
			return out, err
		}
	}
	if act == ask {
		if act, out, err = r.askTier(ctx, t); err != nil {
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
		out, err = r.transfer(ctx, t)
	case prove:
		out, err = r.prove(ctx, t)
	case thaw:
		return r.thaw(ctx, t)
	case rest, examine, bind, ask:
	}
	if err != nil || out.state != isSame || !r.job.Rules.Locks || !t.exists || t.bound || t.page.second() && t.old == nil {
		return out, err
	}
	if out, err = r.bind(ctx, t, out); err != nil {
		return out, &ObjectError{Phase: phaseLock, Key: t.src.Key, Err: err}
	}
	return out, nil
}

// confirmGone tells an object that was deleted since it was listed from one that the
// server lists and does not find: that one would be lost without a word.
func (r *run) confirmGone(ctx context.Context, t *task) (outcome, error) {
	page, err := paced(ctx, r, t.src.Key, func(ctx context.Context) (Page, error) {
		return r.job.Source.ListPage(ctx, PageRequest{Prefix: t.src.Key, Max: 1}, nil)
	})
	if err == nil && len(page.Objects) > 0 && page.Objects[0].Key == t.src.Key {
		err = fmt.Errorf("the source lists it still: %w", ErrNotFound)
	}
	if err != nil {
		return outcome{}, &ObjectError{Phase: phaseCopy, Key: t.src.Key, Err: err}
	}
	return outcome{state: isGone}, nil
}

// askTier asks whether an object of Intelligent-Tiering is archived, and judges it again.
func (r *run) askTier(ctx context.Context, t *task) (action, outcome, error) {
	_, err := r.refresh(ctx, t)
	switch {
	case errors.Is(err, errGone):
		return rest, outcome{state: isGone}, nil
	case err != nil:
		return rest, outcome{}, &ObjectError{Phase: phaseCompare, Key: t.src.Key, Err: err}
	}
	act, out := r.job.judge(&t.src, t.target(), t.f, true)
	return act, out, nil
}

// thaw asks for an archived object's restore, unless one is under way: it would be billed again. It stays a failure until
// it is done.
func (r *run) thaw(ctx context.Context, t *task) (outcome, error) {
	again := ""
	if t.old != nil && t.old.Phase == phaseRestore {
		again = "; the one asked for on " + t.old.At.UTC().Format(time.DateOnly) + " has run out"
	}
	if t.src.Restoring {
		out := failed(t.src.Size, phaseRestore, fmt.Sprintf("archived (%s): its restore is under way", t.src.StorageClass))
		out.kept = true
		return out, nil
	}
	_, err := paced(ctx, r, t.src.Key, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.job.Restorer.Restore(ctx, RestoreRequest{Key: t.src.Key, Days: r.job.Rules.RestoreDays, Tier: r.job.Rules.RestoreTier})
	})
	if err != nil && !errors.Is(err, ErrExists) {
		return outcome{}, &ObjectError{Phase: phaseCopy, Key: t.src.Key, Err: fmt.Errorf("ask for the restore: %w", err)}
	}
	return failed(t.src.Size, phaseRestore, fmt.Sprintf("archived (%s): its restore for %d days is asked for%s",
		t.src.StorageClass, r.job.Rules.RestoreDays, again)), nil
}
