package awsapi

import (
	"syscall"
	"testing"
	"time"
)

// cpu is what this process has used.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		tb.Fatal(err)
	}
	var made, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &made, &ended, &kernel, &user); err != nil {
		tb.Fatal(err)
	}
	ticks := func(f syscall.Filetime) time.Duration { // of 100 ns
		return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
	}
	return ticks(kernel) + ticks(user)
}
