package s3copy

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// endless lists n keys, page by page, without keeping more than one page of them.
type endless struct {
	*bucket
	n int
}

func (e endless) ListPage(_ context.Context, r PageRequest, buf []Object) (Page, error) {
	var from int
	if r.Token != "" {
		if _, err := fmt.Sscan(r.Token, &from); err != nil {
			return Page{}, err
		}
	}
	to := min(from+1000, e.n)
	for i := from; i < to; i++ {
		buf = append(buf, Object{Key: fmt.Sprintf("k%08d", i), Size: 1, ETag: md5A, Modified: time.Unix(1, 0)})
	}
	return Page{Objects: buf, Token: fmt.Sprint(to), More: to < e.n}, nil
}

// CopyObject costs nothing.
func (endless) CopyObject(context.Context, CopyRequest) (Copied, error) {
	return Copied{ETag: md5A}, nil
}

// nothing is an empty bucket that takes everything.
type nothing struct{ endless }

func (nothing) ListPage(context.Context, PageRequest, []Object) (Page, error) { return Page{}, nil }

func benchmark(b *testing.B, dst func(endless) Destination) {
	b.Helper()
	e, err := New(Limits{})
	if err != nil {
		b.Fatal(err)
	}
	all := endless{newBucket(nil), 100_000}
	_, _, job := pair()
	job.Source, job.Destination, job.Journal = all, dst(all), &journal{}
	b.ReportAllocs()
	for b.Loop() {
		job.Journal = &journal{}
		if _, err := e.Run(b.Context(), job); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(all.n), "ns/key")
}

func BenchmarkEqualKeys(b *testing.B) {
	benchmark(b, func(e endless) Destination { return e })
}

func BenchmarkFreshCopy(b *testing.B) {
	benchmark(b, func(e endless) Destination { return nothing{e} })
}
