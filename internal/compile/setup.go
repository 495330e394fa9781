package compile

import (
	"maps"

	"xplan/plan"
)

// identities pins the accounts before anything else is done. Servers without accounts have nothing to pin.
func (b *builder) identities() {
	for _, side := range []plan.Side{plan.Source, plan.Destination} {
		a := b.p.Accounts.Of(side)
		if !a.IsAWS() {
			continue
		}
		b.add(Step{
			ID: id(KindIdentity, string(side)), Kind: KindIdentity, Side: side, Subject: a.ID, Action: Run,
			Spec: Spec{Identity: &IdentitySpec{Account: a.ID}},
		})
	}
}

func (b *builder) identity(side plan.Side) []plan.StepID {
	return []plan.StepID{id(KindIdentity, string(side))}
}

// inspections look at each source bucket once, however many pairs share it.
func (b *builder) inspections() {
	for _, name := range b.sources() {
		br := b.from(name)
		if br.moved {
			continue // nothing to look at
		}
		b.add(Step{
			ID: id(KindInspect, name), Kind: KindInspect, Side: plan.Source, Subject: b.subject(plan.Source, name), Action: Hold,
			Needs: b.identity(plan.Source),
			Spec:  Spec{Inspect: b.sourceBucket(br)},
		})
	}
}

func (b *builder) sourceBucket(br branch) *BucketSpec {
	return &BucketSpec{Name: br.pair.Source, Account: b.p.Accounts.Source.ID, Region: br.srcRegion}
}

// buckets makes each destination bucket once. One that was there before is left as it is.
func (b *builder) buckets() {
	seen := make(map[string]bool)
	for _, br := range b.branches {
		name := br.pair.Destination
		if seen[name] {
			continue
		}
		seen[name] = true
		spec := b.destinationBucket(br)
		step := Step{
			ID: id(KindBucket, name), Kind: KindBucket, Side: plan.Destination, Subject: b.subject(plan.Destination, name),
			Needs: b.identity(plan.Destination), Spec: Spec{Bucket: spec},
		}
		switch {
		case !br.dst.Exists:
			step.Action, step.Change.Lines = Create, bucketLines(*spec)
		case b.halfMade(br):
			step.Action, step.Change.Lines = Update, missingLines(*spec, br.dst)
			step.Change.Note = "a run died while it made this bucket: its settings are made complete"
			if len(step.Change.Lines) == 0 {
				step.Action, step.Change.Note = Hold, ""
			}
		default:
			step.Action = Hold
			b.checkExisting(*spec, br)
		}
		b.add(step)
	}
}

// destinationBucket is the bucket with all that is asked of it, defaults written out.
func (b *builder) destinationBucket(br branch) *BucketSpec {
	a := b.p.Accounts.Destination
	spec := &BucketSpec{
		Name: br.pair.Destination, Account: a.ID, Region: br.dstRegion,
		Settings: br.settings,
	}
	spec.Settings.Region = spec.Region
	spec.Settings.Tags = maps.Clone(spec.Settings.Tags)
	if a.IsAWS() {
		spec.Settings.Encryption.Algorithm = first(spec.Settings.Encryption.Algorithm, "AES256")
		spec.Tags = b.tags()
	}
	return spec
}

// halfMade tells whether an earlier run meant to make the bucket, and nobody knows how far it came.
func (b *builder) halfMade(br branch) bool {
	o, ok := b.owned(KindBucket, br.pair.Destination, "")
	return ok && o.Intent && b.bucketOurs(br)
}

// bucketOurs: an intent alone proves nothing, as somebody else in the account may have made the bucket.
func (b *builder) bucketOurs(br branch) bool {
	o, ok := b.owned(KindBucket, br.pair.Destination, "")
	tagged := br.dst.Tags[PlanTag] == b.p.Name
	switch {
	case !ok:
		return tagged
	case !o.Intent || tagged:
		return true
	default:
		// The clocks may differ by a few minutes.
		return br.dst.CreatedUnixNano == 0 || br.dst.CreatedUnixNano >= o.Since.Add(-clockSkew).UnixNano()
	}
}

func (b *builder) tags() map[string]string { return map[string]string{PlanTag: b.p.Name} }

// sources are the source buckets, each once, in the order of the plan.
func (b *builder) sources() []string {
	all := make([]string, 0, len(b.branches))
	for _, br := range b.branches {
		all = append(all, br.pair.Source)
	}
	return unique(all)
}

// from returns the first pair that copies from the bucket.
func (b *builder) from(source string) branch { return b.branches[b.bySource[source][0]] }

// sharing are the pairs that copy from the bucket.
func (b *builder) sharing(source string) []branch {
	all := make([]branch, 0, len(b.bySource[source]))
	for _, i := range b.bySource[source] {
		all = append(all, b.branches[i])
	}
	return all
}

// subject names a bucket for people.
func (b *builder) subject(side plan.Side, bucket string) string {
	if account := b.p.Accounts.Of(side).ID; account != "" {
		return account + "/" + bucket
	}
	return bucket
}
