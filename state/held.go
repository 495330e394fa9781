package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Held tells whether a process holds the plan's lock now. It looks by taking the lock
// for a moment, shared; a plan without state is held by nobody.
func Held(dir, name string) (bool, error) {
	folder, err := folderOf(dir, name)
	if err != nil {
		return false, err
	}
	path := filepath.Join(folder, fileDatabase)
	// An empty file is being made this moment; bbolt cannot open it for reading.
	if info, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return false, nil
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: 10 * time.Millisecond})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("look at the lock of %s: %w", name, classify(err))
	}
	return false, db.Close()
}
