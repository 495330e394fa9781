package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/plan"
)

// statement merges our one statement into the source's bucket policy: all others are kept.
// PutBucketPolicy has no If-Match, so it reads, compares with what was reviewed, writes, and
// reads back; what it finds changed it does not write over.
type statement struct {
	kind       compile.Kind // of its record
	api        BucketPolicies
	principals Principals // of the destination: a new principal is unknown to S3 for a while
	own        owner
	turns      *turns // by bucket: a freeze is in the same policy
}

func (r statement) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Statement
	release, err := r.turns.take(ctx, spec.Bucket)
	if err != nil {
		return executor.Result{}, err
	}
	defer release()
	return r.stand(ctx, s.ID, spec)
}

func (r statement) stand(ctx context.Context, id plan.StepID, spec compile.StatementSpec) (executor.Result, error) {
	ours, before, err := r.read(ctx, spec)
	if err != nil {
		return executor.Result{}, err
	}
	merged, found, err := policy.Merge(before, ours)
	if err != nil {
		return executor.Result{}, err
	}
	x := compile.Owned{Kind: r.kind, Side: plan.Source, Subject: spec.Bucket, Parent: spec.Sid, Digest: ours.Digest()}
	known, err := ownedStatement(r.own, r.kind, spec)
	if err != nil {
		return executor.Result{}, err
	}
	switch {
	case found == policy.FoundSame && (len(known) > 0 || spec.Adopt):
		x.Before = r.otherForms(ctx, ours)
		return held("the statement stands"), r.own.Own(x)
	case found == policy.FoundSame:
		return held("the statement stands"), nil
	case found == policy.FoundOther && !spec.Adopt && !isOurs(before, spec.Sid, known):
		return executor.Result{}, anothersSid(spec)
	case compile.StandingDigest(before) != spec.Reviewed:
		return executor.Result{}, &DriftError{Subject: "bucket policy of " + spec.Bucket, What: "its statements are others than those that were read for the plan"}
	}
	x.Before = r.otherForms(ctx, ours)
	edited := false
	err = r.own.make(ctx, x, func(ctx context.Context) error {
		edited, err = r.write(ctx, spec, id, ours, known)
		return err
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done(fmt.Sprintf("statement %s stands, read back; others kept: %d", spec.Sid, len(merged.Statements)-1) + editedWords(edited)), nil
}

// otherForms are the digests that our statement has where S3 shows its principals by their unique
// IDs, as it does once they are deleted: it is ours still, and has to go.
func (r statement) otherForms(ctx context.Context, ours policy.Statement) []string {
	doc := policy.Document{Statements: []policy.Statement{ours}}
	ids := map[string]string{}
	for _, arn := range ours.Principal.AWS {
		if p, err := r.principals.Principal(ctx, arn); err == nil && p.UserID != "" {
			ids[arn] = p.UserID
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return []string{doc.WithPrincipals(ids).Statements[0].Digest()}
}

// read returns our statement and the policy that stands ("" reads as the empty document).
func (r statement) read(ctx context.Context, spec compile.StatementSpec) (ours policy.Statement, before policy.Document, err error) {
	doc, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + spec.Statement + `]}`))
	if err != nil {
		return ours, before, fmt.Errorf("our statement for %s: %w", spec.Bucket, err)
	}
	before, err = readPolicy(ctx, r.api, spec)
	return doc.Statements[0], before, err
}

func readPolicy(ctx context.Context, api BucketPolicies, spec compile.StatementSpec) (policy.Document, error) {
	text, err := api.BucketPolicy(ctx, spec.Bucket, spec.Region)
	if err != nil || text == "" {
		return policy.Document{}, err
	}
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		return policy.Document{}, fmt.Errorf("bucket policy of %s: %w", spec.Bucket, err)
	}
	return doc.WithPrincipals(spec.Live), nil
}

// ownedStatement finds the record of the statement, if there is one. Another Sid of the same
// bucket is another statement: the plan may have called it otherwise before.
func ownedStatement(own owner, kind compile.Kind, spec compile.StatementSpec) ([]compile.Owned, error) {
	known, err := own.find(kind, spec.Bucket)
	return slices.DeleteFunc(known, func(x compile.Owned) bool { return x.Parent != spec.Sid }), err
}

// isOurs tells whether the statement of our Sid is one that this plan wrote earlier.
func isOurs(doc policy.Document, sid string, known []compile.Owned) bool {
	s, ok := doc.Find(sid)
	return ok && len(known) > 0 && (s.Digest() == known[0].Digest || slices.Contains(known[0].Before, s.Digest()))
}

// principalsExist asks IAM: waiting makes sense only for a principal that is there.
func (r statement) principalsExist(ctx context.Context, d policy.Document, sid string) bool {
	for _, arn := range mustFind(d, sid).Principal.AWS {
		p, err := r.principals.Principal(ctx, arn)
		if err != nil || !p.Exists {
			return false
		}
	}
	return true
}

// cleanStatement removes our statement, others stay. The policy itself goes only if it is
// empty then and the run made it.
type cleanStatement struct {
	kind  compile.Kind // of its record
	api   BucketPolicies
	own   owner
	turns *turns // statement's
}

func (r cleanStatement) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Statement
	release, err := r.turns.take(ctx, spec.Bucket)
	if err != nil {
		return executor.Result{}, err
	}
	defer release()
	return r.takeOut(ctx, spec)
}

func (r cleanStatement) takeOut(ctx context.Context, spec compile.StatementSpec) (executor.Result, error) {
	known, err := ownedStatement(r.own, r.kind, spec)
	if err != nil {
		return executor.Result{}, err
	}
	if len(known) == 0 {
		return held("not ours, so it stays"), nil
	}
	removed := false
	err = r.own.unmake(known[0], func() error {
		for try := 1; ; try++ {
			again, err := r.remove(ctx, spec, known[0])
			removed = removed || again
			if err != nil || !again {
				return err
			}
			alone, err := r.readGone(ctx, spec, known[0])
			if alone || err != nil && (!errors.Is(err, errNotYet) || try == writesMost) {
				return err
			}
			if err := pauseFor(ctx, secondLook); err != nil {
				return err
			}
		}
	})
	switch {
	case err != nil:
		return executor.Result{}, err
	case !removed:
		return held("no statement of ours is there"), nil
	}
	return done("statement " + spec.Sid + " gone, and read back as gone"), nil
}

// readGone waits until our statement is gone, and tells whether no other plan's stands there: one that writes in the same
// moment puts ours back.
func (r cleanStatement) readGone(ctx context.Context, spec compile.StatementSpec, known compile.Owned) (alone bool, err error) {
	err = until(ctx, readBackFor/writesMost, func(ctx context.Context) error {
		after, err := readPolicy(ctx, r.api, spec)
		if err != nil {
			return err
		}
		if got, ok := after.Find(spec.Sid); ok && got.Digest() == known.Digest {
			return fmt.Errorf("statement %s of %s is still there: %w", spec.Sid, spec.Bucket, errNotYet)
		}
		// A freeze would hold everybody off for good: it is looked for once more, whoever stands there.
		alone = r.kind != compile.KindFreeze && !slices.ContainsFunc(after.Statements, compile.Delegates)
		return nil
	})
	return alone, err
}

// remove tells whether there was anything of ours to remove.
func (r cleanStatement) remove(ctx context.Context, spec compile.StatementSpec, known compile.Owned) (bool, error) {
	before, err := readPolicy(ctx, r.api, spec)
	if err != nil {
		return false, err
	}
	digest := known.Digest
	if isOurs(before, spec.Sid, []compile.Owned{known}) { // the present one, or an earlier one of ours
		digest = mustFind(before, spec.Sid).Digest()
	}
	after, removed, err := policy.Remove(before, spec.Sid, digest)
	var conflict *policy.ConflictError
	switch {
	case errors.As(err, &conflict) && known.Intent:
		return false, nil // never written by us: the Sid is somebody's own
	case errors.As(err, &conflict):
		return false, &ConflictError{
			Subject: "bucket policy of " + spec.Bucket, Why: "statement " + spec.Sid + " was edited since this plan wrote it",
			Fix: "remove it by hand, or put it back as it was and run xplan cleanup",
		}
	case err != nil:
		return false, err
	case !removed:
		return false, nil
	case after.Empty(): // a policy cannot be empty: either we made it, or its owner took the rest away
		return true, r.api.DeleteBucketPolicy(ctx, spec.Bucket, spec.Region)
	}
	err = r.api.PutBucketPolicy(ctx, spec.Bucket, spec.Region, string(after.JSON()))
	return true, refusedPrincipals(err, spec, after)
}
