package plan

// A checker judges what a plan means, field against field. It asks the shape
// where things stand and which values were refused already.
type checker struct {
	*shape
	plan *Plan
}

func (r *report) meaning(p *Plan, s *shape) {
	c := &checker{shape: s, plan: p}
	_ = c
}
