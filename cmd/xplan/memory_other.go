//go:build !unix

package main

// guardMemory does nothing: Windows dumps no process unless it was told to.
func guardMemory() {}
