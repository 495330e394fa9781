//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// startOnTerminal needs Linux: the stories that use it stop elsewhere before they do.
func startOnTerminal(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("startty: no terminals on this system")
}
