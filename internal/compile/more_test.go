package compile

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xplan/plan"
)

// worldFor is a world in which the plan's sources, keys and principal stand, and nothing else.
func worldFor(p *plan.Plan) World {
	w := fresh()
	w.Identities = map[plan.Side]Identity{}
	for _, side := range []plan.Side{plan.Source, plan.Destination} {
		if a := p.Accounts.Of(side); a.IsAWS() {
			w.Identities[side] = Identity{Account: a.ID, ARN: "arn:aws:iam::" + a.ID + ":user/admin"}
		}
	}
	w.Buckets, w.Copies, w.Principal = map[BucketRef]Bucket{}, nil, PrincipalFacts{}
	for _, pair := range p.Buckets {
		w.Buckets[BucketRef{plan.Source, pair.Source}] = secure("us-west-2")
		if !pair.Create {
			w.Buckets[BucketRef{plan.Destination, pair.Destination}] = secure("us-west-2")
		}
	}
	if p.Principal != nil {
		w.Principal = PrincipalFacts{ARN: p.Principal.ARN, Exists: !p.Principal.Create, Role: strings.Contains(p.Principal.ARN, ":role/")}
	}
	w.Instances = map[string]InstanceFacts{}
	for _, i := range p.Cleanup.Instances {
		w.Instances[i.ID] = InstanceFacts{Exists: true, State: "running"}
	}
	return w
}

func TestTheExamplesCompile(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.xplan.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			p, err := plan.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			w := worldFor(p)
			prog := compiled(t, p, w)
			check(t, p, w, prog)
			if !prog.HasChanges() || !prog.Assumed {
				t.Errorf("a fresh world that nobody scanned needs changes:\n%s", outline(prog))
			}
		})
	}
}

func TestAVerificationByItselfReadsAsAdministrators(t *testing.T) {
	p, w := tommy(), fresh()
	_, err := CopySpecOf(p, w, p.Buckets[0])
	if _, ok := errors.AsType[*ProblemsError](err); !ok {
		t.Errorf("got %v, want the missing destination named", err)
	}
	destination(w, func(b *Bucket) { *b = secure("eu-west-1") })
	spec, err := CopySpecOf(p, w, p.Buckets[0])
	if err != nil {
		t.Fatal(err)
	}
	if !spec.AsAdministrators || spec.NothingToDo {
		t.Errorf("the spec is %+v", spec)
	}
	want := Location{Bucket: "tommy-b", Account: "210987654321", Region: "eu-west-1"}
	if got := spec.Destination(); got != want {
		t.Errorf("destination is %+v, want %+v", got, want)
	}
	if _, err := CopySpecOf(p, w, pair("else", "where")); err == nil {
		t.Error("a pair that is not in the plan has a spec")
	}
}

func TestAMovedPairIsNotVerifiedByItself(t *testing.T) {
	p, w := tommy(), fresh()
	p.Buckets[0].Cleanup = plan.PairCleanup{SourceObjects: plan.AfterVerify, SourceBucket: plan.AfterVerify}
	source(w, func(b *Bucket) { *b = Bucket{} })
	destination(w, func(b *Bucket) { *b = secure("us-west-2") })
	if _, err := CopySpecOf(p, w, p.Buckets[0]); err == nil || !strings.Contains(err.Error(), "nothing to compare with") {
		t.Errorf("got %v", err)
	}
}

func TestWhatTheScanProvedNeedsNoVerification(t *testing.T) {
	for name, c := range map[string]struct {
		level     plan.Level
		otherwise string
		by        string
		want      bool
	}{
		"size is enough":      {plan.LevelSize, "fail", "size_only", true},
		"equal ETags":         {plan.LevelChecksum, "fail", "etag", true},
		"sizes alone":         {plan.LevelChecksum, "fail", "size_only", false},
		"sizes, accepted":     {plan.LevelChecksum, "accept", "size_only", true},
		"bytes want bytes":    {plan.LevelBytes, "accept", "etag", false},
		"bytes were compared": {plan.LevelBytes, "accept", "bytes", true},
	} {
		t.Run(name, func(t *testing.T) {
			br := branch{facts: CopyFacts{Known: true, Listed: Count{3, 3}, Same: Count{3, 3}, SameBy: map[string]Count{c.by: {3, 3}}}}
			br.pair.Verify = plan.Verify{Level: c.level, Otherwise: c.otherwise}
			if got := br.proven(); got != c.want {
				t.Errorf("proven is %t, want %t", got, c.want)
			}
		})
	}
}

func TestWhatWaitsForAVerificationGetsOne(t *testing.T) {
	p, w := tommy(), fresh()
	w.Policies = []ManagedPolicy{{Exists: true, ARN: tommysPolicy, Tags: map[string]string{PlanTag: p.Name}}}
	w.Owned = byTags(p, w)
	destination(w, func(b *Bucket) { *b = secure("us-west-2") })
	w.Copies[onlyPair] = same3()
	step, _ := compiled(t, p, w).Step(id(KindVerify, onlyPair))
	if step.Action != Hold {
		t.Errorf("with evidence the verification is to %s, want hold", step.Action)
	}
	p.Buckets[0].Verify.Level = plan.LevelBytes
	step, _ = compiled(t, p, w).Step(id(KindVerify, onlyPair))
	if step.Action != Run || !step.Spec.Copy.AsAdministrators {
		t.Errorf("without evidence the verification is to %s (as administrators: %t), want run", step.Action, step.Spec.Copy.AsAdministrators)
	}
}

func TestAnEditedStatementStaysAndIsSaid(t *testing.T) {
	p, w := tommy(), fresh()
	w.Owned = []Owned{{Kind: KindBucketPolicy, Side: plan.Source, Subject: "tommy", Parent: "DelegateS3Access", Digest: "ours"}}
	source(w, func(b *Bucket) {
		b.Policy = `{"Version":"2012-10-17","Statement":[{"Sid":"DelegateS3Access","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::tommy/*"}]}`
	})
	clean, err := Cleanup(p, w)
	if err != nil {
		t.Fatal(err)
	}
	if len(clean.Warnings) != 1 || !strings.Contains(clean.Warnings[0].Text, "was edited since") || clean.HasChanges() {
		t.Errorf("warnings %v, changes %t", clean.Warnings, clean.HasChanges())
	}
}

func TestAStatementOfAnEarlierFormOfThePlanIsCleanedUp(t *testing.T) {
	p, w := tommy(), fresh()
	p.Buckets[0] = pair("old", "old-b")
	w.Buckets[BucketRef{plan.Source, "old"}] = secure("us-west-2")
	made := compiled(t, p, w)
	made.Steps = made.Steps[:8]
	w = after(t, p, w, made)
	p.Buckets[0] = pair("tommy", "tommy-b")
	step, ok := compiled(t, p, w).Step("cleanup.bucket_policy/old")
	if !ok || step.Action != Delete {
		t.Errorf("the statement in old's policy is not cleaned up")
	}
}

func TestOnlyAnAbandonedRunsOwnDestinationIsRemoved(t *testing.T) {
	p, w := tommy(), fresh()
	p.Cleanup.DestinationBucket = plan.Always
	created := time.Unix(1_800_000_000, 0)
	record := Owned{Kind: KindBucket, Side: plan.Destination, Subject: "tommy-b"}
	intent := record
	intent.Intent, intent.Since = true, created
	for name, c := range map[string]struct {
		owned []Owned
		born  time.Time
		want  bool
	}{
		"recorded":                       {[]Owned{record}, created, true},
		"intended, and made since":       {[]Owned{intent}, created.Add(time.Second), true},
		"intended, and there before":     {[]Owned{intent}, created.Add(-time.Hour), false},
		"nobody's that anybody recorded": {nil, created, false},
	} {
		t.Run(name, func(t *testing.T) {
			destination(w, func(b *Bucket) { *b = secure("us-west-2"); b.CreatedUnixNano = c.born.UnixNano() })
			w.Owned = c.owned
			clean, err := Cleanup(p, w)
			if err != nil {
				t.Fatal(err)
			}
			if _, got := clean.Step("cleanup.destination_bucket/tommy-b"); got != c.want {
				t.Errorf("removed is %t, want %t", got, c.want)
			}
			if _, got := compiled(t, p, w).Step("cleanup.destination_bucket/tommy-b"); got {
				t.Error("a run that is not abandoned removes its destination")
			}
		})
	}
}

func TestTheTrustOfACreatedRoleNamesTheOperator(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::210987654321:user/team/jane":                `"AWS":"arn:aws:iam::210987654321:user/team/jane"`,
		"arn:aws:iam::210987654321:root":                          `"AWS":"arn:aws:iam::210987654321:root"`,
		"arn:aws:sts::210987654321:assumed-role/Admin/jane@x.com": `"arn:aws:iam::210987654321:role/*/Admin"`,
	} {
		got := string(trust(Identity{ARN: arn}, "210987654321", "aws").JSON())
		if !strings.Contains(got, want) {
			t.Errorf("trust for %s is %s, want it to hold %s", arn, got, want)
		}
	}
}

func TestServersSeeEachOtherAtOneEndpointOnly(t *testing.T) {
	aws := plan.Account{Provider: plan.AWS}
	vpce := plan.Account{Provider: plan.AWS, EndpointURL: "https://bucket.vpce-1.s3.us-west-2.vpce.amazonaws.com"}
	minio := plan.Account{Provider: plan.S3Compatible, EndpointURL: "http://127.0.0.1:9000"}
	other := plan.Account{Provider: plan.S3Compatible, EndpointURL: "http://127.0.0.1:9001/"}
	for _, c := range []struct {
		a, b plan.Account
		want bool
	}{{aws, aws, false}, {aws, vpce, false}, {minio, minio, false}, {minio, other, true}, {aws, minio, true}} {
		if got := streaming(plan.Accounts{Source: c.a, Destination: c.b}); got != c.want {
			t.Errorf("streaming between %q and %q is %t, want %t", c.a.EndpointURL, c.b.EndpointURL, got, c.want)
		}
	}
}

func TestARecordOfWhatIsNotThereIsCleanedUp(t *testing.T) {
	p, w := tommy(), fresh()
	destination(w, func(b *Bucket) { *b = secure("us-west-2") })
	w.Copies[onlyPair] = same3()
	user := w.Principal.ARN
	w.Policies = []ManagedPolicy{{ARN: tommysPolicy}}
	w.Keys = map[string]KMSKey{"arn:aws:kms:us-west-2:123456789012:key/k": {ARN: "arn:aws:kms:us-west-2:123456789012:key/k"}}
	w.Owned = []Owned{
		{Kind: KindPolicy, Side: plan.Destination, Subject: tommysPolicy},
		{Kind: KindAttachment, Side: plan.Destination, Subject: tommysPolicy, Parent: user},
		{Kind: KindGrant, Side: plan.Source, Subject: grantName(p), Parent: "arn:aws:kms:us-west-2:123456789012:key/k"},
		{Kind: KindBucketPolicy, Side: plan.Source, Subject: "tommy", Parent: p.Permissions.Statement},
		{Kind: KindBucketPolicy, Side: plan.Source, Subject: "tommy", Parent: "AnEarlierName", Intent: true},
		{Kind: KindCredentials, Side: plan.Destination, Subject: "AKIAGONE", Parent: "misterrodgers"},
		{Kind: KindBucket, Side: plan.Destination, Subject: "tommy-b", Intent: true},
		{Kind: KindCredentials, Side: plan.Destination, Parent: "misterrodgers", Intent: true},
	}
	want := []plan.StepID{
		id(KindCleanPolicy, "s3_copy_by_pull_across_accounts"), id(KindCleanAttachment, "s3_copy_by_pull_across_accounts/user/misterrodgers"),
		id(KindCleanGrant, "arn:aws:kms:us-west-2:123456789012:key/k"), id(KindCleanBucketPolicy, "tommy"),
		id(KindCleanBucketPolicy, "tommy/AnEarlierName"), id(KindCleanKey, "AKIAGONE"), id(KindCleanKey, "intent of user/misterrodgers"),
	}
	clean, err := Cleanup(p, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, prog := range []*Program{compiled(t, p, w), clean} {
		for _, id := range want {
			if s, ok := prog.Step(id); !ok || s.Action != Delete || s.Rule != plan.Always || !strings.Contains(s.Change.Note, "its record goes") {
				t.Errorf("%s: there is %t, with %q", id, ok, s.Change.Note)
			}
		}
	}
	if _, ok := clean.Step(id(KindCleanDestinationBucket, "tommy-b")); ok {
		t.Error("the bucket is there, and its record goes")
	}
	destination(w, func(b *Bucket) { *b = Bucket{} })
	if clean, err = Cleanup(p, w); err != nil {
		t.Fatal(err)
	}
	if s, ok := clean.Step(id(KindCleanDestinationBucket, "tommy-b")); !ok || !s.Spec.Bucket.OnlyRecord {
		t.Error("the record of a bucket that was never made stays")
	}
	w.Unseen = []Unseen{{What: "policy of bucket tommy", Why: "denied"}, {What: "policy", About: "policies"}}
	if clean, err = Cleanup(p, w); err != nil {
		t.Fatal(err)
	}
	for _, id := range []plan.StepID{want[0], want[1], want[3], want[4]} {
		if _, ok := clean.Step(id); ok {
			t.Errorf("%s: there is a step although nobody knows that nothing stands", id)
		}
	}
}

func TestAStatementUnderAnEarlierSidIsCleanedUp(t *testing.T) {
	p, w := tommy(), fresh()
	made := compiled(t, p, w)
	made.Steps = made.Steps[:8]
	w = after(t, p, w, made)
	p.Permissions.Statement = "AnotherName"
	clean, err := Cleanup(p, w)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := clean.Step("cleanup.bucket_policy/tommy/DelegateS3Access"); !ok || s.Spec.Statement.Sid != "DelegateS3Access" {
		t.Errorf("the statement under the earlier Sid stays:\n%s", outline(clean))
	}
}
