package test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"xplan/internal/awsapi"
	"xplan/internal/compile"
	"xplan/internal/policy"
)

// user makes a user through the adapters and removes it at the end.
func (w *world) user(t *testing.T, admin *awsapi.Account, s side) compile.PrincipalSpec {
	t.Helper()
	n := name("user")
	p := compile.PrincipalSpec{
		ARN: "arn:aws:iam::" + s.account.ID + ":user/suite/" + n, Name: n, Path: "/suite/", Create: true,
		Tags: map[string]string{compile.PlanTag: n},
	}
	w.makePrincipal(t, admin, p)
	return p
}

func (w *world) makePrincipal(t *testing.T, admin *awsapi.Account, p compile.PrincipalSpec) {
	t.Helper()
	facts, err := admin.CreatePrincipal(t.Context(), p)
	if err != nil || !facts.Exists || facts.ARN != p.ARN || facts.UserID == "" || facts.Role != p.Role {
		t.Fatalf("create %s: %+v, %v", p.ARN, facts, err)
	}
	t.Cleanup(func() {
		ctx, cancel := contextAfter(t.Context())
		defer cancel()
		if err := admin.DeletePrincipal(ctx, p); err != nil {
			t.Errorf("delete %s: %v", p.ARN, err)
		}
	})
}

func checkIdentity(w *world) {
	t := w.t
	for _, s := range []side{w.source, w.destination} {
		who, err := s.admin(t).Identity(t.Context())
		if err != nil || who.Account != s.account.ID || who.ARN == "" || who.UserID == "" {
			t.Errorf("the administrator of %s is %+v, %v", s.account.ID, who, err)
		}
	}
}

// checkPrincipal makes a user and a role, twice each, and reads them back.
func checkPrincipal(w *world) {
	t := w.t
	admin := w.destination.admin(t)
	user := w.user(t, admin, w.destination)
	role := compile.PrincipalSpec{
		ARN: "arn:aws:iam::" + w.destination.account.ID + ":role/suite/" + user.Name, Name: user.Name, Path: "/suite/", Role: true, Create: true,
		Trust: fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, w.guest),
		Tags:  map[string]string{compile.PlanTag: user.Name},
	}
	w.makePrincipal(t, admin, role)
	for _, p := range []compile.PrincipalSpec{user, role} {
		again, err := admin.CreatePrincipal(t.Context(), p)
		if err != nil || again.ARN != p.ARN {
			t.Errorf("create %s again: %+v, %v", p.ARN, again, err)
		}
		got, err := admin.Principal(t.Context(), p.ARN)
		if err != nil || !got.Exists || got.ARN != p.ARN || got.UserID != again.UserID || got.Tags[compile.PlanTag] != user.Name {
			t.Errorf("%s reads %+v, %v", p.ARN, got, err)
		}
		other := p
		other.Tags = map[string]string{compile.PlanTag: "another"}
		if _, err := admin.CreatePrincipal(t.Context(), other); err == nil {
			t.Errorf("%s of another plan was taken for ours", p.ARN)
		}
	}
	if got, err := admin.Principal(t.Context(), role.ARN); err != nil || !policy.Equal(parse(t, got.Trust), parse(t, role.Trust)) {
		t.Errorf("the role's trust reads %s, %v", got.Trust, err)
	}
	if got, err := admin.Principal(t.Context(), user.ARN+"-not"); err != nil || got.Exists {
		t.Errorf("a missing user reads %+v, %v", got, err)
	}
	if err := admin.DeletePrincipal(t.Context(), compile.PrincipalSpec{ARN: user.ARN + "-not", Name: user.Name + "-not"}); err != nil {
		t.Errorf("delete a missing user: %v", err)
	}
}

func document(bucket string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":"arn:aws:s3:::%s"}]}`, bucket)
}

// checkPolicy lives through a managed policy's life: made, changed past the five versions that IAM keeps,
// attached, read back, detached, gone.
func checkPolicy(w *world) {
	t := w.t
	admin := w.destination.admin(t)
	user := w.user(t, admin, w.destination)
	n := name("policy")
	spec := compile.PolicySpec{
		ARN: "arn:aws:iam::" + w.destination.account.ID + ":policy/" + n, Name: n, Document: document("first"),
		Tags: map[string]string{compile.PlanTag: n, compile.DigestTag: "0"},
	}
	if got, err := admin.ManagedPolicy(t.Context(), spec.ARN); err != nil || got.Exists {
		t.Fatalf("a missing policy reads %+v, %v", got, err)
	}
	if err := admin.CreatePolicy(t.Context(), spec); err != nil {
		t.Fatalf("create: %v", err)
	}
	if err := admin.CreatePolicy(t.Context(), spec); err == nil {
		t.Error("the same policy was made twice")
	}
	for i := range 6 {
		spec.Document, spec.Tags[compile.DigestTag] = document(fmt.Sprint("version", i)), fmt.Sprint(i+1)
		if err := admin.UpdatePolicy(t.Context(), spec); err != nil {
			t.Fatalf("version %d: %v", i+2, err)
		}
	}
	attached := compile.AttachmentSpec{PolicyARN: spec.ARN, Principal: user.ARN}
	for range 2 {
		if err := admin.Attach(t.Context(), attached); err != nil {
			t.Errorf("attach: %v", err)
		}
	}
	got, err := admin.ManagedPolicy(t.Context(), spec.ARN)
	if err != nil || got.Versions != 5 || !policy.Equal(parse(t, got.Document), parse(t, spec.Document)) || !slices.Equal(got.Attached, []string{user.ARN}) {
		t.Errorf("after 7 documents the policy reads %+v, %v", got, err)
	}
	if got.Tags[compile.DigestTag] != "6" || got.Tags[compile.PlanTag] != n {
		t.Errorf("its tags are %v", got.Tags)
	}
	if arns, err := admin.Attached(t.Context(), user.ARN); err != nil || !slices.Equal(arns, []string{spec.ARN}) {
		t.Errorf("the user has %v, %v", arns, err)
	}
	checkAttachedStays(t, w, admin, attached)
	for range 2 {
		if err := admin.Detach(t.Context(), attached); err != nil {
			t.Errorf("detach: %v", err)
		}
		if err := admin.DeletePolicy(t.Context(), spec.ARN); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if got, err := admin.ManagedPolicy(t.Context(), spec.ARN); err != nil || got.Exists {
		t.Errorf("deleted, the policy reads %+v, %v", got, err)
	}
}

// checkAttachedStays deletes a policy that is attached. Where that is possible it is another one, of a user who
// cannot be deleted any more.
func checkAttachedStays(t *testing.T, w *world, admin *awsapi.Account, a compile.AttachmentSpec) {
	t.Helper()
	if w.differs(attachedPolicyStays) != "" {
		n := name("stuck")
		if _, err := w.destination.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &n}); err != nil {
			t.Fatal(err)
		}
		a = compile.AttachmentSpec{
			PolicyARN: "arn:aws:iam::" + w.destination.account.ID + ":policy/" + n, Principal: "arn:aws:iam::" + w.destination.account.ID + ":user/" + n,
		}
		err := errors.Join(admin.CreatePolicy(t.Context(), compile.PolicySpec{ARN: a.PolicyARN, Name: n, Document: document("stuck")}), admin.Attach(t.Context(), a))
		if err != nil {
			t.Fatal(err)
		}
	}
	err := admin.DeletePolicy(t.Context(), a.PolicyARN)
	w.holds(t, attachedPolicyStays, err != nil, "an attached policy was deleted")
}

// checkAccessKeys makes keys up to IAM's limit, uses one, and takes it away.
func checkAccessKeys(w *world) {
	t := w.t
	admin := w.destination.admin(t)
	user := w.user(t, admin, w.destination)
	w.enforce(t)
	var ids []string
	for range 2 {
		id, login, err := admin.MintKey(t.Context(), user.Name)
		if err != nil {
			t.Fatalf("mint: %v", err)
		}
		ids = append(ids, id)
		if w.server == awsName {
			continue // a key takes a while to be known
		}
		who, err := login.Identity(t.Context())
		if err != nil || who.ARN != user.ARN || who.Account != w.destination.account.ID {
			t.Errorf("the key's owner is %+v, %v", who, err)
		}
	}
	if _, _, err := admin.MintKey(t.Context(), user.Name); err == nil {
		t.Error("a third key was made")
	}
	keys, err := admin.AccessKeys(t.Context(), user.Name)
	if err != nil || len(keys) != 2 || !keys[0].Active || keys[0].Created.IsZero() || !slices.Contains(ids, keys[0].ID) {
		t.Errorf("the keys are %+v, %v", keys, err)
	}
	for _, id := range ids {
		for range 2 {
			if err := admin.DeleteAccessKey(t.Context(), user.Name, id); err != nil {
				t.Errorf("delete key: %v", err)
			}
		}
	}
	if keys, err := admin.AccessKeys(t.Context(), user.Name); err != nil || len(keys) != 0 {
		t.Errorf("left are %+v, %v", keys, err)
	}
	if keys, err := admin.AccessKeys(t.Context(), user.Name+"-not"); err != nil || len(keys) != 0 {
		t.Errorf("a missing user has %+v, %v", keys, err)
	}
}

// checkDeadKeys signs with keys that are inactive or gone.
func checkDeadKeys(w *world) {
	t := w.t
	admin := w.destination.admin(t)
	user := w.user(t, admin, w.destination)
	w.enforce(t)
	id, login, err := admin.MintKey(t.Context(), user.Name)
	if err != nil {
		t.Fatalf("mint: %v", err)
	}
	_, err = w.destination.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: &user.Name, AccessKeyId: &id, Status: "Inactive"})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := admin.AccessKeys(t.Context(), user.Name)
	if err != nil || len(keys) != 1 || keys[0].Active {
		t.Errorf("an inactive key reads %+v, %v", keys, err)
	}
	_, err = login.Identity(t.Context())
	w.holds(t, inactiveKeysRefused, errors.Is(err, compile.ErrCredentials), "an inactive key: %v", err)
	if err := admin.DeleteAccessKey(t.Context(), user.Name, id); err != nil {
		t.Errorf("delete: %v", err)
	}
	_, err = login.Identity(t.Context())
	w.holds(t, deadKeysNamed, errors.Is(err, compile.ErrCredentials), "a deleted key: %v", err)
	if !errors.Is(err, compile.ErrCredentials) && !errors.Is(err, compile.ErrDenied) {
		t.Errorf("a deleted key: %v", err)
	}
}

// checkRole assumes a role that trusts the account, and one that trusts nobody here.
func checkRole(w *world) {
	t := w.t
	admin := w.destination.admin(t)
	for _, c := range []struct {
		trusts string
		in     bool
	}{{w.guest, true}, {w.host, false}} {
		n := name("role")
		role := compile.PrincipalSpec{
			ARN: "arn:aws:iam::" + w.destination.account.ID + ":role/suite/" + n, Name: n, Path: "/suite/", Role: true, Create: true,
			Trust: fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, c.trusts),
		}
		w.makePrincipal(t, admin, role)
		login, err := admin.AssumeRole(t.Context(), role.ARN)
		if err != nil {
			t.Fatal(err)
		}
		who, err := login.Identity(t.Context())
		if c.in {
			want := "arn:aws:sts::" + w.destination.account.ID + ":assumed-role/" + n + "/"
			if err != nil || len(who.ARN) <= len(want) || who.ARN[:len(want)] != want {
				t.Errorf("the role's session is %+v, %v", who, err)
			}
			continue
		}
		w.holds(t, trustDecides, errors.Is(err, compile.ErrDenied), "a role that trusts another account: %+v, %v", who, err)
	}
}

// checkProfile opens the principal's own profile.
func checkProfile(w *world) {
	t := w.t
	login, err := w.source.admin(t).Profile(t.Context(), destinationProfile)
	if err != nil {
		t.Fatal(err)
	}
	who, err := login.Identity(t.Context())
	if err != nil || who.Account != w.destination.account.ID {
		t.Errorf("the profile is of %+v, %v", who, err)
	}
	a := w.source.account
	a.Profile = "no-such-profile"
	if _, err := awsapi.Open(t.Context(), a, awsapi.Options{}); !errors.Is(err, compile.ErrCredentials) {
		t.Errorf("a missing profile: %v", err)
	}
}

// checkAdminRole reaches an account by a role on top of a profile, as plans may.
func checkAdminRole(w *world) {
	t := w.t
	n := name("operator")
	_, err := w.destination.iam.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &n,
		AssumeRolePolicyDocument: aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},`+
			`"Action":"sts:AssumeRole"}]}`, w.host)),
	})
	if err != nil {
		t.Fatal(err)
	}
	a := w.source.account // by the source's profile, and the destination's role
	a.ID, a.RoleARN = w.destination.account.ID, "arn:aws:iam::"+w.destination.account.ID+":role/"+n
	s := side{account: a}
	who, err := s.admin(t).Identity(t.Context())
	if err != nil || who.Account != w.destination.account.ID {
		t.Errorf("by the role the administrator is %+v, %v", who, err)
	}
	_, err = w.destination.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Error(err)
	}
}
