package state

import (
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

func TestCheckFindsWhatCannotBe(t *testing.T) {
	put := func(bucket, key string, value []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucket)).Put([]byte(key), value) }
	}
	ranges := func(r ...Range) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return commit(tx, "job", Batch{Ranges: r}) }
	}
	for name, c := range map[string]struct {
		do   func(*bbolt.Tx) error
		want string // empty: nothing is found
	}{
		"torn run":        {put(bucketRuns, "r", []byte{recordV1, 9}), "run record"},
		"run of another":  {put(bucketRuns, "r", encodeRun(Run{ID: "x"})), "another's"},
		"torn ownership":  {put(bucketOwned, "o", nil), "ownership record"},
		"owned elsewhere": {put(bucketOwned, "o", encodeOwned(Owned{Kind: "k", Subject: "s"})), "another's"},
		"torn step": {func(tx *bbolt.Tx) error {
			b, err := tx.Bucket([]byte(bucketSteps)).CreateBucket([]byte("run"))
			if err != nil {
				return err
			}
			return b.Put([]byte("s"), []byte{recordV1})
		}, "step record"},
		"torn tally": {func(tx *bbolt.Tx) error {
			b, err := makeJob(tx, "job")
			if err != nil {
				return err
			}
			return b.Put([]byte(keyTally), []byte{recordV1, 1})
		}, "tally record"},
		"overlap":                  {ranges(Range{ID: 1, Through: "n"}, Range{ID: 2, After: "m"}), "overlap"},
		"unbounded before another": {ranges(Range{ID: 1}, Range{ID: 2, After: "m"}), "overlap"},
		"cursor before its range":  {ranges(Range{ID: 1, After: "m", Done: "a"}), "cursor"},
		"cursor behind its range":  {ranges(Range{ID: 1, Through: "m", Done: "n"}), "cursor"},
		"turned round":             {ranges(Range{ID: 1, After: "m", Through: "a"}), "ends before"},
		"whole": {ranges(
			Range{ID: 3, After: "m", Done: "z"}, Range{ID: 1, Through: "f", Done: "f", Ended: true}, Range{ID: 2, After: "f", Through: "m"},
			Range{ID: 4, After: "f", Through: "f", Ended: true},
		), ""},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, t.TempDir())
			must(t, db.bolt.Update(c.do))
			found := db.Check()
			if (len(found) == 0) != (c.want == "") || len(found) > 0 && !strings.Contains(found[0].Error(), c.want) {
				t.Errorf("found %v, want %q", found, c.want)
			}
		})
	}
}
