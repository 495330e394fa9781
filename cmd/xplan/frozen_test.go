package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/view"
	"xplan/state"
)

func TestASourceIsSettledFromTheRunThatLeftItFrozen(t *testing.T) {
	t.Parallel()
	ended := time.Now().UTC()
	frozen := []compile.Owned{{Kind: compile.KindFreeze, Subject: "tommy", Since: ended.Add(-time.Minute)}}
	for name, c := range map[string]struct {
		outcome executor.Outcome
		state   state.RunStatus
		owned   []compile.Owned
		want    []string
	}{
		"it waits":                        {executor.Waiting, state.Waiting, frozen, []string{"tommy"}},
		"objects of another source fail":  {executor.Waiting, state.FinishedWithFailures, frozen, []string{"tommy"}},
		"it was lifted":                   {executor.Waiting, state.Waiting, nil, nil},
		"it was frozen again since":       {executor.Waiting, state.Waiting, []compile.Owned{{Kind: compile.KindFreeze, Subject: "tommy", Since: ended.Add(time.Minute)}}, nil},
		"the run lifted it, or tried to":  {executor.Done, state.Done, frozen, nil},
		"another source is frozen, alone": {executor.Waiting, state.Waiting, []compile.Owned{{Kind: compile.KindFreeze, Subject: "tom", Since: ended.Add(-time.Minute)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := state.Open(t.TempDir(), "cut")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			end, err := json.Marshal(view.End{At: ended, Steps: []view.StepRow{{ID: "cleanup.freeze/tommy", Kind: "cleanup.freeze", Outcome: c.outcome}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.StartRun(state.Run{ID: "cut-20260101T000000Z-abcd", PlanName: "cut", Started: ended}); err != nil {
				t.Fatal(err)
			}
			if err := db.EndRun("cut-20260101T000000Z-abcd", ended, c.state, 0, end); err != nil {
				t.Fatal(err)
			}
			got, err := settled(db, c.owned)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("settled: %v (%v), want %v", got, err, c.want)
			}
		})
	}
}

func TestTheStatusOfADeadRunTellsWhatItFroze(t *testing.T) {
	t.Parallel()
	for want, record := range map[string]func(*state.DB, state.Owned) error{
		"! tommy is frozen since": (*state.DB).Own, "! tommy may be frozen since": (*state.DB).Intend,
	} {
		dir := t.TempDir()
		db, err := state.Open(dir, "cut")
		if err != nil {
			t.Fatal(err)
		}
		o := state.Owned{Kind: string(compile.KindFreeze), Side: "source", Subject: "tommy", Parent: "XplanFreezeCut", Since: time.Now()}
		if err := record(db, o); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		// What it wrote last was written before it froze anything.
		if err := state.WriteStatus(dir, "cut", []byte(`{"format":1,"plan":"cut","run":"cut-20260101T000000Z-abcd","state":"running"}`)); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if code := run([]string{"status", "--state", dir}, nil, &out, &out); code != exitDone || !strings.Contains(out.String(), want) {
			t.Errorf("exit status %d, want %q in:\n%s", code, want, out.String())
		}
	}
}
