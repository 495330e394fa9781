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

// policyRunner makes the managed policy's default version the compiled document.
type policyRunner struct {
	api   Policies
	own   owner
	lease *Lease
}

// Run makes the policy say what it is to say, and tells by it that this run is under way.
func (r policyRunner) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	result, err := r.stand(ctx, *s.Spec.Policy)
	untold, leased := r.lease.takeOn(ctx, s.Spec.Policy.ARN)
	if held, ok := errors.AsType[*LeasedError](leased); ok {
		return executor.Result{}, held // of two runs that make it in one moment the other one was first
	}
	if err == nil {
		err = leased
	}
	result.Message += untold
	return result, err
}

func (r policyRunner) stand(ctx context.Context, spec compile.PolicySpec) (executor.Result, error) {
	have, err := r.api.ManagedPolicy(ctx, spec.ARN)
	if err != nil {
		return executor.Result{}, err
	}
	known, err := r.own.find(compile.KindPolicy, spec.ARN)
	if err != nil {
		return executor.Result{}, err
	}
	if have.Exists && !spec.Adopt && !isOurPolicy(known, have, spec) {
		return executor.Result{}, &ConflictError{
			Subject: spec.ARN, Why: "a policy of that name is there and is not this plan's",
			Fix: "choose another permissions.policy, or set permissions.adopt: true to take it over, clean-up included",
		}
	}
	x := compile.Owned{Kind: compile.KindPolicy, Side: plan.Destination, Subject: spec.ARN, Digest: spec.Digest, Before: compile.UniqueID(have.ID)}
	if have.Exists && sameDocument(have.Document, spec.Document) {
		return held("version " + have.Default + " says that already"), r.own.Own(x)
	}
	write, said := r.api.CreatePolicy, "created"
	if have.Exists {
		write, said = r.api.UpdatePolicy, "new default version"
	}
	err = r.own.makeKnown(ctx, x, func(ctx context.Context) (known []string, err error) {
		if err := write(ctx, spec); err != nil {
			return nil, err
		}
		err = until(ctx, readBackFor, func(ctx context.Context) error {
			have, err := r.stands(ctx, spec)
			known = compile.UniqueID(have.ID)
			return err
		})
		return known, err
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done(said + ", read back"), nil
}

func (r policyRunner) stands(ctx context.Context, spec compile.PolicySpec) (compile.ManagedPolicy, error) {
	have, err := r.api.ManagedPolicy(ctx, spec.ARN)
	if err == nil && (!have.Exists || !sameDocument(have.Document, spec.Document)) {
		err = fmt.Errorf("policy %s: %w", spec.Name, errNotYet)
	}
	return have, err
}

// isOurPolicy tells whether a run of this plan made what stands: state or the tags say so. An
// intent alone proves nothing, unless what stands is what was meant: the call that makes a
// policy sets its tags, too.
func isOurPolicy(known []compile.Owned, have compile.ManagedPolicy, spec compile.PolicySpec) bool {
	if tagged(have.Tags, spec.Tags) {
		return true
	}
	digest := ""
	if doc, err := policy.Parse([]byte(have.Document)); err == nil {
		digest = compile.PolicyDigest(doc)
	}
	return slices.ContainsFunc(known, func(x compile.Owned) bool {
		return x.KnownBy(have.ID) && (!x.Intent || x.Digest == digest || slices.Contains(x.Before, digest))
	})
}

// tagged tells whether what stands carries the plan's tag.
func tagged(have, ours map[string]string) bool {
	return ours[compile.PlanTag] != "" && have[compile.PlanTag] == ours[compile.PlanTag]
}

// sameDocument compares two documents by meaning; what cannot be read is different.
func sameDocument(a, b string) bool {
	x, errX := policy.Parse([]byte(a))
	y, errY := policy.Parse([]byte(b))
	return errX == nil && errY == nil && policy.Equal(x, y)
}

// attachment attaches the policy to the principal, and reads it back.
type attachment struct {
	api Attachments
	own owner
}

func (r attachment) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Attachment
	attached, err := r.api.Attached(ctx, spec.Principal)
	if err != nil {
		return executor.Result{}, err
	}
	if slices.Contains(attached, spec.PolicyARN) {
		return held("attached already"), nil
	}
	x := compile.Owned{Kind: compile.KindAttachment, Side: plan.Destination, Subject: spec.PolicyARN, Parent: spec.Principal}
	err = r.own.make(ctx, x, func(ctx context.Context) error {
		if err := r.api.Attach(ctx, spec); err != nil {
			return err
		}
		return until(ctx, readBackFor, func(ctx context.Context) error { return r.is(ctx, spec, true) })
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done("attached, read back"), nil
}

func (r attachment) is(ctx context.Context, spec compile.AttachmentSpec, want bool) error {
	attached, err := r.api.Attached(ctx, spec.Principal)
	if err != nil {
		return err
	}
	if slices.Contains(attached, spec.PolicyARN) != want {
		return fmt.Errorf("attachment of %s to %s: %w", spec.PolicyARN, spec.Principal, errNotYet)
	}
	return nil
}

// cleanAttachment detaches the policy. A policy that is ours is detached even where a crash
// lost the record of the attachment: attached to this principal, it cannot be deleted.
type cleanAttachment struct {
	api Attachments
	own owner
}

func (r cleanAttachment) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Attachment
	ours, err := r.own.find(compile.KindAttachment, spec.PolicyARN)
	if err != nil {
		return executor.Result{}, err
	}
	policyOurs, err := r.own.has(compile.KindPolicy, spec.PolicyARN)
	if err != nil {
		return executor.Result{}, err
	}
	if len(ours) == 0 && !policyOurs {
		return held("not ours, so it stays"), nil
	}
	x := compile.Owned{Kind: compile.KindAttachment, Side: plan.Destination, Subject: spec.PolicyARN, Parent: spec.Principal}
	err = r.own.unmake(x, func() error {
		if err := r.api.Detach(ctx, spec); err != nil {
			return err
		}
		return until(ctx, readBackFor, func(ctx context.Context) error { return attachment(r).is(ctx, spec, false) })
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done("detached, and read back as detached"), nil
}

// cleanPolicy deletes the managed policy that the run made, with all its versions.
type cleanPolicy struct {
	api Policies
	own owner
}

func (r cleanPolicy) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Policy
	ours, err := r.own.find(compile.KindPolicy, spec.ARN)
	if err != nil {
		return executor.Result{}, err
	}
	have, err := r.api.ManagedPolicy(ctx, spec.ARN)
	if err != nil {
		return executor.Result{}, err
	}
	switch {
	case have.Exists && !isOurPolicy(ours, have, spec):
		return held("not ours, so it stays"), r.forget(ours)
	case len(ours) == 0 && !have.Exists:
		return held("gone already"), nil
	case len(have.Attached) > 0:
		return executor.Result{}, &ConflictError{
			Subject: spec.ARN, Why: fmt.Sprintf("others use it: it is attached to %v", have.Attached),
			Fix: "detach it there, then run xplan cleanup",
		}
	}
	x := compile.Owned{Kind: compile.KindPolicy, Side: plan.Destination, Subject: spec.ARN}
	err = r.own.unmake(x, func() error {
		if err := r.api.DeletePolicy(ctx, spec.ARN); err != nil {
			return err
		}
		return until(ctx, readBackFor, func(ctx context.Context) error {
			p, err := r.api.ManagedPolicy(ctx, spec.ARN)
			if err == nil && p.Exists {
				err = fmt.Errorf("policy %s is still there: %w", spec.Name, errNotYet)
			}
			return err
		})
	})
	if err != nil {
		return executor.Result{}, err
	}
	return done("gone, and read back as gone"), nil
}

// forget drops intents that came to nothing.
func (r cleanPolicy) forget(intents []compile.Owned) error {
	for _, x := range intents {
		if err := r.own.Disown(x); err != nil {
			return err
		}
	}
	return nil
}
