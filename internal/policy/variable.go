package policy

import (
	"strings"
)

// values look up the condition keys of a request. They are collected when first asked for.
type values struct {
	r   *Request
	all map[string][]string // by key in lower case
}

func (v *values) get(key string) []string {
	if v.all == nil {
		v.all = v.r.Values()
	}
	return v.all[strings.ToLower(key)]
}

// expand compiles text with policy variables. What a variable stands for is
// literal, even a star. It fails where a variable has no value and no default: then the text matches nothing.
func (v *values) expand(text string, variables bool) (pattern, bool) {
	if !variables || !strings.Contains(text, "${") {
		return compile(text), true
	}
	var p pattern
	for {
		before, rest, found := strings.Cut(text, "${")
		p += compile(before)
		if !found {
			return p, true
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return p + compile("${"+rest), true
		}
		value, ok := v.variable(inside)
		if !ok {
			return "", false
		}
		p += literal(value)
		text = after
	}
}

// variable is the value of what stands between ${ and }: an escape, a key, or a
// key and its default. A key with several values is no variable.
func (v *values) variable(inside string) (string, bool) {
	switch inside {
	case "*", "?", "$":
		return inside, true
	}
	key, fallback, hasDefault := strings.Cut(inside, ",")
	if got := v.get(strings.TrimSpace(key)); len(got) == 1 {
		return got[0], true
	}
	fallback = strings.TrimSpace(fallback)
	if !hasDefault || len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return "", false
	}
	return fallback[1 : len(fallback)-1], true
}
