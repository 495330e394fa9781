package compile

import (
	"errors"
	"strings"
	"testing"
	"time"

	"xplan/internal/policy"
	"xplan/plan"
)

func source(w World, change func(b *Bucket)) {
	ref := BucketRef{plan.Source, "tommy"}
	b := w.Buckets[ref]
	change(&b)
	w.Buckets[ref] = b
}

func destination(w World, change func(b *Bucket)) {
	ref := BucketRef{plan.Destination, "tommy-b"}
	b := w.Buckets[ref]
	change(&b)
	w.Buckets[ref] = b
}

const onlyPair = "tommy/→tommy-b/"

func same3() CopyFacts {
	return CopyFacts{Known: true, Listed: Count{3, 30}, Same: Count{3, 30}, SameBy: map[string]Count{"etag": {3, 30}}}
}

func public(b *Bucket) {
	b.Policy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*"}}`
	b.PolicyIsPublic = true
}

func TestWhatStandsInTheWayIsSaidAtPlanTime(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*plan.Plan, *World)
		want   string
	}{
		"wrong account":       {func(_ *plan.Plan, w *World) { w.Identities[plan.Source] = Identity{Account: "999999999999"} }, "belong to account 999999999999"},
		"source missing":      {func(_ *plan.Plan, w *World) { source(*w, func(b *Bucket) { b.Exists = false }) }, "bucket tommy: it does not exist"},
		"source foreign":      {func(_ *plan.Plan, w *World) { source(*w, func(b *Bucket) { b.Foreign = true }) }, "belongs to another account than 123456789012"},
		"destination foreign": {func(_ *plan.Plan, w *World) { destination(*w, func(b *Bucket) { b.Foreign = true }) }, "taken by another account"},
		"destination missing": {func(p *plan.Plan, _ *World) { p.Buckets[0].Create = false }, "set create: true"},
		"no region": {func(p *plan.Plan, w *World) {
			p.Accounts.Source.Region, p.Accounts.Destination.Region = "", ""
			source(*w, func(b *Bucket) { b.Region = "" })
		}, "its region is not known"},
		"directory bucket":        {func(p *plan.Plan, _ *World) { p.Buckets[0].Destination = "x--usw2-az1--x-s3" }, "directory and table buckets"},
		"principal missing":       {func(_ *plan.Plan, w *World) { w.Principal.Exists = false }, "user/misterrodgers: it does not exist"},
		"principal there already": {func(p *plan.Plan, _ *World) { p.Principal.Create = true }, "not made by this plan"},
		"principal unseen": {func(_ *plan.Plan, w *World) {
			w.Principal, w.Unseen = PrincipalFacts{}, []Unseen{{About: "principal"}}
		}, "allow iam:GetUser"},
		"two keys": {func(_ *plan.Plan, w *World) {
			w.Principal.Keys = []AccessKey{{ID: "AKIA1"}, {ID: "AKIA2"}}
		}, "two access keys already"},
		"policy not ours": {func(_ *plan.Plan, w *World) {
			w.Policies = []ManagedPolicy{{Exists: true, ARN: tommysPolicy, Document: `{"Version":"2012-10-17","Statement":[]}`}}
		}, "was not made by this plan"},
		"statement not ours": {func(_ *plan.Plan, w *World) {
			source(*w, func(b *Bucket) {
				b.Policy = `{"Version":"2012-10-17","Statement":[{"Sid":"DelegateS3Access","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:user/Jane"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*"}]}`
			})
		}, "a statement DelegateS3Access is there"},
		"policy too long": {func(_ *plan.Plan, w *World) {
			source(*w, func(b *Bucket) {
				b.Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::tommy/` + strings.Repeat("x", 20_200) + `"}]}`
			})
		}, "AWS takes 20480"},
		"block public policy":     {func(_ *plan.Plan, w *World) { source(*w, public) }, "BlockPublicPolicy is on"},
		"restrict public buckets": {func(_ *plan.Plan, w *World) { source(*w, public) }, "RestrictPublicBuckets is on"},
		"aws managed key": {func(_ *plan.Plan, w *World) {
			source(*w, func(b *Bucket) { b.Encryption = plan.Encryption{Algorithm: "aws:kms"} })
		}, "AWS-managed key aws/s3"},
		"disabled key": {func(_ *plan.Plan, w *World) {
			source(*w, func(b *Bucket) { *b = encryptedWith(*b, sourceKey) })
			w.Keys = map[string]KMSKey{sourceKey: {ARN: sourceKey, State: "PendingDeletion"}}
		}, "it is PendingDeletion"},
		"alias not resolved": {func(p *plan.Plan, _ *World) {
			p.Buckets[0].Settings.Encryption = plan.Encryption{Algorithm: "aws:kms", KMSKeyID: "alias/x"}
		}, "could not be resolved"},
		"role with a key": {func(p *plan.Plan, w *World) {
			p.Principal.ARN = "arn:aws:iam::210987654321:role/puller"
			w.Principal.ARN = p.Principal.ARN
		}, "a role has no access keys"},
		"deletion under Object Lock": {func(p *plan.Plan, w *World) {
			p.Buckets[0].Cleanup.SourceObjects = plan.AfterVerify
			source(*w, func(b *Bucket) { b.ObjectLock = true })
		}, "Object Lock, so the plan may not delete"},
		"deletion by size": {func(p *plan.Plan, _ *World) {
			p.Buckets[0].Cleanup.SourceObjects, p.Buckets[0].Verify.Level = plan.AfterVerify, plan.LevelSize
		}, "sizes alone are no evidence"},
		"expedited from deep": {func(p *plan.Plan, w *World) {
			p.Buckets[0].Copy.Archived, p.Buckets[0].Copy.Restore.Tier = "restore", "Expedited"
			w.Copies = map[string]CopyFacts{onlyPair: {Known: true, New: Count{5, 5}, Work: map[string]Work{
				"GLACIER": {Objects: 2, Bytes: 2, Frozen: Count{2, 2}}, "DEEP_ARCHIVE": {Objects: 3, Bytes: 3, Frozen: Count{3, 3}, Thawing: Count{1, 1}},
			}}}
		}, "2 objects in DEEP_ARCHIVE, from which S3 has no Expedited retrieval"},
		"settings disagree": {func(p *plan.Plan, _ *World) {
			other := pair("tommy", "tommy-b")
			other.ToPrefix, other.Settings.Versioning = "x/", true
			p.Buckets[0].Settings.Region = "eu-west-1"
			p.Buckets = append(p.Buckets, other)
		}, "two pairs ask for different settings"},
		"two newer keys": {func(_ *plan.Plan, w *World) {
			w.Principal.Keys = []AccessKey{{ID: "AKIA1"}, {ID: "AKIA2"}}
			w.Owned = []Owned{{Kind: KindCredentials, Parent: "misterrodgers", Intent: true}}
		}, "which one is the run's cannot be told"},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := tommy(), fresh()
			c.change(p, &w)
			_, err := Compile(p, w)
			if _, ok := errors.AsType[*ProblemsError](err); !ok {
				t.Fatalf("got %v, want problems", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to say %q", err, c.want)
			}
		})
	}
}

func TestAllProblemsAreSaidAtOnce(t *testing.T) {
	p, w := tommy(), fresh()
	p.Buckets[0].Create = false
	w.Principal.Exists = false
	source(w, func(b *Bucket) { b.Exists = false })
	_, err := Compile(p, w)
	var problems *ProblemsError
	if !errors.As(err, &problems) || len(problems.List) != 3 {
		t.Errorf("got %v, want three problems", err)
	}
}

const tommysPolicy = "arn:aws:iam::210987654321:policy/s3_copy_by_pull_across_accounts"

func TestWarningsChangeNothingAndAreSaid(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*plan.Plan, *World)
		want   string
	}{
		"requester pays": {func(_ *plan.Plan, w *World) { source(*w, func(b *Bucket) { b.RequesterPays = true }) }, "account 210987654321 is billed"},
		"object lock":    {func(_ *plan.Plan, w *World) { source(*w, func(b *Bucket) { b.ObjectLock = true }) }, "retention and legal holds are not copied"},
		"acl": {func(p *plan.Plan, w *World) {
			p.Buckets[0].Copy.ACL = "bucket-owner-full-control"
			destination(*w, func(b *Bucket) { *b = secure("us-west-2") })
		}, "is accepted and does nothing"},
		"destination open": {func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) { *b = Bucket{Exists: true, Region: "eu-west-1", Ownership: "ObjectWriter"} })
		}, "public access is not fully blocked; ACLs are on (ObjectWriter)"},
		"other region": {func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) { *b = secure("eu-west-1") })
		}, "crosses regions (us-west-2 to eu-west-1)"},
		"configuration": {func(_ *plan.Plan, w *World) {
			source(*w, func(b *Bucket) { b.Configured = []string{"lifecycle", "cors"} })
		}, "a copy does not carry: cors, lifecycle"},
		"notifications": {func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) { *b = secure("us-west-2"); b.Configured = []string{"notification"} })
		}, "notification will fire on every object"},
		"a rule by days": {func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) {
				*b = secure("us-west-2")
				b.Expiring = []Expiry{{Rule: "old", Prefix: "logs/", Days: 30, Narrow: true}}
			})
		}, "its lifecycle rule old deletes what is copied below logs/, of some tags or sizes, 30 days after it arrives"},
		"a rule by date": {func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) { *b = secure("us-west-2"); b.Expiring = []Expiry{{Date: "2026-01-01"}} })
		}, "a lifecycle rule deletes what is copied as soon as it arrives, from 2026-01-01 on"},
		"a rule for older versions": {func(p *plan.Plan, w *World) {
			p.Buckets[0].Copy.Versions = "all"
			destination(*w, func(b *Bucket) {
				*b = secure("us-west-2")
				b.Versioning, b.Expiring = "Enabled", []Expiry{{Rule: "old", Days: 30, Past: true, Newest: 2}}
			})
		}, "its lifecycle rule old deletes the older versions of what is copied but for the newest 2, from 30 days after the next version arrives"},
		"the same, and the source goes": {func(p *plan.Plan, w *World) {
			p.Buckets[0].Copy.Versions, p.Buckets[0].Cleanup.SourceObjects = "all", plan.AfterVerify
			destination(*w, func(b *Bucket) {
				*b = secure("us-west-2")
				b.Versioning, b.Expiring = "Enabled", []Expiry{{Days: 1, Past: true}}
			})
		}, "a lifecycle rule deletes the older versions of what is copied, from a day after the next version arrives, and the source will hold them no more"},
		"long keys": {func(p *plan.Plan, w *World) {
			p.Buckets[0].ToPrefix = "far/"
			w.Copies = map[string]CopyFacts{"tommy/→tommy-b/far/": {Known: true, New: Count{1, 1}, LongestKey: 1022}}
		}, "the longest would have 1,026 bytes"},
		"unreadable": {func(_ *plan.Plan, w *World) {
			f := w.Copies[onlyPair]
			f.Unreadable = Count{1, 9}
			w.Copies[onlyPair] = f
		}, "1 object cannot be copied"},
		"boundary": {func(_ *plan.Plan, w *World) { w.Principal.Boundary = "arn:b" }, "a permissions boundary limits it"},
		"key's owner": {func(_ *plan.Plan, w *World) {
			source(*w, func(b *Bucket) { *b = encryptedWith(*b, destinationKey) })
		}, "it belongs to account 210987654321"},
		"policy used by others": {func(_ *plan.Plan, w *World) {
			w.Policies = []ManagedPolicy{{
				Exists: true, ARN: tommysPolicy, Tags: map[string]string{PlanTag: "tommy-to-b"}, Attached: []string{"arn:aws:iam::210987654321:user/other"},
			}}
		}, "the clean-up will not delete it"},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := tommy(), fresh()
			c.change(p, &w)
			prog := compiled(t, p, w)
			for _, warning := range prog.Warnings {
				if strings.Contains(warning.Text, c.want) {
					return
				}
			}
			t.Errorf("warnings are %v, want one that says %q", prog.Warnings, c.want)
		})
	}
}

func TestPrograms(t *testing.T) {
	for name, change := range map[string]func(*plan.Plan, *World){
		"nothing_to_do": func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) { *b = secure("us-west-2") })
			w.Copies[onlyPair] = same3()
		},
		"kept_permissions": func(p *plan.Plan, w *World) {
			p.Cleanup.Policy, p.Cleanup.BucketPolicy = plan.Keep, plan.Keep
			w.Copies[onlyPair] = same3()
		},
		"always":           func(p *plan.Plan, _ *World) { p.Cleanup.Policy, p.Cleanup.BucketPolicy = plan.Always, plan.Always },
		"key_after_verify": func(p *plan.Plan, _ *World) { p.Cleanup.AccessKey = plan.AfterVerify },
		"no_permissions": func(p *plan.Plan, _ *World) {
			p.Permissions.Manage, p.Principal.Credentials, p.Principal.Profile = false, plan.Profile, "puller"
		},
		"others_statements": func(_ *plan.Plan, w *World) { source(*w, func(b *Bucket) { b.Policy = othersPolicy }) },
		"left_over_key": func(_ *plan.Plan, w *World) {
			w.Principal.Keys = []AccessKey{{ID: "AKIAOTHER"}, {ID: "AKIAOURS"}}
			w.Owned = []Owned{{Kind: KindCredentials, Side: plan.Destination, Subject: "AKIAOURS", Parent: "misterrodgers"}}
		},
		"intended_key": func(_ *plan.Plan, w *World) {
			w.Principal.Keys = []AccessKey{{ID: "AKIAOTHER"}, {ID: "AKIAORPHAN"}}
			w.Owned = []Owned{{Kind: KindCredentials, Side: plan.Destination, Parent: "misterrodgers", Intent: true, Before: []string{"AKIAOTHER"}}}
		},
		"role_with_kms": func(p *plan.Plan, w *World) {
			p.Principal = &plan.Principal{ARN: "arn:aws:iam::210987654321:role/puller", Credentials: plan.AssumeRole}
			w.Principal = PrincipalFacts{Exists: true, Role: true, ARN: p.Principal.ARN}
			source(*w, func(b *Bucket) { *b = encryptedWith(*b, sourceKey) })
		},
		"two_pairs_one_source": func(p *plan.Plan, w *World) {
			logs, data := pair("tommy", "tommy-b"), pair("tommy", "data-b")
			logs.Prefix, data.Prefix = "logs/", "data/"
			p.Buckets = []plan.Pair{logs, data}
			w.Copies = map[string]CopyFacts{logs.ID(): {Known: true, New: Count{1, 1}}, data.ID(): same3()}
		},
		"move": func(p *plan.Plan, w *World) {
			p.Buckets[0].Cleanup = plan.PairCleanup{SourceObjects: plan.AfterVerify, SourceBucket: plan.AfterVerify}
			p.Cleanup.Instances = []plan.Instance{{ID: "i-0abc", Account: plan.Destination}, {ID: "i-0def", Account: plan.Destination}}
			w.Instances = map[string]InstanceFacts{"i-0abc": {Exists: true, State: "running"}, "i-0def": {Exists: true, State: "running", Protected: true}}
		},
		"move_pending": func(p *plan.Plan, w *World) {
			p.Buckets[0].Cleanup = plan.PairCleanup{SourceObjects: plan.AfterVerify, SourceBucket: plan.Keep}
			destination(*w, func(b *Bucket) { *b = secure("us-west-2") })
			w.Copies[onlyPair] = same3()
		},
		"moved": func(p *plan.Plan, w *World) {
			p.Buckets[0].Cleanup = plan.PairCleanup{SourceObjects: plan.AfterVerify, SourceBucket: plan.AfterVerify}
			source(*w, func(b *Bucket) { b.Exists = false })
			destination(*w, func(b *Bucket) { *b = secure("us-west-2") })
			w.Copies = nil
		},
		"move_forbidden": func(p *plan.Plan, w *World) {
			p.Buckets[0].Cleanup = plan.PairCleanup{SourceObjects: plan.AfterVerify, SourceBucket: plan.AfterVerify}
			f := w.Copies[onlyPair]
			f.Skipped = Count{2, 20}
			w.Copies[onlyPair] = f
		},
		"extra": func(p *plan.Plan, w *World) {
			p.Buckets[0].Copy.DeleteExtra = true
			f := same3()
			f.Extra = Count{1200, 5}
			w.Copies[onlyPair] = f
		},
		"s3_compatible": func(p *plan.Plan, w *World) {
			for _, a := range []*plan.Account{&p.Accounts.Source, &p.Accounts.Destination} {
				*a = plan.Account{Provider: plan.S3Compatible, EndpointURL: "http://127.0.0.1:9000", Region: "us-east-1"}
			}
			p.Accounts.Destination.EndpointURL = "http://127.0.0.1:9001"
			p.Principal, p.Permissions = nil, plan.Permissions{}
		},
		"half_made_bucket": func(_ *plan.Plan, w *World) {
			destination(*w, func(b *Bucket) { *b = Bucket{Exists: true, Region: "us-west-2"} })
			w.Owned = []Owned{{Kind: KindBucket, Side: plan.Destination, Subject: "tommy-b", Intent: true, Since: time.Unix(1, 0)}}
		},
		"no_scan": func(_ *plan.Plan, w *World) { w.Copies = nil },
	} {
		t.Run(name, func(t *testing.T) {
			p, w := tommy(), fresh()
			change(p, &w)
			prog := compiled(t, p, w)
			check(t, p, w, prog)
			golden(t, "program/"+name+".txt", outline(prog))
		})
	}
}

func TestAnInterruptedRunHoldsWhatItMadeAndStillCleansItUp(t *testing.T) {
	p, w := tommy(), fresh()
	first := compiled(t, p, w)
	made := &Program{}
	for _, s := range first.Steps {
		if s.Kind == KindCredentials {
			break
		}
		made.Steps = append(made.Steps, s)
	}
	w = after(t, p, w, made)
	golden(t, "program/interrupted.txt", outline(compiled(t, p, w)))
}

func TestAPolicyThatMeansTheSameHolds(t *testing.T) {
	p, w := tommy(), fresh()
	made := compiled(t, p, w)
	var doc policy.Document
	for _, s := range made.Steps {
		if s.Kind == KindPolicy {
			doc, _ = policy.Parse([]byte(s.Spec.Policy.Document))
		}
	}
	// AWS may give it back in another order, scalars as lists.
	doc.Statements[0], doc.Statements[1] = doc.Statements[1], doc.Statements[0]
	w.Policies = []ManagedPolicy{{Exists: true, ARN: tommysPolicy, Document: string(doc.Indent()), Tags: map[string]string{PlanTag: "tommy-to-b"}}}
	step, _ := compiled(t, p, w).Step("iam.policy/s3_copy_by_pull_across_accounts")
	if step.Action != Hold {
		t.Errorf("the policy's step is to %s, want hold", step.Action)
	}
}

func TestAStatementNamingTheUniqueIDOfThePrincipalHolds(t *testing.T) {
	p, w := tommy(), fresh()
	step, _ := compiled(t, p, w).Step("source.bucket_policy/tommy")
	text := strings.ReplaceAll(step.Spec.Statement.Statement, p.Principal.ARN, "AIDAEXAMPLE")
	source(w, func(b *Bucket) { b.Policy = `{"Version":"2012-10-17","Statement":[` + text + `]}` })
	again, _ := compiled(t, p, w).Step("source.bucket_policy/tommy")
	if again.Action != Hold {
		t.Errorf("the statement's step is to %s, want hold", again.Action)
	}
}

func TestAStatementThatNobodyRecordedIsNotRemoved(t *testing.T) {
	p, w := tommy(), fresh()
	step, _ := compiled(t, p, w).Step("source.bucket_policy/tommy")
	source(w, func(b *Bucket) {
		b.Policy = `{"Version":"2012-10-17","Statement":[` + step.Spec.Statement.Statement + `]}`
	})
	prog := compiled(t, p, w)
	if _, ok := prog.Step("cleanup.bucket_policy/tommy"); ok {
		t.Error("the statement is cleaned up although nobody knows that it is ours")
	}
	p.Permissions.Adopt = true
	if _, ok := compiled(t, p, w).Step("cleanup.bucket_policy/tommy"); !ok {
		t.Error("the adopted statement is not cleaned up")
	}
}

func TestOursIsUpdatedAndTheReviewShowsBothSides(t *testing.T) {
	p, w := tommy(), fresh()
	made := compiled(t, p, w)
	made.Steps = made.Steps[:8]
	w = after(t, p, w, made)
	p.Buckets[0].Copy.Tags = false
	golden(t, "program/changed_plan.txt", outline(compiled(t, p, w)))
}

func TestFactsNameWhatDrifted(t *testing.T) {
	p, w := tommy(), fresh()
	before := compiled(t, p, w)
	source(w, func(b *Bucket) { b.Policy = othersPolicy })
	now := compiled(t, p, w)
	drift := DiffFacts(before.Facts, now.Facts)
	if len(drift) != 1 || drift[0].Name != "source bucket tommy policy" {
		t.Errorf("drift is %v, want the source's policy alone", drift)
	}
	if before.WorldDigest == now.WorldDigest {
		t.Error("the world's digest did not change")
	}
	w.Copies = nil
	if got := compiled(t, p, w).WorldDigest; got != now.WorldDigest {
		t.Error("counts of objects changed the world's digest")
	}
}

func TestEdgesAreThoseThatTheStepsName(t *testing.T) {
	prog := compiled(t, tommy(), fresh())
	n := 0
	for _, s := range prog.Steps {
		n += len(s.Needs) + len(s.After)
	}
	if got := len(prog.Edges()); got != n || n == 0 {
		t.Errorf("%d edges, want %d", got, n)
	}
}

func TestThousandsAreSeparated(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1500000: "1,500,000", -1234: "-1,234"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) is %q, want %q", n, got, want)
		}
	}
}
