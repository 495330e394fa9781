package compile

import (
	"slices"

	"xplan/plan"
)

// onlyRecorded is said of what a person removed by hand, or what was meant and never made.
const onlyRecorded = "not there any more: its record goes"

// anotherStands is said of a name under which somebody else made something after ours was deleted.
const anotherStands = "deleted and made again since, not by this plan: it stays, and the record of ours goes"

// cleanRecords is for what is recorded as ours, but not to be seen: removed by hand, or meant and never made.
// Without a step of its own such a record would be reported as left for ever. The runners look again before they
// forget it. What may not be read stays recorded.
func (b *builder) cleanRecords() {
	for _, o := range b.w.Owned {
		s, ok := b.recordOnly(o)
		if !ok || b.has(s.ID) {
			continue
		}
		s.Kind, s.Side, s.Action, s.Rule, s.Needs = cleanerOf(o.Kind), o.Side, Delete, plan.Always, b.identity(o.Side)
		if s.Change.Note == "" {
			s.Change.Note = onlyRecorded
		}
		s.After = append(s.After, b.of(KindCleanKey, KindCleanBucketPolicy, KindCleanAttachment, KindCleanPolicy)...)
		b.add(s)
	}
}

// cleanerOf is the kind of step that removes what a kind makes.
func cleanerOf(k Kind) Kind {
	switch k {
	case KindPolicy:
		return KindCleanPolicy
	case KindAttachment:
		return KindCleanAttachment
	case KindGrant:
		return KindCleanGrant
	case KindPrincipal:
		return KindCleanPrincipal
	case KindBucket:
		return KindCleanDestinationBucket
	default:
		return KindCleanBucketPolicy
	}
}

// recordOnly makes the step for a record that no other step is about, if the world shows that nothing is there.
func (b *builder) recordOnly(o Owned) (Step, bool) {
	switch o.Kind {
	case KindPolicy:
		name := policyName(o.Subject)
		s := Step{
			ID: id(KindCleanPolicy, name), Subject: name,
			Spec: Spec{Policy: &PolicySpec{ARN: o.Subject, Name: name, Tags: b.tags(), Digest: o.Digest}},
		}
		other := slices.ContainsFunc(b.w.Policies, func(m ManagedPolicy) bool { return m.ARN == o.Subject && b.replaced(o, m.Exists, m.ID, m.Tags) })
		if other {
			s.Change.Note = anotherStands
		}
		return s, !b.has(id(KindPolicy, name)) && (other || b.policyGone(o.Subject))
	case KindAttachment:
		name := policyName(o.Subject)
		return Step{
			ID: id(KindCleanAttachment, name+"/"+parseEntity(o.Parent).label()), Subject: parseEntity(o.Parent).label(),
			Spec: Spec{Attachment: &AttachmentSpec{PolicyARN: o.Subject, Principal: o.Parent}},
		}, !b.has(id(KindAttachment, name)) && !b.detaches(o) && b.detached(o)
	case KindGrant:
		k, read := b.w.Keys[o.Parent]
		gone := read && k.ARN != "" && !slices.ContainsFunc(k.Grants, func(g Grant) bool { return g.Name == o.Subject })
		return Step{ID: id(KindCleanGrant, o.Parent), Subject: o.Parent, Spec: Spec{Grant: &GrantSpec{
			KeyARN: o.Parent, Region: regionOf(o.Parent, b.p.Accounts.Source.Region), Name: o.Subject,
		}}}, gone && !b.has(id(KindGrant, o.Parent)) && !b.unseenOf("KMS grants of "+o.Parent)
	case KindPrincipal:
		mine := b.p.Principal != nil && b.p.Principal.ARN == o.Subject
		label := parseEntity(o.Subject).label()
		gone := mine && !b.w.Principal.Exists && !b.unseen("principal") && !b.has(b.principalID())
		s := Step{ID: id(KindCleanPrincipal, label), Subject: label, Spec: Spec{Principal: &PrincipalSpec{
			ARN: o.Subject, Name: parseEntity(o.Subject).name, Role: parseEntity(o.Subject).role(), Tags: b.tags(),
		}}}
		other := mine && b.replaced(o, b.w.Principal.Exists, b.w.Principal.UserID, b.w.Principal.Tags)
		if other {
			s.Change.Note = anotherStands
		}
		return s, gone || other
	case KindBucketPolicy:
		return b.recordedStatement(o)
	case KindBucket:
		have, read := b.w.Buckets[BucketRef{plan.Destination, o.Subject}]
		spec := &BucketSpec{Name: o.Subject, Account: b.p.Accounts.Destination.ID, OnlyRecord: true}
		return Step{
			ID: id(KindCleanDestinationBucket, o.Subject), Subject: b.subject(plan.Destination, o.Subject), Spec: Spec{Bucket: spec},
		}, read && (!have.Exists || have.Foreign) && !b.has(id(KindBucket, o.Subject))
	default:
		return Step{}, false
	}
}

// recordedStatement is for a record of a statement that does not stand, or that stands under a Sid which the plan
// does not use any more.
func (b *builder) recordedStatement(o Owned) (Step, bool) {
	bucket := b.w.Buckets[BucketRef{plan.Source, o.Subject}]
	have := standsAs(b.p, b.w, o.Subject, o.Parent)
	s := Step{ID: id(KindCleanBucketPolicy, o.Subject), Subject: b.subject(plan.Source, o.Subject)}
	if o.Parent != b.p.Permissions.Statement {
		s.ID += plan.StepID("/" + o.Parent)
	} else if b.has(id(KindBucketPolicy, o.Subject)) {
		return s, false
	}
	s.Spec.Statement = &StatementSpec{
		Bucket: o.Subject, Account: b.p.Accounts.Source.ID, Region: bucket.Region, Sid: o.Parent, Live: live(b.w),
	}
	switch {
	case have.unread != nil, b.unseenOf("policy of bucket " + o.Subject), b.unseenOf("bucket " + o.Subject), !bucket.Exists, bucket.Foreign:
		return s, false
	case have.there && have.ours:
		s.Change = Change{Lines: []Line{{"-", "Sid " + o.Parent}}, Preserved: others(have.doc, o.Parent), Note: "the plan does not use it any more"}
		return s, true
	case have.there && o.Intent:
		s.Change.Note = "another one stands there, and stays: the record of ours goes"
		return s, true
	default:
		return s, !have.there
	}
}

// replaced tells whether what stands is not what the record is of.
func (b *builder) replaced(o Owned, exists bool, id string, tags map[string]string) bool {
	return exists && !o.KnownBy(id) && tags[PlanTag] != b.p.Name
}

func (b *builder) policyGone(arn string) bool {
	read := slices.ContainsFunc(b.w.Policies, func(m ManagedPolicy) bool { return m.ARN == arn && !m.Exists })
	return read && !b.unseen("policies")
}

// detached tells whether the world shows that a recorded attachment is gone, with its policy or alone: a run may die
// between the detachment and its record.
func (b *builder) detached(o Owned) bool {
	i := slices.IndexFunc(b.w.Policies, func(m ManagedPolicy) bool { return m.ARN == o.Subject })
	if i < 0 || b.unseen("policies") {
		return false
	}
	m := b.w.Policies[i]
	return !m.Exists || !slices.ContainsFunc(m.Attached, func(arn string) bool { return same(arn, o.Parent) })
}

// detaches tells whether a step detaches just that already.
func (b *builder) detaches(o Owned) bool {
	return slices.ContainsFunc(b.steps, func(s Step) bool {
		a := s.Spec.Attachment
		return s.Kind == KindCleanAttachment && a != nil && a.PolicyARN == o.Subject && a.Principal == o.Parent
	})
}

// unseenOf tells whether something could not be read, by its words.
func (b *builder) unseenOf(what string) bool {
	return slices.ContainsFunc(b.w.Unseen, func(u Unseen) bool { return u.What == what })
}
