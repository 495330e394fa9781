package policy

import (
	"slices"
	"strings"
)

// An operator is a condition operator, taken apart.
type operator struct {
	compare  func(wanted wanted, got string) bool
	negated  bool
	null     bool
	quantor  string // ForAllValues:, ForAnyValue: or nothing
	ifExists bool
}

const (
	forAll = "ForAllValues:"
	forAny = "ForAnyValue:"
)

// parseOperator knows every operator of AWS; the names are case-sensitive.
func parseOperator(name string) (operator, bool) {
	var op operator
	for _, q := range []string{forAll, forAny} {
		if rest, ok := strings.CutPrefix(name, q); ok {
			op.quantor, name = q, rest
		}
	}
	if name == "Null" {
		op.null = true
		return op, op.quantor == ""
	}
	name, op.ifExists = strings.CutSuffix(name, "IfExists")
	op.compare, op.negated = comparison(name)
	return op, op.compare != nil
}

// holds decides one condition. An unknown operator holds nowhere: ok is false,
// and the caller errs to the safe side.
func (v *values) holds(c Condition, variables bool) (holds, ok bool) {
	op, ok := parseOperator(c.Operator)
	if !ok {
		return false, false
	}
	got := v.get(c.Key)
	if op.null {
		return slices.ContainsFunc(c.Values, func(want string) bool {
			return strings.EqualFold(want, "true") == (len(got) == 0)
		}), true
	}
	if op.quantor == forAll {
		got = slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s == "" })
	}
	if len(got) == 0 {
		switch {
		case op.ifExists, op.quantor == forAll:
			return true, true
		case op.quantor == forAny:
			return false, true
		}
		return op.negated, true
	}
	matches := func(value string) bool { return v.anyOf(op, c.Values, value, variables) }
	switch {
	case op.quantor == forAll && op.negated, op.quantor == "" && op.negated:
		return !slices.ContainsFunc(got, matches), true
	case op.quantor == forAll:
		return !slices.ContainsFunc(got, func(value string) bool { return !matches(value) }), true
	case op.negated: // ForAnyValue
		return slices.ContainsFunc(got, func(value string) bool { return !matches(value) }), true
	default:
		return slices.ContainsFunc(got, matches), true
	}
}

// anyOf tells whether a value of the request is equal, like or less than one of the policy's.
func (v *values) anyOf(op operator, all []string, got string, variables bool) bool {
	return slices.ContainsFunc(all, func(text string) bool {
		p, ok := v.expand(text, variables)
		return ok && op.compare(wanted{p, text}, got)
	})
}
