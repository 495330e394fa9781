// Command xplan copies S3 buckets across AWS accounts by a plan file that is
// reviewed, run, resumed, verified and cleaned up.
//
// Flags, wiring and exit codes are here; everything worth a unit test is below.
package main

import (
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
