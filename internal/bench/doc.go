// Command bench runs xplan and its peers side by side against a server that costs nothing
// (package null), and writes what it measured to docs/benchmarks.
//
//	go run ./internal/bench                        the small set: make bench
//	go run ./internal/bench -scenarios fresh -keys 1000000 -rounds 3
//	go run ./internal/bench serve -shape dated -keys 1000000 -list 80ms
//
// A scenario is a key space, a latency, and a state of the destination. Each round runs every arm on
// it, each on a server that was reset, the order turned by one from round to round, so that a machine that grows
// warm or busy does so for all. Measured are wall time, CPU time and peak memory of the client's process,
// and, by the server, every request and every object that is lost or written twice.
//
// The arms are xplan, the peers found on PATH (s5cmd, rclone, aws), and the floor: a bare loop over
// net/http that is told the keys (package floor).
//
// What it does not measure: S3. Ratios between arms of one run count, not seconds.
package main
