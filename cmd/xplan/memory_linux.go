package main

import "syscall"

// guardMemory keeps what signs out of core files, and the memory from the user's other processes: only root may trace this
// one from now on. What it starts is as always.
func guardMemory() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
}
