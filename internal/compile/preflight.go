package compile

import (
	"slices"
	"strings"

	"xplan/internal/policy"
	"xplan/plan"
)

// preflight asks, before anything is changed, how every call of the run as the principal will be decided: by
// the policies as they will stand after the run's own changes. What is denied whatever the unknown turns out to be is
// SeverityDenied; what could not be read leaves nothing to say, as World.Unseen says it.
func (b *builder) preflight() []Finding {
	if b.p.Principal == nil || !b.p.Accounts.Destination.IsAWS() || len(b.problems) > 0 {
		return nil
	}
	all := b.administrators()
	for _, br := range b.branches {
		if !br.active() {
			continue
		}
		for _, c := range b.calls(br) {
			all = all.add(b.findings(c, b.caller())...)
		}
	}
	return all.sorted()
}

// A caller is whoever makes calls, with the policies of its own account.
type caller struct {
	arn       string // as people and policies name it: of the user or role
	label     string // "user/misterrodgers"
	admin     bool   // an account's administrator, not the plan's principal
	principal policy.Principal
	documents []named
	boundary  *named
	unread    []policy.Leg
	keys      map[string][]string // condition keys that follow from who calls
	unknown   []string            // condition keys of its own that nobody knows
}

// named is a policy with what people call it.
type named struct {
	name string // "policy s3_copy", "inline policy admin"
	doc  policy.Document
}

// caller is the plan's principal, with the policies that it will have.
func (b *builder) caller() caller {
	e, f := parseEntity(b.p.Principal.ARN), b.w.Principal
	c := caller{arn: b.p.Principal.ARN, label: e.label(), keys: map[string][]string{}}
	c.principal = policy.Principal{Account: e.account, ARN: c.arn, UserID: f.UserID}
	if e.role() {
		session := "/xplan"
		c.principal.Issuer = c.arn
		c.principal.ARN = "arn:" + e.partition + ":sts::" + e.account + ":assumed-role/" + e.name + session
		if f.UserID != "" {
			c.principal.UserID += ":" + strings.TrimPrefix(session, "/")
		}
		c.keys["aws:MultiFactorAuthPresent"] = []string{"false"}
		c.unknown = append(c.unknown, "aws:tokenissuetime", "aws:sourceidentity", "aws:rolesessionname", "aws:userid")
	}
	if b.p.Principal.Credentials == plan.Profile {
		delete(c.keys, "aws:MultiFactorAuthPresent")
		c.unknown = append(c.unknown, "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:principaltag/", "aws:tokenissuetime")
	}
	if b.unseen("principal") { // then nobody knows its ID and its tags
		c.unknown = append(c.unknown, "aws:userid", "aws:principaltag/")
	}
	for k, v := range f.Tags {
		c.keys["aws:PrincipalTag/"+k] = []string{v}
	}
	b.identityOf(&c)
	return c
}

// identityOf gathers the policies that the principal will have: ours as compiled, and what is attached or stands inline.
func (b *builder) identityOf(c *caller) {
	ours := make(map[string]bool)
	for _, t := range b.policies {
		ours[t.arn] = true
		if t.wanted != nil {
			c.documents = append(c.documents, named{"policy " + t.name, *t.wanted})
		}
	}
	f := b.w.Principal
	for _, d := range f.Policies.Documents {
		if ours[d.ARN] {
			continue
		}
		if doc, err := policy.Parse([]byte(d.Document)); err == nil {
			c.documents = append(c.documents, named{d.Label(), doc})
		} else {
			c.unread = append(c.unread, policy.LegIdentity)
		}
	}
	if f.Exists && !f.Policies.Complete || b.unseen("principal") {
		c.unread = append(c.unread, policy.LegIdentity)
	}
	boundary := f.Boundary
	if !f.Exists {
		boundary = b.p.Principal.PermissionsBoundary
	}
	if boundary == "" {
		return
	}
	if doc, err := policy.Parse([]byte(f.Policies.Boundary)); err == nil {
		c.boundary = &named{"the permissions boundary " + policyName(boundary), doc}
	} else {
		c.unread = append(c.unread, policy.LegBoundary)
	}
}

// prospect is the call with every policy that has a say.
func (b *builder) prospect(c call, who caller) policy.Prospect {
	p := policy.Prospect{Below: c.below, Unread: slices.Clone(who.unread)}
	p.Request = policy.Request{
		Principal: who.principal, Action: c.action, Resource: c.where.resource, ResourceAccount: c.where.account,
		Context: b.context(c, who),
	}
	for _, d := range who.documents {
		p.Identity = append(p.Identity, d.doc)
	}
	if who.boundary != nil {
		p.Boundary = &who.boundary.doc
	}
	doc, read := b.resourcePolicy(c, who)
	if who.admin {
		doc = asSeenBy(who, doc, c)
	}
	if !read {
		p.Unread = append(p.Unread, policy.LegResource)
	}
	if !doc.Empty() {
		p.ResourcePolicy = &doc
	}
	p.ResourceMustAllow = c.kms() || c.where.role != ""
	p.Unknown = c.unknowns(who)
	return p
}

// resourcePolicy is the policy of the call's bucket or key, as it will stand; read tells whether it could be read.
func (b *builder) resourcePolicy(c call, who caller) (doc policy.Document, read bool) {
	switch {
	case c.kms():
		return b.keyPolicy(c, who)
	case c.where.role != "":
		doc, err := policy.Parse([]byte(b.w.Principal.Trust))
		return doc, err == nil
	}
	have := b.w.Buckets[BucketRef{c.side, c.where.bucket}]
	read = !b.unseen(UnseenBucketPolicy(c.where.bucket))
	if have.Policy != "" {
		var err error
		if doc, err = policy.Parse([]byte(have.Policy)); err != nil {
			return policy.Document{}, false
		}
		doc = doc.WithPrincipals(live(b.w))
	}
	if ours, ok := b.docs.statements[c.where.bucket]; ok && c.side == plan.Source {
		if merged, _, err := policy.Merge(doc, ours); err == nil {
			doc = merged
		}
	}
	return doc, read
}

// keyPolicy is the key's policy, with a statement for each grant to the caller: that is how a grant counts.
func (b *builder) keyPolicy(c call, who caller) (doc policy.Document, read bool) {
	k := b.w.key(c.where.key)
	doc, err := policy.Parse([]byte(k.Policy))
	read = err == nil && !b.unseen(UnseenGrants(k.ARN))
	doc = doc.WithPrincipals(live(b.w))
	operation := strings.TrimPrefix(c.action, "kms:")
	granted := who.arn == b.p.Principal.ARN && b.manages() && c.side == plan.Source && slices.Contains(grantOperations(), operation)
	granted = granted || slices.ContainsFunc(k.Grants, func(g Grant) bool {
		named := g.Grantee == who.arn || (g.Grantee != "" && g.Grantee == b.w.Principal.UserID)
		return named && slices.Contains(g.Operations, operation)
	})
	if granted {
		doc.Statements = append(slices.Clone(doc.Statements), policy.Statement{
			Sid: "Grant", Effect: policy.Allow, Principal: policy.Principals{AWS: []string{who.principal.ARN}},
			Action: []string{c.action}, Resource: []string{"*"},
		})
	}
	return doc, read || granted
}

// doubts tells each pair's steps what stands, or may stand, in their way. The simulator has no say in it: what a step is given
// follows from the facts alone.
func (b *builder) doubts() {
	alone := *b
	alone.w.Opinions = nil
	found := alone.preflight()
	for i := range b.steps {
		spec, pair := &b.steps[i].Spec, b.steps[i].Pair
		var about []Finding
		for _, f := range found {
			if slices.Contains(f.Pairs, pair) {
				about = append(about, f)
			}
		}
		switch {
		case len(about) == 0:
		case spec.Probe != nil:
			spec.Probe.Doubts = about
		case spec.Copy != nil:
			spec.Copy.Doubts = about
		}
	}
}
