package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// Progress returns what was committed of a job. A job that was never committed
// has none, which is no error.
func (db *DB) Progress(job string) (Progress, error) {
	var p Progress
	err := db.view("read progress of "+job, func(tx *bbolt.Tx) (err error) {
		at := jobBucket(tx, job)
		if at == nil {
			return nil
		}
		p, err = readProgress(at)
		return err
	})
	return p, err
}

func readProgress(at *bbolt.Bucket) (p Progress, err error) {
	if at.Bucket([]byte(bucketRanges)) == nil {
		return p, &DamagedError{What: "job", Err: errors.New("it has no ranges")}
	}
	if p.Ranges, err = readRanges(at); err != nil {
		return p, err
	}
	if p.Tally, err = getTally(at); err != nil {
		return p, err
	}
	if p.Failures, err = readObjects(at, bucketFailures, decodeFailure); err != nil {
		return p, err
	}
	p.Uploads, err = readObjects(at, bucketUploads, decodeUpload)
	return p, err
}

func readRanges(at *bbolt.Bucket) ([]Range, error) {
	var ranges []Range
	err := at.Bucket([]byte(bucketRanges)).ForEach(func(k, v []byte) error {
		if len(k) != 8 {
			return &DamagedError{What: "range", Err: errors.New("its ID has another length")}
		}
		r, err := decodeRange(binary.BigEndian.Uint64(k), v)
		ranges = append(ranges, r)
		return err
	})
	return ranges, err
}

// readObjects reads records that stand under an object's key.
func readObjects[T any](at *bbolt.Bucket, name string, decode func(key string, record []byte) (T, error)) ([]T, error) {
	b := at.Bucket([]byte(name))
	if b == nil {
		return nil, &DamagedError{What: "job", Err: errors.New("bucket " + name + " is missing")}
	}
	var all []T
	err := b.ForEach(func(k, v []byte) error {
		if !bytes.HasPrefix(k, []byte(keyPrefix)) {
			return &DamagedError{What: "job", Err: fmt.Errorf("%.100q in %s is no key of an object", k, name)}
		}
		t, err := decode(string(k[len(keyPrefix):]), v)
		all = append(all, t)
		return err
	})
	return all, err
}

// Failures returns the failures of a job, by key.
func (db *DB) Failures(job string) ([]Failure, error) {
	var all []Failure
	err := db.view("read failures of "+job, func(tx *bbolt.Tx) (err error) {
		if at := jobBucket(tx, job); at != nil {
			all, err = readObjects(at, bucketFailures, decodeFailure)
		}
		return err
	})
	return all, err
}

// Uploads returns the uploads of all jobs.
func (db *DB) Uploads() ([]JobUpload, error) {
	var all []JobUpload
	err := db.view("read uploads", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketJobs)).ForEachBucket(func(k []byte) error {
			job := string(k[len(keyPrefix):])
			uploads, err := readObjects(jobBucket(tx, job), bucketUploads, decodeUpload)
			for _, u := range uploads {
				all = append(all, JobUpload{Job: job, Upload: u})
			}
			return err
		})
	})
	return all, err
}

// Jobs returns the keys of all jobs that committed something.
func (db *DB) Jobs() ([]string, error) {
	var jobs []string
	err := db.view("read jobs", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketJobs)).ForEachBucket(func(k []byte) error {
			jobs = append(jobs, string(k[len(keyPrefix):]))
			return nil
		})
	})
	return jobs, err
}
