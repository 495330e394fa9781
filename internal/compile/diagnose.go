package compile

import (
	"slices"

	"xplan/internal/policy"
	"xplan/plan"
)

// Verdict is how a check came out.
type Verdict string

// The verdicts. Those between VerdictDenied and VerdictOK are not failures.
const (
	VerdictDenied  Verdict = "denied"        // surely, or in fact; or something else stands in the way
	VerdictMay     Verdict = "may be denied" // see Finding.DependsOn
	VerdictNote    Verdict = "note"          // denied, and needed in some cases only
	VerdictNotRead Verdict = "not read"      // what decides could not be read
	VerdictOK      Verdict = "ok"
)

// A Check is one thing that the run will do, and whether it will be let.
type Check struct {
	Leg       string    `json:"leg"`
	Pair      string    `json:"pair,omitempty"`
	Side      plan.Side `json:"side"`
	Who       string    `json:"who"`
	Actions   []string  `json:"actions,omitempty"`
	Resources []string  `json:"resources,omitempty"`
	Verdict   Verdict   `json:"verdict"`
	Why       string    `json:"why,omitempty"` // where there is no finding that tells
	Fix       string    `json:"fix,omitempty"`
	Findings  []Finding `json:"findings,omitempty"`
}

// A Diagnosis is what can be said of a plan's accesses without doing anything.
type Diagnosis struct {
	Checks []Check
	Unseen []Unseen
}

// OK tells whether nothing is denied.
func (d Diagnosis) OK() bool {
	return !slices.ContainsFunc(d.Checks, func(c Check) bool { return c.Verdict == VerdictDenied })
}

// Diagnose judges every access that the plan's runs need, as if there were something to copy in every pair.
// It is pure. What stands in the way otherwise, as Compile's problems say it, is among the checks.
func Diagnose(p *plan.Plan, w World) Diagnosis {
	b := diagnosed(p, w)
	d := Diagnosis{Unseen: w.Unseen}
	for _, side := range []plan.Side{plan.Source, plan.Destination} {
		if who, ok := w.Identities[side]; ok {
			d.Checks = append(d.Checks, Check{Leg: "sign in", Side: side, Who: who.ARN, Verdict: VerdictOK, Why: "account " + who.Account})
		}
	}
	for _, problem := range b.problems {
		d.Checks = append(d.Checks, Check{Leg: problem.Subject, Verdict: VerdictDenied, Why: problem.What, Fix: problem.Fix})
	}
	if p.Principal == nil || !p.Accounts.Destination.IsAWS() {
		return d
	}
	for _, s := range b.steps {
		for _, c := range b.adminCalls(s) {
			d.add(b.check(c, b.administrator(c)))
		}
	}
	who := b.caller()
	for _, br := range b.branches {
		if br.src.Foreign || br.dst.Foreign || !br.src.Exists || !br.active() {
			continue
		}
		for _, c := range b.calls(br) {
			d.add(b.check(c, who))
		}
	}
	return d
}

// diagnosed has the steps of a run that has something to copy in every pair.
func diagnosed(p *plan.Plan, w World) *builder {
	w.Copies = nil // nobody knows: work is assumed
	b := newBuilder(p, w)
	b.checkWorld()
	b.identities()
	b.inspections()
	b.buckets()
	b.permissions()
	b.transfers()
	b.cleanup()
	return b
}

// check is a call's.
func (b *builder) check(c call, who caller) Check {
	check := Check{
		Leg: c.leg, Pair: c.pair, Side: c.side, Who: who.arn, Actions: []string{c.action}, Resources: []string{c.about()}, Verdict: VerdictOK,
	}
	f := policy.Foresee(b.prospect(c, who))
	check.Findings = b.weigh(c, who, f, b.told(c, who, f))
	o, sure, asked := b.opinion(c, who)
	switch {
	case f.Outlook == policy.NotRead && who.admin && asked && !b.unreadOf(c, who) && o.allowed():
		check.Why = simulator + " allows it by the policies of " + who.label
	case f.Outlook == policy.NotRead && who.admin && asked && sure && !o.allowed():
		check.Verdict = VerdictMay
		check.Why = simulator + " denies it by the policies of " + who.label + ": " + o.Decision
		check.Fix = "allow " + c.action + " on " + c.about() + " there"
	case f.Outlook == policy.NotRead, f.Outlook == policy.WillBeAllowed && b.unreadOf(c, who):
		check.Verdict, check.Why = VerdictNotRead, "what was read does not deny it; "+unreadText(who)
	case len(check.Findings) > 0:
		check.Verdict = Verdict(check.Findings[0].Severity)
	}
	return check
}

func unreadText(who caller) string {
	if who.admin {
		return "an administrator's own policies are not read"
	}
	return "not everything could be read"
}

// unreadOf tells whether a policy that could deny the call was not read. An administrator's own never is.
func (b *builder) unreadOf(c call, who caller) bool {
	p := b.prospect(c, who)
	return len(p.Unread) > 0 && (!who.admin || slices.Contains(p.Unread, policy.LegResource))
}

// add puts the calls of one leg together; the gravest verdict counts.
func (d *Diagnosis) add(c Check) {
	i := slices.IndexFunc(d.Checks, func(have Check) bool { return have.Leg == c.Leg && have.Pair == c.Pair && have.Who == c.Who })
	if i < 0 {
		d.Checks = append(d.Checks, c)
		return
	}
	have := &d.Checks[i]
	have.Actions, have.Resources = unique(append(have.Actions, c.Actions...)), unique(append(have.Resources, c.Resources...))
	have.Findings = findings(have.Findings).add(c.Findings...).sorted()
	rank := []Verdict{VerdictDenied, VerdictMay, VerdictNote, VerdictNotRead, VerdictOK}
	if slices.Index(rank, c.Verdict) < slices.Index(rank, have.Verdict) {
		have.Verdict, have.Why = c.Verdict, c.Why
	}
}

// ProbeSpecs are the probes of all pairs whose buckets are there, as if there were something to copy in each.
func ProbeSpecs(p *plan.Plan, w World) []ProbeSpec {
	w.Copies = nil
	b := newBuilder(p, w)
	var all []ProbeSpec
	for _, br := range b.branches {
		if !br.src.Exists || br.src.Foreign || br.dst.Foreign {
			continue
		}
		spec := *b.probeSpec(br)
		if !br.dst.Exists {
			spec.Legs = slices.DeleteFunc(spec.Legs, func(l Leg) bool { return l == LegListDest || l == LegVersionsDest || l == LegWriteDest })
		}
		all = append(all, spec)
	}
	return all
}
