package runner

import (
	"context"
	"errors"
	"fmt"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/plan"
)

// principal finds the user or role, or makes it where the plan says create.
type principal struct {
	api Principals
	own owner
}

func (r principal) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Principal
	have, err := r.api.Principal(ctx, spec.ARN)
	if errors.Is(err, compile.ErrDenied) && s.Action == compile.Hold {
		return held("it may not be read: its credentials will tell"), nil // only where the plan manages no IAM
	}
	if err != nil {
		return executor.Result{}, err
	}
	if have.Exists {
		return r.found(spec, have)
	}
	if !spec.Create {
		return executor.Result{}, fmt.Errorf("%s does not exist: make it, or set principal.create: true", spec.ARN)
	}
	err = r.own.makeKnown(ctx, compile.Owned{Kind: compile.KindPrincipal, Side: plan.Destination, Subject: spec.ARN},
		func(ctx context.Context) ([]string, error) {
			made, err := r.api.CreatePrincipal(ctx, spec)
			if err != nil {
				return nil, err
			}
			if made.ARN != spec.ARN {
				return nil, fmt.Errorf("made %s where the plan names %s: give principal.path", made.ARN, spec.ARN)
			}
			return compile.UniqueID(made.UserID), until(ctx, readBackFor, func(ctx context.Context) error { return r.stands(ctx, spec.ARN) })
		})
	if err != nil {
		return executor.Result{}, err
	}
	return done("created"), nil
}

// found settles an intent that a crash left: the tags say that it is ours.
func (r principal) found(spec compile.PrincipalSpec, have compile.PrincipalFacts) (executor.Result, error) {
	ours, err := r.own.find(compile.KindPrincipal, spec.ARN)
	if err != nil {
		return executor.Result{}, err
	}
	if len(ours) == 1 && ours[0].Intent && tagged(have.Tags, spec.Tags) {
		ours[0].Intent, ours[0].Before = false, compile.UniqueID(have.UserID)
		if err := r.own.Own(ours[0]); err != nil {
			return executor.Result{}, err
		}
	}
	return held("unique ID " + have.UserID), nil
}

func (r principal) stands(ctx context.Context, arn string) error {
	p, err := r.api.Principal(ctx, arn)
	if err != nil {
		return err
	}
	if !p.Exists {
		return fmt.Errorf("%s: %w", arn, errNotYet)
	}
	return nil
}

// cleanPrincipal deletes the user or role that the run made.
type cleanPrincipal struct {
	api Principals
	own owner
}

func (r cleanPrincipal) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Principal
	ours, err := r.own.find(compile.KindPrincipal, spec.ARN)
	if err != nil {
		return executor.Result{}, err
	}
	if len(ours) == 0 {
		return held("not made by this plan, so it stays"), nil
	}
	have, err := r.api.Principal(ctx, spec.ARN)
	if err != nil {
		return executor.Result{}, err
	}
	if have.Exists && !ours[0].KnownBy(have.UserID) && !tagged(have.Tags, spec.Tags) {
		return held("it was deleted and made again since, not by this plan, so it stays"), r.own.Disown(ours[0])
	}
	// An intent alone proves nothing: somebody else may have made it. The tags do.
	if have.Exists && ours[0].Intent && have.Tags[compile.PlanTag] != spec.Tags[compile.PlanTag] {
		return executor.Result{}, &ConflictError{
			Subject: spec.ARN, Why: "a run meant to make it, but it does not carry this plan's tag", Fix: "look at it, and delete it by hand if it is nobody's",
		}
	}
	err = r.own.unmake(ours[0], func() error {
		if err := r.api.DeletePrincipal(ctx, spec); err != nil {
			return err
		}
		return until(ctx, readBackFor, func(ctx context.Context) error {
			p, err := r.api.Principal(ctx, spec.ARN)
			if err == nil && p.Exists {
				err = fmt.Errorf("%s is still there: %w", spec.ARN, errNotYet)
			}
			return err
		})
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done("gone, and read back as gone"), nil
}
