package state

import (
	"errors"

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

// prepareFormat makes the buckets of a new file, and refuses a file that is not ours.
func prepareFormat(tx *bbolt.Tx) error {
	meta := tx.Bucket([]byte(bucketMeta))
	if meta == nil {
		if k, _ := tx.Cursor().First(); k != nil {
			return &DamagedError{What: "format", Err: errors.New("it is another program's")}
		}
		return createFormat(tx)
	}
	format := meta.Get([]byte(keyFormat))
	switch {
	case len(format) != 1 || format[0] == 0:
		return &DamagedError{What: "format", Err: errors.New("it has no version")}
	case format[0] > formatNewest:
		return &VersionError{What: "state file", Got: format[0], Newest: formatNewest}
	}
	for _, name := range []string{bucketRuns, bucketSteps, bucketOwned, bucketJobs} {
		if tx.Bucket([]byte(name)) == nil {
			return &DamagedError{What: "format", Err: errors.New("bucket " + name + " is missing")}
		}
	}
	return nil
}

func createFormat(tx *bbolt.Tx) error {
	for _, name := range []string{bucketMeta, bucketRuns, bucketSteps, bucketOwned, bucketJobs} {
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(bucketMeta)).Put([]byte(keyFormat), []byte{formatNewest})
}
