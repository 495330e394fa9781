package awsapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"xplan/internal/bench/null"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// serveNull has the test's binary be a server, so that what a benchmark measures of its own process is the client.
const serveNull = "XPLAN_TEST_SERVE_NULL"

const benchKeys = 20_000

func TestMain(m *testing.M) {
	if os.Getenv(serveNull) == "" {
		os.Exit(m.Run())
	}
	keys, err := null.NewNamespace(null.Dated, benchKeys, null.Sizes{})
	if err != nil {
		panic(err)
	}
	s, err := null.Start(context.Background(), "127.0.0.1:0", null.Config{Keys: keys})
	if err != nil {
		panic(err)
	}
	s.Fill(nil)
	fmt.Fprintln(os.Stdout, s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin) // until whoever started it is done
	os.Exit(0)
}

// startNull starts the server and gives its address, and its process's ID.
func startNull(tb testing.TB) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serveNull+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// openNull opens the server's buckets as those of an AWS account, with all safety headers.
func openNull(tb testing.TB, url string, o Options) *bucket {
	tb.Helper()
	settle(tb)
	a, err := Open(tb.Context(), plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-east-1", EndpointURL: url}, o)
	if err != nil {
		tb.Fatal(err)
	}
	return a.engine(
		compile.Location{Bucket: null.Destination, Region: "us-east-1", Account: accountB},
		compile.Location{Bucket: null.Source, Region: "us-east-1", Account: accountA},
	)
}

// cpu is what this process has used.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hotCalls are the requests of a run that there are many of.
func hotCalls() map[string]func(b *testing.B, at *bucket, key string, buf *[]s3copy.Object) error {
	return map[string]func(b *testing.B, at *bucket, key string, buf *[]s3copy.Object) error{
		"copy": func(b *testing.B, at *bucket, key string, _ *[]s3copy.Object) error {
			_, err := at.CopyObject(b.Context(), s3copy.CopyRequest{SourceKey: key, Key: key})
			return err
		},
		"head": func(b *testing.B, at *bucket, key string, _ *[]s3copy.Object) error {
			_, err := at.Head(b.Context(), s3copy.HeadRequest{Key: key, Checksums: true})
			return err
		},
		"tags": func(b *testing.B, at *bucket, key string, _ *[]s3copy.Object) error {
			_, err := at.Tags(b.Context(), key)
			return err
		},
		"list": func(b *testing.B, at *bucket, _ string, buf *[]s3copy.Object) error {
			page, err := at.ListPage(b.Context(), s3copy.PageRequest{}, *buf)
			*buf = page.Objects
			return err
		},
	}
}

// BenchmarkHotCalls measures the client alone, 64 requests in flight; a page of a list has 1,000 keys.
func BenchmarkHotCalls(b *testing.B) {
	url := startNull(b)
	keys, err := null.NewNamespace(null.Dated, benchKeys, null.Sizes{})
	if err != nil {
		b.Fatal(err)
	}
	for _, by := range []string{"plain", "lane"} {
		at := openNull(b, url, Options{Plain: by == "plain"})
		for _, what := range slices.Sorted(maps.Keys(hotCalls())) {
			benchmarkHotCall(b, by+"/"+what, at, keys, hotCalls()[what])
		}
	}
}

func benchmarkHotCall(b *testing.B, name string, at *bucket, keys null.Namespace, call func(*testing.B, *bucket, string, *[]s3copy.Object) error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32)
		var next atomic.Int64
		before := cpu(b)
		b.RunParallel(func(p *testing.PB) {
			var buf []s3copy.Object
			for p.Next() {
				if err := call(b, at, keys.Key(int(next.Add(1))%benchKeys), &buf); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	})
}
