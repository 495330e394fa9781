package s3copy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// The modes of a retention.
const (
	governance = "GOVERNANCE"
	compliance = "COMPLIANCE"
)

// Locks is what a job found and did about Object Lock, with [Rules.Locks]. All of it is of this run alone.
type Locks struct {
	Kept     Count `json:"kept"`     // copies that carry a retention or a hold, read back from each
	Past     Count `json:"past"`     // of the source's retentions, those that had run out and were left out
	Compared Count `json:"compared"` // equal objects whose locks were read on both sides
	Weaker   Count `json:"weaker"`   // of these, those whose lock at the destination was weaker: a copy has raised it
	Earlier  Count `json:"earlier"`  // equal objects that were not asked, since a finished run had compared them

	Compliance Count     `json:"compliance"`     // of Kept and Compared, the ones under COMPLIANCE, which nobody can delete before their date
	Holds      Count     `json:"holds"`          // and the ones with a legal hold
	Until      time.Time `json:"until,omitzero"` // the latest retention that was seen

	Left bool `json:"left,omitempty"` // the source's bucket has Object Lock, and the plan does not keep it
}

// Empty tells whether nothing is locked.
func (l Lock) Empty() bool { return l.Mode == "" && !l.LegalHold }

// String says the lock in S3's words.
func (l Lock) String() string {
	var parts []string
	if l.Mode != "" {
		parts = append(parts, l.Mode+" until "+l.Until.UTC().Format(time.RFC3339))
	}
	if l.LegalHold {
		parts = append(parts, "a legal hold")
	}
	return cmp.Or(strings.Join(parts, " and "), "none")
}

// standing is what is left of the lock at a time: a retention that has run out is none. Past tells of such a one.
func (l Lock) standing(now time.Time) (left Lock, past bool) {
	if l.Mode != "" && !l.Until.After(now) {
		return Lock{LegalHold: l.LegalHold}, true
	}
	return l, false
}

// toCarry is the lock for a copy: what stands of it. Servers keep dates by the second, so a part of one is rounded up.
func (l Lock) toCarry(now time.Time) (carry Lock, past bool) {
	carry, past = l.standing(now)
	if whole := carry.Until.Truncate(time.Second); carry.Mode != "" && whole.Before(carry.Until) {
		carry.Until = whole.Add(time.Second)
	}
	return carry, past
}

// covers tells whether nothing that the other lock forbids from now on is allowed by this one.
func (l Lock) covers(other Lock, now time.Time) bool {
	o, _ := other.standing(now)
	switch {
	case o.LegalHold && !l.LegalHold:
		return false
	case o.Mode == "":
		return true
	}
	return l.Mode != "" && !l.Until.Before(o.Until) && (l.Mode == compliance || o.Mode != compliance)
}

// raised is what has to be set on an object under this lock so that it covers the other. Nothing is shortened or
// loosened for it: where one of both has the longer date and the other the stricter mode, nothing that S3 has
// covers both without being more than either.
func (l Lock) raised(other Lock, now time.Time) (Lock, error) {
	have, _ := l.standing(now)
	want, _ := other.toCarry(now)
	set := Lock{LegalHold: want.LegalHold && !have.LegalHold}
	switch {
	case have.covers(Lock{Mode: want.Mode, Until: want.Until}, now):
		return set, nil
	case have.Mode == compliance && want.Mode == governance, have.Mode == governance && want.Mode == compliance && have.Until.After(want.Until):
		return set, fmt.Errorf("its lock is %s here and %s there, and neither can be made the other without being shortened or made stricter than both: "+
			"set the one that you want at the destination", other, l)
	}
	set.Mode, set.Until = want.Mode, want.Until
	return set, nil
}

// sight is whether locks may be read on a side. A HEAD keeps silent about a retention or a hold to who may not read it, so
// the first object that seems to lack one is asked outright, once a run.
type sight struct {
	mu    sync.Mutex
	known bool
	err   error
}

func (r *run) mayRead(ctx context.Context, s *sight, from LockReader, key string, told Lock) error {
	if told.Mode != "" && told.LegalHold {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return s.err
	}
	_, err := paced(ctx, r, key, func(ctx context.Context) (Lock, error) { return from.ReadLock(ctx, key) })
	switch {
	case err == nil, errors.Is(err, ErrDenied), errors.Is(err, ErrUnsupported):
		s.known, s.err = true, err
	case errors.Is(err, ErrNotFound):
		return nil // gone meanwhile: the next one will tell
	}
	return err
}

// alongside reads what a copy by one request does not take over by itself, where the job keeps that.
func (r *run) alongside(ctx context.Context, t *task, known *Details) (lock Lock, redirect string, err error) {
	redirects := r.job.Rules.Redirects || r.job.marked[t.src.Key]
	if !r.job.Rules.Locks && !redirects {
		return Lock{}, "", nil
	}
	if known == nil {
		d, err := r.head(ctx, r.job.Source, HeadRequest{Key: t.src.Key, VersionID: t.version})
		switch {
		case err != nil:
			return Lock{}, "", fmt.Errorf("head the source: %w", err)
		case d.ETag != t.src.ETag:
			return Lock{}, "", ErrChanged
		}
		known = &d
	}
	if redirects {
		redirect = known.Headers.WebsiteRedirect
	}
	lock, err = r.lockOf(ctx, t, known)
	return lock, redirect, err
}

// lockOf is the lock that the task's copy has to carry.
func (r *run) lockOf(ctx context.Context, t *task, d *Details) (Lock, error) {
	if !r.job.Rules.Locks {
		return Lock{}, nil
	}
	if err := r.mayRead(ctx, &r.sights[atSource], r.job.Source, t.src.Key, d.Lock); err != nil {
		return Lock{}, fmt.Errorf("read the source's lock: %w", err)
	}
	lock, past := d.Lock.toCarry(time.Now())
	t.lock = &carriedLock{lock, past}
	return lock, nil
}

// A carriedLock is the lock that a copy was made with.
type carriedLock struct {
	Lock
	past bool // the source's retention had run out
}

// bound reads back whether a copy carries the lock that it was made with.
func (r *run) bound(ctx context.Context, t *task, dst *Object) error {
	if t.lock == nil {
		return nil
	}
	now := time.Now()
	if !t.lock.Empty() {
		d, err := r.head(ctx, r.job.Destination, HeadRequest{Key: dst.Key})
		if err != nil {
			return fmt.Errorf("head the copy: %w", err)
		}
		if err := r.mayRead(ctx, &r.sights[atDestination], r.job.Destination, dst.Key, d.Lock); err != nil {
			return fmt.Errorf("read the copy's lock: %w", err)
		}
		if !d.Lock.covers(t.lock.Lock, now) {
			return fmt.Errorf("the copy was made with the lock %s and has %s", t.lock, d.Lock)
		}
	}
	r.notes.lock(func(l *Locks) {
		if t.lock.past {
			l.Past.Add(t.src.Size)
		}
		if !t.lock.Empty() {
			l.Kept.Add(t.src.Size)
			l.note(t.lock.Lock, t.src.Size)
		}
	})
	return nil
}

func (l *Locks) note(have Lock, size Bytes) {
	if have.Mode == compliance {
		l.Compliance.Add(size)
	}
	if have.LegalHold {
		l.Holds.Add(size)
	}
	if have.Mode != "" && have.Until.After(l.Until) {
		l.Until = have.Until
	}
}

// lockKnown tells whether a finished run of the very same job has compared the locks of two objects, neither of which was
// written to since. A lock that was changed by itself since then nothing but a verification sees.
func (j *Job) lockKnown(src, dst *Object) bool {
	for _, w := range j.Earlier {
		if !j.EveryLock && !w.Begun.IsZero() && src.Modified.Before(w.Begun) && !dst.Modified.After(w.Ended) {
			return true
		}
	}
	return false
}

// bind compares the locks of two objects that are equal, and raises the destination's where it is weaker.
func (r *run) bind(ctx context.Context, t *task, out outcome) (outcome, error) {
	src, err := r.head(ctx, r.job.Source, HeadRequest{Key: t.src.Key})
	switch {
	case errors.Is(err, ErrNotFound):
		return outcome{state: isGone}, nil
	case err != nil:
		return out, fmt.Errorf("head the source: %w", err)
	}
	if err := r.mayRead(ctx, &r.sights[atSource], r.job.Source, t.src.Key, src.Lock); err != nil {
		return out, fmt.Errorf("read the source's lock: %w", err)
	}
	dst, err := r.head(ctx, r.job.Destination, HeadRequest{Key: t.dst.Key})
	if err != nil {
		return out, fmt.Errorf("head the destination: %w", err)
	}
	if err := r.mayRead(ctx, &r.sights[atDestination], r.job.Destination, t.dst.Key, dst.Lock); err != nil {
		return out, fmt.Errorf("read the destination's lock: %w", err)
	}
	weaker := !dst.Lock.covers(src.Lock, time.Now())
	if weaker {
		if out, err = r.raise(ctx, &src, &dst, t.dst.Key, out); err != nil {
			return out, err
		}
	}
	r.notes.lock(func(l *Locks) {
		l.Compared.Add(t.src.Size)
		if weaker {
			l.Weaker.Add(t.src.Size)
		}
		left, past := src.Lock.standing(time.Now())
		if past {
			l.Past.Add(t.src.Size)
		}
		l.note(left, t.src.Size)
	})
	return out, nil
}

// raise gives the destination's object the source's lock, or says that it is weaker.
func (r *run) raise(ctx context.Context, src, dst *Details, to string, out outcome) (outcome, error) {
	set, err := dst.Lock.raised(src.Lock, time.Now())
	switch {
	case err != nil:
		return out, err
	case r.job.Mode == Scan:
		out.weaker, out.reason = true, fmt.Sprintf("its lock is %s, and %s at the destination", src.Lock, dst.Lock)
		return out, nil
	case r.job.Mode == Verify:
		return out, &differsError{Reason(fmt.Sprintf("the lock is %s here, %s there", src.Lock, dst.Lock))}
	}
	_, err = paced(ctx, r, to, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.job.Destination.SetLock(ctx, to, dst.VersionID, set)
	})
	if err != nil {
		return out, fmt.Errorf("set the lock %s: %w", set, err)
	}
	again, err := r.head(ctx, r.job.Destination, HeadRequest{Key: to})
	switch {
	case err != nil:
		return out, fmt.Errorf("head the destination: %w", err)
	case !again.Lock.covers(src.Lock, time.Now()):
		return out, fmt.Errorf("the lock was set to %s and is %s", set, again.Lock)
	}
	return out, nil
}

// lock changes the account of locks.
func (n *notes) lock(change func(*Locks)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.locks)
}
