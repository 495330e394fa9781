package runner

import (
	"context"
	"fmt"

	"xplan/executor"
	"xplan/internal/compile"
)

// identity checks that each account is the plan's, before anything else is done with it.
type identity struct {
	sides
	signers *signers
}

func (r identity) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	if s.Spec.Identity == nil || s.Spec.Identity.Account == "" {
		return held("a server without accounts"), nil
	}
	who, err := r.of(s.Side).Identity(ctx)
	if err != nil {
		return executor.Result{}, fmt.Errorf("ask who signs in the %s account: %w", s.Side, err)
	}
	if want := s.Spec.Identity.Account; who.Account != want {
		return executor.Result{}, &compile.WrongAccountError{Side: s.Side, Want: want, Got: who.Account, ARN: who.ARN}
	}
	r.signers.put(s.Side, who.ARN)
	return held("signed by " + who.ARN), nil
}

// inspect checks that the source's bucket is still there and readable as it was observed.
type inspect struct{ api Buckets }

func (r inspect) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	b, _, err := r.api.Bucket(ctx, s.Spec.Inspect.Name)
	switch {
	case err != nil:
		return executor.Result{}, err
	case b.Foreign:
		return executor.Result{}, fmt.Errorf("bucket %s belongs to another account than %s: name the right bucket or account in the plan",
			s.Spec.Inspect.Name, s.Spec.Inspect.Account)
	case !b.Exists:
		return executor.Result{}, fmt.Errorf("bucket %s of account %s is not there any more", s.Spec.Inspect.Name, s.Spec.Inspect.Account)
	}
	return held("in " + b.Region), nil
}
