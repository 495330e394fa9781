package s3copy

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// dressed gives a finished copy of n objects with tags and a header.
func dressed(t *testing.T, n int) (src, dst *bucket, job Job) {
	t.Helper()
	src, dst, job = pair()
	for i := range n {
		o := src.put(fmt.Sprintf("k%04d", i), fmt.Sprint(i))
		o.tags, o.Headers = []Tag{{"team", "data"}, {"of", fmt.Sprint(i)}}, Headers{ContentType: "text/plain", Metadata: map[string]string{"of": "x"}}
	}
	job.Rules.Tags = true
	run1(t, small(), job)
	return src, dst, job
}

func TestASourceWhoseTagsOrHeadersChangedAfterItsCopyStaysUntilItIsCopiedAgain(t *testing.T) {
	later := func(src *bucket, o *stored) { // a copy of the object onto itself has the ETag and a new date
		src.clock = src.clock.Add(time.Hour)
		o.Modified = src.clock
	}
	for name, change := range map[string]func(src, dst *bucket){
		"a tag changed":      func(src, _ *bucket) { src.objects["k0002"].tags = []Tag{{"team", "sales"}, {"of", "2"}} },
		"a tag is gone":      func(src, _ *bucket) { src.objects["k0002"].tags = []Tag{{"of", "2"}} },
		"the copy has more":  func(_, dst *bucket) { dst.objects["k0002"].tags = append(dst.objects["k0002"].tags, Tag{"x", ""}) },
		"the copy lost them": func(_, dst *bucket) { dst.objects["k0002"].tags = nil },
		"the metadata changed": func(src, _ *bucket) {
			o := src.objects["k0002"]
			o.Headers.Metadata = map[string]string{"of": "y"}
			later(src, o)
		},
		"the type changed": func(src, _ *bucket) {
			o := src.objects["k0002"]
			o.Headers.ContentType = "text/html"
			later(src, o)
		},
		"it redirects": func(src, _ *bucket) { src.objects["k0002"].Headers.WebsiteRedirect = "/new" },
	} {
		t.Run(name, func(t *testing.T) {
			src, dst, job := dressed(t, 5)
			job.Rules.Redirects = true
			change(src, dst)
			tally, err := deleteSource(t, job, src)
			var unproven *UnprovenError
			if !errors.As(err, &unproven) || unproven.Key != "k0002" || len(unproven.Marks) != 1 || tally.Deleted.Objects != 0 || len(src.objects) != 5 {
				t.Fatalf("got %+v, %v, %d left", tally, err, len(src.objects))
			}
			// What a scan and a copy make of the mark.
			scan := job
			scan.Mode, scan.Journal, scan.Marked = Scan, nil, unproven.Marks
			if s := run1(t, small(), scan); s.Tally.Changed.Objects != 1 || s.ChangedBy["attributes"].Objects != 1 || len(s.Seed.Failures) != 1 {
				t.Errorf("the scan says %+v, %v, %+v", s.Tally, s.ChangedBy, s.Seed)
			}
			j := &journal{}
			if err := j.Commit(t.Context(), Batch{Failures: unproven.Marks}); err != nil {
				t.Fatal(err)
			}
			job.Journal = j
			if s := run1(t, small(), job); s.Tally.Copied.Objects != 1 || s.Tally.Same.Objects != 4 || s.Tally.Failed.Objects != 0 {
				t.Errorf("the copy says %+v", s.Tally)
			}
			if p, err := j.Load(t.Context()); err != nil || len(p.Failures) != 0 {
				t.Errorf("the journal holds %+v, %v", p.Failures, err)
			}
			job.Journal = nil
			if tally, err := deleteSource(t, job, src); err != nil || tally.Deleted.Objects != 5 {
				t.Errorf("copied again: %+v, %v", tally, err)
			}
		})
	}
}

func TestAMarkIsNoFailureOfTheAccountWhateverBecomesOfIt(t *testing.T) {
	mark := []Failure{{Key: "k0002", Phase: phaseAttributes, Reason: "tag", Size: 1}}
	for name, c := range map[string]struct {
		spoil func(src, dst *bucket)
		ended bool // the journal's cursors stand at the end already
		want  Tally
		left  int
	}{
		"gone from the source":         {func(src, _ *bucket) { delete(src.objects, "k0002") }, false, Tally{Same: Count{4, 4}}, 0},
		"gone from the copy":           {func(_, dst *bucket) { delete(dst.objects, "k0002") }, false, Tally{Copied: Count{1, 1}, Same: Count{4, 4}}, 0},
		"it cannot be copied":          {func(_, dst *bucket) { dst.fault = denies("copy", "k0002") }, false, Tally{Same: Count{4, 4}, Failed: Count{1, 1}}, 1},
		"everything else was listed":   {func(_, _ *bucket) {}, true, Tally{Copied: Count{5, 5}}, 0},
		"listed, and cannot be copied": {func(_, dst *bucket) { dst.fault = denies("copy", "k0002") }, true, Tally{Copied: Count{4, 4}, Failed: Count{1, 1}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			src, dst, job := dressed(t, 5)
			j := &journal{}
			if c.ended {
				dst.objects = map[string]*stored{}
				job.Journal = j
				run1(t, small(), job)
			}
			if err := j.Commit(t.Context(), Batch{Failures: mark}); err != nil {
				t.Fatal(err)
			}
			c.spoil(src, dst)
			job.Journal = j
			s := run1(t, small(), job)
			if s.Tally.Copied != c.want.Copied || s.Tally.Same != c.want.Same || s.Tally.Failed != c.want.Failed {
				t.Errorf("got %+v", s.Tally)
			}
			p, err := j.Load(t.Context())
			if err != nil || len(p.Failures) != c.left || p.Tally != s.Tally {
				t.Errorf("the journal holds %+v, %v", p, err)
			}
			if slices.ContainsFunc(p.Failures, func(f Failure) bool { return f.Phase == phaseAttributes }) {
				t.Errorf("the mark stays: %+v", p.Failures)
			}
		})
	}
}

func denies(op, key string) func(string, string) error {
	return func(o, k string) error {
		if o == op && k == key {
			return ErrDenied
		}
		return nil
	}
}

func TestTagsThatCannotBeReadKeepTheSource(t *testing.T) {
	for _, side := range []string{"source", "destination"} {
		t.Run(side, func(t *testing.T) {
			src, dst, job := dressed(t, 3)
			map[string]*bucket{"source": src, "destination": dst}[side].fault = denies("tags", "k0001")
			tally, err := deleteSource(t, job, src)
			var unproven *UnprovenError
			if !errors.As(err, &unproven) || len(unproven.Marks) != 0 || tally.Deleted.Objects != 0 || len(src.objects) != 3 {
				t.Errorf("got %+v, %v", tally, err)
			}
		})
	}
}

func TestTagsAreReadWhereThePlanCopiesThemAndHeadersWhereTheSourceIsNewer(t *testing.T) {
	src, dst, job := dressed(t, 4)
	for _, o := range dst.objects {
		o.Modified = src.objects[o.Key].Modified // whatever the order in which they were copied
	}
	dst.objects["k0000"].Modified = dst.clock.Add(time.Hour) // written after its source
	src.calls, dst.calls = map[string]int{}, map[string]int{}
	if _, err := deleteSource(t, job, src); err != nil {
		t.Fatal(err)
	}
	if src.calls["tags"] != 4 || dst.calls["tags"] != 4 || dst.calls["head"] != 3 {
		t.Errorf("%v at the source, %v at the copy", src.calls, dst.calls)
	}
	src, dst, job = dressed(t, 4)
	dst.objects["k0000"].tags = nil
	job.Rules.Tags = false
	src.calls = map[string]int{}
	if _, err := deleteSource(t, job, src); err != nil || src.calls["tags"] != 0 {
		t.Errorf("without tags: %v, %v", err, src.calls)
	}
}
