package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// cleanInstance terminates an instance that the plan names.
type cleanInstance struct{ sides }

func (r cleanInstance) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Instance
	api := r.of(s.Side)
	have, err := api.Instance(ctx, spec.ID, spec.Region)
	switch {
	case err != nil:
		return executor.Result{}, err
	case !have.Exists || instanceGone(have.State):
		return held("terminated already"), nil
	case have.Protected:
		return waiting(spec.ID + " is protected against termination: lift that, and run xplan apply"), nil
	}
	if err := api.TerminateInstance(ctx, spec.ID, spec.Region); err != nil {
		return executor.Result{}, err
	}
	err = until(ctx, readBackFor, func(ctx context.Context) error {
		now, err := api.Instance(ctx, spec.ID, spec.Region)
		if err == nil && now.Exists && !instanceGone(now.State) {
			err = fmt.Errorf("instance %s is %s: %w", spec.ID, now.State, errNotYet)
		}
		return err
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done("terminated, read back"), nil
}

func instanceGone(state string) bool { return state == "terminated" || state == "shutting-down" }

// cleanObjects deletes the source's objects of a pair, or all their versions: behind a person's confirmation, and
// only where the engine proves each of them at the destination again.
type cleanObjects struct{ pairRunner }

func (r cleanObjects) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	c := *s.Spec.Copy
	if !r.d.Confirmed[c.Pair.Source] {
		return waiting(fmt.Sprintf("deleting the objects of %s wants --confirm=%s", c.Pair.Source, c.Pair.Source)), nil
	}
	b, unseen, err := r.d.Source.Bucket(ctx, c.Pair.Source)
	if err != nil {
		return executor.Result{}, err
	}
	if why, err := r.forbidden(c, b, unseen); err != nil || why != "" {
		return waiting(why), err
	}
	if err := r.apart(ctx, c); err != nil {
		return executor.Result{}, err
	}
	if why, err := unfinished(ctx, r.d.Source, c.Source(), c.Pair.Prefix); err != nil || why != "" {
		return waiting(why), err
	}
	job := r.deletionJob(c, b)
	job.Twin = c.Pair.Source == c.Pair.Destination && c.Pair.Prefix == c.Pair.ToPrefix
	job.Rules.Redirects = slices.Contains(b.Configured, "website")
	tally, err := r.d.Engine.DeleteSource(ctx, job, r.d.Source.OpenDeleter(c.Source()))
	if sum, ok := r.ends.get(c.Pair.ID()); errors.Is(err, s3copy.ErrEmptySource) && (!ok || sum.Tally.Listed.Objects == 0) {
		return held("no object is left"), nil // a source that was copied a moment ago and is empty now stops it
	}
	if err != nil {
		return executor.Result{Detail: tally}, r.restart(ctx, c, err)
	}
	if tally.Deleted.Objects == 0 {
		return held("no object is left"), nil
	}
	gone := deletedText(tally)
	res := done(gone + " deleted, listed again and gone")
	res.Detail = tally
	left, err := first(ctx, job)
	if left != "" { // nothing that was proven: it was written since, or the server told a lie
		res = waiting(fmt.Sprintf("%s of %s deleted, as the server says, and %q is there: it was written since and is not copied, or it was not deleted; run xplan apply again",
			gone, c.Pair.Source, left))
		res.Detail = tally
	}
	return res, err
}

// deletionJob proves and deletes what the bucket has. One that never kept versions has current objects alone: each is replaced
// by the next write, and so goes on the condition that it is what was proven, whatever the plan says of versions.
func (r cleanObjects) deletionJob(c compile.CopySpec, b compile.Bucket) s3copy.Job {
	if b.Versioning == "" {
		c.Pair.Copy.Versions = ""
	}
	job := r.asAdmins(s3copy.Verify, c)
	job.Suspended = b.Versioning != enabled
	return job
}

// enabled is how S3 says that a bucket keeps versions.
const enabled = "Enabled"

// deletedText counts what was deleted.
func deletedText(t s3copy.Tally) string {
	if h := t.History; h != (s3copy.History{}) {
		return fmt.Sprintf("%d versions and %d delete markers", h.Versions.Objects, h.Markers.Objects)
	}
	return fmt.Sprintf("%d objects", t.Deleted.Objects)
}

// unconfirmed waits for a person, if there is anything to delete. Where the review could not tell, the copy's pass has seen
// the whole destination, or else both sides are compared: nothing is written.
func (r cleanExtra) unconfirmed(ctx context.Context, s compile.Step) (executor.Result, error) {
	c := *s.Spec.Copy
	if s.AsksLate {
		sum, ok := r.ends.get(c.Pair.ID())
		if !ok {
			var err error
			if sum, err = r.d.Engine.Run(ctx, r.asAdmins(s3copy.Scan, c)); err != nil {
				return executor.Result{}, err
			}
		}
		if sum.Tally.Extra.Objects == 0 {
			return held(noExtra), nil
		}
	}
	return waiting(fmt.Sprintf("deleting what only %s has wants --confirm=%s", c.Pair.Destination, c.Pair.Destination)), nil
}

const noExtra = "nothing is there that the source has not"

// restart has what stopped a deletion copied by the next run that goes on: its cursors stand at the end. It returns the cause.
func (r cleanObjects) restart(ctx context.Context, c compile.CopySpec, cause error) error {
	var unproven *s3copy.UnprovenError
	if !errors.As(cause, &unproven) && !errors.Is(cause, s3copy.ErrChanged) {
		return cause
	}
	if err := r.d.Journals.Restart(c.Pair); err != nil || unproven == nil || len(unproven.Marks) == 0 {
		return errors.Join(cause, err)
	}
	if err := r.d.Journals.Journal(c.Pair).Commit(context.WithoutCancel(ctx), s3copy.Batch{Failures: unproven.Marks}); err != nil {
		return errors.Join(cause, err)
	}
	return fmt.Errorf("%w; the next xplan apply copies %d objects again", cause, len(unproven.Marks))
}

// unfinished tells of uploads by parts that stand below a prefix of the source: somebody writes there still, and what
// they upload goes with a deleted bucket. A server that knows no uploads has none.
func unfinished(ctx context.Context, o Opener, at compile.Location, prefix string) (string, error) {
	all, err := o.OpenDestination(at, at).ListUploads(ctx, prefix)
	switch {
	case errors.Is(err, s3copy.ErrDenied):
		return fmt.Sprintf("whether an upload to %s is under way could not be read (s3:ListBucketMultipartUploads is denied): nothing of it is deleted", at.Bucket), nil
	case errors.Is(err, s3copy.ErrUnsupported):
		return "", nil
	case err != nil || len(all) == 0:
		return "", err
	}
	return fmt.Sprintf("%d uploads to %s are not finished, the one of %q is from %s: nothing of it is deleted. Have them completed or aborted, and run xplan apply",
		len(all), at.Bucket, all[0].Key, all[0].Initiated.UTC().Format(time.RFC3339)), nil
}

// first gives a key of the job's source, "" where it holds none.
func first(ctx context.Context, job s3copy.Job) (string, error) {
	page, err := job.Source.ListPage(ctx, s3copy.PageRequest{Prefix: job.Prefix, Max: 1}, nil)
	if err != nil || len(page.Objects) == 0 {
		return "", err
	}
	return page.Objects[0].Key, nil
}

// forbidden tells what must hold before anything of a source is deleted, by what its bucket is now and not at plan time.
func (r cleanObjects) forbidden(c compile.CopySpec, b compile.Bucket, unseen []compile.Unseen) (string, error) {
	name := c.Pair.Source
	switch {
	case strings.HasSuffix(name, accessPoint) || strings.HasSuffix(c.Pair.Destination, accessPoint):
		return "an access point's alias may lead to the very bucket on the other side: nothing is deleted through one", nil
	case !b.Exists || b.Foreign:
		return "", &DriftError{Subject: "bucket " + name, What: "it is gone, or somebody else's"}
	case b.ObjectLock:
		return name + " has Object Lock: its objects are not deleted", nil
	case b.MFADelete:
		return name + " wants MFA to delete: its objects are not deleted", nil
	case b.Replication:
		return name + " is replicated: its objects are not deleted", nil
	case b.Versioning != "" && !c.Pair.Copy.AllVersions():
		return name + " keeps versions, of which only the current ones were copied: its objects stay. copy.versions: all copies all of them, so that they can go", nil
	}
	blind := slices.IndexFunc(unseen, func(u compile.Unseen) bool { return mustSee(u.What) })
	if blind >= 0 && c.SourceAccount != "" {
		return fmt.Sprintf("%s could not be read (%s): its objects are not deleted", unseen[blind].What, unseen[blind].Why), nil
	}
	if sum, ok := r.ends.get(c.Pair.ID()); ok && sum.Tally.Skipped.Objects+sum.Tally.Failed.Objects > 0 {
		return fmt.Sprintf("%d objects of %s were skipped or failed: none is deleted", sum.Tally.Skipped.Objects+sum.Tally.Failed.Objects, name), nil
	}
	if c.Pair.Copy.Overwrite == "never" || c.Pair.Verify.Level == plan.LevelSize {
		return "the plan's overwrite: never or verify.level: size proves too little to delete anything", nil
	}
	return "", nil
}

// accessPoint ends the names of access points' aliases, and of no bucket.
const accessPoint = "-s3alias"

// mustSee tells whether something unread could make a deletion do harm.
func mustSee(what string) bool {
	return slices.ContainsFunc([]string{"versioning", "object lock", "replication", "bucket "}, func(s string) bool {
		return strings.HasPrefix(what, s)
	})
}

// cleanExtra deletes what only the destination has, as the principal, behind a person's
// confirmation and the verification: it lists both sides again.
type cleanExtra struct{ pairRunner }

func (r cleanExtra) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	c := *s.Spec.Copy
	if !r.d.Confirmed[c.Pair.Destination] {
		return r.unconfirmed(ctx, s)
	}
	if c.Pair.Cleanup.SourceObjects == plan.AfterVerify {
		return waiting(fmt.Sprintf("the plan moves objects out of %s, and %s may hold the only copy of what it has not: nothing is deleted there", c.Pair.Source, c.Pair.Destination)), nil
	}
	if err := r.apart(ctx, c); err != nil {
		return executor.Result{}, err
	}
	deleter := Opener(r.d.Destination)
	job := r.asAdmins(s3copy.Copy, c)
	if !c.AsAdministrators {
		var err error
		if job, err = r.asPrincipal(s3copy.Copy, c); err != nil {
			return executor.Result{}, err
		}
		if deleter, err = r.session.get(); err != nil {
			return executor.Result{}, err
		}
	}
	switch key, err := first(ctx, job); {
	case err != nil:
		return executor.Result{}, err
	case key == "": // emptied by mistake, as likely as not
		return waiting(fmt.Sprintf("%s lists no object below %q, so all that %s has there would go: delete it by hand if you mean that",
			c.Pair.Source, c.Pair.Prefix, c.Pair.Destination)), nil
	}
	if key, err := r.folded(ctx, c); err != nil || key != "" {
		return waiting(fmt.Sprintf("%s does not list %q, and has it: it takes several keys for one, and what is extra there by its name may be the copy of another; nothing is deleted: delete by hand what you mean",
			c.Pair.Destination, key)), err
	}
	job.Counters = &s3copy.Counters{} // the pair's own counts are the copy's
	job.Rules.Restore = false
	job.Deleter = deleter.OpenDeleter(c.Destination())
	sum, err := r.d.Engine.Run(ctx, job)
	res := executor.Result{Outcome: executor.Done, Detail: sum.Tally, Failed: sum.Tally.Failed.Objects}
	if err != nil {
		return res, err
	}
	res.Message = fmt.Sprintf("%d of %d extra objects deleted", sum.Tally.Deleted.Objects, sum.Tally.Extra.Objects)
	if sum.Tally.Extra.Objects == 0 {
		return held(noExtra), nil
	}
	return res, nil
}
