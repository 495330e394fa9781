package test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// key makes a customer key of the source.
func (w *world) key(t *testing.T) string {
	t.Helper()
	out, err := w.source.kms.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := contextAfter(t.Context())
		defer cancel()
		if _, err := w.source.kms.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: out.KeyMetadata.KeyId, PendingWindowInDays: aws.Int32(7)}); err != nil {
			t.Errorf("delete the key: %v", err)
		}
	})
	return *out.KeyMetadata.Arn
}

func checkGrants(w *world) {
	t := w.t
	key := w.key(t)
	admin := w.source.admin(t)
	user := w.user(t, w.destination.admin(t), w.destination)
	facts, unseen, err := admin.KMSKey(t.Context(), key, region)
	if err != nil || facts.ARN != key || facts.AWSManaged || facts.State != "Enabled" || len(facts.Grants) != 0 {
		t.Errorf("the key reads %+v, %v", facts, err)
	}
	w.holds(t, keyPolicyByARN, facts.Policy != "" && len(unseen) == 0, "the key's policy is %q, unseen %v", facts.Policy, unseen)
	spec := compile.GrantSpec{KeyARN: key, Region: region, Principal: user.ARN, Operations: []string{"Decrypt", "DescribeKey"}, Name: "suite"}
	id, err := admin.CreateGrant(t.Context(), spec)
	if err != nil || id == "" {
		t.Fatalf("grant: %q, %v", id, err)
	}
	again, err := admin.CreateGrant(t.Context(), spec)
	if err != nil {
		t.Errorf("grant again: %v", err)
	}
	w.holds(t, sameGrant, again == id, "a grant of the same name is another one")
	grants, err := admin.Grants(t.Context(), key, region)
	i := slices.IndexFunc(grants, func(g compile.Grant) bool { return g.ID == id })
	if err != nil || i < 0 || grants[i].Name != "suite" || !slices.Contains(grants[i].Operations, "Decrypt") {
		t.Fatalf("the grants are %+v, %v", grants, err)
	}
	if grants[i].Grantee != user.ARN {
		t.Errorf("the grantee is %s", grants[i].Grantee)
	}
	for _, g := range grants {
		if err := admin.RevokeGrant(t.Context(), key, region, g.ID); err != nil {
			t.Errorf("revoke: %v", err)
		}
	}
	if err := admin.RevokeGrant(t.Context(), key, region, id); err != nil {
		t.Errorf("revoke a revoked grant: %v", err)
	}
	if grants, err := admin.Grants(t.Context(), key, region); err != nil || len(grants) != 0 {
		t.Errorf("left are %+v, %v", grants, err)
	}
	_, unseen, err = admin.KMSKey(t.Context(), key[:len(key)-4]+"0000", region)
	if err != nil || len(unseen) != 1 {
		t.Errorf("a missing key: unseen %v, %v", unseen, err)
	}
}

// checkGrantDecides copies an encrypted object before, with and without a grant.
func checkGrantDecides(w *world) {
	t := w.t
	key := w.key(t)
	p := w.pairings(t, "kms")[1]
	out := w.source.put(t, p.bucket, "k", "sealed", func(in *s3.PutObjectInput) {
		in.ServerSideEncryption, in.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, &key
	})
	copyIt := func() error {
		_, err := p.destination.CopyObject(t.Context(), s3copy.CopyRequest{SourceKey: "k", Key: "k", IfMatch: trimQuotes(*out.ETag)})
		return err
	}
	if got := head(t, p.source, s3copy.HeadRequest{Key: "k"}).Encryption; got.Algorithm != "aws:kms" || got.KMSKeyID != key {
		t.Errorf("the source is encrypted as %+v", got)
	}
	w.holds(t, kmsDecides, errors.Is(copyIt(), s3copy.ErrDenied), "copied without a grant: %v", copyIt())
	who, err := w.destination.admin(t).Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	admin := w.source.admin(t)
	id, err := admin.CreateGrant(t.Context(), compile.GrantSpec{KeyARN: key, Region: region, Principal: who.ARN, Operations: []string{"Decrypt"}, Name: "suite"})
	if err != nil {
		t.Fatalf("grant: %v", err)
	}
	if w.server != awsName { // there it takes minutes
		if err := copyIt(); err != nil {
			t.Errorf("copied with a grant: %v", err)
		}
	}
	if err := admin.RevokeGrant(t.Context(), key, region, id); err != nil {
		t.Errorf("revoke: %v", err)
	}
}

// instance starts an instance in the destination's account.
func (w *world) instance(t *testing.T, protected bool) string {
	t.Helper()
	if w.box != nil {
		id := fmt.Sprintf("i-%017x", time.Now().UnixNano())
		w.box.AddInstance(destinationAccount, region, id, protected)
		return id
	}
	out, err := w.destination.ec2.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12c6146b"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: types.InstanceTypeT3Micro,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.destination.ec2.ModifyInstanceAttribute(t.Context(), &ec2.ModifyInstanceAttributeInput{
		InstanceId: out.Instances[0].InstanceId, DisableApiTermination: &types.AttributeBooleanValue{Value: &protected},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Instances[0].InstanceId
}

func checkInstance(w *world) {
	t := w.t
	admin := w.destination.admin(t)
	free, guarded := w.instance(t, false), w.instance(t, true)
	if got, err := admin.Instance(t.Context(), guarded, region); err != nil || !got.Exists || !got.Protected || got.State != "running" {
		t.Errorf("a protected instance reads %+v, %v", got, err)
	}
	err := admin.TerminateInstance(t.Context(), guarded, region)
	if got, _ := admin.Instance(t.Context(), guarded, region); err == nil || got.State != "running" {
		t.Errorf("terminated although protected: %+v, %v", got, err)
	}
	for range 2 {
		if err := admin.TerminateInstance(t.Context(), free, region); err != nil {
			t.Errorf("terminate: %v", err)
		}
	}
	if got, err := admin.Instance(t.Context(), free, region); err != nil || got.State != "terminated" && got.State != "shutting-down" {
		t.Errorf("terminated, it reads %+v, %v", got, err)
	}
	const nobody = "i-0123456789abcdef0"
	if got, err := admin.Instance(t.Context(), nobody, region); err != nil || got.Exists {
		t.Errorf("a missing instance reads %+v, %v", got, err)
	}
	if err := admin.TerminateInstance(t.Context(), nobody, region); err != nil {
		t.Errorf("terminate a missing instance: %v", err)
	}
	if got, err := w.source.admin(t).Instance(t.Context(), guarded, region); err != nil || got.Exists {
		t.Errorf("another account's instance reads %+v, %v", got, err)
	}
}
