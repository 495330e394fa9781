package compile

import (
	"fmt"
	"slices"

	"xplan/plan"
)

// markVerifications finds the pairs whose verification has to run: they are copied, their source is to be
// deleted, or something of ours waits for a verification and the scan's evidence is not what the plan asks.
func (b *builder) markVerifications() {
	waiting := b.awaitsVerification()
	pending := b.pendingInstances()
	for i, br := range b.branches {
		b.branches[i].verify = br.copying || br.cutting || br.deletes() || pending || (waiting && !br.proven())
	}
}

// awaitsVerification tells whether something that stands is removed after a verification only.
func (b *builder) awaitsVerification() bool {
	rules := map[Kind]plan.Rule{
		KindPolicy: b.p.Cleanup.Policy, KindAttachment: b.p.Cleanup.Policy,
		KindBucketPolicy: b.p.Cleanup.BucketPolicy, KindGrant: b.p.Cleanup.BucketPolicy,
		KindPrincipal: b.principalRule(),
	}
	return slices.ContainsFunc(b.w.Owned, func(o Owned) bool { return rules[o.Kind] == plan.AfterVerify })
}

// transfers are the credentials, and per pair probe, copy and verification.
func (b *builder) transfers() {
	if b.work {
		b.credentials()
	}
	for _, br := range b.branches {
		if br.active() {
			b.probe(br)
		}
		b.copy(br)
		if !br.cutting {
			b.verification(br)
		}
	}
	b.cutOvers()
	for _, br := range b.branches {
		if br.extra {
			b.extra(br)
		}
	}
}

func (b *builder) credentialsSpec() *CredentialsSpec {
	p := b.p.Principal
	if p == nil {
		return &CredentialsSpec{}
	}
	spec := &CredentialsSpec{Kind: p.Credentials, Principal: p.ARN, Profile: p.Profile}
	if e := parseEntity(p.ARN); !e.role() {
		spec.UserName = e.name
	}
	if i := slices.IndexFunc(b.policies, func(t policyTarget) bool { return t.wanted != nil }); i >= 0 && p.Credentials == plan.AccessKey && b.manages() {
		spec.NoteOn = b.policies[i].arn
	}
	return spec
}

// credentials come after the permissions, so that a key does not live longer than it must. Of these only the
// principal's own hold it back: one bucket's trouble is no reason not to copy another.
func (b *builder) credentials() {
	s := Step{
		ID: b.credentialsID(), Kind: KindCredentials, Side: plan.Destination, Subject: "own credentials", Action: Run,
		Spec: Spec{Credentials: b.credentialsSpec()},
	}
	s.Needs = slices.Concat(b.identity(plan.Destination), b.of(KindCleanKey, KindPrincipal, KindAttachment))
	s.After = b.of(KindGrant, KindBucketPolicy)
	if b.p.Principal != nil {
		s.Subject = parseEntity(b.p.Principal.ARN).label()
		switch b.p.Principal.Credentials {
		case plan.AccessKey:
			s.Action, s.Change.Note = Create, "secret withheld: never shown or stored"
			b.checkKeys()
		case plan.AssumeRole:
			s.Change.Note = "assumed as a role: no key is made"
		case plan.Profile:
			s.Change.Note = "profile " + b.p.Principal.Profile
		}
	}
	b.add(s)
}

func (b *builder) credentialsID() plan.StepID {
	if b.p.Principal == nil {
		return id(KindCredentials, "own")
	}
	return id(KindCredentials, parseEntity(b.p.Principal.ARN).label())
}

func (b *builder) probeSpec(br branch) *ProbeSpec {
	a := b.p.Accounts
	spec := &ProbeSpec{
		Pair: br.pair, SourceAccount: a.Source.ID, SourceRegion: br.srcRegion, DestAccount: a.Destination.ID, DestRegion: br.dstRegion,
		Legs: legs(a, br), RequesterPays: br.src.RequesterPays, Locks: br.locks(),
	}
	spec.SourceKMS, _ = b.customerKey(br, plan.Source)
	spec.DestinationKMS, _ = b.customerKey(br, plan.Destination)
	if b.p.Principal != nil {
		spec.PrincipalARN = b.p.Principal.ARN
	}
	if b.manages() {
		spec.StatementInPolicy = b.p.Permissions.Statement
	}
	return spec
}

// probe waits until every leg of the pair answers as the principal.
func (b *builder) probe(br branch) {
	spec := b.probeSpec(br)
	s := Step{
		ID: id(KindProbe, br.id), Kind: KindProbe, Side: plan.Destination, Pair: br.id, Subject: br.id, Action: Run,
		Spec: Spec{Probe: spec},
	}
	s.Needs = slices.Concat(b.grounds(br), []plan.StepID{b.credentialsID()}, b.of(KindPolicy, KindAttachment),
		[]plan.StepID{id(KindBucketPolicy, br.pair.Source)})
	if arn, ok := b.customerKey(br, plan.Source); ok {
		s.Needs = append(s.Needs, id(KindGrant, arn))
	}
	spec.FreshlyMade = slices.ContainsFunc(s.Needs, func(needed plan.StepID) bool {
		step, _ := b.find(needed)
		return step.Action == Create || step.Action == Update
	})
	b.add(s)
}

// legs are the accesses that the pair needs.
func legs(a plan.Accounts, br branch) []Leg {
	var all []Leg
	if a.Destination.IsAWS() {
		all = append(all, LegIdentity)
	}
	if !streaming(a) { // else the source's administrator reads: the principal is unknown to that server
		all = append(all, LegListSource, LegReadSource)
		if br.pair.Copy.Tags {
			all = append(all, LegTagsSource)
		}
		if br.pair.Copy.AllVersions() {
			all = append(all, LegVersionsSource, LegReadVersion)
		}
		if br.locks() {
			all = append(all, LegLocksSource)
		}
	}
	all = append(all, LegListDest)
	if br.pair.Copy.AllVersions() {
		all = append(all, LegVersionsDest)
	}
	return append(all, LegWriteDest)
}

// grounds are the steps that a pair's own buckets need.
func (b *builder) grounds(br branch) []plan.StepID {
	return []plan.StepID{id(KindInspect, br.pair.Source), id(KindBucket, br.pair.Destination)}
}

func (b *builder) copySpec(br branch) *CopySpec {
	a, principal := b.p.Accounts, ""
	if b.p.Principal != nil {
		principal = b.p.Principal.ARN
	}
	return &CopySpec{
		Principal: principal,
		Pair:      br.pair, SourceAccount: a.Source.ID, SourceRegion: br.srcRegion, DestAccount: a.Destination.ID, DestRegion: br.dstRegion,
		Streaming: streaming(a), NothingToDo: !br.copying, RequesterPays: br.src.RequesterPays, AsAdministrators: !br.active(),
		Settled: br.settled, Locks: br.locks(), LocksLeft: br.src.ObjectLock && !br.locks(), Redirects: slices.Contains(br.src.Configured, "website"),
	}
}

func (b *builder) copy(br branch) {
	s := Step{
		ID: id(KindCopy, br.id), Kind: KindCopy, Side: plan.Destination, Pair: br.id, Subject: pairText(br.pair), Action: Hold,
		Needs: append(b.grounds(br), id(KindProbe, br.id)), Spec: Spec{Copy: b.copySpec(br)},
	}
	facts := br.facts
	s.Change.Copy = &facts
	s.Spec.Copy.Preliminary = br.cutting
	if br.copying {
		s.Action = Run
		s.Change.Estimate = b.pairEstimate(br)
	}
	if s.Spec.Copy.Streaming && br.copying {
		s.Change.Note = "the two servers cannot see each other: every byte comes through this machine"
	}
	if br.facts.Waits() {
		s.Action, s.Change.Note = Wait, restoresText(br)
	}
	if br.moved {
		s.Change.Note = "the source's bucket is gone, as the plan wants it in the end"
	}
	b.add(s)
}

// restoresText says how the restores of a pair stand that nothing can be done about but to wait.
func restoresText(br branch) string {
	since := ""
	if at := br.facts.Restores.Since; !at.IsZero() {
		since = ", since " + at.UTC().Format("2006-01-02 15:04 MST")
	}
	return fmt.Sprintf("%s of %s: their restore is under way%s, and none can be read yet: run xplan resume later",
		objects(br.facts.Thawing.Objects), br.pair.Source, since)
}

// pairText is the pair as the review shows it: "tommy/** → tommy-b/**".
func pairText(p plan.Pair) string {
	return p.Source + "/" + p.Prefix + "** → " + p.Destination + "/" + p.ToPrefix + "**"
}

func (b *builder) verification(br branch) {
	s := Step{
		ID: id(KindVerify, br.id), Kind: KindVerify, Side: plan.Destination, Pair: br.id, Subject: br.id, Action: Hold,
		Needs: []plan.StepID{id(KindCopy, br.id), id(KindFinal, br.id)}, Spec: Spec{Copy: b.copySpec(br)},
	}
	facts := br.facts
	s.Change.Copy = &facts // the evidence that there is already
	if br.verify {
		s.Action = Run
	}
	b.add(s)
}

// extra deletes what is at the destination only. It waits for a person, and so is no part of the copy.
func (b *builder) extra(br branch) {
	where := place(br.pair.Destination, br.pair.ToPrefix)
	text := "DELETE what only " + where + " has"
	counted := br.facts.Known && !br.facts.Partial
	if counted {
		text = "DELETE " + objects(br.facts.Extra.Objects) + " that only " + where + " has"
	}
	b.add(Step{
		ID: id(KindCleanExtra, br.id), Kind: KindCleanExtra, Side: plan.Destination, Pair: br.id, Subject: br.id, Action: Delete,
		Needs: []plan.StepID{id(KindProbe, br.id), id(KindVerify, br.id)}, Rule: plan.AfterVerify, Confirm: br.pair.Destination, AsksLate: !counted,
		Change: Change{Danger: text}, Spec: Spec{Copy: b.copySpec(br)},
	})
}
