package compile

import "xplan/plan"

// An Edge says that To comes after From: only if From succeeded where it is needed, else however From ended.
type Edge struct {
	From   plan.StepID `json:"from"`
	To     plan.StepID `json:"to"`
	Needed bool        `json:"needed"`
}

// Edges are all that the steps name, in the order of the steps.
func (p *Program) Edges() []Edge {
	var all []Edge
	for _, s := range p.Steps {
		for _, from := range s.Needs {
			all = append(all, Edge{from, s.ID, true})
		}
		for _, from := range s.After {
			all = append(all, Edge{from, s.ID, false})
		}
	}
	return all
}

// Step finds a step.
func (p *Program) Step(id plan.StepID) (Step, bool) {
	for _, s := range p.Steps {
		if s.ID == id {
			return s, true
		}
	}
	return Step{}, false
}
