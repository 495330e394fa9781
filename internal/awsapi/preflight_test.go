package awsapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
	"xplan/plan"
)

// foreseen is a plan whose permissions were made by hand, and the world that has them.
type foreseen struct {
	world
	user  string
	login *Login
}

func newForeseen(t *testing.T) foreseen {
	t.Helper()
	f := foreseen{world: newWorld(t)}
	var err error
	if f.user, err = f.AddUser(accountB, "misterrodgers"); err != nil {
		t.Fatal(err)
	}
	if err = f.AddBucket(accountB, "tommy-b", sandbox.BucketOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/k", "b/k"} {
		f.put(t, key, sandbox.PutOptions{Tags: map[string]string{"team": "red"}})
	}
	if _, f.login, err = f.b.MintKey(t.Context(), "misterrodgers"); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f foreseen) plan(prefix string) *plan.Plan {
	return &plan.Plan{
		Version: 1, Name: "foreseen",
		Accounts: plan.Accounts{
			Source:      plan.Account{Provider: plan.AWS, ID: accountA, Region: "us-west-2"},
			Destination: plan.Account{Provider: plan.AWS, ID: accountB, Region: "us-west-2"},
		},
		Principal: &plan.Principal{ARN: f.user, Credentials: plan.AccessKey},
		Buckets: []plan.Pair{{
			Source: "tommy", Destination: "tommy-b", Prefix: prefix, ToPrefix: prefix,
			Copy:   plan.Copy{Tags: true, StorageClass: "preserve", ACL: "none", Compare: plan.CompareAuto},
			Verify: plan.Verify{Level: plan.LevelChecksum}, Cleanup: plan.PairCleanup{SourceObjects: plan.Keep, SourceBucket: plan.Keep},
		}},
	}
}

// drawnStatement draws one statement about some buckets; whom it names stands in principals.
func drawnStatement(t *rapid.T, effect string, buckets, principals []string) string {
	actions := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"s3:*", "s3:Get*", "s3:ListBucket", "s3:GetObject", "s3:GetObjectTagging", "s3:PutObject", "s3:PutObject*", "s3:AbortMultipartUpload", "s3:DeleteObject",
	}), 1, 4, rapid.ID[string]).Draw(t, "actions")
	bucket := rapid.SampledFrom(buckets).Draw(t, "bucket")
	arn := "arn:aws:s3:::" + bucket
	resources := rapid.SampledFrom([][]string{
		{arn, arn + "/*"}, {arn, arn + "/*"}, {arn, arn + "/*"}, {arn + "/*"}, {arn}, {arn, arn + "/a/*"}, {arn + "/b/*"}, {arn + "*"}, {arn + "/?/k"},
	}).Draw(t, "resources")
	condition := rapid.SampledFrom([]string{
		"", "", "", "", "",
		`{"Bool":{"aws:SecureTransport":"true"}}`, `{"Bool":{"aws:SecureTransport":"false"}}`,
		`{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`, `{"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`,
		`{"StringEquals":{"aws:PrincipalAccount":"` + accountB + `"}}`, `{"StringNotEquals":{"aws:PrincipalAccount":"` + accountB + `"}}`,
		`{"StringLike":{"s3:prefix":"a/*"}}`, `{"StringNotLike":{"s3:prefix":["a/*",""]}}`,
		`{"StringEquals":{"s3:ExistingObjectTag/team":"red"}}`, `{"StringEquals":{"s3:ExistingObjectTag/team":"blue"}}`,
		`{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`, `{"Null":{"s3:x-amz-acl":"true"}}`, `{"StringEquals":{"s3:x-amz-acl":"private"}}`,
		`{"StringEquals":{"aws:ResourceAccount":"` + accountA + `"}}`, `{"ArnLike":{"aws:PrincipalArn":"*:user/mister*"}}`,
		`{"NumericLessThan":{"s3:max-keys":"5"}}`, `{"StringEquals":{"aws:username":"misterrodgers"}}`, `{"Null":{"aws:MultiFactorAuthPresent":"true"}}`,
	}).Draw(t, "condition")
	text := fmt.Sprintf(`{"Effect":%q,"Action":["%s"],"Resource":["%s"]`, effect, strings.Join(actions, `","`), strings.Join(resources, `","`))
	if len(principals) > 0 {
		text += `,"Principal":` + rapid.SampledFrom(principals).Draw(t, "principal")
	}
	if condition != "" {
		text += `,"Condition":` + condition
	}
	return text + "}"
}

// drawnPolicy draws a policy that often lets everything in: what is rare otherwise is everything allowed.
func drawnPolicy(t *rapid.T, wide string, buckets, principals []string) string {
	all := []string{}
	if rapid.IntRange(0, 3).Draw(t, "wide") > 0 {
		all = append(all, wide)
	}
	for range rapid.IntRange(0, 2).Draw(t, "allows") {
		all = append(all, drawnStatement(t, "Allow", buckets, principals))
	}
	if rapid.IntRange(0, 2).Draw(t, "denies") == 0 {
		all = append(all, drawnStatement(t, "Deny", buckets, principals))
	}
	if len(all) == 0 {
		all = append(all, drawnStatement(t, "Deny", buckets, principals))
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`
}

// TestWhatThePreflightSaysIsWhatTheServerDoes: whatever the policies are, a leg that the preflight calls allowed answers, and one that it
// calls denied is denied.
func TestWhatThePreflightSaysIsWhatTheServerDoes(t *testing.T) {
	f := newForeseen(t)
	named := []string{`{"AWS":"` + f.user + `"}`, `{"AWS":"` + accountB + `"}`, `{"AWS":"arn:aws:iam::` + accountB + `:user/admin"}`, `"*"`}
	said := map[compile.Verdict]int{}
	rapid.Check(t, func(r *rapid.T) {
		wide := func(bucket string) string {
			return `{"Effect":"Allow","Principal":{"AWS":"` + f.user + `"},"Action":"s3:*","Resource":["arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/*"]}`
		}
		source := drawnPolicy(r, wide("tommy"), []string{"tommy"}, named)
		own := drawnPolicy(r, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, []string{"tommy", "tommy-b"}, nil)
		err := errors.Join(f.set("tommy", source), f.PutInlinePolicy(f.user, "own", own), f.set("tommy-b", ""))
		if err == nil && rapid.Bool().Draw(r, "policy at the destination") {
			err = f.set("tommy-b", drawnPolicy(r, wide("tommy-b"), []string{"tommy-b"}, named))
		}
		if err != nil {
			r.Fatal(err)
		}
		p := f.plan(rapid.SampledFrom([]string{"", "a/"}).Draw(r, "prefix"))
		w, err := compile.Observe(t.Context(), p, compile.Readers{Source: f.a, Destination: f.b}, compile.ObserveOptions{Counting: compile.CountNone})
		if err != nil {
			r.Skip(err) // the administrator is shut out
		}
		f.hold(r, p, w, said)
	})
	for _, v := range []compile.Verdict{compile.VerdictOK, compile.VerdictDenied} {
		if said[v] < 10 {
			t.Errorf("only %d legs were called %s: the policies that are drawn prove too little (%v)", said[v], v, said)
		}
	}
}

// set puts a bucket's policy; one that S3 does not take, as it can match nothing, is none.
func (f foreseen) set(bucket, text string) error {
	if err := f.SetBucketPolicy(bucket, text); err == nil {
		return nil
	}
	return f.SetBucketPolicy(bucket, "")
}

// hold compares each leg's verdict with the server's.
func (f foreseen) hold(r *rapid.T, p *plan.Plan, w compile.World, said map[compile.Verdict]int) {
	specs := compile.ProbeSpecs(p, w)
	if len(specs) == 0 {
		return
	}
	all := true
	checks := compile.Diagnose(p, w).Checks
	if slices.ContainsFunc(checks, func(c compile.Check) bool { return c.Who == "" && c.Verdict == compile.VerdictDenied }) {
		return // a public policy on a bucket that blocks those: the plan is refused for that
	}
	for _, check := range checks {
		if check.Who != f.user {
			continue
		}
		switch check.Leg {
		case "list source", "read source", "read tags", "list destination", "write destination":
		default:
			continue
		}
		said[check.Verdict]++
		err := f.ask(r, compile.Leg(check.Leg), specs[0])
		switch all = all && check.Verdict == compile.VerdictOK; {
		case check.Verdict == compile.VerdictOK && err != nil:
			r.Fatalf("%s is called ok, and answers %v", check.Leg, err)
		case check.Verdict == compile.VerdictDenied && !errors.Is(err, s3copy.ErrDenied):
			r.Fatalf("%s is called denied (%v), and answers %v", check.Leg, check.Findings, err)
		}
	}
	if all {
		_, err := f.login.OpenDestination(specs[0].Destination(), specs[0].Source()).CopyObject(r.Context(), s3copy.CopyRequest{SourceKey: "a/k", Key: "a/k"})
		if err != nil {
			r.Fatalf("every leg is called ok, and a copy answers %v", err)
		}
	}
}

// ask tries a leg. The probes of reading list first, which is a leg of its own: here the object is named.
func (f foreseen) ask(r *rapid.T, leg compile.Leg, spec compile.ProbeSpec) error {
	source := f.login.OpenSource(spec.Source())
	switch leg {
	case compile.LegReadSource:
		_, err := source.Head(r.Context(), s3copy.HeadRequest{Key: "a/k"})
		return err
	case compile.LegTagsSource:
		_, err := source.Tags(r.Context(), "a/k", "")
		return err
	default:
		return f.login.Probe(r.Context(), leg, spec)
	}
}
