package policy

import "testing"

const (
	principalPage    = iam + "reference_policies_elements_principal.html"
	notPrincipalPage = iam + "reference_policies_elements_notprincipal.html"
	actionPage       = iam + "reference_policies_elements_action.html"
	notActionPage    = iam + "reference_policies_elements_notaction.html"
	resourcePage     = iam + "reference_policies_elements_resource.html"
	notResourcePage  = iam + "reference_policies_elements_notresource.html"
	variablesPage    = iam + "reference_policies_variables.html"
)

func principalCases(t *testing.T) []awsCase {
	t.Helper()
	grant := func(principal string) *Document {
		return new(doc(t, `{"Effect": "Allow", "Principal": `+principal+`, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKETNAME/*"}`))
	}
	get := func(p Principal, bucket *Document) Request {
		return Request{
			Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::BUCKETNAME/key", ResourceAccount: "123456789012",
			Identity: docs(doc(t, `{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}`)), ResourcePolicy: bucket,
		}
	}
	alone := func(r Request) Request { r.Identity = nil; return r }
	bounded := func(r Request) Request {
		r.Boundary = new(doc(t, `{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}`))
		return r
	}
	two := grant(`{"AWS": ["123456789012", "555555555555"]}`)
	canonical := user("999999999999", "x")
	canonical.CanonicalUser = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
	byArn := new(doc(t, `{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKETNAME/*",
		"Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/r"}}}`))
	exceptArn := new(doc(t, `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::BUCKETNAME/*", "arn:aws:s3:::BUCKETNAME"],
		"Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:user/user-name"}}}`))
	return append(notPrincipalCases(t, get), []awsCase{
		{"one of two accounts named by ID may read", principalPage, get(user("555555555555", "u"), two), allowed},
		{"an account that is not named may not read", principalPage, get(user("666666666666", "u"), two), noResource},
		{"an account's ARN does not mean its root user alone", principalPage, get(user("555555555555", "u"), grant(`{"AWS": "arn:aws:iam::555555555555:root"}`)), allowed},
		{"a canonical user ID names an account", principalPage, get(canonical, grant(`{"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`)), allowed},
		{"user names in a principal are case-sensitive", principalPage, get(user("555555555555", "jane"), grant(`{"AWS": "arn:aws:iam::555555555555:user/Jane"}`)), noResource},
		{"a star cannot stand for a part of a principal", principalPage, get(user("555555555555", "jane"), grant(`{"AWS": "arn:aws:iam::555555555555:user/*"}`)), noResource},
		{"everyone includes anonymous callers", principalPage, get(Principal{}, grant(`"*"`)), allowed},
		{"a star under AWS includes anonymous callers", principalPage, get(Principal{}, grant(`{"AWS": "*"}`)), allowed},
		{"a named account does not include anonymous callers", principalPage, get(Principal{}, two), noResource},
		{"everyone needs no other permission within the account", principalPage, alone(get(user("123456789012", "u"), grant(`"*"`))), allowed},
		{"a deleted user's unique ID matches a user re-created under its name no more", principalPage, alone(get(user("123456789012", "u"), grant(`{"AWS": "AIDAOLDOLDOLDOLDOLD"}`))), noIdentity},
		{"a role's session is its role for aws:PrincipalArn", principalPage, alone(get(session("123456789012", "r", "s"), byArn)), allowed},
		{"a boundary does not limit everyone with aws:PrincipalArn", principalPage, bounded(alone(get(session("123456789012", "r", "s"), byArn))), allowed},
		{"a deny for everyone but one ARN spares that user", principalPage, get(user("123456789012", "user-name"), exceptArn), allowed},
		{"a deny for everyone but one ARN meets other users", principalPage, get(user("123456789012", "other"), exceptArn), deniedByResource},
		{"a deny for everyone but one ARN meets anonymous callers, who have no ARN", principalPage, get(Principal{}, exceptArn), deniedByResource},
	}...)
}

func notPrincipalCases(t *testing.T, get func(Principal, *Document) Request) []awsCase {
	t.Helper()
	except := func(effect, names string) *Document {
		return new(doc(t, `{"Effect": "`+effect+`", "NotPrincipal": {"AWS": `+names+`}, "Action": "s3:*", "Resource": ["arn:aws:s3:::BUCKETNAME", "arn:aws:s3:::BUCKETNAME/*"]},
			{"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "s3:*", "Resource": "arn:aws:s3:::BUCKETNAME/*"}`))
	}
	bob := `["arn:aws:iam::444455556666:user/Bob", "arn:aws:iam::444455556666:root"]`
	audit := session("444455556666", "cross-account-read-only-role", "cross-account-audit-app")
	whole := `["arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/cross-account-audit-app",
		"arn:aws:iam::444455556666:role/cross-account-read-only-role", "arn:aws:iam::444455556666:root"]`
	noRole := `["arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/cross-account-audit-app", "arn:aws:iam::444455556666:root"]`
	return []awsCase{
		{"NotPrincipal with Deny spares a user listed with the account", notPrincipalPage, get(user("444455556666", "Bob"), except("Deny", bob)), allowed},
		{"NotPrincipal with Deny meets every other user", notPrincipalPage, get(user("444455556666", "Alice"), except("Deny", bob)), deniedByResource},
		{"NotPrincipal with Deny meets a user listed without the account", notPrincipalPage, get(user("444455556666", "Bob"), except("Deny", `"arn:aws:iam::444455556666:user/Bob"`)), deniedByResource},
		{"NotPrincipal with Deny spares a session listed with role and account", notPrincipalPage, get(audit, except("Deny", whole)), allowed},
		{"NotPrincipal with Deny meets a session listed without its role", notPrincipalPage, get(audit, except("Deny", noRole)), deniedByResource},
		{"NotPrincipal with Allow lets anonymous callers in", notPrincipalPage, get(Principal{}, except("Allow", bob)), allowed},
	}
}

func elementCases(t *testing.T) []awsCase {
	t.Helper()
	u := user("123456789012", "David")
	by := func(text, action, resource string, context ...string) Request {
		return Request{Principal: u, Identity: docs(doc(t, text)), Action: action, Resource: resource, Context: given(context...)}
	}
	keys := `{"Effect": "Allow", "Action": "IAM:*accesskey*", "Resource": "*"}`
	test := `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::DOC-EXAMPLE-BUCKET/*/test/*"}`
	in := "arn:aws:s3:::DOC-EXAMPLE-BUCKET/"
	notIAM := `{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}`
	noDelete := `{"Effect": "Allow", "NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::*"}`
	mfa := `{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
		"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}`
	payroll := `{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*",
		"NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"]}`
	return []awsCase{
		{"actions are case-insensitive and take wildcards", actionPage, by(keys, "iam:CreateAccessKey", "*"), allowed},
		{"an action wildcard does not reach over other names", actionPage, by(keys, "iam:CreateUser", "*"), noIdentity},
		{"a star in a resource takes slashes in", resourcePage, by(test, "s3:GetObject", in+"1/2/test/3/object.jpg"), allowed},
		{"a star in a resource takes an empty part", resourcePage, by(test, "s3:GetObject", in+"/test/object.jpg"), allowed},
		{"a star in a resource takes an empty end", resourcePage, by(test, "s3:GetObject", in+"1/test/"), allowed},
		{"the text between stars must be there", resourcePage, by(test, "s3:GetObject", in+"1-test/object.jpg"), noIdentity},
		{"a slash in the pattern must be there", resourcePage, by(test, "s3:GetObject", in+"test/object.jpg"), noIdentity},
		{"a question mark is one character", resourcePage, by(`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/?.jpg"}`, "s3:GetObject", "arn:aws:s3:::b/10.jpg"), noIdentity},
		{"a star that ends a part reaches over colons", resourcePage, by(`{"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:queue1"}`, "sqs:SendMessage", "arn:aws:sqs:us-east-2:123456789012:queue1"), allowed},
		{"a star within a part does not reach over colons", resourcePage, by(`{"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:us*2:queue1"}`, "sqs:SendMessage", "arn:aws:sqs:us-east-2:123456789012:queue1"), noIdentity},
		{"object keys are case-sensitive", resourcePage, by(`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/Key"}`, "s3:GetObject", "arn:aws:s3:::b/key"), noIdentity},
		{"a bucket's ARN does not mean its objects", s3g + "s3-arn-format.html", by(`{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}`, "s3:GetObject", "arn:aws:s3:::b/key"), noIdentity},
		{"NotAction allows every other service", notActionPage, by(notIAM, "s3:GetObject", "arn:aws:s3:::b/key"), allowed},
		{"NotAction does not allow what it names", notActionPage, by(notIAM, "iam:GetUser", "*"), noIdentity},
		{"NotAction with a resource excludes the one action", notActionPage, by(noDelete, "s3:DeleteBucket", "arn:aws:s3:::b"), noIdentity},
		{"NotAction with a resource does not reach other services", notActionPage, by(noDelete, "sqs:SendMessage", "arn:aws:sqs:us-east-2:123456789012:q"), noIdentity},
		{"NotAction with Deny holds without MFA", notActionPage, by(mfa, "s3:GetObject", "arn:aws:s3:::b/key", "aws:MultiFactorAuthPresent", "false"), deniedByIdentity},
		{"BoolIfExists holds where the key is missing", notActionPage, by(mfa, "s3:GetObject", "arn:aws:s3:::b/key"), deniedByIdentity},
		{"NotAction with Deny is lifted by MFA", notActionPage, by(mfa, "s3:GetObject", "arn:aws:s3:::b/key", "aws:MultiFactorAuthPresent", "true"), allowed},
		{"NotAction with Deny leaves IAM open", notActionPage, by(mfa, "iam:GetUser", "*"), allowed},
		{"NotResource with Deny spares the folder", notResourcePage, by(payroll, "s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/2024"), allowed},
		{"NotResource with Deny meets new folders", notResourcePage, by(payroll, "s3:GetObject", "arn:aws:s3:::HRBucket/Other/2024"), deniedByIdentity},
		{"NotResource with Deny leaves other services alone", notResourcePage, by(payroll, "ec2:StartInstances", "*"), allowed},
	}
}

func variableCases(t *testing.T) []awsCase {
	t.Helper()
	home := `{"Action": ["s3:ListBucket"], "Effect": "Allow", "Resource": ["arn:aws:s3:::mybucket"], "Condition": {"StringLike": {"s3:prefix": ["${aws:username}/*"]}}},
		{"Action": ["s3:GetObject", "s3:PutObject"], "Effect": "Allow", "Resource": ["arn:aws:s3:::mybucket/${aws:username}/*"]}`
	by := func(p Principal, text, action, resource string, context ...string) Request {
		return Request{Principal: p, Identity: docs(doc(t, text)), Action: action, Resource: resource, Context: given(context...)}
	}
	david := user("123456789012", "David")
	team := `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::DOC-EXAMPLE-BUCKET-${aws:PrincipalTag/team, 'company-wide'}"}`
	old := `{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mybucket/${aws:username}/*"}]}`
	object := `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*",
		"Condition": {"StringNotEquals": {"s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}"}}}`
	star := `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mybucket/${*}/x"}`
	tagged := `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mybucket/${aws:PrincipalTag/path}/x"}`
	queue := `{"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:us-east-2:*:${AWS:UserName}-queue"}`
	return []awsCase{
		{"a variable stands for the user's name in a resource", variablesPage, by(david, home, "s3:GetObject", "arn:aws:s3:::mybucket/David/a"), allowed},
		{"another user's folder stays closed", variablesPage, by(david, home, "s3:GetObject", "arn:aws:s3:::mybucket/Adele/a"), noIdentity},
		{"a variable stands for the user's name in a condition", variablesPage, by(david, home, "s3:ListBucket", "arn:aws:s3:::mybucket", "s3:prefix", "David/2024"), allowed},
		{"names of keys are case-insensitive in variables", variablesPage, by(david, queue, "sqs:SendMessage", "arn:aws:sqs:us-east-2:123456789012:David-queue"), allowed},
		{"a session has no user name, so the resource matches nothing", variablesPage, by(session("123456789012", "r", "David"), home, "s3:GetObject", "arn:aws:s3:::mybucket/David/a"), noIdentity},
		{"before 2012-10-17 a variable is plain text", variablesPage, by(david, old, "s3:GetObject", "arn:aws:s3:::mybucket/David/a"), noIdentity},
		{"before 2012-10-17 a variable's plain text matches itself", variablesPage, by(david, old, "s3:GetObject", "arn:aws:s3:::mybucket/${aws:username}/a"), allowed},
		{"a tag names the team's bucket", variablesPage, by(david, team, "s3:ListBucket", "arn:aws:s3:::DOC-EXAMPLE-BUCKET-yellow", "aws:PrincipalTag/team", "yellow"), allowed},
		{"a default stands in for a missing tag", variablesPage, by(david, team, "s3:ListBucket", "arn:aws:s3:::DOC-EXAMPLE-BUCKET-company-wide"), allowed},
		{"a default does not stand beside the tag", variablesPage, by(david, team, "s3:ListBucket", "arn:aws:s3:::DOC-EXAMPLE-BUCKET-company-wide", "aws:PrincipalTag/team", "yellow"), noIdentity},
		{"a variable without value equals nothing, so a negated operator holds", variablesPage, by(david, object, "s3:GetObject", "arn:aws:s3:::b/k", "s3:ExistingObjectTag/Team", "x"), deniedByIdentity},
		{"an equal tag lifts the negated operator", variablesPage, by(david, object, "s3:GetObject", "arn:aws:s3:::b/k", "s3:ExistingObjectTag/Team", "x", "aws:PrincipalTag/Team", "x"), allowed},
		{"an escaped star is a star", variablesPage, by(david, star, "s3:GetObject", "arn:aws:s3:::mybucket/*/x"), allowed},
		{"an escaped star is no wildcard", variablesPage, by(david, star, "s3:GetObject", "arn:aws:s3:::mybucket/a/x"), noIdentity},
		{"a key with several values is no variable", variablesPage, by(david, tagged, "s3:GetObject", "arn:aws:s3:::mybucket/a/x", "aws:PrincipalTag/path", "a", "aws:PrincipalTag/path", "b"), noIdentity},
	}
}
