package runner

import (
	"context"
	"fmt"
	"slices"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/plan"
)

// grant lets the principal decrypt with the source's customer key. The grant's name
// makes the call safe to repeat: KMS answers the same grant for the same name and fields.
type grant struct {
	api Grants
	own owner
}

func (r grant) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Grant
	have, err := r.standing(ctx, spec)
	if err != nil {
		return executor.Result{}, err
	}
	if have != nil {
		return held("grant " + have.ID), nil
	}
	var id string
	x := compile.Owned{Kind: compile.KindGrant, Side: plan.Source, Subject: spec.Name, Parent: spec.KeyARN}
	err = r.own.make(ctx, x, func(ctx context.Context) error {
		if id, err = r.api.CreateGrant(ctx, spec); err != nil {
			return err
		}
		return until(ctx, readBackFor, func(ctx context.Context) error {
			g, err := r.standing(ctx, spec)
			if err == nil && g == nil {
				err = fmt.Errorf("grant %s: %w", spec.Name, errNotYet)
			}
			return err
		})
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done("grant " + id + ", read back"), nil
}

// standing returns our grant with all that is asked, or nil.
func (r grant) standing(ctx context.Context, spec compile.GrantSpec) (*compile.Grant, error) {
	all, err := r.api.Grants(ctx, spec.KeyARN, spec.Region)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		if g.Name != spec.Name || g.Grantee != spec.Principal {
			continue
		}
		missing := slices.ContainsFunc(spec.Operations, func(op string) bool { return !slices.Contains(g.Operations, op) })
		if !missing {
			return &g, nil
		}
	}
	return nil, nil
}

// cleanGrant revokes every grant of our name, where the run made one.
type cleanGrant struct {
	api Grants
	own owner
}

func (r cleanGrant) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Grant
	ours, err := r.own.find(compile.KindGrant, spec.Name)
	if err != nil {
		return executor.Result{}, err
	}
	ours = slices.DeleteFunc(ours, func(x compile.Owned) bool { return x.Parent != spec.KeyARN })
	if len(ours) == 0 {
		return held("not ours, so it stays"), nil
	}
	err = r.own.unmake(ours[0], func() error {
		return until(ctx, readBackFor, func(ctx context.Context) error { return r.revoke(ctx, spec) })
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done("revoked, and read back as gone"), nil
}

// revoke revokes what stands of our name, and is errNotYet until nothing does.
func (r cleanGrant) revoke(ctx context.Context, spec compile.GrantSpec) error {
	all, err := r.api.Grants(ctx, spec.KeyARN, spec.Region)
	if err != nil {
		return err
	}
	left := 0
	for _, g := range all {
		if g.Name != spec.Name {
			continue
		}
		left++
		if err := r.api.RevokeGrant(ctx, spec.KeyARN, spec.Region, g.ID); err != nil {
			return err
		}
	}
	if left > 0 {
		return fmt.Errorf("grant %s is still listed: %w", spec.Name, errNotYet)
	}
	return nil
}
