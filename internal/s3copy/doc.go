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
// Ranges are listed side by side. A worker that idles splits the range with most left, at
// a key guessed from those seen; the new range's first page tells whether the guess was
// good. Splits may cost a twelfth of the pages listed, and no key is merged twice or left
// out (docs/adr/0010).
//
// What fails is recorded, retried once when everything else is settled, and again by
// every later run of the job; it never ends a run. What ends one is that the listing
// cannot go on: no credentials, no bucket, no permission to list, no journal.
//
// An object is copied so that the copy can be compared afterwards: a multipart source
// by its own parts, so that the ETags are equal; a large object of one part by parts
// only where a checksum over the whole of it will prove the copy, else by one request,
// which keeps its ETag. So a second run finds everything the same without a copy. What
// is left (encrypted by KMS, and carrying no checksum) is copied again, unless
// [Job.Earlier] says that a finished run made it.
//
// Memory is bounded by the pages that may run ahead of the cursor, never by
// the number of keys. Nothing is guaranteed about an object that is written to
// while it is copied, except that the copy is of the version that was listed or
// a failure is reported.
package s3copy
