// Package null is an S3 server on the loopback interface that costs next to nothing, so
// that what is measured against it is the client. It is for benchmarks only.
//
// It holds two buckets over one [Namespace] of computed keys: "src" has all of them, and
// "dst" those that were written to it, as one bit a key. No byte of an object is kept, and
// no signature is looked at. Requests are parsed by hand from the connection's buffer;
// a page of a listing is appended to one that is used again.
//
// It answers late by [Latency], refuses copies above a rate for each first path segment as
// S3 refuses them per prefix, fails a share of the requests by seed, and accounts for
// every write: what is lost, written twice, or never was a key ([Stats]).
//
// What it does not do: versions, ACLs, encryption, conditions on the destination, and
// checking that a client may do what it does.
package null
