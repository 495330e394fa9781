package saved

import (
	"strings"
	"testing"
	"time"

	"xplan/internal/compile"
	"xplan/plan"
)

func TestAFrozenMoveIsAppliedByAnotherAdministratorThanReviewedIt(t *testing.T) {
	t.Parallel()
	p, err := plan.Parse("orders.xplan.yaml", []byte(moving+"cutover: {freeze: true}\n"))
	if err != nil {
		t.Fatal(err)
	}
	as := func(id string, change func(*plan.Plan)) *compile.Program {
		w, mine := world(1000, 20, 30), *p
		w.Identities[plan.Source] = compile.Identity{Account: "123456789012", UserID: id}
		change(&mine)
		prog, err := compile.Compile(&mine, w)
		if err != nil {
			t.Fatal(err)
		}
		return prog
	}
	same := func(*plan.Plan) {}
	reviewed := New(p, as("AROAREVIEWER:me", same), "0.1.0", time.Date(2026, 11, 29, 7, 0, 0, 0, time.UTC), true, "orders.xplan.yaml")
	if err := reviewed.Check(as("AROAPIPELINE:job", same), "0.1.0"); err != nil {
		t.Errorf("by another role it is another plan: %v", err)
	}
	other := as("AROAREVIEWER:me", func(p *plan.Plan) {
		c := *p.CutOver
		c.Exempt = []string{"arn:aws:iam::123456789012:role/writer"}
		p.CutOver = &c
	})
	other.PlanDigest = reviewed.Program.PlanDigest
	if err := reviewed.Check(other, "0.1.0"); err == nil || !strings.Contains(err.Error(), "source.freeze/tommy") {
		t.Errorf("got %v, want another freeze to be drift", err)
	}
}
