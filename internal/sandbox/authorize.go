package sandbox

import (
	"net"
	"strconv"
	"strings"
	"time"

	"xplan/internal/policy"
)

// authorize decides whether c's caller may do action on resource. cond holds
// the service's condition keys (s3:prefix); it may be nil, and the global keys
// are added to it.
func (s *Server) authorize(c *call, action, resource string, res resourceAuth, cond map[string][]string) verdict {
	r := policy.Request{
		Principal: c.principal(s), Action: action, Resource: resource, ResourceAccount: res.Account,
		Context:           s.globalKeys(c, cond),
		ResourceMustAllow: res.MustAllow,
	}
	s.addIdentitySide(&r, c)
	r.ResourcePolicy = res.document(c.caller, action, resource)
	d := policy.Evaluate(r)
	v := verdict{Allowed: d.Allowed, Explicit: d.Reason == policy.ExplicitDeny}
	if !v.Allowed {
		v.Message = denial(c, r, d)
	}
	return v
}

// principal is the caller as package policy sees it.
func (c *call) principal(s *Server) policy.Principal {
	p := policy.Principal{Account: c.caller.Account, ARN: c.caller.ARN, Issuer: c.caller.RoleARN, UserID: c.caller.UserID}
	if a := s.accountOf(c.caller.Account); a != nil {
		p.CanonicalUser = a.canonicalID
	}
	return p
}

// identity is the user or role whose policies the caller has; nil for anonymous.
func (c caller) identity() *identity {
	switch {
	case c.user != nil:
		return &c.user.identity
	case c.session != nil:
		return &c.session.role.identity
	}
	return nil
}

// addIdentitySide adds the policies of the caller that are visible by now.
func (s *Server) addIdentitySide(r *policy.Request, c *call) {
	i := c.caller.identity()
	lag := s.lag()
	if i == nil || !i.exists.visible(c.now, lag) {
		return // a deleted role's sessions have nothing left
	}
	r.Identity = i.documents(c.now, lag)
	if b := i.boundary.visible(c.now, lag); b != nil {
		doc := b.inForce.visible(c.now, lag).parsed
		r.Boundary = &doc
	}
	if c.caller.session != nil {
		r.Session = c.caller.session.policy
	}
}

// documents are the identity policies that are visible by now.
func (i *identity) documents(now time.Time, lag time.Duration) []policy.Document {
	attached, inline := i.attached.visible(now, lag), i.inline.visible(now, lag)
	out := make([]policy.Document, 0, len(attached)+len(inline))
	for _, p := range attached {
		out = append(out, p.inForce.visible(now, lag).parsed)
	}
	for _, p := range inline {
		out = append(out, p.parsed)
	}
	return out
}

// document is the resource's policy for a decision. What an ACL or a grant gives
// is put into it as a statement, for that is how it counts.
func (r resourceAuth) document(c caller, action, resource string) *policy.Document {
	var doc *policy.Document
	if r.Policy != nil {
		doc = r.Policy.current()
	}
	if !r.Granted || c.anonymous() {
		return doc
	}
	granted := policy.Document{Version: policy.Version2012}
	if doc != nil {
		granted = *doc
		granted.Statements = append([]policy.Statement(nil), doc.Statements...)
	}
	granted.Statements = append(granted.Statements, policy.Statement{
		Effect: policy.Allow, Principal: policy.Principals{AWS: []string{c.ARN}},
		Action: []string{action}, Resource: []string{resource},
	})
	return &granted
}

// globalKeys adds the condition keys that AWS puts into every request; those
// about the principal package policy knows itself.
func (s *Server) globalKeys(c *call, cond map[string][]string) map[string][]string {
	if cond == nil {
		cond = make(map[string][]string, 8)
	}
	one := func(key, value string) {
		if value != "" {
			cond[key] = []string{value}
		}
	}
	one("aws:SecureTransport", "true")
	if host, _, err := net.SplitHostPort(c.r.RemoteAddr); err == nil {
		one("aws:SourceIp", host)
	}
	one("aws:CurrentTime", c.now.UTC().Format(time.RFC3339))
	one("aws:EpochTime", strconv.FormatInt(c.now.Unix(), 10))
	one("aws:UserAgent", c.r.UserAgent())
	one("aws:RequestedRegion", c.region)
	if i := c.caller.identity(); i != nil {
		for k, v := range i.tags.visible(c.now, s.lag()) {
			cond["aws:PrincipalTag/"+k] = []string{v}
		}
	}
	if c.caller.session != nil {
		one("aws:TokenIssueTime", c.caller.session.issued.UTC().Format(time.RFC3339))
		one("aws:MultiFactorAuthPresent", "false")
	}
	return cond
}

// denial words a refusal as AWS does: within one account it says which kind of
// policy is missing or denies, across accounts it does not.
func denial(c *call, r policy.Request, d policy.Decision) string {
	isS3 := strings.HasPrefix(r.Action, "s3:")
	same := r.ResourceAccount == "" || r.ResourceAccount == c.caller.Account
	if c.caller.anonymous() || (isS3 && !same) {
		return "Access Denied"
	}
	resource := r.Resource
	if isS3 {
		resource = strconv.Quote(resource)
	}
	text := "User: " + c.caller.ARN + " is not authorized to perform: " + r.Action + " on resource: " + resource
	if !same && strings.HasPrefix(r.Action, "sts:") {
		return text
	}
	kind := map[policy.Leg]string{
		policy.LegIdentity: "identity-based policy", policy.LegResource: "resource-based policy",
		policy.LegBoundary: "permissions boundary", policy.LegSession: "session policy",
		policy.LegSCP: "service control policy", policy.LegRCP: "resource control policy",
	}[d.Leg]
	if d.Reason != policy.ExplicitDeny {
		return text + " because no " + kind + " allows the " + r.Action + " action"
	}
	article := "a "
	if d.Leg == policy.LegIdentity {
		article = "an "
	}
	return text + " with an explicit deny in " + article + kind
}
