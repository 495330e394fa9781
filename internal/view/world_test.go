package view

import (
	"testing"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

const (
	accountA = "123456789012"
	accountB = "210987654321"
	userARN  = "arn:aws:iam::210987654321:user/misterrodgers"
	keyARN   = "arn:aws:kms:us-west-2:123456789012:key/1234abcd"

	// hostile is a key that would colour, move, ring, end lines and turn text round.
	hostile = "evil\x1b[31m\x1b]0;title\x07\r\nrm -rf\u009b2J\u202etxt"
)

const richPlan = `version: 1
name: orders-and-logs
accounts:
  source:      {id: "123456789012", region: us-west-2}
  destination: {id: "210987654321", region: us-west-2}
principal: {arn: "arn:aws:iam::210987654321:user/misterrodgers"}
buckets:
  - {source: tommy, destination: tommy-b}
  - {source: logs, prefix: "2026/", destination: logs-b, to_prefix: "old/"}
verify: {otherwise: bytes}
cleanup:
  source_objects: after-verify
  instances: [{id: i-0123456789abcdef0, account: destination}]
`

const othersPolicy = `{"Version":"2012-10-17","Statement":[
  {"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::tommy/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},
  {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*"}]}`

const earlierPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":"arn:aws:s3:::tommy"}]}`

func secure() compile.Bucket {
	return compile.Bucket{
		Exists: true, Region: "us-west-2", Ownership: "BucketOwnerEnforced", Encryption: plan.Encryption{Algorithm: "AES256"},
		PublicAccess: &compile.PublicAccess{BlockACLs: true, IgnoreACLs: true, BlockPolicy: true, RestrictBuckets: true},
	}
}

func count(objects, bytes int64) compile.Count { return compile.Count{Objects: objects, Bytes: bytes} }

// richWorld has something of everything that a review shows.
func richWorld() compile.World {
	encrypted := secure()
	encrypted.Encryption = plan.Encryption{Algorithm: "aws:kms", KMSKeyID: keyARN}
	encrypted.Configured = []string{"lifecycle", "notification"}
	tommy := secure()
	tommy.Policy = othersPolicy
	policy := compile.ManagedPolicy{
		Exists: true, ARN: "arn:aws:iam::210987654321:policy/s3_copy_by_pull_across_accounts", Name: "s3_copy_by_pull_across_accounts",
		Default: "v5", Versions: 5, Document: earlierPolicy, Tags: map[string]string{compile.PlanTag: "orders-and-logs"},
	}
	return compile.World{
		Identities: map[plan.Side]compile.Identity{
			plan.Source:      {Account: accountA, ARN: "arn:aws:iam::123456789012:user/admin-a"},
			plan.Destination: {Account: accountB, ARN: "arn:aws:iam::210987654321:user/admin-b"},
		},
		Buckets: map[compile.BucketRef]compile.Bucket{
			{Side: plan.Source, Name: "tommy"}:        tommy,
			{Side: plan.Source, Name: "logs"}:         encrypted,
			{Side: plan.Destination, Name: "tommy-b"}: {},
			{Side: plan.Destination, Name: "logs-b"}:  secure(),
		},
		Principal: compile.PrincipalFacts{
			Exists: true, ARN: userARN, UserID: "AIDAEXAMPLE",
			Keys: []compile.AccessKey{{ID: "AKIALEFTOVER", Active: true}},
		},
		Policies:  []compile.ManagedPolicy{policy},
		Keys:      map[string]compile.KMSKey{keyARN: {ARN: keyARN, State: "Enabled"}},
		Instances: map[string]compile.InstanceFacts{"i-0123456789abcdef0": {Exists: true, State: "running"}},
		Copies: map[string]compile.CopyFacts{
			"tommy/→tommy-b/": {
				Known: true, Listed: count(1_500_000, 11<<40), New: count(1_180_000, 9<<40), Changed: count(20_000, 120<<30), Same: count(300_000, 2<<40),
				Unreadable: count(3, 300), Extra: count(12, 1200),
				SameBy:    map[string]compile.Count{"etag": count(299_000, 0), "checksum": count(999, 0), "size_only": count(1, 0)},
				SkippedBy: map[string]compile.Count{"archived": count(7, 700), "filtered": count(1, 1)}, Skipped: count(8, 701),
				Samples: map[string][]compile.Sample{
					"changed":    {{Key: "orders/1.json", Size: 12, Reason: "other size"}, {Key: hostile, Size: 1, Reason: "so it says: " + hostile}},
					"unreadable": {{Key: "sse-c", Reason: "encrypted with a key of the customer's own"}},
				},
			},
			"logs/2026/→logs-b/old/": {Known: true, Partial: true, Listed: count(1, 10), New: count(1, 10)},
		},
		Owned: []compile.Owned{
			{Kind: compile.KindCredentials, Side: plan.Destination, Subject: "AKIALEFTOVER", Parent: "misterrodgers"},
			{Kind: compile.KindPolicy, Side: plan.Destination, Subject: policy.ARN},
		},
		Unseen: []compile.Unseen{{What: "KMS grants of " + keyARN, Why: "kms:ListGrants denied"}},
	}
}

func parsed(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Parse("orders.xplan.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func compiled(t *testing.T, text string, w compile.World) (*plan.Plan, *compile.Program) {
	t.Helper()
	p := parsed(t, text)
	prog, err := compile.Compile(p, w)
	if err != nil {
		t.Fatal(err)
	}
	prog.PlanDigest, prog.WorldDigest = "sha256:9f2c0123456789ab", "sha256:41ab0123456789ab" // others' tests hold them
	return p, prog
}

func rich(t *testing.T) (*plan.Plan, *compile.Program) {
	t.Helper()
	return compiled(t, richPlan, richWorld())
}

func objects(n int64, size s3copy.Bytes) s3copy.Count { return s3copy.Count{Objects: n, Bytes: size} }

var began = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

func steps() []StepRow {
	return []StepRow{
		{ID: "identity.check/source", Kind: "identity.check", Subject: accountA, Outcome: executor.Held, Message: "signed by admin"},
		{ID: "destination.bucket/tommy-b", Kind: "destination.bucket", Subject: accountB + "/tommy-b", Outcome: executor.Done, Message: "created in us-west-2", Started: began, Ended: began.Add(1200 * time.Millisecond)},
		{ID: "copy/tommy→tommy-b", Kind: "copy", Subject: "tommy/** → tommy-b/**", Outcome: runningStep, Started: began.Add(2 * time.Second)},
		{ID: "verify/tommy→tommy-b", Kind: "verify", Subject: "tommy/→tommy-b/", Outcome: executor.Failed, Message: "2 objects failed, so the copy is not verified\ncopy \"bad\": access denied"},
		{ID: "cleanup.policy/pull", Kind: "cleanup.policy", Subject: "pull", Outcome: executor.Skipped, Message: "needs verify/tommy→tommy-b: it failed"},
		{ID: "cleanup.source_objects/tommy", Kind: "cleanup.source_objects", Subject: accountA + "/tommy", Outcome: executor.Waiting, Message: "deleting the objects of tommy wants --confirm=tommy"},
		{ID: "cleanup.key/user", Kind: "cleanup.access_key", Subject: "user/misterrodgers"},
	}
}

func doneEnd() End {
	return End{
		Plan: "tommy-to-b", Run: "tommy-to-b-20261123T180000Z-abcd", State: "done", At: began, Took: 83 * time.Second,
		Steps: steps()[:2], Kept: []string{"destination.bucket tommy-b"},
		Pairs: map[string]s3copy.Summary{
			"tommy/→tommy-b/": {Tally: s3copy.Tally{
				Listed: objects(1_500_000, 11<<40), Copied: objects(1_200_000, 9<<40), Same: objects(299_990, 2<<40), Skipped: objects(10, 100),
				Evidence: s3copy.Evidence{ETag: objects(1_400_000, 0), Checksum: objects(99_989, 0), SizeOnly: objects(1, 0)},
			}},
			"logs/2026/→logs-b/old/": {Tally: s3copy.Tally{Deleted: objects(13, 130)}},
		},
	}
}

func failedEnd() End {
	e := doneEnd()
	e.State, e.Exit, e.Resume = "finished-with-failures", 3, "xplan resume tommy-to-b-20261123T180000Z-abcd"
	e.Steps = steps()
	e.Left = []string{"iam.policy arn:aws:iam::210987654321:policy/pull", "credentials  of misterrodgers (intended; whether it was made is not known)"}
	sum := e.Pairs["tommy/→tommy-b/"]
	for range 12 {
		sum.Failures = append(sum.Failures, s3copy.Failure{Key: "bad/key", Phase: "copy", Reason: "access denied", At: began})
	}
	sum.Failures[1] = s3copy.Failure{Key: hostile, Phase: "verify", Reason: "the server says " + hostile, At: began}
	sum.Tally.Failed = objects(12, 1200)
	e.Pairs["tommy/→tommy-b/"] = sum
	return e
}

func waitingEnd() End {
	e := doneEnd()
	e.State, e.Exit = "waiting", 4
	e.Waiting = []string{"deleting the objects of tommy wants --confirm=tommy"}
	e.Resume = "xplan resume tommy-to-b-20261123T180000Z-abcd"
	return e
}

func interruptedEnd() End {
	return End{
		Plan: "tommy-to-b", Run: "r", State: "interrupted", Exit: 130, Took: 2300 * time.Millisecond, At: began,
		Resume: "xplan resume r --state '/tmp/else where'",
	}
}

// hostileEnd holds the hostile key wherever something of the world's can stand.
func hostileEnd() End {
	e := failedEnd()
	e.Resume, e.Waiting, e.Left, e.Kept = "xplan resume "+hostile, []string{hostile}, []string{hostile}, []string{hostile}
	for i := range e.Steps {
		e.Steps[i].Subject, e.Steps[i].Message = hostile, hostile
	}
	e.Pairs[hostile] = e.Pairs["tommy/→tommy-b/"]
	return e
}

func life() Status {
	return Status{
		Format: 1, Plan: "tommy-to-b", Run: "tommy-to-b-20261123T180000Z-abcd", State: "interrupted", PID: 42, Host: "vm",
		Started: began, Updated: began.Add(time.Minute), Resume: "xplan resume tommy-to-b-20261123T180000Z-abcd", Steps: steps(),
		Pairs: []PairRow{
			{Pair: "tommy/→tommy-b/", Expected: 1_500_000, Listed: 800_000, Settled: 799_000, Copied: 700_000, Failed: 2, Retried: 31, InFlight: 64, BytesSettled: 7 << 40},
		},
	}
}
