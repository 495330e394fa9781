package compile

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"xplan/internal/policy"
	"xplan/plan"
)

// after is the world that a program leaves behind when all of it succeeds and a person has confirmed everything.
func after(t interface{ Fatalf(string, ...any) }, p *plan.Plan, w World, prog *Program) World {
	a := applier{p: p, w: clone(w)}
	for _, s := range prog.Steps {
		if s.Action == Hold || s.Action == Wait {
			continue
		}
		if s.Kind.IsCleanup() {
			a.undo(s)
			continue
		}
		if err := a.do(s); err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
	}
	return a.w
}

func clone(w World) World {
	w.Identities, w.Buckets, w.Keys = maps.Clone(w.Identities), maps.Clone(w.Buckets), maps.Clone(w.Keys)
	w.Instances, w.Copies = maps.Clone(w.Instances), maps.Clone(w.Copies)
	w.Policies, w.Owned, w.Unseen = slices.Clone(w.Policies), slices.Clone(w.Owned), slices.Clone(w.Unseen)
	w.Principal.Keys, w.Principal.Attached = slices.Clone(w.Principal.Keys), slices.Clone(w.Principal.Attached)
	if w.Copies == nil {
		w.Copies = map[string]CopyFacts{}
	}
	return w
}

type applier struct {
	p *plan.Plan
	w World
}

func (a *applier) own(o Owned) {
	a.disown(o)
	a.w.Owned = append(a.w.Owned, o)
}

func (a *applier) disown(o Owned) {
	a.w.Owned = slices.DeleteFunc(a.w.Owned, func(x Owned) bool {
		return x.Kind == o.Kind && x.Subject == o.Subject && (o.Parent == "" || x.Parent == o.Parent)
	})
}

func (a *applier) policy(arn string, change func(m *ManagedPolicy)) {
	i := slices.IndexFunc(a.w.Policies, func(m ManagedPolicy) bool { return m.ARN == arn })
	if i < 0 {
		a.w.Policies = append(a.w.Policies, ManagedPolicy{ARN: arn, Name: policyName(arn)})
		i = len(a.w.Policies) - 1
	}
	change(&a.w.Policies[i])
}

func (a *applier) do(s Step) error {
	switch s.Kind {
	case KindBucket:
		spec := s.Spec.Bucket
		b := Bucket{Exists: true, Region: spec.Region, Encryption: spec.Settings.Encryption, Tags: map[string]string{}}
		if spec.Account != "" {
			b = secure(spec.Region)
			b.Encryption = spec.Settings.Encryption
		}
		if spec.Settings.Versioning {
			b.Versioning = "Enabled"
		}
		b.Tags = map[string]string{}
		maps.Copy(b.Tags, spec.Settings.Tags)
		maps.Copy(b.Tags, spec.Tags)
		a.w.Buckets[BucketRef{plan.Destination, spec.Name}] = b
		a.own(Owned{Kind: KindBucket, Side: plan.Destination, Subject: spec.Name})
	case KindPrincipal:
		spec := s.Spec.Principal
		a.w.Principal = PrincipalFacts{Exists: true, ARN: spec.ARN, UserID: "AIDANEW", Role: spec.Role, Tags: spec.Tags}
		a.own(Owned{Kind: KindPrincipal, Side: plan.Destination, Subject: spec.ARN})
	case KindPolicy:
		spec := s.Spec.Policy
		a.policy(spec.ARN, func(m *ManagedPolicy) {
			m.Exists, m.Document = true, spec.Document
			if s.Action == Create {
				m.Tags = spec.Tags
			}
		})
		a.own(Owned{Kind: KindPolicy, Side: plan.Destination, Subject: spec.ARN, Digest: spec.Digest})
	case KindAttachment:
		spec := s.Spec.Attachment
		a.w.Principal.Attached = append(a.w.Principal.Attached, spec.PolicyARN)
		a.policy(spec.PolicyARN, func(m *ManagedPolicy) { m.Attached = append(slices.Clone(m.Attached), spec.Principal) })
		a.own(Owned{Kind: KindAttachment, Side: plan.Destination, Subject: spec.PolicyARN, Parent: spec.Principal})
	case KindGrant:
		spec := s.Spec.Grant
		k := a.w.key(spec.KeyARN)
		k.Grants = append(slices.Clone(k.Grants), Grant{ID: "g", Name: spec.Name, Grantee: spec.Principal, Operations: spec.Operations})
		if a.w.Keys == nil {
			a.w.Keys = map[string]KMSKey{}
		}
		a.w.Keys[a.keyName(spec.KeyARN)] = k
		a.own(Owned{Kind: KindGrant, Side: plan.Source, Subject: spec.Name, Parent: spec.KeyARN})
	case KindBucketPolicy:
		return a.merge(KindBucketPolicy, *s.Spec.Statement)
	case KindFreeze:
		for _, st := range s.Spec.Freeze.Statements {
			if err := a.merge(KindFreeze, st); err != nil {
				return err
			}
		}
	case KindCredentials:
		if s.Action == Create {
			a.w.Principal.Keys = append(a.w.Principal.Keys, AccessKey{ID: "AKIANEW", Active: true})
			a.own(Owned{Kind: KindCredentials, Side: plan.Destination, Subject: "AKIANEW", Parent: s.Spec.Credentials.UserName})
		}
	case KindCopy, KindFinal:
		f := a.w.Copies[s.Pair]
		if !f.Known {
			f = CopyFacts{Known: true, Listed: Count{5, 50}, New: Count{5, 50}, SameBy: map[string]Count{}}
		}
		n := f.New.Objects + f.Changed.Objects + f.Same.Objects
		f.Same, f.New, f.Changed, f.Partial = Count{Objects: n}, Count{}, Count{}, false
		f.SameBy = map[string]Count{"etag": {Objects: n}}
		a.w.Copies[s.Pair] = f
	default:
	}
	return nil
}

func (a *applier) keyName(arn string) string {
	for name, k := range a.w.Keys {
		if k.ARN == arn {
			return name
		}
	}
	return arn
}

func (a *applier) merge(kind Kind, spec StatementSpec) error {
	ref := BucketRef{plan.Source, spec.Bucket}
	b := a.w.Buckets[ref]
	var doc policy.Document
	if b.Policy != "" {
		var err error
		if doc, err = policy.Parse([]byte(b.Policy)); err != nil {
			return err
		}
	}
	ours, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + spec.Statement + `]}`))
	if err != nil {
		return err
	}
	merged, _, err := policy.Merge(doc, ours.Statements[0])
	if err != nil {
		return err
	}
	b.Policy = string(merged.JSON())
	a.w.Buckets[ref] = b
	a.own(Owned{Kind: kind, Side: plan.Source, Subject: spec.Bucket, Parent: spec.Sid, Digest: spec.Digest})
	return nil
}

// unmerge takes a statement out again.
func (a *applier) unmerge(kind Kind, spec StatementSpec) {
	ref := BucketRef{plan.Source, spec.Bucket}
	b := a.w.Buckets[ref]
	if doc, err := policy.Parse([]byte(b.Policy)); err == nil {
		doc, _, _ = policy.Remove(doc.WithPrincipals(spec.Live), spec.Sid, spec.Digest)
		b.Policy = ""
		if !doc.Empty() {
			b.Policy = string(doc.JSON())
		}
		a.w.Buckets[ref] = b
	}
	a.disown(Owned{Kind: kind, Subject: spec.Bucket, Parent: spec.Sid})
}

func (a *applier) undo(s Step) {
	switch s.Kind {
	case KindCleanUploads:
		a.disown(Owned{Kind: KindCopy, Subject: s.Pair})
	case KindCleanKey:
		a.w.Principal.Keys = slices.DeleteFunc(a.w.Principal.Keys, func(k AccessKey) bool {
			return k.ID == s.Spec.Credentials.KeyID || (s.Spec.Credentials.KeyID == "" && k.ID == "AKIANEW")
		})
		a.w.Owned = slices.DeleteFunc(a.w.Owned, func(o Owned) bool { return o.Kind == KindCredentials })
	case KindCleanBucketPolicy:
		a.unmerge(KindBucketPolicy, *s.Spec.Statement)
	case KindCleanFreeze:
		for _, st := range s.Spec.Freeze.Statements {
			if !s.Spec.Freeze.HoldsVerified {
				a.unmerge(KindFreeze, st)
			}
		}
	case KindCleanGrant:
		k := a.w.key(s.Spec.Grant.KeyARN)
		k.Grants = slices.DeleteFunc(slices.Clone(k.Grants), func(g Grant) bool { return g.Name == s.Spec.Grant.Name })
		a.w.Keys[a.keyName(s.Spec.Grant.KeyARN)] = k
		a.disown(Owned{Kind: KindGrant, Subject: s.Spec.Grant.Name, Parent: s.Spec.Grant.KeyARN})
	case KindCleanAttachment:
		spec := s.Spec.Attachment
		a.w.Principal.Attached = slices.DeleteFunc(a.w.Principal.Attached, func(arn string) bool { return arn == spec.PolicyARN })
		a.policy(spec.PolicyARN, func(m *ManagedPolicy) {
			m.Attached = slices.DeleteFunc(slices.Clone(m.Attached), func(arn string) bool { return same(arn, spec.Principal) })
		})
		a.disown(Owned{Kind: KindAttachment, Subject: spec.PolicyARN, Parent: spec.Principal})
	case KindCleanPolicy:
		a.w.Policies = slices.DeleteFunc(a.w.Policies, func(m ManagedPolicy) bool { return m.ARN == s.Spec.Policy.ARN })
		a.disown(Owned{Kind: KindPolicy, Subject: s.Spec.Policy.ARN})
	case KindCleanPrincipal:
		a.w.Principal = PrincipalFacts{ARN: s.Spec.Principal.ARN}
		a.disown(Owned{Kind: KindPrincipal, Subject: s.Spec.Principal.ARN})
	case KindCleanInstance:
		a.w.Instances[s.Spec.Instance.ID] = InstanceFacts{Exists: true, State: "terminated"}
	case KindCleanExtra:
		f := a.w.Copies[s.Pair]
		f.Extra = Count{}
		a.w.Copies[s.Pair] = f
	case KindCleanSourceObjects:
		a.w.Copies[s.Pair] = CopyFacts{Known: true}
	case KindCleanSourceBucket:
		a.w.Buckets[BucketRef{plan.Source, s.Spec.Bucket.Name}] = Bucket{}
		a.disown(Owned{Kind: KindFreeze, Subject: s.Spec.Bucket.Name})
	default:
	}
}

func TestApplyingAndPlanningAgainShowsNoChange(t *testing.T) {
	for name, change := range map[string]func(*plan.Plan, *World){
		"plain":       func(*plan.Plan, *World) {},
		"policy kept": func(p *plan.Plan, _ *World) { p.Cleanup.Policy, p.Cleanup.BucketPolicy = plan.Keep, plan.Keep },
		"others' statements": func(_ *plan.Plan, w *World) {
			b := secure("us-west-2")
			b.Policy = othersPolicy
			w.Buckets[BucketRef{plan.Source, "tommy"}] = b
		},
		"created user": func(p *plan.Plan, w *World) {
			p.Principal.Create, w.Principal = true, PrincipalFacts{ARN: p.Principal.ARN}
		},
		"move": func(p *plan.Plan, _ *World) {
			p.Buckets[0].Cleanup = plan.PairCleanup{SourceObjects: plan.AfterVerify, SourceBucket: plan.AfterVerify}
		},
		"cut-over": func(p *plan.Plan, _ *World) { withFreeze(p, plan.Always) },
		"cut-over without a freeze": func(p *plan.Plan, _ *World) {
			withFreeze(p, plan.Always)
			p.CutOver.Freeze = false
		},
		"cut-over and move": func(p *plan.Plan, _ *World) {
			withFreeze(p, plan.Always)
			p.Buckets[0].Cleanup = plan.PairCleanup{SourceObjects: plan.AfterVerify, SourceBucket: plan.AfterVerify}
		},
		"kms": func(_ *plan.Plan, w *World) {
			w.Buckets[BucketRef{plan.Source, "tommy"}] = encryptedWith(secure("us-west-2"), sourceKey)
			w.Keys = map[string]KMSKey{sourceKey: {ARN: sourceKey, State: "Enabled"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := tommy(), fresh()
			change(p, &w)
			w = after(t, p, w, compiled(t, p, w))
			again := compiled(t, p, w)
			if again.HasChanges() {
				t.Errorf("the second plan has changes:\n%s", outline(again))
			}
			for _, s := range again.Steps {
				if s.Kind == KindCredentials || s.Kind == KindProbe {
					t.Errorf("the second plan has step %s, want no key and no probe", s.ID)
				}
			}
		})
	}
}

const othersPolicy = `{"Version":"2012-10-17","Statement":[
	{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::tommy/*","arn:aws:s3:::tommy"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
	{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::tommy/*"}]}`

func TestNothingIsLeftBehind(t *testing.T) {
	p, w := tommy(), fresh()
	w = after(t, p, w, compiled(t, p, w))
	if got := w.Buckets[BucketRef{plan.Source, "tommy"}].Policy; got != "" {
		t.Errorf("the source's policy is %s, want none", got)
	}
	if len(w.Policies)+len(w.Principal.Keys)+len(w.Principal.Attached) > 0 {
		t.Errorf("left are policies %v, keys %v, attachments %v", w.Policies, w.Principal.Keys, w.Principal.Attached)
	}
	w.Owned = slices.DeleteFunc(w.Owned, func(o Owned) bool { return o.Kind == KindBucket })
	if len(w.Owned) > 0 {
		t.Errorf("records of %v are left", w.Owned)
	}
}

func TestWhenStateIsLostTheTagsTellWhatIsOurs(t *testing.T) {
	p, w := tommy(), fresh()
	prog := compiled(t, p, w)
	prog.Steps = slices.DeleteFunc(prog.Steps, func(s Step) bool { return s.Kind.IsCleanup() })
	w = after(t, p, w, prog)
	w.Owned = nil
	w.Owned = byTags(p, w)
	var kinds []string
	for _, o := range w.Owned {
		kinds = append(kinds, string(o.Kind))
	}
	want := "iam.policy iam.attachment source.bucket_policy destination.bucket"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("found %s, want %s", got, want)
	}
	clean, err := Cleanup(p, w)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "program/cleanup_after_lost_state.txt", outline(clean))
}
