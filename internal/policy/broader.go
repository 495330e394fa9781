package policy

import (
	"slices"
	"strings"
)

// Broader tells whether after may let in what before did not. It errs to true:
// false is certain.
func Broader(before, after Document) bool {
	if before.version() != after.version() && !Equal(before, after) {
		if slices.ContainsFunc(append(slices.Clone(before.Statements), after.Statements...), Statement.usesVariables) {
			return true
		}
	}
	return !coversAll(before, after, Allow) || !coversAll(after, before, Deny)
}

// coversAll tells whether every statement of the effect in narrow lies within one in wide.
func coversAll(wide, narrow Document, effect Effect) bool {
	for _, s := range narrow.Statements {
		if s.Effect != effect {
			continue
		}
		for _, part := range s.canonical().parts() {
			if !slices.ContainsFunc(wide.Statements, func(w Statement) bool {
				return w.Effect == effect && w.canonical().covers(part)
			}) {
				return false
			}
		}
	}
	return true
}

// parts takes a statement apart into one action, resource and principal each, which together mean the same.
func (s Statement) parts() []Statement {
	var all []Statement
	for _, action := range orNone(s.Action) {
		for _, resource := range orNone(s.Resource) {
			for _, principal := range s.Principal.parts() {
				p := s
				p.Action, p.Resource, p.Principal = action, resource, principal
				all = append(all, p)
			}
		}
	}
	return all
}

func orNone(values []string) [][]string {
	if len(values) == 0 {
		return [][]string{nil}
	}
	all := make([][]string, 0, len(values))
	for _, v := range values {
		all = append(all, []string{v})
	}
	return all
}

func (p Principals) parts() []Principals {
	if p.Not || p.Everyone || p.IsZero() {
		return []Principals{p}
	}
	var all []Principals
	for _, v := range p.AWS {
		all = append(all, Principals{AWS: []string{v}})
	}
	for _, v := range p.Service {
		all = append(all, Principals{Service: []string{v}})
	}
	for _, v := range p.Federated {
		all = append(all, Principals{Federated: []string{v}})
	}
	for _, v := range p.CanonicalUser {
		all = append(all, Principals{CanonicalUser: []string{v}})
	}
	return all
}

// covers tells whether s surely matches whatever part matches. Both are
// canonical; part has at most one action, resource and principal.
func (s Statement) covers(part Statement) bool {
	return coversList(s.Action, s.NotAction, part.Action, part.NotAction) &&
		coversList(s.Resource, s.NotResource, part.Resource, part.NotResource) &&
		s.Principal.covers(part.Principal) &&
		s.Condition.coveredBy(part.Condition)
}

// coversList: a positive list covers a pattern that one of its own takes in; a
// negated list covers another that excludes at least as much.
func coversList(yes, no, partYes, partNo []string) bool {
	switch {
	case slices.Contains(yes, "*"):
		return true
	case len(yes)+len(no) == 0:
		return len(partYes)+len(partNo) == 0
	case len(partYes) > 0:
		return takesInAny(yes, partYes[0])
	case len(no) > 0 && len(partNo) > 0:
		return !slices.ContainsFunc(no, func(n string) bool { return !takesInAny(partNo, n) })
	default:
		return false
	}
}

func takesInAny(patterns []string, narrow string) bool {
	return slices.ContainsFunc(patterns, func(wide string) bool { return takesIn(wide, narrow) })
}

// takesIn tells whether wide matches whatever narrow matches. Patterns with
// variables are compared as they stand.
func takesIn(wide, narrow string) bool {
	if wide == narrow || wide == "*" {
		return true
	}
	if strings.Contains(wide, "${") || strings.Contains(narrow, "${") {
		return false
	}
	return globTakesIn(wide, narrow)
}

// globTakesIn matches a pattern's text as if it were a value: wide's ? stands for any one character but a star.
func globTakesIn(wide, narrow string) bool {
	p := pattern(strings.ReplaceAll(string(compile(wide)), ones, oneNots))
	if strings.HasPrefix(wide, "arn:") {
		return p.matchResource(narrow)
	}
	return p.match(narrow)
}

func (p Principals) covers(part Principals) bool {
	switch {
	case part.IsZero() || p.IsZero():
		return part.IsZero() && p.IsZero()
	case p.Everyone && !p.Not:
		return true
	case p.Not && part.Not && !p.Everyone && !part.Everyone:
		return p.listedIn(part) // who exempts fewer matches more
	case p.Not || part.Not:
		return p.Not == part.Not && p.equal(part)
	case slices.Contains(p.AWS, "*") && len(part.AWS) > 0:
		return true
	}
	return part.listedIn(p) && !part.Everyone
}

// listedIn tells whether all whom p lists are listed in q.
func (p Principals) listedIn(q Principals) bool {
	return subset(p.AWS, q.AWS) && subset(p.Service, q.Service) &&
		subset(p.Federated, q.Federated) && subset(p.CanonicalUser, q.CanonicalUser)
}

func (p Principals) equal(q Principals) bool {
	return p.Everyone == q.Everyone && slices.Equal(p.AWS, q.AWS) && slices.Equal(p.Service, q.Service) &&
		slices.Equal(p.Federated, q.Federated) && slices.Equal(p.CanonicalUser, q.CanonicalUser)
}

// coveredBy tells whether narrow's conditions imply ours: each of ours stands there, with values at least as strict.
func (cs Conditions) coveredBy(narrow Conditions) bool {
	return !slices.ContainsFunc(cs, func(c Condition) bool {
		return !slices.ContainsFunc(narrow, func(n Condition) bool {
			if n.Operator != c.Operator || n.Key != c.Key {
				return false
			}
			if strings.Contains(c.Operator, "Not") {
				return subset(c.Values, n.Values)
			}
			return subset(n.Values, c.Values)
		})
	})
}

func subset(small, big []string) bool {
	return !slices.ContainsFunc(small, func(v string) bool { return !slices.Contains(big, v) })
}
