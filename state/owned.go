package state

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Owned is something in an account that a run of this plan made, or intends to
// make. What is not owned is never removed. Ownership outlives runs.
type Owned struct {
	Kind    string // the step kind that makes it
	Side    string
	Subject string // ARN, bucket name, key ID, grant ID; empty in an intent whose ID the server gives
	Parent  string // user of a key, key of a grant, bucket of a statement
	Digest  string // of the statement or document
	Intent  bool   // intended, and not known to be done
	// Before is what stood before an intent was carried out: IDs of keys, or digests
	// of earlier documents of ours. Of what was made it is the other digests that it is known by,
	// and the unique ID that it was given, behind "id:".
	Before []string
	Since  time.Time
}

// An OwnedKey identifies something owned.
type OwnedKey struct{ Kind, Side, Subject, Parent string }

// Key identifies o.
func (o Owned) Key() OwnedKey { return OwnedKey{o.Kind, o.Side, o.Subject, o.Parent} }

func (k OwnedKey) bytes() []byte {
	var b []byte
	for _, f := range []string{k.Kind, k.Side, k.Subject, k.Parent} {
		b = binary.AppendUvarint(b, uint64(len(f)))
		b = append(b, f...)
	}
	return b
}

// Intend records, durably and by itself, that something is about to be made.
//
// An intent that stands already keeps its Before and Since: they are from before
// the first attempt. What is owned already with the same digest stays owned; with
// another digest it becomes an intent whose Before holds the old one.
func (db *DB) Intend(o Owned) error {
	return db.update("record the intent of "+o.Kind+" "+o.Subject, func(tx *bbolt.Tx) error {
		old, found, err := getOwned(tx, o.Key())
		if err != nil {
			return err
		}
		if !found {
			return putOwned(tx, intent(o, Owned{}))
		}
		if !old.Intent && old.Digest == o.Digest {
			return nil
		}
		return putOwned(tx, intent(o, old))
	})
}

// intent is o as an intent, over what was recorded.
func intent(o, old Owned) Owned {
	o.Intent = true
	o.Before = slices.Clone(o.Before)
	if old.Intent {
		o.Before = slices.Clone(old.Before)
	}
	if old.Digest != "" && old.Digest != o.Digest && !slices.Contains(o.Before, old.Digest) {
		o.Before = append(o.Before, old.Digest)
	}
	if !old.Since.IsZero() {
		o.Since = old.Since
	}
	return o
}

// Own records that something was made: its intent, with or without a subject, is fulfilled.
func (db *DB) Own(o Owned) error {
	o.Intent = false
	return db.update("record the ownership of "+o.Kind+" "+o.Subject, func(tx *bbolt.Tx) error {
		if o.Subject == "" {
			return fmt.Errorf("it has no subject")
		}
		nameless := o.Key()
		nameless.Subject = ""
		if err := tx.Bucket([]byte(bucketOwned)).Delete(nameless.bytes()); err != nil {
			return err
		}
		return putOwned(tx, o)
	})
}

// Disown forgets something: it is gone, or was never made. Forgetting what is not recorded is no error.
func (db *DB) Disown(k OwnedKey) error {
	return db.update("forget "+k.Kind+" "+k.Subject, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketOwned)).Delete(k.bytes())
	})
}

// Owned returns all that is owned or intended, sorted by kind, side, parent and subject.
func (db *DB) Owned() ([]Owned, error) {
	var all []Owned
	err := db.view("read what is owned", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketOwned)).ForEach(func(_, v []byte) error {
			o, err := decodeOwned(v)
			all = append(all, o)
			return err
		})
	})
	slices.SortFunc(all, compareOwned)
	return all, err
}

func compareOwned(a, b Owned) int {
	return slices.Compare([]string{a.Kind, a.Side, a.Parent, a.Subject}, []string{b.Kind, b.Side, b.Parent, b.Subject})
}

func getOwned(tx *bbolt.Tx, k OwnedKey) (Owned, bool, error) {
	v := tx.Bucket([]byte(bucketOwned)).Get(k.bytes())
	if v == nil {
		return Owned{}, false, nil
	}
	o, err := decodeOwned(v)
	return o, true, err
}

func putOwned(tx *bbolt.Tx, o Owned) error {
	return tx.Bucket([]byte(bucketOwned)).Put(o.Key().bytes(), encodeOwned(o))
}
