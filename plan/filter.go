package plan

import (
	"slices"

	"github.com/bmatcuk/doublestar/v4"
)

// A Filter tells which keys a copy takes: those that match one of its includes
// and none of its excludes.
//
// A pattern is matched against the whole key, prefix included, byte for byte and
// by case. `*` stands for any characters but a slash, `?` for one of them,
// `[a-z]` for one of a class; `**` as a whole part between slashes stands for
// any number of parts, so that `**` alone is every key and `logs/**` is all below
// `logs/`, and a key `logs` too. `{a,b}` stands for either. `\` takes the next
// character literally, in patterns only: in a key it is a character like any
// other, as are newlines, brackets and leading, doubled or trailing slashes
// (between two slashes stands an empty part).
//
// The zero value takes nothing. Safe for concurrent use; Match does not allocate.
type Filter struct {
	every   bool
	include []string
	exclude []string
}

// Filter prepares the copy's patterns. One that Parse would have refused matches
// nothing.
func (c Copy) Filter() Filter {
	f := Filter{include: expandAll(c.Include), exclude: expandAll(c.Exclude)}
	f.every = slices.Contains(f.include, "**")
	return f
}

// All tells that the filter takes every key, so that nobody need ask by key.
func (f Filter) All() bool { return f.every && len(f.exclude) == 0 }

// Match tells whether the copy takes a key.
func (f Filter) Match(key string) bool {
	return (f.every || matchAny(f.include, key)) && !matchAny(f.exclude, key)
}

func matchAny(patterns []string, key string) bool {
	for _, p := range patterns {
		if doublestar.MatchUnvalidated(p, key) {
			return true
		}
	}
	return false
}

func expandAll(globs []string) []string {
	var all []string
	for _, g := range globs {
		list, err := expand(g)
		if err == nil {
			all = append(all, list...)
		}
	}
	return all
}

// A globError says what is wrong with a pattern.
type globError struct{ why, hint string }

func (e *globError) Error() string { return "the pattern " + e.why }

// maxAlternatives bounds what one pattern's braces multiply to.
const maxAlternatives = 256

// expand writes a pattern's alternatives out. The matcher would try them anew
// at each place of a key where a star may end, which takes time without bound.
func expand(glob string) ([]string, error) {
	if !doublestar.ValidatePattern(glob) {
		return nil, &globError{"is no pattern", `brackets and braces want their end; \ takes the next character literally`}
	}
	done, open := []string{}, []string{glob}
	for len(open) > 0 {
		g := open[len(open)-1]
		open = open[:len(open)-1]
		before, choices, after, found := braces(g)
		if !found {
			done = append(done, g)
		}
		for _, choice := range choices {
			open = append(open, before+choice+after)
		}
		if len(done)+len(open) > maxAlternatives {
			return nil, &globError{"stands for more than 256 patterns", "its braces multiply: write several patterns"}
		}
	}
	slices.Reverse(done)
	return done, nil
}

// braces splits a valid pattern around its first alternatives.
func braces(g string) (before string, choices []string, after string, found bool) {
	depth, start, from := 0, 0, 0
	for i := 0; i < len(g); i++ {
		switch g[i] {
		case '\\':
			i++
		case '[':
			i = classEnd(g, i)
		case '{':
			if depth++; depth == 1 {
				start, from = i, i+1
			}
		case ',':
			if depth == 1 {
				choices = append(choices, g[from:i])
				from = i + 1
			}
		case '}':
			if depth--; depth == 0 {
				return g[:start], append(choices, g[from:i]), g[i+1:], true
			}
		}
	}
	return "", nil, "", false
}

// classEnd is where the class that begins at i ends.
func classEnd(g string, i int) int {
	if i++; i < len(g) && (g[i] == '^' || g[i] == '!') {
		i++
	}
	for ; i < len(g) && g[i] != ']'; i++ {
		if g[i] == '\\' {
			i++
		}
	}
	return i
}
