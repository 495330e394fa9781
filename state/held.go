package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// Held tells whether a process holds the plan's lock now. It looks by taking the lock
// for a moment, shared; a plan without state is held by nobody.
func Held(dir, name string) (bool, error) {
	folder, err := folderOf(dir, name)
	if err != nil {
		return false, err
	}
	db := &DB{dir: folder, path: filepath.Join(folder, fileDatabase), name: name}
	// An empty file is being made this moment; bbolt cannot open it for reading.
	if info, err := os.Stat(db.path); errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return false, nil
	}
	err = db.lock(&bbolt.Options{ReadOnly: true, Timeout: 10 * time.Millisecond})
	if _, held := errors.AsType[*LockedError](err); held {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the lock of %s: %w", name, err)
	}
	return false, db.bolt.Close()
}
