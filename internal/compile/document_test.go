package compile

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xplan/internal/policy"
	"xplan/plan"
)

const (
	sourceKey      = "arn:aws:kms:us-west-2:123456789012:key/11111111-1111-1111-1111-111111111111"
	destinationKey = "arn:aws:kms:us-west-2:210987654321:key/22222222-2222-2222-2222-222222222222"
)

// text is all that a program gives to the principal and says in the sources' policies.
func documentsOf(t *testing.T, p *Program) string {
	t.Helper()
	var b strings.Builder
	for _, s := range p.Steps {
		var doc string
		switch {
		case s.Kind == KindPolicy:
			doc = s.Spec.Policy.Document
		case s.Kind == KindBucketPolicy:
			doc = `{"Version":"2012-10-17","Statement":[` + s.Spec.Statement.Statement + `]}`
		case s.Kind == KindPrincipal && s.Spec.Principal.Trust != "":
			doc = s.Spec.Principal.Trust
		default:
			continue
		}
		d, err := policy.Parse([]byte(doc))
		if err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		fmt.Fprintf(&b, "# %s\n%s\n", s.ID, d.Indent())
		if s.Kind == KindPolicy {
			if err := policy.CheckIdentity(d); err != nil {
				t.Errorf("%s: %v", s.ID, err)
			}
		}
		if s.Kind == KindBucketPolicy {
			if err := policy.CheckResource(d); err != nil {
				t.Errorf("%s: %v", s.ID, err)
			}
		}
	}
	return b.String()
}

func encryptedWith(b Bucket, key string) Bucket {
	b.Encryption = plan.Encryption{Algorithm: "aws:kms", KMSKeyID: key}
	return b
}

func TestDocumentsAskForNoMoreThanThePlan(t *testing.T) {
	for name, change := range map[string]func(*plan.Plan, *World){
		"plain":        func(*plan.Plan, *World) {},
		"tags_off":     func(p *plan.Plan, _ *World) { p.Buckets[0].Copy.Tags = false },
		"acl":          func(p *plan.Plan, _ *World) { p.Buckets[0].Copy.ACL = "bucket-owner-full-control" },
		"delete_extra": func(p *plan.Plan, _ *World) { p.Buckets[0].Copy.DeleteExtra = true },
		"prefixes":     func(p *plan.Plan, _ *World) { p.Buckets[0].Prefix, p.Buckets[0].ToPrefix = "logs/", "from-a/logs/" },
		"odd_prefix":   func(p *plan.Plan, _ *World) { p.Buckets[0].Prefix = "a*b?c${x}/ключ/é/" },
		"kms_source": func(_ *plan.Plan, w *World) {
			w.Buckets[BucketRef{plan.Source, "tommy"}] = encryptedWith(secure("us-west-2"), sourceKey)
		},
		"kms_both": func(p *plan.Plan, w *World) {
			w.Buckets[BucketRef{plan.Source, "tommy"}] = encryptedWith(secure("us-west-2"), sourceKey)
			p.Buckets[0].Settings.Encryption = plan.Encryption{Algorithm: "aws:kms", KMSKeyID: "alias/copies", BucketKey: true}
			w.Keys = map[string]KMSKey{"destination:alias/copies": {ARN: destinationKey, State: "Enabled"}}
		},
		"kms_aws_managed_destination": func(p *plan.Plan, _ *World) {
			p.Buckets[0].Settings.Encryption = plan.Encryption{Algorithm: "aws:kms"}
		},
		"shared_source": func(p *plan.Plan, w *World) {
			logs, data := pair("tommy", "tommy-b"), pair("tommy", "data-b")
			logs.Prefix, data.Prefix, data.Copy.Tags = "logs/", "data/", false
			p.Buckets = []plan.Pair{logs, data}
			w.Copies = nil
		},
		"role": func(p *plan.Plan, w *World) {
			p.Principal = &plan.Principal{ARN: "arn:aws:iam::210987654321:role/copiers/puller", Credentials: plan.AssumeRole}
			w.Principal = PrincipalFacts{Exists: true, Role: true, ARN: p.Principal.ARN, UserID: "AROAEXAMPLE"}
		},
		"created_user": func(p *plan.Plan, w *World) {
			p.Principal.Create, w.Principal = true, PrincipalFacts{ARN: p.Principal.ARN}
		},
		"created_role": func(p *plan.Plan, w *World) {
			p.Principal = &plan.Principal{ARN: "arn:aws:iam::210987654321:role/puller", Credentials: plan.AssumeRole, Create: true}
			w.Principal = PrincipalFacts{ARN: p.Principal.ARN}
			w.Identities[plan.Destination] = Identity{Account: "210987654321", ARN: "arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Admin_1/jane"}
		},
		"china": func(p *plan.Plan, w *World) {
			p.Principal.ARN = "arn:aws-cn:iam::210987654321:user/misterrodgers"
			w.Principal.ARN = p.Principal.ARN
		},
		"lock": func(p *plan.Plan, w *World) {
			p.Buckets[0].Copy.ObjectLock, p.Buckets[0].Settings.ObjectLock = preserve, true
			b := secure("us-west-2")
			b.ObjectLock = true
			w.Buckets[BucketRef{plan.Source, "tommy"}] = b
		},
		"many_pairs": func(p *plan.Plan, w *World) {
			p.Buckets, w.Copies = nil, nil
			for i := range 14 {
				src := fmt.Sprintf("a-source-bucket-with-a-long-name-%02d", i)
				p.Buckets = append(p.Buckets, pair(src, fmt.Sprintf("a-destination-bucket-with-a-long-name-%02d", i)))
				w.Buckets[BucketRef{plan.Source, src}] = secure("us-west-2")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := tommy(), fresh()
			change(p, &w)
			golden(t, "documents/"+name+".txt", documentsOf(t, compiled(t, p, w)))
		})
	}
}

func TestThePoliciesAreSplitWhereOneIsTooLong(t *testing.T) {
	p, w := tommy(), fresh()
	p.Buckets = nil
	for i := range 30 {
		src := fmt.Sprintf("a-source-bucket-with-a-long-name-%02d", i)
		p.Buckets = append(p.Buckets, pair(src, fmt.Sprintf("a-destination-bucket-with-a-long-name-%02d", i)))
		w.Buckets[BucketRef{plan.Source, src}] = secure("us-west-2")
	}
	var names []string
	for _, s := range compiled(t, p, w).Steps {
		if s.Kind == KindPolicy {
			names = append(names, s.Spec.Policy.Name)
		}
	}
	if len(names) < 2 || names[0] != "s3_copy_by_pull_across_accounts-1" {
		t.Errorf("policies are %v, want several, numbered from 1", names)
	}
}

// allowed asks the compiled documents as AWS would, across the two accounts.
func allowed(t interface{ Fatalf(string, ...any) }, p *plan.Plan, prog *Program, action, resource string, context map[string][]string) bool {
	r := policy.Request{
		Principal: policy.Principal{ARN: p.Principal.ARN, Account: "210987654321"},
		Action:    action, Resource: resource, ResourceAccount: "210987654321", Context: context,
	}
	for _, s := range prog.Steps {
		switch s.Kind {
		case KindPolicy:
			d, err := policy.Parse([]byte(s.Spec.Policy.Document))
			if err != nil {
				t.Fatalf("%v", err)
			}
			r.Identity = append(r.Identity, d)
		case KindBucketPolicy:
			if arn := "arn:aws:s3:::" + s.Spec.Statement.Bucket; resource == arn || strings.HasPrefix(resource, arn+"/") {
				d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + s.Spec.Statement.Statement + `]}`))
				if err != nil {
					t.Fatalf("%v", err)
				}
				r.ResourcePolicy, r.ResourceAccount = &d, "123456789012"
			}
		default:
		}
	}
	return policy.Evaluate(r).Allowed
}

func TestThePrincipalMayDoWhatTheCopyDoesAndNoMore(t *testing.T) {
	p, w := tommy(), fresh()
	p.Buckets[0].Prefix, p.Buckets[0].ToPrefix = "logs/", "from-a/"
	prog := compiled(t, p, w)
	below := func(prefix string) map[string][]string { return map[string][]string{"s3:prefix": {prefix}} }
	for _, c := range []struct {
		action, resource string
		context          map[string][]string
		want             bool
	}{
		{"s3:ListBucket", "arn:aws:s3:::tommy", below("logs/"), true},
		{"s3:ListBucket", "arn:aws:s3:::tommy", below("logs/2026/"), true},
		{"s3:ListBucket", "arn:aws:s3:::tommy", below("secret/"), false},
		// What S3 asks before it says 404 rather than 403 of a missing key.
		{"s3:ListBucket", "arn:aws:s3:::tommy", nil, true},
		{"s3:GetObject", "arn:aws:s3:::tommy/logs/x", nil, true},
		{"s3:GetObjectTagging", "arn:aws:s3:::tommy/logs/x", nil, true},
		{"s3:GetObject", "arn:aws:s3:::tommy/secret/x", nil, false},
		{"s3:PutObject", "arn:aws:s3:::tommy/logs/x", nil, false},
		{"s3:DeleteObject", "arn:aws:s3:::tommy/logs/x", nil, false},
		{"s3:ListBucket", "arn:aws:s3:::tommy-b", below("from-a/"), true},
		{"s3:PutObject", "arn:aws:s3:::tommy-b/from-a/x", nil, true},
		{"s3:PutObjectTagging", "arn:aws:s3:::tommy-b/from-a/x", nil, true},
		{"s3:GetObject", "arn:aws:s3:::tommy-b/from-a/x", nil, true},
		{"s3:AbortMultipartUpload", "arn:aws:s3:::tommy-b/from-a/x", nil, true},
		{"s3:ListMultipartUploadParts", "arn:aws:s3:::tommy-b/from-a/x", nil, true},
		{"s3:ListBucketMultipartUploads", "arn:aws:s3:::tommy-b", nil, true},
		{"s3:PutObject", "arn:aws:s3:::tommy-b/elsewhere/x", nil, false},
		{"s3:PutObjectAcl", "arn:aws:s3:::tommy-b/from-a/x", nil, false},
		{"s3:DeleteObject", "arn:aws:s3:::tommy-b/from-a/x", nil, false},
	} {
		if got := allowed(t, p, prog, c.action, c.resource, c.context); got != c.want {
			t.Errorf("%s on %s %v: allowed %t, want %t", c.action, c.resource, c.context, got, c.want)
		}
	}
}

func TestEveryKeyBelowAnyPrefixMayBeRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, w := tommy(), fresh()
		p.Buckets[0].Prefix = rapid.StringOf(rapid.RuneFrom([]rune("ab/*?$${}éя\x01"))).Draw(t, "prefix")
		prog, err := Compile(p, w)
		if err != nil {
			t.Fatalf("compile: %v", err)
		}
		key := p.Buckets[0].Prefix + rapid.StringMatching(`[a-z*/]{0,5}`).Draw(t, "rest")
		if !allowed(t, p, prog, "s3:GetObject", "arn:aws:s3:::tommy/"+key, nil) {
			t.Errorf("key %q below %q is not allowed", key, p.Buckets[0].Prefix)
		}
	})
}

func TestTwoBucketsWithOneCamelNameHaveTwoSids(t *testing.T) {
	sids := make(sidNames)
	got := []string{sids.name("Read", "a-b"), sids.name("Read", "a.b"), sids.name("Read", "ab")}
	if want := "ReadAB ReadABx2 ReadAb"; strings.Join(got, " ") != want {
		t.Errorf("sids are %v, want %s", got, want)
	}
}
