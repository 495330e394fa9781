package compile

import (
	"fmt"
	"slices"

	"xplan/internal/policy"
	"xplan/plan"
)

// pendingInstances tells whether an instance of the plan still runs.
func (b *builder) pendingInstances() bool {
	return slices.ContainsFunc(b.p.Cleanup.Instances, func(i plan.Instance) bool { return running(b.w.Instances[i.ID]) })
}

func running(f InstanceFacts) bool {
	return f.Exists && f.State != "terminated" && f.State != "shutting-down"
}

func (b *builder) cleanInstances() {
	for _, i := range b.p.Cleanup.Instances {
		facts, account := b.w.Instances[i.ID], b.p.Accounts.Of(i.Account)
		if !running(facts) {
			if !facts.Exists {
				b.warn("instance "+i.ID, "it is not in %s of account %s: terminated long ago, or never there", first(i.Region, account.Region), account.ID)
			}
			continue
		}
		s := Step{
			ID: id(KindCleanInstance, i.ID), Kind: KindCleanInstance, Side: i.Account, Subject: account.ID + "/" + i.ID,
			Needs:  b.identity(i.Account),
			Change: Change{Danger: "TERMINATE instance " + i.ID},
			Spec:   Spec{Instance: &InstanceSpec{ID: i.ID, Account: account.ID, Region: first(i.Region, account.Region)}},
		}
		if facts.Protected {
			s.Action, s.Change.Note = Wait, "protected against termination: switch that off if you mean it"
		}
		b.add(b.tidy(s, plan.AfterVerify, b.branches))
	}
}

// cleanSources deletes the sources' objects and buckets: last of all, behind a confirmation of its own.
func (b *builder) cleanSources() {
	for _, br := range b.branches {
		if br.deletesObjects() {
			b.cleanObjects(br)
		}
	}
	for _, name := range b.sources() {
		pairs := b.sharing(name)
		if slices.ContainsFunc(pairs, func(br branch) bool { return br.deletes() && br.pair.Cleanup.SourceBucket == plan.AfterVerify }) {
			b.cleanBucket(name, pairs)
		}
	}
}

// otherCleanups are all clean-up steps but the sources' own.
func (b *builder) otherCleanups() []plan.StepID {
	return b.of(KindCleanUploads, KindCleanExtra, KindCleanKey, KindCleanBucketPolicy, KindCleanGrant, KindCleanAttachment,
		KindCleanPolicy, KindCleanPrincipal, KindCleanInstance)
}

func (b *builder) cleanObjects(br branch) {
	what := br.goes() + " in " + place(br.pair.Source, br.pair.Prefix)
	spec := b.copySpec(br)
	s := Step{
		ID: id(KindCleanSourceObjects, br.id), Kind: KindCleanSourceObjects, Side: plan.Source, Pair: br.id,
		Subject: b.subject(plan.Source, br.pair.Source), Needs: b.identity(plan.Source), After: b.otherCleanups(),
		Confirm: br.pair.Source, Change: Change{Danger: "DELETE " + what}, Spec: Spec{Copy: spec},
	}
	s.Needs = append(s.Needs, id(KindInspect, br.pair.Source))
	if br.purges() && br.src.Versioning != enabled {
		s.Change.Note = "versioning is " + br.src.Versioning + ": one version null, which any write replaces, stops it; enable versioning before"
	}
	if why := b.forbids(br); why != "" {
		s.Action, s.Confirm, s.Change.Note = Wait, "", why // no confirmation opens it
	}
	b.add(b.tidy(s, plan.AfterVerify, b.sharing(br.pair.Source)))
}

// purges tells whether the source's objects go by their versions.
func (b branch) purges() bool { return b.pair.Copy.AllVersions() && b.src.Versioning != "" }

// goes counts what is deleted of the source.
func (b branch) goes() string {
	f := b.facts
	counted := f.Known && !f.Partial
	switch {
	case b.purges() && counted && f.Versions != nil:
		return fmt.Sprintf("%s versions and %s delete markers of %s keys", thousands(f.Versions.Versions.Objects), thousands(f.Versions.Markers), thousands(f.Listed.Objects))
	case b.purges():
		return "all versions and delete markers"
	case counted:
		return thousands(f.Listed.Objects) + " source objects"
	}
	return "all source objects"
}

// forbids says why the source's objects may not be deleted, as far as is known before the copy. The run asks
// again: it lists the source once more, versions included.
func (b *builder) forbids(br branch) string {
	f := br.facts
	switch {
	case br.src.Versioning != "" && !br.pair.Copy.AllVersions():
		return "the source stays: it keeps versions, of which only the current ones are copied; copy.versions: all copies all of them, so that they can go"
	case br.pair.Copy.Overwrite == "never":
		return "the source stays: with overwrite: never an object at the destination may be another one"
	case f.Skipped.Objects > 0:
		return "the source stays: " + objects(f.Skipped.Objects) + " would be skipped by a rule of the plan, and so not be at the destination"
	case f.Unreadable.Objects > 0:
		return "the source stays: " + objects(f.Unreadable.Objects) + " cannot be read, and so not be copied"
	case f.SameBy["size_only"].Objects > 0 && br.pair.Verify.Otherwise != "bytes" && br.pair.Verify.Level != plan.LevelBytes:
		return "the source stays: " + objects(f.SameBy["size_only"].Objects) +
			" can be compared by size only; verify.otherwise: bytes would read them again"
	}
	return ""
}

func (b *builder) cleanBucket(name string, pairs []branch) {
	var emptied []plan.StepID
	for _, br := range pairs {
		emptied = append(emptied, id(KindCleanSourceObjects, br.id))
	}
	s := Step{
		ID: id(KindCleanSourceBucket, name), Kind: KindCleanSourceBucket, Side: plan.Source, Subject: b.subject(plan.Source, name),
		Needs: append(emptied, id(KindInspect, name)), After: b.otherCleanups(), Confirm: name,
		Change: Change{Danger: "DELETE bucket " + name, Note: "only if it is empty then; its name is free for anyone to take"},
		Spec:   Spec{Bucket: b.sourceBucket(pairs[0])},
	}
	for _, e := range emptied {
		if objects, _ := b.find(e); objects.Action == Wait {
			s.Action, s.Confirm, s.Change.Note = Wait, "", "the bucket stays, since its objects do"
		}
	}
	b.add(b.tidy(s, plan.AfterVerify, pairs))
}

// afterwards is the digest of the bucket's policy as it stands with our statement.
func (b *builder) afterwards(have standing, bucket string) string {
	merged, _, err := policy.Merge(have.doc, b.docs.statements[bucket])
	if err != nil {
		return "" // reported where the statement is merged
	}
	return StandingDigest(merged)
}
