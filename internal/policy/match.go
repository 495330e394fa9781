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

// matchResource is how the Resource element matches: part by part like matchARN,
// but a star that ends a part may reach over colons into the parts behind it.
func (p pattern) matchResource(arn string) bool {
	return p.matchARN(arn) || p.crosses() && p.matchAcross([]rune(arn))
}

// crosses tells whether a star ends one of the first parts.
func (p pattern) crosses() bool {
	colons := 0
	for i, e := range p {
		if e.char == ':' {
			colons++
		}
		if colons < arnParts-1 && p.endsPart(i) {
			return true
		}
	}
	return false
}

func (p pattern) endsPart(i int) bool {
	return p[i].star && (i+1 == len(p) || p[i+1].char == ':')
}

// matchAcross follows all ways through the pattern at once: at[i] says that the text so far brings us to p[i].
func (p pattern) matchAcross(text []rune) bool {
	free := make([]bool, len(p)) // wildcards that may take a colon
	colons := 0
	for i, e := range p {
		if e.char == ':' {
			colons++
		}
		free[i] = p.endsPart(i) || colons >= arnParts-1
	}
	at := p.reach(make([]bool, len(p)+1), 0)
	for _, r := range text {
		next := make([]bool, len(p)+1)
		for i, e := range p {
			switch {
			case !at[i]:
			case e.star && (r != ':' || free[i]):
				p.reach(next, i)
			case !e.star && e.takes(r) && (r != ':' || !e.any || free[i]):
				p.reach(next, i+1)
			}
		}
		at = next
	}
	return at[len(p)]
}

// reach marks i, and what lies behind stars, which may stand for nothing.
func (p pattern) reach(at []bool, i int) []bool {
	at[i] = true
	for i < len(p) && p[i].star {
		i++
		at[i] = true
	}
	return at
}

// matchAction ignores case, in the service's prefix and in the name.
func matchAction(pattern, action string) bool {
	return compile(strings.ToLower(pattern)).match(strings.ToLower(action))
}
