package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Missing is one thing that stands between a request and its being allowed.
type Missing struct {
	Leg       Leg
	Reason    Reason // ExplicitDeny or ImplicitDeny
	Principal string // whom a resource's policy would have to name
	Action    string
	Resource  string
	Document  int         // of Denies or Near, the index among the leg's documents
	Denies    *Statement  // the statement that denies, for ExplicitDeny
	Allow     *Statement  // a statement that would allow, for ImplicitDeny
	Near      *Statement  // for ImplicitDeny, one that nearly does, if any
	Unmet     []Condition // conditions of Near that do not hold; none: it is about another resource
}

// Explain tells everything that keeps a request from being allowed, each leg by
// itself; nothing for an allowed one. Inside one account, where an identity policy or the
// resource's would do, the identity policy is named.
func Explain(r Request) []Missing {
	if Evaluate(r).Allowed {
		return nil
	}
	e := newEvaluation(r)
	all := e.denials()
	for _, leg := range e.needed() {
		if e.allow(leg).statement == nil {
			all = append(all, e.missing(leg))
		}
	}
	return all
}

func (m Missing) String() string {
	if m.Denies != nil {
		return fmt.Sprintf("%s: statement %s denies %s on %s to %s", m.Leg, m.Denies.Label(), m.Action, m.Resource, m.Principal)
	}
	s := fmt.Sprintf("%s: nothing allows %s on %s to %s", m.Leg, m.Action, m.Resource, m.Principal)
	switch {
	case m.Near == nil:
	case len(m.Unmet) == 0:
		s += fmt.Sprintf("; statement %s allows the action on other resources", m.Near.Label())
	default:
		s += fmt.Sprintf("; statement %s would, but for %s", m.Near.Label(), unmet(m.Unmet))
	}
	return s
}

func unmet(all []Condition) string {
	texts := make([]string, 0, len(all))
	for _, c := range all {
		texts = append(texts, fmt.Sprintf("%s %s %s", c.Operator, c.Key, strings.Join(c.Values, ", ")))
	}
	return strings.Join(texts, " and ")
}

// denials are all the statements that deny.
func (e evaluation) denials() []Missing {
	var all []Missing
	for _, leg := range legs() {
		if leg == LegResource && e.ownerMayRepair() {
			continue
		}
		for i, d := range e.r.documents(leg) {
			for _, s := range d.Statements {
				if s.Effect == Deny && e.matches(leg, d, s) != gripNone {
					m := e.about(leg)
					m.Reason, m.Document, m.Denies = ExplicitDeny, i, &s
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// needed are the legs that must allow, given what the resource's policy grants.
func (e evaluation) needed() []Leg {
	var all []Leg
	for _, leg := range []Leg{LegRCP, LegSCP, LegBoundary, LegSession} {
		if len(e.r.documents(leg)) > 0 {
			all = append(all, leg)
		}
	}
	p := e.r.Principal
	grip := e.allow(LegResource).grip
	if p.Account == "" || e.r.crossAccount() || e.r.ResourceMustAllow {
		all = append(all, LegResource)
	}
	own := p.Account != "" && !p.Root()
	if own && (e.r.crossAccount() || grip < gripIssuer) {
		all = append(all, LegIdentity)
	}
	if !e.r.crossAccount() && grip == gripDirect {
		return slices.DeleteFunc(all, func(leg Leg) bool { return leg == LegBoundary || leg == LegSession })
	}
	return all
}

func (e evaluation) about(leg Leg) Missing {
	return Missing{Leg: leg, Principal: e.r.Principal.name(), Action: e.r.Action, Resource: e.r.Resource}
}

func (e evaluation) missing(leg Leg) Missing {
	m := e.about(leg)
	m.Reason = ImplicitDeny
	m.Allow = &Statement{Effect: Allow, Action: []string{m.Action}, Resource: []string{m.Resource}}
	if leg == LegResource {
		m.Allow.Principal = e.r.Principal.statement()
	}
	for i, d := range e.r.documents(leg) {
		for _, s := range d.Statements {
			named := leg != LegResource || s.grip(e.r.Principal) != gripNone
			if s.Effect != Allow || !named || !e.matchesAction(s) {
				continue
			}
			if e.matchesResource(d, s) {
				m.Near, m.Document, m.Unmet = &s, i, e.failing(d, s)
				return m
			}
			m.Near, m.Document = &s, i
		}
	}
	return m
}

// statement is how a policy should name the principal: a role rather than its session.
func (p Principal) statement() Principals {
	switch {
	case p.Service != "":
		return Principals{Service: []string{p.Service}}
	case p.Federated != "":
		return Principals{Federated: []string{p.Federated}}
	case p.Anonymous():
		return Principals{Everyone: true}
	}
	return Principals{AWS: []string{p.name()}}
}

func (p Principal) name() string {
	switch {
	case p.Service != "":
		return p.Service
	case p.Federated != "":
		return p.Federated
	case p.Issuer != "":
		return p.Issuer
	case p.ARN != "":
		return p.ARN
	}
	return "anonymous"
}
