package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"xplan/internal/sandbox"
)

// A denial is a way in which a permission is broken, and the words that say it: by the plan, before anything is changed, or by the run, where AWS lets
// nobody know before.
type denial struct {
	kind string
	says string // a regular expression
	// arrange breaks it, and writes plan.yaml.
	arrange func(t *testing.T, s *site)
	// lets: the run comes to its end all the same
	lets bool
}

const (
	denyTommy   = `{"Version":"2012-10-17","Statement":[{"Sid":%q,"Effect":"Deny","Principal":"*","Action":%q,"Resource":["arn:aws:s3:::%s","arn:aws:s3:::%[3]s/*"]%s}]}`
	docsByHand  = docsHead + "principal: {arn: " + docsUser + ", credentials: profile, profile: misterrodgers}\npermissions: {manage: false}\n"
	docsTrusted = docsHead + "principal: {arn: arn:aws:iam::" + sandbox.DestinationAccount + ":role/puller, credentials: assume-role}\n"
	everything  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":"*"}]}`
)

// arranged ends the test at an error of arranging.
func arranged(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// recipe is the recipe's world and plan.
func recipe(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	s.write(t, "plan.yaml", docsByUser+docsPair)
}

// byHand is a world in which everything is granted by hand, but that the source's policy allows only what is given.
func byHand(t *testing.T, s *site, actions ...string) {
	t.Helper()
	recipe(t, s)
	s.bucket(t, sandbox.DestinationAccount, "tommy-b", sandbox.BucketOptions{})
	key, err := s.server.AddAccessKey(docsUser)
	arranged(t, err)
	s.login(t, "misterrodgers", key.AccessKeyID, key.Secret)
	arranged(t, s.server.PutInlinePolicy(docsUser, "own", fmt.Sprintf(everything, "*")))
	arranged(t, s.server.SetBucketPolicy("tommy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+docsUser+
		`"},"Action":["`+strings.Join(actions, `","`)+`"],"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]}]}`))
	s.write(t, "plan.yaml", docsByHand+docsPair)
}

// encrypted is the recipe with a source under a customer key, and returns that.
func encrypted(t *testing.T, s *site, keyPolicy string) string {
	t.Helper()
	key, err := s.server.AddKMSKey(sandbox.SourceAccount, "us-west-2", keyPolicy)
	arranged(t, err)
	s.user(t)
	s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{Encryption: "aws:kms", KMSKey: key})
	s.fill(t, 3, sandbox.PutOptions{Encryption: "aws:kms", KMSKey: key})
	s.write(t, "plan.yaml", docsByUser+docsPair)
	return key
}

func deny(sid, action, bucket, condition string) func(t *testing.T, s *site) {
	return func(t *testing.T, s *site) {
		t.Helper()
		recipe(t, s)
		if bucket != "tommy" {
			s.bucket(t, sandbox.DestinationAccount, bucket, sandbox.BucketOptions{})
		}
		if condition != "" {
			condition = `,"Condition":` + condition
		}
		arranged(t, s.server.SetBucketPolicy(bucket, fmt.Sprintf(denyTommy, sid, action, bucket, condition)))
	}
}

// refuse answers an operation as AWS does where a rule that nobody can read denies it.
func refuse(operation, words string) func(t *testing.T, s *site) {
	return func(t *testing.T, s *site) {
		t.Helper()
		recipe(t, s)
		s.server.Inject(sandbox.Fault{Operation: operation, Do: sandbox.FaultError, Status: 403, Code: "AccessDenied", Message: words})
	}
}

func notAuthorized(who, action, resource, why string) string {
	return "User: " + who + " is not authorized to perform: " + action + " on resource: " + resource + " " + why
}

func planDenials() []denial {
	return []denial{
		{kind: "a permission to read tags is missing", says: `read tags .* no statement of the bucket policy of tommy allows it`, arrange: func(t *testing.T, s *site) {
			t.Helper()
			byHand(t, s, "s3:ListBucket", "s3:GetObject")
		}},
		{kind: "a statement denies", says: "statement NoTags of the bucket policy of tommy denies it", arrange: deny("NoTags", "s3:GetObjectTagging", "tommy", "")},
		{
			kind: "uploads must name their encryption", says: "statement Header of the bucket policy of tommy-b denies it",
			arrange: deny("Header", "s3:PutObject", "tommy-b", `{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`),
		},
		{kind: "nobody may change the bucket's policy", says: "let the principal in.* statement Locked of the bucket policy of tommy denies it", arrange: deny("Locked", "s3:PutBucketPolicy", "tommy", "")},
		{
			kind: "an address decides", says: `may be denied: .* statement Net of the bucket policy of tommy denies it, depending on aws:SourceIp`,
			arrange: deny("Net", "s3:GetObject", "tommy", `{"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`), lets: true,
		},
		{kind: "public access is blocked", says: "it has public statements and BlockPublicPolicy is on", arrange: func(t *testing.T, s *site) {
			t.Helper()
			recipe(t, s)
			arranged(t, s.server.SetBucketPolicy("tommy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*"}]}`))
		}},
		{kind: "the bucket is another account's", says: "it belongs to another account than 123456789012", arrange: func(t *testing.T, s *site) {
			t.Helper()
			s.user(t)
			s.bucket(t, sandbox.DestinationAccount, "tommy", sandbox.BucketOptions{})
			s.write(t, "plan.yaml", docsByUser+docsPair)
		}},
		{kind: "a KMS key without a grant", says: "decrypt source .* no statement of the policy of key arn:aws:kms:\\S+ allows it", arrange: func(t *testing.T, s *site) {
			t.Helper()
			encrypted(t, s, "")
			key, err := s.server.AddAccessKey(docsUser)
			arranged(t, err)
			s.login(t, "misterrodgers", key.AccessKeyID, key.Secret)
			arranged(t, s.server.PutInlinePolicy(docsUser, "own", fmt.Sprintf(everything, "*")))
			arranged(t, s.server.SetBucketPolicy("tommy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+docsUser+`"},"Action":"s3:*","Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]}]}`))
			s.write(t, "plan.yaml", docsByHand+docsPair)
		}},
		{kind: "a KMS key that others administer", says: "let the principal decrypt.* no statement of the policy of key arn:aws:kms:\\S+ allows it", arrange: func(t *testing.T, s *site) {
			t.Helper()
			encrypted(t, s, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["kms:Describe*","kms:Get*","kms:List*","kms:Decrypt","kms:GenerateDataKey"],"Resource":"*"}]}`)
		}},
		{kind: "the AWS-managed key across accounts", says: "it is encrypted with the AWS-managed key aws/s3, which no other account can use", arrange: func(t *testing.T, s *site) {
			t.Helper()
			s.user(t)
			s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{Encryption: "aws:kms"})
			s.fill(t, 1, sandbox.PutOptions{})
			s.write(t, "plan.yaml", docsByUser+docsPair)
		}},
		{kind: "a disabled key", says: "it is Disabled, so that bucket tommy cannot be used", arrange: func(t *testing.T, s *site) {
			t.Helper()
			arranged(t, s.server.DisableKey(encrypted(t, s, "")))
		}},
		{kind: "a key of another region", says: "is in eu-west-1 and the bucket in us-west-2", arrange: func(t *testing.T, s *site) {
			t.Helper()
			recipe(t, s)
			key, err := s.server.AddKMSKey(sandbox.DestinationAccount, "eu-west-1", "")
			arranged(t, err)
			s.write(t, "plan.yaml", docsByUser+"buckets: [{source: tommy, destination: tommy-b, settings: {encryption: {algorithm: 'aws:kms', kms_key_id: '"+key+"'}}}]\n")
		}},
		{kind: "a bucket in another region than asked", says: "it is in eu-west-1, not us-west-2", lets: true, arrange: func(t *testing.T, s *site) {
			t.Helper()
			recipe(t, s)
			s.bucket(t, sandbox.DestinationAccount, "tommy-b", sandbox.BucketOptions{Region: "eu-west-1"})
			s.write(t, "plan.yaml", docsByUser+"buckets: [{source: tommy, destination: tommy-b, settings: {region: us-west-2}}]\n")
		}},
		{kind: "an ACL on a bucket without ACLs", says: `ACLs are off \(BucketOwnerEnforced\): acl: bucket-owner-full-control is accepted and does nothing`, lets: true, arrange: func(t *testing.T, s *site) {
			t.Helper()
			recipe(t, s)
			s.bucket(t, sandbox.DestinationAccount, "tommy-b", sandbox.BucketOptions{})
			s.write(t, "plan.yaml", docsByUser+docsPair+"copy: {acl: bucket-owner-full-control}\n")
		}},
		{kind: "a permission to write ACLs is missing", says: `s3:PutObjectAcl on .* no statement of the policies of user/misterrodgers allows it`, arrange: func(t *testing.T, s *site) {
			t.Helper()
			byHand(t, s, "s3:*")
			arranged(t, s.server.PutInlinePolicy(docsUser, "own", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"s3:PutObjectAcl","Resource":"*"}]}`))
			s.write(t, "plan.yaml", docsByHand+docsPair+"copy: {acl: bucket-owner-full-control}\n")
		}},
		{kind: "a permissions boundary", says: "no statement of the permissions boundary edge allows it", arrange: func(t *testing.T, s *site) {
			t.Helper()
			recipe(t, s)
			arranged(t, s.server.SetBoundary(docsUser, "edge", fmt.Sprintf(everything, "s3:Get*")))
		}},
		{kind: "a deny in another policy of the principal", says: "statement Never of inline policy lock of user/misterrodgers denies it", arrange: func(t *testing.T, s *site) {
			t.Helper()
			recipe(t, s)
			arranged(t, s.server.PutInlinePolicy(docsUser, "lock", `{"Version":"2012-10-17","Statement":[{"Sid":"Never","Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]}`))
		}},
		{kind: "the principal is missing", says: "user/misterrodgers: it does not exist in account 210987654321", arrange: func(t *testing.T, s *site) {
			t.Helper()
			s.tommy(t)
			s.write(t, "plan.yaml", docsByUser+docsPair)
		}},
		{kind: "the role trusts another", says: "assume the role .* no statement of the trust policy of role/puller allows it", arrange: func(t *testing.T, s *site) {
			t.Helper()
			recipe(t, s)
			_, err := s.server.AddRole(sandbox.DestinationAccount, "puller", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+docsUser+`"},"Action":"sts:AssumeRole"}]}`)
			arranged(t, err)
			s.write(t, "plan.yaml", docsTrusted+docsPair)
		}},
		{kind: "requester pays", says: "requester pays: account 210987654321 is billed", lets: true, arrange: func(t *testing.T, s *site) {
			t.Helper()
			s.user(t)
			s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{RequesterPay: true})
			s.fill(t, 2, sandbox.PutOptions{})
			s.write(t, "plan.yaml", docsByUser+docsPair)
		}},
		{kind: "MFA delete", says: "it has MFA delete, so the plan may not delete its objects", arrange: func(t *testing.T, s *site) {
			t.Helper()
			s.user(t)
			s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{Versioning: "Enabled", MFADelete: true})
			s.fill(t, 2, sandbox.PutOptions{})
			s.write(t, "plan.yaml", docsByUser+docsPair+"cleanup: {source_objects: after-verify}\n")
		}},
	}
}

func runDenials() []denial {
	const adminA, adminB = "arn:aws:iam::" + sandbox.SourceAccount + ":user/admin", "arn:aws:iam::" + sandbox.DestinationAccount + ":user/admin"
	return []denial{
		{
			kind: "an organisation's policy denies setting up", says: `an explicit deny in a service control policy: only who administers the organisation can lift it`,
			arrange: refuse("PutBucketPolicy", notAuthorized(adminA, "s3:PutBucketPolicy", `"arn:aws:s3:::tommy"`, "with an explicit deny in a service control policy")),
		},
		{
			kind: "an organisation's policy denies the copy", says: `write destination: \S+ may not s3:PutObject on arn:aws:s3:::tommy-b/\S+: .*an explicit deny in a service control policy: only who administers`,
			arrange: refuse("CreateMultipartUpload", notAuthorized(docsUser, "s3:PutObject", `"arn:aws:s3:::tommy-b/x"`, "with an explicit deny in a service control policy")),
		},
		{
			kind: "the administrator may not make a policy", says: `iam.policy: ` + adminB + ` may not iam:CreatePolicy on .*no identity policy allows it: add to the policies of ` + adminB + `: \{"Effect":"Allow","Action":"iam:CreatePolicy"`,
			arrange: refuse("CreatePolicy", notAuthorized(adminB, "iam:CreatePolicy", "policy s3_copy", "because no identity-based policy allows the iam:CreatePolicy action")),
		},
		{
			kind: "the administrator may not make an access key", says: `may not iam:CreateAccessKey on `,
			arrange: refuse("CreateAccessKey", notAuthorized(adminB, "iam:CreateAccessKey", "user misterrodgers", "because no permissions boundary allows the iam:CreateAccessKey action")),
		},
		{
			kind: "a refusal across accounts without a reason", says: `source.bucket_policy: ` + adminA + ` may not s3:PutBucketPolicy on arn:aws:s3:::tommy: .*wanted in the policies of ` + adminA,
			arrange: refuse("PutBucketPolicy", "Access Denied"),
		},
		{kind: "a VPC endpoint's policy", says: `no VPC endpoint policy allows it: the VPC endpoint by which xplan reaches AWS has to allow it`, arrange: func(t *testing.T, s *site) {
			t.Helper()
			byHand(t, s, "s3:*") // what is not freshly made is not waited for
			s.server.Inject(sandbox.Fault{
				Operation: "ListObjectsV2", Caller: docsUser, Do: sandbox.FaultError, Status: 403, Code: "AccessDenied",
				Message: notAuthorized(docsUser, "s3:ListBucket", `"arn:aws:s3:::tommy"`, "because no VPC endpoint policy allows the s3:ListBucket action"),
			})
		}},
		{kind: "an object under a key of its own", says: `denied \(3 of those named\): ` + docsUser + ` may not kms:Decrypt on arn:aws:kms:\S+: `, arrange: func(t *testing.T, s *site) {
			t.Helper()
			recipe(t, s)
			key, err := s.server.AddKMSKey(sandbox.SourceAccount, "us-west-2", "")
			arranged(t, err)
			for _, name := range []string{"x1", "x2", "x3"} {
				arranged(t, s.server.PutObject("tommy", name, []byte("x"), sandbox.PutOptions{Encryption: "aws:kms", KMSKey: key}))
			}
		}},
		{
			kind: "an address that does not fit", says: `likely: statement Net of the bucket policy of tommy denies it, depending on aws:SourceIp`,
			arrange: func(t *testing.T, s *site) {
				t.Helper()
				byHand(t, s, "s3:*")
				arranged(t, s.server.SetBucketPolicy("tommy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+docsUser+`"},"Action":"s3:*","Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]},
					{"Sid":"Net","Effect":"Deny","Principal":{"AWS":"`+docsUser+`"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}]}`))
			},
		},
		{
			kind: "a statement about some keys", says: `likely: statement Secret of the bucket policy of tommy denies it, depending on the key of the object`,
			arrange: func(t *testing.T, s *site) {
				t.Helper()
				recipe(t, s)
				arranged(t, s.server.PutObject("tommy", "secret/x", []byte("x"), sandbox.PutOptions{}))
				arranged(t, s.server.SetBucketPolicy("tommy", `{"Version":"2012-10-17","Statement":[{"Sid":"Secret","Effect":"Deny","Principal":{"AWS":"`+docsUser+`"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/secret/*"}]}`))
			},
		},
	}
}

// TestABrokenPermissionIsFoundAsEarlyAsAWSLets holds the table of docs/permissions.md to the sandbox.
func TestABrokenPermissionIsFoundAsEarlyAsAWSLets(t *testing.T) {
	t.Parallel()
	documented := denialRows(t)
	for _, group := range []struct {
		when string
		all  []denial
	}{{"plan", planDenials()}, {"run", runDenials()}} {
		for _, d := range group.all {
			if documented[d.kind] != group.when {
				t.Errorf("docs/permissions.md says of %q that it is found by the %q, not the %q", d.kind, documented[d.kind], group.when)
			}
			delete(documented, d.kind)
			t.Run(d.kind, func(t *testing.T) {
				t.Parallel()
				s := denialSite(t)
				d.arrange(t, s)
				if group.when == "plan" {
					foundByPlan(t, s, d)
				} else {
					foundByRun(t, s, d)
				}
			})
		}
	}
	for kind := range documented {
		t.Errorf("docs/permissions.md has a row %q, and nothing tries it", kind)
	}
}

// denialSite has administrators who may do everything.
func denialSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	for account, profile := range map[string]string{sandbox.SourceAccount: sandbox.SourceProfile, sandbox.DestinationAccount: sandbox.DestinationProfile} {
		id, secret := s.server.Admin(account)
		s.login(t, profile, id, secret)
	}
	return s
}

// both is what a command says on both streams, unwrapped, and how it ended.
func (s *site) both(t *testing.T, args ...string) (text string, status int) {
	t.Helper()
	cmd := s.command(t, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // its status tells
	return strings.Join(strings.Fields(out.String()), " "), cmd.ProcessState.ExitCode()
}

func foundByPlan(t *testing.T, s *site, d denial) {
	t.Helper()
	before := s.server.MutationCount()
	text, _ := s.both(t, "plan", "plan.yaml")
	if !regexp.MustCompile(d.says).MatchString(text) {
		t.Errorf("the plan does not say %q:\n%s", d.says, text)
	}
	if n := s.server.MutationCount() - before; n > 0 {
		t.Errorf("planning changed %d things", n)
	}
	text, status := s.both(t, "apply", "plan.yaml", "--yes")
	switch n := s.server.MutationCount() - before; {
	case d.lets && status != exitDone:
		t.Errorf("apply: exit status %d:\n%s", status, text)
	case !d.lets && (status != exitError || n > 0):
		t.Errorf("apply: exit status %d, %d changes, want a refusal before any:\n%s", status, n, text)
	}
}

// TestAPersonMayGoOnDespiteTheFindings overrules a denial that is none any more when it comes to it.
func TestAPersonMayGoOnDespiteTheFindings(t *testing.T) {
	t.Parallel()
	s := denialSite(t)
	recipe(t, s)
	lock := `{"Version":"2012-10-17","Statement":[{"Sid":"Never","Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]}`
	arranged(t, s.server.PutInlinePolicy(docsUser, "lock", lock))
	s.server.Inject(sandbox.Fault{Operation: "CreateAccessKey", Times: 1, Call: func() {
		if err := s.server.PutInlinePolicy(docsUser, "lock", fmt.Sprintf(everything, "s3:PutObject")); err != nil {
			t.Error(err)
		}
	}})
	s.xplan(t, exitDone, "plan", "plan.yaml", "-o", "saved.plan")
	for _, args := range [][]string{{"apply", "plan.yaml", "--yes"}, {"apply", "saved.plan"}} {
		text, status := s.both(t, args...)
		if status != exitError || !strings.HasSuffix(text, "xplan apply with --despite-findings goes on, and the run's log keeps that it did") {
			t.Errorf("%v: exit status %d, want a refusal that names the way on last:\n%s", args, status, text)
		}
	}
	if _, status := s.both(t, "resume", "--despite-findings"); status != exitUsage {
		t.Errorf("resume takes the flag: exit status %d", status)
	}
	s.xplan(t, exitDone, "apply", "plan.yaml", "--yes", "--despite-findings")
	newEventLines(t).check(t, s.xplan(t, exitDone, "logs", "--json"))
	if log := s.xplan(t, exitDone, "logs"); !strings.Contains(log, "goes on by --despite-findings, although denied: write destination") {
		t.Errorf("the log does not keep what was overruled:\n%s", log)
	}
}

func foundByRun(t *testing.T, s *site, d denial) {
	t.Helper()
	text, status := s.both(t, "apply", "plan.yaml", "--yes")
	if status == exitDone || !regexp.MustCompile(d.says).MatchString(text) {
		t.Errorf("exit status %d, and the run does not say %q:\n%s", status, d.says, text)
	}
}

// denialRows is the page's table: when each kind is found.
func denialRows(t *testing.T) map[string]string {
	t.Helper()
	_, table, found := strings.Cut(page(t, "permissions.md"), "## What is found when")
	if !found {
		t.Fatal("the page has no table of what is found when")
	}
	rows := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|*]+?)(?: \*)? \| (plan|run) \| ([^|]+) \|`).FindAllStringSubmatch(table, -1) {
		rows[row[1]] = row[2]
	}
	return rows
}
