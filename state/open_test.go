package state

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func TestASecondOpenIsRefusedAndSaysWhoHolds(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	must(t, db.StartRun(Run{ID: "tommy-1", Started: at(0)}))
	begun := time.Now()
	_, err := Open(dir, "tommy")
	locked, ok := errors.AsType[*LockedError](err)
	if !ok {
		t.Fatalf("got %v, want it locked", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it waited %v", took)
	}
	h := locked.Holder
	if h.PID != os.Getpid() || h.Host == "" || h.RunID != "tommy-1" || time.Since(h.Since) > time.Minute {
		t.Errorf("holder %+v", h)
	}
	for _, want := range []string{"tommy", fmt.Sprint(os.Getpid()), h.Host, "tommy-1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %s", err, want)
		}
	}
	other, err := Open(dir, "another-plan")
	must(t, err)
	must(t, other.Close())
}

func TestAnotherProcessIsRefusedToo(t *testing.T) {
	const dirVariable = "XPLAN_TEST_STATE"
	if dir := os.Getenv(dirVariable); dir != "" {
		_, err := Open(dir, "tommy")
		fmt.Fprintf(os.Stderr, "child: %v\n", err)
		return
	}
	dir := t.TempDir()
	open(t, dir)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnotherProcessIsRefusedToo$")
	child.Env = append(os.Environ(), dirVariable+"="+dir)
	out, err := child.CombinedOutput()
	if want := fmt.Sprintf("locked by process %d", os.Getpid()); err != nil || !strings.Contains(string(out), want) {
		t.Errorf("child said %s (%v), want %q", out, err, want)
	}
}

func TestTheLockIsFreeAfterClose(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		db, err := Open(dir, "tommy")
		must(t, err)
		must(t, db.Close())
	}
	h, err := LockHolder(dir, "tommy")
	if err != nil || h != (Holder{}) {
		t.Errorf("after close %+v holds it (%v)", h, err)
	}
}

func TestALockWithoutKnownHolderIsStillSaid(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	must(t, os.WriteFile(filepath.Join(dir, "tommy", fileHolder), []byte("{torn"), 0o600))
	_, err := Open(dir, "tommy")
	if _, ok := errors.AsType[*LockedError](err); !ok || err.Error() != "state of tommy is locked by another process" {
		t.Errorf("got %v", err)
	}
}

// closed makes a state with something in it and returns the path of its file.
func closed(t *testing.T, dir string) string {
	t.Helper()
	db, err := Open(dir, "tommy")
	must(t, err)
	must(t, db.StartRun(Run{ID: "r", Plan: make([]byte, 100_000), Started: at(0)}))
	for i := range 50 {
		must(t, db.Commit("job", Batch{Failures: []Failure{{Key: fmt.Sprint(i), Reason: strings.Repeat("x", 500)}}}))
	}
	must(t, db.Close())
	return filepath.Join(dir, "tommy", fileDatabase)
}

func TestANewerFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	b, err := bbolt.Open(closed(t, dir), 0o600, nil)
	must(t, err)
	must(t, b.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketMeta)).Put([]byte(keyFormat), []byte{formatNewest + 1})
	}))
	must(t, b.Close())
	_, err = Open(dir, "tommy")
	newer, ok := errors.AsType[*VersionError](err)
	if !ok || newer.Got != formatNewest+1 || newer.Newest != formatNewest {
		t.Errorf("got %v", err)
	}
	// And the lock is not kept.
	_, err = Open(dir, "tommy")
	if _, ok := errors.AsType[*VersionError](err); !ok {
		t.Errorf("the second time %v", err)
	}
}

func TestANewerRecordIsRefused(t *testing.T) {
	db := open(t, t.TempDir())
	must(t, db.StartRun(Run{ID: "r", Started: at(0)}))
	must(t, db.bolt.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketRuns)).Put([]byte("r"), []byte{recordV2 + 1, 0, 0})
	}))
	_, err := db.Run("r")
	if _, ok := errors.AsType[*VersionError](err); !ok {
		t.Errorf("got %v", err)
	}
	if err := db.EndRun("r", at(1), Done, 0, nil); err == nil {
		t.Error("a newer record was overwritten")
	}
}

func TestADamagedFileSaysWhatToDo(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"text": func(t *testing.T, path string) {
			t.Helper()
			must(t, os.WriteFile(path, []byte(strings.Repeat("not a database\n", 2000)), 0o600))
		},
		"a few bytes": func(t *testing.T, path string) {
			t.Helper()
			must(t, os.WriteFile(path, []byte("short"), 0o600))
		},
		"cut in half": func(t *testing.T, path string) {
			t.Helper()
			info, err := os.Stat(path)
			must(t, err)
			must(t, os.Truncate(path, info.Size()/2))
		},
		"cut to its meta pages": func(t *testing.T, path string) { t.Helper(); must(t, os.Truncate(path, 8192)) },
		"both meta pages zeroed": func(t *testing.T, path string) {
			t.Helper()
			overwrite(t, path, 0, make([]byte, 8192))
		},
		"all behind the meta pages garbage": func(t *testing.T, path string) {
			t.Helper()
			info, err := os.Stat(path)
			must(t, err)
			overwrite(t, path, 8192, []byte(strings.Repeat("\xa5", int(info.Size()-8192))))
		},
		"another program's": func(t *testing.T, path string) {
			t.Helper()
			must(t, os.Remove(path))
			b, err := bbolt.Open(path, 0o600, nil)
			must(t, err)
			must(t, b.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("cache")); return err }))
			must(t, b.Close())
		},
		"without a bucket": func(t *testing.T, path string) {
			t.Helper()
			b, err := bbolt.Open(path, 0o600, nil)
			must(t, err)
			must(t, b.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucketOwned)) }))
			must(t, b.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			damage(t, closed(t, dir))
			db, err := Open(dir, "tommy")
			if err == nil {
				// Only reading can tell.
				_, err = db.Runs()
				err = errors.Join(err, errOf(db.Progress("job")))
				must(t, db.Close())
			}
			if _, ok := errors.AsType[*DamagedError](err); !ok {
				t.Fatalf("got %v, want it damaged", err)
			}
			for _, want := range []string{"state.db is damaged", "move the file away", "xplan cleanup"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func overwrite(t *testing.T, path string, offset int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(with, offset)
	must(t, errors.Join(err, f.Close()))
}

// TestAPageOfGarbageIsAnErrorAndNeverACrash damages each page in turn.
func TestAPageOfGarbageIsAnErrorAndNeverACrash(t *testing.T) {
	whole := t.TempDir()
	content, err := os.ReadFile(closed(t, whole))
	must(t, err)
	page := os.Getpagesize()
	for offset := 2 * page; offset < len(content); offset += page {
		for _, fill := range []string{"\x00", "\xff", "\x01\x02\x03\x04\x05\x06\x07\x08"} {
			dir := t.TempDir()
			must(t, os.Mkdir(filepath.Join(dir, "tommy"), 0o700))
			torn := append([]byte(nil), content...)
			copy(torn[offset:offset+page], strings.Repeat(fill, page))
			must(t, os.WriteFile(filepath.Join(dir, "tommy", fileDatabase), torn, 0o600))
			db, err := Open(dir, "tommy")
			if err != nil {
				continue
			}
			// What these say depends on the page; that they return is what is tested.
			_, errRuns := db.Runs()
			_, errProgress := db.Progress("job")
			errWrite := db.Commit("job", Batch{Failures: []Failure{{Key: "new"}}})
			if found := db.Check(); len(found) == 0 && errors.Join(errRuns, errProgress, errWrite) != nil {
				t.Errorf("page %d: check finds nothing, and yet %v", offset/page, errors.Join(errRuns, errProgress, errWrite))
			}
			must(t, db.Close())
		}
	}
}

func TestAfterDamageNothingIsWrittenAnyMore(t *testing.T) {
	db := open(t, t.TempDir())
	err := db.update("fail", func(*bbolt.Tx) error { panic("page 7: invalid") })
	if _, ok := errors.AsType[*DamagedError](err); !ok {
		t.Fatalf("got %v", err)
	}
	err = db.Commit("job", Batch{Ranges: []Range{{ID: 1}}})
	if _, ok := errors.AsType[*DamagedError](err); !ok {
		t.Errorf("a later write: %v", err)
	}
}

func TestAFolderThatCannotBeWrittenIsSaid(t *testing.T) {
	if os.Geteuid() == 0 {
		dir := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(dir, nil, 0o600))
		_, err := Open(dir, "tommy")
		if err == nil || !strings.Contains(err.Error(), "open state of tommy") {
			t.Errorf("got %v", err)
		}
		return
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o500))
	_, err := Open(dir, "tommy")
	if !errors.Is(err, ErrReadOnly) || !strings.Contains(err.Error(), "--state") {
		t.Errorf("got %v", err)
	}
}
