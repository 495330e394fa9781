package state

import (
	"encoding/base32"
	"fmt"
	"io"
	"time"

	"go.etcd.io/bbolt"
)

// RunStatus says how a run stands.
type RunStatus string

// The statuses. A run that is Running while nobody holds the lock has crashed.
const (
	Running              RunStatus = "running"
	Done                 RunStatus = "done"
	Failed               RunStatus = "failed"
	Interrupted          RunStatus = "interrupted" // resumable
	Waiting              RunStatus = "waiting"     // finished, but something waits for a person
	FinishedWithFailures RunStatus = "finished-with-failures"
)

// A Run is one application of a plan. It holds no secret.
type Run struct {
	ID         string
	PlanName   string
	PlanFile   string
	PlanDigest string
	// Approval is the digest of the saved plan that the run was started from; empty
	// without one. A saved plan starts one run: see DB.RunOf.
	Approval string
	Plan     []byte // the resolved plan as JSON
	Version  string // of the xplan that started it
	Started  time.Time

	Status  RunStatus
	Resumed int       // how often
	Updated time.Time // when it was started, resumed or ended last
	Exit    int       // of the last end
	Summary []byte    // of the last end, as the caller wrote it
}

// NewRunID makes an ID that sorts by time within a plan: NAME-20060102T150405Z-XXXX,
// the last four characters drawn from random.
func NewRunID(name string, now time.Time, random io.Reader) (string, error) {
	var b [3]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw a run ID: %w", err)
	}
	suffix := base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding).EncodeToString(b[:])
	return name + "-" + now.UTC().Format("20060102T150405Z") + "-" + suffix[:4], nil
}

// StartRun records a new run as Running. An ID that exists already is refused.
func (db *DB) StartRun(r Run) error {
	if r.ID == "" {
		return fmt.Errorf("start run: it has no ID")
	}
	r.Status, r.Resumed, r.Updated, r.Exit, r.Summary = Running, 0, r.Started, 0, nil
	err := db.update("start run "+r.ID, func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte(bucketRuns)).Get([]byte(r.ID)) != nil {
			return fmt.Errorf("run exists already")
		}
		return tx.Bucket([]byte(bucketRuns)).Put([]byte(r.ID), encodeRun(r))
	})
	if err != nil {
		return err
	}
	return db.hold(r.ID)
}

// ResumeRun records that a run goes on.
func (db *DB) ResumeRun(id string, at time.Time) error {
	err := db.changeRun("resume run "+id, id, func(r *Run) {
		r.Status, r.Updated = Running, at
		r.Resumed++
	})
	if err != nil {
		return err
	}
	return db.hold(id)
}

// EndRun records how a run ended. Summary is kept as it is.
func (db *DB) EndRun(id string, at time.Time, status RunStatus, exit int, summary []byte) error {
	return db.changeRun("end run "+id, id, func(r *Run) {
		r.Status, r.Updated, r.Exit, r.Summary = status, at, exit, summary
	})
}

// Run returns one run, or ErrNotFound.
func (db *DB) Run(id string) (Run, error) {
	var r Run
	err := db.view("read run "+id, func(tx *bbolt.Tx) (err error) {
		r, err = getRun(tx, id)
		return err
	})
	return r, err
}

// Runs returns all runs, oldest first.
func (db *DB) Runs() ([]Run, error) {
	var runs []Run
	err := db.view("read runs", func(tx *bbolt.Tx) error {
		runs = runs[:0]
		return tx.Bucket([]byte(bucketRuns)).ForEach(func(_, v []byte) error {
			r, err := decodeRun(v)
			runs = append(runs, r)
			return err
		})
	})
	sortRuns(runs)
	return runs, err
}

// Last returns the run that was started last, or ErrNotFound.
func (db *DB) Last() (Run, error) {
	runs, err := db.Runs()
	if err != nil {
		return Run{}, err
	}
	if len(runs) == 0 {
		return Run{}, fmt.Errorf("last run of %s: %w", db.name, ErrNotFound)
	}
	return runs[len(runs)-1], nil
}

// RunOf returns the run that a saved plan started, or ErrNotFound.
func (db *DB) RunOf(approval string) (Run, error) {
	runs, err := db.Runs()
	if err != nil {
		return Run{}, err
	}
	for _, r := range runs {
		if approval != "" && r.Approval == approval {
			return r, nil
		}
	}
	return Run{}, fmt.Errorf("run of a saved plan: %w", ErrNotFound)
}

func getRun(tx *bbolt.Tx, id string) (Run, error) {
	v := tx.Bucket([]byte(bucketRuns)).Get([]byte(id))
	if v == nil {
		return Run{}, ErrNotFound
	}
	return decodeRun(v)
}

func (db *DB) changeRun(doing, id string, to func(*Run)) error {
	return db.update(doing, func(tx *bbolt.Tx) error {
		r, err := getRun(tx, id)
		if err != nil {
			return err
		}
		to(&r)
		return tx.Bucket([]byte(bucketRuns)).Put([]byte(id), encodeRun(r))
	})
}
