package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/plan"
)

// editedWords warn of somebody who wrote between our write and its reading back. S3 knows no condition on a policy.
func editedWords(edited bool) string {
	if !edited {
		return ""
	}
	return "; somebody else edited the policy at the same moment: look whether it says what they meant"
}

// anothersSid says that a statement of our Sid is somebody else's.
func anothersSid(spec compile.StatementSpec) error {
	return &ConflictError{
		Subject: "bucket policy of " + spec.Bucket, Why: "a statement " + spec.Sid + " is there and is not this plan's",
		Fix: "choose another permissions.statement, or set permissions.adopt: true to take it over, clean-up included",
	}
}

// mergeNow merges our statement into the policy as it stands at this moment. S3 may take minutes to accept one, and another
// plan may have written its own meanwhile: that is merged with. What else has changed since the review is drift.
func (r statement) mergeNow(ctx context.Context, spec compile.StatementSpec, ours policy.Statement, known []compile.Owned) (before, merged policy.Document, err error) {
	if before, err = readPolicy(ctx, r.api, spec); err != nil {
		return before, merged, err
	}
	merged, found, err := policy.Merge(before, ours)
	switch {
	case err != nil:
	case found == policy.FoundOther && !spec.Adopt && !isOurs(before, spec.Sid, known):
		err = anothersSid(spec)
	case found != policy.FoundSame && compile.StandingDigest(before) != spec.Reviewed:
		err = &DriftError{Subject: "bucket policy of " + spec.Bucket, What: "somebody else edited it while ours was to be written"}
	}
	return before, merged, err
}

const (
	writesMost = 8                      // of one statement that others write over
	secondLook = 300 * time.Millisecond // after the first that showed ours: two that write in one moment write over each other
)

// errOverwritten says that another plan's write took the place of ours.
var errOverwritten = errors.New("it was written over")

// write puts our statement into the policy, and again where another plan that does the same has written over it: there is
// no condition on a policy. It tells whether others' statements are not those that it wrote.
func (r statement) write(ctx context.Context, spec compile.StatementSpec, id plan.StepID, ours policy.Statement, known []compile.Owned) (edited bool, err error) {
	for try := 1; ; try++ {
		before, merged, err := r.put(ctx, spec, id, ours, known)
		if err != nil {
			return false, refusedPrincipals(err, spec, merged)
		}
		edited, err = r.readBack(ctx, spec, ours, before, merged)
		if !errors.Is(err, errOverwritten) || try == writesMost {
			return edited, err
		}
		if err := pauseFor(ctx, time.Duration(1+rand.IntN(500))*time.Millisecond); err != nil { // not in step with the other one
			return false, err
		}
	}
}

// put merges and writes, waiting for S3 to learn a new principal.
func (r statement) put(ctx context.Context, spec compile.StatementSpec, id plan.StepID, ours policy.Statement, known []compile.Owned) (before, merged policy.Document, err error) {
	begun := r.own.now()
	err = until(ctx, principalFor, func(ctx context.Context) error {
		var err error
		if before, merged, err = r.mergeNow(ctx, spec, ours, known); err != nil {
			return err
		}
		err = r.api.PutBucketPolicy(ctx, spec.Bucket, spec.Region, string(merged.JSON()))
		// Live principals are shown by their IDs for a moment only.
		late := len(merged.UniqueIDs(spec.Sid)) > 0 && r.own.now().Sub(begun) > readBackFor
		if errors.Is(err, compile.ErrInvalidPrincipal) && !late && r.principalsExist(ctx, merged, spec.Sid) {
			return fmt.Errorf("%s: S3 does not know the principal of %s yet: %w (%w)", id, spec.Sid, errNotYet, err)
		}
		return err
	})
	return before, merged, err
}

// readBack wants our statement to stand, twice.
func (r statement) readBack(ctx context.Context, spec compile.StatementSpec, ours policy.Statement, before, merged policy.Document) (edited bool, err error) {
	looks := 0
	err = until(ctx, readBackFor, func(ctx context.Context) error {
		after, err := readPolicy(ctx, r.api, spec)
		if err != nil {
			return err
		}
		edited = compile.StandingDigest(after) != compile.StandingDigest(merged)
		lost := compile.StandingDigest(after) == compile.StandingDigest(before) // all but delegations is as it was before ours
		got, ok := after.Find(spec.Sid)
		switch stands := ok && got.Digest() == ours.Digest(); {
		case !stands && lost && compile.PolicyDigest(after) != compile.PolicyDigest(before):
			return fmt.Errorf("statement %s of %s: %w", spec.Sid, spec.Bucket, errOverwritten)
		case !stands:
			return fmt.Errorf("statement %s of %s: %w", spec.Sid, spec.Bucket, errNotYet)
		}
		if looks++; looks > 1 {
			return nil
		}
		if err := pauseFor(ctx, secondLook); err != nil {
			return err
		}
		return fmt.Errorf("statement %s of %s: %w", spec.Sid, spec.Bucket, errNotYet)
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
