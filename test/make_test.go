package test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/internal/s3copy"
	"xplan/plan"
)

func (s side) spec(bucket string, settings plan.BucketSettings) compile.BucketSpec {
	return compile.BucketSpec{
		Name: bucket, Account: s.account.ID, Region: s.account.Region, Settings: settings, Tags: map[string]string{compile.PlanTag: "suite"},
	}
}

// checkMake makes a bucket twice, and looks at what stands.
func checkMake(w *world) {
	t := w.t
	admin := w.destination.admin(t)
	b := w.destination.spec(name("made"), plan.BucketSettings{})
	w.removeAfter(t, w.destination, b.Name)
	for range 2 {
		if err := admin.CreateBucket(t.Context(), b); err != nil {
			t.Fatalf("create: %v", err)
		}
	}
	got, unseen, err := admin.Bucket(t.Context(), b.Name)
	if err != nil || len(unseen) > 0 || !got.Exists || got.Foreign {
		t.Fatalf("the facts are %+v, unseen %v, %v", got, unseen, err)
	}
	if !w.destination.account.IsAWS() {
		return
	}
	if got.Region != b.Region || !got.PublicAccess.All() || got.Ownership != "BucketOwnerEnforced" || got.Encryption.Algorithm != "AES256" {
		t.Errorf("a bucket with secure defaults is %+v", got)
	}
	if got.Tags[compile.PlanTag] != "suite" {
		t.Errorf("its tags are %v", got.Tags)
	}
	b.Settings = plan.BucketSettings{Versioning: true, Tags: map[string]string{"team": "orders"}}
	if err := admin.CreateBucket(t.Context(), b); err != nil {
		t.Errorf("set versioning and tags: %v", err)
	}
	if got, _, err = admin.Bucket(t.Context(), b.Name); err != nil || got.Versioning != "Enabled" || got.Tags["team"] != "orders" || got.Tags[compile.PlanTag] != "suite" {
		t.Errorf("with versioning and tags it is %+v, %v", got, err)
	}
}

// checkForeign asks for a name that the other account has.
func checkForeign(w *world) {
	t := w.t
	theirs := w.bucket(t, w.source, "theirs")
	admin := w.destination.admin(t)
	got, _, err := admin.Bucket(t.Context(), theirs)
	w.holds(t, ownerPinned, err == nil && got.Exists && got.Foreign, "another account's bucket is %+v, %v", got, err)
	err = admin.CreateBucket(t.Context(), w.destination.spec(theirs, plan.BucketSettings{}))
	w.holds(t, ownerPinned, errors.Is(err, s3copy.ErrDenied), "create another account's bucket: %v", err)
}

func checkDeleteBucket(w *world) {
	t := w.t
	b := w.destination.spec(w.bucket(t, w.destination, "gone"), plan.BucketSettings{})
	admin := w.destination.admin(t)
	w.destination.put(t, b.Name, "k", "x")
	if err := admin.DeleteBucket(t.Context(), b); err == nil {
		t.Error("a bucket with an object was deleted")
	}
	if _, err := w.destination.s3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b.Name, Key: &[]string{"k"}[0]}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := admin.DeleteBucket(t.Context(), b); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if got, _, err := admin.Bucket(t.Context(), b.Name); err != nil || got.Exists {
		t.Errorf("deleted, it is %+v, %v", got, err)
	}
}

// checkBucketPolicy compares policies by meaning: servers send them back in their own form.
func checkBucketPolicy(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "policy")
	admin := w.source.admin(t)
	read := func() string {
		text, err := admin.BucketPolicy(t.Context(), b, w.source.account.Region)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		return text
	}
	if text := read(); text != "" {
		t.Errorf("a new bucket has the policy %s", text)
	}
	for _, actions := range []string{`"s3:GetObject"`, `["s3:GetObject","s3:GetObjectTagging"]`} {
		document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"Allow","Principal":{"AWS":[%q]},"Action":%s,`+
			`"Resource":"arn:aws:s3:::%[3]s/*"},{"Sid":"Host","Effect":"Allow","Principal":{"AWS":%[4]q},"Action":"s3:*",`+
			`"Resource":["arn:aws:s3:::%[3]s","arn:aws:s3:::%[3]s/*"]}]}`, w.guest, actions, b, w.host)
		if err := admin.PutBucketPolicy(t.Context(), b, w.source.account.Region, document); err != nil {
			t.Fatalf("write: %v", err)
		}
		if got := read(); !policy.Equal(parse(t, got), parse(t, document)) {
			t.Errorf("wrote %s\nread %s", document, got)
		}
	}
	for range 2 {
		if err := admin.DeleteBucketPolicy(t.Context(), b, w.source.account.Region); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if text := read(); text != "" {
		t.Errorf("deleted, it reads %s", text)
	}
}

func parse(t *testing.T, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return d
}

// checkUnknownPrincipal names a user who is not there.
func checkUnknownPrincipal(w *world) {
	t := w.t
	b := w.bucket(t, w.source, "nobody")
	document := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:user/nobody-at-all"},`+
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`, w.destination.account.ID, b)
	err := w.source.admin(t).PutBucketPolicy(t.Context(), b, w.source.account.Region, document)
	w.holds(t, principalsChecked, errors.Is(err, compile.ErrInvalidPrincipal), "a policy for nobody: %v", err)
	err = w.source.admin(t).PutBucketPolicy(t.Context(), b, w.source.account.Region, `{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}`)
	w.holds(t, policiesChecked, err != nil && !errors.Is(err, compile.ErrInvalidPrincipal), "a policy that is none: %v", err)
}
