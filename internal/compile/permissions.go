package compile

import (
	"maps"
	"slices"
	"strings"

	"xplan/internal/policy"
	"xplan/plan"
)

// A policyTarget is a managed policy that the plan wants, or one of ours that it does not want any more.
type policyTarget struct {
	arn, name string
	wanted    *policy.Document
	have      ManagedPolicy
	ours      bool
	attached  bool // to the principal
}

// targets are the wanted policies in the order of their names, then what is ours and superfluous.
func (b *builder) targets() []policyTarget {
	names := policy.Names(b.p.Permissions.Policy, len(b.docs.identity))
	partition := parseEntity(b.p.Principal.ARN).partition
	var all []policyTarget
	for i, name := range names {
		arn := policyARN(partition, b.p.Accounts.Destination.ID, name)
		all = append(all, b.target(arn, name, &b.docs.identity[i]))
	}
	for _, m := range b.w.Policies {
		known := slices.ContainsFunc(all, func(t policyTarget) bool { return t.arn == m.ARN })
		if t := b.target(m.ARN, policyName(m.ARN), nil); !known && t.ours {
			all = append(all, t)
		}
	}
	return all
}

func (b *builder) target(arn, name string, wanted *policy.Document) policyTarget {
	t := policyTarget{arn: arn, name: name, wanted: wanted, have: ManagedPolicy{ARN: arn, Name: name}}
	if i := slices.IndexFunc(b.w.Policies, func(m ManagedPolicy) bool { return m.ARN == arn }); i >= 0 {
		t.have = b.w.Policies[i]
	}
	t.ours = policyOurs(b.w.Owned, b.p.Name, t.have)
	t.attached = attached(b.w.Principal, t.have)
	return t
}

// attached asks both lists: the user's or role's, and the policy's.
func attached(f PrincipalFacts, m ManagedPolicy) bool {
	return slices.Contains(f.Attached, m.ARN) ||
		slices.ContainsFunc(m.Attached, func(arn string) bool { return f.ARN != "" && same(arn, f.ARN) })
}

// permissions are steps while there is something to copy, or where the plan keeps them.
func (b *builder) permissions() {
	if b.p.Principal == nil || !b.p.Accounts.Destination.IsAWS() {
		return
	}
	// A source that is gone asks for nothing, and what was kept for it stays as it is.
	gone := slices.ContainsFunc(b.branches, func(br branch) bool { return br.moved })
	keepPolicy := b.manages() && b.p.Cleanup.Policy == plan.Keep && !gone
	keepStatement := b.manages() && b.p.Cleanup.BucketPolicy == plan.Keep
	if !b.work && !keepPolicy && !keepStatement {
		return
	}
	b.principal()
	if !b.manages() {
		return
	}
	if b.work || keepPolicy {
		b.identityPolicies()
	}
	b.sourcePermissions(keepStatement)
}

// identityPolicies lets the principal do it.
func (b *builder) identityPolicies() {
	for _, t := range b.policies {
		if t.wanted != nil {
			b.policy(t)
			b.attachment(t)
		}
	}
	b.checkAttachments()
}

// sourcePermissions let the principal in on the source's side: for the pairs that need it, or for all.
func (b *builder) sourcePermissions(keep bool) {
	wanted := func(br branch) bool { return br.active() || (keep && !br.moved) }
	for _, arn := range b.keys.source {
		if slices.ContainsFunc(b.branches, func(br branch) bool { return wanted(br) && b.uses(br, arn) }) {
			b.grant(arn)
		}
	}
	for _, name := range b.sources() {
		if slices.ContainsFunc(b.sharing(name), wanted) {
			b.statement(name)
		}
	}
}

// uses tells whether the pair's source is encrypted with the key.
func (b *builder) uses(br branch, arn string) bool {
	got, ok := b.customerKey(br, plan.Source)
	return ok && got == arn
}

func (b *builder) principalID() plan.StepID {
	return id(KindPrincipal, parseEntity(b.p.Principal.ARN).label())
}

func (b *builder) principal() {
	spec := b.principalSpec()
	s := Step{
		ID: b.principalID(), Kind: KindPrincipal, Side: plan.Destination, Subject: parseEntity(spec.ARN).label(), Action: Hold,
		Needs: b.identity(plan.Destination), Spec: Spec{Principal: spec},
	}
	if b.checkPrincipal() == Create {
		s.Action, s.Change.Lines = Create, principalLines(*spec)
	}
	b.add(s)
}

func (b *builder) principalSpec() *PrincipalSpec {
	p := b.p.Principal
	e := parseEntity(p.ARN)
	spec := &PrincipalSpec{
		ARN: p.ARN, Role: e.role(), Name: e.name, Path: first(p.Path, e.path),
		Boundary: p.PermissionsBoundary, Create: p.Create,
	}
	if p.Create {
		spec.Tags = b.tags()
		if e.role() {
			spec.Trust = string(trust(b.w.Identities[plan.Destination], b.p.Accounts.Destination.ID, e.partition).JSON())
		}
	}
	return spec
}

// trust lets the operator assume the role. A session's ARN does not tell the path of its role, and an ARN without the
// path names nobody: then the account is trusted, bound to the role's name by aws:PrincipalArn.
func trust(operator Identity, account, partition string) policy.Document {
	s := policy.Statement{Sid: "Operator", Effect: policy.Allow, Action: []string{"sts:AssumeRole"}}
	iam := "arn:" + partition + ":iam::" + account + ":"
	switch e := parseEntity(operator.ARN); e.kind {
	case "user":
		s.Principal.AWS = []string{operator.ARN}
	case "assumed-role":
		role := e.path[1 : len(e.path)-1] // …:assumed-role/ROLE/SESSION
		s.Principal.AWS = []string{iam + "root"}
		s.Condition = policy.Conditions{{
			Operator: "ArnLike", Key: "aws:PrincipalArn",
			Values: []string{iam + "role/" + role, iam + "role/*/" + role},
		}}
	default:
		s.Principal.AWS = []string{iam + "root"}
	}
	return policy.Document{Version: policy.Version2012, Statements: []policy.Statement{s}}
}

func (b *builder) policySpec(t policyTarget) *PolicySpec {
	spec := &PolicySpec{ARN: t.arn, Name: t.name, Tags: b.tags(), Adopt: b.p.Permissions.Adopt}
	if t.wanted != nil {
		spec.Document, spec.Digest = string(t.wanted.JSON()), PolicyDigest(*t.wanted)
		maps.Copy(spec.Tags, digestTags(b.docs))
	}
	return spec
}

func (b *builder) policy(t policyTarget) {
	s := Step{
		ID: id(KindPolicy, t.name), Kind: KindPolicy, Side: plan.Destination, Subject: t.name,
		Needs: b.identity(plan.Destination), Spec: Spec{Policy: b.policySpec(t)},
	}
	before, err := policy.Parse([]byte(t.have.Document))
	switch {
	case b.unseen("policies"):
		b.problem("policy "+t.name, "it cannot be read", "allow iam:GetPolicy, iam:GetPolicyVersion and iam:ListEntitiesForPolicy to the destination's administrator")
	case !t.have.Exists:
		s.Action, s.Change.Lines = Create, documentLines("+", *t.wanted)
	case !t.ours && !b.p.Permissions.Adopt:
		b.problem("policy "+t.name, "a policy of that name is there and was not made by this plan",
			"choose another permissions.policy, or set permissions.adopt: true to take it over, its clean-up included")
	case err == nil && policy.Equal(before, *t.wanted):
		s.Action = Hold
	default:
		s.Action = Update
		s.Change.Lines, s.Change.Preserved = diffLines(before, *t.wanted)
		if t.have.Versions >= 5 {
			s.Change.Note = "holds 5 versions: the oldest that is not the default is deleted"
		}
	}
	if t.have.Exists && !t.ours && b.p.Permissions.Adopt {
		s.Change.Note = "not made by this plan, adopted: the clean-up rules apply to it"
	}
	b.add(s)
}

func (b *builder) attachment(t policyTarget) {
	s := Step{
		ID: id(KindAttachment, t.name), Kind: KindAttachment, Side: plan.Destination, Action: Create,
		Subject: parseEntity(b.p.Principal.ARN).label(),
		Needs:   []plan.StepID{b.principalID(), id(KindPolicy, t.name)},
		Spec:    Spec{Attachment: &AttachmentSpec{PolicyARN: t.arn, Principal: b.p.Principal.ARN}},
	}
	if len(b.docs.identity) > 1 {
		s.Subject += " " + t.name
	}
	if t.attached && t.have.Exists {
		s.Action = Hold
	}
	b.add(s)
}

func (b *builder) grantSpec(arn string) *GrantSpec {
	return &GrantSpec{
		KeyARN: arn, Region: regionOf(arn, b.p.Accounts.Source.Region), Principal: b.p.Principal.ARN,
		Operations: grantOperations(), Name: grantName(b.p),
	}
}

func (b *builder) grant(arn string) {
	s := Step{
		ID: id(KindGrant, arn), Kind: KindGrant, Side: plan.Source, Subject: arn, Action: Create,
		Needs: append(b.identity(plan.Source), b.principalID()), Spec: Spec{Grant: b.grantSpec(arn)},
	}
	for _, br := range b.branches {
		if b.uses(br, arn) {
			s.Needs = append(s.Needs, id(KindInspect, br.pair.Source))
		}
	}
	if standingGrant(b.p, b.w, b.w.key(arn)) {
		s.Action = Hold
	} else {
		s.Change.Lines = []Line{{"+", "Decrypt for " + b.p.Principal.ARN}}
	}
	b.add(s)
}

func (b *builder) statementSpec(br branch, s standing) *StatementSpec {
	ours := b.docs.statements[br.pair.Source]
	return &StatementSpec{
		Bucket: br.pair.Source, Account: b.p.Accounts.Source.ID, Region: br.srcRegion,
		Sid: b.p.Permissions.Statement, Statement: string(ours.JSON()), Digest: ours.Digest(),
		Reviewed: StandingDigest(s.doc), Adopt: b.p.Permissions.Adopt, Live: live(b.w),
		MadeWhole: s.doc.Empty() || (s.ours && len(s.doc.Statements) == 1),
	}
}

func (b *builder) standing(bucket string) standing {
	return stands(b.p, b.w, bucket)
}

// statement merges our one statement into the source's bucket policy.
func (b *builder) statement(bucket string) {
	br, ours, have := b.from(bucket), b.docs.statements[bucket], b.standing(bucket)
	subject := "bucket policy of " + bucket
	if have.unread != nil {
		b.problem(subject, "it cannot be read: "+have.unread.Error(), "")
		return
	}
	merged, found, err := policy.Merge(have.doc, ours)
	if err == nil {
		err = policy.CheckResource(policy.Document{Version: merged.Version, Statements: []policy.Statement{ours}})
	}
	if n := len(merged.JSON()); err == nil && n > policy.BucketPolicyLimit {
		err = &policy.SizeError{What: "with our statement it", Size: n, Limit: policy.BucketPolicyLimit}
	}
	if err != nil {
		b.problem(subject, err.Error(), "shorten it, or use fewer prefixes")
		return
	}
	s := Step{
		ID: id(KindBucketPolicy, bucket), Kind: KindBucketPolicy, Side: plan.Source, Subject: b.subject(plan.Source, bucket),
		Needs: append(b.identity(plan.Source), id(KindInspect, bucket), b.principalID()),
		Spec:  Spec{Statement: b.statementSpec(br, have)},
	}
	switch {
	case found == policy.FoundOther && !have.ours && !b.p.Permissions.Adopt:
		b.problem(subject, "a statement "+ours.Sid+" is there and was not made by this plan",
			"choose another permissions.statement, or set permissions.adopt: true to take it over, its clean-up included")
	case found == policy.FoundSame:
		s.Action = Hold
		if !have.ours && !b.p.Permissions.Adopt {
			s.Change.Note = "not made by this plan: it stays"
		}
	case have.doc.Empty():
		s.Action = Create
	default:
		s.Action = Update
	}
	if s.Action != Hold {
		b.checkPublic(br)
		if dead := have.doc.UniqueIDs(ours.Sid); len(dead) > 0 {
			b.warn(subject, "it names %s: where that is a deleted user or role, S3 refuses every change of the policy until the ID is taken out", strings.Join(dead, ", "))
		}
		s.Change.Lines = statementLines(have, ours)
	}
	s.Change.Preserved = others(have.doc, ours.Sid)
	b.add(s)
}
