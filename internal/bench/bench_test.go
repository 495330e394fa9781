package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xplan/internal/bench/null"
)

func TestXplanIsMeasuredAndTheTableWritten(t *testing.T) {
	dir := t.TempDir()
	args := []string{"-arms", "xplan", "-scenarios", "fresh,resume,resync-hostile,faults", "-keys", "3000", "-rounds", "1", "-out", dir, "-name", "small", "-list", "5ms", "-copy", "5ms"}
	if err := measure(t.Context(), args, io.Discard); err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(dir, "small.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.SplitSeq(string(table), "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) != 13 || !strings.HasPrefix(line, "| xplan |") {
			continue
		}
		rows++
		if lost, exit := cells[10], cells[12]; lost != "0" || exit != "0 |" {
			t.Errorf("objects are lost, or the run failed: %s", line)
		}
	}
	if rows != 4 {
		t.Errorf("%d rows, not 4, in\n%s", rows, table)
	}
	if _, err := os.Stat(filepath.Join(dir, "small.json")); err != nil {
		t.Error(err)
	}
}

func TestScenariosAreChosenByName(t *testing.T) {
	all := scenarios(options{keys: 100})
	some, err := choose(all, "large,resync-*")
	if err != nil || len(some) != 1+len(null.Shapes()) || some[0].Name != "large" {
		t.Errorf("chosen: %v, %v", names(some), err)
	}
	if _, err := choose(all, "larg"); err == nil {
		t.Error("half a name chooses")
	}
}

func TestTheMiddleRoundIsShown(t *testing.T) {
	s := scenario{Keys: 10}
	mine := make([]result, 0, 3)
	for _, wall := range []time.Duration{3, 1, 2} {
		mine = append(mine, result{Wall: wall * time.Second, CPU: 100 * time.Microsecond, Exit: "0", Stats: null.Stats{Keys: 10, Present: 9}})
	}
	if got := row("xplan", s, mine); !strings.HasPrefix(got, "| xplan | 2.00 (1.00–3.00) | 10.0 |") || !strings.Contains(got, "| 1 | 0 | 0 |") {
		t.Error(got)
	}
}

func TestACommandNamesNobodysFolders(t *testing.T) {
	got := withoutPaths([]string{"-arms", "floor,xplan=/somewhere/xplan", "-out", "/somewhere/else", "-keys", "10"})
	if got != "-arms floor,xplan=… -keys 10" {
		t.Error(got)
	}
}
