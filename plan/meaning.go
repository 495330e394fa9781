package plan

import "strconv"

// A checker judges what a plan means, field against field. It asks the shape
// where things stand and which values were refused already: what depends on
// those is not judged.
type checker struct {
	*shape
	plan *Plan
}

func (r *report) meaning(p *Plan, s *shape) {
	c := &checker{shape: s, plan: p}
	c.requires()
	c.accounts()
	c.principal()
	c.permissions()
	c.pairs()
	c.overlaps()
	c.cutover()
	c.cleanup()
	c.notify()
	c.estimate()
}

// wrong reports at a field's value, or where the field would stand.
func (c *checker) wrong(pointer, message, hint string) {
	c.problem(pointer, c.where(pointer), message, hint)
}

func (c *checker) warn(pointer, message, hint string) {
	c.warning(pointer, c.where(pointer), message, hint)
}

// lacks reports a field that is not there, at the name of what it belongs to.
func (c *checker) lacks(pointer, field, hint string) {
	message := "missing field " + strconv.Quote(field)
	if pointer != "" {
		message = dotted(pointer) + ": " + message
	}
	c.problem(pointer, c.marks[pointer].name(), message, hint)
}

func (c *checker) where(pointer string) Position {
	for p := pointer; ; p = parent(p) {
		m, ok := c.marks[p]
		switch {
		case ok && p == pointer:
			return m.content()
		case ok:
			return m.name()
		case p == "":
			return Position{1, 1}
		}
	}
}

// first is the first of the pointers that the file gives, or the last of all: a
// pair's override stands before what holds at the top.
func (c *checker) first(pointers ...string) string {
	for _, p := range pointers {
		if c.has(p) {
			return p
		}
	}
	return pointers[len(pointers)-1]
}

func (c *checker) requires() {
	if c.plan.Requires == "" || !c.ok("/requires") {
		return
	}
	if _, err := parseConstraint(c.plan.Requires); err != nil {
		c.wrong("/requires", "requires cannot be read: "+err.Error(), `such as ">=0.1" or ">=0.1, <2"`)
	}
}

func (c *checker) notify() {
	const p = "/notify/webhook_env"
	name := c.plan.Notify.WebhookEnv
	switch {
	case !c.has(p) || !c.ok(p):
	case len(name) > 0 && name[0] == '$':
		c.wrong(p, "notify.webhook_env wants the variable's name", "without the $")
	}
}
