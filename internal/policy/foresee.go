package policy

import (
	"slices"
	"strings"
)

// A Prospect is a request that will be made, of which not everything is known yet.
type Prospect struct {
	Request

	// Below: the request may be about any ARN that begins with Resource, not about that one.
	Below bool
	// Unknown tells whether nobody can say the value of a condition key now. Keys come in lower case. Nil: all are known.
	Unknown func(key string) bool
	// Unread are the legs of which a policy could not be read: what it may allow is taken as allowed, what it may deny as not denied.
	Unread []Leg
}

// An Outlook is what can be said of a request before it is made.
type Outlook string

// The outlooks.
const (
	WillBeAllowed Outlook = "allowed" // whatever the unknown turns out to be, as far as the policies were read
	WillBeDenied  Outlook = "denied"  // whatever it turns out to be
	MayBeDenied   Outlook = "may be denied"
	NotRead       Outlook = "not read" // what could not be read decides
)

// A Dependence is a statement that decides by what is not known.
type Dependence struct {
	Leg       Leg
	Document  int // index among the leg's documents
	Statement Statement
	Keys      []string // condition keys whose values are not known, as written
	Part      bool     // the statement is about some of the resources only
}

// A Forecast is the outcome of Foresee.
type Forecast struct {
	Outlook   Outlook
	Missing   []Missing    // of WillBeDenied: what stands in the way, as Explain tells it
	DependsOn []Dependence // of MayBeDenied
}

// Foresee decides a request as Evaluate does, for every value that the unknown may turn out to have: a
// statement that depends on it is taken once as helping and once as hindering. So both certain
// outlooks are certain; the one between may be decided in fact, where two statements depend on the same.
func Foresee(p Prospect) Forecast {
	best, origins := p.settle(true)
	if !Evaluate(best).Allowed {
		return Forecast{Outlook: WillBeDenied, Missing: origins.restore(Explain(best))}
	}
	worst, _ := p.settle(false)
	if Evaluate(worst).Allowed {
		return Forecast{Outlook: WillBeAllowed}
	}
	if on := p.dependences(); len(on) > 0 {
		return Forecast{Outlook: MayBeDenied, DependsOn: on}
	}
	return Forecast{Outlook: NotRead}
}

// origins tells from which statement a settled one came.
type origins map[string]Statement

func (o origins) restore(all []Missing) []Missing {
	for i := range all {
		for _, s := range []**Statement{&all[i].Denies, &all[i].Near} {
			if *s == nil {
				continue
			}
			if was, ok := o[(*s).Digest()]; ok {
				*s = &was
			}
		}
	}
	return all
}

// settle makes the request that Evaluate decides: what is open is taken as helping, or as hindering.
func (p Prospect) settle(favour bool) (Request, origins) {
	r, from := p.Request, origins{}
	if p.Below {
		r.Resource += "*"
	}
	e := newEvaluation(p.Request)
	part := func(d Document) Document {
		out := Document{Version: d.Version, ID: d.ID}
		for _, s := range d.Statements {
			if settled, ok := p.statement(e, d, s, favour); ok {
				out.Statements = append(out.Statements, settled)
				from[settled.Digest()] = s
			}
		}
		return out
	}
	r.Identity, r.SCPs, r.RCPs = each(r.Identity, part), each(r.SCPs, part), each(r.RCPs, part)
	for _, one := range []**Document{&r.ResourcePolicy, &r.Boundary, &r.Session} {
		if *one != nil {
			d := part(**one)
			*one = &d
		}
	}
	if favour {
		p.suppose(&r)
	}
	return r, from
}

func each(all []Document, f func(Document) Document) []Document {
	out := make([]Document, 0, len(all))
	for _, d := range all {
		out = append(out, f(d))
	}
	return out
}

// suppose lets the policies that could not be read allow everything.
func (p Prospect) suppose(r *Request) {
	all := Statement{Effect: Allow, Action: []string{"*"}, Resource: []string{"*"}}
	for _, leg := range p.Unread {
		switch leg {
		case LegIdentity:
			r.Identity = append(r.Identity, Document{Version: Version2012, Statements: []Statement{all}})
		case LegBoundary:
			r.Boundary = nil
		case LegResource:
			all.Principal = Principals{Everyone: true}
			d := Document{Version: Version2012, Statements: []Statement{all}}
			if r.ResourcePolicy != nil {
				d.Statements = append(d.Statements, r.ResourcePolicy.Statements...)
			}
			r.ResourcePolicy = &d
		case LegRCP, LegSCP, LegSession, LegEndpoint:
		}
	}
}

// statement settles one statement; false leaves it out.
func (p Prospect) statement(e evaluation, d Document, s Statement, favour bool) (Statement, bool) {
	fit, open := p.fit(e, d, s), p.open(d, s)
	if fit == fitNone {
		// Others' resources stay for Explain, which names the statement that comes near. No key of ours is among them.
		return s, s.Effect == Allow && !p.Below
	}
	if fit == fitSome || len(open) > 0 {
		helps := s.Effect == Allow
		if helps != favour {
			return Statement{}, false
		}
		s.Condition = slices.DeleteFunc(slices.Clone(s.Condition), func(c Condition) bool { return len(p.openKeys(d, c)) > 0 })
	}
	if len(s.Resource)+len(s.NotResource) > 0 {
		s.Resource, s.NotResource = []string{"*"}, nil
	}
	return s, true
}

// open are the condition keys of a statement that nobody knows.
func (p Prospect) open(d Document, s Statement) []string {
	var all []string
	for _, c := range s.Condition {
		for _, key := range p.openKeys(d, c) {
			if !slices.Contains(all, key) {
				all = append(all, key)
			}
		}
	}
	return all
}

func (p Prospect) openKeys(d Document, c Condition) []string {
	var all []string
	if p.unknown(c.Key) {
		all = append(all, c.Key)
	}
	if d.version() != Version2012 {
		return all
	}
	for _, v := range c.Values {
		all = append(all, p.openVariables(v)...)
	}
	return all
}

func (p Prospect) unknown(key string) bool {
	if p.Unknown == nil {
		return false
	}
	key = strings.ToLower(key)
	for given := range p.Context {
		if strings.ToLower(given) == key {
			return false
		}
	}
	return p.Unknown(key)
}

// openVariables are the policy variables of a text that nobody knows.
func (p Prospect) openVariables(text string) []string {
	var all []string
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return all
		}
		inside, after, _ := strings.Cut(rest, "}")
		key, _, _ := strings.Cut(inside, ",")
		if key = strings.TrimSpace(key); p.unknown(key) {
			all = append(all, key)
		}
		text = after
	}
}

// dependences are the open statements that are about the request otherwise: those that deny, and, where nothing
// certain allows, those that allow.
func (p Prospect) dependences() []Dependence {
	lacking := p.lacking()
	e := newEvaluation(p.Request)
	var all []Dependence
	for _, leg := range legs() {
		for i, d := range p.documents(leg) {
			for _, s := range d.Statements {
				if on, ok := p.dependence(e, leg, i, s); ok && (s.Effect == Deny || lacking[leg]) {
					all = append(all, on)
				}
			}
		}
	}
	return all
}

// lacking are the legs on which nothing certain allows the request, denies left aside.
func (p Prospect) lacking() map[Leg]bool {
	without, _ := p.settle(false)
	for _, leg := range legs() {
		for _, d := range without.documents(leg) { // settle made them: they share no list with p
			for i := range d.Statements {
				if d.Statements[i].Effect == Deny {
					d.Statements[i].Action, d.Statements[i].NotAction = []string{"none:none"}, nil
				}
			}
		}
	}
	all := map[Leg]bool{}
	for _, m := range Explain(without) {
		all[m.Leg] = true
	}
	return all
}

// dependence tells what a statement's effect on the request depends on; false where it has none, or a certain one.
func (p Prospect) dependence(e evaluation, leg Leg, document int, s Statement) (Dependence, bool) {
	d := p.documents(leg)[document]
	fit, keys := p.fit(e, d, s), p.open(d, s)
	if fit == fitNone || (fit == fitAll && len(keys) == 0) {
		return Dependence{}, false
	}
	certain := s
	certain.Resource, certain.NotResource = []string{"*"}, nil
	certain.Condition = slices.DeleteFunc(slices.Clone(s.Condition), func(c Condition) bool { return len(p.openKeys(d, c)) > 0 })
	if e.matches(leg, d, certain) == gripNone {
		return Dependence{}, false
	}
	return Dependence{Leg: leg, Document: document, Statement: s, Keys: keys, Part: fit == fitSome}, true
}
