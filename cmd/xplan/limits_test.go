package main

import (
	"testing"

	"xplan/plan"
)

func TestFewOpenFilesBoundWhatIsInFlight(t *testing.T) {
	t.Parallel()
	asked := &plan.Plan{Buckets: []plan.Pair{{Copy: plan.Copy{InFlight: 500}}}}
	for _, c := range []struct {
		p                 *plan.Plan
		files             uint64
		inFlight, listers int
	}{
		{&plan.Plan{}, 0, 0, 0},
		{&plan.Plan{}, 1024, 0, 0},
		{asked, 1 << 20, 500, 0},
		{asked, 1000, 488, 32},
		{&plan.Plan{}, 256, 64, 14},
		{&plan.Plan{}, 64, 20, 2},
		{asked, 64, 20, 2},
		{&plan.Plan{}, 16, 2, 2},
	} {
		if l := engineLimits(c.p, c.files); l.InFlight != c.inFlight || l.Listers != c.listers {
			t.Errorf("with %d files: %d in flight, %d listers; want %d, %d", c.files, l.InFlight, l.Listers, c.inFlight, c.listers)
		}
	}
}
