package runner

import (
	"strings"
	"testing"

	"xplan/executor"
	"xplan/internal/compile"
)

func TestAPrincipalMadeAgainByHandIsNotOursByItsRecord(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(principalStep(compile.KindPrincipal), executor.Done)
		w.owns("principal " + userARN)
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN, UserID: "AIDA2"}
		w.restart()
		w.ends(principalStep(compile.KindPrincipal), executor.Held)
		w.calls.take()
		r := w.ends(principalStep(compile.KindCleanPrincipal), executor.Held)
		if !strings.Contains(r.Message, "made again since") {
			t.Errorf("says %q", r.Message)
		}
		w.asked("disown principal")
		if !w.b.principals[userARN].Exists {
			t.Error("somebody else's user is gone")
		}
	})
}

func TestAPolicyMadeAgainByHandIsNotOursByItsRecord(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(makePolicy("s3:GetObject"), executor.Done)
		w.owns("iam.policy " + policyARN)
		theirs := stranger("s3:*")
		theirs.ID = "ANPA2"
		w.b.policies[policyARN] = theirs
		w.restart()
		w.calls.take()
		isA[*ConflictError](w, w.fails(makePolicy("s3:GetObject")))
		w.asked()
		w.ends(cleanPolicyStep(), executor.Held)
		w.asked("disown iam.policy")
		if w.b.policies[policyARN].Document != theirs.Document {
			t.Error("somebody else's policy is not what it was")
		}
	})
}

func TestOurPolicyWithANewVersionIsStillKnown(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(makePolicy("s3:GetObject"), executor.Done)
		w.ends(makePolicy("s3:Get*"), executor.Done)
		m := w.b.policies[policyARN]
		m.Tags = nil // so that the record is all there is
		w.b.policies[policyARN] = m
		w.ends(makePolicy("s3:Get*"), executor.Held)
		w.ends(cleanPolicyStep(), executor.Done)
		w.owns()
	})
}
