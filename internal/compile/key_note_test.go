package compile

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

func TestAKeysNoteComesBackAsItsRecord(t *testing.T) {
	since := time.Date(2026, 11, 23, 18, 51, 33, 0, time.UTC)
	made := Owned{Kind: KindCredentials, Side: plan.Destination, Parent: "jo", Subject: "AKIANEW"}
	intent := Owned{Kind: KindCredentials, Side: plan.Destination, Parent: "jo", Intent: true, Since: since, Before: []string{"AKIAOLD"}}
	for _, c := range []struct {
		name  string
		note  string
		there []AccessKey
		want  Owned
		ok    bool
	}{
		{"made and there", KeyNote(made), []AccessKey{{ID: "AKIAOLD"}, {ID: "AKIANEW"}}, made, true},
		{"made and gone", KeyNote(made), []AccessKey{{ID: "AKIAOLD"}}, made, false},
		{"meant, and one is newer", KeyNote(intent), []AccessKey{{ID: "AKIAOLD"}, {ID: "AKIANEW"}}, intent, true},
		{"meant, and none is newer", KeyNote(intent), []AccessKey{{ID: "AKIAOLD"}}, intent, false},
		{"no note", "", []AccessKey{{ID: "AKIANEW"}}, Owned{Kind: KindCredentials, Side: plan.Destination, Parent: "jo"}, false},
	} {
		got, ok := notedKey(c.note, "jo", c.there)
		if ok != c.ok || (ok && cmp.Diff(c.want, got) != "") {
			t.Errorf("%s: %v %s", c.name, ok, cmp.Diff(c.want, got))
		}
	}
}
