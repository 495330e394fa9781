// Package runner holds one executor.Runner per step kind: it turns a step's
// data into calls on the ports in ports.go, or into a job for the copy engine.
//
// Every runner reads before it writes and reads back after, is safe to run
// twice, and removes only what state says is owned. Where a repeat would do harm
// (a second access key, a second policy version) the intent is recorded first,
// then the effect, then the fact.
//
// Secrets never pass through here: a login is opened by a port, and what comes
// back opens clients, and prints as its public identity.
package runner
