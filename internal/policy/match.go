package policy

import (
	"strings"
)

// An elem is one character of a pattern, or a wildcard.
type elem struct {
	char    rune
	star    bool // any run of characters
	any     bool // any one character
	notStar bool // any, but not a star: for comparing patterns
}

// A pattern is text with wildcards, ready to match.
type pattern []elem

// compile reads * and ? as wildcards.
func compile(s string) pattern {
	p := make(pattern, 0, len(s))
	for _, r := range s {
		p = append(p, elem{char: r, star: r == '*', any: r == '?'})
	}
	return p
}

// literal is a pattern that matches s alone.
func literal(s string) pattern {
	p := make(pattern, 0, len(s))
	for _, r := range s {
		p = append(p, elem{char: r})
	}
	return p
}

func (p pattern) match(s string) bool {
	text := []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(text) {
		switch {
		case i < len(p) && p[i].star:
			star, mark = i, j
			i++
		case i < len(p) && p[i].takes(text[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i].star {
		i++
	}
	return i == len(p)
}

func (e elem) takes(r rune) bool {
	if e.any {
		return !e.notStar || r != '*'
	}
	return e.char == r
}

// split cuts a pattern at its first n-1 colons.
func (p pattern) split(n int) []pattern {
	var parts []pattern
	start := 0
	for i, e := range p {
		if len(parts) == n-1 {
			break
		}
		if e.char == ':' {
			parts = append(parts, p[start:i])
			start = i + 1
		}
	}
	return append(parts, p[start:])
}

// arnParts is how many parts an ARN has; the last may hold colons.
const arnParts = 6

// matchARN compares part by part, so that a star stays within its part. A
// pattern with fewer parts that ends in a star reaches over the rest.
func (p pattern) matchARN(arn string) bool {
	if len(p) == 1 && p[0].star {
		return true
	}
	parts := p.split(arnParts)
	if len(parts) < arnParts {
		return len(p) > 0 && p[len(p)-1].star && p.match(arn)
	}
	values := strings.SplitN(arn, ":", arnParts)
	if len(values) < arnParts {
		return false
	}
	for i := range parts {
		if !parts[i].match(values[i]) {
			return false
		}
	}
	return true
}

// matchAction ignores case, in the service's prefix and in the name.
func matchAction(pattern, action string) bool {
	return compile(strings.ToLower(pattern)).match(strings.ToLower(action))
}
