package state

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// What Windows says where others say ENOSPC, EDQUOT and EROFS.
const (
	errHandleDiskFull = syscall.Errno(39)
	errDiskFull       = syscall.Errno(112)
	errDiskQuota      = syscall.Errno(1295)
	errWriteProtect   = syscall.Errno(19)
	errSharing        = syscall.Errno(32)
)

func isFull(err error) bool {
	return errors.Is(err, errDiskFull) || errors.Is(err, errHandleDiskFull) || errors.Is(err, errDiskQuota)
}

func isReadOnly(err error) bool { return errors.Is(err, errWriteProtect) }

// rename puts a file in another's place. While somebody reads the other one Windows refuses it: a reader is done in no time.
func rename(from, to string) error {
	for try := 0; ; try++ {
		err := os.Rename(from, to)
		if try == 50 || !errors.Is(err, errSharing) && !errors.Is(err, os.ErrPermission) {
			return err
		}
		<-time.After(10 * time.Millisecond)
	}
}
