package s3copy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// errEnough ends a scan at the first thing to do.
var errEnough = errors.New("there is something to do")

// errPaused leaves an object by parts for later: its upload stands in the journal.
var errPaused = errors.New("stopped between two parts")

// A run is one job under way.
type run struct {
	limits   Limits
	job      Job
	count    *Counters
	watch    watcher
	pace     *pace
	valves   valves              // of requests on objects
	lists    [2]valves           // of each bucket's listings
	tasks    chan task           // schedule sends and closes
	settled  chan<- *page        // to the committer
	ahead    *semaphore.Weighted // pages that may run ahead of the last commit
	budget   *budget             // shared with the engine's other jobs
	poke     chan struct{}       // asks the committer to commit now
	eager    atomic.Bool         // commit every page: somebody waits for all of them
	stop     func(error)         // ends the scheduling, with a cause
	stopping <-chan struct{}
	books    *committer
	shelf    shelf
	uploads  *uploads
	sumless  atomic.Bool // the destination gets the checksums of parts wrong
	notes    notes
	sights   [2]sight
	mapper   mapper
	behind   map[string]Failure // the second pass: keys that wait for their retry
	reached  bool               // the listing's end
	begun    time.Time
}

// newRun prepares a run.
func newRun(l Limits, b *budget, job Job, p Progress, watch watcher) *run {
	r := &run{
		limits: l, job: job, count: job.Counters, watch: watch, begun: time.Now(),
		pace:    newPace(l.InFlight),
		tasks:   make(chan task),
		ahead:   semaphore.NewWeighted(int64(l.ahead())),
		budget:  b,
		poke:    make(chan struct{}),
		uploads: newUploads(p.Uploads),
		notes:   notes{samples: make(map[string][]Sample), census: census{classes: make(map[string]*Count)}, most: job.Samples},
	}
	if r.count == nil {
		r.count = &Counters{}
	}
	r.books = newCommitter(r, p)
	r.count.Listed.Add(p.Tally.Listed.Objects)
	r.count.Settled.Add(p.Tally.Listed.Objects)
	r.count.BytesSettled.Add(int64(p.Tally.Listed.Bytes))
	r.count.Failed.Add(p.Tally.Failed.Objects)
	return r
}

// schedule hands out the work. Ranges go in here, settled pages come out at the
// committer.
func (r *run) schedule(sched, hands context.Context) error {
	if err := r.list(sched, r.books.open()); err != nil {
		return err
	}
	if err := r.drain(sched); err != nil {
		return err
	}
	r.reached = true
	if r.job.Mode != Copy {
		return nil
	}
	if r.job.SecondPass && len(r.books.standing) < keepFailures {
		r.behind = maps.Clone(r.books.standing) // no page is under way
		if err := r.list(sched, []int{noRange}); err != nil {
			return err
		}
		if err := r.drain(sched); err != nil {
			return err
		}
	}
	if err := r.retry(sched); err != nil {
		return err
	}
	return r.sweep(hands)
}

// drain waits until every page is committed. Then no page is under way.
func (r *run) drain(ctx context.Context) error {
	r.eager.Store(true)
	defer r.eager.Store(false)
	select {
	case r.poke <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := r.ahead.Acquire(ctx, int64(r.limits.ahead())); err != nil {
		return context.Cause(ctx)
	}
	r.ahead.Release(int64(r.limits.ahead()))
	return nil
}

// fatal tells whether an error ends the run instead of failing one object.
func fatal(err error) bool {
	var journal *journalError
	return errors.Is(err, ErrCredentials) || errors.Is(err, ErrNoBucket) || errors.Is(err, ErrUnversioned) || errors.As(err, &journal)
}

// stopped tells whether the scheduling has ended.
func (r *run) stopped() bool {
	select {
	case <-r.stopping:
		return true
	default:
		return false
	}
}

// mostFailures is how many failures a summary shows.
const mostFailures = 1000

// summary tells how the run ended. Only after work.
func (r *run) summary() Summary {
	s := Summary{
		Tally: r.books.total, Partial: !r.reached,
		Largest: r.notes.largest, LongestKey: r.notes.longest, Classes: make(map[string]Count), Samples: r.notes.samples,
		Locks: r.notes.locks, Thawing: r.notes.thawing, Archived: flat(r.notes.archived),
	}
	for class, n := range r.notes.classes {
		s.Classes[class] = *n
	}
	keys := slices.Sorted(maps.Keys(r.books.standing))
	for _, key := range keys[:min(len(keys), mostFailures)] {
		s.Failures = append(s.Failures, r.books.standing[key])
	}
	for _, f := range r.books.standing {
		if f.Phase == phaseRestore {
			s.Waiting++
		}
		if f.Changed {
			s.Changing++
		}
	}
	if r.job.Mode == Scan {
		s.Waiting = r.notes.waiting
		s.Work, s.ChangedBy, s.UnreadableBy = flat(r.notes.todo), flat(r.notes.changed), flat(r.notes.unreadable)
		s.Seed = r.books.seed()
		s.Seed.Failures = r.job.Marked
	}
	return s
}
