package s3copy

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair gives two buckets and a copy job between them.
func pair() (src, dst *bucket, job Job) {
	src = newBucket(nil)
	dst = newBucket(src)
	return src, dst, Job{
		Mode: Copy, Source: src, Destination: dst, Journal: &journal{}, Samples: 10,
		Rules: Rules{Compare: "auto", Tags: true, StorageClass: "preserve", Level: "checksum", Otherwise: "accept"},
	}
}

func small() Limits {
	return Limits{
		InFlight: 8, Pages: 3, PartThreshold: 100, PartSize: 40, PartsInFlight: 4, StreamPart: 50, CommitKeys: 10,
	}
}

// tiny makes pages and commits so small that few keys show what many do.
func tiny() Limits {
	l := small()
	l.pageKeys, l.CommitKeys = 4, 1
	return l
}

// run does the job and fails the test on an error.
func run1(t *testing.T, l Limits, job Job) Summary {
	t.Helper()
	e, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Run(t.Context(), job)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	if err := s.Tally.Check(job.Mode); err != nil {
		t.Error(err)
	}
	return s
}

// wantEqual fails the test where the buckets differ below their prefixes.
func wantEqual(t *testing.T, src, dst *bucket, job Job) {
	t.Helper()
	for key, o := range src.objects {
		to, err := job.place(key), job.placeable(key)
		if err != nil {
			continue
		}
		d, ok := dst.objects[to]
		if !ok {
			t.Errorf("%q is missing", to)
			continue
		}
		if string(d.body) != string(o.body) || d.Headers.ContentType != o.Headers.ContentType ||
			fmt.Sprint(d.tags) != fmt.Sprint(o.tags) || d.StorageClass != o.StorageClass {
			t.Errorf("%q differs", to)
		}
	}
}

func TestFreshCopyThenNothingToDo(t *testing.T) {
	src, dst, job := pair()
	for i := range 2500 {
		src.put(fmt.Sprintf("k%05d", i), fmt.Sprint("body ", i))
	}
	s := run1(t, small(), job)
	if s.Tally.Copied.Objects != 2500 || s.Tally.Evidence.ETag.Objects != 2500 || s.Partial {
		t.Errorf("got %+v", s)
	}
	wantEqual(t, src, dst, job)
	if n := dst.calls["list"]; n != 1 {
		t.Errorf("%d pages of an empty destination, want 1", n)
	}
	job.Journal = &journal{}
	s = run1(t, small(), job)
	if s.Tally.Same.Objects != 2500 || dst.calls["copy"] != 2500 || dst.calls["head"] != 0 {
		t.Errorf("got %+v, %v", s.Tally, dst.calls)
	}
}
