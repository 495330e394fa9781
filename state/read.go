package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Read opens a plan's state to be read: nothing of it changes, and what would write fails. Beside a run it is a
// *LockedError; several may read at once. A plan without state, or with nothing in it yet, is ErrNotFound. Otherwise as Open.
func Read(dir, name string) (*DB, error) {
	folder, err := folderOf(dir, name)
	if err != nil {
		return nil, err
	}
	db, err := ReadFile(filepath.Join(folder, fileDatabase))
	if err != nil {
		return nil, err
	}
	if err := db.itsOwn(); err != nil {
		return nil, errors.Join(err, db.bolt.Close())
	}
	return db, nil
}

// ReadFile is Read for a state file wherever it is, such as a copy or one that was moved away.
func ReadFile(path string) (*DB, error) {
	dir := filepath.Dir(path)
	db := &DB{path: path, dir: dir, name: filepath.Base(dir), reading: true, writing: func() error { return nil }, written: func() {}}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("state file %s: %w", path, ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("read state of %s: %w", db.name, classify(err))
	case info.IsDir():
		return nil, db.opened(&os.PathError{Op: "open", Path: path, Err: syscall.EISDIR})
	case info.Size() == 0: // it is being made this moment, or its maker died
		return nil, nothingYet(path)
	}
	if err := db.lock(&bbolt.Options{ReadOnly: true, Timeout: lockWait}); err != nil {
		return nil, err
	}
	if _, err = db.follow(); err == nil {
		err = db.formed()
	}
	if err != nil {
		return nil, errors.Join(err, db.bolt.Close())
	}
	return db, nil
}

// PlanName is the plan's as its runs have it: a file that was moved stands in another folder. Without runs it is Name.
func (db *DB) PlanName() (string, error) {
	last, err := db.Last()
	switch {
	case errors.Is(err, ErrNotFound), err == nil && last.PlanName == "":
		return db.name, nil
	case err != nil:
		return "", err
	}
	return last.PlanName, nil
}

// formed wants the layout that this program knows.
func (db *DB) formed() error {
	return db.view("read state of "+db.name, func(tx *bbolt.Tx) error {
		fresh, err := checkFormat(tx)
		if err == nil && fresh {
			err = nothingYet(db.path)
		}
		return err
	})
}

// Path is where a plan's state file is, if there is one; for a name that none can have it is no file's.
func Path(dir, name string) string {
	folder, err := folderOf(dir, name)
	if err != nil {
		return filepath.Join(dir, "?", fileDatabase)
	}
	return filepath.Join(folder, fileDatabase)
}

// Layout is the newest layout of the file that this program knows, and the one that it writes.
const Layout = formatNewest

func nothingYet(path string) error {
	return fmt.Errorf("state file %s: nothing was recorded in it yet: %w", path, ErrNotFound)
}

// lock opens the file with bbolt, which takes its lock.
func (db *DB) lock(options *bbolt.Options) error {
	err := db.guard("open", func() (err error) {
		db.bolt, err = bbolt.Open(db.path, 0o600, options)
		return err
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, berrors.ErrTimeout):
		return &LockedError{Name: db.name, Holder: readHolder(db.dir)}
	default:
		return db.opened(err)
	}
}
