package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNoBitThatFlipsIsMoreThanAnError flips one bit after the other, at many positions.
func TestNoBitThatFlipsIsMoreThanAnError(t *testing.T) {
	v := newVictim(t)
	var filled []int // what is zero is mostly free, or the upper half of a number
	for at, b := range v.content {
		if b != 0 {
			filled = append(filled, at)
		}
	}
	step := max(1, len(filled)/sweeps())
	for i := 0; i < len(filled); i += step {
		at, bit := filled[i], v.tried%8
		v.suffer(fmt.Sprintf("bit %d of byte %d flipped", bit, at), func(b []byte) []byte { b[at] ^= 1 << bit; return b })
	}
	v.log("bits flipped")
}

// sweeps is how many positions are tried: XPLAN_TEST_SWEEP=all tries all of them, and 4,096 places to cut.
func sweeps() int {
	if os.Getenv("XPLAN_TEST_SWEEP") == "all" {
		return 1 << 24
	}
	return 400
}

func TestAFileCutShortAnywhereIsAnError(t *testing.T) {
	v := newVictim(t)
	for size := 1; size < len(v.content); size += max(1, len(v.content)/(min(sweeps(), 1<<14)/4)) {
		if found := v.suffer(fmt.Sprintf("cut to %d bytes", size), func(b []byte) []byte { return b[:size] }); !found && size < len(v.content)/2 {
			t.Errorf("cut to %d of %d bytes, it was used", size, len(v.content))
		}
	}
	v.log("places where the file is cut short")
}

func TestWhatIsNoFileInItsPlaceSaysWhatToDo(t *testing.T) {
	for name, arrange := range map[string]func(dir string) error{
		"a folder": func(dir string) error { return os.MkdirAll(filepath.Join(dir, "tommy", fileDatabase), 0o700) },
		"a file for the plan's folder": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "tommy"), []byte("x"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, arrange(dir))
			_, err := Open(dir, "tommy")
			wantWords(t, err, "move")
			if name == "a folder" {
				_, err = Read(dir, "tommy")
				wantWords(t, err, "it is a folder", "move the file away")
			}
		})
	}
}

func TestAFullDiskIsOneClearErrorAndThenItGoesOn(t *testing.T) {
	full := false
	db, err := Open(t.TempDir(), "tommy", BeforeWrite(func() error {
		if full {
			return &os.PathError{Op: "write", Path: "state.db", Err: syscall.ENOSPC}
		}
		return nil
	}))
	must(t, err)
	full = true
	err = db.Commit("job", Batch{Ranges: []Range{{ID: 1}}})
	if !errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	wantWords(t, err, "no space left for the state", "make room")
	full = false
	must(t, db.Commit("job", Batch{Ranges: []Range{{ID: 1}}}))
	must(t, db.Close())
}

func TestReadingChangesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir, "tommy"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of a plan without state: %v", err)
	}
	content := lived(t)
	must(t, os.Mkdir(filepath.Join(dir, "tommy"), 0o700))
	path := filepath.Join(dir, "tommy", fileDatabase)
	must(t, os.WriteFile(path, nil, 0o600))
	if _, err := Read(dir, "tommy"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of one that is being made: %v", err)
	}
	must(t, os.Remove(path))
	must(t, os.WriteFile(path, content, 0o400))
	one, err := Read(dir, "tommy")
	must(t, err)
	two, err := ReadFile(path) // several may
	must(t, err)
	if found := errors.Join(one.Check()...); found != nil {
		t.Error(found)
	}
	if err := two.Disown(OwnedKey{Kind: "iam.policy"}); err == nil {
		t.Error("it was written to")
	}
	must(t, errors.Join(one.Close(), two.Close()))
	now, err := os.ReadFile(path)
	must(t, err)
	names, err := os.ReadDir(filepath.Join(dir, "tommy"))
	must(t, err)
	if string(now) != string(content) || len(names) != 1 {
		t.Errorf("%d bytes became %d, and there are %v", len(content), len(now), names)
	}
	must(t, os.Chmod(path, 0o600))
	open(t, dir)
	_, err = Read(dir, "tommy")
	if locked, ok := errors.AsType[*LockedError](err); !ok || locked.Holder.PID != os.Getpid() {
		t.Errorf("beside a run: %v", err)
	}
}

func wantWords(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}
