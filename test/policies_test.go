package test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/policy/spell"
)

// TestPlanAfterApplyShowsNoChangeWhateverIsWrittenThere applies a plan that keeps its permissions, with each policy of
// the corpus beside, and plans again: as it was stored, and as AWS or somebody else would have written it.
func TestPlanAfterApplyShowsNoChangeWhateverIsWrittenThere(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		for i, v := range planVariants {
			w.t.Run(v.name, func(t *testing.T) {
				t.Parallel()
				k := newKept(t, w, v.old, v.with)
				for n, name := range slices.Sorted(maps.Keys(policyCorpus)) {
					if n%len(planVariants) == i {
						k.staysAsItIs(name)
					}
				}
				k.showsWhatChanged()
				k.isCleanedUp(v.name)
			})
		}
	})
}

// A kept is a recipe whose policies stand after its run.
type kept struct {
	*recipe
	ids      map[string]string // unique IDs by ARN
	pick     spell.Pick
	identity string // the managed policy's ARN
}

func newKept(t *testing.T, w *world, old, with string) *kept {
	t.Helper()
	r := newRecipe(t, w, 2)
	r.replace(old, with)
	k := &kept{recipe: r, ids: map[string]string{}, pick: rand.New(rand.NewPCG(1, 2)).IntN}
	r.must(t, "apply", r.plan, "--yes")
	k.identity = "arn:aws:iam::" + destinationAccount + ":policy/" + r.policy
	for _, one := range []struct {
		side side
		user string
	}{{r.source, r.auditor()}, {r.destination, r.user}} {
		out, err := one.side.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: &one.user})
		if err != nil {
			t.Fatal(err)
		}
		k.ids[*out.User.Arn] = *out.User.UserId
	}
	if out, err := r.destination.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(r.user + "-role")}); err == nil {
		k.ids[*out.Role.Arn] = *out.Role.RoleId
	}
	return k
}

func (r *recipe) auditor() string { return "auditor-" + strings.TrimPrefix(r.bucket, "tommy-") }

// bucketPolicy reads the source's policy, or puts one there.
func (k *kept) bucketPolicy() string {
	k.t.Helper()
	out, err := k.source.s3.GetBucketPolicy(k.t.Context(), &s3.GetBucketPolicyInput{Bucket: &k.bucket})
	if err != nil {
		k.t.Fatal(err)
	}
	return *out.Policy
}

func (k *kept) putBucketPolicy(text string) {
	k.t.Helper()
	if _, err := k.source.s3.PutBucketPolicy(k.t.Context(), &s3.PutBucketPolicyInput{Bucket: &k.bucket, Policy: &text}); err != nil {
		k.t.Fatalf("%v: %s", err, text)
	}
}

// identityPolicy reads the default version of the managed policy; putIdentityPolicy makes another the default.
func (k *kept) identityPolicy() (text, version string) {
	k.t.Helper()
	p, err := k.destination.iam.GetPolicy(k.t.Context(), &iam.GetPolicyInput{PolicyArn: &k.identity})
	if err != nil {
		k.t.Fatal(err)
	}
	v, err := k.destination.iam.GetPolicyVersion(k.t.Context(), &iam.GetPolicyVersionInput{PolicyArn: &k.identity, VersionId: p.Policy.DefaultVersionId})
	if err != nil {
		k.t.Fatal(err)
	}
	return unescaped(k.t, *v.PolicyVersion.Document), *p.Policy.DefaultVersionId
}

func (k *kept) putIdentityPolicy(text string) {
	k.t.Helper()
	_, old := k.identityPolicy()
	_, err := k.destination.iam.CreatePolicyVersion(k.t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: &k.identity, PolicyDocument: &text, SetAsDefault: true})
	if err == nil {
		_, err = k.destination.iam.DeletePolicyVersion(k.t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: &k.identity, VersionId: &old})
	}
	if err != nil {
		k.t.Fatalf("%v: %s", err, text)
	}
}

func (k *kept) again(text string) string {
	k.t.Helper()
	other, err := spell.Again([]byte(text), k.pick, k.ids)
	if err != nil {
		k.t.Fatal(err)
	}
	return string(other)
}

// staysAsItIs puts a policy of the corpus there, applies, and plans again: as it was stored, and in another spelling.
func (k *kept) staysAsItIs(name string) {
	k.t.Helper()
	fill := strings.NewReplacer("BUCKET", k.bucket,
		"USER", "arn:aws:iam::"+sourceAccount+":user/"+k.auditor(), "COPIER", "arn:aws:iam::"+destinationAccount+":user/"+k.user)
	k.putBucketPolicy(`{"Version":"2012-10-17","Statement":[` + fill.Replace(policyCorpus[name]) + `]}`)
	k.must(k.t, "apply", k.plan, "--yes")
	k.unchanged(name + ", as it was stored")
	bucket := k.again(k.bucketPolicy())
	text, _ := k.identityPolicy()
	identity := k.again(text)
	k.putBucketPolicy(bucket)
	k.putIdentityPolicy(identity)
	k.unchanged(name + "\n" + bucket + "\n" + identity)
}

func (k *kept) unchanged(what string) {
	k.t.Helper()
	got := k.run(k.t, "plan", "--detailed-exitcode", "--no-color", k.plan)
	if got.code != 0 {
		k.t.Errorf("a change, with %s\n%s", what, got)
	}
}

// showsWhatChanged changes what our policies mean, in other words too: each is seen.
func (k *kept) showsWhatChanged() {
	k.t.Helper()
	bucket := k.bucketPolicy()
	identity, _ := k.identityPolicy()
	for _, c := range []struct {
		what  string
		put   func(string)
		right string
		wrong string
	}{
		{"a policy that allows another action", k.putIdentityPolicy, identity, withAction(k.t, identity, "s3:BypassGovernanceRetention")},
		{"a bucket policy without our statement", k.putBucketPolicy, bucket, k.others},
	} {
		c.put(k.again(c.wrong))
		if got := k.run(k.t, "plan", "--detailed-exitcode", "--no-color", k.plan); got.code != 2 {
			k.t.Errorf("%s is not seen: %s", c.what, got)
		}
		c.put(k.again(c.right))
		k.unchanged("what was put back")
	}
}

// isCleanedUp gives the permissions up: ours is found and taken out in any spelling, also by another machine, and
// what others wrote means what it meant.
func (k *kept) isCleanedUp(variant string) {
	k.t.Helper()
	ours, err := json.Marshal(statementOf(k.t, k.bucketPolicy(), "DelegateS3Access"))
	if err != nil {
		k.t.Fatal(err)
	}
	delete(k.ids, "arn:aws:iam::"+sourceAccount+":user/"+k.auditor()) // whom the comparison below knows by name
	k.putBucketPolicy(k.again(strings.TrimSuffix(k.others, "]}") + "," + string(ours) + "]}"))
	text, err := os.ReadFile(k.plan)
	if err != nil {
		k.t.Fatal(err)
	}
	given := strings.Replace(string(text), "cleanup: {policy: keep, bucket_policy: keep}\n", "", 1)
	if err := os.WriteFile(k.plan, []byte(given), 0o600); err != nil {
		k.t.Fatal(err)
	}
	args := []string{"cleanup", k.plan, "--yes"}
	if variant == planVariants[0].name {
		args = append(args, "--state", k.t.TempDir())
	}
	k.must(k.t, args...)
	k.isClean(k.t)
}

// statementOf finds a statement by its Sid.
func statementOf(t *testing.T, text, sid string) any {
	t.Helper()
	var doc struct{ Statement any }
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	all, ok := doc.Statement.([]any)
	if !ok {
		all = []any{doc.Statement}
	}
	for _, one := range all {
		if m, ok := one.(map[string]any); ok && m["Sid"] == sid {
			return m
		}
	}
	t.Fatalf("no statement %s in %s", sid, text)
	return nil
}

// withAction adds an action to the first statement of a policy.
func withAction(t *testing.T, text, action string) string {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	all, ok := doc["Statement"].([]any)
	if !ok {
		all = []any{doc["Statement"]}
	}
	first := all[0].(map[string]any)
	switch actions := first["Action"].(type) {
	case []any:
		first["Action"] = append(actions, action)
	default:
		first["Action"] = []any{actions, action}
	}
	doc["Statement"] = all
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// unescaped is a document as IAM gives it: in a URL's escapes.
func unescaped(t *testing.T, text string) string {
	t.Helper()
	if strings.HasPrefix(text, "{") {
		return text
	}
	plain, err := url.QueryUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
