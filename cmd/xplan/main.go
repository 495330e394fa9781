// Command xplan copies S3 buckets across AWS accounts by a plan file that is
// reviewed, run, resumed, verified and cleaned up.
//
// Flags, wiring and exit codes are here; everything worth a unit test is below.
package main

import (
	"io"
	"log"
	"os"
)

func main() {
	// xplan says nothing by the standard logger, and the standard library says too much: of a connection by HTTP/2 under
	// GODEBUG=http2debug all headers and bodies, and what a server sends unasked. Both may hold secrets.
	log.SetOutput(io.Discard)
	guardMemory()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
