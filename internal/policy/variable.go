package policy

import (
	"strings"
)

// values are the keys of a request's context, in lower case.
type values map[string][]string

func (v values) get(key string) []string { return v[strings.ToLower(key)] }

// expand compiles text with policy variables. What a variable stands for is
// literal, even a star. It fails where a variable has no value and no default: then the text matches nothing.
func (v values) expand(text string, variables bool) (pattern, bool) {
	if !variables || !strings.Contains(text, "${") {
		return compile(text), true
	}
	var p pattern
	for {
		before, rest, found := strings.Cut(text, "${")
		p = append(p, compile(before)...)
		if !found {
			return p, true
		}
		inside, after, closed := strings.Cut(rest, "}")
		if !closed {
			return append(p, compile("${"+rest)...), true
		}
		value, ok := v.variable(inside)
		if !ok {
			return nil, false
		}
		p = append(p, literal(value)...)
		text = after
	}
}

// variable is the value of what stands between ${ and }: an escape, a key, or a
// key and its default. A key with several values is no variable.
func (v values) variable(inside string) (string, bool) {
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

// plain is the text that a pattern stands for where wildcards mean nothing.
func (p pattern) plain() string {
	var b strings.Builder
	for _, e := range p {
		b.WriteRune(e.char)
	}
	return b.String()
}
