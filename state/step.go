package state

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// A StepRecord says how a step of a run stands. An Ended that is zero means that
// it runs, or ran when the process died.
type StepRecord struct {
	ID      string
	Kind    string
	Outcome string
	Message string
	Started time.Time
	Ended   time.Time
	Detail  []byte // as the caller wrote it
}

// PutStep records a step of a run in place of what was recorded of it.
func (db *DB) PutStep(run string, s StepRecord) error {
	record := encodeStep(s)
	return db.update("record step "+s.ID, func(tx *bbolt.Tx) error {
		if run == "" || s.ID == "" {
			return fmt.Errorf("a run and a step need an ID")
		}
		steps, err := tx.Bucket([]byte(bucketSteps)).CreateBucketIfNotExists([]byte(run))
		if err != nil {
			return err
		}
		return steps.Put([]byte(s.ID), record)
	})
}

// Steps returns the recorded steps of a run, sorted by ID.
func (db *DB) Steps(run string) ([]StepRecord, error) {
	var steps []StepRecord
	err := db.view("read steps of "+run, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucketSteps)).Bucket([]byte(run))
		if b == nil {
			return nil
		}
		return b.ForEach(func(_, v []byte) error {
			s, err := decodeStep(v)
			steps = append(steps, s)
			return err
		})
	})
	return steps, err
}
