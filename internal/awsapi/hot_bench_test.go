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
	"testing"

	"xplan/internal/bench/floor"
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

// A hotCall is a request of a run that there are many of.
type hotCall func(ctx context.Context, o s3copy.Object, buf *[]s3copy.Object) error

func hotCalls(at *bucket) map[string]hotCall {
	return map[string]hotCall{
		"copy": func(ctx context.Context, o s3copy.Object, _ *[]s3copy.Object) error {
			_, err := at.CopyObject(ctx, s3copy.CopyRequest{SourceKey: o.Key, Key: o.Key, IfMatch: o.ETag})
			return err
		},
		"head": func(ctx context.Context, o s3copy.Object, _ *[]s3copy.Object) error {
			_, err := at.Head(ctx, s3copy.HeadRequest{Key: o.Key, Checksums: true})
			return err
		},
		"tags": func(ctx context.Context, o s3copy.Object, _ *[]s3copy.Object) error {
			_, err := at.Tags(ctx, o.Key, "")
			return err
		},
		"list": func(ctx context.Context, _ s3copy.Object, buf *[]s3copy.Object) error {
			page, err := at.ListPage(ctx, s3copy.PageRequest{}, *buf)
			*buf = page.Objects
			return err
		},
	}
}

// BenchmarkHotCalls measures the client alone, 64 requests in flight; a page of a list has 1,000 keys. The
// floor is a bare loop over net/http with the SDK's signer and no safety headers.
func BenchmarkHotCalls(b *testing.B) {
	url := startNull(b)
	plain, lane := hotCalls(openNull(b, url, Options{Plain: true})), hotCalls(openNull(b, url, Options{}))
	bare := floor.New(url, null.Source, null.Destination, 64)
	objects := listAll(b, openNull(b, url, Options{}))
	for _, what := range slices.Sorted(maps.Keys(plain)) {
		b.Run("call="+what+"/by=sdk", benchmarkHotCall(objects, plain[what]))
		b.Run("call="+what+"/by=lane", benchmarkHotCall(objects, lane[what]))
	}
	b.Run("call=copy/by=floor", benchmarkHotCall(objects, func(ctx context.Context, o s3copy.Object, _ *[]s3copy.Object) error {
		return bare.CopyOne(ctx, o.Key)
	}))
}

func listAll(tb testing.TB, at *bucket) (all []s3copy.Object) {
	tb.Helper()
	for r := (s3copy.PageRequest{}); ; {
		page, err := at.ListPage(tb.Context(), r, nil)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, page.Objects...)
		if r.Token = page.Token; !page.More {
			return all
		}
	}
}

func benchmarkHotCall(objects []s3copy.Object, call hotCall) func(b *testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32)
		var next atomic.Int64
		before := cpu(b)
		b.RunParallel(func(p *testing.PB) {
			var buf []s3copy.Object
			for p.Next() {
				if err := call(b.Context(), objects[int(next.Add(1))%len(objects)], &buf); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	}
}
