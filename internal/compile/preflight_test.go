package compile

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"xplan/internal/policy"
	"xplan/plan"
)

const me = "arn:aws:iam::210987654321:user/misterrodgers"

// statements makes a policy of some statements, given without braces around their JSON.
func statements(all ...string) string {
	return `{"Version":"2012-10-17","Statement":[{` + strings.Join(all, `},{`) + `}]}`
}

// told is a finding in a few words.
func told(all []Finding) string {
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "%s: %s: %s: %s", f.Severity, strings.Join(f.Legs, ", "), strings.Join(f.Actions, ", "), f.Rule)
		if len(f.DependsOn) > 0 {
			fmt.Fprintf(&b, " [%s]", strings.Join(f.DependsOn, ", "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// known is the fresh world, with all of the principal's policies read.
func known(documents ...PolicyText) World {
	w := fresh()
	w.Principal.Policies = PrincipalPolicies{Complete: true, Documents: documents}
	return w
}

func bucket(w World, side plan.Side, name string, change func(b *Bucket)) World {
	b := w.Buckets[BucketRef{side, name}]
	if !b.Exists {
		b = secure("us-west-2")
	}
	change(&b)
	w.Buckets[BucketRef{side, name}] = b
	return w
}

func sourcePolicy(w World, all ...string) World {
	return bucket(w, plan.Source, "tommy", func(b *Bucket) { b.Policy = statements(all...) })
}

func destinationPolicy(w World, all ...string) World {
	return bucket(w, plan.Destination, "tommy-b", func(b *Bucket) { b.Policy = statements(all...) })
}

const (
	onTommy  = `"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]`
	onTommyB = `"Resource":["arn:aws:s3:::tommy-b","arn:aws:s3:::tommy-b/*"]`
	denyAll  = `"Effect":"Deny","Principal":"*"`
)

func TestPreflightOfAPlanThatManagesItsPermissions(t *testing.T) {
	for _, c := range []struct {
		name  string
		world World
		want  string
	}{
		{"nothing in the way", known(), ""},
		{
			"a deny of tags", sourcePolicy(known(), `"Sid":"NoTags",`+denyAll+`,"Action":"s3:GetObjectTagging",`+onTommy),
			"denied: read tags: s3:GetObjectTagging: statement NoTags of the bucket policy of tommy denies it\n",
		},
		{"a deny for others", sourcePolicy(known(), `"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::210987654321:user/other"},"Action":"s3:*",`+onTommy), ""},
		{
			"a deny of insecure transport", sourcePolicy(known(), denyAll+`,"Action":"s3:*",`+onTommy+`,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`),
			"",
		},
		{
			"a deny of old TLS", sourcePolicy(known(), denyAll+`,"Action":"s3:*",`+onTommy+`,"Condition":{"NumericLessThan":{"s3:TlsVersion":"1.2"}}`),
			"",
		},
		{
			"a deny from elsewhere", sourcePolicy(known(), `"Sid":"OurNetwork",`+denyAll+`,"Action":"s3:*",`+onTommy+`,"Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`),
			"may be denied: list source, read source, read tags: s3:ListBucket, s3:GetObject, s3:GetObjectTagging: " +
				"statement OurNetwork of the bucket policy of tommy denies it, depending on aws:SourceIp [aws:SourceIp]\n",
		},
		{
			"a deny outside the organisation", sourcePolicy(known(), `"Sid":"Org",`+denyAll+`,"Action":"s3:GetObject",`+onTommy+`,"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"}}`),
			"may be denied: read source: s3:GetObject: statement Org of the bucket policy of tommy denies it, depending on aws:PrincipalOrgID [aws:PrincipalOrgID]\n",
		},
		{
			"a deny of some keys", sourcePolicy(known(), `"Sid":"Secret",`+denyAll+`,"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/secret/*"`),
			"may be denied: read source: s3:GetObject: statement Secret of the bucket policy of tommy denies it, depending on the key of the object [the key of the object]\n",
		},
		{
			"a deny of uploads without the header of a key", destinationPolicy(known(), `"Sid":"Header",`+denyAll+`,"Action":"s3:PutObject",`+onTommyB+`,"Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`),
			"denied: write destination: s3:PutObject: statement Header of the bucket policy of tommy-b denies it\n",
		},
		{
			"a deny of public ACLs", destinationPolicy(known(), denyAll+`,"Action":"s3:PutObject",`+onTommyB+`,"Condition":{"StringEquals":{"s3:x-amz-acl":"public-read"}}`),
			"",
		},
		{
			"a deny of what is needed at times", destinationPolicy(known(), `"Sid":"WriteOnly",`+denyAll+`,"Action":"s3:GetObject",`+onTommyB),
			"note: prove destination: s3:GetObject: statement WriteOnly of the bucket policy of tommy-b denies it, which matters where the ETags of a copy prove nothing\n",
		},
		{
			"an inline deny", known(PolicyText{Name: "lock", Document: statements(`"Sid":"Never","Effect":"Deny","Action":"s3:PutObject*","Resource":"*"`)}),
			"denied: write destination: s3:PutObject, s3:PutObjectTagging: statement Never of inline policy lock of user/misterrodgers denies it\n",
		},
		{
			"a boundary without S3", func() World {
				w := known()
				w.Principal.Boundary = "arn:aws:iam::210987654321:policy/edge"
				w.Principal.Policies.Boundary = statements(`"Effect":"Allow","Action":["s3:List*","s3:Get*","s3:AbortMultipartUpload"],"Resource":"*"`)
				return w
			}(),
			"denied: write destination: s3:PutObject, s3:PutObjectTagging: no statement of the permissions boundary edge allows it\n",
		},
		{
			"a boundary that could not be read", func() World {
				w := known()
				w.Principal.Boundary, w.Principal.Policies.Complete = "arn:aws:iam::210987654321:policy/edge", false
				return w
			}(), "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(compiled(t, tommy(), c.world).Findings); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// byHand is the plan with permissions that stand already.
func byHand() *plan.Plan {
	p := tommy()
	p.Permissions = plan.Permissions{}
	return p
}

// granted are the policies that the plan would have made.
func granted(w World) World {
	d, err := documents(tommy(), nil, nil)
	if err != nil {
		panic(err)
	}
	w.Principal.Policies.Documents = append(w.Principal.Policies.Documents, PolicyText{Name: "copy", ARN: "arn:aws:iam::210987654321:policy/copy", Document: string(d.identity[0].JSON())})
	return bucket(w, plan.Source, "tommy", func(b *Bucket) {
		b.Policy = string(policy.Document{Version: policy.Version2012, Statements: []policy.Statement{d.statements["tommy"]}}.JSON())
	})
}

func TestPreflightOfPermissionsMadeByHand(t *testing.T) {
	untagged := func(b *Bucket) { b.Policy = strings.ReplaceAll(b.Policy, "s3:GetObjectTagging", "s3:GetObjectAcl") }
	for _, c := range []struct {
		name  string
		world World
		want  string
	}{
		{"all granted", granted(known()), ""},
		{"nothing granted", known(), "" +
			"denied: list source, read source, read tags: s3:ListBucket, s3:GetObject, s3:GetObjectTagging: no statement of the bucket policy of tommy allows it\n" +
			"denied: list source, read source, read tags: s3:ListBucket, s3:GetObject, s3:GetObjectTagging: no statement of the policies of user/misterrodgers allows it\n" +
			"denied: list destination, write destination: s3:ListBucket, s3:PutObject, s3:PutObjectTagging, s3:AbortMultipartUpload: no statement of the policies of user/misterrodgers allows it\n" +
			"note: go on with large objects: s3:ListMultipartUploadParts: no statement of the policies of user/misterrodgers allows it, which matters where a large object is gone on with after an interruption\n" +
			"note: prove destination: s3:GetObject: no statement of the policies of user/misterrodgers allows it, which matters where the ETags of a copy prove nothing\n"},
		{"its policies not read", func() World {
			w := granted(known())
			w.Principal.Policies = PrincipalPolicies{}
			return w
		}(), ""},
		{
			"no tags in the bucket's policy", bucket(granted(known()), plan.Source, "tommy", untagged),
			"denied: read tags: s3:GetObjectTagging: no statement of the bucket policy of tommy allows it\n",
		},
		{"who is spared by an ID or a tag, and the principal not read", func() World {
			w := granted(known())
			var policy struct{ Statement []json.RawMessage }
			b := w.Buckets[BucketRef{plan.Source, "tommy"}]
			if err := json.Unmarshal([]byte(b.Policy), &policy); err != nil {
				panic(err)
			}
			all := []string{
				`"Sid":"ByID",` + denyAll + `,"Action":"s3:GetObject",` + onTommy + `,"Condition":{"StringNotLike":{"aws:userid":"AIDAEXAMPLE"}}`,
				`"Sid":"ByTag",` + denyAll + `,"Action":"s3:GetObject",` + onTommy + `,"Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"data"}}`,
			}
			for _, s := range policy.Statement {
				all = append(all, strings.Trim(string(s), "{}"))
			}
			w = sourcePolicy(w, all...)
			w.Principal = PrincipalFacts{}
			w.Unseen = []Unseen{{What: "principal " + me, Why: "iam:GetUser denied", About: "principal"}}
			return w
		}(), "may be denied: read source: s3:GetObject: statement ByID of the bucket policy of tommy denies it, depending on aws:userid [aws:userid]\n" +
			"may be denied: read source: s3:GetObject: statement ByTag of the bucket policy of tommy denies it, depending on aws:PrincipalTag/team [aws:PrincipalTag/team]\n"},
		{"the bucket's policy not read", func() World {
			w := bucket(granted(known()), plan.Source, "tommy", func(b *Bucket) { b.Policy = "" })
			w.Unseen = []Unseen{{What: "policy of bucket tommy", Why: "s3:GetBucketPolicy denied", About: UnseenBucketPolicy("tommy")}}
			return w
		}(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(compiled(t, byHand(), c.world).Findings); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestAFindingHoldsTheStatementThatWouldLetItThrough(t *testing.T) {
	all := compiled(t, byHand(), known()).Findings
	w := known()
	var identity, resource []string
	for _, f := range all {
		if !json.Valid([]byte(f.Statement)) {
			t.Fatalf("%s: %q is no JSON", f, f.Statement)
		}
		if strings.Contains(f.Rule, "bucket policy") {
			resource = append(resource, strings.Trim(f.Statement, "{}"))
		} else {
			identity = append(identity, strings.Trim(f.Statement, "{}"))
		}
	}
	w.Principal.Policies.Documents = []PolicyText{{Name: "pasted", Document: statements(identity...)}}
	if got := compiled(t, byHand(), w).Findings; len(got) == 0 {
		t.Error("half of it is enough")
	}
	if got := compiled(t, byHand(), sourcePolicy(w, resource...)).Findings; len(got) > 0 {
		t.Errorf("with the statements pasted there is still\n%s", told(got))
	}
}

func TestAnAmendedDenySparesThePrincipal(t *testing.T) {
	w := sourcePolicy(known(), `"Sid":"NoTags",`+denyAll+`,"Action":"s3:GetObjectTagging",`+onTommy)
	f := compiled(t, tommy(), w).Findings
	if len(f) != 1 {
		t.Fatal(told(f))
	}
	w = bucket(w, plan.Source, "tommy", func(b *Bucket) { b.Policy = `{"Version":"2012-10-17","Statement":[` + f[0].Statement + `]}` })
	if got := compiled(t, tommy(), w).Findings; len(got) > 0 {
		t.Error(told(got))
	}
}

func TestOnlyWhatIsSureRefusesTheProgram(t *testing.T) {
	sure := compiled(t, tommy(), sourcePolicy(known(), denyAll+`,"Action":"s3:GetObject",`+onTommy)).Denied()
	may := compiled(t, tommy(), sourcePolicy(known(), denyAll+`,"Action":"s3:GetObject",`+onTommy+`,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"x"},"StringEquals":{"aws:SourceVpce":"v"}}`)).Denied()
	if sure == nil || may != nil {
		t.Errorf("got %v and %v", sure, may)
	}
	var e *PreflightError
	if !errors.As(sure, &e) || e.Findings[0].Who != me {
		t.Error(sure)
	}
}

// asRole is the plan whose principal is a role that the destination's administrator assumes.
func asRole() *plan.Plan {
	p := tommy()
	p.Principal = &plan.Principal{ARN: "arn:aws:iam::210987654321:role/copiers/puller", Credentials: plan.AssumeRole}
	return p
}

func trusting(trust string) World {
	w := known()
	w.Principal.ARN, w.Principal.UserID, w.Principal.Role = "arn:aws:iam::210987654321:role/copiers/puller", "AROAEXAMPLE", true
	w.Principal.Trust = trust
	return w
}

func TestPreflightOfTheAdministrators(t *testing.T) {
	session := func(w World) World {
		w.Identities[plan.Source] = Identity{Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/admins/me", UserID: "AROAADMIN:me"}
		w.Identities[plan.Destination] = Identity{Account: "210987654321", ARN: "arn:aws:sts::210987654321:assumed-role/admins/me", UserID: "AROAADMIN:me"}
		return w
	}
	key := func(text string) World {
		w := known()
		const arn = "arn:aws:kms:us-west-2:123456789012:key/1234"
		w.Keys = map[string]KMSKey{arn: {ARN: arn, State: "Enabled", Policy: text}}
		return bucket(w, plan.Source, "tommy", func(b *Bucket) { b.Encryption = plan.Encryption{Algorithm: "aws:kms", KMSKeyID: arn} })
	}
	const locked = `"Sid":"Locked","Effect":"Deny","Action":["s3:PutBucketPolicy","s3:DeleteBucketPolicy"],"Resource":"arn:aws:s3:::tommy",`
	trust := func(who string) string {
		return statements(`"Effect":"Allow","Principal":{"AWS":"` + who + `"},"Action":"sts:AssumeRole"`)
	}
	for _, c := range []struct {
		name  string
		plan  *plan.Plan
		world World
		want  string
	}{
		{
			"a policy that nobody may change", tommy(), sourcePolicy(known(), locked+`"Principal":"*"`),
			"denied: let the principal in, clean up the bucket policy: s3:PutBucketPolicy: statement Locked of the bucket policy of tommy denies it\n",
		},
		{
			"a policy that others may change", tommy(), sourcePolicy(known(), locked+`"NotPrincipal":{"AWS":["arn:aws:iam::123456789012:user/keeper","arn:aws:iam::123456789012:root"]}`),
			"denied: let the principal in, clean up the bucket policy: s3:PutBucketPolicy: statement Locked of the bucket policy of tommy denies it\n",
		},
		{
			"a policy that others may change, and a session whose role's path is unknown", tommy(),
			session(sourcePolicy(known(), locked+`"NotPrincipal":{"AWS":["arn:aws:iam::123456789012:role/deep/admins","arn:aws:iam::123456789012:root"]}`)),
			"may be denied: let the principal in, clean up the bucket policy: s3:PutBucketPolicy: statement Locked of the bucket policy of tommy denies it, depending on aws:PrincipalArn [aws:PrincipalArn]\n",
		},
		{
			"a deny of everything that did not hold when the policy was read", tommy(),
			sourcePolicy(known(), denyAll+`,"Action":"s3:*",`+onTommy+`,"Condition":{"StringNotLike":{"aws:userid":["AIDAEXAMPLE","AIDAADMIN"]}}`), "",
		},
		{"a key that leaves the decision to IAM", tommy(), key(statements(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"`)), ""},
		{
			"a key that others administer", tommy(), key(statements(`"Sid":"Keepers","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/keeper"},"Action":"kms:*","Resource":"*"`)),
			"denied: let the principal decrypt, clean up the grant: kms:CreateGrant, kms:RevokeGrant: no statement of the policy of key arn:aws:kms:us-west-2:123456789012:key/1234 allows it\n",
		},
		{"a key whose policy was not read", tommy(), key(""), ""},
		{"a role that trusts the administrator", asRole(), trusting(trust("arn:aws:iam::210987654321:user/admin-b")), ""},
		{"a role that trusts the account", asRole(), trusting(trust("arn:aws:iam::210987654321:root")), ""},
		{"a role that trusts the administrator's role", asRole(), session(trusting(trust("arn:aws:iam::210987654321:role/deep/admins"))), ""},
		{
			"a role that trusts another", asRole(), trusting(trust("arn:aws:iam::210987654321:user/other")),
			"denied: assume the role: sts:AssumeRole: no statement of the trust policy of role/puller allows it\n",
		},
		{
			"a role that wants an external ID", asRole(), trusting(statements(`"Sid":"T","Effect":"Allow","Principal":{"AWS":"210987654321"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}`)),
			"denied: assume the role: sts:AssumeRole: statement T of the trust policy of role/puller would allow it, but for sts:ExternalId StringEquals x\n",
		},
		{
			"a role that wants a second factor", asRole(), trusting(statements(`"Sid":"T","Effect":"Allow","Principal":{"AWS":"210987654321"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`)),
			"may be denied: assume the role: sts:AssumeRole: only statement T of the trust policy of role/puller allows it, depending on aws:MultiFactorAuthPresent [aws:MultiFactorAuthPresent]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(compiled(t, c.plan, c.world).Findings); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}
