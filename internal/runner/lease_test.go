package runner

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xplan/internal/compile"
)

// leased is an account with a policy, which tells the time as this process does.
type leased struct {
	*account
	noting func() // called right after a note was written, once
}

func (a *leased) TagPolicy(ctx context.Context, arn string, tags map[string]string) error {
	if noting := a.noting; noting != nil {
		a.noting = nil
		defer noting()
	}
	return a.account.TagPolicy(ctx, arn, tags)
}

func (a *leased) PolicyTags(ctx context.Context, arn string) (compile.ManagedPolicy, error) {
	m, err := a.account.PolicyTags(ctx, arn)
	m.At = time.Now()
	return m, err
}

func newLeased() *leased {
	a := &leased{account: newAccount(accountB, &calls{})}
	a.policies[policyARN] = compile.ManagedPolicy{Exists: true, ARN: policyARN, Tags: map[string]string{}}
	return a
}

func (a *leased) lease(run string, over *compile.Lease) *Lease {
	return NewLease(LeaseOptions{
		API: a, On: policyARN, Plan: "p", Holder: compile.Lease{Run: run, Host: "h", PID: 1},
		Mine: func(id string) bool { return id == run }, Over: over, Now: time.Now,
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func (a *leased) noted() compile.Lease {
	l, _ := compile.ReadLease(a.policies[policyARN].Tags[compile.LeaseTag], time.Now())
	return l
}

func TestALeaseRefusesOthersAndIsRenewedUntilItIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newLeased()
		one := a.lease("one", nil)
		check(t, one.Take(t.Context()))
		_, stop := one.Hold(t.Context())
		time.Sleep(24*time.Hour + time.Second)
		err := a.lease("two", nil).Take(t.Context())
		if held, ok := errors.AsType[*LeasedError](err); !ok || held.Holder.Run != "one" || !strings.Contains(err.Error(), "--take-over") {
			t.Errorf("after a day of renewals: %v", err)
		}
		stop(nil)
		if l := a.noted(); l.Run != "" {
			t.Errorf("released, it is still noted: %s", l)
		}
		check(t, a.lease("two", nil).Take(t.Context()))
	})
}

func TestALeaseThatNobodyRenewsRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newLeased()
		check(t, a.lease("one", nil).Take(t.Context()))
		time.Sleep(compile.LeaseFor - time.Second)
		if err := a.lease("two", nil).Take(t.Context()); err == nil {
			t.Error("taken before it ran out")
		}
		check(t, a.lease("one", nil).Take(t.Context())) // its own run goes on at any time
		time.Sleep(compile.LeaseFor)
		check(t, a.lease("two", nil).Take(t.Context()))
	})
}

func TestALeaseThatIsTakenOverStopsItsRunAndStaysAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newLeased()
		one := a.lease("one", nil)
		check(t, one.Take(t.Context()))
		ctx, stop := one.Hold(t.Context())
		seen := a.noted()
		check(t, a.lease("two", &seen).Take(t.Context()))
		if err := ctx.Err(); err != nil {
			t.Errorf("it knows before it looks: %v", err)
		}
		time.Sleep(renewEvery + time.Second)
		if ctx.Err() == nil || one.Lost() == nil {
			t.Error("at the next renewal it does not notice")
		}
		stop(nil)
		if l := a.noted(); l.Run != "two" {
			t.Errorf("it left the note of %s", l)
		}
	})
}

func TestOfTwoThatTakeALeaseInOneMomentOneIsTold(t *testing.T) {
	a := newLeased()
	one, two := a.lease("one", nil), a.lease("two", nil)
	a.noting = func() { // the other one has looked before that
		m := a.policies[policyARN]
		m.Tags = map[string]string{}
		a.policies[policyARN] = m
		check(t, two.Take(t.Context()))
	}
	if err := one.Take(t.Context()); err == nil || !strings.Contains(err.Error(), "taken over by run two") {
		t.Errorf("the one that wrote first: %v", err)
	}
	check(t, two.Check(t.Context()))
}

func TestACleanUpLooksForATakeOverBeforeItTouchesAnything(t *testing.T) {
	a := newLeased()
	one := a.lease("one", nil)
	check(t, one.Take(t.Context()))
	seen := a.noted()
	check(t, a.lease("two", &seen).Take(t.Context()))
	r := guarded{cleanPolicy{api: a}, one}
	_, err := r.Run(t.Context(), compile.Step{Kind: compile.KindCleanPolicy, Spec: compile.Spec{Policy: &compile.PolicySpec{ARN: policyARN}}})
	if held, ok := errors.AsType[*LeasedError](err); !ok || !held.Lost {
		t.Errorf("the clean-up of a run that lost its lease: %v", err)
	}
}

func TestARunThatMayNotTagGoesOnWithoutALease(t *testing.T) {
	a := newLeased()
	a.before["TagPolicy"] = compile.ErrDenied
	words, err := a.lease("one", nil).takeOn(t.Context(), policyARN)
	if err != nil || !strings.Contains(words, "other machines are not told") {
		t.Errorf("%q, %v", words, err)
	}
}
