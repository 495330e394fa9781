package state

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// ErrNotFound says that there is no such run.
var ErrNotFound = errors.New("not found")

// ErrFull says that the disk, or the user's quota on it, is full.
var ErrFull = errors.New("no space left for the state")

// ErrReadOnly says that the state's folder cannot be written.
var ErrReadOnly = errors.New("state is not writable")

// A Holder is the process that holds a plan's lock. The zero value means that it is not known.
type Holder struct {
	PID   int
	Host  string
	Since time.Time
	RunID string // empty before a run is started
}

// A LockedError says that another process runs this plan.
type LockedError struct {
	Name   string // the plan's
	Holder Holder
}

func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("state of %s is locked by another process", e.Name)
	}
	s := fmt.Sprintf("state of %s is locked by process %d on %s since %s",
		e.Name, e.Holder.PID, e.Holder.Host, e.Holder.Since.UTC().Format(time.RFC3339))
	if e.Holder.RunID != "" {
		s += " (run " + e.Holder.RunID + ")"
	}
	return s + ": wait for its end, or stop it with xplan cancel"
}

// A VersionError says that a newer xplan wrote this. It is never guessed at.
type VersionError struct {
	What        string // "state file", or a record's kind
	Got, Newest byte
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has version %d, this xplan knows none above %d: use the newer xplan that wrote it", e.What, e.Got, e.Newest)
}

// A DamagedError says that the file, or a record in it, cannot be what xplan wrote.
type DamagedError struct {
	Path string // of the file; empty where only a record is known
	What string // what was being read
	Err  error
}

func (e *DamagedError) Error() string {
	s := "state is damaged"
	if e.Path != "" {
		s = "state file " + e.Path + " is damaged"
	}
	s += ": " + e.What
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Path != "" {
		s += "; move the file away and apply again, with --take-over if its run died: what stands already is recognised, and `xplan cleanup` finds by their tags what earlier runs made"
	}
	return s
}

func (e *DamagedError) Unwrap() error { return e.Err }

// An OtherPlanError says that the state in a plan's folder is another plan's: what that one owns is not this one's to remove.
type OtherPlanError struct {
	Path        string // of the file
	Plan, Other string // whose folder it is, and whose state
}

func (e *OtherPlanError) Error() string {
	return fmt.Sprintf("state file %s, in the folder of the plan %s, is the state of the plan %s: move it to that plan's folder and apply again; "+
		"without a state of its own %[2]s finds what it made by its tags, and wants --take-over where a run of it died", e.Path, e.Plan, e.Other)
}

// classify gives an error of the operating system its meaning.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err):
		return fmt.Errorf("%w (make room there, then the same command goes on): %w", ErrFull, err)
	case errors.Is(err, fs.ErrPermission), isReadOnly(err):
		return fmt.Errorf("%w (choose another place with --state): %w", ErrReadOnly, err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("a file stands where the state's folder belongs (move it away, or choose another place with --state): %w", err)
	default:
		return err
	}
}
