package s3copy

import (
	"errors"
	"testing"
	"time"
)

func TestOneBucketAtTwoAddressesIsNotDeleted(t *testing.T) {
	src, _, job := moved(t, 1500)
	job.Destination, job.Twin = src, true
	tally, err := deleteSource(t, job, src)
	if !errors.Is(err, ErrOneBucket) || tally.Deleted.Objects != 0 || len(src.objects) != 1501 || src.calls["delete"] != 0 {
		t.Errorf("got %+v, %v, %d left", tally, err, len(src.objects))
	}
	src, dst, job := moved(t, 1500)
	job.Twin = true
	dst.objects["k0700"].Modified = dst.clock.Add(time.Hour)
	if tally, err := deleteSource(t, job, src); err != nil || tally.Deleted.Objects != 1501 {
		t.Errorf("two buckets: %+v, %v", tally, err)
	}
}
