package compile

import (
	"slices"

	"xplan/plan"
)

// cleanup adds the clean-up in the order in which it has to happen: our uploads, the key, the statement before
// the principal that it names, the policy, and at last what is dangerous. There are steps for what this
// program makes and for what earlier runs left, and for nothing else.
func (b *builder) cleanup() {
	b.cleanUploads()
	b.cleanKey()
	b.cleanStatements()
	b.cleanGrants()
	b.cleanPolicies()
	b.cleanPrincipal()
	b.cleanRecords()
	b.cleanInstances()
	b.cleanSources()
	b.cleanFreezes()
}

// tidy fills in what a clean-up waits for by its rule. Always: everything that uses the thing has ended.
// After-verify: the pairs that used it are verified.
func (b *builder) tidy(s Step, rule plan.Rule, used []branch) Step {
	s.Rule = rule
	if s.Action == "" {
		s.Action = Delete
	}
	for _, br := range used {
		if rule == plan.AfterVerify {
			s.Needs = append(s.Needs, id(KindVerify, br.id))
		}
		s.After = append(s.After, id(KindProbe, br.id), id(KindCopy, br.id), id(KindDelta, br.id), id(KindFinal, br.id), id(KindVerify, br.id),
			id(KindCleanExtra, br.id), id(KindCleanUploads, br.id))
	}
	return s
}

// cleanUploads aborts multipart uploads of ours that still stand after the copy, or the probe.
func (b *builder) cleanUploads() {
	for _, br := range b.branches {
		_, left := b.owned(KindCopy, br.id, "")
		action := Run // there may be some in the end
		if left && !br.active() {
			action = Delete
		}
		if !left && !br.active() { // where there is a probe, there is its upload
			continue
		}
		b.add(Step{
			ID: id(KindCleanUploads, br.id), Kind: KindCleanUploads, Side: plan.Destination, Pair: br.id, Subject: br.id, Action: action,
			After: []plan.StepID{id(KindCopy, br.id), id(KindDelta, br.id), id(KindFinal, br.id), id(KindVerify, br.id), id(KindCleanExtra, br.id)},
			Rule:  plan.Always, Spec: Spec{Copy: b.copySpec(br)},
		})
	}
}

// leftoverKeys come first of all: their secrets are lost, so they are of no use, and a user holds two at most.
func (b *builder) leftoverKeys() {
	if b.w.Held != nil { // the key that the notes tell of is in use
		b.warn("plan "+b.p.Name, "another machine runs it just now: %s; apply refuses until that has ended", *b.w.Held)
		return
	}
	for _, o := range b.w.Owned {
		if o.Kind != KindCredentials {
			continue
		}
		key, note := b.leftover(o)
		if note == "" {
			continue
		}
		spec := &CredentialsSpec{Kind: plan.AccessKey, UserName: o.Parent, KeyID: key, NoteOn: b.credentialsSpec().NoteOn}
		if b.p.Principal != nil && parseEntity(b.p.Principal.ARN).name == o.Parent {
			spec.Principal = b.p.Principal.ARN
		}
		b.add(Step{
			ID: id(KindCleanKey, first(key, "intent of user/"+o.Parent)), Kind: KindCleanKey, Side: plan.Destination,
			Subject: "user/" + o.Parent, Action: Delete, Needs: b.identity(plan.Destination), Rule: plan.Always,
			Change: Change{Note: note}, Spec: Spec{Credentials: spec},
		})
	}
}

// leftover finds the key that a record is about, and says what becomes of it; "" needs no step. Of an intent, whose
// key's ID nobody learned, it is the one key that was not there before; with two a person has to look.
func (b *builder) leftover(o Owned) (key, note string) {
	known := b.w.Principal.Exists && b.p.Principal != nil && parseEntity(b.p.Principal.ARN).name == o.Parent
	if !o.Intent {
		there := slices.ContainsFunc(b.w.Principal.Keys, func(k AccessKey) bool { return k.ID == o.Subject })
		if !there && known {
			return o.Subject, "key " + o.Subject + " is " + onlyRecorded
		}
		return o.Subject, leftOver(o.Subject)
	}
	var newer []string
	for _, k := range b.w.Principal.Keys {
		_, recorded := b.owned(KindCredentials, k.ID, o.Parent)
		if known && !recorded && !slices.Contains(o.Before, k.ID) {
			newer = append(newer, k.ID)
		}
	}
	switch {
	case len(newer) == 0:
		return "", "an earlier run meant to make a key, and none is there: its record goes"
	case len(newer) > 1:
		b.problem("user/"+o.Parent, "an earlier run died while it made an access key, and two keys are newer than that: which one is the run's cannot be told",
			"delete the one that nobody uses (aws iam get-access-key-last-used tells), and start again")
		return "", ""
	case b.has(id(KindCleanKey, newer[0])):
		return "", ""
	default:
		return newer[0], leftOver(newer[0])
	}
}

func leftOver(key string) string { return "key " + key + " was left over by an earlier run" }

// cleanKey deletes the key that this program makes.
func (b *builder) cleanKey() {
	if made, ok := b.find(b.credentialsID()); !ok || made.Action != Create {
		return
	}
	used := slices.DeleteFunc(slices.Clone(b.branches), func(br branch) bool { return !br.active() })
	label := parseEntity(b.p.Principal.ARN).label()
	b.add(b.tidy(Step{
		ID: id(KindCleanKey, label), Kind: KindCleanKey, Side: plan.Destination, Subject: label,
		After: []plan.StepID{b.credentialsID()}, Spec: Spec{Credentials: b.credentialsSpec()},
	}, b.p.Cleanup.AccessKey, used))
}

// cleanStatements removes our statement from the source's policies: before the principal goes, which would turn
// into a unique ID there that nobody knows.
func (b *builder) cleanStatements() {
	rule := b.p.Cleanup.BucketPolicy
	if rule == plan.Keep {
		return
	}
	for _, name := range b.statementBuckets() {
		have, step := b.standing(name), id(KindBucketPolicy, name)
		made, planned := b.find(step)
		var spec StatementSpec
		switch {
		case planned && (made.Action != Hold || have.ours || b.p.Permissions.Adopt):
			spec = *made.Spec.Statement
			spec.Reviewed = b.afterwards(have, name)
		case !planned && have.ours:
			spec = StatementSpec{
				Bucket: name, Account: b.p.Accounts.Source.ID, Region: b.w.Buckets[BucketRef{plan.Source, name}].Region,
				Sid: have.statement.Sid, Statement: string(have.statement.JSON()), Digest: have.statement.Digest(),
				Reviewed: StandingDigest(have.doc), MadeWhole: len(have.doc.Statements) == 1, Live: live(b.w),
			}
		default:
			b.explainStanding(name, have)
			continue
		}
		s := Step{
			ID: id(KindCleanBucketPolicy, name), Kind: KindCleanBucketPolicy, Side: plan.Source, Subject: b.subject(plan.Source, name),
			Needs: b.identity(plan.Source), After: append(b.of(KindCleanKey), step), Spec: Spec{Statement: &spec},
		}
		s.Change.Lines = []Line{{"-", "Sid " + spec.Sid}}
		s.Change.Preserved = others(have.doc, spec.Sid)
		b.add(b.tidy(s, rule, b.sharing(name)))
	}
}

// explainStanding says why a statement of which there is a record stays.
func (b *builder) explainStanding(bucket string, have standing) {
	o, recorded := b.owned(KindBucketPolicy, bucket, b.p.Permissions.Statement)
	switch subject := "bucket policy of " + bucket; {
	case !recorded || o.Intent:
	case have.unread != nil:
		b.problem(subject, "it cannot be read: "+have.unread.Error(), "")
	case have.there && !have.ours:
		b.warn(subject, "statement %s was edited since this plan wrote it, and stays: remove it by hand", o.Parent)
	}
}

// statementBuckets are the plan's sources, and others where an earlier form of the plan left a statement.
func (b *builder) statementBuckets() []string {
	if b.p.Permissions.Statement == "" {
		return nil
	}
	all := b.sources()
	for _, o := range b.w.Owned {
		if o.Kind == KindBucketPolicy {
			all = append(all, o.Subject)
		}
	}
	return unique(all)
}

// cleanGrants revokes what lets the principal decrypt. The source's permissions share one rule.
func (b *builder) cleanGrants() {
	rule := b.p.Cleanup.BucketPolicy
	if rule == plan.Keep || b.p.Principal == nil {
		return
	}
	for _, arn := range b.grantKeys() {
		step := id(KindGrant, arn)
		if _, planned := b.find(step); !planned && !standingGrant(b.p, b.w, b.w.key(arn)) {
			continue
		}
		used := slices.DeleteFunc(slices.Clone(b.branches), func(br branch) bool { return !b.uses(br, arn) })
		b.add(b.tidy(Step{
			ID: id(KindCleanGrant, arn), Kind: KindCleanGrant, Side: plan.Source, Subject: arn, Needs: b.identity(plan.Source),
			After: append(b.of(KindCleanKey), step), Spec: Spec{Grant: b.grantSpec(arn)},
		}, rule, used))
	}
}

// grantKeys are the keys that the plan's sources use, and those of which a record says that we have a grant.
func (b *builder) grantKeys() []string {
	all := slices.Clone(b.keys.source)
	for _, o := range b.w.Owned {
		if o.Kind == KindGrant && o.Subject == grantName(b.p) {
			all = append(all, o.Parent)
		}
	}
	return unique(all)
}

// cleanPolicies detaches and deletes our policies. A policy of ours that the plan does not
// want any more goes also where the plan keeps policies.
func (b *builder) cleanPolicies() {
	for _, t := range b.policies {
		rule := b.p.Cleanup.Policy
		_, planned := b.find(id(KindPolicy, t.name))
		if rule == plan.Keep && t.wanted == nil {
			rule = plan.AfterVerify
		}
		if rule == plan.Keep || (!planned && !t.ours) {
			continue
		}
		earlier := slices.Concat(b.of(KindCleanKey, KindCleanBucketPolicy, KindCleanGrant), []plan.StepID{id(KindPolicy, t.name), id(KindAttachment, t.name)})
		detached := b.detach(t, rule, planned, earlier)
		s := Step{
			ID: id(KindCleanPolicy, t.name), Kind: KindCleanPolicy, Side: plan.Destination, Subject: t.name,
			Needs: b.identity(plan.Destination), After: slices.Concat(earlier, detached), Spec: Spec{Policy: b.policySpec(t)},
		}
		if rule == plan.AfterVerify {
			s.Needs = append(s.Needs, detached...)
		}
		b.add(b.tidy(s, rule, b.branches))
	}
}

// detach detaches a policy from the principal, and from one that an earlier form of the plan named.
func (b *builder) detach(t policyTarget, rule plan.Rule, planned bool, earlier []plan.StepID) []plan.StepID {
	var from []string
	if planned || t.attached {
		from = append(from, b.p.Principal.ARN)
	}
	for _, arn := range t.have.Attached {
		switch _, ours := b.owned(KindAttachment, t.arn, arn); {
		case slices.ContainsFunc(from, func(f string) bool { return same(f, arn) }):
		case ours:
			from = append(from, arn)
		default:
			b.warn("policy "+t.name, "it is attached to %s as well, which was not this plan: the clean-up will not delete it", arn)
		}
	}
	var all []plan.StepID
	for i, arn := range from {
		step := Step{
			ID: id(KindCleanAttachment, t.name), Kind: KindCleanAttachment, Side: plan.Destination, Subject: parseEntity(arn).label(),
			Needs: b.identity(plan.Destination), After: earlier,
			Spec: Spec{Attachment: &AttachmentSpec{PolicyARN: t.arn, Principal: arn}},
		}
		if i > 0 {
			step.ID += plan.StepID("/" + step.Subject)
		}
		b.add(b.tidy(step, rule, b.branches))
		all = append(all, step.ID)
	}
	return all
}

// principalRule: the principal goes when all that hangs on it may go; a kept policy keeps it.
func (b *builder) principalRule() plan.Rule {
	c := b.p.Cleanup
	switch rules := []plan.Rule{c.Policy, c.BucketPolicy, c.AccessKey}; {
	case slices.Contains(rules, plan.Keep):
		return plan.Keep
	case slices.Contains(rules, plan.AfterVerify):
		return plan.AfterVerify
	}
	return plan.Always
}

func (b *builder) cleanPrincipal() {
	rule := b.principalRule()
	if b.p.Principal == nil || !b.p.Principal.Create || rule == plan.Keep {
		return
	}
	made, planned := b.find(b.principalID())
	ours := principalOurs(b.w.Owned, b.p.Name, b.w.Principal) || (planned && made.Action == Create)
	if !ours {
		return
	}
	before := b.of(KindCleanKey, KindCleanBucketPolicy, KindCleanGrant, KindCleanAttachment, KindCleanPolicy)
	s := Step{
		ID: id(KindCleanPrincipal, parseEntity(b.p.Principal.ARN).label()), Kind: KindCleanPrincipal, Side: plan.Destination,
		Subject: parseEntity(b.p.Principal.ARN).label(), Needs: b.identity(plan.Destination),
		After: append(before, b.principalID()), Spec: Spec{Principal: b.principalSpec()},
	}
	if rule == plan.AfterVerify {
		s.Needs = append(s.Needs, before...)
	}
	b.add(b.tidy(s, rule, b.branches))
}
