package s3copy

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// inDays is a moment that retentions can end at.
func inDays(n int) time.Time { return time.Now().UTC().Truncate(time.Second).AddDate(0, 0, n) }

// lockedPair is a pair whose job keeps locks, with an object of each kind of lock.
func lockedPair() (src, dst *bucket, job Job) {
	src, dst, job = pair()
	job.Rules.Locks = true
	src.put("free", "a")
	src.put("governed", "b").Lock = Lock{Mode: governance, Until: inDays(30)}
	src.put("held", "c").Lock = Lock{LegalHold: true}
	src.put("past", "d").Lock = Lock{Mode: compliance, Until: inDays(-1)}
	src.putParts("strict", long(60), long(30)).Lock = Lock{Mode: compliance, Until: inDays(90), LegalHold: true}
	return src, dst, job
}

// wantLocks fails the test where a lock at the destination is weaker than the source's.
func wantLocks(t *testing.T, src, dst *bucket) {
	t.Helper()
	for key, o := range src.objects {
		if d := dst.objects[key]; d == nil || !d.Lock.covers(o.Lock, time.Now()) {
			t.Errorf("%s: the source's lock is %s, the copy is %+v", key, o.Lock, d)
		}
	}
}

func TestCopiesCarryTheirSourcesLocks(t *testing.T) {
	for _, streaming := range []bool{false, true} {
		src, dst, job := lockedPair()
		job.Streaming = streaming
		s := run1(t, small(), job)
		wantLocks(t, src, dst)
		l := s.Locks
		if l.Kept.Objects != 3 || l.Past.Objects != 1 || l.Compliance.Objects != 1 || l.Holds.Objects != 2 || !l.Until.Equal(inDays(90)) {
			t.Errorf("streaming %v: got %+v", streaming, l)
		}
		if dst.objects["past"].Lock != (Lock{}) || dst.calls["setlock"] != 0 {
			t.Errorf("past has %s, %d locks were set afterwards", dst.objects["past"].Lock, dst.calls["setlock"])
		}
	}
}

func TestWithoutTheRuleNoLockIsReadOrCarried(t *testing.T) {
	src, dst, job := lockedPair()
	job.Rules.Locks = false
	s := run1(t, small(), job)
	if s.Locks != (Locks{}) || dst.objects["governed"].Lock != (Lock{}) || src.calls["readlock"]+dst.calls["readlock"] != 0 {
		t.Errorf("got %+v, %+v", s.Locks, dst.objects["governed"].Lock)
	}
	if src.calls["head"] != 3 { // of the multipart object, as ever
		t.Errorf("%d HEADs of the source", src.calls["head"])
	}
}

func TestEqualObjectsWithWeakerLocksAreLocked(t *testing.T) {
	src, dst, job := lockedPair()
	job.Rules.Locks = false
	run1(t, small(), job)
	job.Rules.Locks, job.Journal = true, nil

	scan := job
	scan.Mode = Scan
	s := run1(t, small(), scan)
	if s.Tally.Same.Objects != 5 || s.Locks.Compared.Objects != 5 || s.Locks.Weaker.Objects != 3 || len(s.Samples["lock"]) != 3 || dst.calls["setlock"] != 0 {
		t.Errorf("a scan: %+v %+v", s.Tally, s.Locks)
	}
	verify := job
	verify.Mode = Verify
	if s = run1(t, small(), verify); s.Tally.Failed.Objects != 3 || dst.calls["setlock"] != 0 || s.Failures[0].Phase != phaseLock {
		t.Errorf("a verification: %+v", s)
	}
	copies := len(dst.copies)
	if s = run1(t, small(), job); s.Tally.Same.Objects != 5 || s.Locks.Weaker.Objects != 3 || len(dst.copies) != copies {
		t.Errorf("a copy: %+v %+v", s.Tally, s.Locks)
	}
	wantLocks(t, src, dst)
	if s = run1(t, small(), verify); s.Tally.Failed.Objects != 0 || s.Locks.Weaker.Objects != 0 {
		t.Errorf("a verification afterwards: %+v", s)
	}
}

func TestSecondRunAsksForNoLockThatCannotDiffer(t *testing.T) {
	src, dst, job := lockedPair()
	began := dst.clock.Add(time.Hour)
	src.clock, dst.clock = began.Add(-time.Minute), began
	run1(t, small(), job)
	job.Journal = &journal{}
	job.Earlier = []Window{{Begun: began, Ended: dst.clock}}
	heads := src.calls["head"] + dst.calls["head"] + src.calls["readlock"] + dst.calls["readlock"]
	s := run1(t, small(), job)
	if n := src.calls["head"] + dst.calls["head"] + src.calls["readlock"] + dst.calls["readlock"]; n != heads || s.Locks.Earlier.Objects != 5 {
		t.Errorf("%d requests more, %+v", n-heads, s.Locks)
	}
	src.put("free", "another body").Lock = Lock{LegalHold: true}
	src.objects["free"].Modified = dst.clock.Add(time.Minute)
	job.Journal = &journal{}
	if s = run1(t, small(), job); s.Locks.Kept.Objects != 1 || s.Locks.Earlier.Objects != 4 || !dst.objects["free"].Lock.LegalHold {
		t.Errorf("got %+v", s.Locks)
	}
}

// TestEveryLockIsComparedWhereThatIsAsked: a hold that was set since an earlier run changed no date.
func TestEveryLockIsComparedWhereThatIsAsked(t *testing.T) {
	src, dst, job := lockedPair()
	began := dst.clock.Add(time.Hour)
	src.clock, dst.clock = began.Add(-time.Minute), began
	run1(t, small(), job)
	src.objects["free"].Lock = Lock{LegalHold: true}
	job.Journal = &journal{}
	job.Earlier = []Window{{Begun: began, Ended: dst.clock}}
	if run1(t, small(), job); dst.objects["free"].Lock.LegalHold {
		t.Fatal("this test shows nothing: the hold was seen anyway")
	}
	job.Journal, job.EveryLock = &journal{}, true
	if s := run1(t, small(), job); !dst.objects["free"].Lock.LegalHold || s.Locks.Earlier.Objects != 0 {
		t.Errorf("the hold is not kept: %+v", s.Locks)
	}
}

func TestNoLockIsEverShortened(t *testing.T) {
	_, dst, job := lockedPair()
	long := Lock{Mode: compliance, Until: inDays(400), LegalHold: true}
	for key, body := range map[string]string{"free": "a", "governed": "b", "held": "c", "past": "d"} {
		dst.put(key, body).Lock = long
	}
	run1(t, small(), job)
	for _, key := range []string{"free", "governed", "held", "past"} {
		if got := dst.objects[key].Lock; got != long {
			t.Errorf("%s: got %s, want %s", key, got, long)
		}
	}
	if dst.calls["setlock"] != 0 {
		t.Errorf("%d locks were set", dst.calls["setlock"])
	}
}

func TestRaisedLocksAreThoseThatS3Has(t *testing.T) {
	now := time.Now()
	g, c := Lock{Mode: governance, Until: inDays(10)}, Lock{Mode: compliance, Until: inDays(20)}
	later := func(l Lock, days int) Lock { l.Until = l.Until.AddDate(0, 0, days); return l }
	for name, x := range map[string]struct{ have, other, want Lock }{
		"nothing there":            {Lock{}, g, g},
		"run out there":            {Lock{Mode: compliance, Until: inDays(-1)}, g, g},
		"the later date":           {g, later(g, 5), later(g, 5)},
		"the stricter mode":        {g, c, c},
		"a hold alone":             {c, Lock{Mode: g.Mode, Until: g.Until, LegalHold: true}, Lock{LegalHold: true}},
		"nothing where it covers":  {later(c, 1), g, Lock{}},
		"nothing of what has past": {Lock{}, Lock{Mode: compliance, Until: inDays(-3)}, Lock{}},
		"a part of a second":       {Lock{}, Lock{Mode: governance, Until: g.Until.Add(time.Millisecond)}, Lock{Mode: governance, Until: g.Until.Add(time.Second)}},
	} {
		got, err := x.have.raised(x.other, now)
		if err != nil || got != x.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, x.want)
		}
	}
	for _, x := range [][2]Lock{{c, later(g, 100)}, {later(g, 100), c}} {
		if got, err := x[0].raised(x[1], now); err == nil {
			t.Errorf("%s raised to %s gives %s", x[0], x[1], got)
		}
	}
}

func TestLockThatMayNotBeReadIsAFailure(t *testing.T) {
	src, dst, job := lockedPair()
	src.hidesLocks = true
	s := run1(t, small(), job)
	if s.Tally.Failed.Objects != 5 || len(dst.objects) != 0 || !strings.Contains(s.Failures[0].Reason, ErrDenied.Error()) {
		t.Errorf("hidden at the source: %+v", s)
	}
	src.hidesLocks, dst.hidesLocks, job.Journal = false, true, nil
	if s = run1(t, small(), job); s.Tally.Copied.Objects != 2 || s.Tally.Failed.Objects != 3 { // what is not locked needs no look
		t.Errorf("hidden at the destination: %+v", s)
	}
}

func TestLockThatDoesNotStickIsAFailure(t *testing.T) {
	_, dst, job := lockedPair()
	job.Rules.Locks = false
	run1(t, small(), job)
	job.Rules.Locks, job.Journal, dst.deaf = true, nil, true
	s := run1(t, small(), job)
	if s.Tally.Failed.Objects != 3 || s.Failures[0].Phase != phaseLock || s.Locks.Weaker.Objects != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestSourceThatChangesBeforeItsLockIsReadIsCopiedAsItIs(t *testing.T) {
	src, dst, job := lockedPair()
	src.fault = func(op, key string) error {
		if op == "head" && key == "governed" {
			src.fault = nil
			src.put("governed", "another").Lock = Lock{LegalHold: true}
		}
		return nil
	}
	l := small()
	l.InFlight = 1
	run1(t, l, job)
	wantLocks(t, src, dst)
	if d := dst.objects["governed"]; string(d.body) != "another" || !d.Lock.LegalHold {
		t.Errorf("got %q under %s", d.body, d.Lock)
	}
}

func TestRedirectsAreKeptWhereTheyMatter(t *testing.T) {
	for _, keep := range []bool{true, false} {
		src, dst, job := pair()
		job.Rules.Redirects = keep
		src.put("old.html", "").Headers.WebsiteRedirect = "/new.html"
		src.put("plain", "x")
		src.putParts("large", long(60), long(30)).Headers.WebsiteRedirect = "/larger"
		run1(t, small(), job)
		if got, want := dst.objects["old.html"].Headers.WebsiteRedirect == "/new.html", keep; got != want {
			t.Errorf("keep %v: the redirect arrived: %v", keep, got)
		}
		if got := dst.objects["large"].Headers.WebsiteRedirect; got != "/larger" { // an upload carries what it is given
			t.Errorf("keep %v: the multipart object has %q", keep, got)
		}
		if want := map[bool]int{true: 5, false: 3}[keep]; src.calls["head"] != want {
			t.Errorf("keep %v: %d HEADs, want %d", keep, src.calls["head"], want)
		}
	}
}

func TestDeniedLockIsAnObjectsFailure(t *testing.T) {
	_, dst, job := lockedPair()
	job.Rules.Locks = false
	run1(t, small(), job)
	job.Rules.Locks, job.Journal = true, nil
	dst.fault = func(op, _ string) error {
		if op == "setlock" {
			return ErrDenied
		}
		return nil
	}
	e, err := New(small())
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Run(t.Context(), job)
	if err != nil || errors.Is(err, ErrDenied) || s.Tally.Failed.Objects != 3 {
		t.Errorf("got %+v, %v", s, err)
	}
}
