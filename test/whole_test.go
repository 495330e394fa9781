package test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestACutOverFreezesOnForeignServersToo freezes the source for its final pass, leaves it frozen, and lifts that. Moto refuses the proof's
// write before it is frozen as well: so half a minute is waited there, as the run says.
func TestACutOverFreezesOnForeignServersToo(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		t := w.t
		r := newRecipe(t, w, 10)
		r.limit = 3 * time.Minute
		r.replace("copy:\n", "cutover: {freeze: true, passes: 1}\ncleanup: {freeze: on-failure}\ncopy:\n")
		got := r.run(t, "apply", r.plan, "--yes")
		if got.code != 4 || !strings.Contains(got.String(), "frozen") {
			t.Fatalf("it says %s", got)
		}
		r.isCopied(t)
		if _, err := r.source.tryPut(t, r.bucket, "late", "x"); err == nil {
			t.Error("the source is frozen, and was written to")
		}
		r.must(t, "cleanup", r.plan, "--yes")
		r.source.put(t, r.bucket, "late", "x")
		r.isClean(t)
	})
}

// TestTheSamePlanOnASecondMachineWaitsOnForeignServersToo holds a run up, and applies its plan with a state of its own.
func TestTheSamePlanOnASecondMachineWaitsOnForeignServersToo(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		t := w.t
		r := newRecipe(t, w, 10)
		r.limit = 3 * time.Minute
		reached, release := r.holdAtFirstCopy()
		cmd, wait := r.command(t, "apply", r.plan, "--yes")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-reached:
		case <-time.After(2 * time.Minute):
			t.Error("nothing is copied")
		}
		got := r.run(t, "apply", r.plan, "--yes", "--state", t.TempDir())
		if got.code != 11 || !strings.Contains(got.errors, "under way on another machine") {
			t.Errorf("the second one says %s", got)
		}
		release()
		if got := wait(); got.code != 0 {
			t.Errorf("the first one: %s", got)
		}
		r.witness.hook(nil)
		r.isCopied(t)
		r.isClean(t)
		r.must(t, "apply", r.plan, "--yes", "--state", t.TempDir()) // there is no lease any more
	})
}

// TestHistoriesAreCopiedOnForeignServersToo copies every version, on servers that list delete markers apart: those keep them where a key has
// one kind alone, and the plan is refused where a key has both.
func TestHistoriesAreCopiedOnForeignServersToo(t *testing.T) {
	t.Parallel()
	for _, s := range among(sandboxName, motoName, versitygwName) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := s.start(t)
			w.enforce(t)
			r := newMoveOn(t, w)
			r.limit = 3 * time.Minute
			r.replace("cleanup: {source_objects: after-verify}\n", "")
			r.replace("copy:\n", "copy:\n  versions: all\n")
			_, err := r.source.s3.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
				Bucket: &r.bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
			})
			if err != nil {
				t.Fatal(err)
			}
			if s.name == versitygwName { // the guest reads versions, too
				w.shareAll(t, r.bucket)
			}
			for i := range 4 {
				r.source.write(t, r.bucket, "history/"+fmt.Sprint(i), slices.Repeat([]string{"x"}, i+1)...)
			}
			r.source.write(t, r.bucket, victim, "one", "another", "a third one")
			first := r.run(t, "apply", r.plan, "--yes")
			w.in(t).holds(t, nullVersions, first.code == 0, "with versions from before versioning: %s", first)
			if first.code != 0 {
				if first.code != 3 || !strings.Contains(first.String(), "version null: ") {
					t.Errorf("it does not name the version: %s", first)
				}
				r.withoutNull(t)
				r.must(t, "apply", r.plan, "--yes")
			}
			want, got := r.source.versions(t, r.bucket), r.destination.versions(t, r.copy)
			if len(want) < 10 || !slices.Equal(got, want) {
				t.Errorf("the histories are\n%q, and became\n%q", want, got)
			}
			if got := r.must(t, "apply", r.plan, "--yes"); !strings.Contains(got.out, "No changes") {
				t.Errorf("applied again: %s", got)
			}
			r.source.write(t, r.bucket, victim, gone, "again")
			again := r.run(t, "apply", r.plan, "--yes")
			w.in(t).holds(t, versionsInterleaved, again.code == 0, "with a delete marker between versions: %s", again)
			if again.code != 0 && !strings.Contains(again.String(), "apart") {
				t.Errorf("it does not say why: %s", again)
			}
		})
	}
}

// withoutNull removes what is from before versioning in the source, and was not written to since.
func (r *recipe) withoutNull(t *testing.T) {
	t.Helper()
	out, err := r.source.s3.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &r.bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out.Versions {
		if *v.VersionId != "null" || !*v.IsLatest {
			continue
		}
		if _, err := r.source.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &r.bucket, Key: v.Key, VersionId: v.VersionId}); err != nil {
			t.Fatal(err)
		}
	}
}

// shareAll lets the destination's account do all that is to be done in a bucket of the source.
func (w *world) shareAll(t *testing.T, bucket string) {
	t.Helper()
	document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[%q,%q]},"Action":"s3:*",`+
		`"Resource":["arn:aws:s3:::%[3]s","arn:aws:s3:::%[3]s/*"]}]}`, w.guest, w.host, bucket)
	if _, err := w.source.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &document}); err != nil {
		t.Fatalf("share bucket %s: %v", bucket, err)
	}
}

// versions tells a bucket's versions, the newest of each key first.
func (s side) versions(t *testing.T, bucket string) []string {
	t.Helper()
	var all []string
	pages := s3.NewListObjectVersionsPaginator(s.s3, &s3.ListObjectVersionsInput{Bucket: &bucket, EncodingType: types.EncodingTypeUrl})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Fatalf("list the versions of %s: %v", bucket, err)
		}
		for _, v := range page.Versions {
			all = append(all, fmt.Sprintf("%s %s", *v.Key, *v.ETag))
		}
	}
	return all
}
