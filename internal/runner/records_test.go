package runner

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
	"xplan/state"
)

func TestOwnershipComesBackAsItWasRecorded(t *testing.T) {
	onBench(t, func(w *bench) {
		r := Records{DB: w.db}
		intent := compile.Owned{
			Kind: compile.KindCredentials, Side: plan.Destination, Parent: "misterrodgers",
			Intent: true, Before: []string{"AKIA1"}, Since: time.Now().UTC(),
		}
		w.must(r.Intend(intent))
		fact := compile.Owned{Kind: compile.KindPolicy, Side: plan.Destination, Subject: policyARN, Digest: "d", Since: time.Now().UTC()}
		w.must(r.Own(fact))
		got, err := r.Owned()
		w.must(err)
		if want := []compile.Owned{intent, fact}; !reflect.DeepEqual(got, want) {
			t.Errorf("owned are\n%+v, want\n%+v", got, want)
		}
		w.must(r.Disown(fact))
		w.owns("?credentials of misterrodgers")
	})
}

func TestUploadsThatMayStandAreOwnedByTheirPair(t *testing.T) {
	onBench(t, func(w *bench) {
		r := Records{DB: w.db}
		for _, key := range []string{"a", "b"} {
			w.must(r.Journal(pairOf()).PutUpload(w.Context(), s3copy.Upload{Key: key, ID: "id"}))
		}
		w.owns("copy " + pairOf().ID())
		for _, key := range []string{"a", "b"} {
			w.must(r.Journal(pairOf()).DropUpload(w.Context(), key))
		}
		w.owns()
	})
}

func TestWhatItsTagsTellIsRecordedAgain(t *testing.T) {
	onBench(t, func(w *bench) {
		r := Records{DB: w.db}
		known := compile.Owned{Kind: compile.KindPolicy, Side: plan.Destination, Subject: policyARN, Digest: "known"}
		w.must(r.Own(known))
		found := known
		found.Digest = "seen"
		w.must(r.Recover([]compile.Owned{
			found,
			{Kind: compile.KindBucketPolicy, Side: plan.Source, Subject: "tommy", Parent: "DelegateS3Access", Digest: "x"},
			{Kind: compile.KindCredentials, Side: plan.Destination, Parent: "misterrodgers", Intent: true},
			{Kind: compile.KindCopy, Side: plan.Destination, Subject: "a pair"},
		}))
		w.owns("?credentials of misterrodgers", "iam.policy "+policyARN, "source.bucket_policy tommy of DelegateS3Access")
		all, err := r.Owned()
		w.must(err)
		if i := slices.IndexFunc(all, func(o compile.Owned) bool { return o.Subject == policyARN }); all[i].Digest != "known" {
			t.Errorf("what was recorded became %+v", all[i])
		}
	})
}

// TestTheJournalKeepsAllThatTheEngineGaveIt sets every field, so that one which is forgotten shows.
func TestTheJournalKeepsAllThatTheEngineGaveIt(t *testing.T) {
	onBench(t, func(w *bench) {
		j := Records{DB: w.db}.Journal(pairOf())
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		var add s3copy.Tally
		n := int64(0)
		fill(reflect.ValueOf(&add).Elem(), &n)
		w.must(j.Commit(w.Context(), s3copy.Batch{
			Ranges:   []s3copy.Range{{ID: 1, Bounds: s3copy.KeyRange{Through: "m"}, Done: "f"}, {ID: 2, Bounds: s3copy.KeyRange{After: "m"}, Ended: true, Done: "z"}},
			Add:      add,
			Failures: []s3copy.Failure{{Key: "bad\x00", Phase: "copy", Reason: "why", Size: 7, At: at}, {Key: "healed", Phase: "copy"}},
		}))
		w.must(j.Commit(w.Context(), s3copy.Batch{Healed: []string{"healed"}}))
		upload := s3copy.Upload{Key: "big", ID: "id", ETag: "e-2", Size: 9, Part: 5, Started: at}
		w.must(j.PutUpload(w.Context(), upload))
		got, err := j.Load(w.Context())
		w.must(err)
		want := s3copy.Progress{
			Ranges:   []s3copy.Range{{ID: 1, Bounds: s3copy.KeyRange{Through: "m"}, Done: "f"}, {ID: 2, Bounds: s3copy.KeyRange{After: "m"}, Ended: true, Done: "z"}},
			Tally:    add,
			Failures: []s3copy.Failure{{Key: "bad\x00", Phase: "copy", Reason: "why", Size: 7, At: at}},
			Uploads:  []s3copy.Upload{upload},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("loaded\n%+v, want\n%+v", got, want)
		}
		w.must(j.DropUpload(w.Context(), "big"))
		other := pairOf()
		other.Prefix = "logs/"
		if got, err = (Records{DB: w.db}).Journal(other).Load(w.Context()); err != nil || len(got.Ranges) != 0 {
			t.Errorf("another pair loads %+v, %v", got, err)
		}
	})
}

// fill sets every number of a value to another one.
func fill(v reflect.Value, n *int64) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	case reflect.Int64:
		*n++
		v.SetInt(*n)
	default:
		panic(fmt.Sprintf("a tally holds a %s", v.Kind()))
	}
}

func TestEarlierRunsThatDidTheSameJobAreRemembered(t *testing.T) {
	onBench(t, func(w *bench) {
		p := &plan.Plan{Version: 1, Name: "tommy-to-b", Buckets: []plan.Pair{pairOf()}, Accounts: plan.Accounts{
			Source: plan.Account{Provider: plan.AWS, ID: accountA}, Destination: plan.Account{Provider: plan.AWS, ID: accountB},
		}}
		other := *p
		other.Buckets = []plan.Pair{pairOf()}
		other.Buckets[0].Verify.Level = plan.LevelSize
		elsewhere := *p
		elsewhere.Accounts.Source.ID = accountB
		busier := *p // how many are in flight proves nothing else
		busier.Buckets = []plan.Pair{pairOf()}
		busier.Buckets[0].Copy.InFlight = 7
		r := Records{DB: w.db}
		for i, run := range []struct {
			plan   *plan.Plan
			status state.RunStatus
		}{{p, state.Done}, {p, state.Failed}, {&other, state.Done}, {&elsewhere, state.Done}, {p, state.FinishedWithFailures}, {&busier, state.Waiting}} {
			id := fmt.Sprintf("tommy-to-b-%d", i)
			w.must(w.db.StartRun(state.Run{ID: id, PlanName: p.Name, Plan: run.plan.JSON(), Started: time.Now()}))
			time.Sleep(time.Minute)
			w.must(w.db.EndRun(id, time.Now(), run.status, 0, nil))
		}
		w.must(w.db.StartRun(state.Run{ID: "tommy-to-b-x", PlanName: p.Name, Plan: []byte(`{"version":`), Started: time.Now()}))
		w.must(w.db.EndRun("tommy-to-b-x", time.Now(), state.Done, 0, nil)) // of a newer xplan, say: it proves nothing here
		got, err := r.Earlier(p)
		w.must(err)
		windows := got[pairOf().ID()]
		if len(windows) != 2 || windows[0].Ended.Sub(windows[0].Begun) != time.Minute || windows[1].Begun.Sub(windows[0].Begun) != 5*time.Minute {
			t.Errorf("earlier were %+v, want the first and the last run", got)
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		err := until(ctx, time.Minute, func(context.Context) error { return errNotYet })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := pauseFor(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a pause got %v", err)
		}
	})
}

func TestLooksBecomeRarer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks, start := 0, time.Now()
		err := until(t.Context(), 2*time.Minute, func(context.Context) error { looks++; return fmt.Errorf("thing: %w", errNotYet) })
		if err == nil || time.Since(start) != 2*time.Minute || looks > 35 {
			t.Errorf("%d looks in %s: %v", looks, time.Since(start), err)
		}
	})
}

func TestAnotherErrorEndsTheWait(t *testing.T) {
	if err := until(t.Context(), time.Minute, func(context.Context) error { return errPulled }); !errors.Is(err, errPulled) {
		t.Errorf("got %v", err)
	}
}

func TestProgressIsToldPairByPair(t *testing.T) {
	var p Progress
	p.Of("b").Copied.Add(2)
	p.Of("a").Copied.Add(1)
	p.Of("b").Copied.Add(1)
	var got []string
	p.Each(func(pair string, c *s3copy.Counters) { got = append(got, fmt.Sprintf("%s %d", pair, c.Copied.Load())) })
	if want := []string{"a 1", "b 3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryKindOfStepHasARunner(t *testing.T) {
	onBench(t, func(w *bench) {
		for _, kind := range []compile.Kind{
			compile.KindIdentity, compile.KindInspect, compile.KindBucket, compile.KindPrincipal, compile.KindPolicy, compile.KindAttachment,
			compile.KindGrant, compile.KindBucketPolicy, compile.KindCredentials, compile.KindProbe, compile.KindCopy, compile.KindVerify,
			compile.KindCleanUploads, compile.KindCleanKey, compile.KindCleanBucketPolicy, compile.KindCleanGrant, compile.KindCleanAttachment,
			compile.KindCleanPolicy, compile.KindCleanPrincipal, compile.KindCleanInstance, compile.KindCleanSourceObjects,
			compile.KindCleanSourceBucket, compile.KindCleanDestinationBucket, compile.KindCleanExtra,
			compile.KindDelta, compile.KindFreeze, compile.KindFreezeProbe, compile.KindFinal, compile.KindCleanFreeze,
		} {
			if w.runners[kind] == nil {
				t.Errorf("nobody runs %s", kind)
			}
		}
	})
}
