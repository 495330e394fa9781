package s3copy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"
)

// An Engine runs jobs within its limits. It keeps nothing between jobs. Safe for
// concurrent use: jobs side by side share what is in flight and what streams hold, and have the other limits each for itself.
type Engine struct {
	limits Limits
	budget *budget
}

// A budget is what the jobs of an engine share: a plan may have many pairs, and a machine has its connections and its
// memory once. Who waits is served in turn, so that a small job is not held up by a large one.
// Held by TestJobsSideBySideShareWhatIsInFlight.
type budget struct {
	hands  chan struct{}       // one for each object in flight
	memory *semaphore.Weighted // bytes held by streamed objects
}

func newBudget(l Limits) *budget {
	return &budget{hands: make(chan struct{}, l.InFlight), memory: semaphore.NewWeighted(int64(l.StreamPart) * streamParts)}
}

// New makes an engine. A zero limit means its default.
func New(l Limits) (*Engine, error) {
	if err := l.Validate(); err != nil {
		return nil, fmt.Errorf("engine's limits: %w", err)
	}
	l = l.withDefaults()
	return &Engine{limits: l, budget: newBudget(l)}, nil
}

// Run does a job, or goes on with it where its journal stands. It returns when
// everything that it started has ended.
//
// An object's failure is in the summary, not in the error. An error means that the
// listing did not come to its end: ctx was cancelled (then it is ctx's), the
// credentials, the bucket or the permission to list are missing, or the journal
// failed. What was settled until then is committed, and in the summary.
func (e *Engine) Run(ctx context.Context, job Job) (Summary, error) {
	r, err := e.start(ctx, job, nil)
	if err != nil {
		return Summary{}, err
	}
	err = r.work(ctx)
	return r.summary(), err
}

// A watcher sees every source object of a listing, in order, and the one in its place.
type watcher func(src, dst *Object)

func (e *Engine) start(ctx context.Context, job Job, watch watcher) (*run, error) {
	job.Rules.Compare = cmp.Or(job.Rules.Compare, compareAuto)
	job.Rules.Level = cmp.Or(job.Rules.Level, levelChecksum)
	job.Rules.Otherwise = cmp.Or(job.Rules.Otherwise, otherwiseAccept)
	if err := job.validate(); err != nil {
		return nil, fmt.Errorf("copy job: %w", err)
	}
	if job.Mode == Copy && job.Journal == nil {
		job.Journal = nowhere{}
	}
	var p Progress
	if job.Journal != nil {
		var err error
		if p, err = job.Journal.Load(ctx); err != nil {
			return nil, fmt.Errorf("load progress: %w", err)
		}
		job.Marked = Marks(p.Failures)
	}
	job.mark()
	if len(p.Ranges) == 0 {
		p.Ranges = []Range{{ID: 1}}
	}
	return newRun(e.limits, e.budget, job, p, watch), nil
}

func (j *Job) validate() error {
	switch {
	case j.Source == nil:
		return errors.New("no source")
	case j.Destination == nil && j.Mode != Scan:
		return errors.New("no destination")
	case j.Mode != Copy && j.Journal != nil:
		return errors.New("a journal is for copies only")
	case j.Mapping != nil && (!j.Versions || j.Mode != Verify):
		return errors.New("a mapping is for the verification of versions only")
	case j.Versions && j.Rules.Locks:
		return errors.New("locks are not kept where versions are copied")
	case j.Versions && j.Rules.DeleteExtra:
		return errors.New("extra objects are not deleted where versions are copied: their histories would go")
	case j.Mode == Copy && j.Rules.DeleteExtra && j.Deleter == nil:
		return errors.New("nothing to delete extra objects with")
	case j.Mode == Copy && j.Rules.Restore && j.Restorer == nil:
		return errors.New("nothing to restore archived objects with")
	}
	return errors.Join(
		oneOf("mode", string(j.Mode), string(Scan), string(Copy), string(Verify)),
		oneOf("compare", j.Rules.Compare, compareAuto, compareETag, compareSize, compareChecksum),
		oneOf("level", j.Rules.Level, levelSize, levelChecksum, levelBytes),
		oneOf("otherwise", j.Rules.Otherwise, otherwiseAccept, otherwiseBytes, otherwiseFail),
	)
}

func oneOf(what, word string, words ...string) error {
	if slices.Contains(words, word) {
		return nil
	}
	return fmt.Errorf("%s is %q, not one of %q", what, word, words)
}

// work runs the job: a crew lists and merges, limits.InFlight settle tasks, one
// goroutine commits.
func (r *run) work(ctx context.Context) error {
	sched, stop := context.WithCancelCause(ctx) // ends the scheduling
	defer stop(nil)
	hands, kill := context.WithCancel(context.WithoutCancel(ctx)) // ends what is in flight
	defer kill()
	r.stop, r.stopping = stop, sched.Done()

	var killer, workers, committing sync.WaitGroup
	over := make(chan struct{})
	killer.Go(func() {
		select {
		case <-r.job.Kill:
			stop(context.Canceled)
			kill()
		case <-over:
		}
	})
	for range r.limits.InFlight {
		workers.Go(func() { r.serve(sched, hands) })
	}
	settled := make(chan *page, r.limits.ahead()+1)
	r.settled = settled
	var commitErr error
	committing.Go(func() { commitErr = r.books.serve(context.WithoutCancel(ctx), settled) })

	err := r.schedule(sched, hands)
	close(r.tasks)
	workers.Wait()
	close(settled)
	committing.Wait()
	close(over)
	killer.Wait()

	switch cause := context.Cause(sched); {
	case commitErr != nil:
		return commitErr
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(cause, errEnough):
		return nil
	case cause != nil:
		return cause
	case err != nil:
		return err
	}
	return r.books.total.Check(r.job.Mode)
}
