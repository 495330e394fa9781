//go:build !windows

package state

import (
	"errors"
	"os"
	"syscall"
)

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// rename puts a file in another's place.
func rename(from, to string) error { return os.Rename(from, to) }
