package runner

import (
	"context"
	"errors"
	"fmt"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/plan"
)

// bucket makes the destination's bucket with secure settings. A bucket that was
// there before is left as it is.
type bucket struct {
	api Buckets
	own owner
}

func (r bucket) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Bucket
	have, _, err := r.api.Bucket(ctx, spec.Name)
	if err != nil {
		return executor.Result{}, err
	}
	if have.Foreign {
		return executor.Result{}, fmt.Errorf("bucket %s belongs to another account than %s: bucket names are global, so choose another one",
			spec.Name, spec.Account)
	}
	ours, err := r.own.find(compile.KindBucket, spec.Name)
	if err != nil {
		return executor.Result{}, err
	}
	// An intent without the fact: the run died in between, so the settings may be half made.
	if have.Exists && (len(ours) == 0 || !ours[0].Intent || s.Action == compile.Hold) {
		return held("it is there, in " + have.Region), r.settle(ours, tagged(have.Tags, spec.Tags))
	}
	if !have.Exists && s.Action == compile.Hold {
		return executor.Result{}, &DriftError{Subject: "bucket " + spec.Name, What: "it was there and is gone"}
	}
	err = r.own.make(ctx, compile.Owned{Kind: compile.KindBucket, Side: plan.Destination, Subject: spec.Name},
		func(ctx context.Context) error {
			if err := r.api.CreateBucket(ctx, spec); err != nil {
				return err
			}
			return until(ctx, readBackFor, func(ctx context.Context) error { return r.stands(ctx, spec) })
		})
	if err != nil {
		return executor.Result{}, errors.Join(err, r.refused(ctx, spec.Name, err))
	}
	return done("created in " + spec.Region), nil
}

// settle fulfils an intent that a crash left: the tags say that the bucket is ours, and nothing of it is missing.
func (r bucket) settle(ours []compile.Owned, tagged bool) error {
	if len(ours) == 0 || !ours[0].Intent || !tagged {
		return nil
	}
	return r.own.Own(ours[0])
}

// refused drops the intent where the bucket was certainly not made: the name is another account's, or we may not.
func (r bucket) refused(ctx context.Context, name string, cause error) error {
	b, _, err := r.api.Bucket(context.WithoutCancel(ctx), name)
	if err != nil || !b.Foreign && (b.Exists || !errors.Is(cause, compile.ErrDenied)) {
		return nil //nolint:nilerr // then nobody knows, and the intent stays
	}
	return r.own.Disown(compile.Owned{Kind: compile.KindBucket, Side: plan.Destination, Subject: name})
}

// stands reads the bucket back: it exists, and nobody else can see into it.
func (r bucket) stands(ctx context.Context, spec compile.BucketSpec) error {
	b, unseen, err := r.api.Bucket(ctx, spec.Name)
	switch {
	case err != nil:
		return err
	case !b.Exists:
		return fmt.Errorf("bucket %s: %w", spec.Name, errNotYet)
	case !b.PublicAccess.All() && spec.Account != "" && len(unseen) == 0:
		return fmt.Errorf("bucket %s: its public access block: %w", spec.Name, errNotYet)
	}
	return nil
}

// cleanDestinationBucket removes the bucket of an abandoned run: only ours, and S3 refuses it unless it is empty.
type cleanDestinationBucket struct {
	api Buckets
	own owner
}

func (r cleanDestinationBucket) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Bucket
	ours, err := r.own.find(compile.KindBucket, spec.Name)
	if err != nil {
		return executor.Result{}, err
	}
	if len(ours) == 0 {
		return held("not ours, so it stays"), nil
	}
	if spec.OnlyRecord {
		switch err := bucketGone(ctx, r.api, spec.Name); {
		case errors.Is(err, errNotYet):
			return held("it is there after all, and stays"), nil
		case err != nil:
			return executor.Result{}, err
		}
		return held("no bucket of ours is there"), r.own.Disown(ours[0])
	}
	err = r.own.unmake(ours[0], func() error {
		if err := r.api.DeleteBucket(ctx, spec); err != nil {
			return err
		}
		return until(ctx, readBackFor, func(ctx context.Context) error { return bucketGone(ctx, r.api, spec.Name) })
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done("gone, and read back as gone"), nil
}

func bucketGone(ctx context.Context, api Buckets, name string) error {
	b, _, err := api.Bucket(ctx, name)
	if err != nil {
		return err
	}
	if b.Exists && !b.Foreign {
		return fmt.Errorf("bucket %s is still there: %w", name, errNotYet)
	}
	return nil
}

// cleanSourceBucket deletes the source's bucket, when its objects are gone and a person confirmed it.
type cleanSourceBucket struct {
	api interface {
		Buckets
		Opener
	}
	own       owner
	confirmed map[string]bool
}

func (r cleanSourceBucket) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Bucket
	if !r.confirmed[spec.Name] {
		return waiting(fmt.Sprintf("deleting bucket %s wants --confirm=%s", spec.Name, spec.Name)), nil
	}
	if err := bucketGone(ctx, r.api, spec.Name); err == nil {
		return held("gone already"), nil
	}
	at := compile.Location{Bucket: spec.Name, Region: spec.Region, Account: spec.Account}
	if why, err := unfinished(ctx, r.api, at, ""); err != nil || why != "" {
		return waiting(why), err
	}
	if err := r.api.DeleteBucket(ctx, spec); err != nil {
		return executor.Result{}, err
	}
	err := until(ctx, readBackFor, func(ctx context.Context) error { return bucketGone(ctx, r.api, spec.Name) })
	if err == nil {
		err = r.forget(spec.Name)
	}
	if err != nil {
		return executor.Result{}, err
	}
	return done("gone, and read back as gone; the name is free for anyone to take"), nil
}

// forget drops the records of statements that went with its bucket.
func (r cleanSourceBucket) forget(bucket string) error {
	var errs []error
	for _, kind := range []compile.Kind{compile.KindBucketPolicy, compile.KindFreeze} {
		gone, err := r.own.find(kind, bucket)
		errs = append(errs, err)
		for _, x := range gone {
			errs = append(errs, r.own.Disown(x))
		}
	}
	return errors.Join(errs...)
}
