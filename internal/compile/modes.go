package compile

import (
	"fmt"
	"slices"

	"xplan/plan"
)

// Cleanup compiles the clean-up by itself, for an abandoned run: everything that is ours and
// that no rule of the plan keeps goes, without waiting for a verification. The sources are not
// touched, since nothing here proves that they were copied.
func Cleanup(p *plan.Plan, w World) (*Program, error) {
	b := newBuilder(p, w)
	for i := range b.branches {
		b.branches[i].copying, b.branches[i].extra, b.branches[i].cutting = false, false, false
	}
	b.work, b.alone = false, true
	b.checkAccounts()
	b.identities()
	b.leftoverKeys()
	b.cleanUploads()
	b.cleanStatements()
	b.cleanGrants()
	b.cleanPolicies()
	b.cleanPrincipal()
	b.cleanRecords()
	b.cleanDestinations()
	b.cleanFreezes()
	for i := range b.steps {
		if b.steps[i].Kind.IsCleanup() {
			b.steps[i].Rule = plan.Always
		}
	}
	return b.program()
}

// cleanDestinations removes destination buckets that a run of this plan made: they must be empty, which S3 sees to.
func (b *builder) cleanDestinations() {
	if b.p.Cleanup.DestinationBucket == plan.Keep || b.p.Cleanup.DestinationBucket == "" {
		return
	}
	seen := make(map[string]bool)
	for _, br := range b.branches {
		name := br.pair.Destination
		if _, recorded := b.owned(KindBucket, name, ""); seen[name] || !br.dst.Exists || !recorded || !b.bucketOurs(br) {
			continue
		}
		seen[name] = true
		b.add(Step{
			ID: id(KindCleanDestinationBucket, name), Kind: KindCleanDestinationBucket, Side: plan.Destination,
			Subject: b.subject(plan.Destination, name), Action: Delete, Needs: b.identity(plan.Destination),
			After: b.of(KindCleanUploads, KindCleanPrincipal), Rule: plan.Always,
			Change: Change{Note: "only if it is empty"}, Spec: Spec{Bucket: b.destinationBucket(br)},
		})
	}
}

// CopySpecOf is the spec of a pair of the plan, read by both administrators: for a verification by itself.
func CopySpecOf(p *plan.Plan, w World, pair plan.Pair) (CopySpec, error) {
	b := newBuilder(p, w)
	i := slices.IndexFunc(b.branches, func(br branch) bool { return br.id == pair.ID() })
	if i < 0 {
		return CopySpec{}, fmt.Errorf("pair %s is not in plan %s", pair.ID(), p.Name)
	}
	br := b.branches[i]
	b.checkAccounts()
	b.checkSource(br)
	if br.moved {
		b.problem("bucket "+pair.Source, "it does not exist any more, as the plan wants it in the end: there is nothing to compare with", "")
	}
	if !br.dst.Exists {
		b.problem("bucket "+pair.Destination, "it does not exist", "")
	}
	if len(b.problems) > 0 {
		return CopySpec{}, &ProblemsError{List: b.problems}
	}
	spec := *b.copySpec(br)
	spec.NothingToDo, spec.AsAdministrators = false, true
	return spec, nil
}
