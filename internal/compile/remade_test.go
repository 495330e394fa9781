package compile

import (
	"strings"
	"testing"

	"xplan/plan"
)

// What stands under the name of what the plan made, with another unique ID and without its tag, is somebody else's.
func TestWhatWasMadeAgainByHandIsNotOursByItsRecord(t *testing.T) {
	p, w := tommy(), fresh()
	p.Principal.Create = true
	destination(w, func(b *Bucket) { *b = secure("us-west-2") })
	w.Copies[onlyPair] = same3()
	w.Principal.UserID = "AIDA2"
	w.Policies = []ManagedPolicy{{Exists: true, ARN: tommysPolicy, Name: policyName(tommysPolicy), ID: "ANPA2", Document: `{"Version":"2012-10-17","Statement":[]}`}}
	w.Owned = []Owned{
		{Kind: KindPrincipal, Side: plan.Destination, Subject: w.Principal.ARN, Before: UniqueID("AIDA1")},
		{Kind: KindPolicy, Side: plan.Destination, Subject: tommysPolicy, Before: UniqueID("ANPA1")},
	}
	prog := compiled(t, p, w)
	for _, id := range []plan.StepID{id(KindCleanPrincipal, "user/misterrodgers"), id(KindCleanPolicy, policyName(tommysPolicy))} {
		if s, ok := prog.Step(id); !ok || !strings.Contains(s.Change.Note, "it stays, and the record of ours goes") {
			t.Errorf("%s: there is %t, with %q", id, ok, s.Change.Note)
		}
	}
	for _, record := range []Owned{{Before: UniqueID("AIDA2")}, {}, {Before: []string{"digest"}}} {
		if !record.KnownBy("AIDA2") {
			t.Errorf("%q is not known", record.Before)
		}
	}
}
