package policy

import (
	"strings"
	"unicode/utf8"
)

// A pattern is text in which the wildcards are bytes that no UTF-8 holds, so
// that a star which means a star needs no escape.
type pattern string

const (
	star    = '\xFE' // any run of characters
	one     = '\xFF' // any one character
	oneNot  = '\xFD' // any one character but a star: for comparing patterns
	stars   = "\xFE"
	ones    = "\xFF"
	oneNots = "\xFD"
)

// compile reads * and ? as wildcards.
func compile(s string) pattern {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return pattern(strings.ReplaceAll(strings.ReplaceAll(s, "*", stars), "?", ones))
}

// literal is a pattern that matches s alone.
func literal(s string) pattern { return pattern(strings.ToValidUTF8(s, "\uFFFD")) }

// plain is the text that a pattern stands for where wildcards mean nothing.
func (p pattern) plain() string {
	return strings.ReplaceAll(strings.ReplaceAll(string(p), stars, "*"), ones, "?")
}

// match goes back to the latest star only: an earlier one can take no more than that one can.
func (p pattern) match(s string) bool {
	i, j, back, mark := 0, 0, -1, 0
	for j < len(s) {
		if i < len(p) && p[i] == star {
			i++
			back, mark = i, j
			continue
		}
		if n := p.takes(i, s[j:]); n > 0 {
			i++
			j += n
			continue
		}
		if back < 0 {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[mark:])
		mark += n
		i, j = back, mark
	}
	for i < len(p) && p[i] == star {
		i++
	}
	return i == len(p)
}

// takes is how many bytes of s the pattern's i-th takes, other than as a star; 0 for none.
func (p pattern) takes(i int, s string) int {
	switch {
	case i == len(p):
		return 0
	case p[i] == one, p[i] == oneNot && s[0] != '*':
		_, n := utf8.DecodeRuneInString(s)
		return n
	case p[i] == s[0]:
		return 1
	}
	return 0
}

// arnParts is how many parts an ARN has; the last may hold colons.
const arnParts = 6

// matchARN compares part by part, so that a star stays within its part. A
// pattern with fewer parts that ends in a star reaches over the rest.
func (p pattern) matchARN(arn string) bool {
	if p == stars {
		return true
	}
	if strings.Count(string(p), ":") < arnParts-1 {
		return len(p) > 0 && p[len(p)-1] == star && p.match(arn)
	}
	rest := string(p)
	for range arnParts - 1 {
		part, behind, _ := strings.Cut(rest, ":")
		value, left, found := strings.Cut(arn, ":")
		if !found || !pattern(part).match(value) {
			return false
		}
		rest, arn = behind, left
	}
	return pattern(rest).match(arn)
}

// matchResource is how the Resource element matches: part by part like matchARN,
// but a star that ends a part may reach over colons into the parts behind it.
func (p pattern) matchResource(arn string) bool {
	return p.matchARN(arn) || p.crosses() && p.matchAcross(arn)
}

// crosses tells whether a star ends one of the first parts.
func (p pattern) crosses() bool {
	rest := string(p)
	for range arnParts - 1 {
		part, behind, found := strings.Cut(rest, ":")
		if strings.HasSuffix(part, stars) {
			return true
		}
		if !found {
			return false
		}
		rest = behind
	}
	return false
}

// matchAcross follows all ways through the pattern at once: at[i] says that the text so far brings us to p[i].
func (p pattern) matchAcross(s string) bool { return p.follow(p.free(), s)[len(p)] }

// follow tells where in the pattern the text can bring us.
func (p pattern) follow(free []bool, s string) []bool {
	at := p.reach(make([]bool, len(p)+1), 0)
	for _, r := range s {
		next := make([]bool, len(p)+1)
		for i := range len(p) {
			switch {
			case !at[i] || r == ':' && !free[i]:
			case p[i] == star:
				p.reach(next, i)
			default:
				p.step(next, i, r)
			}
		}
		at = next
	}
	return at
}

// step takes one character. The bytes of a longer one are compared together.
func (p pattern) step(next []bool, i int, r rune) {
	text := string(r)
	switch {
	case p[i] == one, p[i] == oneNot && r != '*':
		p.reach(next, i+1)
	case strings.HasPrefix(string(p[i:]), text):
		p.reach(next, i+len(text))
	}
}

// free tells which elements of the pattern may take a colon: a colon, a star that ends its part, and all of the last part.
func (p pattern) free() []bool {
	free := make([]bool, len(p))
	colons := 0
	for i := range len(p) {
		if p[i] == ':' {
			colons++
		}
		ends := i+1 == len(p) || p[i+1] == ':'
		free[i] = p[i] == ':' || p[i] == star && ends || colons >= arnParts-1
	}
	return free
}

// reach marks i, and what lies behind stars, which may stand for nothing.
func (p pattern) reach(at []bool, i int) []bool {
	at[i] = true
	for i < len(p) && p[i] == star {
		i++
		at[i] = true
	}
	return at
}
