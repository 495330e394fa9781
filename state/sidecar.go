package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	fileDatabase = "state.db"
	fileHolder   = "holder.json"
	fileStatus   = "status.json"
	fileEvents   = "events.jsonl"
	fileCancel   = "cancel"
)

// List returns the names of the plans that have state below dir, sorted.
func List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list state in %s: %w", dir, classify(err))
	}
	var names []string
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name(), fileDatabase)); e.IsDir() && err == nil {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// WriteStatus replaces a plan's status, which its readers see as a whole or not at all.
func WriteStatus(dir, name string, status []byte) error {
	return writeSidecar(dir, name, fileStatus, status)
}

// ReadStatus returns what WriteStatus wrote last, or ErrNotFound.
func ReadStatus(dir, name string) ([]byte, error) {
	return readSidecar(dir, name, fileStatus)
}

// RequestCancel asks the process that runs the plan to stop gracefully. Only the
// run that is named obeys; an empty run means whichever runs.
// A plan without state has no run: ErrNotFound.
func RequestCancel(dir, name, run string) error {
	folder, err := folderOf(dir, name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(folder, fileDatabase)); err != nil {
		return fmt.Errorf("state of %s: %w", name, ErrNotFound)
	}
	return writeSidecar(dir, name, fileCancel, []byte(run+"\n"))
}

// CancelRequested tells whether that run was asked to stop.
func CancelRequested(dir, name, run string) (bool, error) {
	b, err := readSidecar(dir, name, fileCancel)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	asked := strings.TrimSpace(string(b))
	return err == nil && (asked == "" || asked == run), err
}

// ClearCancel forgets a request to stop. A run does it when it starts.
func ClearCancel(dir, name string) error {
	folder, err := folderOf(dir, name)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(folder, fileCancel)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget a request to stop: %w", classify(err))
	}
	return nil
}

// LockHolder returns who held the plan's lock last, as far as is known; only a
// *LockedError tells that it is held now.
func LockHolder(dir, name string) (Holder, error) {
	folder, err := folderOf(dir, name)
	if err != nil {
		return Holder{}, err
	}
	return readHolder(folder), nil
}

func writeSidecar(dir, name, file string, b []byte) error {
	folder, err := folderOf(dir, name)
	if err != nil {
		return err
	}
	if err := makePrivate(folder); err != nil {
		return fmt.Errorf("write %s of %s: %w", file, name, classify(err))
	}
	if err := replace(filepath.Join(folder, file), b); err != nil {
		return fmt.Errorf("write %s of %s: %w", file, name, classify(err))
	}
	return nil
}

func readSidecar(dir, name, file string) ([]byte, error) {
	folder, err := folderOf(dir, name)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(folder, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s of %s: %w", file, name, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", file, name, classify(err))
	}
	return b, nil
}

// replace writes a file beside path and puts it in its place. It is not synced:
// what is written so can be lost with the machine, not torn by readers.
func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// holderFile is the version 1 of holder.json.
type holderFile struct {
	Version int       `json:"version"`
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
	Run     string    `json:"run,omitempty"`
}

// hold says in the sidecar that this process holds the lock.
func (db *DB) hold(run string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	db.mu.Lock()
	if db.holder.PID == 0 {
		db.holder = Holder{PID: os.Getpid(), Host: host, Since: time.Now().UTC()}
	}
	db.holder.RunID = run
	h := db.holder
	db.mu.Unlock()
	b, err := json.Marshal(holderFile{Version: 1, PID: h.PID, Host: h.Host, Since: h.Since, Run: h.RunID})
	if err == nil {
		err = replace(filepath.Join(db.dir, fileHolder), b)
	}
	if err != nil {
		return fmt.Errorf("say who holds the lock of %s: %w", db.name, classify(err))
	}
	return nil
}

// readHolder returns the zero Holder where nothing readable stands.
func readHolder(folder string) Holder {
	var h holderFile
	b, err := os.ReadFile(filepath.Join(folder, fileHolder))
	if err != nil || json.Unmarshal(b, &h) != nil || h.Version != 1 {
		return Holder{}
	}
	return Holder{PID: h.PID, Host: h.Host, Since: h.Since, RunID: h.Run}
}
