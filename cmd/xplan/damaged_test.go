package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xplan/state"
)

// TestADamagedStateIsAnErrorInEveryCommand has a state's pages lead in a circle, out of the file, and to nothing, and
// gives every command that reads it.
func TestADamagedStateIsAnErrorInEveryCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "tommy.xplan.yaml")
	example, err := os.ReadFile("../../examples/tommy.xplan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	database := state.Path(filepath.Join(dir, ".xplan"), "tommy-to-b")
	sound := stateWithATree(t, filepath.Join(dir, ".xplan"))
	for name, damage := range map[string]func(b []byte){
		"in a circle":     func(b []byte) { eachChild(b, func(page uint64) uint64 { return page }) },
		"out of the file": func(b []byte) { eachChild(b, func(uint64) uint64 { return 1 << 40 }) },
		"to nothing":      func(b []byte) { clear(b[2*os.Getpagesize():]) },
		"to meta pages":   func(b []byte) { eachChild(b, func(uint64) uint64 { return 1 }) },
	} {
		damaged := append([]byte(nil), sound...)
		damage(damaged)
		for _, err := range []error{os.WriteFile(file, example, 0o600), os.WriteFile(database, damaged, 0o600)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, command := range [][]string{
			{"state", "check", file},
			{"state", "export", file},
			{"plan", file},
			{"apply", file, "--yes"},
			{"cleanup", file, "--yes"},
			{"resume", "--state", filepath.Join(dir, ".xplan")},
			{"runs", "--state", filepath.Join(dir, ".xplan")},
		} {
			var out, said bytes.Buffer
			status := run(command, strings.NewReader(""), &out, &said)
			told := said.String()
			if status != exitError || !strings.Contains(told, "is damaged: ") || !strings.Contains(told, "move the file away and apply again") || strings.Contains(told, "goroutine ") {
				t.Errorf("pages that lead %s: %v: exit status %d:\n%s", name, command, status, told)
			}
		}
		if now, err := os.ReadFile(database); err != nil || !bytes.Equal(now, damaged) {
			t.Errorf("the damaged file was written to (%v)", err)
		}
	}
}

// stateWithATree gives the bytes of a state whose failures take more than a page.
func stateWithATree(t *testing.T, dir string) []byte {
	t.Helper()
	db, err := state.Open(dir, "tommy-to-b")
	if err == nil {
		err = db.StartRun(state.Run{ID: "r", PlanName: "tommy-to-b"})
	}
	var failures []state.Failure
	for i := range 200 {
		failures = append(failures, state.Failure{Key: fmt.Sprint(i), Reason: strings.Repeat("denied ", 20)})
	}
	if err == nil {
		err = db.Commit("tommy/→tommy-b/", state.Batch{Failures: failures})
	}
	if err == nil {
		err = db.Close()
	}
	b, errRead := os.ReadFile(state.Path(dir, "tommy-to-b"))
	if err != nil || errRead != nil {
		t.Fatal(err, errRead)
	}
	return b
}

// eachChild changes where the branches of bbolt's trees lead.
func eachChild(b []byte, to func(page uint64) uint64) {
	size := os.Getpagesize()
	for page := 2; page < len(b)/size; page++ {
		at := b[page*size:]
		if binary.LittleEndian.Uint16(at[8:]) != 1 { // no branch
			continue
		}
		for i := range int(binary.LittleEndian.Uint16(at[10:])) {
			binary.LittleEndian.PutUint64(at[16+16*i+8:], to(uint64(page)))
		}
	}
}
