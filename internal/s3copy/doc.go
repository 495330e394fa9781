// Package s3copy is the copy engine: it lists two buckets by key ranges,
// compares them as a streaming merge, copies what differs on the server's side,
// and verifies each object by the copy's own answer or by checksums.
//
// It knows neither AWS nor the state file: buckets are reached through the
// ports in ports.go, and progress is handed to a [Journal]. With the copy
// switched off ([Scan]) it is the dry run, so a plan's counts are the run's.
//
//	for each open range:
//	    merge pages of source and destination, in byte order
//	    verdict per key: new, changed, same, skipped, unreadable (or extra)
//	    workers copy what is new or changed, and verify the answer
//	    when every key of the oldest page is settled, the cursor moves over it
//	    cursors, counts and failures are committed together
//
// Memory is bounded by the pages that may run ahead of the cursor, never by
// the number of keys. Nothing is guaranteed about an object that is written to
// while it is copied, except that the copy is of the version that was listed or
// a failure is reported.
package s3copy
