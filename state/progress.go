package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// A Range is a key range of a job and how far it is settled: the keys k with
// After < k <= Through (empty: no bound), settled up to Done (empty: none).
type Range struct {
	ID             uint64 // unique among the job's ranges
	After, Through string
	Done           string
	Ended          bool
}

// A Failure is an object that could not be copied or verified.
type Failure struct {
	Key    string
	Phase  string
	Reason string
	Size   int64
	At     time.Time
}

// An Upload is a multipart upload of ours. It has no ID before it is known to be created.
type Upload struct {
	Key     string // of the destination
	ID      string
	ETag    string // of the source
	Size    int64
	Part    int64 // size of its first part: another one means another layout
	Started time.Time
}

// A Batch is what one commit makes durable, all or nothing.
type Batch struct {
	Ranges   []Range  // new or moved; each replaces what was recorded of it
	Dropped  []uint64 // IDs of ranges that are part of another one now
	Add      Tally
	Failures []Failure
	Healed   []string // keys whose failures are gone; a key that is in Failures too stays failed
}

// Progress is what was committed of a job.
type Progress struct {
	Ranges   []Range // by ID
	Tally    Tally
	Failures []Failure // by key
	Uploads  []Upload  // by key
}

// A JobUpload is an upload and the job that it belongs to.
type JobUpload struct {
	Job string
	Upload
}

// The buckets and the key below a job's bucket. Object keys are any bytes, even
// none, which bbolt refuses: each is stored behind keyPrefix.
const (
	bucketRanges   = "ranges"
	bucketFailures = "failures"
	bucketUploads  = "uploads"
	keyTally       = "tally"
	keyPrefix      = "k"
)

func objectKey(key string) []byte { return []byte(keyPrefix + key) }

func rangeKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// jobBucket finds a job's bucket; nil where there is none.
func jobBucket(tx *bbolt.Tx, job string) *bbolt.Bucket {
	return tx.Bucket([]byte(bucketJobs)).Bucket(objectKey(job))
}

func makeJob(tx *bbolt.Tx, job string) (*bbolt.Bucket, error) {
	if b := jobBucket(tx, job); b != nil {
		return b, nil
	}
	b, err := tx.Bucket([]byte(bucketJobs)).CreateBucket(objectKey(job))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{bucketRanges, bucketFailures, bucketUploads} {
		if _, err := b.CreateBucket([]byte(name)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Commit makes a batch durable, all or nothing. Commits that come at the same
// time share a sync; two that move the same range must come one after the other.
func (db *DB) Commit(job string, b Batch) error {
	return db.update("commit progress of "+job, func(tx *bbolt.Tx) error {
		return commit(tx, job, b)
	})
}

func commit(tx *bbolt.Tx, job string, b Batch) error {
	at, err := makeJob(tx, job)
	if err != nil {
		return err
	}
	if err := commitRanges(at.Bucket([]byte(bucketRanges)), b); err != nil {
		return err
	}
	failures := at.Bucket([]byte(bucketFailures))
	for _, key := range b.Healed {
		if err := failures.Delete(objectKey(key)); err != nil {
			return err
		}
	}
	for _, f := range b.Failures {
		if err := failures.Put(objectKey(f.Key), encodeFailure(f)); err != nil {
			return fmt.Errorf("failure of %.100q: %w", f.Key, err)
		}
	}
	if b.Add == (Tally{}) {
		return nil
	}
	t, err := getTally(at)
	if err != nil {
		return err
	}
	t.Plus(b.Add)
	return at.Put([]byte(keyTally), encodeTally(t))
}

func commitRanges(ranges *bbolt.Bucket, b Batch) error {
	for _, id := range b.Dropped {
		if err := ranges.Delete(rangeKey(id)); err != nil {
			return err
		}
	}
	for _, r := range b.Ranges {
		if err := ranges.Put(rangeKey(r.ID), encodeRange(r)); err != nil {
			return err
		}
	}
	return nil
}

func getTally(job *bbolt.Bucket) (Tally, error) {
	v := job.Get([]byte(keyTally))
	if v == nil {
		return Tally{}, nil
	}
	return decodeTally(v)
}

// PutUpload records an upload in place of what was recorded for its key.
func (db *DB) PutUpload(job string, u Upload) error {
	record := encodeUpload(u)
	return db.update("record upload of "+job, func(tx *bbolt.Tx) error {
		at, err := makeJob(tx, job)
		if err != nil {
			return err
		}
		return at.Bucket([]byte(bucketUploads)).Put(objectKey(u.Key), record)
	})
}

// DropUpload forgets the upload of a key. Forgetting what is not recorded is no error.
func (db *DB) DropUpload(job, key string) error {
	return db.update("forget upload of "+job, func(tx *bbolt.Tx) error {
		at := jobBucket(tx, job)
		if at == nil {
			return nil
		}
		return at.Bucket([]byte(bucketUploads)).Delete(objectKey(key))
	})
}

// ResetJob forgets the ranges, the tally and the failures of a job. Its uploads
// stay recorded: they still stand at the server.
func (db *DB) ResetJob(job string) error {
	return db.update("reset "+job, func(tx *bbolt.Tx) error {
		at := jobBucket(tx, job)
		if at == nil {
			return nil
		}
		for _, name := range []string{bucketRanges, bucketFailures} {
			if err := at.DeleteBucket([]byte(name)); err != nil {
				return err
			}
			if _, err := at.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return at.Delete([]byte(keyTally))
	})
}
