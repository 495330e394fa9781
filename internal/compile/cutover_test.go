package compile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"xplan/internal/policy"
	"xplan/plan"
)

// withFreeze makes the plan one that cuts over, with a freeze.
func withFreeze(p *plan.Plan, rule plan.Rule) {
	p.CutOver = &plan.CutOver{Passes: 5, Until: 100, Freeze: true, Statement: "XplanFreeze"}
	p.Cleanup.Freeze = rule
}

// cuts is a plan that cuts tommy over, in a world where there is something to copy.
func cuts(rule plan.Rule) (*plan.Plan, World) {
	p, w := tommy(), fresh()
	withFreeze(p, rule)
	w.Identities[plan.Source] = Identity{Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/admin/me", UserID: "AROAADMIN:me"}
	return p, w
}

func TestACutOverFreezesOnceForAllOfItsPairs(t *testing.T) {
	p, w := cuts(plan.Always)
	logs, invoices := pair("tommy", "tommy-b"), pair("tommy", "tommy-c")
	logs.Prefix, invoices.Prefix = "logs/", "invoices/"
	p.Buckets = []plan.Pair{logs, invoices, pair("timmy", "timmy-b")}
	w.Buckets[BucketRef{plan.Source, "timmy"}] = secure("us-west-2")
	w.Copies["timmy/→timmy-b/"] = CopyFacts{Known: true}
	w.Copies[invoices.ID()] = CopyFacts{Known: true, Listed: Count{1, 1}, Same: Count{1, 1}, SameBy: map[string]Count{"etag": {1, 1}}}
	prog := compiled(t, p, w)
	golden(t, "program/cut_over.txt", outline(prog))
	for _, s := range prog.Steps {
		if s.Kind == KindFreeze && s.Subject != "123456789012/tommy" {
			t.Errorf("%s is frozen, and nothing of it is to be copied", s.Subject)
		}
	}
	freeze, ok := prog.Step("source.freeze/tommy")
	if !ok || !slices.Equal(freeze.Spec.Freeze.Prefixes, []string{"invoices/", "logs/"}) {
		t.Fatalf("frozen is %+v, want what the two pairs copy", freeze.Spec.Freeze)
	}
	for _, needed := range []plan.StepID{"copy.delta/" + plan.StepID(logs.ID()), "copy.delta/" + plan.StepID(invoices.ID())} {
		if !slices.Contains(freeze.Needs, needed) {
			t.Errorf("the freeze does not need %s", needed)
		}
	}
}

// frozenBy is the world in which the freeze of the plan stands, and nothing is to be copied any more.
func frozenBy(t *testing.T, p *plan.Plan, w World) World {
	t.Helper()
	prog := compiled(t, p, w)
	prog.Steps = slices.DeleteFunc(prog.Steps, func(s Step) bool { return s.Kind == KindCleanFreeze })
	return after(t, p, w, prog)
}

func TestAFreezeIsLiftedWhateverIsKnownOfIt(t *testing.T) {
	for name, change := range map[string]func(*plan.Plan, *World){
		"recorded":   func(*plan.Plan, *World) {},
		"state lost": func(p *plan.Plan, w *World) { w.Owned = nil; w.Owned = byTags(p, *w) },
		"another administrator, state lost": func(p *plan.Plan, w *World) {
			w.Identities[plan.Source] = Identity{Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/x", UserID: "AIDAX"}
			w.Owned = nil
			w.Owned = byTags(p, *w)
		},
		"the plan freezes no more":        func(p *plan.Plan, _ *World) { p.CutOver, p.Cleanup.Freeze = nil, "" },
		"the plan calls it otherwise":     func(p *plan.Plan, _ *World) { p.CutOver.Statement = "Other" },
		"the statement is gone, recorded": func(_ *plan.Plan, w *World) { setPolicy(w, "") },
	} {
		for _, deletes := range []plan.Rule{plan.Keep, plan.AfterVerify} {
			t.Run(name+" "+string(deletes), func(t *testing.T) {
				p, w := cuts(plan.Always)
				p.Buckets[0].Cleanup.SourceObjects = deletes
				w = frozenBy(t, p, w)
				change(p, &w)
				for _, compile := range []func(*plan.Plan, World) (*Program, error){Compile, Cleanup} {
					prog, err := compile(p, w)
					if err != nil {
						t.Fatal(err)
					}
					s, ok := prog.Step("cleanup.freeze/tommy")
					if !ok || s.Action != Delete || s.Rule != plan.Always {
						t.Fatalf("got %+v, want a step that lifts it", s)
					}
					later := after(t, p, w, prog)
					if text := later.Buckets[BucketRef{plan.Source, "tommy"}].Policy; strings.Contains(text, "XplanFreeze") {
						t.Errorf("afterwards the policy is %s", text)
					}
					if _, left := findOwned(later.Owned, KindFreeze, "tommy", ""); left {
						t.Errorf("its record is left: %+v", later.Owned)
					}
				}
			})
		}
	}
}

func setPolicy(w *World, text string) {
	b := w.Buckets[BucketRef{plan.Source, "tommy"}]
	b.Policy = text
	w.Buckets[BucketRef{plan.Source, "tommy"}] = b
}

func TestAVerifiedFreezeStaysUntilAPersonLiftsIt(t *testing.T) {
	p, w := cuts(plan.OnFailure)
	first := compiled(t, p, w)
	if s, _ := first.Step("cleanup.freeze/tommy"); !s.Spec.Freeze.HoldsVerified {
		t.Errorf("got %+v, want it to hold what is verified", s)
	}
	w = frozenBy(t, p, w)
	i := slices.IndexFunc(w.Owned, func(o Owned) bool { return o.Kind == KindFreeze })
	w.Owned[i].Since = time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	again := compiled(t, p, w)
	s, _ := again.Step("cleanup.freeze/tommy")
	if s.Action != Wait || !strings.Contains(s.Change.Note, "frozen since 2026-11-29T03:00:00Z") {
		t.Errorf("got %+v, want it to wait", s)
	}
	if _, ok := again.Step("copy.final/tommy/→tommy-b/"); ok {
		t.Error("it is cut over again")
	}
	setPolicy(&w, "")
	w.Owned = nil
	if _, ok := compiled(t, p, w).Step("source.freeze/tommy"); !ok {
		t.Error("lifted by a person, it is not frozen again, and the plan says that it should be")
	}
}

func TestAStatementOfOthersAtOurSidIsNeitherTakenNorLifted(t *testing.T) {
	p, w := cuts(plan.Always)
	setPolicy(&w, `{"Version":"2012-10-17","Statement":[{"Sid":"XplanFreeze","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::tommy/*"}]}`)
	_, err := Compile(p, w)
	if err == nil || !strings.Contains(err.Error(), "a statement XplanFreeze is there and was not made by this plan") {
		t.Errorf("got %v, want a conflict", err)
	}
	clean, err := Cleanup(p, w)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := clean.Step("cleanup.freeze/tommy"); ok {
		t.Errorf("got %+v, want it left alone", s)
	}
}

func TestTheAdministratorMayDeleteAndNothingElse(t *testing.T) {
	p, w := cuts(plan.Always)
	p.CutOver.Exempt = []string{"arn:aws:iam::123456789012:role/ops/auditor"}
	p.Buckets[0].Cleanup.SourceObjects = plan.AfterVerify
	doc := policy.Document{Version: policy.Version2012, Statements: freezeStatements(p, w, "tommy")}
	admin := policy.Principal{Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/admin/else", Issuer: "arn:aws:iam::123456789012:role/admin", UserID: "AROAADMIN:else"}
	auditor := policy.Principal{Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/auditor/x", Issuer: "arn:aws:iam::123456789012:role/ops/auditor", UserID: "AROAAUDIT:x"}
	writer := policy.Principal{Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/app", UserID: "AIDAAPP"}
	all := []policy.Document{{Version: policy.Version2012, Statements: []policy.Statement{{Effect: policy.Allow, Action: []string{"s3:*"}, Resource: []string{"*"}}}}}
	for _, c := range []struct {
		who    policy.Principal
		action string
		key    string
		may    bool
	}{
		{admin, "s3:DeleteObject", "a", true},
		{admin, "s3:PutObject", "a", false},
		{auditor, "s3:PutObject", "a", true},
		{auditor, "s3:DeleteObject", "a", true},
		{writer, "s3:DeleteObject", "a", false},
		{writer, "s3:PutObject", "a", false},
		{writer, "s3:PutObjectTagging", "a", false},
		{writer, "s3:GetObject", "a", true},
	} {
		got := policy.Evaluate(policy.Request{
			Principal: c.who, Action: c.action, Resource: "arn:aws:s3:::tommy/" + c.key, ResourceAccount: "123456789012",
			Identity: all, ResourcePolicy: &doc,
		})
		if got.Allowed != c.may {
			t.Errorf("%s by %s: %s, want it let through: %v", c.action, c.who.ARN, got.Label(), c.may)
		}
	}
}

func TestAFreezeNeedsRoomInThePolicy(t *testing.T) {
	p, w := cuts(plan.Always)
	setPolicy(&w, `{"Version":"2012-10-17","Statement":[{"Sid":"Long","Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/`+strings.Repeat("x", policy.BucketPolicyLimit-500)+`"}]}`)
	_, err := Compile(p, w)
	if err == nil || !strings.Contains(err.Error(), "with the statement that freezes the bucket it") {
		t.Errorf("got %v, want the limit", err)
	}
}

func TestADeletionIsFrozenAlsoWhereNothingIsToBeCopied(t *testing.T) {
	p, w := cuts(plan.Always)
	p.Buckets[0].Cleanup.SourceObjects = plan.AfterVerify
	w.Buckets[BucketRef{plan.Destination, "tommy-b"}] = secure("us-west-2")
	w.Copies[p.Buckets[0].ID()] = CopyFacts{Known: true, Listed: Count{3, 3}, Same: Count{3, 3}, SameBy: map[string]Count{"etag": {3, 3}}}
	prog := compiled(t, p, w)
	lift, _ := prog.Step("cleanup.freeze/tommy")
	if _, ok := prog.Step("copy.final/tommy/→tommy-b/"); !ok || !slices.Contains(lift.After, "cleanup.source_objects/tommy/→tommy-b/") {
		t.Errorf("it is not frozen until its deletion is done:\n%s", outline(prog))
	}
}
