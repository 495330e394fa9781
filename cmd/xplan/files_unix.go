//go:build unix

package main

import "syscall"

// openFiles is how many files this process may have open at once; 0 where nothing tells. Go has raised it to the most
// that is allowed.
func openFiles() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	return uint64(l.Cur) //nolint:unconvert // it is signed on FreeBSD
}
