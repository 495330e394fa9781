package policy

import (
	"slices"
	"strings"
)

// A Leg is a policy, or a kind of them, that has a say in a request.
type Leg string

// The legs, in the order in which they are asked.
const (
	LegRCP      Leg = "resource control policy"
	LegSCP      Leg = "service control policy"
	LegResource Leg = "resource policy"
	LegIdentity Leg = "identity policy"
	LegBoundary Leg = "permissions boundary"
	LegSession  Leg = "session policy"
)

// A Reason says why a request was decided as it was.
type Reason string

// The reasons. Allowed and AllowedRoot let a request in.
const (
	Allowed      Reason = "allowed"
	AllowedRoot  Reason = "root user" // of the account that owns the resource, which no identity policy limits
	ExplicitDeny Reason = "explicit deny"
	ImplicitDeny Reason = "implicit deny" // the leg has no statement that allows
)

// A Decision is the outcome for one request.
type Decision struct {
	Allowed   bool
	Reason    Reason
	Leg       Leg        // which decided: the one that denies, or the one that grants
	Document  int        // index among the leg's documents
	Statement *Statement // the one that decided, nil where none did
}

// Label names the statement that decided, empty where none did.
func (d Decision) Label() string {
	if d.Statement == nil {
		return ""
	}
	return d.Statement.Label()
}

// Evaluate decides a request as AWS does. An explicit deny of any policy is final.
// Inside one account the resource's policy or an identity policy must allow;
// boundary and session policy limit what an identity policy grants, and what is
// granted to a role, but not what is granted to a user or a session itself. Across
// accounts the resource's policy and the caller's own policies must both allow. A condition whose
// operator is unknown keeps an Allow from matching, and never a Deny.
func Evaluate(r Request) Decision {
	e := newEvaluation(r)
	if d, denied := e.explicitDeny(); denied {
		return d
	}
	for _, leg := range []Leg{LegRCP, LegSCP} {
		if m := e.allow(leg); m.asked && m.statement == nil {
			return denied(leg)
		}
	}
	if e.r.crossAccount() || r.Principal.Anonymous() || r.Principal.Service != "" || r.Principal.Federated != "" {
		return e.crossAccount()
	}
	return e.sameAccount()
}

// An evaluation is a request with its condition keys.
type evaluation struct {
	r      *Request
	action string // in lower case
	values *values
}

func newEvaluation(r Request) evaluation {
	return evaluation{&r, strings.ToLower(r.Action), &values{r: &r}}
}

// A match is the statement of a leg that allows.
type match struct {
	asked     bool // the leg has a policy
	statement *Statement
	document  int
	grip      grip // in the resource's policy
}

func (m match) granted(leg Leg) Decision {
	return Decision{Allowed: true, Reason: Allowed, Leg: leg, Document: m.document, Statement: m.statement}
}

func denied(leg Leg) Decision { return Decision{Reason: ImplicitDeny, Leg: leg} }

// documents are the policies of a leg.
func (r *Request) documents(leg Leg) []Document {
	one := func(d *Document) []Document {
		if d == nil {
			return nil
		}
		return []Document{*d}
	}
	switch leg {
	case LegRCP:
		return r.RCPs
	case LegSCP:
		return r.SCPs
	case LegResource:
		return one(r.ResourcePolicy)
	case LegIdentity:
		return r.Identity
	case LegBoundary:
		return one(r.Boundary)
	case LegSession:
		return one(r.Session)
	case LegEndpoint:
	}
	return nil
}

func legs() [6]Leg {
	return [...]Leg{LegRCP, LegSCP, LegResource, LegIdentity, LegBoundary, LegSession}
}

func (e evaluation) explicitDeny() (Decision, bool) {
	for _, leg := range legs() {
		if leg == LegResource && e.ownerMayRepair() {
			continue
		}
		for i, d := range e.r.documents(leg) {
			for j, s := range d.Statements {
				if s.Effect == Deny && e.matches(leg, d, s) != gripNone {
					return Decision{Reason: ExplicitDeny, Leg: leg, Document: i, Statement: &d.Statements[j]}, true
				}
			}
		}
	}
	return Decision{}, false
}

// ownerMayRepair: a bucket's policy cannot lock out the root user of its owner from the policy itself.
func (e evaluation) ownerMayRepair() bool {
	actions := [...]string{"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"}
	return e.r.Principal.Root() && !e.r.crossAccount() && slices.Contains(actions[:], e.action)
}

// allow finds the statement of the leg that allows; in the resource's policy, the one that names the principal closest.
func (e evaluation) allow(leg Leg) match {
	documents := e.r.documents(leg)
	best := match{asked: len(documents) > 0}
	for i, d := range documents {
		for j, s := range d.Statements {
			if s.Effect != Allow {
				continue
			}
			if g := e.matches(leg, d, s); g > best.grip {
				best.statement, best.document, best.grip = &d.Statements[j], i, g
			}
		}
	}
	return best
}

func (e evaluation) sameAccount() Decision {
	resource := e.allow(LegResource)
	switch {
	case resource.grip == gripDirect:
		return resource.granted(LegResource)
	case resource.grip == gripIssuer:
		return e.limited(resource.granted(LegResource))
	case resource.grip == gripNone && e.r.ResourceMustAllow:
		return denied(LegResource)
	case e.r.Principal.Root():
		return Decision{Allowed: true, Reason: AllowedRoot}
	}
	return e.byIdentity()
}

// crossAccount: the resource's side must allow, and the caller's side as well, where it has one.
func (e evaluation) crossAccount() Decision {
	resource := e.allow(LegResource)
	switch p := e.r.Principal; {
	case resource.grip == gripNone:
		if own := e.byIdentity(); p.Account != "" && !p.Root() && !own.Allowed {
			return own // both sides miss: name the caller's first
		}
		return denied(LegResource)
	case p.Account == "", p.Root():
		return resource.granted(LegResource)
	}
	if own := e.byIdentity(); !own.Allowed {
		return own
	}
	return resource.granted(LegResource)
}

func (e evaluation) byIdentity() Decision {
	identity := e.allow(LegIdentity)
	if identity.statement == nil {
		return denied(LegIdentity)
	}
	return e.limited(identity.granted(LegIdentity))
}

// limited lets boundary and session policy have their say over a grant.
func (e evaluation) limited(granted Decision) Decision {
	for _, leg := range []Leg{LegBoundary, LegSession} {
		if m := e.allow(leg); m.asked && m.statement == nil {
			return denied(leg)
		}
	}
	return granted
}

// matches tells whether the statement is about the request. Outside resource
// policies every statement is about the principal.
func (e evaluation) matches(leg Leg, d Document, s Statement) grip {
	g := gripDirect
	if leg == LegResource {
		g = s.grip(e.r.Principal)
	}
	if g == gripNone || !e.matchesAction(s) || !e.matchesResource(d, s) || len(e.failing(d, s)) > 0 {
		return gripNone
	}
	return g
}

func (e evaluation) matchesAction(s Statement) bool {
	match := func(p string) bool { return compile(strings.ToLower(p)).match(e.action) } // case means nothing
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, match)
	}
	return slices.ContainsFunc(s.Action, match)
}

// matchesResource: a statement without a resource (in a trust policy) is about the one it stands at.
func (e evaluation) matchesResource(d Document, s Statement) bool {
	match := func(text string) bool {
		p, ok := e.values.expand(text, d.version() == Version2012)
		return ok && p.matchResource(e.r.Resource)
	}
	switch {
	case len(s.NotResource) > 0:
		return !slices.ContainsFunc(s.NotResource, match)
	case len(s.Resource) == 0:
		return true
	}
	return slices.ContainsFunc(s.Resource, match)
}

// failing are the conditions that do not hold.
func (e evaluation) failing(d Document, s Statement) []Condition {
	var all []Condition
	for _, c := range s.Condition {
		holds, known := e.values.holds(c, d.version() == Version2012)
		if !known {
			holds = s.Effect == Deny
		}
		if !holds {
			all = append(all, c)
		}
	}
	return all
}
