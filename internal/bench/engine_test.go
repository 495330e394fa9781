package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"xplan/internal/awsapi"
	"xplan/internal/bench/floor"
	"xplan/internal/bench/null"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// serveFor tells this program, started again by itself, to be the server: so that neither its CPU time nor
// its memory stands in the profiles.
const serveFor = "XPLAN_BENCH_SERVE"

func TestMain(m *testing.M) {
	if args, ok := os.LookupEnv(serveFor); ok {
		serveUntilEnd(strings.Fields(args))
		return
	}
	m.Run()
}

// serveUntilEnd serves until its input ends.
func serveUntilEnd(args []string) {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is what counts
		stop()
	}()
	if err := serve(ctx, args, os.Stdout); err != nil {
		panic(err)
	}
}

// startServer gives the endpoint of a server in a process of its own.
func startServer(b *testing.B, args string) string {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(exe) //nolint:noctx // it ends with its input
	cmd.Env = append(os.Environ(), serveFor+"="+args)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := in.Close(); err != nil {
			b.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// tell asks the server for one of its own things.
func tell(b *testing.B, endpoint, what string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, endpoint+"/-/"+what, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		b.Fatal(err)
	}
}

// cpu is the process's CPU time.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perKey runs work b.N times and reports CPU time, allocations and bytes for each of n keys.
func perKey(b *testing.B, n int, before func(), work func() error) {
	b.Helper()
	var spent time.Duration
	var allocs, bytes uint64
	for b.Loop() {
		b.StopTimer()
		before()
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		begun := cpu(b)
		b.StartTimer()
		if err := work(); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		spent += cpu(b) - begun
		runtime.ReadMemStats(&m1)
		allocs += m1.Mallocs - m0.Mallocs
		bytes += m1.TotalAlloc - m0.TotalAlloc
		b.StartTimer()
	}
	keys := float64(b.N) * float64(n)
	b.ReportMetric(float64(spent.Nanoseconds())/1000/keys, "cpu-µs/key")
	b.ReportMetric(float64(allocs)/keys, "allocs/key")
	b.ReportMetric(float64(bytes)/keys, "bytes/key")
}

const benchInFlight = 64

// engineJob is the product's engine and adapter, without its state.
func engineJob(b *testing.B, endpoint string, plain bool) (*s3copy.Engine, s3copy.Job) {
	b.Helper()
	b.Setenv("AWS_ACCESS_KEY_ID", "null")
	b.Setenv("AWS_SECRET_ACCESS_KEY", "null")
	a, err := awsapi.Open(b.Context(), plan.Account{Provider: plan.S3Compatible, EndpointURL: endpoint, Region: "us-east-1"}, awsapi.Options{InFlight: benchInFlight, Plain: plain})
	if err != nil {
		b.Fatal(err)
	}
	e, err := s3copy.New(s3copy.Limits{InFlight: benchInFlight})
	if err != nil {
		b.Fatal(err)
	}
	src := compile.Location{Bucket: null.Source, Region: "us-east-1"}
	return e, s3copy.Job{
		Mode: s3copy.Copy, Source: a.OpenSource(src), Destination: a.OpenDestination(compile.Location{Bucket: null.Destination, Region: "us-east-1"}, src),
		Rules: s3copy.Rules{StorageClass: "preserve", Tags: true},
	}
}

func clientArms(b *testing.B, shape string, n int, prepare string, bare func(*floor.Client, null.Namespace) error) {
	b.Helper()
	endpoint := startServer(b, "-shape "+shape+" -keys "+strconv.Itoa(n))
	keys, err := null.NewNamespace(shape, n, null.Sizes{})
	if err != nil {
		b.Fatal(err)
	}
	before := func() { tell(b, endpoint, prepare) }
	for _, unsigned := range []bool{true, false} {
		name := "floor"
		if unsigned {
			name = "unsigned-floor"
		}
		b.Run(name, func(b *testing.B) {
			c := floor.New(endpoint, null.Source, null.Destination, benchInFlight)
			c.Unsigned = unsigned
			perKey(b, n, before, func() error { return bare(c, keys) })
		})
	}
	if prepare == "reset" {
		b.Run("raw-floor", func(b *testing.B) {
			c := floor.New(endpoint, null.Source, null.Destination, benchInFlight)
			perKey(b, n, before, func() error { return c.CopyRaw(b.Context(), keys) })
		})
	}
	for name, plain := range map[string]bool{"xplan": false, "xplan-sdk": true} {
		b.Run(name, func(b *testing.B) {
			e, job := engineJob(b, endpoint, plain)
			perKey(b, n, before, func() error {
				s, err := e.Run(b.Context(), job)
				if got := s.Tally.Listed.Objects; err == nil && (got != int64(n) || s.Tally.Failed.Objects > 0) {
					b.Fatalf("%d of %d keys, %d failed", got, n, s.Tally.Failed.Objects)
				}
				return err
			})
		})
	}
}

// BenchmarkFreshCopy is the client's cost of a copied object.
func BenchmarkFreshCopy(b *testing.B) {
	clientArms(b, null.Hex, 20_000, "reset", func(c *floor.Client, keys null.Namespace) error { return c.Copy(b.Context(), keys) })
}

// BenchmarkResync is the client's cost of a compared key.
func BenchmarkResync(b *testing.B) {
	clientArms(b, null.Dated, 200_000, "fill", func(c *floor.Client, keys null.Namespace) error {
		_, err := c.Compare(b.Context(), keys)
		return err
	})
}
