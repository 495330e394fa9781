package runner

import (
	"errors"
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/plan"
)

const (
	othersStatement = `{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*",` +
		`"Resource":["arn:aws:s3:::tommy/*","arn:aws:s3:::tommy"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
	namelessStatement = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["s3:Get*"],"Resource":"arn:aws:s3:::tommy/*"}`
)

func ourStatement(action string) string {
	return `{"Sid":"DelegateS3Access","Effect":"Allow","Principal":{"AWS":"` + userARN + `"},"Action":"` + action + `","Resource":"arn:aws:s3:::tommy/*"}`
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func parsed(t *testing.T, text string) policy.Document {
	t.Helper()
	if text == "" {
		return policy.Document{}
	}
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// statementStep is the step as compiled of what stands now.
func (w *bench) statementStep(action string) compile.Step {
	w.Helper()
	now := parsed(w.T, w.a.policyText["tommy"])
	ours := parsed(w.T, document(ourStatement(action))).Statements[0]
	s := step(compile.KindBucketPolicy, compile.Spec{Statement: &compile.StatementSpec{
		Bucket: "tommy", Account: accountA, Sid: "DelegateS3Access", Statement: ourStatement(action), Digest: ours.Digest(),
		Reviewed: compile.StandingDigest(now),
	}})
	s.Side = plan.Source
	return s
}

func (w *bench) cleanStatementStep() compile.Step {
	s := w.statementStep("s3:GetObject")
	s.Kind = compile.KindCleanBucketPolicy
	return s
}

// holds wants these statements by meaning in tommy's policy, and no others.
func (w *bench) holds(statements ...string) {
	w.Helper()
	want := ""
	if len(statements) > 0 {
		want = document(statements...)
	}
	if got := w.a.policyText["tommy"]; !policy.Equal(parsed(w.T, got), parsed(w.T, want)) {
		w.Errorf("the policy is\n  %s\nwant\n  %s", got, want)
	}
}

func TestOurStatementIsMergedAndAllOthersAreKept(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement, namelessStatement)
		s := w.statementStep("s3:GetObject")
		if r := w.ends(s, executor.Done); !strings.Contains(r.Message, "others kept: 2") {
			t.Errorf("says %q", r.Message)
		}
		w.asked("intend source.bucket_policy", "PutBucketPolicy tommy", "own source.bucket_policy")
		w.holds(othersStatement, namelessStatement, ourStatement("s3:GetObject"))
		w.owns("source.bucket_policy tommy of DelegateS3Access")

		w.ends(s, executor.Held)
		w.asked("own source.bucket_policy")

		w.ends(w.cleanStatementStep(), executor.Done)
		w.asked("PutBucketPolicy tommy", "disown source.bucket_policy")
		w.holds(othersStatement, namelessStatement)
		w.owns()
	})
}

func TestAPolicyThatIsEmptyWithoutOurStatementIsDeleted(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.calls.take()
		w.ends(w.cleanStatementStep(), executor.Done)
		w.asked("DeleteBucketPolicy tommy", "disown source.bucket_policy")
		w.holds()
		w.ends(w.cleanStatementStep(), executor.Held)
		w.asked()
	})
}

func TestAPolicyThatChangedSinceTheReviewIsNotWritten(t *testing.T) {
	onBench(t, func(w *bench) {
		s := w.statementStep("s3:GetObject")
		w.a.policyText["tommy"] = document(othersStatement)
		isA[*DriftError](w, w.fails(s, "bucket policy of tommy", "nothing was written"))
		w.asked()
		w.holds(othersStatement)
	})
}

func TestAnotherOrderAndSpellingIsNoDrift(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement, namelessStatement)
		s := w.statementStep("s3:GetObject")
		w.a.policyText["tommy"] = document(strings.Replace(namelessStatement, `["s3:Get*"]`, `"s3:Get*"`, 1), othersStatement)
		w.ends(s, executor.Done)
	})
}

func TestASidOfSomebodyElsesIsAConflict(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(ourStatement("s3:*"))
		s := w.statementStep("s3:GetObject")
		isA[*ConflictError](w, w.fails(s, "DelegateS3Access", "permissions.adopt: true"))
		w.asked()

		s.Spec.Statement.Adopt = true
		w.ends(s, executor.Done)
		w.holds(ourStatement("s3:GetObject"))
		w.owns("source.bucket_policy tommy of DelegateS3Access")
	})
}

func TestAStatementThatStoodBeforeIsNotOurs(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(ourStatement("s3:GetObject"))
		w.ends(w.statementStep("s3:GetObject"), executor.Held)
		w.owns()
		w.ends(w.cleanStatementStep(), executor.Held)
		w.asked()
		w.holds(ourStatement("s3:GetObject"))
	})
}

func TestAStatementOfOursIsChangedInPlace(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.policyText["tommy"] = document(othersStatement)
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.ends(w.statementStep("s3:GetObjectTagging"), executor.Done)
		w.holds(othersStatement, ourStatement("s3:GetObjectTagging"))
		w.ends(w.cleanStatementStep(), executor.Done)
		w.holds(othersStatement)
	})
}

func TestACrashBetweenAStatementsIntentAndItsWriteLosesNothing(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		// The plan asks for more now, and the process dies before, then behind the write.
		for _, faults := range []map[string]error{w.a.before, w.a.after} {
			faults["PutBucketPolicy"] = errPulled
			w.fails(w.statementStep("s3:GetObjectTagging"))
			w.owns("?source.bucket_policy tommy of DelegateS3Access")
			delete(faults, "PutBucketPolicy")
			w.restart()
		}
		w.ends(w.statementStep("s3:GetObjectTagging"), executor.Held)
		w.owns("source.bucket_policy tommy of DelegateS3Access")
		w.ends(w.cleanStatementStep(), executor.Done)
		w.holds()
	})
}

func TestACleanUpFindsTheStatementOnBothSidesOfACrash(t *testing.T) {
	for name, written := range map[string]bool{"before the write": false, "behind the write": true} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(w *bench) {
				w.ends(w.statementStep("s3:GetObject"), executor.Done)
				faults := w.a.before
				if written {
					faults = w.a.after
				}
				faults["PutBucketPolicy"] = errPulled
				w.fails(w.statementStep("s3:GetObjectTagging"))
				delete(faults, "PutBucketPolicy")
				w.ends(w.cleanStatementStep(), executor.Done)
				w.holds()
				w.owns()
			})
		})
	}
}

func TestAnEditedStatementIsNotDeleted(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.a.policyText["tommy"] = document(ourStatement("s3:*"))
		w.calls.take()
		isA[*ConflictError](w, w.fails(w.cleanStatementStep(), "was edited since this plan wrote it"))
		w.asked()
		w.holds(ourStatement("s3:*"))
		w.owns("source.bucket_policy tommy of DelegateS3Access")
	})
}

func TestAnIntentThatCameToNothingLeavesSomebodyElsesStatement(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.before["PutBucketPolicy"] = errPulled
		w.fails(w.statementStep("s3:GetObject"))
		delete(w.a.before, "PutBucketPolicy")
		w.a.policyText["tommy"] = document(ourStatement("s3:*"))
		w.calls.take()
		w.ends(w.cleanStatementStep(), executor.Held)
		w.asked("disown source.bucket_policy")
		w.holds(ourStatement("s3:*"))
	})
}

func TestAnotherSidOfTheSameBucketIsAnotherStatement(t *testing.T) {
	onBench(t, func(w *bench) {
		w.must(w.own.Own(compile.Owned{Kind: compile.KindBucketPolicy, Side: plan.Source, Subject: "tommy", Parent: "AnEarlierName", Digest: "x"}))
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.ends(w.cleanStatementStep(), executor.Done)
		w.holds()
		w.owns("source.bucket_policy tommy of AnEarlierName")
	})
}

func TestS3IsGivenTimeToLearnOfANewPrincipal(t *testing.T) {
	unknown := errors.Join(compile.ErrInvalidPrincipal)
	onBench(t, func(w *bench) {
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN}
		start := time.Now()
		w.a.put = func(string) error {
			if time.Since(start) < 40*time.Second {
				return unknown
			}
			return nil
		}
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.holds(ourStatement("s3:GetObject"))
	})
	onBench(t, func(w *bench) { // at most two minutes
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN}
		w.a.put = func(string) error { return unknown }
		start := time.Now()
		w.fails(w.statementStep("s3:GetObject"), "waited 2m0s", "invalid principal")
		if took := time.Since(start); took != 2*time.Minute {
			t.Errorf("waited %s", took)
		}
	})
	onBench(t, func(w *bench) { // and not at all for a principal that IAM does not know
		w.a.put = func(string) error { return unknown }
		start := time.Now()
		w.fails(w.statementStep("s3:GetObject"), "invalid principal")
		if took := time.Since(start); took != 0 {
			t.Errorf("waited %s", took)
		}
	})
}

func TestAPrincipalThatShowsAsItsUniqueIDIsTheSame(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.a.policyText["tommy"] = strings.ReplaceAll(w.a.policyText["tommy"], userARN, "AIDAEXAMPLE")
		again := w.statementStep("s3:GetObject")
		again.Spec.Statement.Live = map[string]string{"AIDAEXAMPLE": userARN}
		w.ends(again, executor.Held)
		gone := w.cleanStatementStep()
		gone.Spec.Statement.Live = again.Spec.Statement.Live
		w.ends(gone, executor.Done)
		w.holds()
	})
}

func TestABucketPolicyThatCannotBeReadIsNotWritten(t *testing.T) {
	onBench(t, func(w *bench) {
		s := w.statementStep("s3:GetObject")
		w.a.unread["BucketPolicy"] = compile.ErrDenied
		w.fails(s, "access denied")
		delete(w.a.unread, "BucketPolicy")
		w.a.policyText["tommy"] = "{"
		w.fails(s, "bucket policy of tommy")
		w.asked()
	})
}

func TestAnEarlierFormOfOurStatementIsOursWhenItsUpdateFails(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		w.a.before["PutBucketPolicy"] = errPulled
		w.fails(w.statementStep("s3:Get*"))
		delete(w.a.before, "PutBucketPolicy")
		w.restart()
		w.ends(w.cleanStatementStep(), executor.Done)
		w.holds()
		w.owns()
	})
}

func TestOurStatementIsOursWhenItsPrincipalWasDeleted(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN, UserID: "AIDAGONE"}
		w.ends(w.statementStep("s3:GetObject"), executor.Done)
		delete(w.b.principals, userARN)
		w.a.policyText["tommy"] = strings.ReplaceAll(document(othersStatement, ourStatement("s3:GetObject")), userARN, "AIDAGONE")
		w.ends(w.cleanStatementStep(), executor.Done)
		w.holds(othersStatement)
	})
}

func TestADeletedPrincipalOfOthersIsNamed(t *testing.T) {
	onBench(t, func(w *bench) {
		dead := strings.ReplaceAll(namelessStatement, "arn:aws:iam::123456789012:root", "AIDADEAD")
		w.a.policyText["tommy"] = document(dead)
		w.a.before["PutBucketPolicy"] = compile.ErrInvalidPrincipal
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN}
		begun := time.Now()
		w.fails(w.statementStep("s3:GetObject"), "AIDADEAD", "take them out")
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("it took %s to say so", took)
		}
		w.holds(dead)
	})
}
