package plan

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A VersionError says that this xplan may not run a plan.
type VersionError struct{ Requires, Have string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the plan requires xplan %s, and this is %s", e.Requires, e.Have)
}

// CheckVersion tells whether an xplan of this version may run the plan: nil, or
// a *VersionError. What is no released version, such as "dev" or a build of a
// commit, may run any.
func (p *Plan) CheckVersion(version string) error {
	have, err := parseVersion(version)
	if p.Requires == "" || err != nil || strings.HasPrefix(strings.TrimPrefix(version, "v"), "0.0.0-") {
		return nil //nolint:nilerr // a version that cannot be read is a development build
	}
	all, err := parseConstraint(p.Requires)
	if err != nil {
		return fmt.Errorf("requires %q: %w", p.Requires, err)
	}
	for _, c := range all {
		if !c.allows(have) {
			return &VersionError{Requires: p.Requires, Have: version}
		}
	}
	return nil
}

type comparison struct {
	operator string
	version  version
}

func (c comparison) allows(v version) bool {
	n := v.compare(c.version)
	switch c.operator {
	case ">=":
		return n >= 0
	case ">":
		return n > 0
	case "<=":
		return n <= 0
	case "<":
		return n < 0
	case "!=":
		return n != 0
	default:
		return n == 0
	}
}

func parseConstraint(s string) ([]comparison, error) {
	part := regexp.MustCompile(`^(>=|<=|!=|>|<|==?|)\s*(\S+)$`)
	var all []comparison
	for one := range strings.SplitSeq(s, ",") {
		m := part.FindStringSubmatch(strings.TrimSpace(one))
		if m == nil {
			return nil, errors.New("it wants comparisons, with commas between them")
		}
		v, err := parseVersion(m[2])
		if err != nil {
			return nil, err
		}
		all = append(all, comparison{m[1], v})
	}
	return all, nil
}

// A version is what semver makes of it; missing numbers are zero.
type version struct {
	numbers [3]int
	pre     string
}

func parseVersion(s string) (version, error) {
	m := regexp.MustCompile(`^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$`).FindStringSubmatch(s)
	if m == nil {
		return version{}, errors.New("it holds something that is no version")
	}
	v := version{pre: m[4]}
	for i := range v.numbers {
		v.numbers[i], _ = strconv.Atoi(m[i+1])
	}
	return v, nil
}

func (v version) compare(w version) int {
	for i := range v.numbers {
		if n := cmp.Compare(v.numbers[i], w.numbers[i]); n != 0 {
			return n
		}
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "":
		return 1
	case w.pre == "":
		return -1
	}
	return comparePre(strings.Split(v.pre, "."), strings.Split(w.pre, "."))
}

// comparePre orders pre-releases as semver does: number by number, numbers
// before words, the shorter first.
func comparePre(a, b []string) int {
	for i := range min(len(a), len(b)) {
		x, errX := strconv.Atoi(a[i])
		y, errY := strconv.Atoi(b[i])
		n := cmp.Compare(a[i], b[i])
		switch {
		case errX == nil && errY == nil:
			n = cmp.Compare(x, y)
		case errX == nil:
			n = -1
		case errY == nil:
			n = 1
		}
		if n != 0 {
			return n
		}
	}
	return cmp.Compare(len(a), len(b))
}
