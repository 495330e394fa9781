package runner

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/plan"
)

const secret = "wJalrXUtnFEMIsecretKEYbPxRfiCYEXAMPLEKEY"

func mint() compile.Step {
	return step(compile.KindCredentials, compile.Spec{Credentials: &compile.CredentialsSpec{
		Kind: plan.AccessKey, Principal: userARN, UserName: "misterrodgers",
	}})
}

func cleanKeyStep() compile.Step {
	s := mint()
	s.Kind = compile.KindCleanKey
	return s
}

// others are keys of the user that the run knows nothing of.
func (w *bench) others(ids ...string) {
	for _, id := range ids {
		w.b.keys["misterrodgers"] = append(w.b.keys["misterrodgers"], compile.AccessKey{ID: id, Active: true, Created: time.Now()})
	}
}

func (w *bench) keyIDs() string {
	var ids []string
	for _, k := range w.b.keys["misterrodgers"] {
		ids = append(ids, k.ID)
	}
	return strings.Join(ids, " ")
}

func TestAKeyIsIntendedThenMintedThenOwned(t *testing.T) {
	onBench(t, func(w *bench) {
		w.others("AKIAOLD")
		w.ends(mint(), executor.Done)
		w.asked("intend credentials", "MintKey misterrodgers", "own credentials", "disown credentials")
		w.owns("credentials AKIAMINTED1 of misterrodgers")

		w.ends(cleanKeyStep(), executor.Done)
		w.asked("DeleteAccessKey AKIAMINTED1", "disown credentials")
		w.owns()
		if got := w.keyIDs(); got != "AKIAOLD" {
			t.Errorf("the user holds %s", got)
		}
		w.ends(cleanKeyStep(), executor.Held)
		w.asked()
	})
}

func TestAThirdKeyIsNotAskedFor(t *testing.T) {
	onBench(t, func(w *bench) {
		w.others("AKIAONE", "AKIATWO")
		w.fails(mint(), "two access keys already")
		w.asked()
		w.owns()
	})
}

func TestAKeyIsNotMintedWhereItsIntentCannotBeRecorded(t *testing.T) {
	onBench(t, func(w *bench) {
		w.own.fail["intend"] = errPulled
		w.fails(mint())
		w.asked("intend credentials")
	})
}

// crashed is a bench whose run died between the call that made the key and its record.
func crashed(t *testing.T, f func(w *bench)) {
	t.Helper()
	onBench(t, func(w *bench) {
		w.others("AKIAOLD")
		w.own.fail["own"] = errPulled
		w.fails(mint())
		w.own.fail = map[string]error{}
		w.restart()
		w.calls.take()
		w.owns("?credentials of misterrodgers")
		f(w)
	})
}

func TestAnOrphanKeyIsFoundAndDeleted(t *testing.T) {
	crashed(t, func(w *bench) {
		w.ends(cleanKeyStep(), executor.Done)
		w.asked("DeleteAccessKey AKIAMINTED1", "disown credentials")
		w.owns()
		if got := w.keyIDs(); got != "AKIAOLD" {
			t.Errorf("the user holds %s", got)
		}
	})
}

func TestAnIntentWithoutAKeyIsForgotten(t *testing.T) {
	onBench(t, func(w *bench) {
		w.others("AKIAOLD")
		w.b.before["MintKey"] = errPulled
		w.fails(mint(), "make an access key of user misterrodgers")
		w.calls.take()
		w.ends(cleanKeyStep(), executor.Held)
		w.asked("disown credentials")
		w.owns()
	})
}

func TestAKeyThatIAMShowsLateIsWaitedFor(t *testing.T) {
	crashed(t, func(w *bench) {
		minted := w.b.keys["misterrodgers"]
		w.b.keys["misterrodgers"] = nil
		time.AfterFunc(5*time.Second, func() {
			w.b.mu.Lock()
			defer w.b.mu.Unlock()
			w.b.keys["misterrodgers"] = minted
		})
		w.ends(cleanKeyStep(), executor.Done)
		w.asked("DeleteAccessKey AKIAMINTED1", "disown credentials")
	})
}

func TestADeniedMintLeavesNoIntent(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.before["MintKey"] = compile.ErrDenied
		w.fails(mint())
		w.owns()
	})
}

func TestAKeyOfAnotherPlanIsNotTakenForTheOrphan(t *testing.T) {
	onBench(t, func(w *bench) {
		other := strings.Replace(policyARN, "pull", "other", 1)
		w.b.principals[userARN] = compile.PrincipalFacts{Exists: true, ARN: userARN, Attached: []string{policyARN, other}}
		w.b.policies[other] = compile.ManagedPolicy{Exists: true, ARN: other, Tags: map[string]string{compile.KeyTag: "made AKIAOTHER"}}
		w.must(w.deps.Ownership.Intend(compile.Owned{Kind: compile.KindCredentials, Side: plan.Destination, Parent: "misterrodgers", Intent: true, Since: time.Now()}))
		w.others("AKIAOTHER") // made since, by another plan for the same user
		s := step(compile.KindCleanKey, compile.Spec{Credentials: &compile.CredentialsSpec{Kind: plan.AccessKey, UserName: "misterrodgers", Principal: userARN, NoteOn: policyARN}})
		w.ends(s, executor.Held)
		if got := w.keyIDs(); got != "AKIAOTHER" {
			t.Errorf("the user holds %s", got)
		}
	})
}

func TestTwoNewerKeysStopForAPerson(t *testing.T) {
	crashed(t, func(w *bench) {
		w.b.keys["misterrodgers"] = w.b.keys["misterrodgers"][1:] // the old one was deleted meanwhile
		w.others("AKIASOMEBODY")
		isA[*ConflictError](w, w.fails(cleanKeyStep(), "AKIAMINTED1, AKIASOMEBODY", "delete the one that nobody uses"))
		w.asked()
		w.owns("?credentials of misterrodgers")
	})
}

func TestAKeyMadeLongAfterTheIntentStopsForAPerson(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.before["MintKey"] = errPulled
		w.fails(mint())
		w.calls.take()
		time.Sleep(11 * time.Minute)
		w.others("AKIASOMEBODY")
		isA[*ConflictError](w, w.fails(cleanKeyStep(), "AKIASOMEBODY"))
		w.asked()
	})
}

func TestASecondMintDoesNotForgetTheOrphanOfTheFirst(t *testing.T) {
	onBench(t, func(w *bench) {
		w.own.fail["own"] = errPulled
		w.fails(mint())
		w.own.fail = map[string]error{}
		w.restart()
		w.calls.take()
		w.fails(mint(), "AKIAMINTED1", "run again")
		w.asked()
		w.ends(cleanKeyStep(), executor.Done)
		w.ends(mint(), executor.Done)
		w.ends(cleanKeyStep(), executor.Done)
		if got := w.keyIDs(); got != "" {
			t.Errorf("the user holds %s", got)
		}
	})
}

func TestARecordedKeyIsNotTakenForTheOrphan(t *testing.T) {
	crashed(t, func(w *bench) {
		w.b.keys["misterrodgers"] = w.b.keys["misterrodgers"][1:]
		w.must(w.own.Ownership.Own(compile.Owned{Kind: compile.KindCredentials, Side: plan.Source, Subject: "AKIARECORDED", Parent: "misterrodgers"}))
		w.others("AKIARECORDED")
		w.ends(cleanKeyStep(), executor.Done)
		if got := w.keyIDs(); got != "" {
			t.Errorf("the user holds %s", got)
		}
		w.owns()
	})
}

func TestKeysOfAnotherUserStay(t *testing.T) {
	onBench(t, func(w *bench) {
		w.must(w.own.Own(compile.Owned{Kind: compile.KindCredentials, Side: plan.Destination, Subject: "AKIAOTHER", Parent: "other"}))
		w.calls.take()
		w.ends(cleanKeyStep(), executor.Held)
		w.asked()
	})
}

func TestAKeyIsNotedOnOurPolicy(t *testing.T) {
	onBench(t, func(w *bench) {
		w.b.policies[policyARN] = stranger("s3:GetObject")
		s := mint()
		s.Spec.Credentials.NoteOn = policyARN
		w.ends(s, executor.Done)
		if got := w.b.policies[policyARN].Tags[compile.KeyTag]; !strings.HasPrefix(got, "made AKIAMINTED") {
			t.Errorf("the note is %q", got)
		}
		s.Kind = compile.KindCleanKey
		w.ends(s, executor.Done)
		if got, ok := w.b.policies[policyARN].Tags[compile.KeyTag]; ok {
			t.Errorf("the note %q is left", got)
		}
	})
	onBench(t, func(w *bench) { // no key without its note
		w.b.before["TagPolicy"] = errPulled
		s := mint()
		s.Spec.Credentials.NoteOn = policyARN
		w.fails(s)
		if got := w.keyIDs(); got != "" {
			t.Errorf("the user holds %s", got)
		}
	})
}

func TestARoleIsGivenTimeToTrust(t *testing.T) {
	assume := step(compile.KindCredentials, compile.Spec{Credentials: &compile.CredentialsSpec{Kind: plan.AssumeRole, Principal: roleARN}})
	onBench(t, func(w *bench) {
		start := time.Now()
		w.logins.login.whoErr = func() error {
			if time.Since(start) < 20*time.Second {
				return compile.ErrDenied
			}
			return nil
		}
		w.ends(assume, executor.Done)
	})
	onBench(t, func(w *bench) {
		w.logins.login.whoErr = func() error { return compile.ErrCredentials }
		if f := w.fails(assume, "waited 2m0s", roleARN); !errors.Is(f.err, compile.ErrCredentials) {
			t.Errorf("%v is not about credentials", f.err)
		}
	})
	onBench(t, func(w *bench) {
		w.logins.fail = errPulled
		w.fails(assume, "the plug was pulled")
	})
}

func TestAProfileMustBeThePrincipal(t *testing.T) {
	profile := func(principal string) compile.Step {
		return step(compile.KindCredentials, compile.Spec{Credentials: &compile.CredentialsSpec{Kind: plan.Profile, Principal: principal, Profile: "puller"}})
	}
	onBench(t, func(w *bench) {
		w.ends(profile(userARN), executor.Done)
		w.fails(profile("arn:aws:iam::210987654321:user/other"), "profile puller is "+userARN, "user/other", "name another profile")
		w.logins.login.who.ARN = "arn:aws:sts::210987654321:assumed-role/puller/me"
		w.ends(profile(roleARN), executor.Done)
		w.logins.login.whoErr = func() error { return compile.ErrCredentials }
		w.fails(profile(userARN), "ask who profile puller is")
	})
}

func TestACallerIsThePrincipalOrASessionOfIt(t *testing.T) {
	for _, tc := range []struct {
		caller, principal string
		want              bool
	}{
		{userARN, userARN, true},
		{userARN, roleARN, false},
		{"arn:aws:sts::210987654321:assumed-role/puller/s", roleARN, true},
		{"arn:aws:sts::210987654321:assumed-role/puller/s", "arn:aws:iam::210987654321:role/puller", true},
		{"arn:aws:sts::210987654321:assumed-role/pull/s", roleARN, false},
		{"arn:aws:sts::123456789012:assumed-role/puller/s", roleARN, false},
		{"arn:aws-cn:sts::210987654321:assumed-role/puller/s", roleARN, false},
		{"arn:aws:sts::210987654321:assumed-role/misterrodgers/s", userARN, false},
		{"arn:aws:iam::210987654321:root", userARN, false},
		{"", userARN, false},
	} {
		if got := isPrincipal(tc.caller, tc.principal); got != tc.want {
			t.Errorf("isPrincipal(%q, %q) = %t", tc.caller, tc.principal, got)
		}
	}
}

func TestWithoutAPrincipalTheDestinationsOwnLoginCopies(t *testing.T) {
	onBench(t, func(w *bench) {
		w.ends(step(compile.KindCredentials, compile.Spec{Credentials: &compile.CredentialsSpec{}}), executor.Done)
		w.asked()
	})
}

func TestNobodyCopiesBeforeTheCredentialsStep(t *testing.T) {
	onBench(t, func(w *bench) { w.fails(probeStep(compile.LegIdentity), "the credentials step comes first") })
}

func TestNoSecretIsSaidOrRecorded(t *testing.T) {
	onBench(t, func(w *bench) {
		w.logins.login.secret = secret
		r := w.ends(mint(), executor.Done)
		all, err := w.own.Owned()
		w.must(err)
		for _, text := range []string{fmt.Sprintf("%+v", r), fmt.Sprintf("%+v", all), strings.Join(w.calls.take(), " ")} {
			if strings.Contains(text, secret) {
				t.Errorf("the secret is in %s", text)
			}
		}
	})
}
