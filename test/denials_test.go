package test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestABrokenPermissionIsSaidByThePlan asks servers that are not ours for what the preflight reads: the rows with a star in
// docs/permissions.md. moto decides none of it, so the words come from the reading alone.
func TestABrokenPermissionIsSaidByThePlan(t *testing.T) {
	onEach(t, []string{"sandbox", "moto"}, func(w *world) {
		r := newRecipe(w.t, w, 2)
		r.says(w.t, "", "nothing is broken")
		for _, row := range []struct {
			kind, says string
			arrange    func(t *testing.T)
			mend       func(t *testing.T)
		}{
			{"a statement denies", "statement NoTags of the bucket policy of " + r.bucket + " denies it", func(t *testing.T) {
				t.Helper()
				r.sourcePolicy(t, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"NoTags","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::%s:user/%s"},"Action":"s3:GetObjectTagging","Resource":"arn:aws:s3:::%s/*"}]}`,
					destinationAccount, r.user, r.bucket))
			}, func(t *testing.T) { t.Helper(); r.sourcePolicy(t, r.others) }},
			{"a deny in another policy of the principal", "statement Never of inline policy lock of user/" + r.user + " denies it", r.lock, r.unlock},
			{"the principal is missing", "it does not exist in account " + destinationAccount, func(t *testing.T) {
				t.Helper()
				r.reword(t, "user/"+r.user, "user/nobody")
			}, func(t *testing.T) { t.Helper(); r.reword(t, "user/nobody", "user/"+r.user) }},
			{"the role trusts another", "no statement of the trust policy of role/" + r.user + " allows it", r.role, nil},
		} {
			row.arrange(w.t)
			r.says(w.t, row.says, row.kind)
			if row.mend != nil {
				row.mend(w.t)
			}
		}
	})
}

// says wants words of the review; "" wants no denial.
func (r *recipe) says(t *testing.T, words, kind string) {
	t.Helper()
	got := r.run(t, "plan", r.plan)
	text := strings.Join(strings.Fields(got.out+got.errors), " ")
	if (words == "" && strings.Contains(text, "denied:")) || !strings.Contains(text, words) {
		t.Errorf("%s: the plan does not say %q\n%s", kind, words, got)
	}
}

func (r *recipe) sourcePolicy(t *testing.T, text string) {
	t.Helper()
	if _, err := r.source.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &r.bucket, Policy: &text}); err != nil {
		t.Fatal(err)
	}
}

func (r *recipe) lock(t *testing.T) {
	t.Helper()
	name, text := "lock", `{"Version":"2012-10-17","Statement":[{"Sid":"Never","Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]}`
	if _, err := r.destination.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &r.user, PolicyName: &name, PolicyDocument: &text}); err != nil {
		t.Fatal(err)
	}
}

func (r *recipe) unlock(t *testing.T) {
	t.Helper()
	name := "lock"
	if _, err := r.destination.iam.DeleteUserPolicy(t.Context(), &iam.DeleteUserPolicyInput{UserName: &r.user, PolicyName: &name}); err != nil {
		t.Fatal(err)
	}
}

// role makes a role that trusts somebody else, and has the plan assume it.
func (r *recipe) role(t *testing.T) {
	t.Helper()
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:user/%s"},"Action":"sts:AssumeRole"}]}`, destinationAccount, r.user)
	if _, err := r.destination.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &r.user, AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	r.reword(t, "user/"+r.user, "role/"+r.user)
	r.reword(t, "access-key", "assume-role")
}

// reword edits the plan.
func (r *recipe) reword(t *testing.T, old, now string) {
	t.Helper()
	text, err := os.ReadFile(r.plan)
	if err == nil {
		err = os.WriteFile(r.plan, []byte(strings.ReplaceAll(string(text), old, now)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
