package plan_test

import (
	"errors"
	"testing"

	"xplan/plan"
)

func TestAPlanSaysWhichVersionsMayRunIt(t *testing.T) {
	for _, c := range []struct {
		requires, version string
		may               bool
	}{
		{"", "0.1.0", true},
		{">=0.1", "0.1.0", true},
		{">=0.1", "v0.1.0", true},
		{">=0.1", "0.0.9", false},
		{">=0.1", "0.10.0", true},
		{">= 0.1, <2", "1.9.9", true},
		{">=0.1,<2", "2.0.0", false},
		{">0.1", "0.1.0", false},
		{"<=0.1", "0.1.0", true},
		{"0.1", "0.1.0", true},
		{"==0.1.1", "0.1.0", false},
		{"!=0.1.1", "0.1.1", false},
		{">=0.2", "0.2.0-rc.1", false},
		{">=0.2.0-rc.1", "0.2.0-rc.2", true},
		{">=0.2.0-rc.10", "0.2.0-rc.9", false},
		{">=0.2.0-rc", "0.2.0-beta", false},
		{"<0.2.0-1.x", "0.2.0-1", true},
		{">=0.2", "0.2.0+build.7", true},
		{">=9", "dev", true},
		{">=9", "(devel)", true},
		{">=9", "v0.0.0-20260101000000-abcdefabcdef", true},
	} {
		p := &plan.Plan{Requires: c.requires}
		err := p.CheckVersion(c.version)
		var refused *plan.VersionError
		if (err == nil) != c.may || err != nil && !errors.As(err, &refused) {
			t.Errorf("xplan %s, plan requires %q: %v", c.version, c.requires, err)
		}
	}
	if err := (&plan.Plan{Requires: "newest"}).CheckVersion("0.1.0"); err == nil {
		t.Error("a constraint that cannot be read is met")
	}
}
