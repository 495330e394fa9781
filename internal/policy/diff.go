package policy

import "slices"

// Changes is what lies between two documents, in the order of their statements.
type Changes struct {
	Added     []Statement
	Removed   []Statement
	Changed   []Change
	Preserved []Statement // as they stand in the later document
	Version   bool        // the version changed, and policy variables hang on it
	Broader   bool        // more may be let in than before, see Broader
}

// A Change is a Sid whose statement means something else.
type Change struct{ Before, After Statement }

// Empty tells whether both documents mean the same.
func (c Changes) Empty() bool {
	return len(c.Added)+len(c.Removed)+len(c.Changed) == 0 && !c.Version
}

// Diff compares statements by meaning first, then pairs what is left by Sid.
func Diff(before, after Document) Changes {
	var c Changes
	kept := make(map[string]bool) // digests of both
	known := digests(before)
	for _, s := range once(after.Statements) {
		digest := s.Digest()
		if known[digest] {
			kept[digest] = true
			c.Preserved = append(c.Preserved, s)
			continue
		}
		if old, ok := before.Find(s.Sid); ok && !digests(after)[old.Digest()] {
			c.Changed = append(c.Changed, Change{old, s})
			kept[old.Digest()] = true
			continue
		}
		c.Added = append(c.Added, s)
	}
	for _, s := range once(before.Statements) {
		if !kept[s.Digest()] {
			c.Removed = append(c.Removed, s)
		}
	}
	c.Version = Canonical(before).Version != Canonical(after).Version && c.preservesVariables()
	c.Broader = Broader(before, after)
	return c
}

// preservesVariables tells whether a statement is read otherwise although it did not change.
func (c Changes) preservesVariables() bool {
	return slices.ContainsFunc(c.Preserved, Statement.usesVariables)
}

func digests(d Document) map[string]bool {
	all := make(map[string]bool, len(d.Statements))
	for _, s := range d.Statements {
		all[s.Digest()] = true
	}
	return all
}

// once drops repeated statements.
func once(all []Statement) []Statement {
	seen := make(map[string]bool, len(all))
	return slices.DeleteFunc(slices.Clone(all), func(s Statement) bool {
		digest := s.Digest()
		if seen[digest] {
			return true
		}
		seen[digest] = true
		return false
	})
}
