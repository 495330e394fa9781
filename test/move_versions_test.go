package test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// An entry is one version of a history, or a delete marker, which has no ETag.
type entry struct{ id, etag string }

// histories lists all of a bucket: of each key, the oldest first, what its versions are. Elsewhere than in the sandbox, whose
// listing the SDK would sort, there must be no delete markers.
func (w *world) histories(s side, bucket string) map[string][]entry {
	all := map[string][]entry{}
	if w.box != nil {
		for _, v := range w.box.Versions(bucket) {
			all[v.Key] = append(all[v.Key], entry{v.VersionID, v.ETag})
		}
		return all
	}
	out, err := s.s3.ListObjectVersions(w.t.Context(), &s3.ListObjectVersionsInput{Bucket: &bucket})
	if err != nil || len(out.DeleteMarkers) > 0 || aws.ToBool(out.IsTruncated) {
		w.t.Fatalf("list the versions of %s: %v, %d markers", bucket, err, len(out.DeleteMarkers))
	}
	for _, v := range slices.Backward(out.Versions) {
		all[*v.Key] = append(all[*v.Key], entry{*v.VersionId, *v.ETag})
	}
	return all
}

const deep = "orders/history"

// newMoveOfVersions is a move whose source has objects from before it kept versions, and histories. Where the server lists
// delete markers apart, there are none.
func newMoveOfVersions(t *testing.T, w *world) *recipe {
	t.Helper()
	r := newMoveOn(t, w)
	r.limit = 3 * time.Minute
	r.replace("copy:\n", "copy:\n  versions: all\n")
	_, err := r.source.s3.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &r.bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.source.write(t, r.bucket, deep, "1", "2", "2")
	r.source.write(t, r.bucket, victim, "a second version")
	if w.differs(versionsInterleaved) == "" {
		r.source.write(t, r.bucket, deep, gone, "3")
		r.source.write(t, r.bucket, "orders/marked", gone)
	}
	return r
}

// stays wants each key's source to be the newest part of what it was, and the destination to have all of it.
func (r *recipe) stays(t *testing.T, before map[string][]entry) (left int) {
	t.Helper()
	a, b := r.in(t).histories(r.source, r.bucket), r.in(t).histories(r.destination, r.copy)
	for key, was := range before {
		now := a[key]
		if len(now) > len(was) || !slices.Equal(now, was[len(was)-len(now):]) {
			t.Errorf("of %q the source has %v, and had %v", key, now, was)
		}
		if len(b[key]) != len(was) {
			t.Errorf("of %q the destination has %v, and the source had %v", key, b[key], was)
		}
		left += len(now)
	}
	return left
}

// TestADeletionOfVersionsGoesOnWhereItWasKilled: kill -9 at one request of it after the other, which reaches the server or not.
func TestADeletionOfVersionsGoesOnWhereItWasKilled(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName) {
		w := s.start(t)
		w.enforce(t)
		r := newMoveOfVersions(t, w)
		before := r.histories(r.source, r.bucket)
		if got := r.run(t, "apply", r.plan, "--yes"); got.code != 4 {
			t.Fatalf("without a confirmation: %s", got)
		}
		copied := r.histories(r.destination, r.copy)
		left := r.stays(t, before)
		one, many := moment{action: http.MethodDelete, path: "/" + r.bucket + "/"}, moment{action: "DeleteObjects", path: r.bucket}
		reaches := func(m moment) moment { m.reaches = true; return m }
		after := moment{action: many.action, path: many.path, next: true}
		worst := []moment{one, reaches(one), many, reaches(many), after}
		for n := 0; left > 0; n++ { // a request that was torn with the program does not reach the server after all
			m := reaches(many)
			if n < len(worst) {
				m = worst[n]
			}
			r.killed(t, m, "--confirm="+r.bucket)
			now := r.stays(t, before)
			if now > left || n > 20 {
				t.Fatalf("kill %d: %d are left of %d", n, now, left)
			}
			left = now
		}
		r.must(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
		if left := r.stays(t, before); left != 0 {
			t.Errorf("%d versions are left", left)
		}
		if now := r.histories(r.destination, r.copy); !maps.EqualFunc(now, copied, slices.Equal) {
			t.Errorf("the destination has %v, and had %v", now, copied)
		}
	}
}

// A lie is what is done at the first deletion of many versions, or instead of every deletion.
type lie struct {
	strike  func(r *recipe)
	instead func(rw http.ResponseWriter)
	says    []string // one of them
	servers []string // nil: the sandbox alone
}

var lies = map[string]lie{
	"a version is written on top": {
		strike: func(r *recipe) { r.source.put(r.t, r.bucket, deep, "written by somebody") },
		says:   []string{"its versions changed since they were proven"}, servers: []string{sandboxName, motoName},
	},
	"keys appear in front and behind": {
		strike: func(r *recipe) {
			r.source.put(r.t, r.bucket, "a-new-one", "new")
			r.source.put(r.t, r.bucket, "orders/zz-new", "new")
		},
		says: []string{"was written since the others were proven"},
	},
	"a copy's old version is deleted": {
		strike: func(r *recipe) {
			_, err := r.destination.s3.DeleteObject(r.t.Context(), &s3.DeleteObjectInput{
				Bucket: &r.copy, Key: aws.String(deep), VersionId: &r.histories(r.destination, r.copy)[deep][2].id,
			})
			if err != nil {
				r.t.Error(err)
			}
		},
		says: []string{"its copy changed since it was proven"},
	},
	"deletions say yes and are not done": {
		instead: func(rw http.ResponseWriter) { rw.WriteHeader(http.StatusNoContent) }, says: []string{"answered nothing"},
	},
	"deletions are denied": {
		instead: func(rw http.ResponseWriter) {
			rw.WriteHeader(http.StatusForbidden)
			fmt.Fprint(rw, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		},
		says: []string{"s3:DeleteObjectVersion"},
	},
}

// TestNoLieLosesAVersion is TestNoDeedLosesAnObjectOnAnyServer for histories.
func TestNoLieLosesAVersion(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, motoName) {
		for _, name := range slices.Sorted(maps.Keys(lies)) {
			l := lies[name]
			if s.name != sandboxName && !slices.Contains(l.servers, s.name) {
				continue
			}
			t.Run(s.name+", "+name, func(t *testing.T) {
				t.Parallel()
				w := s.start(t)
				w.enforce(t)
				lied(t, w, l)
			})
		}
	}
}

func lied(t *testing.T, w *world, l lie) {
	t.Helper()
	r := newMoveOfVersions(t, w)
	before := r.histories(r.source, r.bucket)
	var first sync.Once
	var struck map[string][]entry // what the source had right after
	asked := map[string]int{}
	r.witness.replace(func(rw http.ResponseWriter, q request) bool {
		if q.action != "DeleteObjects" && q.action != http.MethodDelete || !strings.HasPrefix(q.path, "/"+r.bucket) {
			return false
		}
		asked[q.action]++
		if l.instead != nil {
			l.instead(rw)
			return true
		}
		if q.action == "DeleteObjects" {
			first.Do(func() {
				l.strike(r)
				struck = r.histories(r.source, r.bucket)
			})
		}
		return false
	})
	got := r.run(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
	if got.code == 0 || !slices.ContainsFunc(l.says, func(words string) bool { return strings.Contains(got.String(), words) }) {
		t.Errorf("it says none of %q: %s", l.says, got)
	}
	r.witness.replace(nil)
	if l.instead != nil {
		struck = before
	} else if asked["DeleteObjects"] != 1 {
		t.Errorf("it asked for %v", asked)
	}
	left := r.histories(r.source, r.bucket)
	for key, was := range struck {
		if now := left[key]; len(was)-len(now) > 1 || !slices.Equal(now, was[len(was)-len(now):]) || l.instead != nil && len(now) != len(was) {
			t.Errorf("of %q the source has %v, and had %v", key, now, was)
		}
	}
	r.must(t, "apply", r.plan, "--yes", "--confirm="+r.bucket) // which copies what is new
	if left := r.histories(r.source, r.bucket); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	r.told(t, struck)
}

// told wants the contents of a history, or its newest part where it was copied anew, to end the destination's.
func (r *recipe) told(t *testing.T, histories map[string][]entry) {
	t.Helper()
	copies := r.in(t).histories(r.destination, r.copy)
	for key, want := range histories {
		have := copies[key]
		n := min(len(have), len(want))
		if n == 0 || have[len(have)-1].etag != want[len(want)-1].etag && !strings.Contains(want[len(want)-1].etag, "-") {
			t.Errorf("of %q the destination has %v, and the source had %v", key, have, want)
		}
		if len(have) < len(want) {
			t.Errorf("of %q the destination has %v, and the source had %v", key, have, want)
		}
	}
}
