package runner

import (
	"strings"
	"testing"

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
