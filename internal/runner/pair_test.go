package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// pairOf is the pair of the recipe with its defaults.
func pairOf() plan.Pair {
	return plan.Pair{
		Source: "tommy", Destination: "tommy-b",
		Copy: plan.Copy{
			Include: []string{"**"}, Exclude: []string{}, Compare: plan.CompareAuto, Overwrite: "changed", StorageClass: "preserve", ACL: "none", Archived: "report", ObjectLock: "none",
			Restore: plan.Restore{Days: 7, Tier: "Standard", Wait: "0s"},
		},
		Verify: plan.Verify{Level: plan.LevelChecksum, Otherwise: "accept"},
	}
}

func pairStep(kind compile.Kind, change func(*compile.CopySpec)) compile.Step {
	c := compile.CopySpec{Pair: pairOf(), SourceAccount: accountA, DestAccount: accountB, SourceRegion: "us-west-2", DestRegion: "us-west-2"}
	if change != nil {
		change(&c)
	}
	s := step(kind, compile.Spec{Copy: &c})
	s.Pair = c.Pair.ID()
	return s
}

// onPair is a bench with both buckets, three objects in the source, and the principal signed in.
func onPair(t *testing.T, f func(w *bench, source, destination *memory)) {
	t.Helper()
	signedIn(t, nil, func(w *bench) {
		source, destination := newMemory(), newMemory()
		destination.from = source
		w.a.buckets["tommy"], w.b.buckets["tommy-b"] = source, destination
		w.a.facts["tommy"] = compile.Bucket{Exists: true, Region: "us-west-2"}
		for _, key := range []string{"one", "two", "three"} {
			source.put(key, "body of "+key)
		}
		f(w, source, destination)
	})
}

func TestAPairIsCopiedAndItsCopyVerifiedByTheSamePass(t *testing.T) {
	onPair(t, func(w *bench, source, destination *memory) {
		r := w.ends(pairStep(compile.KindCopy, nil), executor.Done)
		if want := "3 listed = 3 copied + 0 same + 0 skipped + 0 failed"; r.Message != want {
			t.Errorf("says %q, want %q", r.Message, want)
		}
		if !slices.Equal(source.keys(), destination.keys()) {
			t.Errorf("copied %v", destination.keys())
		}
		if r := w.ends(pairStep(compile.KindVerify, nil), executor.Done); r.Message != "3 by ETag, 0 by checksum, 0 by bytes" {
			t.Errorf("says %q", r.Message)
		}
		// Another process knows what is settled from the state alone.
		w.restart()
		w.ends(step(compile.KindCredentials, compile.Spec{Credentials: &compile.CredentialsSpec{}}), executor.Done)
		destination.fail["one"] = errPulled
		w.ends(pairStep(compile.KindCopy, nil), executor.Done)
	})
}

func TestObjectsThatFailDoNotEndTheCopyButTheVerification(t *testing.T) {
	onPair(t, func(w *bench, _, destination *memory) {
		destination.fail["two"] = s3copy.ErrDenied
		if r := w.ends(pairStep(compile.KindCopy, nil), executor.Done); r.Failed != 1 {
			t.Errorf("%d failed", r.Failed)
		}
		r := w.ends(pairStep(compile.KindVerify, nil), executor.Failed)
		if r.Failed != 1 || !strings.Contains(r.Message, `copy "two": access denied`) {
			t.Errorf("says %q of %d", r.Message, r.Failed)
		}
	})
}

func TestWhatIsKnownToBeEqualIsNotCopied(t *testing.T) {
	onPair(t, func(w *bench, _, destination *memory) {
		w.ends(pairStep(compile.KindCopy, func(c *compile.CopySpec) { c.NothingToDo = true }), executor.Held)
		if n := len(destination.keys()); n != 0 {
			t.Errorf("%d objects were copied", n)
		}
	})
}

// TestVersionsAreNotCopiedToABucketThatStoppedKeepingThem: its versioning is read again right before each pass, for what is written to a
// bucket that keeps none replaces what came before it.
func TestVersionsAreNotCopiedToABucketThatStoppedKeepingThem(t *testing.T) {
	for _, kind := range []compile.Kind{compile.KindCopy, compile.KindDelta, compile.KindFinal} {
		for _, versioning := range []string{"Suspended", ""} {
			onPair(t, func(w *bench, _, destination *memory) {
				all := pairStep(kind, func(c *compile.CopySpec) { c.Pair.Copy.Versions, c.Passes = plan.AllVersions, 1 })
				w.b.facts["tommy-b"] = compile.Bucket{Exists: true, Region: "us-west-2", Versioning: versioning}
				isA[*DriftError](w, w.fails(all, "bucket tommy-b", "its versioning is not Enabled"))
				w.b.unread["Bucket"] = errPulled
				if got := w.fails(all); !errors.Is(got.err, errPulled) {
					t.Errorf("%s, unread: %v", kind, got.err)
				}
				if n := len(destination.keys()); n != 0 {
					t.Errorf("%s: %d objects were copied", kind, n)
				}
				delete(w.b.unread, "Bucket")
				current := pairStep(kind, func(c *compile.CopySpec) { c.Passes = 1 })
				w.ends(current, executor.Done) // which needs no versioning
				if n := len(destination.keys()); n != 3 {
					t.Errorf("%s: of three current objects %d were copied", kind, n)
				}
			})
		}
	}
}

func TestACopyWantsTheCredentialsFirst(t *testing.T) {
	onBench(t, func(w *bench) { w.fails(pairStep(compile.KindCopy, nil), "the credentials step comes first") })
}

func TestAVerificationIsReadFromTheScanWhereThatProvesIt(t *testing.T) {
	facts := func(by string, extra func(*compile.CopyFacts)) *compile.CopyFacts {
		f := &compile.CopyFacts{
			Known: true, Listed: compile.Count{Objects: 3}, Same: compile.Count{Objects: 3},
			SameBy: map[string]compile.Count{by: {Objects: 3}},
		}
		if extra != nil {
			extra(f)
		}
		return f
	}
	for name, tc := range map[string]struct {
		level plan.Level
		facts *compile.CopyFacts
		want  bool
	}{
		"nothing is known":            {plan.LevelSize, nil, false},
		"not counted":                 {plan.LevelSize, &compile.CopyFacts{}, false},
		"sizes, asked for sizes":      {plan.LevelSize, facts("size_only", nil), true},
		"sizes, asked for checksums":  {plan.LevelChecksum, facts("size_only", nil), false},
		"ETags, asked for checksums":  {plan.LevelChecksum, facts("etag", nil), true},
		"ETags, asked for bytes":      {plan.LevelBytes, facts("etag", nil), false},
		"bytes, asked for bytes":      {plan.LevelBytes, facts("bytes", nil), true},
		"something is new":            {plan.LevelChecksum, facts("etag", func(f *compile.CopyFacts) { f.New.Objects = 1 }), false},
		"the scan stopped early":      {plan.LevelChecksum, facts("etag", func(f *compile.CopyFacts) { f.Partial = true }), false},
		"something cannot be read":    {plan.LevelChecksum, facts("etag", func(f *compile.CopyFacts) { f.Unreadable.Objects = 1 }), false},
		"an empty source has nothing": {plan.LevelBytes, &compile.CopyFacts{Known: true}, true},
	} {
		if got := provenByScan(tc.level, tc.facts); got != tc.want {
			t.Errorf("%s: proven is %t", name, got)
		}
	}
}

func TestAVerificationReadsBothSidesWhereNothingProvesThemYet(t *testing.T) {
	onPair(t, func(w *bench, source, destination *memory) {
		destination.from = source
		for _, key := range source.keys() {
			destination.put(key, "body of "+key)
		}
		s := pairStep(compile.KindVerify, nil)
		if r := w.ends(s, executor.Done); r.Message != "3 by ETag, 0 by checksum, 0 by bytes" {
			t.Errorf("says %q", r.Message)
		}
		destination.put("two", "another body")
		if r := w.ends(s, executor.Failed); !strings.Contains(r.Message, `"two"`) {
			t.Errorf("says %q", r.Message)
		}
		sum, err := VerifyPair(w.Context(), w.deps, *s.Spec.Copy, nil)
		w.must(err)
		if sum.Tally.Failed.Objects != 1 {
			t.Errorf("%+v", sum.Tally)
		}
		s.Change.Copy = &compile.CopyFacts{Known: true, Listed: compile.Count{Objects: 3}, Same: compile.Count{Objects: 3}}
		s.Change.Copy.SameBy = map[string]compile.Count{"checksum": {Objects: 3}}
		r := w.ends(s, executor.Held)
		if got, ok := r.Detail.(s3copy.Summary); !ok || got.Tally.Same.Objects != 3 || got.Tally.Evidence.Checksum.Objects != 3 {
			t.Errorf("its account is %+v", r.Detail)
		}
	})
}

func TestTheScannerCountsWithoutWriting(t *testing.T) {
	onPair(t, func(w *bench, source, destination *memory) {
		destination.put("one", "body of one")
		destination.put("two", "an older body")
		destination.put("four", "only here")
		scanner := Scanner{
			Source: w.a, Destination: w.b, Engine: w.deps.Engine,
			Accounts: plan.Accounts{Source: plan.Account{ID: accountA}, Destination: plan.Account{ID: accountB}},
		}
		f, err := scanner.Scan(w.Context(), compile.ScanRequest{Pair: pairOf(), DestinationExists: true})
		w.must(err)
		got := []int64{f.Listed.Objects, f.New.Objects, f.Changed.Objects, f.Same.Objects, f.Extra.Objects, f.SameBy["etag"].Objects}
		if !slices.Equal(got, []int64{3, 1, 1, 1, 1, 1}) || !f.Known || f.Partial {
			t.Errorf("counted %v: %+v", got, f)
		}
		if f, err = scanner.Scan(w.Context(), compile.ScanRequest{Pair: pairOf()}); err != nil || f.New.Objects != 3 {
			t.Errorf("without a destination %d are new, %v", f.New.Objects, err)
		}
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		if _, err := scanner.Scan(ctx, compile.ScanRequest{Pair: pairOf()}); err == nil || !strings.Contains(err.Error(), "count tommy/→tommy-b/") {
			t.Errorf("a scan that was stopped says %v", err)
		}
		w.asked()
	})
}

func TestWhatTheScanFoundSettledIsSownIntoTheCopy(t *testing.T) {
	onPair(t, func(w *bench, source, destination *memory) {
		seeds := &Seeds{}
		for i := range 1200 {
			key := "a" + string(rune('a'+i%26)) + time.Duration(i).String()
			source.put(key, "same")
			destination.put(key, "same")
		}
		scanner := Scanner{Source: w.a, Destination: w.b, Engine: w.deps.Engine, Seeds: seeds}
		f, err := scanner.Scan(w.Context(), compile.ScanRequest{Pair: pairOf(), DestinationExists: true, StopAtFirst: true})
		w.must(err)
		if !f.Partial {
			t.Fatalf("the scan went to its end: %+v", f)
		}
		w.must(seeds.Sow(w.Context(), []plan.Pair{pairOf()}, Records{DB: w.db}))
		r := w.ends(pairStep(compile.KindCopy, nil), executor.Done)
		if want := "1203 listed = 3 copied + 1200 same + 0 skipped + 0 failed"; r.Message != want {
			t.Errorf("says %q, want %q", r.Message, want)
		}
	})
}

func TestARunThatGoesOnListsNothingToLearnThatSomethingIsLeft(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(p *plan.Pair, r *s3copy.Range, b *s3copy.Batch)
		partial bool
	}{
		{"a range is open", func(_ *plan.Pair, r *s3copy.Range, _ *s3copy.Batch) { r.Ended, r.Done = false, "four" }, true},
		{"an object failed", func(_ *plan.Pair, _ *s3copy.Range, b *s3copy.Batch) {
			b.Failures = []s3copy.Failure{{Key: "one", Phase: "copy", Reason: "torn", At: time.Now()}}
		}, true},
		{"a second pass is asked for", func(p *plan.Pair, _ *s3copy.Range, _ *s3copy.Batch) { p.Copy.SecondPass = true }, true},
		{"what is extra is to be deleted", func(p *plan.Pair, _ *s3copy.Range, _ *s3copy.Batch) { p.Copy.DeleteExtra = true }, true},
		{"all is settled", func(*plan.Pair, *s3copy.Range, *s3copy.Batch) {}, false},
	} {
		onPair(t, func(w *bench, _, _ *memory) {
			three := s3copy.Count{Objects: 3, Bytes: 30}
			b := s3copy.Batch{Add: s3copy.Tally{Listed: three, Copied: three, Evidence: s3copy.Evidence{ETag: three}}}
			r, pair := s3copy.Range{ID: 1, Ended: true}, pairOf()
			tc.change(&pair, &r, &b)
			b.Ranges = []s3copy.Range{r}
			records := Records{DB: w.db}
			w.must(records.Journal(pair).Commit(w.Context(), b))
			w.must(records.Journal(pair).PutUpload(w.Context(), s3copy.Upload{Key: ".xplan-probe-X", Started: time.Now()})) // is no object's
			nobody := Scanner{Journals: records}                                                                            // asking a bucket would panic
			f, err := nobody.Scan(w.Context(), compile.ScanRequest{Pair: pair, DestinationExists: true, StopAtFirst: true, GoesOn: true})
			w.must(err)
			var gone *GoneError
			if _, err := nobody.Scan(w.Context(), compile.ScanRequest{Pair: pair, StopAtFirst: true, GoesOn: true}); !errors.As(err, &gone) || gone.Objects != 3 {
				t.Errorf("%s: where the destination is gone: %v", tc.name, err)
			}
			if f.Partial != tc.partial || f.ToDo() != tc.partial || !f.Known {
				t.Errorf("%s: %+v", tc.name, f)
			}
			w.must(records.Journal(pair).PutUpload(w.Context(), s3copy.Upload{Key: "big", ETag: "e", Started: time.Now()}))
			if f, err := nobody.Scan(w.Context(), compile.ScanRequest{Pair: pair, DestinationExists: true, GoesOn: true}); err != nil || !f.Partial {
				t.Errorf("%s, and an object's upload is begun: %+v, %v", tc.name, f, err)
			}
			if !tc.partial && (f.Same.Objects != 3 || f.Listed.Objects != 3 || !provenByScan(plan.LevelChecksum, &f)) {
				t.Errorf("%s: %+v", tc.name, f)
			}
		})
	}
}

func TestAPairThatTheRunHasNotBegunIsScanned(t *testing.T) {
	onPair(t, func(w *bench, _, _ *memory) {
		s := Scanner{Source: w.a, Destination: w.b, Engine: w.deps.Engine, Journals: Records{DB: w.db}}
		f, err := s.Scan(w.Context(), compile.ScanRequest{Pair: pairOf(), DestinationExists: true, GoesOn: true})
		w.must(err)
		if f.Listed.Objects != 3 || f.New.Objects != 3 {
			t.Errorf("%+v", f)
		}
	})
}

func TestArchivedObjectsThatAreBeingRestoredWaitAndDoNotFail(t *testing.T) {
	onPair(t, func(w *bench, source, _ *memory) {
		o := source.objects["two"]
		o.StorageClass = "GLACIER"
		source.objects["two"] = o
		r := w.ends(pairStep(compile.KindCopy, func(c *compile.CopySpec) { c.Pair.Copy.Archived = "restore" }), executor.Waiting)
		if r.Failed != 0 || !strings.Contains(r.Pending, "1 archived objects of tommy are being restored") {
			t.Errorf("%d failed; pending %q", r.Failed, r.Pending)
		}
		if !slices.Contains(source.restored, "two") {
			t.Errorf("restored %v", source.restored)
		}
	})
}

func TestThePlansWordsAreTheEnginesRules(t *testing.T) {
	p := pairOf()
	p.Copy.Overwrite, p.Copy.Tags, p.Copy.ACL, p.Copy.StorageClass = "never", true, "bucket-owner-full-control", "STANDARD_IA"
	p.Copy.Exclude = []string{"*.tmp"}
	r := rulesOf(compile.CopySpec{Pair: p})
	if !r.NeverReplace || !r.Tags || r.ACL != "bucket-owner-full-control" || r.StorageClass != "STANDARD_IA" || r.Level != "checksum" || r.Otherwise != "accept" {
		t.Errorf("%+v", r)
	}
	if r.Match == nil || r.Match("a.tmp") || !r.Match("a") {
		t.Error("the filter does not say what the plan says")
	}
	if r := rulesOf(compile.CopySpec{Pair: pairOf()}); r.Match != nil || r.ACL != "" || r.NeverReplace {
		t.Errorf("the defaults are %+v", r)
	}
}
