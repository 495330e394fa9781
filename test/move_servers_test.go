package test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// newMoveOn is a move on any server: on one without accounts, by the destination's own profile.
func newMoveOn(t *testing.T, w *world) *recipe {
	t.Helper()
	if w.server != versitygwName {
		r := newMove(t, w)
		if w.differs(tagsAcross) != "" {
			r.replace("copy:\n", "copy:\n  tags: false\n")
		}
		return r
	}
	id := name("r")
	r := &recipe{world: w.in(t), witness: watch(t, w.url), bucket: "tommy-" + id, copy: "tommy-b-" + id, objects: 8}
	r.makeBucket(t, w.source, r.bucket)
	for i := range r.objects {
		r.source.put(t, r.bucket, fmt.Sprintf("orders/%02d/%04d.json", i%7, i), strings.Repeat(fmt.Sprint(i, " "), i))
	}
	putDressed(t, w.source, r.bucket)
	r.source.put(t, r.bucket, "cold.bin", "cold")
	w.share(t, r.bucket)
	text := compatiblePlan(w, r.witness.url, r.witness.url, r.bucket, r.copy)
	r.program = newProgram(t, text+"verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\n", w.config)
	return r
}

// A deed is done at the first deletion in the source, or instead of every one.
type deed struct {
	strike  func(r *recipe)
	instead func(rw http.ResponseWriter)
	spoil   func(answer string) string // to a deletion that was carried out
	code    int
	says    []string // one of them
	keeps   []string
}

// deeds hold on every server, whether it heeds conditions or not.
var deeds = map[string]deed{
	"an object is overwritten": {
		strike: func(r *recipe) { r.source.put(r.t, r.bucket, victim, "written by somebody") },
		code:   1, says: []string{"PreconditionFailed", "changed since it was listed"}, keeps: []string{victim},
	},
	"an object appears in front and behind": {
		strike: func(r *recipe) {
			r.source.put(r.t, r.bucket, "a-new-one", "new")
			r.source.put(r.t, r.bucket, "orders/zz-new", "new")
		},
		code: 4, says: []string{"not copied"}, keeps: []string{"a-new-one", "orders/zz-new"},
	},
	"a copy vanishes": {
		strike: func(r *recipe) {
			_, err := r.destination.s3.DeleteObject(r.t.Context(), &s3.DeleteObjectInput{Bucket: &r.copy, Key: aws.String(victim)})
			if err != nil {
				r.t.Error(err)
			}
		},
		code: 1, says: []string{"gone since it was proven"}, keeps: []string{victim},
	},
	"a copy is overwritten": {
		strike: func(r *recipe) { r.destination.put(r.t, r.copy, victim, "written by somebody") },
		code:   1, says: []string{"changed since it was proven"}, keeps: []string{victim},
	},
	"deletions answer nothing": {
		instead: func(http.ResponseWriter) {},
		code:    -1, says: []string{"answered nothing", "not copied"}, keeps: []string{victim, "cold.bin"},
	},
	"deletions say yes and are not done": {
		instead: func(rw http.ResponseWriter) { rw.WriteHeader(http.StatusNoContent) },
		code:    -1, says: []string{"answered nothing", "not copied"}, keeps: []string{victim, "cold.bin"},
	},
	"deletions answer for a key that nobody named": {
		instead: func(rw http.ResponseWriter) {
			fmt.Fprint(rw, `<?xml version="1.0"?><DeleteResult><Deleted><Key>nobody</Key></Deleted></DeleteResult>`)
		},
		code: -1, says: []string{"answered", "not copied"}, keeps: []string{victim, "cold.bin"},
	},
	"a deletion is done and not answered for": {
		spoil: func(answer string) string {
			return regexp.MustCompile(`<Deleted>\s*<Key>`+victim+`</Key>.*?</Deleted>`).ReplaceAllString(answer, "")
		},
		code: 1, says: []string{"answered nothing"},
	},
	"deletions are denied": {
		instead: func(rw http.ResponseWriter) {
			rw.WriteHeader(http.StatusForbidden)
			fmt.Fprint(rw, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		},
		code: 1, says: []string{"AccessDenied"}, keeps: []string{victim, "cold.bin"},
	},
}

// TestNoDeedLosesAnObjectOnAnyServer is TestNoBlowLosesAnObject by a proxy in front, also of servers that know no conditions for
// deletions: a proxy interferes exactly then.
func TestNoDeedLosesAnObjectOnAnyServer(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, motoName, versitygwName) {
		for _, name := range slices.Sorted(maps.Keys(deeds)) {
			t.Run(s.name+", "+name, func(t *testing.T) {
				t.Parallel()
				w := s.start(t)
				w.enforce(t)
				done(t, w, deeds[name])
			})
		}
	}
}

func done(t *testing.T, w *world, d deed) {
	t.Helper()
	r := newMoveOn(t, w)
	r.limit = 3 * time.Minute
	tags := r.differs(tagsAcross) == ""
	before := r.source.contents(t, r.bucket, tags)
	var first sync.Once
	r.witness.replace(func(rw http.ResponseWriter, q request) bool {
		if q.action != "DeleteObjects" && q.action != http.MethodDelete || !strings.HasPrefix(q.path, "/"+r.bucket) {
			return false
		}
		if d.strike != nil {
			first.Do(func() { d.strike(r) })
			return false
		}
		if d.instead != nil {
			d.instead(rw)
		}
		return d.instead != nil
	})
	if d.spoil != nil {
		r.witness.spoil("/"+r.bucket, d.spoil)
	}
	got := r.run(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
	said := slices.ContainsFunc(d.says, func(words string) bool { return strings.Contains(got.String(), words) })
	if got.code == 0 || d.code > 0 && got.code != d.code || !said {
		t.Errorf("it says none of %q: %s", d.says, got)
	}
	r.lost(t, before, tags)
	left := r.source.contents(t, r.bucket, false)
	for _, key := range d.keeps {
		if _, ok := left[key]; !ok {
			t.Errorf("%q is gone from the source", key)
		}
	}
	r.witness.replace(nil)
	r.witness.spoil("/", nil)
	r.must(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
	if left := r.source.contents(t, r.bucket, false); len(left) > 0 {
		t.Errorf("%d objects are left in the source", len(left))
	}
}

// lost wants all of what was in the source, in the source or as its copy.
func (r *recipe) lost(t *testing.T, before map[string]content, tags bool) {
	t.Helper()
	a, b := r.source.contents(t, r.bucket, tags), r.destination.contents(t, r.copy, tags)
	for key, was := range before {
		there, stays := a[key]
		copied, moved := b[key]
		stays = stays && (there.same(was) || key == victim)
		if !stays && (!moved || !copied.same(was)) {
			t.Errorf("%q is lost", key)
		}
	}
}

// A gate is what keeps a source's objects.
type gate struct {
	arrange func(r *recipe) error
	meddle  func(r *recipe) error // once everything is copied, before anything is deleted
	code    int
	says    string
	gone    bool // it is the source's objects that the meddler took away
}

// gates hold on every server.
var gates = map[string]gate{
	"an upload is under way": {arrange: func(r *recipe) error {
		_, err := r.source.s3.CreateMultipartUpload(r.t.Context(), &s3.CreateMultipartUploadInput{Bucket: &r.bucket, Key: aws.String("big.bin")})
		return err
	}, code: 4, says: "are not finished"},
	"versions are kept": {arrange: func(r *recipe) error {
		_, err := r.source.s3.PutBucketVersioning(r.t.Context(), &s3.PutBucketVersioningInput{
			Bucket: &r.bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		})
		return err
	}, code: 4, says: "keeps versions"},
	"Object Lock is on": {arrange: func(r *recipe) error {
		r.replace("source: "+r.bucket, "source: locked-"+r.bucket)
		r.bucket = "locked-" + r.bucket
		_, err := r.source.s3.CreateBucket(r.t.Context(), &s3.CreateBucketInput{
			Bucket: &r.bucket, ObjectLockEnabledForBucket: aws.Bool(true), CreateBucketConfiguration: r.constraint(),
		})
		if err != nil {
			return err
		}
		r.source.put(r.t, r.bucket, victim, "kept")
		if r.server == versitygwName {
			r.share(r.t, r.bucket)
		}
		return nil
	}, code: 1, says: "it has Object Lock"},
	"evidence by size alone": {arrange: func(r *recipe) error {
		r.replace("otherwise: bytes", "otherwise: fail")
		r.witness.opaque("/" + r.copy)
		return nil
	}, code: 3, says: "no comparable checksum"},
	"the source is emptied": {meddle: func(r *recipe) error { return r.empty(r.bucket) }, code: 1, says: "lists no key", gone: true},
	"the bucket is another owner's now": {meddle: func(r *recipe) error {
		if err := r.empty(r.bucket); err != nil {
			return err
		}
		if _, err := r.source.s3.DeleteBucketPolicy(r.t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &r.bucket}); err != nil {
			return err
		}
		if _, err := r.source.s3.DeleteBucket(r.t.Context(), &s3.DeleteBucketInput{Bucket: &r.bucket}); err != nil {
			return err
		}
		_, err := r.destination.s3.CreateBucket(r.t.Context(), &s3.CreateBucketInput{Bucket: &r.bucket, CreateBucketConfiguration: r.constraint()})
		if err != nil {
			return err
		}
		_, err = r.destination.tryPut(r.t, r.bucket, victim, "somebody's own")
		return err
	}, code: -1, gone: true},
}

// constraint is of a bucket where the accounts are.
func (r *recipe) constraint() *types.CreateBucketConfiguration {
	if r.region == "us-east-1" {
		return nil
	}
	return &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(r.region)}
}

// empty takes all objects out of a bucket of the source.
func (r *recipe) empty(bucket string) error {
	for key := range r.source.contents(r.t, bucket, false) {
		if _, err := r.source.s3.DeleteObject(r.t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
			return err
		}
	}
	return nil
}

// TestGatesHoldOnEveryServer: what a source's bucket is, or becomes, keeps its objects, on other servers, too.
func TestGatesHoldOnEveryServer(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, motoName, versitygwName) {
		for _, name := range slices.Sorted(maps.Keys(gates)) {
			t.Run(s.name+", "+name, func(t *testing.T) {
				t.Parallel()
				w := s.start(t)
				w.enforce(t)
				shut(t, w, gates[name])
			})
		}
	}
}

func shut(t *testing.T, w *world, g gate) {
	t.Helper()
	r := newMoveOn(t, w)
	r.limit = 3 * time.Minute
	if g.arrange != nil {
		if err := g.arrange(r); err != nil {
			t.Fatal(err)
		}
	}
	tags := r.differs(tagsAcross) == ""
	before := r.source.contents(t, r.bucket, tags)
	if g.meddle != nil {
		r.onceCopied(t, len(before), g.meddle)
	}
	got := r.run(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
	if got.code == 0 || g.code > 0 && got.code != g.code || !strings.Contains(got.String(), g.says) {
		t.Errorf("it does not say %q: %s", g.says, got)
	}
	if g.gone {
		for key, was := range before {
			if c, ok := r.destination.contents(t, r.copy, tags)[key]; !ok || !c.same(was) {
				t.Errorf("%q is lost", key)
			}
		}
		if g.code < 0 {
			r.destination.content(t, r.bucket, victim, false) // which is somebody's own
		}
	} else if left := len(r.source.contents(t, r.bucket, false)); left != len(before) || len(before) == 0 {
		t.Errorf("%d objects of %d are left", left, len(before))
	}
	seen, _ := r.witness.requests(0)
	for _, q := range seen {
		if strings.HasPrefix(q.path, "/"+r.bucket) && (q.action == "DeleteObjects" || q.action == http.MethodDelete) {
			t.Errorf("it asked for %s %s", q.action, q.path)
		}
	}
}

// onceCopied meddles right before the first look at the source's bucket after so many copies.
func (r *recipe) onceCopied(t *testing.T, copies int, meddle func(r *recipe) error) {
	t.Helper()
	var once sync.Once
	r.witness.hook(func(_ int, q request) bool {
		seen, _ := r.witness.requests(0)
		if n := count(seen, "CopyObject") + count(seen, "CompleteMultipartUpload"); n < copies || q.path != "/"+r.bucket || q.action != http.MethodGet {
			return true
		}
		once.Do(func() {
			if err := meddle(r); err != nil {
				t.Errorf("meddle: %v", err)
			}
		})
		return true
	})
}
