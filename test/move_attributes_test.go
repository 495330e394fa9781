package test

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestWhatChangedBesideTheBytesIsMovedToo changes tags, metadata and a redirect of objects that were copied: none changes
// a byte or an ETag. The source stays, the object is named, and the next apply moves it as it is now.
func TestWhatChangedBesideTheBytesIsMovedToo(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		t := w.t
		if w.differs(tagsAcross) != "" {
			aServerThatLosesTagsKeepsItsSource(t, w)
			return
		}
		r := newMove(t, w)
		_, err := r.source.s3.PutBucketWebsite(t.Context(), &s3.PutBucketWebsiteInput{
			Bucket: &r.bucket, WebsiteConfiguration: &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.source.put(t, r.bucket, "old.html", "gone", func(in *s3.PutObjectInput) { in.WebsiteRedirectLocation = aws.String("/new.html") })
		if got := r.run(t, "apply", r.plan, "--yes"); got.code != 4 {
			t.Fatalf("unconfirmed: %s", got)
		}
		r.retag(t, "cold.bin", "team", "sales")
		r.onItself(t, victim, func(in *s3.CopyObjectInput) {
			in.ContentType, in.Metadata = aws.String("text/html"), map[string]string{"author": "somebody"}
		})
		before := r.source.contents(t, r.bucket, true)
		got := r.run(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
		if got.code != 1 || !strings.Contains(got.String(), `"cold.bin"`) || !strings.Contains(got.String(), "copies 2 objects again") {
			t.Errorf("it says %s", got)
		}
		if left := r.source.contents(t, r.bucket, true); !maps.EqualFunc(left, before, content.same) {
			t.Errorf("%d objects became %d", len(before), len(left))
		}
		_, mark := r.witness.requests(0)
		got = r.must(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
		seen, _ := r.witness.requests(mark)
		if n := count(seen, "CopyObject"); n != 2 { // the redirect went along with the first copy
			t.Errorf("%d objects were copied again: %s", n, got)
		}
		if left := r.source.contents(t, r.bucket, false); len(left) != 0 {
			t.Errorf("%d objects are left", len(left))
		}
		if moved := r.destination.contents(t, r.copy, true); !maps.EqualFunc(moved, before, content.same) {
			t.Errorf("%d objects became %d others", len(before), len(moved))
		}
		d, err := r.destination.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &r.copy, Key: aws.String("old.html")})
		if err != nil || aws.ToString(d.WebsiteRedirectLocation) != "/new.html" {
			t.Errorf("the redirect is %q, %v", aws.ToString(d.WebsiteRedirectLocation), err)
		}
		r.isClean(t)
	})
}

// aServerThatLosesTagsKeepsItsSource: a copy without them proves nothing, however often it is made. A plan without tags moves.
func aServerThatLosesTagsKeepsItsSource(t *testing.T, w *world) {
	t.Helper()
	r := newMove(t, w)
	before := r.source.contents(t, r.bucket, true)
	for range 2 {
		got := r.run(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
		if got.code != 1 || !strings.Contains(got.String(), `"dressed.bin": differs: tag`) {
			t.Errorf("it says %s", got)
		}
		if left := r.source.contents(t, r.bucket, true); !maps.EqualFunc(left, before, content.same) {
			t.Errorf("%d objects became %d", len(before), len(left))
		}
	}
	r.replace("copy:\n", "copy:\n  tags: false\n")
	r.must(t, "apply", r.plan, "--yes", "--new-run", "--confirm="+r.bucket)
	if left := r.source.contents(t, r.bucket, false); len(left) != 0 {
		t.Errorf("%d objects are left", len(left))
	}
}

func (r *recipe) retag(t *testing.T, key, name, value string) {
	t.Helper()
	_, err := r.source.s3.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Bucket: &r.bucket, Key: &key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: &name, Value: &value}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// onItself copies an object of the source onto itself: the way in which S3 changes metadata.
func (r *recipe) onItself(t *testing.T, key string, change func(*s3.CopyObjectInput)) {
	t.Helper()
	in := &s3.CopyObjectInput{
		Bucket: &r.bucket, Key: &key, CopySource: aws.String(r.bucket + "/" + key), MetadataDirective: types.MetadataDirectiveReplace,
	}
	change(in)
	if _, err := r.source.s3.CopyObject(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}
