package s3copy

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// A vault is a source whose archived objects a run has asked for; frozen names those that its journal has on record, and how each stands.
func vault(frozen map[string]thawState, others int) (*bucket, Job, *journal) {
	src, _, job := pair()
	j := &journal{}
	asked := time.Unix(1_700_000_000, 0).UTC()
	for key, state := range frozen {
		o := src.put(key, "x")
		o.StorageClass, o.Restored, o.Restoring = "GLACIER", state == ready, state == underWay
		if state == vanished {
			delete(src.objects, key)
		}
		at := asked.Add(time.Hour)
		if state == underWay && key == "k0001" {
			at = asked
		}
		j.p.Failures = append(j.p.Failures, Failure{Key: key, Phase: phaseRestore, At: at})
	}
	for i := range others {
		src.put(fmt.Sprintf("k%04d.other", i), "x")
	}
	job.Journal = j
	return src, job, j
}

// fours are n keys whose restores stand in all four ways.
func fours(n int) map[string]thawState {
	all := map[string]thawState{}
	for i := range n {
		all[fmt.Sprintf("k%04d", i)] = thawState(i % 4)
	}
	return all
}

func restoresOf(t *testing.T, job Job) (Restores, error) {
	t.Helper()
	e, err := New(small())
	if err != nil {
		t.Fatal(err)
	}
	return e.Restores(t.Context(), job)
}

func TestRestoresAreToldByListingWhereThatIsCheaper(t *testing.T) {
	for _, c := range []struct {
		name                    string
		keys, others, page      int
		fewLists, mostLists     int
		fewestHeads, mostHeads  int
		ready, under, run, gone int64
	}{
		{"a few are asked one by one", 8, 0, 1000, 0, 0, 8, 8, 2, 2, 2, 2},
		{"many are listed", 400, 0, 1000, 1, 1, 0, 0, 100, 100, 100, 100},
		{"many are listed, by pages", 400, 0, 100, 3, 5, 0, 20, 100, 100, 100, 100},
		{"among many others they are asked one by one", 40, 2000, 10, 1, 2, 30, 40, 10, 10, 10, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, job, j := vault(fours(c.keys), c.others)
			src.page = func() int { return c.page }
			got, err := restoresOf(t, job)
			want := Restores{Ready: c.ready, UnderWay: c.under, Lapsed: c.run, Gone: c.gone, Since: time.Unix(1_700_000_000, 0).UTC()}
			if err != nil || got != want || !got.Any() {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
			lists, heads := src.calls["list"], src.calls["head"]
			if lists < c.fewLists || lists > c.mostLists || heads < c.fewestHeads || heads > c.mostHeads {
				t.Errorf("%d listings and %d HEADs", lists, heads)
			}
			if j.writes != 0 {
				t.Errorf("%d writes to the journal", j.writes)
			}
		})
	}
}

func TestRestoresOfArchiveTiersAreAskedForByHead(t *testing.T) {
	src, job, _ := vault(fours(40), 0)
	for key, o := range src.objects {
		o.StorageClass, o.Archived = tiered, !o.Restored
		if key == "k0004" {
			o.Archived = false // back in the frequent tier, for good
		}
	}
	got, err := restoresOf(t, job)
	if err != nil || got.Ready != 10 || got.UnderWay != 10 || got.Lapsed != 10 || got.Gone != 10 || src.calls["head"] != 30 {
		t.Errorf("got %+v, %v, by %d HEADs", got, err, src.calls["head"])
	}
}

func TestNothingIsToBeDoneWhileAllRestoresAreUnderWay(t *testing.T) {
	_, job, _ := vault(map[string]thawState{"k0001": underWay, "k0002": underWay}, 0)
	if got, err := restoresOf(t, job); err != nil || got.Any() || got.UnderWay != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhatIsNoRestoreIsAnotherFailure(t *testing.T) {
	src, job, j := vault(map[string]thawState{"k0001": ready}, 0)
	j.p.Failures = append(j.p.Failures, Failure{Key: "k0002", Phase: phaseCopy})
	if got, err := restoresOf(t, job); err != nil || got.Ready != 1 || got.Other != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	job.Versions = true // no listing of current objects tells of a chain's
	before := src.calls["head"]
	if got, err := restoresOf(t, job); err != nil || got.Ready != 0 || got.Other != 2 || src.calls["head"] != before {
		t.Errorf("of versions: got %+v, %v", got, err)
	}
}

func TestRestoresThatCannotBeLookedAtAreAnError(t *testing.T) {
	for op, keys := range map[string]int{"head": 4, "list": 40} {
		src, job, j := vault(fours(keys), 0)
		src.fault = func(o, _ string) error {
			if o == op {
				return ErrDenied
			}
			return nil
		}
		if got, err := restoresOf(t, job); !errors.Is(err, ErrDenied) || got != (Restores{}) || j.writes != 0 {
			t.Errorf("%s denied: got %+v, %v", op, got, err)
		}
	}
}

func TestAKeyIsListedFromRightBeforeIt(t *testing.T) {
	for key, want := range map[string]string{"k": "", "ab": "a", "a\u00e9": "a", "a\U0001F600": "a", "a/b/": "a/b"} {
		if got := startBefore(key); got != want || got >= key {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}
