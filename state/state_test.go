package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens the state of the plan "tommy" below dir and closes it with the test.
func open(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(dir, "tommy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// reopened does something to a state and then hands it to check as the next process sees it.
func reopened(t *testing.T, do, check func(db *DB)) {
	t.Helper()
	dir := t.TempDir()
	db, err := Open(dir, "tommy")
	if err != nil {
		t.Fatal(err)
	}
	do(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir)
	check(db)
	for _, err := range db.Check() {
		t.Errorf("check: %v", err)
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func at(seconds int64) time.Time { return time.Unix(1_700_000_000+seconds, 123).UTC() }

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestRunsAreThereAfterReopening(t *testing.T) {
	first := Run{ID: "tommy-a", PlanName: "tommy", PlanFile: "p.yaml", PlanDigest: "sha256:1", Approval: "sha256:9", Plan: []byte(`{}`), Started: at(0), Version: "0.1"}
	second := Run{ID: "tommy-0", PlanName: "tommy", Started: at(5)}
	reopened(t, func(db *DB) {
		must(t, db.StartRun(first))
		must(t, db.EndRun(first.ID, at(1), Interrupted, 130, []byte("sum")))
		must(t, db.ResumeRun(first.ID, at(2)))
		must(t, db.StartRun(second))
	}, func(db *DB) {
		first.Status, first.Resumed, first.Updated, first.Exit, first.Summary = Running, 1, at(2), 130, []byte("sum")
		second.Status, second.Updated = Running, at(5)
		runs, err := db.Runs()
		must(t, err)
		same(t, "runs", runs, []Run{first, second})
		last, err := db.Last()
		must(t, err)
		same(t, "last run", last, second)
		of, err := db.RunOf("sha256:9")
		must(t, err)
		same(t, "run of the saved plan", of, first)
	})
}

func TestARunStartsOnceAndUnknownRunsAreNotFound(t *testing.T) {
	db := open(t, t.TempDir())
	for name, err := range map[string]error{
		"run": errOf(db.Run("x")), "last": errOf(db.Last()), "resume": db.ResumeRun("x", at(0)),
		"end": db.EndRun("x", at(0), Done, 0, nil), "of": errOf(db.RunOf("d")), "of nothing": errOf(db.RunOf("")),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	must(t, db.StartRun(Run{ID: "r", Started: at(0)}))
	if err := db.StartRun(Run{ID: "r", Started: at(1)}); err == nil {
		t.Error("a run started twice")
	}
	if err := db.StartRun(Run{}); err == nil {
		t.Error("a run without ID started")
	}
	r, err := db.Run("r")
	if err != nil || !r.Started.Equal(at(0)) {
		t.Errorf("the second start left %v, %v", r.Started, err)
	}
}

func errOf(_ any, err error) error { return err }

func TestRunIDsSortByTimeWithinAPlan(t *testing.T) {
	random := bytes.NewReader(bytes.Repeat([]byte{0xff, 0, 0x7a}, 3))
	var ids []string
	for i := range 3 {
		id, err := NewRunID("tommy", at(int64(i)), random)
		must(t, err)
		if !regexp.MustCompile(`^tommy-20231114T22132[0-2]Z-[0-9a-z]{4}$`).MatchString(id) {
			t.Errorf("ID %q", id)
		}
		ids = append(ids, id)
	}
	if !slices.IsSorted(ids) {
		t.Errorf("%v is not sorted", ids)
	}
	if _, err := NewRunID("tommy", at(0), strings.NewReader("")); err == nil {
		t.Error("an ID was drawn from nothing")
	}
}

func TestAStepIsRecordedInPlaceOfItself(t *testing.T) {
	running := StepRecord{ID: "copy/a→b", Kind: "copy", Outcome: "running", Started: at(0)}
	ended := running
	ended.Outcome, ended.Message, ended.Ended, ended.Detail = "done", "2 copied", at(9), []byte(`{"n":2}`)
	other := StepRecord{ID: "verify", Kind: "verify", Outcome: "running", Started: at(9)}
	reopened(t, func(db *DB) {
		must(t, db.PutStep("r1", running))
		must(t, db.PutStep("r1", ended))
		must(t, db.PutStep("r1", other))
		must(t, db.PutStep("r2", running))
		if db.PutStep("", running) == nil || db.PutStep("r1", StepRecord{}) == nil {
			t.Error("a nameless step was recorded")
		}
	}, func(db *DB) {
		steps, err := db.Steps("r1")
		must(t, err)
		same(t, "steps", steps, []StepRecord{ended, other})
		steps, err = db.Steps("nobody's")
		if len(steps) != 0 || err != nil {
			t.Errorf("an unknown run has steps %v, %v", steps, err)
		}
	})
}

func TestProgressAddsUpAndIsReplacedByRange(t *testing.T) {
	reopened(t, func(db *DB) {
		must(t, db.Commit("job", Batch{
			Ranges: []Range{{ID: 1, Done: "b"}}, Add: Tally{Listed: Count{3, 30}, Copied: Count{2, 20}, Failed: Count{1, 10}},
			Failures: []Failure{{Key: "a", Phase: "copy", Reason: "denied", Size: 10, At: at(1)}, {Key: "b", Reason: "gone", At: at(1)}},
		}))
		must(t, db.Commit("job", Batch{
			Ranges: []Range{{ID: 1, Through: "m", Done: "c"}, {ID: 1 << 60, After: "m", Ended: true}},
			Add:    Tally{Listed: Count{1, 1}, Failed: Count{-1, -10}, SizeOnly: Count{1, 1}},
			Healed: []string{"a", "never failed", "b"}, Failures: []Failure{{Key: "b", Reason: "again", At: at(2)}},
		}))
		must(t, db.Commit("other", Batch{Ranges: []Range{{ID: 7}}}))
	}, func(db *DB) {
		p, err := db.Progress("job")
		must(t, err)
		same(t, "progress", p, Progress{
			Ranges:   []Range{{ID: 1, Through: "m", Done: "c"}, {ID: 1 << 60, After: "m", Ended: true}},
			Tally:    Tally{Listed: Count{4, 31}, Copied: Count{2, 20}, SizeOnly: Count{1, 1}},
			Failures: []Failure{{Key: "b", Reason: "again", At: at(2)}},
		})
		failures, err := db.Failures("job")
		must(t, err)
		same(t, "failures", failures, p.Failures)
		jobs, err := db.Jobs()
		must(t, err)
		same(t, "jobs", jobs, []string{"job", "other"})
		p, err = db.Progress("nobody's")
		must(t, err)
		same(t, "progress of nothing", p, Progress{})
	})
}

func TestResettingAJobKeepsItsUploads(t *testing.T) {
	u := Upload{Key: "big", ID: "id", ETag: "e", Size: 5 << 30, Started: at(0)}
	reopened(t, func(db *DB) {
		must(t, db.PutUpload("job", Upload{Key: "big", ETag: "e", Size: 5 << 30, Started: at(0)}))
		must(t, db.PutUpload("job", u))
		must(t, db.PutUpload("job", Upload{Key: "gone"}))
		must(t, db.DropUpload("job", "gone"))
		must(t, db.DropUpload("job", "never there"))
		must(t, db.DropUpload("no job", "never there"))
		must(t, db.PutUpload("other", u))
		must(t, db.Commit("job", Batch{Ranges: []Range{{ID: 1}}, Add: Tally{Same: Count{1, 1}}, Failures: []Failure{{Key: "k"}}}))
		must(t, db.ResetJob("job"))
		must(t, db.ResetJob("no job"))
	}, func(db *DB) {
		p, err := db.Progress("job")
		must(t, err)
		same(t, "progress", p, Progress{Uploads: []Upload{u}})
		all, err := db.Uploads()
		must(t, err)
		same(t, "uploads", all, []JobUpload{{"job", u}, {"other", u}})
	})
}

func TestKeysOfAnyBytesComeBackAsTheyWere(t *testing.T) {
	keys := []string{"", "\x00", "\x00\x00", "a\x00b", "\xff\xfe", "k", "ключ/→", "../..", "\n", strings.Repeat("x", 1024), string([]byte{0xed, 0xa0, 0x80})}
	reopened(t, func(db *DB) {
		for _, job := range keys {
			var b Batch
			for _, key := range keys {
				b.Failures = append(b.Failures, Failure{Key: key, Reason: key})
				must(t, db.PutUpload(job, Upload{Key: key, ID: key}))
			}
			b.Ranges = []Range{{ID: 0, After: "\x00", Through: "\xff\xff", Done: "\xff\xfe"}}
			must(t, db.Commit(job, b))
		}
	}, func(db *DB) {
		want := slices.Sorted(slices.Values(keys))
		jobs, err := db.Jobs()
		must(t, err)
		same(t, "jobs", jobs, want)
		for _, job := range keys {
			p, err := db.Progress(job)
			must(t, err)
			var failed, uploads []string
			for i := range p.Failures {
				failed, uploads = append(failed, p.Failures[i].Key), append(uploads, p.Uploads[i].Key)
			}
			same(t, "failures", failed, want)
			same(t, "uploads", uploads, want)
		}
	})
}

func TestAFailedChangeLeavesNothingBehind(t *testing.T) {
	db := open(t, t.TempDir())
	err := db.Commit("job", Batch{Ranges: []Range{{ID: 1}}, Failures: []Failure{{Key: strings.Repeat("k", 40_000)}}})
	if err == nil {
		t.Fatal("a key beyond bbolt's limit was taken")
	}
	p, err := db.Progress("job")
	must(t, err)
	same(t, "progress", p, Progress{})
}

func TestWritersShareASync(t *testing.T) {
	db := open(t, t.TempDir())
	const writers, each = 32, 20
	before := writes(db)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				must(t, db.Commit("job", Batch{Ranges: []Range{{ID: uint64(w), Done: fmt.Sprint(i)}}, Add: Tally{Listed: Count{1, 2}}}))
			}
		})
	}
	wg.Wait()
	p, err := db.Progress("job")
	must(t, err)
	if want := (Count{writers * each, 2 * writers * each}); p.Tally.Listed != want || len(p.Ranges) != writers {
		t.Errorf("tally %v in %d ranges, want %v in %d", p.Tally.Listed, len(p.Ranges), want, writers)
	}
	// A transaction that is alone writes three times or more: two pages and the meta page.
	if got := writes(db) - before; got >= 3*writers*each {
		t.Errorf("%d writes for %d commits: nothing was shared", got, writers*each)
	}
}

func TestOneBadChangeDoesNotSpoilItsGroup(t *testing.T) {
	db := open(t, t.TempDir())
	var wg sync.WaitGroup
	for w := range 40 {
		wg.Go(func() {
			b := Batch{Add: Tally{Copied: Count{1, 1}}}
			bad := w%4 == 0
			if bad {
				b.Failures = []Failure{{Key: strings.Repeat("k", 40_000)}}
			}
			if err := db.Commit("job", b); (err != nil) != bad {
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	wg.Wait()
	p, err := db.Progress("job")
	if want := (Count{30, 30}); err != nil || p.Tally.Copied != want {
		t.Errorf("copied %v (%v), want %v", p.Tally.Copied, err, want)
	}
}

func TestStateIsPrivateToTheUser(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	must(t, os.MkdirAll(filepath.Join(dir, "tommy"), 0o755))
	db := open(t, dir)
	must(t, db.AppendEvent([]byte("{}")))
	must(t, WriteStatus(dir, "tommy", []byte("{}")))
	must(t, RequestCancel(dir, "tommy", "r"))
	err := filepath.WalkDir(filepath.Join(dir, "tommy"), func(path string, d os.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		want := os.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", d.Name(), got, want)
		}
		return nil
	})
	must(t, err)
}

func TestAPlanNameLeadsNowhereElse(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"", ".", "..", "a/b", "../x", `a\b`, "a\x00", strings.Repeat("n", 300)} {
		if _, err := Open(dir, name); err == nil {
			t.Errorf("%q was opened", name)
		}
		if WriteStatus(dir, name, nil) == nil || ClearCancel(dir, name) == nil || ReadEvents(dir, name, nil) == nil {
			t.Errorf("%q has sidecars", name)
		}
	}
	if names, err := List(dir); len(names) != 0 || err != nil {
		t.Errorf("list %v, %v", names, err)
	}
}

func writes(db *DB) int64 {
	stats := db.bolt.Stats()
	return stats.TxStats.GetWrite()
}

func TestAWriteIsToldOfOnceItIsDurable(t *testing.T) {
	dir, writes := t.TempDir(), 0
	db, err := Open(dir, "tommy", OnWrite(func() { writes++ }))
	must(t, err)
	made := writes
	must(t, db.Own(Owned{Kind: "iam.policy", Subject: "p"}))
	if err := db.Own(Owned{Kind: "iam.policy"}); err == nil {
		t.Error("what has no subject was owned")
	}
	must(t, db.Close())
	if made != 1 || writes != 2 {
		t.Errorf("%d writes made the state, and %d were told of, want 1 and 2", made, writes)
	}
}
