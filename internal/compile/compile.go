package compile

import (
	"fmt"
	"slices"

	"xplan/internal/dag"
	"xplan/plan"
)

// Compile decides what a run of the plan does to the world. It is pure and deterministic. What
// stands in the way is returned all at once, as *ProblemsError.
func Compile(p *plan.Plan, w World) (*Program, error) {
	b := newBuilder(p, w)
	b.checkWorld()
	b.identities()
	b.inspections()
	b.leftoverKeys()
	b.buckets()
	b.permissions()
	b.transfers()
	b.cleanup()
	b.doubts()
	b.found = b.preflight()
	return b.program()
}

// A builder gathers the steps of one program.
type builder struct {
	p *plan.Plan
	w World

	branches []branch
	bySource map[string][]int // of branches
	keys     keyring
	docs     docs // of the permissions, where they are managed
	policies []policyTarget
	work     bool // some pair needs the principal
	alone    bool // the clean-up by itself

	steps    []Step
	at       map[plan.StepID]int // of a step in steps
	problems []Problem
	warnings []Warning
	found    []Finding
	said     map[string][]string // by caller: see texts
}

func newBuilder(p *plan.Plan, w World) *builder {
	b := &builder{p: p, w: w, branches: survey(p, w), at: make(map[plan.StepID]int)}
	b.bySource = make(map[string][]int)
	for i, br := range b.branches {
		b.bySource[br.pair.Source] = append(b.bySource[br.pair.Source], i)
	}
	b.markCutOvers()
	b.work = slices.ContainsFunc(b.branches, branch.active)
	b.keys = b.readKeys()
	if b.manages() {
		var err error
		b.docs, err = documents(p, b.keys.source, b.keys.destination)
		if err != nil {
			b.problem("policy "+p.Permissions.Policy, err.Error(), "split the plan")
		}
		b.policies = b.targets()
	}
	b.markVerifications()
	return b
}

// manages tells whether the run touches IAM and bucket policies.
func (b *builder) manages() bool {
	a := b.p.Accounts
	return b.p.Permissions.Manage && b.p.Principal != nil && a.Source.IsAWS() && a.Destination.IsAWS()
}

// add appends a step. Of Needs and After only those stay that are steps, so that
// every rule can name what it comes after where that exists.
func (b *builder) add(s Step) {
	if b.has(s.ID) {
		b.problem(string(s.ID), "the plan asks for this step twice", "")
		return
	}
	named := make(map[plan.StepID]bool)
	s.Needs, s.After = b.existing(s.Needs, named), b.existing(s.After, named)
	b.at[s.ID] = len(b.steps)
	b.steps = append(b.steps, s)
}

// existing keeps what is a step and was not named before.
func (b *builder) existing(ids []plan.StepID, named map[plan.StepID]bool) []plan.StepID {
	var all []plan.StepID
	for _, id := range ids {
		if b.has(id) && !named[id] {
			named[id] = true
			all = append(all, id)
		}
	}
	return all
}

func (b *builder) has(id plan.StepID) bool {
	_, ok := b.at[id]
	return ok
}

// of returns the IDs of the steps of some kinds, in order.
func (b *builder) of(kinds ...Kind) []plan.StepID {
	var all []plan.StepID
	for _, s := range b.steps {
		if slices.Contains(kinds, s.Kind) {
			all = append(all, s.ID)
		}
	}
	return all
}

func (b *builder) find(id plan.StepID) (Step, bool) {
	if at, ok := b.at[id]; ok {
		return b.steps[at], true
	}
	return Step{}, false
}

func (b *builder) problem(subject, what, fix string) {
	p := Problem{Subject: subject, What: what, Fix: fix}
	if !slices.Contains(b.problems, p) {
		b.problems = append(b.problems, p)
	}
}

func (b *builder) warn(subject, format string, args ...any) {
	w := Warning{Subject: subject, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(b.warnings, w) {
		b.warnings = append(b.warnings, w)
	}
}

// endanger warns of what cannot be undone.
func (b *builder) endanger(subject, format string, args ...any) {
	w := Warning{Subject: subject, Text: fmt.Sprintf(format, args...), Danger: true}
	if !slices.Contains(b.warnings, w) {
		b.warnings = append(b.warnings, w)
	}
}

// program orders the steps and seals them.
func (b *builder) program() (*Program, error) {
	steps, err := ordered(b.steps)
	if err != nil {
		return nil, fmt.Errorf("order the steps of %s: %w", b.p.Name, err)
	}
	if len(b.problems) > 0 {
		return nil, &ProblemsError{List: b.problems}
	}
	prog := &Program{Name: b.p.Name, Steps: steps, Warnings: b.warnings, Unseen: b.w.Unseen, Findings: b.found, Facts: facts(b.p, b.w)}
	prog.Estimate = b.estimate()
	prog.Assumed = slices.ContainsFunc(b.branches, func(br branch) bool { return br.copying && !br.facts.Known })
	prog.PlanDigest, prog.WorldDigest = b.p.Digest(), factsDigest(prog.Facts)
	return prog, nil
}

// ordered puts each step after all that it names, and keeps the order otherwise.
func ordered(steps []Step) ([]Step, error) {
	g := dag.New[plan.StepID]()
	byID := make(map[plan.StepID]Step, len(steps))
	for _, s := range steps {
		g.Add(s.ID)
		byID[s.ID] = s
	}
	for _, s := range steps {
		for _, id := range slices.Concat(s.Needs, s.After) {
			g.Edge(id, s.ID)
		}
	}
	order, err := g.Order()
	if err != nil {
		return nil, err
	}
	sorted := make([]Step, 0, len(steps))
	for _, id := range order {
		sorted = append(sorted, byID[id])
	}
	return sorted, nil
}

// id names a step.
func id(kind Kind, what string) plan.StepID { return plan.StepID(string(kind) + "/" + what) }
