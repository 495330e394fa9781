package state

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// Check reads everything and returns what cannot be: pages that do not hang
// together, records that do not decode or stand under another's key, ranges that
// overlap or whose cursor is outside of them. Nothing may be written meanwhile.
//
// bbolt's own check is not asked: a fault of the disk in the goroutine that it starts would end the process. What
// passes here passes there: TestNoNumberOfAPageIsMoreThanAnError asks it, too.
func (db *DB) Check() []error {
	var found []error
	err := db.view("check", func(tx *bbolt.Tx) error {
		odd, err := db.follow()
		if err != nil {
			return err // records of such pages say nothing
		}
		for _, err := range odd {
			found = append(found, &DamagedError{Path: db.path, What: "pages", Err: err})
		}
		found = append(found, checkRuns(tx)...)
		found = append(found, checkOwned(tx)...)
		found = append(found, checkJobs(tx)...)
		return nil
	})
	if err != nil {
		found = append(found, err)
	}
	return found
}

func misplaced(what string, key []byte) error {
	return &DamagedError{What: what, Err: fmt.Errorf("record under %.100q is another's", key)}
}

func checkRuns(tx *bbolt.Tx) []error {
	found := each(tx.Bucket([]byte(bucketRuns)), func(k, v []byte) error {
		r, err := decodeRun(v)
		if err == nil && r.ID != string(k) {
			err = misplaced("run", k)
		}
		return err
	})
	steps := tx.Bucket([]byte(bucketSteps))
	err := steps.ForEachBucket(func(run []byte) error {
		found = append(found, each(steps.Bucket(run), func(k, v []byte) error {
			s, err := decodeStep(v)
			if err == nil && s.ID != string(k) {
				err = misplaced("step", k)
			}
			return err
		})...)
		return nil
	})
	return append(found, some(err)...)
}

func checkOwned(tx *bbolt.Tx) []error {
	return each(tx.Bucket([]byte(bucketOwned)), func(k, v []byte) error {
		o, err := decodeOwned(v)
		if err == nil && !bytes.Equal(o.Key().bytes(), k) {
			err = misplaced("ownership", k)
		}
		return err
	})
}

func checkJobs(tx *bbolt.Tx) []error {
	var found []error
	jobs := tx.Bucket([]byte(bucketJobs))
	err := jobs.ForEachBucket(func(job []byte) error {
		p, err := readProgress(jobs.Bucket(job))
		if err == nil {
			found = append(found, checkRanges(p.Ranges)...)
		}
		found = append(found, some(err)...)
		return nil
	})
	return append(found, some(err)...)
}

// checkRanges sorts the ranges.
func checkRanges(ranges []Range) []error {
	var found []error
	slices.SortFunc(ranges, compareRanges)
	for i, r := range ranges {
		if r.Through != "" && r.Through < r.After {
			found = append(found, &DamagedError{What: "range", Err: fmt.Errorf("range %d ends before it starts", r.ID)})
		}
		if r.Done != "" && (r.Done <= r.After || r.Through != "" && r.Done > r.Through) {
			found = append(found, &DamagedError{What: "range", Err: fmt.Errorf("the cursor of range %d is outside of it", r.ID)})
		}
		empty := r.Through != "" && r.Through == r.After
		if i+1 < len(ranges) && !empty && (r.Through == "" || r.Through > ranges[i+1].After) {
			found = append(found, &DamagedError{What: "range", Err: fmt.Errorf("ranges %d and %d overlap", r.ID, ranges[i+1].ID)})
		}
	}
	return found
}

// compareRanges puts an empty range before one that starts where it does.
func compareRanges(a, b Range) int {
	if c := strings.Compare(a.After, b.After); c != 0 || a.Through == b.Through {
		return c
	}
	if a.Through == "" || b.Through != "" && a.Through > b.Through {
		return 1
	}
	return -1
}

// each collects what is wrong with the records of a bucket.
func each(b *bbolt.Bucket, check func(k, v []byte) error) []error {
	var found []error
	err := b.ForEach(func(k, v []byte) error {
		if v == nil {
			found = append(found, &DamagedError{What: "bucket", Err: errors.New("a bucket stands in a record's place")})
			return nil
		}
		found = append(found, some(check(k, v))...)
		return nil
	})
	return append(found, some(err)...)
}

func some(err error) []error {
	if err == nil {
		return nil
	}
	return []error{err}
}
