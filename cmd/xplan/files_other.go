//go:build !unix

package main

// openFiles is 0: nothing tells.
func openFiles() uint64 { return 0 }
