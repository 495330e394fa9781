package main

import (
	"runtime/debug"
	"testing"

	"xplan/plan"
)

func TestTheVersionIsTheReleasesOrWhatGoKnows(t *testing.T) {
	t.Parallel()
	of := func(v string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: "xplan", Version: v}}
	}
	for _, c := range []struct {
		build   string
		stamped string
		info    *debug.BuildInfo
		want    string
		new     bool // whether it may run a plan that requires >=0.2
	}{
		{"a release", "0.3.0", of("v0.2.9-0.20261129054002-92faa7e58259"), "0.3.0", true},
		{"a release, stamped by its tag", "v0.3.0", nil, "0.3.0", true},
		{"an old release", "0.1.0", of("(devel)"), "0.1.0", false},
		{"go install of a version", "", of("v0.1.0"), "0.1.0", false},
		{"go build on a tag", "", of("v0.3.0"), "0.3.0", true},
		{"go build on a tag, with changes", "", of("v0.3.0+dirty"), "0.3.0+dirty", true},
		{"go build behind a tag", "", of("v0.1.1-0.20261129054002-92faa7e58259"), "0.1.1-0.20261129054002-92faa7e58259", false},
		{"go build without a tag", "", of("v0.0.0-20261129054002-92faa7e58259+dirty"), "0.0.0-20261129054002-92faa7e58259+dirty", true},
		{"go build without git", "", of("(devel)"), "dev", true},
		{"no build information", "", nil, "dev", true},
	} {
		got := versionOf(c.stamped, c.info)
		if got != c.want {
			t.Errorf("%s: version %q, want %q", c.build, got, c.want)
		}
		if err := (&plan.Plan{Requires: ">=0.2"}).CheckVersion(got); (err == nil) != c.new {
			t.Errorf("%s: %q and a plan that requires >=0.2: %v", c.build, got, err)
		}
	}
}
