package policy

import "testing"

const (
	bucketPage     = s3g + "example-bucket-policies.html"
	keysPage       = s3g + "amazon-s3-policy-keys.html"
	walkthrough1   = s3g + "example-walkthroughs-managing-access-example1.html"
	walkthrough2   = s3g + "example-walkthroughs-managing-access-example2.html"
	walkthrough4   = s3g + "example-walkthroughs-managing-access-example4.html"
	keyPolicyPage  = kms + "key-policy-default.html"
	externalPage   = kms + "key-policy-modifying-external-accounts.html"
	keyPolicies    = kms + "key-policies.html"
	deputyPage     = iam + "confused-deputy.html"
	trustPage      = iam + "id_roles_compare-resource-policies.html"
	deniedRootPage = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html"
)

// onBucket is a request of a caller whose own policies allow all of S3.
func onBucket(t *testing.T, p Principal, action, resource, policy string, context ...string) Request {
	t.Helper()
	return Request{
		Principal: p, Action: action, Resource: "arn:aws:s3:::" + resource, ResourceAccount: "111122223333",
		Identity:       docs(doc(t, `{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}`)),
		ResourcePolicy: new(doc(t, policy)), Context: given(context...),
	}
}

func bucketCases(t *testing.T) []awsCase {
	t.Helper()
	both := `["arn:aws:s3:::DOC-EXAMPLE-BUCKET", "arn:aws:s3:::DOC-EXAMPLE-BUCKET/*"]`
	objects := `"arn:aws:s3:::DOC-EXAMPLE-BUCKET/*"`
	key := "DOC-EXAMPLE-BUCKET/key"
	own, other := user("111122223333", "own"), user("444455556666", "other")
	noIdentities := func(r Request) Request { r.Identity = nil; return r }

	kmsAlways := `{"Sid": "DenyObjectsThatAreNotSSEKMS", "Principal": "*", "Effect": "Deny", "Action": "s3:PutObject", "Resource": ` + objects + `,
		"Condition": {"Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "true"}}}`
	oneKey := `{"Principal": "*", "Effect": "Deny", "Action": "s3:PutObject", "Resource": ` + objects + `,
		"Condition": {"ArnNotEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:us-east-2:111122223333:key/01234567"}}}`
	acl := `{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"]}, "Action": ["s3:PutObject", "s3:PutObjectAcl"],
		"Resource": ` + objects + `, "Condition": {"StringEquals": {"s3:x-amz-acl": ["public-read"]}}}`
	tls := `{"Sid": "RestrictToTLSRequestsOnly", "Action": "s3:*", "Effect": "Deny", "Resource": ` + both + `, "Condition": {"Bool": {"aws:SecureTransport": "false"}}, "Principal": "*"}`
	ip := `{"Sid": "IPAllow", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ` + both + `, "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}`
	mix := `{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ` + both + `, "Condition": {
		"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:DB8:1234:5678::/64"]},
		"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678:ABCD::/80"]}}}`
	mfa := `{"Version": "2012-10-17", "Id": "123", "Statement": [
		{"Sid": "", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::DOC-EXAMPLE-BUCKET/taxdocuments/*", "Condition": {"Null": {"aws:MultiFactorAuthAge": true}}},
		{"Sid": "", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::DOC-EXAMPLE-BUCKET/taxdocuments/*", "Condition": {"NumericGreaterThan": {"aws:MultiFactorAuthAge": 3600}}},
		{"Sid": "", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": ` + objects + `}]}`
	logs := `{"Principal": {"Service": "logging.s3.amazonaws.com"}, "Effect": "Allow", "Action": "s3:PutObject", "Resource": ` + objects + `,
			"Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::EXAMPLE-SOURCE-BUCKET"}}},
		{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": ` + objects + `,
			"Condition": {"ForAllValues:StringNotEquals": {"aws:PrincipalServiceNamesList": "logging.s3.amazonaws.com"}}}`
	source := []string{"aws:SourceAccount", "111111111111", "aws:SourceArn", "arn:aws:s3:::EXAMPLE-SOURCE-BUCKET", "aws:PrincipalServiceNamesList", "logging.s3.amazonaws.com"}
	org := `{"Principal": {"AWS": "*"}, "Effect": "Allow", "Action": "s3:GetObject", "Resource": ` + objects + `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-aa111bb222"]}}}`
	referer := `{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": ` + objects + `,
		"Condition": {"StringLike": {"aws:Referer": ["http://www.example.com/*", "http://example.com/*"]}}}`
	kmsID := "s3:x-amz-server-side-encryption-aws-kms-key-id"
	return []awsCase{
		{"an upload without a KMS key is denied", bucketPage, onBucket(t, own, "s3:PutObject", key, kmsAlways), deniedByResource},
		{"an upload with a KMS key is not denied", bucketPage, onBucket(t, own, "s3:PutObject", key, kmsAlways, kmsID, "arn:aws:kms:x"), allowed},
		{"an upload with another KMS key is denied", bucketPage, onBucket(t, own, "s3:PutObject", key, oneKey, kmsID, "arn:aws:kms:us-east-2:111122223333:key/999"), deniedByResource},
		{"another account uploads with the asked ACL", bucketPage, onBucket(t, other, "s3:PutObject", key, acl, "s3:x-amz-acl", "public-read"), allowed},
		{"another account does not upload without the asked ACL", bucketPage, onBucket(t, other, "s3:PutObject", key, acl), noResource},
		{"plain HTTP is denied", bucketPage, onBucket(t, own, "s3:ListBucket", "DOC-EXAMPLE-BUCKET", tls, "aws:SecureTransport", "false"), deniedByResource},
		{"HTTPS is not denied", bucketPage, onBucket(t, own, "s3:ListBucket", "DOC-EXAMPLE-BUCKET", tls, "aws:SecureTransport", "true"), allowed},
		{"a statement that only denies grants nothing", bucketPage, noIdentities(onBucket(t, own, "s3:ListBucket", "DOC-EXAMPLE-BUCKET", tls, "aws:SecureTransport", "true")), noIdentity},
		{"addresses outside of the network are denied", bucketPage, onBucket(t, own, "s3:GetObject", key, ip, "aws:SourceIp", "198.51.100.1"), deniedByResource},
		{"addresses of the network are not denied", bucketPage, onBucket(t, own, "s3:GetObject", key, ip, "aws:SourceIp", "192.0.2.1"), allowed},
		{"an IPv6 address of the allowed network may read", bucketPage, onBucket(t, Principal{}, "s3:GetObject", key, mix, "aws:SourceIp", "2001:DB8:1234:5678::1"), allowed},
		{"an IPv6 address of the excluded network may not read", bucketPage, onBucket(t, Principal{}, "s3:GetObject", key, mix, "aws:SourceIp", "2001:DB8:1234:5678:ABCD::1"), noResource},
		{"without MFA the folder is denied", bucketPage, onBucket(t, own, "s3:GetObject", "DOC-EXAMPLE-BUCKET/taxdocuments/1", mfa), deniedByResource},
		{"with recent MFA the folder is open", bucketPage, onBucket(t, own, "s3:GetObject", "DOC-EXAMPLE-BUCKET/taxdocuments/1", mfa, "aws:MultiFactorAuthAge", "3600"), allowed},
		{"with old MFA the folder is denied", bucketPage, onBucket(t, own, "s3:GetObject", "DOC-EXAMPLE-BUCKET/taxdocuments/1", mfa, "aws:MultiFactorAuthAge", "3601"), deniedByResource},
		{"outside of the folder anybody reads", bucketPage, onBucket(t, Principal{}, "s3:GetObject", key, mfa), allowed},
		{"the logging service writes for its source", bucketPage, onBucket(t, service("logging.s3.amazonaws.com"), "s3:PutObject", key, logs, source...), allowed},
		{"the logging service does not write for another source", bucketPage, onBucket(t, service("logging.s3.amazonaws.com"), "s3:PutObject", key, logs,
			"aws:SourceAccount", "222222222222", "aws:PrincipalServiceNamesList", "logging.s3.amazonaws.com"), noResource},
		{"users may not write where only the logging service may", bucketPage, onBucket(t, own, "s3:PutObject", key, logs), deniedByResource},
		{"a user of the organisation reads", bucketPage, onBucket(t, other, "s3:GetObject", key, org, "aws:PrincipalOrgID", "o-aa111bb222"), allowed},
		{"a user outside of the organisation does not read", bucketPage, onBucket(t, other, "s3:GetObject", key, org, "aws:PrincipalOrgID", "o-other"), noResource},
		{"a page of the site may show an object", bucketPage, onBucket(t, Principal{}, "s3:GetObject", key, referer, "aws:Referer", "http://example.com/index.html"), allowed},
		{"no referer, no object", bucketPage, onBucket(t, Principal{}, "s3:GetObject", key, referer), noResource},
	}
}

func bucketConditionCases(t *testing.T) []awsCase {
	t.Helper()
	dave, daveB := user("111122223333", "Dave"), user("444455556666", "Dave")
	grant := `{"Sid": "statement1", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:user/Dave"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"},
		{"Sid": "statement2", "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::444455556666:user/Dave"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*",
		"Condition": {"StringNotEquals": {"s3:x-amz-grant-full-control": "id=AccountA"}}}`
	source := `{"Sid": "Deny if copy source is not /bucket/folder", "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:user/Dave"}, "Action": "s3:PutObject",
		"Resource": "arn:aws:s3:::b/*", "Condition": {"StringNotLike": {"s3:x-amz-copy-source": "b/public/*"}}}`
	tls := `{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"], "Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}}`
	version := `{"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObjectVersion", "Resource": "arn:aws:s3:::b/HappyFace.jpg", "Condition": {"StringNotEquals": {"s3:VersionId": "Aaa"}}}`
	prefix := `{"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b", "Condition": {"StringEquals": {"s3:prefix": "projects"}}},
		{"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b", "Condition": {"StringNotEquals": {"s3:prefix": "projects"}}}`
	accountB := `{"Sid": "Example permissions", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
		"Action": ["s3:GetLifecycleConfiguration", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b"]}`
	denyB := accountB + `, {"Sid": "Deny permission", "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::b"]}`
	listOnly := docs(doc(t, `{"Sid": "Example", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::b"]}`))
	asDave := func(action, policy string) Request {
		r := onBucket(t, daveB, action, "b", policy)
		r.Identity = listOnly
		return r
	}
	shared := `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/Dave"}, "Action": ["s3:GetBucketLocation", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b"]}`
	byBucket := onBucket(t, dave, "s3:ListBucket", "b", shared)
	byBucket.Identity = nil
	locked := `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}`
	owner := `{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}`
	ownedBy := onBucket(t, dave, "s3:GetObject", "b/k", owner)
	ownedBy.Identity = append(ownedBy.Identity, doc(t, `{"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"s3:ResourceAccount": "999999999999"}}}`))
	return []awsCase{
		{"an upload that grants the owner is allowed", keysPage, onBucket(t, daveB, "s3:PutObject", "b/k", grant, "s3:x-amz-grant-full-control", "id=AccountA"), allowed},
		{"an upload without the grant is denied whatever other policies say", keysPage, onBucket(t, daveB, "s3:PutObject", "b/k", grant), deniedByResource},
		{"a copy from the folder is allowed", keysPage, onBucket(t, dave, "s3:PutObject", "b/k", source, "s3:x-amz-copy-source", "b/public/face.jpg"), allowed},
		{"a copy from elsewhere is denied", keysPage, onBucket(t, dave, "s3:PutObject", "b/k", source, "s3:x-amz-copy-source", "b/private/face.jpg"), deniedByResource},
		{"an upload that is no copy is denied as well", keysPage, onBucket(t, dave, "s3:PutObject", "b/k", source), deniedByResource},
		{"old TLS is denied", keysPage, onBucket(t, dave, "s3:PutObject", "b/k", tls, "s3:TlsVersion", "1.1"), deniedByResource},
		{"new TLS is not denied", keysPage, onBucket(t, dave, "s3:PutObject", "b/k", tls, "s3:TlsVersion", "1.2"), allowed},
		{"the one version may be read", keysPage, onBucket(t, dave, "s3:GetObjectVersion", "b/HappyFace.jpg", version, "s3:VersionId", "Aaa"), allowed},
		{"another version may not be read", keysPage, onBucket(t, dave, "s3:GetObjectVersion", "b/HappyFace.jpg", version, "s3:VersionId", "Bbb"), deniedByResource},
		{"the prefix may be listed", keysPage, onBucket(t, dave, "s3:ListBucket", "b", prefix, "s3:prefix", "projects"), allowed},
		{"a listing without prefix is denied", keysPage, onBucket(t, dave, "s3:ListBucket", "b", prefix), deniedByResource},
		{"the owner's account may be required", keysPage, ownedBy, deniedByIdentity},
		{"a bucket owner grants its own user by bucket policy", walkthrough1, byBucket, allowed},
		{"a user of account B lists with what B delegates", walkthrough2, asDave("s3:ListBucket", accountB), allowed},
		{"a user of account B has no more than B delegates", walkthrough2, asDave("s3:GetLifecycleConfiguration", accountB), noIdentity},
		{"a deny of account B meets its users", walkthrough2, asDave("s3:ListBucket", denyB), deniedByResource},
		{"the owner's root user can delete a policy that denies all", deniedRootPage, onBucket(t, root("111122223333"), "s3:DeleteBucketPolicy", "b", locked), allowed},
		{"the owner's root user cannot read past a deny", deniedRootPage, onBucket(t, root("111122223333"), "s3:GetObject", "b/k", locked), deniedByResource},
		{"an administrator cannot delete a policy that denies all", deniedRootPage, onBucket(t, dave, "s3:DeleteBucketPolicy", "b", locked), deniedByResource},
	}
}

func keyCases(t *testing.T) []awsCase {
	t.Helper()
	enable := `{"Sid": "Enable IAM policies", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}`
	users := `{"Sid": "Allow use of the key", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:user/Alice", "arn:aws:iam::444455556666:role/ExampleRole"]},
		"Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": "*"}`
	external := `{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::444455556666:root"]}, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}`
	use := func(p Principal, action, keyPolicy, identity string) Request {
		r := Request{
			Principal: p, Action: action, Resource: "arn:aws:kms:us-west-2:111122223333:key/1234abcd", ResourceAccount: "111122223333",
			ResourcePolicy: new(doc(t, keyPolicy)), ResourceMustAllow: true,
		}
		if identity != "" {
			r.Identity = docs(doc(t, identity))
		}
		return r
	}
	all := `{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}`
	alice, bob := user("111122223333", "Alice"), user("111122223333", "Bob")
	role := session("444455556666", "ExampleRole", "s")
	return []awsCase{
		{"without the key policy's leave an IAM policy has no effect", keyPolicies, use(bob, "kms:Decrypt", users, all), noResource},
		{"a key policy that names the account lets IAM policies decide", keyPolicyPage, use(bob, "kms:Decrypt", enable, all), allowed},
		{"a key policy that names the account gives its users nothing by itself", keyPolicyPage, use(bob, "kms:Decrypt", enable, ""), noIdentity},
		{"a key policy that names a user is enough", keyPolicyPage, use(alice, "kms:Decrypt", users, ""), allowed},
		{"without the key policy's leave the root user has no access", keyPolicyPage, use(root("111122223333"), "kms:Decrypt", users, ""), noResource},
		{"the root user has what the key policy gives the account", keyPolicyPage, use(root("111122223333"), "kms:PutKeyPolicy", enable, ""), allowed},
		{"an IAM policy can deny without the key policy's leave", keyPolicies, use(alice, "kms:Decrypt", users, `{"Effect": "Deny", "Action": "kms:*", "Resource": "*"}`), deniedByIdentity},
		{"an external role needs both the key policy and its IAM policy", externalPage, use(role, "kms:Decrypt", users, all), allowed},
		{"an external role without IAM policy has no access", externalPage, use(role, "kms:Decrypt", users, ""), noIdentity},
		{"an external account delegates no more than the key policy lists", externalPage, use(role, "kms:Encrypt", external, all), noResource},
		{"an external account delegates what the key policy lists", externalPage, use(role, "kms:GenerateDataKeyWithoutPlaintext", external, all), allowed},
	}
}

func trustCases(t *testing.T) []awsCase {
	t.Helper()
	assume := func(p Principal, trust, identity string, context ...string) Request {
		r := Request{
			Principal: p, Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/examplerole", ResourceAccount: "111122223333",
			ResourcePolicy: new(doc(t, trust)), ResourceMustAllow: true, Context: given(context...),
		}
		if identity != "" {
			r.Identity = docs(doc(t, identity))
		}
		return r
	}
	accountC := `{"Sid": "", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"}`
	delegated := `{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "arn:aws:iam::111122223333:role/examplerole"}`
	externalID := `{"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "12345"}}}`
	incidents := `{"Effect": "Allow", "Principal": {"Service": "ssm-incidents.amazonaws.com"}, "Action": "sts:AssumeRole",
		"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:ssm-incidents:*:111122223333:*"}}}`
	dave, own := user("444455556666", "Dave"), user("111122223333", "Own")
	return []awsCase{
		{"a user of the trusted account assumes the role with what is delegated", walkthrough4, assume(dave, accountC, delegated), allowed},
		{"a user of the trusted account without delegation does not", walkthrough4, assume(dave, accountC, ""), noIdentity},
		{"a user whom the trust policy does not name does not assume the role", trustPage, assume(own, accountC, delegated), noResource},
		{"the external ID lets the deputy in", deputyPage, assume(dave, externalID, delegated, "sts:ExternalId", "12345"), allowed},
		{"another customer's external ID does not", deputyPage, assume(dave, externalID, delegated, "sts:ExternalId", "67890"), noResource},
		{"a service assumes the role for its own resource", deputyPage, assume(service("ssm-incidents.amazonaws.com"), incidents, "",
			"aws:SourceArn", "arn:aws:ssm-incidents:us-east-1:111122223333:response-plan/x"), allowed},
		{"another service does not assume the role", deputyPage, assume(service("ec2.amazonaws.com"), incidents, ""), noResource},
	}
}
