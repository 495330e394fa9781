package state

import (
	"testing"
	"time"
)

func TestWhatWasWrittenIsThereAfterReopening(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, "tommy")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.StartRun(Run{ID: "r1", PlanName: "tommy", Started: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := db.Commit("job", Batch{Ranges: []Range{{ID: 1, Done: "k"}}, Add: Tally{Copied: Count{1, 2}}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err = Open(dir, "tommy")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := db.Progress("job")
	if err != nil || len(p.Ranges) != 1 || p.Ranges[0].Done != "k" || p.Tally.Copied != (Count{1, 2}) {
		t.Errorf("progress %+v, %v", p, err)
	}
	if r, err := db.Last(); err != nil || r.Status != Running {
		t.Errorf("last run %+v, %v", r, err)
	}
}
