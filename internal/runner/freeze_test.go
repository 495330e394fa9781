package runner

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/internal/s3copy"
	"xplan/plan"
)

func freezing(sid, action string) string {
	return `{"Sid":"` + sid + `","Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":"arn:aws:s3:::tommy/*"}`
}

// freezeStep freezes tommy by two statements, as compiled of what stands now.
func (w *bench) freezeStep() compile.Step {
	w.Helper()
	spec := &compile.FreezeSpec{Bucket: "tommy", Account: accountA, Region: "us-west-2", Prefixes: []string{""}, Pairs: []string{pairOf().ID()}}
	before := parsed(w.T, w.a.policyText["tommy"])
	for _, text := range []string{freezing("XplanFreezeDeletes", "s3:DeleteObject"), freezing("XplanFreeze", "s3:PutObject")} {
		ours := parsed(w.T, document(text)).Statements[0]
		spec.Statements = append(spec.Statements, compile.StatementSpec{
			Bucket: "tommy", Account: accountA, Region: "us-west-2", Sid: ours.Sid, Statement: text, Digest: ours.Digest(),
			Reviewed: compile.StandingDigest(before),
		})
		merged, _, err := policy.Merge(before, ours)
		w.must(err)
		before = merged
	}
	s := step(compile.KindFreeze, compile.Spec{Freeze: spec})
	s.Side, s.Action = plan.Source, compile.Update
	return s
}

// enforces denies writes as S3 does while the policy says so, from the given time after it was written on.
func (w *bench) enforces(after time.Duration) {
	var since time.Time
	w.a.shut = func(text string) error {
		switch frozen := strings.Contains(text, `"XplanFreeze"`); {
		case !frozen:
			since = time.Time{}
			return nil
		case since.IsZero():
			since = time.Now()
		}
		if time.Since(since) < after {
			return nil
		}
		return fmt.Errorf("User: x is not authorized to perform: s3:PutObject on resource: y with an explicit deny in a resource-based policy: %w", s3copy.ErrDenied)
	}
}

func TestAFreezeIsProvenBeforeTheFinalPassAndLiftedAfterIt(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		w.a.policyText["tommy"] = document(othersStatement)
		w.calls.take()
		w.enforces(40 * time.Second)
		freeze := w.freezeStep()
		w.ends(freeze, executor.Done)
		w.holds(othersStatement, freezing("XplanFreezeDeletes", "s3:DeleteObject"), freezing("XplanFreeze", "s3:PutObject"))
		w.asked(
			"intend source.freeze", "PutBucketPolicy tommy", "own source.freeze",
			"intend source.freeze", "PutBucketPolicy tommy", "own source.freeze",
		)
		begun := time.Now()
		probe := freeze
		probe.Kind = compile.KindFreezeProbe
		r := w.ends(probe, executor.Done)
		if waited := time.Since(begun); waited < 40*time.Second || !strings.Contains(r.Message, "a write is denied, 5 times in a row") {
			t.Errorf("after %s it says %q", waited, r.Message)
		}
		w.ends(freeze, executor.Held)
		clean := freeze
		clean.Kind = compile.KindCleanFreeze
		w.ends(clean, executor.Done)
		w.holds(othersStatement)
		w.ends(clean, executor.Held)
		w.owns()
	})
}

func TestAFreezeThatDoesNotHoldIsNoFreeze(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		w.enforces(time.Hour)
		freeze := w.freezeStep()
		w.ends(freeze, executor.Done)
		freeze.Kind = compile.KindFreezeProbe
		w.fails(freeze, "tommy is frozen, and a write to it is let through")
	})
}

func TestADenialThatWasThereBeforeProvesNoFreeze(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		w.a.shut = func(string) error { return s3copy.ErrDenied }
		freeze := w.freezeStep()
		w.ends(freeze, executor.Done)
		begun := time.Now()
		freeze.Kind = compile.KindFreezeProbe
		r := w.ends(freeze, executor.Done)
		if time.Since(begun) < unseenFor || !strings.Contains(r.Message, "whether it holds could not be seen") {
			t.Errorf("after %s it says %q", time.Since(begun), r.Message)
		}
	})
}

func TestAFreezeGoesOnAfterACrashBetweenItsStatements(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		w.enforces(0)
		freeze := w.freezeStep()
		w.own.fail["own"] = errors.New("the process dies")
		w.fails(freeze, "the process dies")
		w.restart()
		delete(w.own.fail, "own")
		w.owns("?source.freeze tommy of XplanFreezeDeletes")
		again := w.freezeStep()
		w.ends(again, executor.Done)
		w.holds(freezing("XplanFreezeDeletes", "s3:DeleteObject"), freezing("XplanFreeze", "s3:PutObject"))
		again.Kind = compile.KindCleanFreeze
		w.ends(again, executor.Done)
		w.holds()
		w.owns()
	})
}

func TestAPolicyThatChangedSinceTheReviewIsNotFrozen(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		freeze := w.freezeStep()
		w.a.policyText["tommy"] = document(othersStatement)
		w.calls.take()
		w.fails(freeze, "its statements are others than those that were read for the plan")
		w.holds(othersStatement)
	})
}

func TestAVerifiedFreezeWaitsForAPersonAndAnotherIsLifted(t *testing.T) {
	for _, verified := range []bool{true, false} {
		onPair(t, func(w *bench, source, _ *memory) {
			w.enforces(0)
			freeze := w.freezeStep()
			w.ends(freeze, executor.Done)
			w.ends(pairStep(compile.KindFinal, func(c *compile.CopySpec) { c.Frozen = true }), executor.Done)
			if verified {
				w.ends(pairStep(compile.KindVerify, nil), executor.Done)
			}
			freeze.Kind, freeze.Spec.Freeze.HoldsVerified = compile.KindCleanFreeze, true
			if !verified {
				w.ends(freeze, executor.Done)
				w.holds()
				return
			}
			r := w.ends(freeze, executor.Waiting)
			if !strings.Contains(r.Pending, "switch its writers, then lift it: xplan cleanup FILE") {
				t.Errorf("says %q", r.Pending)
			}
		})
	}
}

func TestDeltasEndWhenThereIsLittleLeft(t *testing.T) {
	for _, c := range []struct {
		passes, until int
		says          string
	}{
		{0, 100, "no delta was asked for"},
		{5, 100, "objects copied by each delta: 3"},
		{5, 2, "objects copied by each delta: 3, 0"},
		{1, 0, "objects copied by each delta: 3"},
	} {
		onPair(t, func(w *bench, _, _ *memory) {
			r := w.ends(pairStep(compile.KindDelta, func(s *compile.CopySpec) { s.Preliminary, s.Passes, s.Until = true, c.passes, c.until }), executor.Done)
			if r.Message != c.says {
				t.Errorf("%+v: says %q", c, r.Message)
			}
		})
	}
}

func TestWhatIsWrittenToUnderEachTryIsLeftToTheFinalPass(t *testing.T) {
	for _, c := range []struct {
		why   error
		ended executor.Outcome
		says  string
	}{
		{s3copy.ErrChanged, executor.Done, "; 1 objects were written to while they were copied, and are left to the final pass"},
		{s3copy.ErrDenied, executor.Failed, `1 objects failed, so the copy is not verified`},
	} {
		onPair(t, func(w *bench, _, destination *memory) {
			destination.fail["two"] = c.why
			r := w.ends(pairStep(compile.KindCopy, func(s *compile.CopySpec) { s.Preliminary = true }), executor.Done)
			if r.Failed != 0 || !strings.HasSuffix(r.Message, "1 failed; what failed is tried again") {
				t.Errorf("the copy says %q, %d failed", r.Message, r.Failed)
			}
			r = w.ends(pairStep(compile.KindDelta, func(s *compile.CopySpec) { s.Preliminary, s.Passes = true, 1 }), c.ended)
			if !strings.Contains(r.Message, c.says) {
				t.Errorf("%v: the delta says %q", c.why, r.Message)
			}
		})
	}
}

func TestTheFinalPassTellsOfLocksThatAreLeft(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		r := w.ends(pairStep(compile.KindFinal, func(c *compile.CopySpec) { c.Frozen, c.LocksLeft = true, true }), executor.Done)
		if sum, ok := r.Detail.(s3copy.Summary); !ok || !sum.Locks.Left {
			t.Errorf("got %+v, want the locks that are left in the account", r.Detail)
		}
	})
}
