package awsapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xplan/internal/compile"
)

// actions answers IAM and EC2 requests by their action, and says NoSuchEntity to the rest.
func actions(answers map[string]string) answer {
	return func(r request) (int, string) {
		form, _ := url.ParseQuery(r.Body)
		action := form.Get("Action")
		body, ok := answers[action]
		if !ok {
			return 404, iamError("NoSuchEntity", "there is no such thing")
		}
		return 200, "<" + action + "Response><" + action + "Result>" + body + "</" + action + "Result></" + action + "Response>"
	}
}

// asked lists the actions that a server saw, with the given parameter.
func asked(s *server, parameter string) []string {
	var list []string
	for _, r := range s.requests() {
		form, _ := url.ParseQuery(r.Body)
		list = append(list, strings.TrimSpace(form.Get("Action")+" "+form.Get(parameter)))
	}
	return list
}

const (
	userARN   = "arn:aws:iam::210987654321:user/team/misterrodgers"
	policyARN = "arn:aws:iam::210987654321:policy/s3_copy"
)

func TestUserIsReadWithAllThatHangsOnIt(t *testing.T) {
	s := serve(t, actions(map[string]string{
		"GetUser": `<User><UserName>misterrodgers</UserName><UserId>AIDA1</UserId><Arn>` + userARN + `</Arn>` +
			`<PermissionsBoundary><PermissionsBoundaryArn>b</PermissionsBoundaryArn></PermissionsBoundary>` +
			`<Tags><member><Key>xplan:plan</Key><Value>p</Value></member></Tags></User>`,
		"ListAttachedUserPolicies": `<AttachedPolicies><member><PolicyArn>` + policyARN + `</PolicyArn></member></AttachedPolicies>`,
		"ListAccessKeys":           `<AccessKeyMetadata><member><AccessKeyId>K1</AccessKeyId><Status>Inactive</Status><CreateDate>2026-01-02T03:04:05Z</CreateDate></member></AccessKeyMetadata>`,
	}))
	got, err := account(t, s).Principal(t.Context(), userARN)
	want := compile.PrincipalFacts{
		Exists: true, ARN: userARN, UserID: "AIDA1", Boundary: "b", Attached: []string{policyARN}, Tags: map[string]string{"xplan:plan": "p"},
		Keys: []compile.AccessKey{{ID: "K1", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v, user (-want +got):\n%s", err, d)
	}
}

func TestRolesTrustIsDecoded(t *testing.T) {
	trust := `{"Statement":[{"Condition":{"StringEquals":{"a":"b+c d"}}}]}`
	s := serve(t, actions(map[string]string{
		"GetRole": `<Role><RoleName>r</RoleName><RoleId>AROA1</RoleId><Arn>arn:aws:iam::210987654321:role/r</Arn><AssumeRolePolicyDocument>` +
			url.PathEscape(trust) + `</AssumeRolePolicyDocument></Role>`,
		"ListAttachedRolePolicies": "",
	}))
	got, err := account(t, s).Principal(t.Context(), "arn:aws:iam::210987654321:role/r")
	if err != nil || got.Trust != trust || !got.Role || got.UserID != "AROA1" {
		t.Errorf("got %+v, %v, want the trust policy %s", got, err, trust)
	}
}

func TestMissingThingsOfIAMAreNoErrors(t *testing.T) {
	a := account(t, serve(t, actions(nil)))
	ctx := t.Context()
	if p, err := a.Principal(ctx, userARN); err != nil || p.Exists {
		t.Errorf("principal: %+v, %v", p, err)
	}
	if p, err := a.ManagedPolicy(ctx, policyARN); err != nil || p.Exists {
		t.Errorf("policy: %+v, %v", p, err)
	}
	if l, err := a.Attached(ctx, userARN); err != nil || len(l) != 0 {
		t.Errorf("attached: %v, %v", l, err)
	}
	if k, err := a.AccessKeys(ctx, "misterrodgers"); err != nil || len(k) != 0 {
		t.Errorf("keys: %v, %v", k, err)
	}
	at := compile.AttachmentSpec{PolicyARN: policyARN, Principal: userARN}
	for what, err := range map[string]error{
		"detach": a.Detach(ctx, at), "delete policy": a.DeletePolicy(ctx, policyARN), "delete key": a.DeleteAccessKey(ctx, "u", "K"),
		"delete user": a.DeletePrincipal(ctx, compile.PrincipalSpec{ARN: userARN, Name: "misterrodgers"}),
		"delete role": a.DeletePrincipal(ctx, compile.PrincipalSpec{Role: true, Name: "r"}),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := a.Attach(ctx, at); err == nil {
		t.Error("attaching to a missing user succeeded")
	}
	if _, err := a.Principal(ctx, "arn:aws:iam::210987654321:group/g"); err == nil {
		t.Error("a group passed as a principal")
	}
}

func TestOnlyOurOwnEarlierPrincipalIsTaken(t *testing.T) {
	for tag, ours := range map[string]bool{"mine": true, "theirs": false} {
		s := serve(t, func(r request) (int, string) {
			if strings.Contains(r.Body, "Action=CreateUser") {
				return 409, iamError("EntityAlreadyExists", "User with name misterrodgers already exists.")
			}
			return actions(map[string]string{
				"GetUser":                  `<User><Arn>` + userARN + `</Arn><Tags><member><Key>xplan:plan</Key><Value>` + tag + `</Value></member></Tags></User>`,
				"ListAttachedUserPolicies": "", "ListAccessKeys": "",
			})(r)
		})
		got, err := account(t, s).CreatePrincipal(t.Context(), compile.PrincipalSpec{
			ARN: userARN, Name: "misterrodgers", Path: "/team/", Tags: map[string]string{compile.PlanTag: "mine"},
		})
		if ours != (err == nil) || ours != got.Exists {
			t.Errorf("tagged %s: got %+v, %v", tag, got, err)
		}
	}
}

func policyVersions(n, standard int) string {
	var b strings.Builder
	for i := n; i >= 1; i-- {
		fmt.Fprintf(&b, `<member><VersionId>v%d</VersionId><IsDefaultVersion>%t</IsDefaultVersion><CreateDate>2026-01-0%dT00:00:00Z</CreateDate></member>`, i, i == standard, i)
	}
	return "<Versions>" + b.String() + "</Versions>"
}

func TestSixthVersionReplacesTheOldestThatIsNotTheDefault(t *testing.T) {
	s := serve(t, actions(map[string]string{
		"ListPolicyVersions": policyVersions(5, 1), "DeletePolicyVersion": "", "CreatePolicyVersion": "", "TagPolicy": "",
	}))
	err := account(t, s).UpdatePolicy(t.Context(), compile.PolicySpec{ARN: policyARN, Document: "{}", Tags: map[string]string{"a": "b"}})
	want := []string{"ListPolicyVersions", "DeletePolicyVersion v2", "CreatePolicyVersion", "TagPolicy"}
	if d := cmp.Diff(want, asked(s, "VersionId")); err != nil || d != "" {
		t.Errorf("%v, actions (-want +got):\n%s", err, d)
	}
}

func TestPolicyGoesAfterItsVersions(t *testing.T) {
	s := serve(t, actions(map[string]string{
		"GetPolicy": "<Policy/>", "ListPolicyVersions": policyVersions(3, 2), "DeletePolicyVersion": "", "DeletePolicy": "",
	}))
	err := account(t, s).DeletePolicy(t.Context(), policyARN)
	want := []string{"GetPolicy", "ListPolicyVersions", "DeletePolicyVersion v3", "DeletePolicyVersion v1", "DeletePolicy"}
	if d := cmp.Diff(want, asked(s, "VersionId")); err != nil || d != "" {
		t.Errorf("%v, actions (-want +got):\n%s", err, d)
	}
}

func TestPolicyIsReadWithItsDocumentAndItsHolders(t *testing.T) {
	doc := `{"Version":"2012-10-17","Statement":[]}`
	s := serve(t, actions(map[string]string{
		"GetPolicy":             `<Policy><PolicyName>s3_copy</PolicyName><DefaultVersionId>v2</DefaultVersionId></Policy>`,
		"GetPolicyVersion":      `<PolicyVersion><Document>` + url.QueryEscape(doc) + `</Document></PolicyVersion>`,
		"ListPolicyVersions":    policyVersions(2, 2),
		"ListEntitiesForPolicy": `<PolicyUsers><member><UserName>misterrodgers</UserName></member></PolicyUsers><PolicyGroups><member><GroupName>g</GroupName></member></PolicyGroups><PolicyRoles><member><RoleName>hidden</RoleName></member></PolicyRoles>`,
		"GetUser":               `<User><Arn>` + userARN + `</Arn></User>`,
	}))
	got, err := account(t, s).ManagedPolicy(t.Context(), policyARN)
	if got.At.IsZero() {
		t.Error("the server's time is not told")
	}
	got.At = time.Time{}
	want := compile.ManagedPolicy{
		Exists: true, ARN: policyARN, Name: "s3_copy", Default: "v2", Versions: 2, Document: doc, Tags: map[string]string{},
		Attached: []string{"arn:aws:iam::210987654321:role/hidden", userARN, "group/g"},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v, policy (-want +got):\n%s", err, d)
	}
}

func TestKeyIsInactiveBeforeItIsDeleted(t *testing.T) {
	s := serve(t, actions(map[string]string{"UpdateAccessKey": "", "DeleteAccessKey": ""}))
	err := account(t, s).DeleteAccessKey(t.Context(), "misterrodgers", "K1")
	if d := cmp.Diff([]string{"UpdateAccessKey Inactive", "DeleteAccessKey"}, asked(s, "Status")); err != nil || d != "" {
		t.Errorf("%v, actions (-want +got):\n%s", err, d)
	}
}

func TestPathOfAPolicyIsInItsARN(t *testing.T) {
	for arn, want := range map[string]string{policyARN: "/", "arn:aws:iam::1:policy/a/b/name": "/a/b/", "": "/"} {
		if got := pathOf(arn); got != want {
			t.Errorf("%s: got %s, want %s", arn, got, want)
		}
	}
}

func TestMissingInstanceDoesNotExist(t *testing.T) {
	notFound := `<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>no</Message></Error></Errors><RequestID>r</RequestID></Response>`
	s := serve(t, func(request) (int, string) { return 400, notFound })
	a := account(t, s)
	got, err := a.Instance(t.Context(), "i-0abc", "")
	if err != nil || got.Exists {
		t.Errorf("got %+v, %v, want nothing", got, err)
	}
	if err := a.TerminateInstance(t.Context(), "i-0abc", ""); err != nil {
		t.Error(err)
	}
}

func TestProtectedInstanceIsKnown(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if strings.Contains(r.Body, "Action=DescribeInstanceAttribute") {
			return 200, `<DescribeInstanceAttributeResponse><disableApiTermination><value>true</value></disableApiTermination></DescribeInstanceAttributeResponse>`
		}
		return 200, `<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-0abc</instanceId><instanceState><name>running</name></instanceState></item></instancesSet></item></reservationSet></DescribeInstancesResponse>`
	})
	got, err := account(t, s).Instance(t.Context(), "i-0abc", "us-west-2")
	if want := (compile.InstanceFacts{Exists: true, State: "running", Protected: true}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestKeyFactsThatAreDeniedAreUnseen(t *testing.T) {
	const arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
	s := serve(t, func(r request) (int, string) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeKey") {
			return 200, `{"KeyMetadata":{"Arn":"` + arn + `","KeyId":"1","KeyManager":"CUSTOMER","KeyState":"Enabled"}}`
		}
		return 400, `{"__type":"AccessDeniedException","message":"no"}`
	})
	got, unseen, err := account(t, s).KMSKey(t.Context(), arn, "us-west-2")
	want := []compile.Unseen{
		{What: "policy of KMS key " + arn, Why: "kms:GetKeyPolicy denied"}, {What: "KMS grants of " + arn, Why: "kms:ListGrants denied", About: compile.UnseenGrants(arn)},
	}
	if d := cmp.Diff(want, unseen); err != nil || d != "" || got.ARN != arn || got.State != "Enabled" {
		t.Errorf("%+v, %v, unseen (-want +got):\n%s", got, err, d)
	}
	if auth := s.requests()[0].Header.Get("Authorization"); !strings.Contains(auth, "/eu-west-1/kms/") {
		t.Errorf("signed %s, want the region of the key's ARN", auth)
	}
}

func TestGrantForANewPrincipalIsInvalidForNow(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 400, `{"__type":"InvalidArnException","message":"no"}` })
	_, err := account(t, s).CreateGrant(t.Context(), compile.GrantSpec{KeyARN: "k", Principal: userARN, Operations: []string{"Decrypt"}})
	if !errors.Is(err, compile.ErrInvalidPrincipal) {
		t.Errorf("got %v, want %v", err, compile.ErrInvalidPrincipal)
	}
}
