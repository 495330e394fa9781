package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestAnExportHasEveryRecordWithEveryField(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "tommy"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "tommy", fileDatabase), lived(t), 0o600))
	db, err := Read(dir, "tommy")
	must(t, err)
	defer db.Close()
	var out bytes.Buffer
	must(t, db.Export(&out))
	lines := map[string][]map[string]any{}
	for line := range strings.Lines(out.String()) {
		var v map[string]any
		must(t, json.Unmarshal([]byte(line), &v))
		kind, _ := v["type"].(string)
		lines[kind] = append(lines[kind], v)
	}
	for kind, n := range map[string]int{"state": 1, "run": 1, "step": 1, "ownership": 2, "tally": 1, "range": 60, "failure": 60, "upload": 1} {
		if len(lines[kind]) != n {
			t.Errorf("%d lines of type %s, want %d", len(lines[kind]), kind, n)
		}
	}
	optional := map[string]bool{"summary": true, "detail": true, "before": true, "since": true}
	for kind, value := range map[string]any{
		"run": Run{}, "step": StepRecord{}, "ownership": Owned{}, "range": Range{}, "failure": Failure{}, "upload": Upload{}, "tally": Tally{},
	} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(value)) {
			if _, ok := lines[kind][0][snake(f.Name)]; !ok && !optional[snake(f.Name)] {
				t.Errorf("the line of a %s lacks %s: %v", kind, snake(f.Name), lines[kind][0])
			}
		}
	}
	if plan, ok := lines["run"][0]["plan"].(map[string]any); !ok || plan["name"] != "tommy" {
		t.Errorf("the plan of a run is %v", lines["run"][0]["plan"])
	}
}

// lived gives the bytes of a state in which a run has left something of everything.
func lived(tb testing.TB) []byte {
	tb.Helper()
	dir := tb.TempDir()
	db, err := Open(dir, "tommy")
	must(tb, err)
	must(tb, db.StartRun(Run{ID: "r", PlanName: "tommy", Plan: []byte(`{"name":"tommy"}`), Started: at(0)}))
	must(tb, db.PutStep("r", StepRecord{ID: "copy/a", Kind: "copy", Outcome: "done", Started: at(1), Ended: at(2)}))
	must(tb, db.Own(Owned{Kind: "iam.policy", Side: "destination", Subject: "arn", Digest: "d", Since: at(1)}))
	must(tb, db.Intend(Owned{Kind: "credentials", Side: "destination", Parent: "jo", Before: []string{"AKIAOLD"}, Since: at(1)}))
	for i := range 60 { // several pages of them
		b := Batch{Ranges: []Range{{ID: uint64(i), After: fmt.Sprintf("%04d", i), Through: fmt.Sprintf("%04d", i+1), Ended: true}}, Add: Tally{Listed: Count{1, 1}}}
		b.Failures = []Failure{{Key: fmt.Sprintf("key %d", i), Phase: "copy", Reason: "AccessDenied: no identity-based policy allows it", At: at(3)}}
		must(tb, db.Commit("job", b))
	}
	must(tb, db.PutUpload("job", Upload{Key: "big", ID: "id", ETag: "e", Size: 9, Part: 5, Started: at(1)}))
	must(tb, db.Close())
	b, err := os.ReadFile(filepath.Join(dir, "tommy", fileDatabase))
	must(tb, err)
	return b
}
