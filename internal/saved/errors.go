package saved

import (
	"errors"
	"fmt"
)

// ErrNotSaved says that a file is something else than a saved plan.
var ErrNotSaved = errors.New("it is no saved plan: xplan plan FILE -o makes one")

// A BrokenError says that a file is a saved plan and cannot be used.
type BrokenError struct{ What string }

func (e *BrokenError) Error() string { return e.What + "; make it again with xplan plan FILE -o" }

// A NewerError says that a newer xplan made the file. It is never guessed at.
type NewerError struct {
	What string // "format 2", "a field that …"
	By   string // the version that made it; "" where it could not be read
}

func (e *NewerError) Error() string {
	by := "a newer xplan"
	if e.By != "" {
		by = "xplan " + e.By
	}
	return fmt.Sprintf("%s made it, and this one cannot read it (%s): use that one, or plan again", by, e.What)
}

func broken(format string, args ...any) error { return &BrokenError{fmt.Sprintf(format, args...)} }
