package compile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"xplan/internal/policy"
	"xplan/plan"
)

// readers is how many reads are under way at once.
const readers = 8

// Observe reads what the plan's program depends on. Identities come first: with the wrong account nothing
// else is read. What may not be read is in World.Unseen; what failed is returned, all at once.
func Observe(ctx context.Context, p *plan.Plan, r Readers, o ObserveOptions) (World, error) {
	ob := &observer{p: p, r: r, w: World{
		Identities: map[plan.Side]Identity{}, Buckets: map[BucketRef]Bucket{}, Keys: map[string]KMSKey{},
		Instances: map[string]InstanceFacts{}, Copies: map[string]CopyFacts{}, Owned: slices.Clone(o.Owned), Settled: o.Settled,
	}}
	if err := ob.together(ctx, ob.identities()); err != nil {
		return World{}, err
	}
	if err := ob.wrongAccounts(); err != nil {
		return World{}, err
	}
	if err := ob.together(ctx, slices.Concat(ob.buckets(), ob.principal(), ob.instances())); err != nil {
		return World{}, err
	}
	// Which keys and policies there are to read depends on the buckets.
	if err := ob.together(ctx, ob.keys()); err != nil {
		return World{}, err
	}
	if err := ob.together(ctx, ob.policies()); err != nil {
		return World{}, err
	}
	ob.w.Owned = append(ob.w.Owned, byTags(p, ob.w)...)
	if err := ob.together(ctx, ob.scans(o.Counting)); err != nil {
		return World{}, err
	}
	slices.SortFunc(ob.w.Unseen, func(a, b Unseen) int { return slices.Compare([]string{a.What, a.Why}, []string{b.What, b.Why}) })
	ob.w.Unseen = slices.Compact(ob.w.Unseen)
	return ob.w, nil
}

// An observer gathers a world. Reads run side by side and put what they found under the lock.
type observer struct {
	p *plan.Plan
	r Readers

	mu sync.Mutex
	w  World
}

// A read is one question to an account.
type read struct {
	what string
	do   func(ctx context.Context) error
}

func (r read) ask(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.do(ctx); err != nil {
		return fmt.Errorf("read %s: %w", r.what, err)
	}
	return nil
}

// together runs reads side by side and returns all their errors, in order.
func (ob *observer) together(ctx context.Context, reads []read) error {
	errs := make([]error, len(reads))
	var g errgroup.Group
	g.SetLimit(readers)
	for i, r := range reads {
		g.Go(func() error {
			errs[i] = r.ask(ctx)
			return nil // all errors are wanted, not the first
		})
	}
	_ = g.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("observe: %w", err)
	}
	return errors.Join(errs...)
}

// put changes the world under the lock.
func (ob *observer) put(change func(w *World)) {
	ob.mu.Lock()
	defer ob.mu.Unlock()
	change(&ob.w)
}

// unseen notes what may not be read, or what the server does not have. Other errors stay errors.
func (ob *observer) unseen(err error, about, what string) error {
	if !errors.Is(err, ErrDenied) && !errors.Is(err, ErrUnsupported) {
		return err
	}
	ob.put(func(w *World) { w.Unseen = append(w.Unseen, Unseen{What: what, Why: err.Error(), About: about}) })
	return nil
}

func (ob *observer) identities() []read {
	var all []read
	for _, side := range []plan.Side{plan.Source, plan.Destination} {
		if !ob.p.Accounts.Of(side).IsAWS() {
			continue
		}
		all = append(all, read{"who signs in the " + string(side) + " account", func(ctx context.Context) error {
			who, err := ob.r.Of(side).Identity(ctx)
			if err != nil {
				return err
			}
			ob.put(func(w *World) { w.Identities[side] = who })
			return nil
		}})
	}
	return all
}

func (ob *observer) wrongAccounts() error {
	var errs []error
	for _, side := range []plan.Side{plan.Source, plan.Destination} {
		a, who := ob.p.Accounts.Of(side), ob.w.Identities[side]
		if a.IsAWS() && who.Account != a.ID {
			errs = append(errs, &WrongAccountError{Side: side, Want: a.ID, Got: who.Account, ARN: who.ARN})
		}
	}
	return errors.Join(errs...)
}

// buckets are the plan's, and those where an earlier form of the plan left a statement.
func (ob *observer) buckets() []read {
	var refs []BucketRef
	for _, pair := range ob.p.Buckets {
		refs = append(refs, BucketRef{plan.Source, pair.Source}, BucketRef{plan.Destination, pair.Destination})
	}
	for _, o := range ob.w.Owned {
		if o.Kind == KindBucketPolicy || o.Kind == KindFreeze {
			refs = append(refs, BucketRef{plan.Source, o.Subject})
		}
	}
	slices.SortFunc(refs, func(a, b BucketRef) int {
		return slices.Compare([]string{string(b.Side), a.Name}, []string{string(a.Side), b.Name})
	})
	var all []read
	for _, ref := range slices.Compact(refs) {
		all = append(all, read{string(ref.Side) + " bucket " + ref.Name, func(ctx context.Context) error {
			bucket, unseen, err := ob.r.Of(ref.Side).Bucket(ctx, ref.Name)
			if err != nil {
				return err
			}
			ob.put(func(w *World) {
				w.Buckets[ref] = bucket
				w.Unseen = append(w.Unseen, unseen...)
			})
			return nil
		}})
	}
	return all
}

func (ob *observer) hasPrincipal() bool {
	return ob.p.Principal != nil && ob.p.Accounts.Destination.IsAWS()
}

func (ob *observer) principal() []read {
	if !ob.hasPrincipal() {
		return nil
	}
	arn := ob.p.Principal.ARN
	return []read{{"principal " + arn, func(ctx context.Context) error {
		f, err := ob.r.Destination.Principal(ctx, arn)
		if err != nil {
			return ob.unseen(err, "principal", "principal "+arn)
		}
		f.Policies, err = ob.principalPolicies(ctx, f)
		ob.put(func(w *World) { w.Principal = f })
		return err
	}}}
}

// principalPolicies reads what the principal may do beside our policies, which are read by themselves. One that is still to be
// made has its boundary alone.
func (ob *observer) principalPolicies(ctx context.Context, f PrincipalFacts) (PrincipalPolicies, error) {
	asked := f
	if !f.Exists {
		asked = PrincipalFacts{ARN: ob.p.Principal.ARN, Role: f.Role, Boundary: ob.p.Principal.PermissionsBoundary}
	}
	asked.Attached = slices.DeleteFunc(slices.Clone(f.Attached), func(arn string) bool {
		return ob.p.Permissions.Manage && slices.Contains(policyARNs(ob.p), arn)
	})
	found, unseen, err := ob.r.Destination.PrincipalPolicies(ctx, asked)
	found.Complete = err == nil && len(unseen) == 0
	if err != nil {
		return found, ob.unseen(err, "principal policies", "policies of "+asked.ARN)
	}
	ob.put(func(w *World) { w.Unseen = append(w.Unseen, unseen...) })
	return found, nil
}

// policyARNs are the policies that the plan may have, whatever it splits them into: as many as can be attached.
func policyARNs(p *plan.Plan) []string {
	const most = 20
	all := []string{p.Permissions.Policy}
	for n := range most {
		all = append(all, fmt.Sprintf("%s-%d", p.Permissions.Policy, n+1))
	}
	for i, name := range all {
		all[i] = policyARN(parseEntity(p.Principal.ARN).partition, p.Accounts.Destination.ID, name)
	}
	return all
}

func (ob *observer) instances() []read {
	var all []read
	for _, i := range ob.p.Cleanup.Instances {
		region := first(i.Region, ob.p.Accounts.Of(i.Account).Region)
		all = append(all, read{"instance " + i.ID, func(ctx context.Context) error {
			f, err := ob.r.Of(i.Account).Instance(ctx, i.ID, region)
			if err != nil {
				return ob.unseen(err, "instance:"+i.ID, "instance "+i.ID)
			}
			ob.put(func(w *World) { w.Instances[i.ID] = f })
			return nil
		}})
	}
	return all
}

// keys are those that the buckets name.
func (ob *observer) keys() []read {
	type question struct {
		side        plan.Side
		ref, region string
	}
	asked := make(map[string]question)
	for _, br := range survey(ob.p, ob.w) {
		for _, side := range []plan.Side{plan.Source, plan.Destination} {
			ref, kms := br.key(side)
			if !kms || ref == "" || !ob.p.Accounts.Of(side).IsAWS() {
				continue
			}
			region := br.srcRegion
			if side == plan.Destination {
				region = br.dstRegion
			}
			asked[keyRef(side, ref)] = question{side, ref, regionOf(ref, region)}
		}
	}
	for _, o := range ob.w.Owned {
		if o.Kind == KindGrant {
			asked[o.Parent] = question{plan.Source, o.Parent, regionOf(o.Parent, ob.p.Accounts.Source.Region)}
		}
	}
	var all []read
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		q := asked[name]
		all = append(all, read{"KMS key " + q.ref, func(ctx context.Context) error {
			k, unseen, err := ob.r.Of(q.side).KMSKey(ctx, q.ref, q.region)
			if err != nil {
				return ob.unseen(err, "key:"+q.ref, "KMS key "+q.ref)
			}
			ob.put(func(w *World) {
				w.Keys[name] = k
				w.Unseen = append(w.Unseen, unseen...)
			})
			return nil
		}})
	}
	return all
}

// policies are those that the plan will have, those that ours may be among beyond, and those recorded as ours.
func (ob *observer) policies() []read {
	if !ob.hasPrincipal() || !ob.p.Permissions.Manage {
		return nil
	}
	b := newBuilder(ob.p, ob.w)
	base := ob.p.Permissions.Policy
	partition := parseEntity(ob.p.Principal.ARN).partition
	account := ob.p.Accounts.Destination.ID
	arns := []string{policyARN(partition, account, base)}
	for _, name := range policy.Names(base, max(2, len(b.docs.identity))) {
		arns = append(arns, policyARN(partition, account, name))
	}
	for _, o := range ob.w.Owned {
		if o.Kind == KindPolicy {
			arns = append(arns, o.Subject)
		}
	}
	all := make([]read, 0, len(arns))
	for _, arn := range unique(arns) {
		all = append(all, read{"policy " + arn, func(ctx context.Context) error { return ob.policy(ctx, arn) }})
	}
	// What an earlier form of the plan split into more parts goes on without a gap.
	last := len(policy.Names(base, max(2, len(b.docs.identity))))
	return append(all, read{"further parts of policy " + base, func(ctx context.Context) error {
		for n := last + 1; ; n++ {
			arn := policyARN(partition, account, fmt.Sprintf("%s-%d", base, n))
			if err := ob.policy(ctx, arn); err != nil || !ob.has(arn) {
				return err
			}
		}
	}})
}

func (ob *observer) has(arn string) bool {
	ob.mu.Lock()
	defer ob.mu.Unlock()
	return slices.ContainsFunc(ob.w.Policies, func(m ManagedPolicy) bool { return m.ARN == arn && m.Exists })
}

func (ob *observer) policy(ctx context.Context, arn string) error {
	m, err := ob.r.Destination.ManagedPolicy(ctx, arn)
	if err != nil {
		return ob.unseen(err, "policies", "policy "+arn)
	}
	m.ARN, m.Name = arn, first(m.Name, policyName(arn))
	ob.put(func(w *World) {
		w.Policies = slices.DeleteFunc(w.Policies, func(old ManagedPolicy) bool { return old.ARN == arn })
		w.Policies = append(w.Policies, m)
		slices.SortFunc(w.Policies, func(a, b ManagedPolicy) int { return slices.Compare([]string{a.ARN}, []string{b.ARN}) })
	})
	return nil
}

// scans count what the copies would do. A denied listing leaves the count unknown, which means that work is assumed.
func (ob *observer) scans(counting Counting) []read {
	if counting == CountNone || ob.r.Scanner == nil {
		return nil
	}
	var all []read
	for _, br := range survey(ob.p, ob.w) {
		if !br.src.Exists || br.src.Foreign || br.dst.Foreign {
			continue
		}
		all = append(all, read{"pair " + br.id, func(ctx context.Context) error {
			f, err := ob.r.Scanner.Scan(ctx, ScanRequest{
				Pair: br.pair, SourceRegion: br.srcRegion, DestinationRegion: br.dstRegion,
				RequesterPays: br.src.RequesterPays, Locks: br.locks(),
				ManyOwners:        br.src.Ownership != "" && br.src.Ownership != enforced,
				DestinationExists: br.dst.Exists, StopAtFirst: counting == CountFirst || counting == CountRest, GoesOn: counting == CountRest,
				CutsOver: ob.p.CutOver != nil,
			})
			if err != nil {
				return ob.unseen(err, "scan:"+br.id, "objects of "+br.id)
			}
			ob.put(func(w *World) { w.Copies[br.id] = f })
			return nil
		}})
	}
	return all
}
