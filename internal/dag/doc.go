// Package dag is a directed graph of things that come after one another: an
// order of it, a cycle where there is one, and which nodes are ready as others end.
//
// Order is Kahn's algorithm; among nodes that could come next it takes the one
// that was added first, so the same graph gives the same order. Cycle is a
// depth-first search that returns the path.
//
// The package knows nothing of what the nodes mean, starts no goroutine and
// takes no lock: a graph and its trackers belong to one goroutine.
package dag
