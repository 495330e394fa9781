package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// A recipe is one application of the recipe's plan: its own buckets, user, policy and state, so that
// several can share a server.
type recipe struct {
	*world
	*program
	witness      *witness
	bucket, copy string // source and destination
	user, policy string
	others       string // the bucket policy that stood before, somebody else's
	inFlight     int
	objects      int
	instanceID   string
	ownKeys      int // of the user, from before
	undated      int // uploads that may be left, for want of a date that tells whose they are
}

// inFlight bounds what a killed run may have been doing.
const inFlight = 8

// newRecipe arranges account A's bucket with objects and a policy of somebody else's, and account B's user,
// who has a key of his own for other work.
func newRecipe(t *testing.T, w *world, objects int) *recipe {
	t.Helper()
	id := name("r")
	r := &recipe{
		world: w.in(t), witness: watch(t, w.url), bucket: "tommy-" + id, copy: "tommy-b-" + id,
		user: "misterrodgers-" + id, policy: "s3_copy_by_pull_" + id, inFlight: inFlight, objects: objects,
	}
	r.makeBucket(t, w.source, r.bucket)
	r.fill(t)
	auditor := "auditor-" + id
	_, err := w.source.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &auditor})
	if err != nil {
		t.Fatal(err)
	}
	r.others = fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:user/%s"},`+
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::%[3]s/*"},{"Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::%[3]s"}]}`,
		sourceAccount, auditor, r.bucket)
	if _, err := w.source.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &r.bucket, Policy: &r.others}); err != nil {
		t.Fatal(err)
	}
	r.makeUser(t)
	r.program = newProgram(t, `version: 1
name: `+id+`
accounts:
  source:      {id: "123456789012", profile: account-a-admin, region: us-west-2}
  destination: {id: "210987654321", profile: account-b-admin, region: us-west-2}
principal:
  arn: arn:aws:iam::210987654321:user/`+r.user+`
  credentials: access-key
permissions:
  policy: `+r.policy+`
buckets:
  - source: `+r.bucket+`
    destination: `+r.copy+`
    create: true
copy:
  in_flight: `+fmt.Sprint(r.inFlight)+`
`, r.configFile(t, r.witness.url))
	return r
}

// makeUser makes the user with a key of his own, by which he is an asker.
func (r *recipe) makeUser(t *testing.T) {
	t.Helper()
	if _, err := r.destination.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &r.user}); err != nil {
		t.Fatal(err)
	}
	key, err := r.destination.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &r.user})
	if err != nil {
		t.Fatal(err)
	}
	r.ownKeys = 1
	r.profiles = append(slices.Clip(r.profiles), profile{ownProfile, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey})
}

// ownProfile is that of the user's own key.
const ownProfile = "misterrodgers"

// fill puts in what copies lose.
func (r *recipe) fill(t *testing.T) {
	t.Helper()
	for i := range r.objects {
		r.source.put(t, r.bucket, fmt.Sprintf("orders/%02d/%04d.json", i%7, i), strings.Repeat(fmt.Sprint(i, " "), i%50), func(in *s3.PutObjectInput) {
			in.ContentType = aws.String("application/json")
		})
	}
	putDressed(t, r.source, r.bucket)
	putByParts(t, r.source, r.bucket, "parts.bin")
	r.source.put(t, r.bucket, "folder/", "")
	r.source.put(t, r.bucket, "cold.bin", "cold", func(in *s3.PutObjectInput) { in.StorageClass = types.StorageClassStandardIa })
	if r.server == sandboxName { // with IAM on, moto refuses the signatures of these
		for _, h := range hostile {
			r.source.put(t, r.bucket, h.key, bodyOf(h.key))
		}
	}
}

// recipeServers are those with two accounts that can be watched.
var recipeServers = []string{sandboxName, motoName}

func onRecipeServers(t *testing.T, f func(w *world)) {
	t.Helper()
	for _, s := range among(recipeServers...) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := s.start(t)
			w.enforce(t)
			f(w.in(t))
		})
	}
}

func TestRecipeChangesNothingWhileItIsReviewed(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		t := w.t
		r := newRecipe(t, w, 10)
		got := r.must(t, "plan", r.plan)
		seen, _ := r.witness.requests(0)
		for _, s := range seen {
			if s.changes() {
				t.Errorf("the dry run asked for %s %s", s.action, s.path)
			}
		}
		if len(seen) == 0 || !strings.Contains(got.out, "Plan: 4 to create, 1 to change, 1 copy") {
			t.Errorf("%d requests, and %s", len(seen), got)
		}
	})
}

func TestRecipeCopiesVerifiesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	onRecipeServers(t, func(w *world) {
		t := w.t
		r := newRecipe(t, w, 60)
		r.must(t, "validate", r.plan)
		r.must(t, "apply", r.plan, "--yes")
		first, mark := r.witness.requests(0)
		r.isCopied(t)
		r.isClean(t)
		if n := count(first, "CreateAccessKey"); n != 1 {
			t.Errorf("%d keys were made", n)
		}
		got := r.must(t, "apply", r.plan, "--yes")
		again, _ := r.witness.requests(mark)
		for _, s := range again {
			if s.changes() {
				t.Errorf("applied again, it asked for %s %s", s.action, s.path)
			}
		}
		if !strings.Contains(got.out, "No changes") {
			t.Errorf("applied again: %s", got)
		}
		r.must(t, "verify", r.plan)
		r.isClean(t)
	})
}
