package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// delta follows a copy whose source is written to meanwhile: passes over both sides, each of which copies what changed since,
// until there is little left for the final pass.
type delta struct{ pairRunner }

func (r delta) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	c := *s.Spec.Copy
	if err := r.keepsVersions(ctx, c); err != nil {
		return executor.Result{}, err
	}
	var copiedBy []string
	var last s3copy.Summary
	for pass := 1; pass <= c.Passes; pass++ {
		sum, err := r.pass(ctx, c, fmt.Sprintf("%s delta %d", c.Pair.ID(), pass))
		if err != nil {
			return executor.Result{Message: "delta " + fmt.Sprint(pass)}, err
		}
		last = sum
		copiedBy = append(copiedBy, fmt.Sprint(sum.Tally.Copied.Objects))
		if sum.Tally.Copied.Objects <= int64(c.Until) {
			break
		}
	}
	res := done("no delta was asked for")
	if len(copiedBy) > 0 {
		res.Message = "objects copied by each delta: " + strings.Join(copiedBy, ", ")
	}
	if last.Changing > 0 {
		res.Message += fmt.Sprintf("; %d objects were written to while they were copied, and are left to the final pass", last.Changing)
	}
	res.Failed = last.Tally.Failed.Objects - last.Waiting - last.Changing
	switch {
	case res.Failed > 0: // would fail while nobody can write, as well
		res.Outcome = executor.Failed
		res.Message = failedText(res.Failed, hard(last.Failures), c)
	case last.Waiting > 0:
		res.Outcome = executor.Waiting
		res.Pending = fmt.Sprintf("%d archived objects of %s are being restored: run xplan resume when they are", last.Waiting, c.Pair.Source)
	}
	return res, nil
}

// hard are the failures that another try alone does not mend.
func hard(all []s3copy.Failure) []s3copy.Failure {
	return slices.DeleteFunc(slices.Clone(all), func(f s3copy.Failure) bool { return f.Changed })
}

// pass is one delta. What proves more than a comparison is left to the final pass.
func (r delta) pass(ctx context.Context, c compile.CopySpec, row string) (s3copy.Summary, error) {
	job, err := r.passJob(c, row)
	if err != nil {
		return s3copy.Summary{}, err
	}
	if c.Pair.Verify.Level == plan.LevelBytes {
		job.Rules.Level = string(plan.LevelChecksum)
	}
	job.Rules.Otherwise = "accept"
	return r.timed(ctx, c, job)
}

// passJob is the job of a pass after the copy, as the principal. It is not gone on with after a crash, but done again; of what
// it records only the uploads last.
func (r pairRunner) passJob(c compile.CopySpec, row string) (s3copy.Job, error) {
	job, err := r.asPrincipal(s3copy.Copy, c)
	if err != nil {
		return s3copy.Job{}, err
	}
	job.Journal = uploadsOnly{r.d.Journals.Journal(c.Pair)}
	job.Counters = r.d.Progress.Of(row)
	job.Rules.DeleteExtra, job.SecondPass = false, false
	job.Earlier = append(r.ends.windows(c.Pair.ID()), job.Earlier...)
	if job.Rules.Restore {
		job.Restorer = r.d.Source.OpenRestorer(c.Source())
	}
	return job, nil
}

// timed runs a job, and remembers when: what it copied needs no second copy for want of comparable evidence.
func (r pairRunner) timed(ctx context.Context, c compile.CopySpec, job s3copy.Job) (s3copy.Summary, error) {
	if err := r.apart(ctx, c); err != nil {
		return s3copy.Summary{}, err
	}
	begun := r.d.Now()
	sum, err := r.d.Engine.Run(ctx, job)
	if err == nil && sum.Tally.Failed.Objects == 0 {
		r.ends.ran(c.Pair.ID(), s3copy.Window{Begun: begun, Ended: r.d.Now()})
	}
	return sum, err
}

// uploadsOnly is a journal that keeps nothing but the uploads, which have to be found again.
type uploadsOnly struct{ s3copy.Journal }

func (j uploadsOnly) Load(ctx context.Context) (s3copy.Progress, error) {
	p, err := j.Journal.Load(ctx)
	return s3copy.Progress{Uploads: p.Uploads}, err
}

func (uploadsOnly) Commit(context.Context, s3copy.Batch) error { return nil }

// final is the last pass of a cut-over. Its account is the pair's. Over a frozen source it lists twice: a write that was let
// in before the freeze may be done after it.
type final struct{ pairRunner }

func (r final) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	c := *s.Spec.Copy
	if err := r.keepsVersions(ctx, c); err != nil {
		return executor.Result{}, err
	}
	job, err := r.passJob(c, c.Pair.ID()+" final")
	if err != nil {
		return executor.Result{}, err
	}
	job.SecondPass = c.Frozen
	job.EveryLock = c.Frozen && c.Locks // one that was set since the copy changed no date
	begun := r.d.Now()
	sum, err := r.timed(ctx, c, job)
	sum.Locks.Left = c.LocksLeft
	r.ends.put(c.Pair.ID(), sum)
	res, err := copied(c, sum, err)
	if err == nil && !c.Frozen {
		res.Message += fmt.Sprintf("; %s was not frozen: what was written to it since %s may be missing", c.Pair.Source, begun.UTC().Format(time.RFC3339))
	}
	return res, err
}
