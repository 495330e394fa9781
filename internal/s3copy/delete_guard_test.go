package s3copy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// during is a deleter during whose n-th request something happens, before it takes effect.
type during struct {
	Deleter
	n, calls int
	asked    []Deletion
	attack   func()
}

func (d *during) DeleteObjects(ctx context.Context, objects []Deletion) ([]error, error) {
	d.asked = append(d.asked, objects...)
	if d.calls++; d.calls == d.n {
		d.attack()
	}
	return d.Deleter.DeleteObjects(ctx, objects)
}

// swap changes an object at a moment when requests are under way.
func swap(b *bucket, change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func TestACopyThatVanishesBetweenTheListingAndTheDeletionKeepsItsSource(t *testing.T) {
	for name, change := range map[string]func(dst *bucket){
		"gone":        func(dst *bucket) { delete(dst.objects, "k1500") },
		"overwritten": func(dst *bucket) { dst.put("k1500", "another") },
	} {
		t.Run(name, func(t *testing.T) {
			src, dst, job := moved(t, 2000) // pages of 1,000: the second is fetched ahead
			del := &during{Deleter: src, n: 2, attack: func() { swap(dst, func() { change(dst) }) }}
			tally, err := deleteSource(t, job, del)
			var unproven *UnprovenError
			if !errors.As(err, &unproven) || src.objects["k1500"] == nil || tally.Deleted.Objects != 1000 {
				t.Errorf("got %+v, %v", tally, err)
			}
		})
	}
}

func TestAnObjectThatChangesRightBeforeItsDeletionStaysWhateverTheServerHeeds(t *testing.T) {
	for kind, c := range map[string]conditions{"heeded": heeded, "ignored": ignored, "refused": refused} {
		for _, key := range []string{"k0005", "z\x01"} {
			t.Run(fmt.Sprintf("%s %q", kind, key), func(t *testing.T) {
				src, dst, job := moved(t, 10)
				src.conditions = c
				src.put("y\x02", "y") // on which it is seen what the server heeds
				dst.put("y\x02", "y")
				del := &during{Deleter: src, n: 1, attack: func() { swap(src, func() { src.put(key, "written since") }) }}
				tally, err := deleteSource(t, job, del)
				var undeleted *UndeletedError
				if !errors.As(err, &undeleted) || !errors.Is(err, ErrChanged) || undeleted.Key != key || tally.Deleted.Objects != 11 {
					t.Errorf("got %+v, %v", tally, err)
				}
				if src.objects[key] == nil || len(src.objects) != 1 {
					t.Errorf("%d objects are left", len(src.objects))
				}
			})
		}
	}
}

// unanswered loses the answer to its n-th request.
type unanswered struct {
	Deleter
	n, calls int
	then     func()
}

func (f *unanswered) DeleteObjects(ctx context.Context, objects []Deletion) ([]error, error) {
	errs, err := f.Deleter.DeleteObjects(ctx, objects)
	if f.calls++; f.calls != f.n || err != nil {
		return errs, err
	}
	f.then()
	if !objects[0].Once {
		return f.Deleter.DeleteObjects(ctx, objects)
	}
	for i := range errs {
		errs[i] = errTorn
	}
	return errs, nil
}

func TestADeletionIsNotRepeatedWithoutALookWhereNoConditionIsHeeded(t *testing.T) {
	for kind, c := range map[string]conditions{"heeded": heeded, "ignored": ignored, "refused": refused} {
		for n, key := range map[int]string{1: "k0000", 2: "k0000", 3: "k0001"} {
			t.Run(fmt.Sprintf("%s, answer %d lost", kind, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					src, _, job := moved(t, 10)
					src.conditions = c
					written := false
					del := &unanswered{Deleter: src, n: n, then: func() {
						swap(src, func() {
							if written = src.objects[key] == nil; written {
								src.put(key, "written since")
							}
						})
					}}
					tally, err := deleteSource(t, job, del)
					if written == (src.objects[key] == nil) || written == (err == nil) || len(src.objects) > 1 {
						t.Errorf("written since: %t; got %+v, %v, %d objects are left", written, tally, err, len(src.objects))
					}
				})
			})
		}
	}
}

func TestADeletionThatNothingAnswersEndsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, _, job := moved(t, 1200)
		begun := time.Now()
		tally, err := deleteSource(t, job, speechless{})
		if took := time.Since(begun); !errors.Is(err, errTorn) || len(src.objects) != 1201 || tally.Deleted.Objects != 0 || took > time.Minute {
			t.Errorf("got %+v, %v after %s, %d objects are left", tally, err, took, len(src.objects))
		}
	})
}

// speechless is a server whose answers are all lost.
type speechless struct{}

func (speechless) DeleteObjects(_ context.Context, objects []Deletion) ([]error, error) {
	errs := make([]error, len(objects))
	for i := range errs {
		errs[i] = errTorn
	}
	return errs, nil
}

func TestNoDeletionIsUnconditionalWhereTheServerHeedsConditions(t *testing.T) {
	src, _, job := moved(t, 1200)
	del := &during{Deleter: src}
	if _, err := deleteSource(t, job, del); err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(del.asked, func(d Deletion) bool { return d.ETag == "" }); i >= 0 {
		t.Errorf("%q was to be deleted whatever it is", del.asked[i].Key)
	}
}

func TestAServerWithoutConditionsLosesItsSourceAllTheSame(t *testing.T) {
	for _, c := range []conditions{ignored, refused} {
		src, dst, job := moved(t, 1200)
		src.conditions = c
		tally, err := deleteSource(t, job, src)
		if err != nil || tally.Deleted.Objects != 1201 || len(src.objects) != 0 || len(dst.objects) != 1201 {
			t.Errorf("got %+v, %v, %d left", tally, err, len(src.objects))
		}
	}
}

func TestAFirstObjectThatMayNotGoProvesNothingOfConditions(t *testing.T) {
	src, _, job := moved(t, 10)
	tally, err := deleteSource(t, job, stuck{src})
	var undeleted *UndeletedError
	if !errors.As(err, &undeleted) || undeleted.Key != "k0000" || !errors.Is(err, ErrDenied) || tally.Deleted.Objects != 10 {
		t.Errorf("got %+v, %v", tally, err)
	}
}

// stuck holds on to one object, as a legal hold does.
type stuck struct{ Deleter }

func (s stuck) DeleteObjects(ctx context.Context, objects []Deletion) ([]error, error) {
	if objects[0].Key != "k0000" {
		return s.Deleter.DeleteObjects(ctx, objects)
	}
	errs := []error{fmt.Errorf("held: %w", ErrDenied)}
	if len(objects) == 1 {
		return errs, nil
	}
	rest, err := s.Deleter.DeleteObjects(ctx, objects[1:])
	return append(errs, rest...), err
}
