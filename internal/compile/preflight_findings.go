package compile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"xplan/internal/policy"
)

// objectKey stands for what is in no policy: which of the objects a request is about.
const objectKey = "the key of the object"

// findings are what stands in the way of a call.
func (b *builder) findings(c call, who caller) []Finding {
	f := policy.Foresee(b.prospect(c, who))
	return b.weigh(c, who, f, b.told(c, who, f))
}

// told words a call's forecast.
func (b *builder) told(c call, who caller, f policy.Forecast) []Finding {
	var all []Finding
	switch f.Outlook {
	case policy.WillBeDenied:
		for _, m := range f.Missing {
			all = append(all, b.denied(c, who, m))
		}
	case policy.MayBeDenied:
		for _, d := range f.DependsOn {
			all = append(all, b.mayBeDenied(c, who, d))
		}
	case policy.WillBeAllowed, policy.NotRead:
	}
	return all
}

// finding is what all findings of a call say.
func (b *builder) finding(c call, who caller, s Severity) Finding {
	f := Finding{
		Severity: s, Legs: []string{c.leg}, Who: who.arn, Side: c.side, Account: c.where.account,
		Actions: []string{c.action}, Resources: []string{c.about()},
	}
	if c.pair != "" {
		f.Pairs = []string{c.pair}
	}
	if c.spare != "" && s == SeverityDenied {
		f.Severity = SeverityNote
	}
	return f
}

// denied words what surely stands in the way.
func (b *builder) denied(c call, who caller, m policy.Missing) Finding {
	f := b.finding(c, who, SeverityDenied)
	at := m.Document
	if m.Denies == nil && m.Near == nil {
		at = -1
	}
	name := who.nameOf(c, m.Leg, at)
	if m.Denies != nil {
		f.Rule = fmt.Sprintf("statement %s of %s denies it", m.Denies.Label(), name)
		f.Statement = string(exempted(*m.Denies, who.arn).JSON())
		f.Fix = fmt.Sprintf("take it out of %s, or replace it by one that spares %s:", name, who.label)
	} else {
		f.Rule = "no statement of " + name + " allows it"
		if m.Near != nil && len(m.Unmet) > 0 {
			f.Rule = fmt.Sprintf("statement %s of %s would allow it, but for %s", m.Near.Label(), name, conditionsText(m.Unmet))
		}
		f.Statement = string(allowing(c, m).JSON())
		f.Fix = "add to " + name + ":"
	}
	if c.spare != "" {
		f.Rule += ", which matters " + c.spare
	}
	return f
}

// mayBeDenied words what depends on something that nobody knows yet.
func (b *builder) mayBeDenied(c call, who caller, d policy.Dependence) Finding {
	f := b.finding(c, who, SeverityMay)
	name := who.nameOf(c, d.Leg, d.Document)
	f.DependsOn = slices.Clone(d.Keys)
	if d.Part {
		f.DependsOn = append(f.DependsOn, objectKey)
	}
	slices.Sort(f.DependsOn)
	on := strings.Join(f.DependsOn, ", ")
	if d.Statement.Effect == policy.Deny {
		f.Rule = fmt.Sprintf("statement %s of %s denies it, depending on %s", d.Statement.Label(), name, on)
		f.Statement = string(exempted(d.Statement, who.arn).JSON())
		f.Fix = fmt.Sprintf("see whether its condition holds where xplan runs; if not, replace it by one that spares %s:", who.label)
	} else {
		f.Rule = fmt.Sprintf("only statement %s of %s allows it, depending on %s", d.Statement.Label(), name, on)
		m := policy.Missing{Leg: d.Leg, Principal: who.arn}
		f.Statement = string(allowing(c, m).JSON())
		f.Fix = "see whether its condition holds where xplan runs; if not, add to " + name + ":"
	}
	return f
}

// nameOf names a policy for people; of the identity's, -1 names them all.
func (who caller) nameOf(c call, leg policy.Leg, document int) string {
	switch leg {
	case policy.LegResource:
		return c.policyOf()
	case policy.LegBoundary:
		if who.boundary != nil {
			return who.boundary.name
		}
	case policy.LegIdentity:
		if 0 <= document && document < len(who.documents) {
			return who.documents[document].name + " of " + who.label
		}
		return "the policies of " + who.label
	case policy.LegRCP, policy.LegSCP, policy.LegSession, policy.LegEndpoint:
	}
	return "the " + string(leg)
}

// allowing is the statement that would let the call through.
func allowing(c call, m policy.Missing) policy.Statement {
	s := policy.Statement{Effect: policy.Allow, Action: []string{c.action}, Resource: []string{c.about()}}
	if m.Leg == policy.LegResource {
		s.Principal = policy.Principals{AWS: []string{m.Principal}}
		switch {
		case c.kms():
			s.Resource = []string{"*"} // of a key's policy: this key
		case c.where.role != "":
			s.Resource = nil
		}
	}
	return s
}

// exempted is the denying statement with an exception for the caller.
func exempted(s policy.Statement, arn string) policy.Statement {
	const operator, key = "ArnNotEquals", "aws:PrincipalArn"
	s.Condition = slices.Clone(s.Condition)
	i := slices.IndexFunc(s.Condition, func(c policy.Condition) bool { return c.Operator == operator && strings.EqualFold(c.Key, key) })
	if i < 0 {
		s.Condition = append(s.Condition, policy.Condition{Operator: operator, Key: key, Values: []string{arn}})
		return s
	}
	s.Condition[i].Values = append(slices.Clone(s.Condition[i].Values), arn)
	return s
}

func conditionsText(all []policy.Condition) string {
	texts := make([]string, 0, len(all))
	for _, c := range all {
		texts = append(texts, conditionText(c))
	}
	return strings.Join(texts, " and ")
}

// findings gathers: what one rule does to one caller is one finding.
type findings []Finding

func (all findings) add(more ...Finding) findings {
	for _, f := range more {
		i := slices.IndexFunc(all, func(have Finding) bool { return have.joins(f) })
		if i < 0 {
			all = append(all, f)
			continue
		}
		all[i].join(f)
	}
	return all
}

// joins tells whether one rule stands behind both.
func (f Finding) joins(g Finding) bool {
	return f.Severity == g.Severity && f.Who == g.Who && f.Side == g.Side && f.Rule == g.Rule && f.Fix == g.Fix && f.AWS == g.AWS &&
		slices.Equal(f.DependsOn, g.DependsOn)
}

func (f *Finding) join(g Finding) {
	f.Legs = unique(append(f.Legs, g.Legs...))
	f.Pairs = unique(append(f.Pairs, g.Pairs...))
	f.Actions = unique(append(f.Actions, g.Actions...))
	f.Resources = unique(append(f.Resources, g.Resources...))
	f.Statement = joined(f.Statement, g.Statement)
}

// joined is one statement that allows what both do. Denying ones are the same already.
func joined(a, b string) string {
	if a == b || a == "" || b == "" {
		return first(a, b)
	}
	x, errX := statementOf(a)
	y, errY := statementOf(b)
	if errX != nil || errY != nil || x.Effect != policy.Allow {
		return a
	}
	x.Action = unique(append(x.Action, y.Action...))
	x.Resource = unique(append(x.Resource, y.Resource...))
	return string(x.JSON())
}

func statementOf(text string) (policy.Statement, error) {
	doc, err := policy.Parse([]byte(`{"Version":"` + policy.Version2012 + `","Statement":[` + text + `]}`))
	if err != nil {
		return policy.Statement{}, fmt.Errorf("read a statement: %w", err)
	}
	return doc.Statements[0], nil
}

// sorted puts the gravest first, and keeps the order otherwise.
func (all findings) sorted() []Finding {
	rank := []Severity{SeverityDenied, SeverityMay, SeverityNote}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Compare(slices.Index(rank, a.Severity), slices.Index(rank, b.Severity))
	})
	return all
}
