//go:build unix && !linux

package main

import "syscall"

// guardMemory keeps what signs out of core files.
func guardMemory() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}
