package runner

import (
	"testing"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/plan"
)

func policyDocument(action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`
}

func policySpec(action string) compile.Spec {
	doc, err := policy.Parse([]byte(policyDocument(action)))
	if err != nil {
		panic(err)
	}
	return compile.Spec{Policy: &compile.PolicySpec{
		ARN: policyARN, Name: "pull", Document: string(doc.JSON()), Digest: compile.PolicyDigest(doc),
		Tags: map[string]string{compile.PlanTag: "tommy-to-b"},
	}}
}

func makePolicy(action string) compile.Step { return step(compile.KindPolicy, policySpec(action)) }

func cleanPolicyStep() compile.Step { return step(compile.KindCleanPolicy, policySpec("s3:GetObject")) }

// stranger is a policy of the same name that somebody else made.
func stranger(action string) compile.ManagedPolicy {
	return compile.ManagedPolicy{Exists: true, ARN: policyARN, Name: "pull", Default: "v1", Versions: 1, Document: policyDocument(action)}
}

func TestAPolicyIsIntendedThenMadeThenOwned(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(makePolicy("s3:GetObject"), executor.Done)
		w.asked("intend iam.policy", "CreatePolicy pull", "own iam.policy")
		w.owns("iam.policy " + policyARN)

		w.ends(makePolicy("s3:GetObject"), executor.Held)
		w.asked("own iam.policy")
	})
}

func TestAPolicyIsNotMadeWhereItsIntentCannotBeRecorded(t *testing.T) {
	onBench(t, func(w *bench) {
		w.own.fail["intend"] = errPulled
		w.fails(makePolicy("s3:GetObject"), "the plug was pulled")
		w.asked("intend iam.policy")
	})
}

func TestAPolicyThatACrashLeftUnrecordedIsFoundByItsTags(t *testing.T) {
	onBench(t, func(w *bench) {
		w.own.fail["own"] = errPulled
		w.fails(makePolicy("s3:GetObject"))
		w.owns("?iam.policy " + policyARN)
		delete(w.own.fail, "own")
		w.restart()
		w.calls.take()
		w.ends(makePolicy("s3:GetObject"), executor.Held)
		w.asked("own iam.policy")
		w.owns("iam.policy " + policyARN)
	})
}

func TestAPolicyIsReadBackUntilItShows(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.lag["ManagedPolicy"] = 4
		w.ends(makePolicy("s3:GetObject"), executor.Done)
		w.owns("iam.policy " + policyARN)
	})
	onBench(t, func(w *bench) {
		w.b.lag["ManagedPolicy"] = 1000
		w.fails(makePolicy("s3:GetObject"), "waited 30s", "does not show yet")
		w.owns("?iam.policy " + policyARN)
	})
}

func TestAChangedDocumentBecomesANewVersion(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(makePolicy("s3:GetObject"), executor.Done)
		w.calls.take()
		w.ends(makePolicy("s3:PutObject"), executor.Done)
		w.asked("intend iam.policy", "UpdatePolicy pull", "own iam.policy")
		w.owns("iam.policy " + policyARN)
	})
}

func TestSomebodyElsesPolicyOfThatNameIsAConflict(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.policies[policyARN] = stranger("s3:*")
		isA[*ConflictError](w, w.fails(makePolicy("s3:GetObject"), "is not this plan's", "permissions.adopt: true"))
		w.asked()
		w.owns()

		// A meaning that is ours by accident makes it no more ours.
		w.b.policies[policyARN] = stranger("s3:GetObject")
		w.fails(makePolicy("s3:GetObject"), "is not this plan's")

		// Adopting takes it over.
		s := makePolicy("s3:PutObject")
		s.Spec.Policy.Adopt = true
		w.ends(s, executor.Done)
		w.owns("iam.policy " + policyARN)
	})
}

// An intent that came to nothing does not make ours what somebody else made since.
func TestAnIntentAloneProvesNothingOfAPolicy(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.before["CreatePolicy"] = errPulled
		w.fails(makePolicy("s3:GetObject"))
		w.owns("?iam.policy " + policyARN)
		delete(w.b.before, "CreatePolicy")
		w.b.policies[policyARN] = stranger("s3:*")
		w.calls.take()

		isA[*ConflictError](w, w.fails(makePolicy("s3:GetObject")))
		w.ends(cleanPolicyStep(), executor.Held)
		w.asked("disown iam.policy")
		if !w.b.policies[policyARN].Exists {
			t.Error("somebody else's policy was deleted")
		}
		w.owns()
	})
}

func TestOurPolicyGoesWithItsRecord(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(makePolicy("s3:GetObject"), executor.Done)
		w.calls.take()
		w.ends(cleanPolicyStep(), executor.Done)
		w.asked("DeletePolicy "+policyARN, "disown iam.policy")
		w.owns()
		w.ends(cleanPolicyStep(), executor.Held)
		w.asked()
	})
}

func TestAPolicyThatIsNotOursStays(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.policies[policyARN] = stranger("s3:*")
		w.ends(cleanPolicyStep(), executor.Held)
		w.asked()
	})
}

func TestAPolicyOfOursIsFoundByItsTagsWhenStateIsLost(t *testing.T) {
	onBench(t, func(w *bench) {
		m := stranger("s3:GetObject")
		m.Tags = map[string]string{compile.PlanTag: "tommy-to-b"}
		w.b.policies[policyARN] = m
		w.ends(cleanPolicyStep(), executor.Done)
		if w.b.policies[policyARN].Exists {
			t.Error("it stands")
		}
		m.Tags = map[string]string{compile.PlanTag: "another-plan"}
		w.b.policies[policyARN] = m
		w.ends(cleanPolicyStep(), executor.Held)
	})
}

func TestAPolicyThatOthersUseIsNotDeleted(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(makePolicy("s3:GetObject"), executor.Done)
		m := w.b.policies[policyARN]
		m.Attached = []string{"arn:aws:iam::210987654321:user/other"}
		w.b.policies[policyARN] = m
		isA[*ConflictError](w, w.fails(cleanPolicyStep(), "user/other", "detach it there"))
		w.owns("iam.policy " + policyARN)
	})
}

func TestADeletionThatCannotBeForgottenIsTriedAgain(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(makePolicy("s3:GetObject"), executor.Done)
		w.own.fail["disown"] = errPulled
		w.fails(cleanPolicyStep())
		w.owns("iam.policy " + policyARN)
		delete(w.own.fail, "disown")
		w.ends(cleanPolicyStep(), executor.Done)
		w.owns()
	})
}

func attachmentSpec() compile.Spec {
	return compile.Spec{Attachment: &compile.AttachmentSpec{PolicyARN: policyARN, Principal: userARN}}
}

func TestAnAttachmentIsMadeOnceAndOwned(t *testing.T) {
	attach := step(compile.KindAttachment, attachmentSpec())
	onBench(t, func(w *bench) {
		w.b.lag["Attached"] = 3
		w.ends(attach, executor.Done)
		w.asked("intend iam.attachment", "Attach "+policyARN, "own iam.attachment")
		w.ends(attach, executor.Held)
		w.asked()
		w.owns("iam.attachment " + policyARN + " of " + userARN)

		w.ends(step(compile.KindCleanAttachment, attachmentSpec()), executor.Done)
		w.asked("Detach "+policyARN, "disown iam.attachment")
		w.owns()
	})
}

func TestAnAttachmentThatWasThereBeforeStays(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN, Attached: []string{policyARN}}
		w.ends(step(compile.KindAttachment, attachmentSpec()), executor.Held)
		w.ends(step(compile.KindCleanAttachment, attachmentSpec()), executor.Held)
		w.asked()
	})
}

func TestAPolicyOfOursIsDetachedThoughTheRecordOfThatIsLost(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN, Attached: []string{policyARN}}
		w.must(w.own.Own(compile.Owned{Kind: compile.KindPolicy, Side: plan.Destination, Subject: policyARN}))
		w.ends(step(compile.KindCleanAttachment, attachmentSpec()), executor.Done)
		if n := len(w.b.principals[userARN].Attached); n != 0 {
			t.Errorf("%d policies are attached", n)
		}
	})
}
