package compile

import (
	"errors"
	"strings"
	"testing"

	"xplan/plan"
)

// locked is a plan that keeps the locks of a source that has some.
func locked() (*plan.Plan, World) {
	p, w := tommy(), fresh()
	p.Buckets[0].Copy.ObjectLock = preserve
	source(w, func(b *Bucket) { b.ObjectLock = true })
	return p, w
}

func TestLocksThatCannotBeKeptAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*plan.Plan, *World)
		want   []string
	}{
		"the bucket is made without Object Lock": {func(*plan.Plan, *World) {}, []string{"it would be made without Object Lock", "set settings.object_lock: true"}},
		"the bucket has none": {func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) { *b = secure("us-west-2") })
		}, []string{"bucket tommy-b: it has no Object Lock", "s3:PutBucketObjectLockConfiguration"}},
		"nobody can tell of the destination": {func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) { *b = secure("us-west-2") })
			w.Unseen = append(w.Unseen, Unseen{About: UnseenObjectLock("tommy-b")})
		}, []string{"bucket tommy-b: whether it has Object Lock cannot be read", "s3:GetBucketObjectLockConfiguration to the destination's administrator"}},
		"nobody can tell of the source": {func(_ *plan.Plan, w *World) {
			source(*w, func(b *Bucket) { b.ObjectLock = false })
			w.Unseen = append(w.Unseen, Unseen{About: UnseenObjectLock("tommy")})
		}, []string{"bucket tommy: its Object Lock cannot be read", "s3:GetBucketObjectLockConfiguration to the source's administrator"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := locked()
			c.change(p, &w)
			_, err := Compile(p, w)
			if _, ok := errors.AsType[*ProblemsError](err); !ok {
				t.Fatalf("got %v, want problems", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
		})
	}
}

// TestLocksToKeepAreADangerAndADefaultIsSaid: nobody is to learn from a copy that it can never be deleted.
func TestLocksToKeepAreADangerAndADefaultIsSaid(t *testing.T) {
	p, w := locked()
	destination(w, func(b *Bucket) {
		*b = secure("us-west-2")
		b.ObjectLock, b.Retention = true, Retention{Mode: "GOVERNANCE", Days: 7}
	})
	prog := compiled(t, p, w)
	var danger, warned bool
	for _, warning := range prog.Warnings {
		danger = danger || warning.Danger && strings.Contains(warning.Text, "not even the account's root user")
		warned = warned || strings.Contains(warning.Text, "its default retention (GOVERNANCE for 7 days) is given to every copy whose source has no retention left")
	}
	if !danger || !warned {
		t.Errorf("danger said: %t, default retention said: %t; %v", danger, warned, prog.Warnings)
	}
}
