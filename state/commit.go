package state

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"go.etcd.io/bbolt"
)

// A change is something to write in one transaction. Its function may run more
// than once, so it computes from what it reads and what it was given.
type change struct {
	doing string
	apply func(tx *bbolt.Tx) error
	err   error

	// wake is closed when the change is made or refused, or, with lead, when its
	// writer is the one to commit next.
	wake chan struct{}
	lead bool
}

// update makes a change durable. Changes that come while another is being
// committed share the next transaction. Held by TestWritersShareASync.
func (db *DB) update(doing string, apply func(tx *bbolt.Tx) error) error {
	c := &change{doing: doing, apply: apply, wake: make(chan struct{})}
	db.mu.Lock()
	db.queue = append(db.queue, c)
	follow := db.committing
	db.committing = true
	db.mu.Unlock()
	if follow {
		<-c.wake
		if !c.lead {
			return c.err
		}
	}
	db.mu.Lock()
	group := db.queue
	db.queue = nil
	db.mu.Unlock()

	db.commit(group)

	db.mu.Lock()
	defer db.mu.Unlock()
	db.committing = len(db.queue) > 0
	if db.committing {
		db.queue[0].lead = true
		close(db.queue[0].wake)
	}
	return c.err
}

// commit applies a group in one transaction, or, should that fail, each change
// in its own; then it wakes their writers.
func (db *DB) commit(group []*change) {
	err := db.transact(group)
	for _, c := range group {
		if c.err = err; err != nil && len(group) > 1 {
			c.err = db.transact([]*change{c})
		}
		if c.err != nil {
			c.err = fmt.Errorf("%s: %w", c.doing, c.err)
		}
		if !c.lead {
			close(c.wake)
		}
	}
}

func (db *DB) transact(group []*change) error {
	return db.guard("write", func() error {
		if err := db.isBroken(); err != nil {
			return err
		}
		if err := db.writing(); err != nil {
			return classify(err)
		}
		err := classify(db.bolt.Update(func(tx *bbolt.Tx) error {
			for _, c := range group {
				if err := c.apply(tx); err != nil {
					return err
				}
			}
			return nil
		}))
		if err == nil {
			db.written()
		}
		return err
	})
}

// view reads in one transaction. What it hands out must be copies.
func (db *DB) view(doing string, read func(tx *bbolt.Tx) error) error {
	if err := db.guard("read", func() error { return db.bolt.View(read) }); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// guard turns a panic of bbolt, which is how it answers to a file whose pages
// make no sense, and a fault of the mapped memory into a *DamagedError. After
// that nothing is written any more.
func (db *DB) guard(doing string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &DamagedError{Path: db.path, What: doing, Err: fmt.Errorf("%v", p)}
			db.mu.Lock()
			defer db.mu.Unlock()
			db.broken = err
		}
	}()
	err = f()
	var damaged *DamagedError
	if errors.As(err, &damaged) && damaged.Path == "" {
		return &DamagedError{Path: db.path, What: damaged.What, Err: damaged.Err}
	}
	return err
}

func (db *DB) isBroken() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.broken
}

func isSyscall(err error) bool {
	var number syscall.Errno
	return errors.As(err, &number)
}

func sortRuns(runs []Run) {
	slices.SortStableFunc(runs, func(a, b Run) int {
		if c := a.Started.Compare(b.Started); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}
