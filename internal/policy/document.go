package policy

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// The versions of the policy language. Version2012 alone knows policy variables.
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// An Effect is what a statement does with a request that it matches.
type Effect string

// The two effects; their spelling is case-sensitive.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// A Document is a policy. The zero value is the absence of one: no statements.
type Document struct {
	Version    string // empty means Version2008, as it does to AWS
	ID         string
	Statements []Statement
}

// A Statement is one rule. Of each pair (Action and NotAction, Resource and
// NotResource) at most one is set.
type Statement struct {
	Sid         string
	Effect      Effect
	Principal   Principals // zero in identity policies
	Action      []string
	NotAction   []string
	Resource    []string
	NotResource []string
	Condition   Conditions
}

// Principals are those whom a statement of a resource's policy is about.
type Principals struct {
	Not           bool // NotPrincipal
	Everyone      bool // "*" standing alone; the lists are then empty
	AWS           []string
	Service       []string
	Federated     []string
	CanonicalUser []string
}

// IsZero tells whether nobody is named, as in an identity policy.
func (p Principals) IsZero() bool {
	return !p.Everyone && len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.CanonicalUser) == 0
}

// Conditions must all hold.
type Conditions []Condition

// A Condition compares the values of one key. An operator and key may stand
// once in a statement.
type Condition struct {
	Operator string // as written, with ForAllValues: and IfExists
	Key      string
	Values   []string
}

// Empty tells whether the document has no statements. AWS stores no such
// document: delete the policy instead.
func (d Document) Empty() bool { return len(d.Statements) == 0 }

// Find returns the statement with the Sid.
func (d Document) Find(sid string) (Statement, bool) {
	i := d.index(sid)
	if i < 0 {
		return Statement{}, false
	}
	return d.Statements[i], true
}

// index is the place of the statement with the Sid, or -1. No Sid finds nothing.
func (d Document) index(sid string) int {
	if sid == "" {
		return -1
	}
	return slices.IndexFunc(d.Statements, func(s Statement) bool { return s.Sid == sid })
}

// WithPrincipals returns the document with AWS principals replaced that stand in
// live: unique IDs (AIDA…, AROA…), which AWS shows in place of principals, to ARNs.
func (d Document) WithPrincipals(live map[string]string) Document {
	d.Statements = slices.Clone(d.Statements)
	for i := range d.Statements {
		p := &d.Statements[i].Principal
		p.AWS = slices.Clone(p.AWS)
		for j, id := range p.AWS {
			if arn, ok := live[id]; ok {
				p.AWS[j] = arn
			}
		}
	}
	return d
}

// UniqueIDs lists the unique IDs (AIDA…, AROA…) among the AWS principals of all statements but the one
// of the given Sid, as "ID in LABEL". Where they are no live principal's, whose ARN WithPrincipals
// would have put there, they are of a deleted one, and AWS refuses to store them again.
func (d Document) UniqueIDs(but string) []string {
	var all []string
	for _, s := range d.Statements {
		for _, name := range s.Principal.AWS {
			if (but == "" || s.Sid != but) && (strings.HasPrefix(name, "AIDA") || strings.HasPrefix(name, "AROA")) {
				all = append(all, name+" in "+s.Label())
			}
		}
	}
	return all
}

// JSON prints the document on one line: elements in a fixed order, statements
// and list entries as they stand, lists of one as scalars.
func (d Document) JSON() []byte {
	var o object
	o.text("Version", d.Version)
	o.text("Id", d.ID)
	statements := make([]json.RawMessage, 0, len(d.Statements))
	for _, s := range d.Statements {
		statements = append(statements, s.json())
	}
	o.put("Statement", statements)
	return o.close()
}

// Indent prints the document for people.
func (d Document) Indent() []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, d.JSON(), "", "  "); err != nil {
		return d.JSON()
	}
	return b.Bytes()
}

// JSON prints the statement on one line.
func (s Statement) JSON() []byte { return s.json() }

func (s Statement) json() json.RawMessage {
	var o object
	o.text("Sid", s.Sid)
	o.text("Effect", string(s.Effect))
	switch name := "Principal"; {
	case s.Principal.IsZero():
	case s.Principal.Not:
		name = "NotPrincipal"
		fallthrough
	default:
		o.put(name, s.Principal.value())
	}
	o.list("Action", s.Action)
	o.list("NotAction", s.NotAction)
	o.list("Resource", s.Resource)
	o.list("NotResource", s.NotResource)
	if len(s.Condition) > 0 {
		o.put("Condition", s.Condition.json())
	}
	return o.close()
}

// value is what stands behind Principal.
func (p Principals) value() any {
	if p.Everyone {
		return "*"
	}
	var o object
	o.list("AWS", p.AWS)
	o.list("Service", p.Service)
	o.list("Federated", p.Federated)
	o.list("CanonicalUser", p.CanonicalUser)
	return o.close()
}

// json groups by operator, in the order in which operators first stand.
func (cs Conditions) json() json.RawMessage {
	var order []string
	keys := make(map[string]*object)
	for _, c := range cs {
		if keys[c.Operator] == nil {
			keys[c.Operator] = new(object)
			order = append(order, c.Operator)
		}
		keys[c.Operator].put(c.Key, oneOrMany(c.Values))
	}
	var o object
	for _, operator := range order {
		o.put(operator, keys[operator].close())
	}
	return o.close()
}

// An object builds a JSON object whose members keep their order.
type object struct{ b bytes.Buffer }

func (o *object) text(name, value string) {
	if value != "" {
		o.put(name, value)
	}
}

func (o *object) list(name string, values []string) {
	if len(values) > 0 {
		o.put(name, oneOrMany(values))
	}
}

func (o *object) put(name string, value any) {
	if o.b.Len() == 0 {
		o.b.WriteByte('{')
	} else {
		o.b.WriteByte(',')
	}
	o.b.Write(plainJSON(name))
	o.b.WriteByte(':')
	o.b.Write(plainJSON(value))
}

func (o *object) close() json.RawMessage {
	if o.b.Len() == 0 {
		return json.RawMessage("{}")
	}
	o.b.WriteByte('}')
	return o.b.Bytes()
}

// plainJSON encodes strings, lists of them and encoded JSON, leaving <, > and & alone.
func plainJSON(value any) []byte {
	if raw, ok := value.(json.RawMessage); ok {
		return raw
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic("policy: encoding strings: " + err.Error()) // strings and lists of them always encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func oneOrMany(values []string) any {
	switch len(values) {
	case 0:
		return []string{}
	case 1:
		return values[0]
	default:
		return values
	}
}

// usesVariables tells whether the statement's meaning hangs on the version.
func (s Statement) usesVariables() bool {
	has := func(v string) bool { return strings.Contains(v, "${") }
	if slices.ContainsFunc(s.Resource, has) || slices.ContainsFunc(s.NotResource, has) {
		return true
	}
	return slices.ContainsFunc(s.Condition, func(c Condition) bool { return slices.ContainsFunc(c.Values, has) })
}
