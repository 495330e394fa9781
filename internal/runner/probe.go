package runner

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// probe waits until every leg answers several times in a row, as the principal: IAM is
// eventually consistent, and only the access itself proves that it is there.
type probe struct {
	*session
	journals Journals
	now      func() time.Time
}

func (r probe) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	login, err := r.get()
	if err != nil {
		return executor.Result{}, err
	}
	spec := *s.Spec.Probe
	t := tries{row: probesInARow, limit: propagateFor}
	if !spec.FreshlyMade {
		t = tries{row: 1, limit: settledFor}
	}
	legs := spec.Legs
	if len(legs) > 0 && legs[0] == compile.LegIdentity { // who it is comes before what they may do
		if err := r.leg(ctx, login, legs[0], spec, t); err != nil {
			return executor.Result{}, err
		}
		legs = legs[1:]
	}
	if err := r.sideBySide(ctx, login, legs, spec, t); err != nil {
		return executor.Result{}, err
	}
	if t.row == 1 {
		return done(fmt.Sprintf("%d legs answered", len(spec.Legs))), nil
	}
	return done(fmt.Sprintf("%d legs answered %d times in a row", len(spec.Legs), t.row)), nil
}

// tries are how often a leg must answer in a row, and how long a leg that is refused may take to.
type tries struct {
	row   int
	limit time.Duration
}

// sideBySide probes legs at once, and reports all that are denied. What is no denial ends the others.
func (r probe) sideBySide(ctx context.Context, l Login, legs []compile.Leg, spec compile.ProbeSpec, t tries) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, len(legs))
	var probes sync.WaitGroup
	for i, leg := range legs {
		probes.Go(func() {
			errs[i] = r.leg(ctx, l, leg, spec, t)
			if errs[i] != nil && !errors.Is(errs[i], s3copy.ErrDenied) {
				cancel(errs[i])
			}
		})
	}
	probes.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// leg probes one leg.
func (r probe) leg(ctx context.Context, l Login, leg compile.Leg, spec compile.ProbeSpec, t tries) error {
	if leg == compile.LegWriteDest {
		return r.writing(ctx, l, spec, t)
	}
	return r.answers(ctx, l, leg, spec, t)
}

// writing probes the leg that starts an upload. The upload is recorded before, as all of ours are, and stays on record
// until the clean-up has looked: a server's word that it was aborted is not enough.
func (r probe) writing(ctx context.Context, l Login, spec compile.ProbeSpec, t tries) error {
	spec.UploadKey = spec.Pair.ToPrefix + probeName + rand.Text()
	if err := r.journals.Journal(spec.Pair).PutUpload(ctx, s3copy.Upload{Key: spec.UploadKey, Started: r.now()}); err != nil {
		return fmt.Errorf("record the probe's upload: %w", err)
	}
	return r.answers(ctx, l, compile.LegWriteDest, spec, t)
}

// answers probes a leg until it answered so often in a row.
func (r probe) answers(ctx context.Context, l Login, leg compile.Leg, spec compile.ProbeSpec, t tries) error {
	good := 0
	begun := r.now()
	err := until(ctx, t.limit, func(ctx context.Context) error {
		for ; good < t.row; good++ {
			if good > 0 {
				if err := pauseFor(ctx, betweenProbes); err != nil {
					return err
				}
			}
			if err := l.Probe(ctx, leg, spec); err != nil {
				good = 0
				switch {
				case deniesForGood(err) && r.now().Sub(begun) > settledFor:
					return fmt.Errorf("probe %s: %w", leg, err)
				case errors.Is(err, s3copy.ErrDenied), errors.Is(err, s3copy.ErrCredentials):
					return fmt.Errorf("%w: %w", errNotYet, err)
				case busy(err) && r.now().Sub(begun) < busyFor:
					return fmt.Errorf("%w: %w", errNotYet, err)
				}
				return fmt.Errorf("probe %s: %w", leg, err)
			}
		}
		return nil
	})
	if errors.Is(err, s3copy.ErrDenied) {
		err = explain(leg, spec, err)
	}
	return err
}

// deniesForGood tells whether AWS names a statement that denies: nothing that we made a moment ago takes it away by showing.
func deniesForGood(err error) bool {
	told, _ := policy.ParseRefusal(err.Error())
	return told.Reason == policy.ExplicitDeny
}

// busy tells whether the server had no time for an answer, which says nothing about access.
func busy(err error) bool {
	return errors.Is(err, s3copy.ErrThrottled) || errors.Is(err, compile.ErrUnavailable)
}

// explain says which statement the leg rests on. Both accounts have to allow what crosses
// them, and an explicit deny of either wins.
func explain(leg compile.Leg, spec compile.ProbeSpec, err error) error {
	pair := spec.Pair
	e := &DeniedError{Leg: string(leg), Principal: spec.PrincipalARN, Err: err}
	source := false
	switch leg {
	case compile.LegIdentity:
		e.Action, e.Resource = "sts:GetCallerIdentity", "*"
	case compile.LegListSource:
		e.Action, e.Resource, source = "s3:ListBucket", bucketARN(pair.Source), true
	case compile.LegReadSource:
		e.Action, e.Resource, source = "s3:GetObject", bucketARN(pair.Source)+"/"+pair.Prefix+"*", true
	case compile.LegLocksSource:
		e.Action, e.Resource, source = cmp.Or(asked(err), "s3:GetObjectRetention"), bucketARN(pair.Source)+"/"+pair.Prefix+"*", true
	case compile.LegTagsSource:
		e.Action, e.Resource, source = "s3:GetObjectTagging", bucketARN(pair.Source)+"/"+pair.Prefix+"*", true
	case compile.LegVersionsSource:
		e.Action, e.Resource, source = "s3:ListBucketVersions", bucketARN(pair.Source), true
	case compile.LegReadVersion:
		e.Action, e.Resource, source = "s3:GetObjectVersion", bucketARN(pair.Source)+"/"+pair.Prefix+"*", true
	case compile.LegVersionsDest:
		e.Action, e.Resource = "s3:ListBucketVersions", bucketARN(pair.Destination)
	case compile.LegListDest:
		e.Action, e.Resource = "s3:ListBucket", bucketARN(pair.Destination)
	case compile.LegWriteDest:
		e.Action, e.Resource = "s3:PutObject", bucketARN(pair.Destination)+"/"+pair.ToPrefix+"*"
	}
	allow := fmt.Sprintf("Allow %s on %s", e.Action, e.Resource)
	if source {
		e.Missing = fmt.Sprintf("wanted: %q in the principal's policy, and the same for %s in the bucket policy of %s", allow, spec.PrincipalARN, pair.Source)
		if spec.SourceKMS != "" {
			e.Missing += fmt.Sprintf("; and kms:Decrypt on %s, by its key policy or a grant and by the principal's policy", spec.SourceKMS)
		}
	} else {
		e.Missing = fmt.Sprintf("wanted: %q in the principal's policy", allow)
		if leg == compile.LegWriteDest && spec.DestinationKMS != "" {
			e.Missing += fmt.Sprintf("; and kms:GenerateDataKey and kms:Decrypt on %s", spec.DestinationKMS)
		}
	}
	e.Missing += "; where these stand, look for a Deny: in the bucket policy, a permissions boundary, an organisation's policy, or a VPC endpoint's"
	if told, _ := policy.ParseRefusal(err.Error()); told.Leg != "" { // AWS says which rule it is
		e = e.complete(plan.Destination)
	}
	if doubt := doubted(spec.Doubts, string(leg)); doubt != "" {
		e.Missing = doubt + "\n" + e.Missing
	}
	return e
}

// probeName begins the keys of the probes' uploads, below the pair's prefix.
const probeName = ".xplan-probe-"

func bucketARN(name string) string { return "arn:aws:s3:::" + name }
