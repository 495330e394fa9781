package test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestASavedPlanIsAppliedOnceAndOnlyAsReviewed: two looks at an unchanged world see the same facts, whoever serves it; and
// what somebody else changes in between is named.
func TestASavedPlanIsAppliedOnceAndOnlyAsReviewed(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		t := w.t
		r := newRecipe(t, w, 10)
		r.must(t, "plan", r.plan, "-o", "saved.plan")

		edited := strings.Replace(r.others, "s3:GetObject", "s3:GetObjectVersion", 1)
		_, err := r.source.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &r.bucket, Policy: &edited})
		if err != nil {
			t.Fatal(err)
		}
		key, err := r.destination.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &r.user})
		if err != nil {
			t.Fatal(err)
		}
		_, mark := r.witness.requests(0)
		got := r.run(t, "apply", "saved.plan")
		for _, want := range []string{"fact: source bucket " + r.bucket + " policy: ", " access keys: ", *key.AccessKey.AccessKeyId} {
			if got.code != 12 || !strings.Contains(got.String(), want) {
				t.Errorf("%s\nwant exit 12 and %q", got, want)
			}
		}
		seen, _ := r.witness.requests(mark)
		for _, s := range seen {
			if s.changes() {
				t.Errorf("refused, it asked for %s %s", s.action, s.path)
			}
		}

		_, err = r.source.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &r.bucket, Policy: aws.String(r.others)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.destination.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: &r.user, AccessKeyId: key.AccessKey.AccessKeyId})
		if err != nil {
			t.Fatal(err)
		}
		r.must(t, "apply", "saved.plan")
		r.isCopied(t)
		r.isClean(t)
		if got := r.run(t, "apply", "saved.plan"); got.code != 12 || !strings.Contains(got.String(), "was applied already") {
			t.Errorf("applied again: %s", got)
		}
	})
}
