package s3copy

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

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
	tasks    chan task           // schedule sends and closes
	settled  chan<- *page        // to the committer
	ahead    *semaphore.Weighted // pages that may run ahead of the last commit
	memory   *semaphore.Weighted // bytes held by streamed objects
	poke     chan struct{}       // asks the committer to commit now
	eager    atomic.Bool         // commit every page: somebody waits for all of them
	stop     func(error)         // ends the scheduling, with a cause
	stopping <-chan struct{}
	books    *committer
	uploads  *uploads
	notes    notes
	reached  bool // the listing's end
}

// newRun prepares a run.
func newRun(l Limits, job Job, p Progress, watch watcher) *run {
	r := &run{
		limits: l, job: job, count: job.Counters, watch: watch,
		pace:    newPace(l.InFlight),
		tasks:   make(chan task),
		ahead:   semaphore.NewWeighted(int64(l.Pages)),
		memory:  semaphore.NewWeighted(int64(l.StreamPart) * streamParts),
		poke:    make(chan struct{}),
		uploads: newUploads(p.Uploads),
		notes:   notes{samples: make(map[string][]Sample), classes: make(map[string]Count), most: job.Samples},
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

// schedule hands out the work. Ranges go in here, settled ranges come out at the
// committer: a parallel lister takes the place of the first loop.
func (r *run) schedule(sched, hands context.Context) error {
	for i := range r.books.ranges {
		if r.books.ranges[i].Ended {
			continue
		}
		if err := r.merge(sched, i); err != nil {
			return err
		}
	}
	if err := r.drain(sched); err != nil {
		return err
	}
	r.reached = true
	if r.job.Mode != Copy {
		return nil
	}
	if r.job.SecondPass && len(r.books.standing) < keepFailures {
		if err := r.merge(sched, noRange); err != nil {
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
	if err := r.ahead.Acquire(ctx, int64(r.limits.Pages)); err != nil {
		return context.Cause(ctx)
	}
	r.ahead.Release(int64(r.limits.Pages))
	return nil
}

// fatal tells whether an error ends the run instead of failing one object.
func fatal(err error) bool {
	var journal *journalError
	return errors.Is(err, ErrCredentials) || errors.Is(err, ErrNoBucket) || errors.As(err, &journal)
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

// notes gather what a summary shows beside the counts.
type notes struct {
	mu      sync.Mutex
	most    int
	samples map[string][]Sample
	waiting int64

	largest Sample // the merge alone writes these
	longest int
	classes map[string]Count
}

func (n *notes) sample(verdict, key string, size Bytes, reason string) {
	if n.most == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.samples[verdict]; len(s) < n.most {
		n.samples[verdict] = append(s, Sample{Key: key, Size: size, Reason: reason})
	}
}

// wait counts an object that will have to be restored first.
func (n *notes) wait() {
	n.mu.Lock()
	n.waiting++
	n.mu.Unlock()
}

// listed notes an object of the source's listing.
func (n *notes) listed(o *Object) {
	if o.Size > n.largest.Size || n.largest.Key == "" {
		n.largest = Sample{Key: o.Key, Size: o.Size}
	}
	class := cmp.Or(o.StorageClass, standardClass)
	c := n.classes[class]
	c.Add(o.Size)
	n.classes[class] = c
}

const standardClass = "STANDARD"

// mostFailures is how many failures a summary shows.
const mostFailures = 1000

// summary tells how the run ended. Only after work.
func (r *run) summary() Summary {
	s := Summary{
		Tally: r.books.total, Partial: !r.reached,
		Largest: r.notes.largest, LongestKey: r.notes.longest, Classes: r.notes.classes, Samples: r.notes.samples,
	}
	keys := slices.Sorted(maps.Keys(r.books.standing))
	for _, key := range keys[:min(len(keys), mostFailures)] {
		s.Failures = append(s.Failures, r.books.standing[key])
	}
	for _, f := range r.books.standing {
		if f.Phase == phaseRestore {
			s.Waiting++
		}
	}
	if r.job.Mode == Scan {
		s.Waiting = r.notes.waiting
		if g := r.books.seed; g.done != "" || g.ended {
			s.Seed = Batch{Ranges: []Range{{ID: 1, Done: g.done, Ended: g.ended}}, Add: g.add}
		}
	}
	return s
}
