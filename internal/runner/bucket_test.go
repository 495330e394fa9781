package runner

import (
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/plan"
)

func bucketStep(kind compile.Kind) compile.Step {
	return step(kind, compile.Spec{Bucket: &compile.BucketSpec{Name: "tommy-b", Account: accountB, Region: "us-west-2"}})
}

func TestABucketIsIntendedMadeAndReadBack(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(bucketStep(compile.KindBucket), executor.Done)
		w.asked("intend destination.bucket", "CreateBucket tommy-b", "own destination.bucket")
		w.ends(bucketStep(compile.KindBucket), executor.Held)
		w.asked()
		w.owns("destination.bucket tommy-b")
	})
}

func TestABucketThatWasThereIsLeftAsItIsAndNotOurs(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.facts["tommy-b"] = compile.Bucket{Exists: true, Region: "eu-west-1"}
		w.ends(bucketStep(compile.KindBucket), executor.Held)
		w.ends(bucketStep(compile.KindCleanDestinationBucket), executor.Held)
		w.asked()
		w.owns()
	})
}

func TestANameThatAnotherAccountTookIsRefused(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.facts["tommy-b"] = compile.Bucket{Foreign: true}
		w.fails(bucketStep(compile.KindBucket), "belongs to another account than "+accountB, "choose another one")
		w.asked()
	})
}

func TestABucketThatWasRefusedLeavesNoIntent(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.before["CreateBucket"] = compile.ErrDenied
		w.fails(bucketStep(compile.KindBucket))
		w.owns()
		w.b.before["CreateBucket"] = errPulled // nobody knows
		w.fails(bucketStep(compile.KindBucket))
		w.owns("?destination.bucket tommy-b")
		only := bucketStep(compile.KindCleanDestinationBucket)
		only.Spec.Bucket.OnlyRecord = true
		w.b.facts["tommy-b"] = compile.Bucket{Exists: true}
		w.calls.take()
		w.ends(only, executor.Held)
		w.asked()
		w.b.facts["tommy-b"] = compile.Bucket{Exists: true, Foreign: true}
		w.ends(only, executor.Held)
		w.asked("disown destination.bucket")
	})
}

func TestABucketHalfMadeByACrashIsMadeComplete(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.after["CreateBucket"] = errPulled
		w.fails(bucketStep(compile.KindBucket))
		w.owns("?destination.bucket tommy-b")
		delete(w.b.after, "CreateBucket")
		w.b.facts["tommy-b"] = compile.Bucket{Exists: true} // its public access is open yet
		w.restart()
		w.calls.take()
		w.ends(bucketStep(compile.KindBucket), executor.Done)
		w.asked("intend destination.bucket", "CreateBucket tommy-b", "own destination.bucket")
		if !w.b.facts["tommy-b"].PublicAccess.All() {
			t.Error("the bucket is open to the public")
		}
	})
}

func TestTheIntentOfABucketThatLacksNothingIsFulfilledByItsTag(t *testing.T) {
	onBench(t, func(w *bench) {
		s := bucketStep(compile.KindBucket)
		s.Action, s.Spec.Bucket.Tags = compile.Hold, map[string]string{compile.PlanTag: "tommy-to-b"}
		intent := compile.Owned{Kind: compile.KindBucket, Side: plan.Destination, Subject: "tommy-b"}
		w.must(w.own.Intend(intent))
		w.b.facts["tommy-b"] = compile.Bucket{Exists: true, Tags: map[string]string{compile.PlanTag: "another"}}
		w.ends(s, executor.Held)
		w.owns("?destination.bucket tommy-b")
		w.b.facts["tommy-b"] = compile.Bucket{Exists: true, Tags: s.Spec.Bucket.Tags}
		w.ends(s, executor.Held)
		w.owns("destination.bucket tommy-b")
	})
}

func TestABucketIsOursOnlyOnceNobodyElseSeesIntoIt(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.after["CreateBucket"] = nil
		open := bucketStep(compile.KindBucket)
		go func() {
			time.Sleep(3 * time.Second)
			w.b.mu.Lock()
			defer w.b.mu.Unlock()
			w.b.facts["tommy-b"] = compile.Bucket{Exists: true, PublicAccess: &compile.PublicAccess{BlockACLs: true, IgnoreACLs: true, BlockPolicy: true, RestrictBuckets: true}}
		}()
		w.b.lag["Bucket"] = 2
		w.ends(open, executor.Done)
		w.owns("destination.bucket tommy-b")
		time.Sleep(time.Minute)
	})
}

func TestABucketThatIsGoneSinceTheReviewIsNotMadeUnasked(t *testing.T) {
	onBench(t, func(w *bench) {
		s := bucketStep(compile.KindBucket)
		s.Action = compile.Hold
		isA[*DriftError](w, w.fails(s, "it was there and is gone"))
		w.asked()
	})
}

func TestOnlyABucketOfOursIsRemoved(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(bucketStep(compile.KindBucket), executor.Done)
		w.calls.take()
		w.b.before["DeleteBucket"] = errPulled // S3 says that it is not empty
		w.fails(bucketStep(compile.KindCleanDestinationBucket))
		w.owns("destination.bucket tommy-b")
		delete(w.b.before, "DeleteBucket")
		w.calls.take()
		w.ends(bucketStep(compile.KindCleanDestinationBucket), executor.Done)
		w.asked("DeleteBucket tommy-b", "disown destination.bucket")
		w.owns()
	})
}

func TestARecordOfABucketThatIsNotThereIsForgotten(t *testing.T) {
	onBench(t, func(w *bench) {
		w.must(w.own.Own(compile.Owned{Kind: compile.KindBucket, Side: plan.Destination, Subject: "tommy-b"}))
		forget := bucketStep(compile.KindCleanDestinationBucket)
		forget.Spec.Bucket.OnlyRecord = true
		w.b.unread["Bucket"] = compile.ErrDenied // which proves nothing
		w.fails(forget, "access denied")
		delete(w.b.unread, "Bucket")
		w.b.facts["tommy-b"] = compile.Bucket{Exists: true}
		w.ends(forget, executor.Held)
		w.owns("destination.bucket tommy-b")
		delete(w.b.facts, "tommy-b")
		w.calls.take()
		w.ends(forget, executor.Held)
		w.asked("disown destination.bucket")
		w.owns()
	})
}

func TestTheSourcesBucketGoesOnlyByItsName(t *testing.T) {
	onBench(t, func(w *bench) {
		s := step(compile.KindCleanSourceBucket, compile.Spec{Bucket: &compile.BucketSpec{Name: "tommy", Account: accountA}})
		w.a.facts["tommy"] = compile.Bucket{Exists: true}
		w.deps.Confirmed["tommy-b"] = true
		if r := w.ends(s, executor.Waiting); r.Pending == "" {
			t.Error("it does not say what it waits for")
		}
		w.asked()
		w.deps.Confirmed["tommy"] = true
		w.ends(s, executor.Done)
		w.asked("DeleteBucket tommy")
		w.ends(s, executor.Held)
		w.asked()
	})
}

func TestTheSourceIsInspectedAgain(t *testing.T) {
	inspect := step(compile.KindInspect, compile.Spec{Inspect: &compile.BucketSpec{Name: "tommy", Account: accountA}})
	onBench(t, func(w *bench) {
		w.fails(inspect, "is not there any more")
		w.a.facts["tommy"] = compile.Bucket{Foreign: true}
		w.fails(inspect, "belongs to another account")
		w.a.facts["tommy"] = compile.Bucket{Exists: true, Region: "us-west-2"}
		w.ends(inspect, executor.Held)
		w.a.unread["Bucket"] = compile.ErrDenied
		w.fails(inspect, "access denied")
		w.asked()
	})
}

func TestEachAccountIsPinned(t *testing.T) {
	check := step(compile.KindIdentity, compile.Spec{Identity: &compile.IdentitySpec{Account: accountB}})
	onBench(t, func(w *bench) {
		w.ends(check, executor.Held)
		wrong := check
		wrong.Side = plan.Source
		isA[*compile.WrongAccountError](w, w.fails(wrong, accountA, accountB))
		w.b.unread["Identity"] = compile.ErrCredentials
		w.fails(check, "destination account", "no usable credentials")
		w.ends(step(compile.KindIdentity, compile.Spec{Identity: &compile.IdentitySpec{}}), executor.Held)
	})
}

func principalStep(kind compile.Kind) compile.Step {
	return step(kind, compile.Spec{Principal: &compile.PrincipalSpec{
		ARN: userARN, Name: "misterrodgers", Path: "/", Create: true, Tags: map[string]string{compile.PlanTag: "tommy-to-b"},
	}})
}

func TestAPrincipalIsMadeWhereThePlanSaysSo(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.lag["Principal"] = 3
		w.ends(principalStep(compile.KindPrincipal), executor.Done)
		w.asked("intend principal", "CreatePrincipal "+userARN, "own principal")
		w.ends(principalStep(compile.KindPrincipal), executor.Held)
		w.asked()
		w.owns("principal " + userARN)

		w.ends(principalStep(compile.KindCleanPrincipal), executor.Done)
		w.asked("DeletePrincipal "+userARN, "disown principal")
		w.owns()
	})
	onBench(t, func(w *bench) {
		s := principalStep(compile.KindPrincipal)
		s.Spec.Principal.Create = false
		w.fails(s, "does not exist", "principal.create: true")
		w.asked()
	})
}

func TestAPrincipalThatWasThereStays(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN, UserID: "AIDA9"}
		w.ends(principalStep(compile.KindPrincipal), executor.Held)
		w.ends(principalStep(compile.KindCleanPrincipal), executor.Held)
		w.asked()
	})
}

func TestAPrincipalThatACrashLeftIsOursByItsTags(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.after["CreatePrincipal"] = errPulled
		w.fails(principalStep(compile.KindPrincipal))
		delete(w.b.after, "CreatePrincipal")
		w.restart()
		w.ends(principalStep(compile.KindPrincipal), executor.Held)
		w.owns("principal " + userARN)
	})
	onBench(t, func(w *bench) { // and somebody else's of that name is not
		w.b.before["CreatePrincipal"] = errPulled
		w.fails(principalStep(compile.KindPrincipal))
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN}
		w.calls.take()
		isA[*ConflictError](w, w.fails(principalStep(compile.KindCleanPrincipal), "does not carry this plan's tag"))
		w.asked()
	})
}

func grantStep(kind compile.Kind) compile.Step {
	s := step(kind, compile.Spec{Grant: &compile.GrantSpec{
		KeyARN: "arn:key", Region: "us-west-2", Principal: userARN, Operations: []string{"Decrypt", "DescribeKey"}, Name: "xplan-tommy-to-b",
	}})
	s.Side = plan.Source
	return s
}

func TestAGrantIsMadeOnceAndRevoked(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.grants["arn:key"] = []compile.Grant{{ID: "other", Name: "somebody's", Grantee: userARN, Operations: []string{"Decrypt", "DescribeKey"}}}
		w.ends(grantStep(compile.KindGrant), executor.Done)
		w.asked("intend kms.grant", "CreateGrant xplan-tommy-to-b", "own kms.grant")
		w.ends(grantStep(compile.KindGrant), executor.Held)
		w.owns("kms.grant xplan-tommy-to-b of arn:key")
		w.ends(grantStep(compile.KindCleanGrant), executor.Done)
		w.asked("RevokeGrant grant-2", "disown kms.grant")
		if g := w.a.grants["arn:key"]; len(g) != 1 || g[0].ID != "other" {
			t.Errorf("left are %+v", g)
		}
		w.ends(grantStep(compile.KindCleanGrant), executor.Held)
		w.asked()
	})
}

func TestAGrantOfLessOrForAnotherIsNotEnough(t *testing.T) {
	onBench(t, func(w *bench) {
		w.a.grants["arn:key"] = []compile.Grant{
			{ID: "less", Name: "xplan-tommy-to-b", Grantee: userARN, Operations: []string{"DescribeKey"}},
			{ID: "other", Name: "xplan-tommy-to-b", Grantee: roleARN, Operations: []string{"Decrypt", "DescribeKey"}},
		}
		w.ends(grantStep(compile.KindGrant), executor.Done)
	})
}

func TestAGrantThatACrashLeftUnrecordedIsRevoked(t *testing.T) {
	onBench(t, func(w *bench) {
		w.own.fail["own"] = errPulled
		w.fails(grantStep(compile.KindGrant))
		w.owns("?kms.grant xplan-tommy-to-b of arn:key")
		delete(w.own.fail, "own")
		w.ends(grantStep(compile.KindCleanGrant), executor.Done)
		if g := w.a.grants["arn:key"]; len(g) != 0 {
			t.Errorf("left are %+v", g)
		}
		w.owns()
	})
}

func TestAnInstanceIsTerminatedUnlessProtected(t *testing.T) {
	s := step(compile.KindCleanInstance, compile.Spec{Instance: &compile.InstanceSpec{ID: "i-1", Account: accountB, Region: "us-west-2"}})
	onBench(t, func(w *bench) {
		w.ends(s, executor.Held) // never there
		w.b.instances["i-1"] = compile.InstanceFacts{Exists: true, State: "running", Protected: true}
		if r := w.ends(s, executor.Waiting); r.Pending == "" {
			t.Error("it does not say what it waits for")
		}
		w.asked()
		w.b.instances["i-1"] = compile.InstanceFacts{Exists: true, State: "running"}
		w.ends(s, executor.Done)
		w.asked("TerminateInstance i-1")
		w.ends(s, executor.Held)
		w.asked()
	})
	onBench(t, func(w *bench) { // in the account that the plan names
		w.a.instances["i-1"] = compile.InstanceFacts{Exists: true, State: "stopped"}
		w.ends(s, executor.Held)
		s.Side = plan.Source
		w.ends(s, executor.Done)
	})
	onBench(t, func(w *bench) {
		s.Side = plan.Destination
		w.b.instances["i-1"] = compile.InstanceFacts{Exists: true, State: "running"}
		w.b.before["TerminateInstance"] = compile.ErrDenied
		w.fails(s, "access denied")
	})
}
