package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
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
	start := r.now()
	limit := propagateFor
	if !spec.FreshlyMade {
		limit = 10 * time.Second
	}
	for _, leg := range spec.Legs {
		// What is left of the limit: propagation is counted from the change, not from the leg.
		left := max(limit-r.now().Sub(start), time.Second)
		if leg == compile.LegWriteDest {
			err = r.writing(ctx, login, spec, left)
		} else {
			_, err = r.leg(ctx, login, leg, spec, left)
		}
		if err != nil {
			return executor.Result{}, err
		}
	}
	return done(fmt.Sprintf("%d legs answered %d times in a row", len(spec.Legs), probesInARow)), nil
}

// writing probes the leg that starts an upload. The upload is recorded before, as all of ours are: one that a crash
// leaves behind, or that could not be aborted, is found by the next clean-up.
func (r probe) writing(ctx context.Context, l Login, spec compile.ProbeSpec, limit time.Duration) error {
	spec.UploadKey = spec.Pair.ToPrefix + ".xplan-probe-" + rand.Text()
	journal := r.journals.Journal(spec.Pair)
	if err := journal.PutUpload(ctx, s3copy.Upload{Key: spec.UploadKey, Started: r.now()}); err != nil {
		return fmt.Errorf("record the probe's upload: %w", err)
	}
	failures, err := r.leg(ctx, l, compile.LegWriteDest, spec, limit)
	if err != nil || failures > 0 {
		return err
	}
	if err := journal.DropUpload(ctx, spec.UploadKey); err != nil {
		return fmt.Errorf("record the end of the probe's upload: %w", err)
	}
	return nil
}

// leg probes one leg until it answered several times in a row, and tells how often it did not.
func (r probe) leg(ctx context.Context, l Login, leg compile.Leg, spec compile.ProbeSpec, limit time.Duration) (failures int, _ error) {
	good := 0
	err := until(ctx, limit, func(ctx context.Context) error {
		for ; good < probesInARow; good++ {
			if good > 0 {
				if err := pauseFor(ctx, betweenProbes); err != nil {
					return err
				}
			}
			if err := l.Probe(ctx, leg, spec); err != nil {
				good = 0
				failures++
				if errors.Is(err, s3copy.ErrDenied) || errors.Is(err, s3copy.ErrCredentials) {
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
	return failures, err
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
	case compile.LegTagsSource:
		e.Action, e.Resource, source = "s3:GetObjectTagging", bucketARN(pair.Source)+"/"+pair.Prefix+"*", true
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
	return e
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }
