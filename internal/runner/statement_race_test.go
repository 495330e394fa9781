package runner

import (
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
)

const theirNewStatement = `{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::tommy/*"}`

func TestAPolicyEditedWhileS3LearnsOfThePrincipalIsNotWrittenOver(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement)
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN}
		w.a.put = func(string) error {
			w.a.policyText["tommy"] = document(othersStatement, theirNewStatement)
			return compile.ErrInvalidPrincipal
		}
		isA[*DriftError](w, w.fails(w.statementStep("s3:GetObject"), "somebody else edited it"))
		w.holds(othersStatement, theirNewStatement)
		w.a.put = nil
		w.ends(w.statementStep("s3:GetObject"), executor.Done) // reviewed again
		w.holds(othersStatement, theirNewStatement, ourStatement("s3:GetObject"))
		w.ends(w.cleanStatementStep(), executor.Done)
		w.holds(othersStatement, theirNewStatement)
	})
}

func TestAnEditBetweenOurWriteAndItsReadingBackIsTold(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement)
		s := w.statementStep("s3:GetObject")
		w.a.written = func() { w.a.policyText["tommy"] = document(theirNewStatement, ourStatement("s3:GetObject")) }
		if r := w.ends(s, executor.Done); !strings.Contains(r.Message, "somebody else edited the policy at the same moment") {
			t.Errorf("says %q", r.Message)
		}
		w.holds(theirNewStatement, ourStatement("s3:GetObject"))
	})
}

func TestWhatOthersEditBetweenOurWriteAndOurCleanUpStays(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement)
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		clean := w.cleanStatementStep()
		w.a.policyText["tommy"] = document(theirNewStatement, ourStatement("s3:GetObject"))
		w.ends(clean, executor.Done)
		w.holds(theirNewStatement)
	})
}

const anotherPlans = `{"Sid":"Pull2","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:role/other"},"Action":["s3:ListBucket","s3:GetObject"],"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]}`

func TestAnotherPlansStatementIsNoDrift(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement)
		s := w.statementStep("s3:GetObject")
		w.a.policyText["tommy"] = document(othersStatement, anotherPlans)
		w.ends(s, executor.Done)
		w.holds(othersStatement, anotherPlans, ourStatement("s3:GetObject"))
	})
}

func TestAStatementThatAnotherPlanWritesOverIsWrittenAgain(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement)
		writes := 0
		w.a.written = func() { // the other one had read the policy before
			if writes++; writes <= 3 {
				w.a.policyText["tommy"] = document(othersStatement, strings.Replace(anotherPlans, "Pull2", "Pull"+strings.Repeat("I", writes), 1))
			}
		}
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.holds(othersStatement, strings.Replace(anotherPlans, "Pull2", "PullIII", 1), ourStatement("s3:GetObject"))
	})
}

func TestAStatementThatAnotherPlanPutsBackIsRemovedAgain(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement, anotherPlans)
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.a.written = func() {
			w.a.written = nil
			w.a.policyText["tommy"] = document(othersStatement, anotherPlans, ourStatement("s3:GetObject"))
		}
		w.ends(w.cleanStatementStep(), executor.Done)
		w.holds(othersStatement, anotherPlans)
	})
}

func TestWhatOnlyLooksLikeAnotherPlansStatementIsDrift(t *testing.T) {
	for _, edit := range [][2]string{
		{`"Allow"`, `"Deny"`},
		{`{"AWS":"arn:aws:iam::210987654321:role/other"}`, `"*"`},
		{`role/other`, `root`},
		{`"s3:GetObject"`, `"s3:PutObject"`},
		{`"Action"`, `"NotAction"`},
		{`"Sid":"Pull2",`, ``},
	} {
		onBench(t, func(w *bench) {
			w.a.policyText["tommy"] = document(othersStatement)
			s := w.statementStep("s3:GetObject")
			now := document(othersStatement, strings.Replace(anotherPlans, edit[0], edit[1], 1))
			w.a.policyText["tommy"] = now
			isA[*DriftError](w, w.fails(s, "changed since it was reviewed"))
			if w.a.policyText["tommy"] != now {
				t.Errorf("%s: it was written over", edit[1])
			}
		})
	}
}

func TestAFreezeAndOurStatementDoNotPutEachOtherBack(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		w.a.policyText["tommy"] = document(othersStatement)
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.enforces(0)
		lift := w.freezeStep()
		w.ends(lift, executor.Done)
		lift.Kind = compile.KindCleanFreeze
		w.a.put = func(text string) error { // a slow answer: the policy was read before the statement went
			if strings.Contains(text, "DelegateS3Access") {
				return pauseFor(w.Context(), 5*time.Second)
			}
			return nil
		}
		clean, ended := w.cleanStatementStep(), make(chan error)
		go func() {
			_, err := w.run(lift)
			ended <- err
		}()
		w.ends(clean, executor.Done)
		w.must(<-ended)
		w.holds(othersStatement)
		w.owns()
	})
}

func TestAStatementThatReadsLocksIsAnotherPlansAsWell(t *testing.T) {
	onBench(t, func(w *bench) {
		keepsLocks := strings.Replace(anotherPlans, `"s3:GetObject"]`, `"s3:GetObject","s3:GetObjectRetention","s3:GetObjectLegalHold"]`, 1)
		w.a.policyText["tommy"] = document(othersStatement)
		s := w.statementStep("s3:GetObject")
		w.a.policyText["tommy"] = document(othersStatement, keepsLocks)
		w.ends(s, executor.Done)
		w.a.written = func() {
			w.a.written = nil
			w.a.policyText["tommy"] = document(othersStatement, keepsLocks, ourStatement("s3:GetObject"))
		}
		w.ends(w.cleanStatementStep(), executor.Done)
		w.holds(othersStatement, keepsLocks)
	})
}

func TestAFreezeThatAnotherPlanWritesOverIsWrittenAgain(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		w.a.policyText["tommy"] = document(othersStatement)
		freeze := w.freezeStep()
		w.a.written = func() {
			w.a.written = nil
			w.a.policyText["tommy"] = document(othersStatement, anotherPlans)
		}
		w.ends(freeze, executor.Done)
		w.holds(othersStatement, anotherPlans, freezing("XplanFreezeDeletes", "s3:DeleteObject"), freezing("XplanFreeze", "s3:PutObject"))
	})
}

func TestAFreezeThatAnotherPlanPutsBackIsLiftedAgain(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		w.a.policyText["tommy"] = document(othersStatement)
		lift := w.freezeStep()
		w.ends(lift, executor.Done)
		lift.Kind = compile.KindCleanFreeze
		w.a.written = func() {
			if strings.Contains(w.a.policyText["tommy"], "XplanFreeze") {
				return
			}
			w.a.written = nil
			time.AfterFunc(secondLook/3, func() { // the first statement of a plan that had read the policy before
				w.a.mu.Lock()
				defer w.a.mu.Unlock()
				w.a.policyText["tommy"] = document(othersStatement, freezing("XplanFreezeDeletes", "s3:DeleteObject"), anotherPlans)
			})
		}
		w.ends(lift, executor.Done)
		w.must(pauseFor(w.Context(), time.Second))
		w.holds(othersStatement, anotherPlans)
	})
}
