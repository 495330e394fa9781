package state

import (
	"bytes"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// The top-level buckets. Below bucketSteps is one bucket a run, below bucketJobs one a job.
const (
	bucketMeta  = "meta"
	bucketRuns  = "runs"
	bucketSteps = "steps"
	bucketOwned = "owned"
	bucketJobs  = "jobs"

	keyFormat = "format"
)

// checkFormat refuses a file that is not ours. An empty one it calls fresh.
func checkFormat(tx *bbolt.Tx) (fresh bool, err error) {
	meta := tx.Bucket([]byte(bucketMeta))
	if meta == nil {
		if k, _ := tx.Cursor().First(); k != nil {
			return false, &DamagedError{What: "format", Err: errors.New("it is another program's")}
		}
		return true, nil
	}
	format := meta.Get([]byte(keyFormat))
	switch {
	case len(format) != 1 || format[0] == 0:
		return false, &DamagedError{What: "format", Err: errors.New("it has no version")}
	case format[0] > formatNewest:
		return false, &VersionError{What: "state file", Got: format[0], Newest: formatNewest}
	}
	for _, name := range []string{bucketRuns, bucketSteps, bucketOwned, bucketJobs} {
		if tx.Bucket([]byte(name)) == nil {
			return false, &DamagedError{What: "format", Err: errors.New("bucket " + name + " is missing")}
		}
	}
	return false, errors.Join(onlyBuckets(tx, bucketSteps), onlyBuckets(tx, bucketJobs, bucketRanges, bucketFailures, bucketUploads))
}

// onlyBuckets wants nothing but buckets in one, with these in each.
func onlyBuckets(tx *bbolt.Tx, name string, inside ...string) error {
	b := tx.Bucket([]byte(name))
	return b.ForEach(func(k, v []byte) error {
		if v != nil {
			return &DamagedError{What: "format", Err: fmt.Errorf("a record stands in a bucket's place in %s", name)}
		}
		if name == bucketJobs && !bytes.HasPrefix(k, []byte(keyPrefix)) {
			return &DamagedError{What: "format", Err: fmt.Errorf("%.100q is no key of a job", k)}
		}
		for _, want := range inside {
			if b.Bucket(k).Bucket([]byte(want)) == nil {
				return &DamagedError{What: "format", Err: fmt.Errorf("bucket %s of one of the %s is missing", want, name)}
			}
		}
		return nil
	})
}

func createFormat(tx *bbolt.Tx) error {
	for _, name := range []string{bucketMeta, bucketRuns, bucketSteps, bucketOwned, bucketJobs} {
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(bucketMeta)).Put([]byte(keyFormat), []byte{formatNewest})
}
