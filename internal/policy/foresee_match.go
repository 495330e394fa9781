package policy

import (
	"slices"
	"strings"
)

// fit tells how a statement's resources and those of a prospect lie.
type fit int

const (
	fitNone fit = iota // no resource of the prospect is meant
	fitSome            // some are, or nobody can say
	fitAll
)

// fit compares the statement's resources with the prospect's.
func (p Prospect) fit(e evaluation, d Document, s Statement) fit {
	switch {
	case len(s.NotResource) > 0:
		return fitAll - p.fitList(e, d, s.NotResource)
	case len(s.Resource) == 0:
		return fitAll
	}
	return p.fitList(e, d, s.Resource)
}

func (p Prospect) fitList(e evaluation, d Document, list []string) fit {
	best := fitNone
	for _, text := range list {
		best = max(best, p.fitOne(e, d, text))
	}
	return best
}

func (p Prospect) fitOne(e evaluation, d Document, text string) fit {
	variables := d.version() == Version2012
	if variables && len(p.openVariables(text)) > 0 {
		return min(fitSome, compile(withoutVariables(text)).below(p.Resource, p.Below))
	}
	pattern, ok := e.values.expand(text, variables)
	if !ok {
		return fitNone
	}
	return pattern.below(p.Resource, p.Below)
}

// withoutVariables puts a star for each policy variable: what is matched by any value is matched by that.
func withoutVariables(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('*')
		_, text, _ = strings.Cut(rest, "}")
	}
}

// below tells whether the pattern matches all, some or none of the ARNs that begin with the given one; or, where
// only that one is meant, whether it matches it.
func (p pattern) below(arn string, open bool) fit {
	if p.apart(arn) {
		return fitNone
	}
	if !open {
		if p.matchResource(arn) {
			return fitAll
		}
		return fitNone
	}
	free := p.free()
	if strings.Count(string(p), ":") < arnParts-1 {
		if len(p) == 0 || p[len(p)-1] != star {
			return fitNone
		}
		for i := range free {
			free[i] = true
		}
	}
	at := p.follow(free, arn)
	switch {
	case !slices.Contains(at, true):
		return fitNone
	case len(p) > 0 && p[len(p)-1] == star && at[len(p)-1]:
		return fitAll
	}
	return fitSome
}

// apart tells whether the two differ before the pattern's first wildcard: most statements of a large plan are about
// another bucket, and that is seen at once.
func (p pattern) apart(arn string) bool {
	for i := range min(len(p), len(arn)) {
		switch {
		case p[i] == star || p[i] == one || p[i] == oneNot:
			return false
		case p[i] != arn[i]:
			return true
		}
	}
	return false
}
