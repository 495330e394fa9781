package compile

import "slices"

// checkPrincipal decides what the principal's step does.
func (b *builder) checkPrincipal() Action {
	p := b.p.Principal
	subject := parseEntity(p.ARN).label()
	f := b.w.Principal
	switch {
	case b.unseen("principal"):
		if b.manages() {
			b.problem(subject, "it cannot be read in account "+b.p.Accounts.Destination.ID, "allow iam:GetUser and iam:GetRole to the destination's administrator")
		}
	case !f.Exists && p.Create:
		return Create
	case !f.Exists:
		b.problem(subject, "it does not exist in account "+b.p.Accounts.Destination.ID, "create it, or set principal.create: true")
	case p.Create && !principalOurs(b.w.Owned, b.p.Name, f):
		b.problem(subject, "the plan says create, and it is there already, not made by this plan", "set principal.create: false")
	case f.Boundary != "" && b.manages():
		b.warn(subject, "a permissions boundary limits it: %s has to allow the copy as well", f.Boundary)
	}
	return Hold
}

// checkKeys: a user holds two access keys at most. What earlier runs left is deleted first.
func (b *builder) checkKeys() {
	f := b.w.Principal
	others := slices.DeleteFunc(slices.Clone(f.Keys), func(k AccessKey) bool { return b.has(id(KindCleanKey, k.ID)) })
	if f.Exists && len(others) >= 2 {
		b.problem(parseEntity(b.p.Principal.ARN).label(), "it holds two access keys already, and AWS allows no third",
			"delete one that is not used, or set principal.credentials: profile or assume-role")
	}
}

// checkAttachments: IAM lets 10 policies be attached, 20 where the quota was raised.
func (b *builder) checkAttachments() {
	const usual, most = 10, 20
	n := len(b.w.Principal.Attached)
	for _, t := range b.policies {
		if t.wanted != nil && !t.attached {
			n++
		}
	}
	subject := parseEntity(b.p.Principal.ARN).label()
	switch {
	case n > most:
		b.problem(subject, "more than 20 policies would be attached to it", "name another principal, or split the plan")
	case n > usual:
		b.warn(subject, "%d policies would be attached to it: AWS allows 10 unless the quota was raised", n)
	}
}

// unseen tells whether Observe could not read something.
func (b *builder) unseen(about string) bool {
	return slices.ContainsFunc(b.w.Unseen, func(u Unseen) bool { return u.About == about })
}
