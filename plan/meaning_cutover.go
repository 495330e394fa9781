package plan

import "slices"

// cutover judges what a cut-over asks for beside the other fields.
func (c *checker) cutover() {
	const at, freeze, rule = "/cutover", "/cutover/freeze", "/cleanup/freeze"
	switch {
	case !c.ok(at, freeze, rule):
		return
	case !c.plan.Freezes():
		if c.has(rule) {
			c.warn(rule, "cleanup.freeze has no effect where cutover.freeze is false", "")
		}
		for _, field := range []string{"statement", "exempt"} {
			if p := at + "/" + field; c.has(p) {
				c.warn(p, dotted(p)+" has no effect where cutover.freeze is false", "")
			}
		}
	default:
		c.freeze(freeze)
	}
	if !c.ok(at + "/passes") {
		return
	}
	for i, pair := range c.plan.Buckets {
		second := c.first(item("/buckets", i)+"/copy/second_pass", "/copy/second_pass")
		if c.plan.CutOver != nil && pair.Copy.SecondPass && c.ok(second) {
			c.warn(second, dotted(second)+" has no effect in a cut-over", "the deltas and the final pass do what it does")
			return
		}
	}
}

// freeze judges a plan that denies writing to its sources.
func (c *checker) freeze(at string) {
	switch {
	case !c.ok("/accounts/source/provider", "/permissions", "/permissions/manage", "/principal"):
		return
	case !c.plan.Accounts.Source.IsAWS():
		c.wrong(at, "cutover.freeze needs a bucket policy that holds, and the source is S3-compatible", "stop its writers by hand, then apply the plan again")
		return
	case !c.plan.Permissions.Manage:
		c.wrong(at, "cutover.freeze is true, and permissions.manage is false: no bucket policy may be touched", "stop the writers by hand, or write manage: true")
		return
	}
	if sid := "/cutover/statement"; c.ok(sid, "/permissions/statement") && slices.Contains(FreezeSids(c.plan.CutOver.Statement), c.plan.Permissions.Statement) {
		c.wrong(sid, "cutover.statement: "+c.quote(c.plan.Permissions.Statement)+" is permissions.statement as well", "they are two statements of one policy: choose another name")
	}
	c.frozenLong()
}

// frozenLong warns of what takes long while the source is frozen.
func (c *checker) frozenLong() {
	for i, pair := range c.plan.Buckets {
		level := c.first(item("/buckets", i)+"/verify/level", "/verify/level")
		if pair.Verify.Level == LevelBytes && c.ok(level) {
			c.warn(level, dotted(level)+" is bytes, and cutover.freeze true: the source stays frozen while every byte of it is read",
				"checksum is proof as well; xplan verify can read the bytes afterwards")
			return
		}
	}
}

// FreezeSids are the Sids of the statements that may stand for a freeze: what denies writing, and, where the run
// itself deletes the source, what denies deleting.
func FreezeSids(statement string) []string { return []string{statement, statement + "Deletes"} }
