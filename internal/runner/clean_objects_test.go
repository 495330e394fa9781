package runner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// moved is a bench whose pair was copied and verified, and whose source's deletion is confirmed.
func moved(t *testing.T, f func(w *bench, source, destination *memory)) {
	t.Helper()
	onPair(t, func(w *bench, source, destination *memory) {
		w.ends(pairStep(compile.KindCopy, nil), executor.Done)
		w.deps.Confirmed["tommy"] = true
		f(w, source, destination)
	})
}

func TestSourceObjectsGoWhenEveryOneIsProven(t *testing.T) {
	moved(t, func(w *bench, source, destination *memory) {
		r := w.ends(pairStep(compile.KindCleanSourceObjects, nil), executor.Done)
		if !strings.HasPrefix(r.Message, "3 objects deleted") {
			t.Errorf("says %q", r.Message)
		}
		if len(source.keys()) != 0 || len(destination.keys()) != 3 {
			t.Errorf("left are %v and %v", source.keys(), destination.keys())
		}
		// A later run, which copied nothing, finds it done.
		w.restart()
		w.ends(pairStep(compile.KindCleanSourceObjects, nil), executor.Held)
	})
}

func TestEachGateKeepsTheSourceObjects(t *testing.T) {
	type gate struct {
		close func(w *bench, source, destination *memory)
		spec  func(*compile.CopySpec)
		says  string
	}
	bucket := func(change func(*compile.Bucket)) func(*bench, *memory, *memory) {
		return func(w *bench, _, _ *memory) {
			b := w.a.facts["tommy"]
			change(&b)
			w.a.facts["tommy"] = b
		}
	}
	for name, g := range map[string]gate{
		"not confirmed":          {close: func(w *bench, _, _ *memory) { delete(w.deps.Confirmed, "tommy") }, says: "--confirm=tommy"},
		"Object Lock":            {close: bucket(func(b *compile.Bucket) { b.ObjectLock = true }), says: "Object Lock"},
		"MFA delete":             {close: bucket(func(b *compile.Bucket) { b.MFADelete = true }), says: "MFA"},
		"replication":            {close: bucket(func(b *compile.Bucket) { b.Replication = true }), says: "replicated"},
		"versions":               {close: bucket(func(b *compile.Bucket) { b.Versioning = "Enabled" }), says: "keeps versions"},
		"versions, suspended":    {close: bucket(func(b *compile.Bucket) { b.Versioning = "Suspended" }), says: "keeps versions"},
		"versioning unread":      {close: unseen("versioning of tommy"), says: "versioning of tommy could not be read"},
		"Object Lock unread":     {close: unseen("object lock of tommy"), says: "could not be read"},
		"replication unread":     {close: unseen("replication of tommy"), says: "could not be read"},
		"overwrite never":        {spec: func(c *compile.CopySpec) { c.Pair.Copy.Overwrite = "never" }, says: "overwrite: never"},
		"evidence by size alone": {spec: func(c *compile.CopySpec) { c.Pair.Verify.Level = plan.LevelSize }, says: "verify.level: size"},
	} {
		t.Run(name, func(t *testing.T) {
			moved(t, func(w *bench, source, destination *memory) {
				if g.close != nil {
					g.close(w, source, destination)
				}
				r := w.ends(pairStep(compile.KindCleanSourceObjects, g.spec), executor.Waiting)
				if !strings.Contains(r.Pending, g.says) {
					t.Errorf("says %q, want %q", r.Pending, g.says)
				}
				if len(source.keys()) != 3 {
					t.Errorf("left are %v", source.keys())
				}
			})
		})
	}
}

func unseen(what string) func(*bench, *memory, *memory) {
	return func(w *bench, _, _ *memory) { w.a.unseen = []compile.Unseen{{What: what, Why: "denied"}} }
}

func TestSkippedOrFailedObjectsKeepAllOthers(t *testing.T) {
	onPair(t, func(w *bench, source, destination *memory) {
		w.deps.Confirmed["tommy"] = true
		destination.fail["two"] = s3copy.ErrDenied
		w.ends(pairStep(compile.KindCopy, nil), executor.Done)
		r := w.ends(pairStep(compile.KindCleanSourceObjects, nil), executor.Waiting)
		if !strings.Contains(r.Pending, "1 objects of tommy were skipped or failed") || len(source.keys()) != 3 {
			t.Errorf("says %q; left are %v", r.Pending, source.keys())
		}
	})
}

func TestAnythingUnprovenStopsTheDeletion(t *testing.T) {
	for name, spoil := range map[string]func(source, destination *memory){
		"missing at the destination":   func(_, d *memory) { delete(d.objects, "two") },
		"another one there":            func(_, d *memory) { d.put("two", "something else") },
		"known by its size only":       func(_, d *memory) { d.opaque("two") },
		"new in the source":            func(s, _ *memory) { s.put("four", "appeared since") },
		"changed in the source":        func(s, _ *memory) { s.put("one", "changed since") },
		"empty, though it was copied":  func(s, _ *memory) { clear(s.objects) },
		"empty, and the copy as well.": func(s, d *memory) { clear(s.objects); clear(d.objects) },
	} {
		t.Run(name, func(t *testing.T) {
			moved(t, func(w *bench, source, destination *memory) {
				spoil(source, destination)
				before := len(source.keys())
				w.fails(pairStep(compile.KindCleanSourceObjects, nil))
				if n := len(source.keys()); n != before {
					t.Errorf("%d of %d objects are left", n, before)
				}
			})
		})
	}
}

func TestASourceThatIsSomebodyElsesNowIsDrift(t *testing.T) {
	for _, facts := range []compile.Bucket{{}, {Exists: true, Foreign: true}} {
		moved(t, func(w *bench, source, _ *memory) {
			w.a.facts["tommy"] = facts
			isA[*DriftError](w, w.fails(pairStep(compile.KindCleanSourceObjects, nil)))
			if len(source.keys()) != 3 {
				t.Errorf("left are %v", source.keys())
			}
		})
	}
}

func TestADeletionThatFailsInPartSaysSo(t *testing.T) {
	moved(t, func(w *bench, source, _ *memory) {
		source.fail["two"] = s3copy.ErrDenied
		isA[*s3copy.UndeletedError](w, w.fails(pairStep(compile.KindCleanSourceObjects, nil), `"two"`, "1 source objects"))
		if got := source.keys(); !slices.Equal(got, []string{"two"}) {
			t.Errorf("left are %v", got)
		}
	})
}

func TestExtraObjectsGoOnlyWithTheDestinationsName(t *testing.T) {
	extra := func() compile.Step {
		return pairStep(compile.KindCleanExtra, func(c *compile.CopySpec) {
			c.Pair.Copy.DeleteExtra = true
			c.Pair.Copy.Exclude = []string{"kept/**"}
		})
	}
	onPair(t, func(w *bench, source, destination *memory) {
		for _, key := range source.keys() {
			destination.put(key, "body of "+key)
		}
		destination.put("extra", "only here")
		destination.put("kept/extra", "left out by a filter")
		w.deps.Confirmed["tommy"] = true
		w.ends(extra(), executor.Waiting)
		if len(destination.keys()) != 5 {
			t.Errorf("left are %v", destination.keys())
		}
		delete(w.deps.Confirmed, "tommy")
		w.deps.Confirmed["tommy-b"] = true
		if r := w.ends(extra(), executor.Done); r.Message != "1 of 1 extra objects deleted" {
			t.Errorf("says %q", r.Message)
		}
		if got := destination.keys(); !slices.Equal(got, []string{"kept/extra", "one", "three", "two"}) {
			t.Errorf("left are %v", got)
		}
		w.ends(extra(), executor.Held)
	})
}

func TestAnEmptySourceDeletesNothingAtTheDestination(t *testing.T) {
	onPair(t, func(w *bench, source, destination *memory) {
		destination.put("one", "the only copy")
		for _, key := range source.keys() {
			delete(source.objects, key)
		}
		w.deps.Confirmed["tommy-b"] = true
		s := pairStep(compile.KindCleanExtra, func(c *compile.CopySpec) { c.Pair.Copy.DeleteExtra = true })
		if r := w.ends(s, executor.Waiting); !strings.Contains(r.Message, "delete it by hand") {
			t.Errorf("says %q", r.Message)
		}
		if len(destination.keys()) != 1 {
			t.Errorf("left are %v", destination.keys())
		}
	})
}

func TestAnObjectWrittenDuringTheDeletionIsNamed(t *testing.T) {
	moved(t, func(w *bench, source, _ *memory) {
		source.deleted = func() { source.put("new", "written since") }
		r := w.ends(pairStep(compile.KindCleanSourceObjects, nil), executor.Waiting)
		if !strings.Contains(r.Message, `3 objects of tommy deleted, as the server says, and "new" is there: it was written since and is not copied`) {
			t.Errorf("says %q", r.Message)
		}
	})
}

func TestOnlyUploadsOfOursAreAborted(t *testing.T) {
	onPair(t, func(w *bench, _, destination *memory) {
		journal := Records{DB: w.db}.Journal(pairOf())
		now := time.Now()
		w.must(journal.PutUpload(w.Context(), s3copy.Upload{Key: "known", ID: "id-1", Started: now}))
		w.must(journal.PutUpload(w.Context(), s3copy.Upload{Key: "lost", Started: now}))
		destination.uploads = []s3copy.PendingUpload{
			{Key: "lost", ID: "id-2", Initiated: now.Add(time.Second)},
			{Key: "lost", ID: "older", Initiated: now.Add(-time.Hour)},
			{Key: "lost", ID: "later", Initiated: now.Add(time.Hour)},
			{Key: "lost/too", ID: "another key", Initiated: now},
		}
		clean := pairStep(compile.KindCleanUploads, nil)
		w.ends(clean, executor.Done)
		slices.Sort(destination.aborted)
		if want := []string{"known id-1", "lost id-2"}; !slices.Equal(destination.aborted, want) {
			t.Errorf("aborted %v, want %v", destination.aborted, want)
		}
		w.ends(clean, executor.Held)
	})
	onPair(t, func(w *bench, _, destination *memory) { // what cannot be aborted stays recorded
		w.must(Records{DB: w.db}.Journal(pairOf()).PutUpload(w.Context(), s3copy.Upload{Key: "known", ID: "id-1"}))
		destination.fail["known"] = errPulled
		clean := pairStep(compile.KindCleanUploads, nil)
		w.fails(clean, `abort the upload of "known"`)
		delete(destination.fail, "known")
		w.ends(clean, executor.Done)
	})
}

func TestUploadsWhoseRecordWasLostAreFoundByWhoBeganThem(t *testing.T) {
	const copier = "arn:aws:iam::" + accountB + ":user/copier"
	clean := pairStep(compile.KindCleanUploads, nil)
	clean.Spec.Copy.Principal = copier
	strays := func(source, destination *memory) {
		source.put("parts", "x")
		destination.uploads = []s3copy.PendingUpload{
			{Key: "parts", ID: "id-1", Initiator: copier},
			{Key: ".xplan-probe-ABC", ID: "id-2", Initiator: copier},
			{Key: "parts", ID: "another's", Initiator: "arn:aws:iam::" + accountB + ":user/somebody"},
			{Key: "else", ID: "of no object of the source", Initiator: copier},
		}
	}
	onPair(t, func(w *bench, source, destination *memory) { // whose principal may have other work
		strays(source, destination)
		got := w.ends(clean, executor.Waiting)
		for _, want := range []string{"2 unfinished uploads of " + copier, "abort-multipart-upload --bucket tommy-b --key 'parts' --upload-id 'id-1'"} {
			if !strings.Contains(got.Pending, want) {
				t.Errorf("%q does not say %q", got.Pending, want)
			}
		}
		if len(destination.aborted) > 0 {
			t.Errorf("aborted %v", destination.aborted)
		}
	})
	onPair(t, func(w *bench, source, destination *memory) { // whose principal is there for the plan alone
		strays(source, destination)
		w.must(w.own.Own(compile.Owned{Kind: compile.KindPrincipal, Side: plan.Destination, Subject: copier}))
		w.ends(clean, executor.Done)
		if want := []string{"parts id-1", ".xplan-probe-ABC id-2"}; !slices.Equal(destination.aborted, want) {
			t.Errorf("aborted %v, want %v", destination.aborted, want)
		}
	})
	onPair(t, func(w *bench, source, destination *memory) { // who may not list, or has no bucket yet, sees none
		strays(source, destination)
		destination.fail["uploads"] = s3copy.ErrDenied
		if got := w.ends(clean, executor.Held); !strings.Contains(got.Message, "could not be looked for") {
			t.Errorf("it says %q", got.Message)
		}
	})
}
