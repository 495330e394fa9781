package runner

import (
	"context"
	"fmt"
	"strings"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// copyRunner copies a pair as the principal. What earlier runs settled it does not do again.
type copyRunner struct{ pairRunner }

func (r copyRunner) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	c := *s.Spec.Copy
	if c.NothingToDo {
		return held("nothing to copy"), nil
	}
	job, err := r.asPrincipal(s3copy.Copy, c)
	if err != nil {
		return executor.Result{}, err
	}
	if err := r.keepsVersions(ctx, c); err != nil {
		return executor.Result{}, err
	}
	job.Journal = r.d.Journals.Journal(c.Pair)
	job.Rules.DeleteExtra = false // a step of its own, behind the verification
	if job.Rules.Restore {
		job.Restorer = r.d.Source.OpenRestorer(c.Source())
	}
	sum, err := r.timed(ctx, c, job)
	sum.Locks.Left = c.LocksLeft
	r.ends.put(c.Pair.ID(), sum)
	return copied(c, sum, err)
}

// copied is how a step that copies has ended.
func copied(c compile.CopySpec, sum s3copy.Summary, err error) (executor.Result, error) {
	// What waits for its restore is settled by nobody's fault: it is not counted as failed here.
	res := executor.Result{Detail: sum, Failed: sum.Tally.Failed.Objects - sum.Waiting}
	if err != nil {
		return res, err
	}
	res.Outcome, res.Message = executor.Done, tallyText(sum.Tally)
	if c.Preliminary && res.Failed > 0 {
		res.Failed = 0
		res.Message += "; what failed is tried again"
	}
	if sum.Waiting > 0 {
		res.Outcome = executor.Waiting
		res.Pending = fmt.Sprintf("%d archived objects of %s are being restored (%s, for %d days): run xplan resume when they are",
			sum.Waiting, c.Pair.Source, c.Pair.Copy.Restore.Tier, c.Pair.Copy.Restore.Days)
	}
	return res, nil
}

// keepsVersions looks once more, right before: what is copied to a bucket that keeps none replaces what came before it.
func (r pairRunner) keepsVersions(ctx context.Context, c compile.CopySpec) error {
	if !c.Pair.Copy.AllVersions() {
		return nil
	}
	b, _, err := r.d.Destination.Bucket(ctx, c.Pair.Destination)
	if err != nil {
		return err
	}
	if b.Versioning != enabled {
		return &DriftError{Subject: "bucket " + c.Pair.Destination, What: "its versioning is not Enabled (any more), and all versions are to be copied there"}
	}
	return nil
}

func tallyText(t s3copy.Tally) string {
	text := fmt.Sprintf("%d listed = %d copied + %d same + %d skipped + %d failed",
		t.Listed.Objects, t.Copied.Objects, t.Same.Objects, t.Skipped.Objects, t.Failed.Objects)
	if h := t.History; h != (s3copy.History{}) {
		text += fmt.Sprintf("; of %d versions %d copied, of %d delete markers %d made",
			h.Versions.Objects, h.VersionsCopied.Objects, h.Markers.Objects, h.MarkersCopied.Objects)
	}
	return text
}

// verifyRunner says how much of the pair is proven, and by what. The copy's own pass has
// proven what it settled; a pair that needed no copy was proven when it was compared. Where
// neither reached the level asked, both sides are read again.
type verifyRunner struct{ pairRunner }

func (r verifyRunner) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	res, err := r.verify(ctx, s)
	if err == nil && res.Outcome.Met() {
		r.ends.prove(s.Spec.Copy.Pair.ID())
	}
	return res, err
}

func (r verifyRunner) verify(ctx context.Context, s compile.Step) (executor.Result, error) {
	c := *s.Spec.Copy
	sum, ok := r.ends.get(c.Pair.ID())
	if !ok && !provenByScan(c.Pair.Verify.Level, s.Change.Copy) {
		var err error
		if sum, err = r.again(ctx, c); err != nil {
			return executor.Result{Detail: sum}, err
		}
		ok = true
	}
	if !ok {
		res := held(fmt.Sprintf("%d objects were compared and are the same", s.Change.Copy.Same.Objects))
		res.Detail = summaryOf(*s.Change.Copy)
		return res, nil
	}
	return verdict(sum, c)
}

// summaryOf is the account of a pair that the scan proved.
func summaryOf(f compile.CopyFacts) s3copy.Summary {
	c := func(c compile.Count) s3copy.Count {
		return s3copy.Count{Objects: c.Objects, Bytes: s3copy.Bytes(c.Bytes)}
	}
	var history s3copy.History
	if v := f.Versions; v != nil {
		history.Versions, history.Markers = c(v.Versions), s3copy.Count{Objects: v.Markers}
	}
	return s3copy.Summary{Tally: s3copy.Tally{
		History: history,
		Listed:  c(f.Listed), Same: c(f.Same), Skipped: c(f.Skipped), Extra: c(f.Extra),
		Filtered: c(f.SkippedBy["filtered"]), Archived: c(f.SkippedBy["archived"]), Kept: c(f.SkippedBy["kept"]),
		Evidence: s3copy.Evidence{
			ETag: c(f.SameBy["etag"]), Checksum: c(f.SameBy["checksum"]), Bytes: c(f.SameBy["bytes"]), SizeOnly: c(f.SameBy["size_only"]),
		},
	}}
}

// again compares both sides at the plan's level, as the administrators: nothing is written.
func (r verifyRunner) again(ctx context.Context, c compile.CopySpec) (s3copy.Summary, error) {
	return r.d.Engine.Run(ctx, r.asAdmins(s3copy.Verify, c))
}

// provenByScan tells whether comparing proved every object at the level asked.
func provenByScan(level plan.Level, f *compile.CopyFacts) bool {
	if f == nil || !f.Known || f.Partial || f.ToDo() || f.Unreadable.Objects > 0 {
		return false
	}
	by := f.SameBy
	switch level {
	case plan.LevelSize:
		return true
	case plan.LevelChecksum:
		return by["size_only"].Objects == 0
	default:
		return by["bytes"].Objects == f.Same.Objects
	}
}

// verdict turns a job's end into a step's: only a pair without a failure is verified.
func verdict(sum s3copy.Summary, c compile.CopySpec) (executor.Result, error) {
	t, e := sum.Tally, sum.Tally.Evidence
	res := executor.Result{Detail: sum, Failed: t.Failed.Objects}
	if t.Failed.Objects > 0 {
		res.Outcome, res.Message = executor.Failed, failedText(t.Failed.Objects, sum.Failures, c)
		return res, nil
	}
	res.Outcome = executor.Done
	res.Message = fmt.Sprintf("%d by ETag, %d by checksum, %d by bytes", e.ETag.Objects, e.Checksum.Objects, e.Bytes.Objects)
	if e.SizeOnly.Objects > 0 {
		res.Message += fmt.Sprintf(", %d by size only: these are not verified", e.SizeOnly.Objects)
	}
	return res, nil
}

// failedText names the first failures.
func failedText(n int64, first []s3copy.Failure, c compile.CopySpec) string {
	lines := []string{fmt.Sprintf("%d objects failed, so the copy is not verified", n)}
	for _, f := range first[:min(len(first), 3)] {
		lines = append(lines, fmt.Sprintf("%s %q: %s", f.Phase, f.Key, f.Reason))
	}
	return strings.Join(append(lines, causes(first, c)...), "\n")
}

// VerifyPair compares one pair by itself, as the administrators, for xplan verify. Mapping is told what became of each
// version, where it is not nil.
func VerifyPair(ctx context.Context, d Deps, c compile.CopySpec, mapping s3copy.Mapping) (s3copy.Summary, error) {
	job := pairRunner{d: d, session: &session{}, ends: &summaries{}}.asAdmins(s3copy.Verify, c)
	job.Mapping = mapping
	return d.Engine.Run(ctx, job)
}
