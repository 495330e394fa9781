package policy

import "testing"

const (
	evalPage     = iam + "reference_policies_evaluation-logic_policy-eval-denyallow.html"
	basicsPage   = iam + "reference_policies_evaluation-logic_policy-eval-basics.html"
	denyPage     = iam + "reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html"
	boundaryPage = iam + "access_policies_boundaries.html"
	crossPage    = iam + "reference_policies_evaluation-logic-cross-account.html"
	scpPage      = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html"
)

func logicCases(t *testing.T) []awsCase {
	t.Helper()
	carlos := user("123456789012", "carlossalazar")
	identity := docs(doc(t, `
		{"Sid": "AllowS3ListRead", "Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:GetAccountPublicAccessBlock", "s3:ListAccessPoints", "s3:ListAllMyBuckets"], "Resource": "arn:aws:s3:::*"},
		{"Sid": "AllowS3Self", "Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"]},
		{"Sid": "DenyS3Logs", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*log*"}`))
	bucket := new(doc(t, `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/carlossalazar"},
		"Action": "s3:*", "Resource": ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"]}`))
	reports := docs(doc(t, `
		{"Sid": "AllowGetList", "Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
		{"Sid": "DenyReports", "Effect": "Deny", "Action": "iam:*Report", "Resource": "*"}`))
	more := append(docs(doc(t, `{"Effect": "Allow", "Action": "iam:GenerateCredentialReport", "Resource": "*"}`)), reports...)
	put := func(bucketKey string) Request {
		return Request{Principal: carlos, Action: "s3:PutObject", Resource: "arn:aws:s3:::" + bucketKey}
	}
	own := put("carlossalazar/file")
	both, byIdentity, byBucket := own, own, own
	both.Identity, both.ResourcePolicy = identity, bucket
	byIdentity.Identity = identity
	byBucket.ResourcePolicy = bucket
	logs := put("carlossalazar-logs/file")
	logs.Identity = identity
	return []awsCase{
		{"a deny for log buckets overrides allows", basicsPage, logs, deniedByIdentity},
		{"both policies allow Carlos his bucket", basicsPage, both, allowed},
		{"an identity policy alone is enough in one account", basicsPage, byIdentity, allowed},
		{"a bucket policy alone is enough for a user it names in one account", basicsPage, byBucket, allowed},
		{"without any policy a request is implicitly denied", evalPage, own, noIdentity},
		{"the root user is not implicitly denied", evalPage, Request{
			Principal: root("123456789012"), Action: "s3:PutObject", Resource: "arn:aws:s3:::carlossalazar/file",
		}, allowed},
		{
			"actions that no statement names are implicitly denied", denyPage,
			Request{Principal: carlos, Identity: reports, Action: "iam:CreatePolicy", Resource: "*"},
			noIdentity,
		},
		{
			"an allowed read goes through beside a deny of reports", denyPage,
			Request{Principal: carlos, Identity: reports, Action: "iam:GetUser", Resource: "*"},
			allowed,
		},
		{
			"reports are explicitly denied", denyPage,
			Request{Principal: carlos, Identity: reports, Action: "iam:GetOrganizationsAccessReport", Resource: "*"},
			deniedByIdentity,
		},
		{
			"a further policy cannot lift an explicit deny", denyPage,
			Request{Principal: carlos, Identity: more, Action: "iam:GenerateCredentialReport", Resource: "*"},
			deniedByIdentity,
		},
	}
}

func boundaryCases(t *testing.T) []awsCase {
	t.Helper()
	shirley := user("123456789012", "ShirleyRodriguez")
	boundary := new(doc(t, `{"Effect": "Allow", "Action": ["s3:*", "cloudwatch:*", "ec2:*"], "Resource": "*"}`))
	createUser := docs(doc(t, `{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}`))
	everything := docs(doc(t, `{"Effect": "Allow", "Action": "*", "Resource": "*"}`))
	role := session("111122223333", "examplerole", "examplerolesessionname")
	narrow := new(doc(t, `{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}`))
	bucket := func(principal string) *Document {
		return new(doc(t, `{"Effect": "Allow", "Principal": `+principal+`, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}`))
	}
	get := func(p Principal, resource *Document) Request {
		return Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourcePolicy: resource}
	}
	bounded := func(r Request) Request { r.Boundary = narrow; return r }
	sessioned := func(r Request) Request { r.Session = narrow; return r }
	exampleUser := user("111122223333", "exampleuser")
	toRole := bucket(`{"AWS": "arn:aws:iam::111122223333:role/examplerole"}`)
	toSession := bucket(`{"AWS": "arn:aws:sts::111122223333:assumed-role/examplerole/examplerolesessionname"}`)
	toUser := bucket(`{"AWS": "arn:aws:iam::111122223333:user/exampleuser"}`)
	toAccount := bucket(`{"AWS": "arn:aws:iam::111122223333:root"}`)
	federated := Principal{Account: "111122223333", ARN: "arn:aws:sts::111122223333:federated-user/fed", Issuer: exampleUser.ARN, UserID: "111122223333:fed"}
	toFederated := bucket(`{"AWS": "arn:aws:sts::111122223333:federated-user/fed"}`)
	denying := get(exampleUser, toUser)
	denying.Boundary = new(doc(t, `{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}`))
	scp := func(text string) Request {
		r := get(exampleUser, nil)
		r.Identity, r.SCPs = everything, docs(doc(t, text))
		return r
	}
	rootUnderSCP := scp(`{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}`)
	rootUnderSCP.Principal = root("111122223333")
	rcp := get(exampleUser, nil)
	rcp.Identity, rcp.RCPs = everything, docs(doc(t, `{"Effect": "Allow", "Principal": "*", "Action": "sts:*", "Resource": "*"}`))
	return []awsCase{
		{"a boundary keeps out what an identity policy allows", boundaryPage, Request{
			Principal: shirley, Identity: createUser, Boundary: boundary, Action: "iam:CreateUser", Resource: "*",
		}, noBoundary},
		{"a boundary alone grants nothing", boundaryPage, Request{
			Principal: shirley, Identity: createUser, Boundary: boundary, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
		}, noIdentity},
		{"what identity policy and boundary both allow is allowed", boundaryPage, Request{
			Principal: shirley, Identity: everything, Boundary: boundary, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
		}, allowed},
		{"a grant to a user ARN is not limited by its boundary", boundaryPage, bounded(get(exampleUser, toUser)), allowed},
		{"a grant to a role ARN is limited by its boundary", boundaryPage, bounded(get(role, toRole)), noBoundary},
		{"a grant to a role ARN is limited by the session policy", evalPage, sessioned(get(role, toRole)), noSession},
		{"a grant to a role ARN needs no identity policy", evalPage, get(role, toRole), allowed},
		{"a grant to a session ARN is not limited by the boundary", boundaryPage, bounded(get(role, toSession)), allowed},
		{"a grant to a session ARN is not limited by the session policy", evalPage, sessioned(get(role, toSession)), allowed},
		{"a grant to the account leaves it to identity policies", iam + "reference_policies_elements_principal.html", get(exampleUser, toAccount), noIdentity},
		{"a grant to a federated user session is not limited", evalPage, sessioned(get(federated, toFederated)), allowed},
		{"a grant to the user who federated is limited by the session policy", evalPage, sessioned(get(federated, toUser)), noSession},
		{"an explicit deny in a boundary beats a grant to the user", boundaryPage, denying, deniedByBoundary},
		{"an SCP must allow as well", scpPage, scp(`{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}`), noSCP},
		{"an SCP's deny is final", scpPage, scp(`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}`), deniedBySCP},
		{"an SCP holds for the root user of a member account", scpPage, rootUnderSCP, deniedBySCP},
		{"an RCP must allow as well", evalPage, rcp, noRCP},
		{"a session policy intersects with the role's policies", iam + "access_policies.html", Request{
			Principal: role, Identity: everything, Session: narrow, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
		}, noSession},
		{"a session has what both its role and its session policy allow", iam + "access_policies.html", Request{
			Principal: role, Identity: everything, Session: narrow, Action: "ec2:StartInstances", Resource: "*",
		}, allowed},
	}
}

func crossAccountCases(t *testing.T) []awsCase {
	t.Helper()
	carlos := user("111111111111", "carlossalazar")
	identity := docs(doc(t, `
		{"Sid": "AllowS3ListRead", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
		{"Sid": "AllowS3ProductionObjectActions", "Effect": "Allow", "Action": "s3:*Object*", "Resource": "arn:aws:s3:::Production/*"},
		{"Sid": "DenyS3Logs", "Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]}`))
	bucket := new(doc(t, `{"Effect": "Allow", "Action": ["s3:GetObject*", "s3:PutObject*", "s3:ReplicateObject", "s3:RestoreObject"],
		"Principal": {"AWS": "arn:aws:iam::111111111111:user/carlossalazar"}, "Resource": "arn:aws:s3:::Production/*"}`))
	ask := func(action, resource string, identity []Document, bucket *Document) Request {
		return Request{
			Principal: carlos, Action: action, Resource: "arn:aws:s3:::" + resource, ResourceAccount: "222222222222",
			Identity: identity, ResourcePolicy: bucket,
		}
	}
	bounded := ask("s3:PutObject", "Production/file", identity, bucket)
	bounded.Boundary = new(doc(t, `{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}`))
	rooted := ask("s3:PutObject", "Production/file", nil, new(doc(t, `{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::Production/*"}`)))
	rooted.Principal = root("111111111111")
	public := new(doc(t, `{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::Production/*"}`))
	return []awsCase{
		{"across accounts a deny of the caller's side is final", crossPage, ask("s3:PutObject", "Production-logs/file", identity, nil), deniedByIdentity},
		{"across accounts both sides allow", crossPage, ask("s3:PutObject", "Production/file", identity, bucket), allowed},
		{"across accounts the bucket's side must allow the action", crossPage, ask("s3:DeleteObject", "Production/file", identity, bucket), noResource},
		{"across accounts an identity policy alone is not enough", crossPage, ask("s3:PutObject", "Production/file", identity, nil), noResource},
		{"across accounts a bucket policy alone is not enough", crossPage, ask("s3:PutObject", "Production/file", nil, bucket), noIdentity},
		{"across accounts a boundary limits even a grant to the user ARN", crossPage, bounded, noBoundary},
		{"across accounts a public bucket still needs an identity policy", iam + "reference_policies_elements_principal.html", ask("s3:GetObject", "Production/file", nil, public), noIdentity},
		{"across accounts the other account's root user needs only the bucket policy", crossPage, rooted, allowed},
	}
}
