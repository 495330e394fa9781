package policy

import (
	"fmt"
)

// maxBytes is the longest policy text that any AWS call takes.
const maxBytes = 128 << 10

// A ParseError says where a text is no policy.
type ParseError struct {
	Where   string // such as Statement[2].Action, empty for the whole
	Problem string
}

func (e *ParseError) Error() string {
	if e.Where == "" {
		return "parse policy: " + e.Problem
	}
	return "parse policy: " + e.Where + ": " + e.Problem
}

func problem(where, format string, args ...any) error {
	return &ParseError{Where: where, Problem: fmt.Sprintf(format, args...)}
}

// Parse reads a policy: an identity policy, a resource's policy or a role's
// trust policy. It is as strict about shape as AWS; CheckIdentity and CheckResource say what
// the place of use asks beyond that. Its errors are *ParseError.
func Parse(data []byte) (Document, error) {
	if len(data) > maxBytes {
		return Document{}, problem("", "%d bytes are more than the %d that AWS takes", len(data), maxBytes)
	}
	root, err := readNode(data)
	if err != nil {
		return Document{}, err
	}
	if root.kind != kindObject {
		return Document{}, problem("", "want a JSON object")
	}
	var d Document
	for _, m := range root.members {
		if err := d.element(m); err != nil {
			return Document{}, err
		}
	}
	if len(d.Statements) == 0 {
		return Document{}, problem("Statement", "missing")
	}
	return d, uniqueSids(d.Statements)
}

func (d *Document) element(m member) (err error) {
	switch m.name {
	case "Version":
		d.Version, err = m.value.string("Version")
		if err == nil && d.Version != Version2008 && d.Version != Version2012 {
			err = problem("Version", "%q is neither %s nor %s", d.Version, Version2012, Version2008)
		}
	case "Id":
		d.ID, err = m.value.string("Id")
	case "Statement":
		d.Statements, err = statements(m.value)
	default:
		err = problem(m.name, "unknown element")
	}
	return err
}

func statements(n node) ([]Statement, error) {
	if n.kind == kindObject {
		s, err := statement(n, "Statement")
		return []Statement{s}, err
	}
	if n.kind != kindList {
		return nil, problem("Statement", "want an object or a list of objects")
	}
	if len(n.items) == 0 {
		return nil, problem("Statement", "is empty")
	}
	all := make([]Statement, 0, len(n.items))
	for i, item := range n.items {
		s, err := statement(item, fmt.Sprintf("Statement[%d]", i))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func statement(n node, where string) (Statement, error) {
	if n.kind != kindObject {
		return Statement{}, problem(where, "want an object")
	}
	var s Statement
	for _, m := range n.members {
		if err := s.element(m, join(where, m.name)); err != nil {
			return Statement{}, err
		}
	}
	return s, s.complete(where)
}

func (s *Statement) element(m member, where string) (err error) {
	switch m.name {
	case "Sid":
		s.Sid, err = m.value.string(where)
	case "Effect":
		var effect string
		effect, err = m.value.string(where)
		s.Effect = Effect(effect)
		if err == nil && s.Effect != Allow && s.Effect != Deny {
			err = problem(where, "%q is neither Allow nor Deny", effect)
		}
	case "Principal", "NotPrincipal":
		if !s.Principal.IsZero() {
			return problem(where, "stands beside its opposite")
		}
		s.Principal, err = principals(m.value, where)
		s.Principal.Not = m.name == "NotPrincipal"
	case "Action":
		s.Action, err = m.value.strings(where)
	case "NotAction":
		s.NotAction, err = m.value.strings(where)
	case "Resource":
		s.Resource, err = m.value.strings(where)
	case "NotResource":
		s.NotResource, err = m.value.strings(where)
	case "Condition":
		s.Condition, err = conditions(m.value, where)
	default:
		err = problem(where, "unknown element")
	}
	return err
}

// complete looks for what is missing or contradicts itself. Resource may be
// missing beside a principal: trust policies have none.
func (s *Statement) complete(where string) error {
	switch {
	case s.Effect == "":
		return problem(join(where, "Effect"), "missing")
	case len(s.Action) > 0 && len(s.NotAction) > 0:
		return problem(join(where, "NotAction"), "stands beside Action")
	case len(s.Resource) > 0 && len(s.NotResource) > 0:
		return problem(join(where, "NotResource"), "stands beside Resource")
	case len(s.Action)+len(s.NotAction) == 0:
		return problem(join(where, "Action"), "missing")
	case len(s.Resource)+len(s.NotResource) == 0 && s.Principal.IsZero():
		return problem(join(where, "Resource"), "missing")
	}
	return nil
}

func principals(n node, where string) (Principals, error) {
	if n.kind == kindText {
		if n.text != "*" {
			return Principals{}, problem(where, `want "*" or an object`)
		}
		return Principals{Everyone: true}, nil
	}
	if n.kind != kindObject || len(n.members) == 0 {
		return Principals{}, problem(where, `want "*" or an object that names somebody`)
	}
	var p Principals
	for _, m := range n.members {
		at := join(where, m.name)
		values, err := m.value.strings(at)
		if err != nil {
			return Principals{}, err
		}
		switch m.name {
		case "AWS":
			p.AWS = values
		case "Service":
			p.Service = values
		case "Federated":
			p.Federated = values
		case "CanonicalUser":
			p.CanonicalUser = values
		default:
			return Principals{}, problem(at, "unknown kind of principal")
		}
	}
	return p, nil
}

func conditions(n node, where string) (Conditions, error) {
	if n.kind != kindObject {
		return nil, problem(where, "want an object")
	}
	var all Conditions
	for _, operator := range n.members {
		at := join(where, operator.name)
		if operator.value.kind != kindObject {
			return nil, problem(at, "want an object of keys and values")
		}
		for _, key := range operator.value.members {
			values, err := key.value.scalars(join(at, key.name))
			if err != nil {
				return nil, err
			}
			all = append(all, Condition{Operator: operator.name, Key: key.name, Values: values})
		}
	}
	return all, nil
}

func (n node) string(where string) (string, error) {
	if n.kind != kindText {
		return "", problem(where, "want a string")
	}
	return n.text, nil
}

// strings reads a string or a list of at least one.
func (n node) strings(where string) ([]string, error) {
	if n.kind == kindText {
		return []string{n.text}, nil
	}
	if n.kind != kindList {
		return nil, problem(where, "want a string or a list of strings")
	}
	if len(n.items) == 0 {
		return nil, problem(where, "is empty")
	}
	values := make([]string, 0, len(n.items))
	for i, item := range n.items {
		v, err := item.string(fmt.Sprintf("%s[%d]", where, i))
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// scalars reads a condition's values, where numbers and booleans may stand bare.
func (n node) scalars(where string) ([]string, error) {
	items := n.items
	if n.kind != kindList {
		items = []node{n}
	}
	values := make([]string, 0, len(items))
	for i, item := range items {
		switch item.kind {
		case kindText, kindNumber, kindBoolean:
			values = append(values, item.text)
		case kindNull, kindList, kindObject:
			return nil, problem(fmt.Sprintf("%s[%d]", where, i), "want a string, a number or a boolean")
		}
	}
	return values, nil
}

// uniqueSids lets an empty Sid stand for none, as AWS does.
func uniqueSids(all []Statement) error {
	first := make(map[string]int)
	for i, s := range all {
		if s.Sid == "" {
			continue
		}
		if j, ok := first[s.Sid]; ok {
			return problem(fmt.Sprintf("Statement[%d].Sid", i), "%q is the Sid of Statement[%d] already", s.Sid, j)
		}
		first[s.Sid] = i
	}
	return nil
}
