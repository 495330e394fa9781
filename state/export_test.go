package state

import (
	"bytes"
	"encoding/json"
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
