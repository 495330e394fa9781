package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

const (
	formatNewest = 1
	lockWait     = time.Second
)

// A DB is the open state of one plan, and its lock. Safe for concurrent use;
// nothing may be called after Close.
type DB struct {
	bolt   *bbolt.DB
	dir    string // the plan's folder
	path   string // of the database
	name   string
	holder Holder

	reading bool // opened by Read: nothing is written, and no holder said

	mu         sync.Mutex // guards what follows
	queue      []*change
	committing bool
	broken     error // the file proved damaged: it is not written to again

	events  eventLog
	writing func() error // see BeforeWrite
	written func()       // see OnWrite
}

// An Option changes how Open opens.
type Option func(*DB)

// BeforeWrite calls f before every transaction that writes; its error stands for one of the disk's.
func BeforeWrite(f func() error) Option { return func(db *DB) { db.writing = f } }

// OnWrite calls f after every transaction that became durable, before its writers are told: where a
// process may die with something written that it does not know of yet.
func OnWrite(f func()) Option { return func(db *DB) { db.written = f } }

// Open takes the lock of a plan's state, which is made where there is none. It
// waits a second for the lock, then returns a *LockedError. Other typed errors:
// *VersionError, *DamagedError, *OtherPlanError, ErrFull, ErrReadOnly.
func Open(dir, name string, options ...Option) (*DB, error) {
	folder, err := folderOf(dir, name)
	if err != nil {
		return nil, err
	}
	if err := makePrivate(folder); err != nil {
		return nil, fmt.Errorf("open state of %s: %w", name, classify(err))
	}
	db := &DB{dir: folder, path: filepath.Join(folder, fileDatabase), name: name, writing: func() error { return nil }, written: func() {}}
	db.events.path = filepath.Join(folder, fileEvents)
	for _, o := range options {
		o(db)
	}
	if err := db.sound(); err != nil {
		return nil, err
	}
	if err := db.lock(&bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType}); err != nil {
		return nil, err
	}
	err = db.itsOwn()
	if err == nil {
		err = db.prepare()
	}
	if err != nil {
		return nil, errors.Join(err, db.bolt.Close())
	}
	return db, nil
}

// itsOwn refuses a state whose runs are another plan's: its file was moved or linked to, or the folder was. What cannot be read is
// told of when it is needed.
func (db *DB) itsOwn() error {
	fresh := true
	err := db.view("open state of "+db.name, func(tx *bbolt.Tx) (err error) {
		fresh, err = checkFormat(tx)
		return err
	})
	if err != nil || fresh {
		return err
	}
	if other, err := db.PlanName(); err == nil && other != db.name {
		return &OtherPlanError{Path: db.path, Plan: db.name, Other: other}
	}
	return nil
}

// sound follows the pages of a file that is there, before it is opened to be written: bbolt reads its list of free pages
// at once. Meanwhile it is locked for writers; whoever writes to it before we do is another xplan.
func (db *DB) sound() error {
	if info, err := os.Stat(db.path); err != nil || info.IsDir() || info.Size() == 0 {
		return nil //nolint:nilerr // new, or for bbolt to say
	}
	if err := db.lock(&bbolt.Options{ReadOnly: true, Timeout: lockWait}); err != nil {
		return err
	}
	_, err := db.follow()
	return errors.Join(err, db.bolt.Close())
}

// opened says what an error of bbolt.Open means.
func (db *DB) opened(err error) error {
	var damaged *DamagedError
	var pathErr *os.PathError
	switch {
	case errors.As(err, &damaged):
		return err
	case errors.Is(err, syscall.EISDIR):
		return &DamagedError{Path: db.path, What: "open", Err: errors.New("it is a folder")}
	case errors.As(err, &pathErr), isSyscall(err):
		return fmt.Errorf("open state of %s: %w", db.name, classify(err))
	default: // bbolt's own words for a file that is not one of its own, or is torn
		return &DamagedError{Path: db.path, What: "open", Err: err}
	}
}

// prepare checks the file, and makes what a new one lacks.
func (db *DB) prepare() error {
	var fresh bool
	err := db.view("open state of "+db.name, func(tx *bbolt.Tx) (err error) {
		fresh, err = checkFormat(tx)
		return err
	})
	if err == nil && fresh {
		err = db.update("make state of "+db.name, createFormat)
		syncFolder(db.dir)
		syncFolder(filepath.Dir(db.dir))
	}
	if err != nil {
		return err
	}
	return db.hold("")
}

// Name is the plan's.
func (db *DB) Name() string { return db.name }

// Close gives the lock back. No other call may be under way.
func (db *DB) Close() error {
	err := db.events.close()
	if db.reading {
		return errors.Join(err, db.bolt.Close())
	}
	if gone := os.Remove(filepath.Join(db.dir, fileHolder)); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return errors.Join(err, db.bolt.Close())
}

// folderOf is the folder of a plan. The name comes from a file of somebody's:
// it must not lead anywhere else.
func folderOf(dir, name string) (string, error) {
	if name == "" || name == "." || name == ".." || len(name) > 200 || !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\\x00") {
		return "", fmt.Errorf("state: %q cannot be the name of a plan", name)
	}
	return filepath.Join(dir, name), nil
}

// makePrivate makes a folder that only the user may enter.
func makePrivate(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(folder, 0o700)
	}
	return nil
}

// syncFolder makes the names in a folder durable: a synced file whose name is lost
// is lost too. Not every file system can; where it cannot, nothing is worse than before.
func syncFolder(folder string) {
	if f, err := os.Open(folder); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}
