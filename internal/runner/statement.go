package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
}

func (r statement) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Statement
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
		return executor.Result{}, &ConflictError{
			Subject: "bucket policy of " + spec.Bucket, Why: "a statement " + spec.Sid + " is there and is not this plan's",
			Fix: "choose another permissions.statement, or set permissions.adopt: true to take it over, clean-up included",
		}
	case compile.PolicyDigest(before) != spec.Reviewed:
		return executor.Result{}, &DriftError{Subject: "bucket policy of " + spec.Bucket, What: "its statements are others than those that were read for the plan"}
	}
	x.Before = r.otherForms(ctx, ours)
	edited := false
	err = r.own.make(ctx, x, func(ctx context.Context) error {
		edited, err = r.write(ctx, spec, s.ID, merged)
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

// editedWords warn of somebody who wrote between our write and its reading back. S3 knows no condition on a policy.
func editedWords(edited bool) string {
	if !edited {
		return ""
	}
	return "; somebody else edited the policy at the same moment: look whether it says what they meant"
}

// unchanged tells whether the policy is still the one that was reviewed, or already the one that is meant. Before each
// write, as S3 may take minutes to accept one.
func (r statement) unchanged(ctx context.Context, spec compile.StatementSpec, merged policy.Document) error {
	now, err := readPolicy(ctx, r.api, spec)
	if err != nil {
		return err
	}
	if d := compile.PolicyDigest(now); d != spec.Reviewed && d != compile.PolicyDigest(merged) {
		return &DriftError{Subject: "bucket policy of " + spec.Bucket, What: "somebody else edited it while ours was to be written"}
	}
	return nil
}

// write puts the merged document, waiting for S3 to learn a new principal, and reads it back. It tells whether others'
// statements are not those that it wrote.
func (r statement) write(ctx context.Context, spec compile.StatementSpec, id plan.StepID, merged policy.Document) (edited bool, err error) {
	limit := principalFor
	if len(merged.UniqueIDs(spec.Sid)) > 0 {
		limit = readBackFor // live principals are shown so for a moment only
	}
	err = until(ctx, limit, func(ctx context.Context) error {
		if err := r.unchanged(ctx, spec, merged); err != nil {
			return err
		}
		err := r.api.PutBucketPolicy(ctx, spec.Bucket, spec.Region, string(merged.JSON()))
		if errors.Is(err, compile.ErrInvalidPrincipal) && r.principalsExist(ctx, merged, spec.Sid) {
			return fmt.Errorf("%s: S3 does not know the principal of %s yet: %w (%w)", id, spec.Sid, errNotYet, err)
		}
		return err
	})
	if err != nil {
		return false, refusedPrincipals(err, spec, merged)
	}
	err = until(ctx, readBackFor, func(ctx context.Context) error {
		after, err := readPolicy(ctx, r.api, spec)
		if err != nil {
			return err
		}
		edited = compile.PolicyDigest(after) != compile.PolicyDigest(merged)
		if got, ok := after.Find(spec.Sid); !ok || got.Digest() != mustFind(merged, spec.Sid).Digest() {
			return fmt.Errorf("statement %s of %s: %w", spec.Sid, spec.Bucket, errNotYet)
		}
		return nil
	})
	return edited, err
}

// refusedPrincipals says which of others' principals S3 may have meant.
func refusedPrincipals(err error, spec compile.StatementSpec, doc policy.Document) error {
	dead := doc.UniqueIDs(spec.Sid)
	if !errors.Is(err, compile.ErrInvalidPrincipal) || len(dead) == 0 {
		return err
	}
	return fmt.Errorf("bucket policy of %s: S3 refuses it as long as it names deleted principals (%s): they allow nobody anything, so take them out by hand, then run again: %w",
		spec.Bucket, strings.Join(dead, ", "), err)
}

func mustFind(d policy.Document, sid string) policy.Statement {
	s, _ := d.Find(sid)
	return s
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
	kind compile.Kind // of its record
	api  BucketPolicies
	own  owner
}

func (r cleanStatement) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Statement
	known, err := ownedStatement(r.own, r.kind, spec)
	if err != nil {
		return executor.Result{}, err
	}
	if len(known) == 0 {
		return held("not ours, so it stays"), nil
	}
	removed := false
	err = r.own.unmake(known[0], func() error {
		if removed, err = r.remove(ctx, spec, known[0]); err != nil || !removed {
			return err
		}
		return until(ctx, readBackFor, func(ctx context.Context) error {
			after, err := readPolicy(ctx, r.api, spec)
			if err != nil {
				return err
			}
			if got, ok := after.Find(spec.Sid); ok && got.Digest() == known[0].Digest {
				return fmt.Errorf("statement %s of %s is still there: %w", spec.Sid, spec.Bucket, errNotYet)
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return executor.Result{}, err
	case !removed:
		return held("no statement of ours is there"), nil
	}
	return done("statement " + spec.Sid + " gone, and read back as gone"), nil
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
