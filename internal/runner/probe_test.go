package runner

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

func probeStep(legs ...compile.Leg) compile.Step {
	return step(compile.KindProbe, compile.Spec{Probe: &compile.ProbeSpec{
		Pair: plan.Pair{Source: "tommy", Destination: "tommy-b", Prefix: "logs/", ToPrefix: "old/"}, Legs: legs,
		PrincipalARN: userARN, FreshlyMade: true,
	}})
}

// signedIn is a bench whose principal is signed in, and whose legs answer as told.
func signedIn(t *testing.T, answer func(leg compile.Leg, since time.Duration) error, f func(w *bench)) {
	t.Helper()
	onBench(t, func(w *bench) {
		start := time.Now()
		var mu sync.Mutex
		w.logins.login.probe = func(leg compile.Leg) error {
			mu.Lock()
			defer mu.Unlock()
			return answer(leg, time.Since(start))
		}
		w.ends(step(compile.KindCredentials, compile.Spec{Credentials: &compile.CredentialsSpec{}}), executor.Done)
		f(w)
	})
}

func TestEveryLegAnswersThreeTimesInARow(t *testing.T) {
	asked := map[compile.Leg]int{}
	signedIn(t, func(leg compile.Leg, _ time.Duration) error { asked[leg]++; return nil }, func(w *bench) {
		w.ends(probeStep(compile.LegIdentity, compile.LegWriteDest), executor.Done)
		if asked[compile.LegIdentity] != 3 || asked[compile.LegWriteDest] != 3 {
			t.Errorf("asked %v", asked)
		}
	})
}

func TestOneDenialBeginsTheRowAnew(t *testing.T) {
	asked := 0
	signedIn(t, func(compile.Leg, time.Duration) error {
		if asked++; asked == 3 {
			return s3copy.ErrDenied
		}
		return nil
	}, func(w *bench) {
		w.ends(probeStep(compile.LegListSource), executor.Done)
		if asked != 6 {
			t.Errorf("asked %d times, want 3 more after the third was denied", asked)
		}
	})
}

func TestADenialCountsAsPassingWhilePermissionsPropagate(t *testing.T) {
	for _, denial := range []error{s3copy.ErrDenied, s3copy.ErrCredentials} {
		signedIn(t, func(_ compile.Leg, since time.Duration) error {
			if since < 4*time.Minute {
				return denial
			}
			return nil
		}, func(w *bench) { w.ends(probeStep(compile.LegListSource, compile.LegReadSource), executor.Done) })
	}
}

func TestADenialIsFinalAfterFiveMinutesAndExplained(t *testing.T) {
	for _, tc := range []struct {
		leg   compile.Leg
		words []string
	}{
		{compile.LegIdentity, []string{"identity", "sts:GetCallerIdentity"}},
		{compile.LegListSource, []string{"list source", userARN, "s3:ListBucket", "arn:aws:s3:::tommy:", "bucket policy of tommy", "Deny"}},
		{compile.LegReadSource, []string{"read source", "s3:GetObject", "arn:aws:s3:::tommy/logs/*", "bucket policy of tommy", "kms:Decrypt on arn:key-a"}},
		{compile.LegTagsSource, []string{"read tags", "s3:GetObjectTagging", "arn:aws:s3:::tommy/logs/*"}},
		{compile.LegListDest, []string{"list destination", "s3:ListBucket", "arn:aws:s3:::tommy-b:"}},
		{compile.LegWriteDest, []string{"write destination", "s3:PutObject", "arn:aws:s3:::tommy-b/old/*", "kms:GenerateDataKey", "arn:key-b"}},
	} {
		signedIn(t, func(leg compile.Leg, _ time.Duration) error {
			if leg == tc.leg {
				return s3copy.ErrDenied
			}
			return nil
		}, func(w *bench) {
			s := probeStep(compile.LegIdentity, compile.LegListSource, compile.LegReadSource, compile.LegTagsSource, compile.LegListDest, compile.LegWriteDest)
			s.Spec.Probe.SourceKMS, s.Spec.Probe.DestinationKMS = "arn:key-a", "arn:key-b"
			start := time.Now()
			f := w.fails(s, append(tc.words, "waited", "access denied")...)
			isA[*DeniedError](w, f)
			if !errors.Is(f.err, s3copy.ErrDenied) {
				t.Errorf("%s: %v is no denial", tc.leg, f.err)
			}
			if took := time.Since(start); took > 5*time.Minute+time.Second {
				t.Errorf("%s: waited %s", tc.leg, took)
			}
		})
	}
}

func TestALimitIsSharedByAllLegs(t *testing.T) {
	signedIn(t, func(leg compile.Leg, since time.Duration) error {
		if leg == compile.LegWriteDest || since < 4*time.Minute {
			return s3copy.ErrDenied
		}
		return nil
	}, func(w *bench) {
		start := time.Now()
		w.fails(probeStep(compile.LegListSource, compile.LegWriteDest), "write destination")
		if took := time.Since(start); took > 5*time.Minute+5*time.Second {
			t.Errorf("waited %s", took)
		}
	})
}

func TestWhatWasNotChangedJustNowIsNotWaitedForLong(t *testing.T) {
	signedIn(t, func(compile.Leg, time.Duration) error { return s3copy.ErrDenied }, func(w *bench) {
		s := probeStep(compile.LegListSource)
		s.Spec.Probe.FreshlyMade = false
		start := time.Now()
		w.fails(s, "list source")
		if took := time.Since(start); took > 11*time.Second {
			t.Errorf("waited %s", took)
		}
	})
}

func TestAnErrorThatIsNoDenialIsNotWaitedFor(t *testing.T) {
	signedIn(t, func(compile.Leg, time.Duration) error { return s3copy.ErrNoBucket }, func(w *bench) {
		start := time.Now()
		w.fails(probeStep(compile.LegListDest), "probe list destination", "no such bucket")
		if took := time.Since(start); took != 0 {
			t.Errorf("waited %s", took)
		}
	})
}

func TestLegsAreProbedSideBySide(t *testing.T) {
	signedIn(t, func(compile.Leg, time.Duration) error { return nil }, func(w *bench) {
		s := probeStep(compile.LegIdentity, compile.LegListSource, compile.LegReadSource, compile.LegTagsSource, compile.LegListDest, compile.LegWriteDest)
		start := time.Now()
		w.ends(s, executor.Done)
		if took, most := time.Since(start), 4*betweenProbes; took > most {
			t.Errorf("took %s, want %s at most: a row for the identity, and one for all others", took, most)
		}
	})
}

func TestWhatWasNotChangedJustNowAnswersOnce(t *testing.T) {
	asked := map[compile.Leg]int{}
	signedIn(t, func(leg compile.Leg, _ time.Duration) error { asked[leg]++; return nil }, func(w *bench) {
		s := probeStep(compile.LegIdentity, compile.LegListSource, compile.LegWriteDest)
		s.Spec.Probe.FreshlyMade = false
		start := time.Now()
		w.ends(s, executor.Done)
		if len(asked) != 3 || asked[compile.LegListSource] != 1 || time.Since(start) != 0 {
			t.Errorf("asked %v in %s", asked, time.Since(start))
		}
	})
}

func TestABusyServerIsAskedAgain(t *testing.T) {
	for _, busy := range []error{s3copy.ErrThrottled, compile.ErrUnavailable} {
		for _, fresh := range []bool{true, false} {
			asked := 0
			signedIn(t, func(compile.Leg, time.Duration) error {
				if asked++; asked < 4 {
					return fmt.Errorf("start an upload: %w", busy)
				}
				return nil
			}, func(w *bench) {
				s := probeStep(compile.LegWriteDest)
				s.Spec.Probe.FreshlyMade = fresh
				w.ends(s, executor.Done)
			})
		}
	}
}

func TestABusyServerIsNotWaitedForAsLongAsPermissions(t *testing.T) {
	signedIn(t, func(compile.Leg, time.Duration) error { return s3copy.ErrThrottled }, func(w *bench) {
		start := time.Now()
		w.fails(probeStep(compile.LegListSource, compile.LegListDest), "slowed down by the server")
		if took := time.Since(start); took > busyFor+longestLook {
			t.Errorf("waited %s", took)
		}
	})
}

func TestAllDeniedLegsAreReportedAtOnce(t *testing.T) {
	signedIn(t, func(compile.Leg, time.Duration) error { return s3copy.ErrDenied }, func(w *bench) {
		w.fails(probeStep(compile.LegListSource, compile.LegTagsSource, compile.LegWriteDest), "list source", "read tags", "write destination")
	})
}
