package compile

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xplan/internal/policy"
	"xplan/plan"
)

type reporter interface {
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// check holds what is true of every program.
func check(t reporter, p *plan.Plan, w World, prog *Program) {
	seen := make(map[plan.StepID]Step)
	for _, s := range prog.Steps {
		for _, id := range slices.Concat(s.Needs, s.After) {
			if _, ok := seen[id]; !ok {
				t.Errorf("%s comes after %s, which is missing or later", s.ID, id)
			}
		}
		if _, ok := seen[s.ID]; ok {
			t.Errorf("%s is there twice", s.ID)
		}
		seen[s.ID] = s
		if n := specs(s.Spec); n != 1 {
			t.Errorf("%s has %d specs, want 1", s.ID, n)
		}
		if s.Action == "" || (s.Kind.IsCleanup() && s.Rule == "") {
			t.Errorf("%s has action %q and rule %q", s.ID, s.Action, s.Rule)
		}
		if s.Confirm != "" && s.Action != Delete {
			t.Errorf("%s wants a confirmation and does not delete", s.ID)
		}
		if s.Kind == KindCopy && s.Action == Run && !slices.Contains(s.Needs, id(KindProbe, s.Pair)) {
			t.Errorf("%s does not need its probe", s.ID)
		}
		if s.Kind.IsCleanup() && s.Rule == plan.Always && slices.ContainsFunc(s.Needs, func(id plan.StepID) bool { return strings.HasPrefix(string(id), "verify/") }) {
			t.Errorf("%s runs always and needs a verification", s.ID)
		}
	}
	for _, s := range prog.Steps {
		if s.Kind.IsCleanup() && !hasMaker(p, w, seen, s) {
			t.Errorf("%s has neither a maker in the program nor an owner", s.ID)
		}
	}
}

func specs(s Spec) int {
	n := 0
	for _, field := range reflect.ValueOf(s).Fields() {
		if !field.IsNil() {
			n++
		}
	}
	return n
}

// hasMaker tells whether what a clean-up removes is made by the program, ours, or named by the plan.
func hasMaker(p *plan.Plan, w World, steps map[plan.StepID]Step, s Step) bool {
	makers := map[Kind]Kind{
		KindCleanUploads: KindCopy, KindCleanKey: KindCredentials, KindCleanBucketPolicy: KindBucketPolicy, KindCleanGrant: KindGrant,
		KindCleanFreeze: KindFreeze, KindCleanAttachment: KindAttachment, KindCleanPolicy: KindPolicy, KindCleanPrincipal: KindPrincipal,
	}
	maker, ok := makers[s.Kind]
	if !ok {
		return true // named by the plan
	}
	_, what, _ := strings.Cut(string(s.ID), "/")
	if _, made := steps[id(maker, what)]; made {
		return true
	}
	b := newBuilder(p, w)
	switch s.Kind {
	case KindCleanKey:
		return slices.ContainsFunc(w.Owned, func(o Owned) bool { return o.Kind == KindCredentials })
	case KindCleanBucketPolicy:
		return b.standing(what).ours
	case KindCleanFreeze:
		_, recorded := b.owned(KindFreeze, what, "")
		return recorded || len(frozen(p, w, what).ours) > 0
	case KindCleanGrant:
		return standingGrant(p, w, w.key(what))
	case KindCleanPrincipal:
		return principalOurs(w.Owned, p.Name, w.Principal)
	case KindCleanUploads:
		_, ours := b.owned(KindCopy, what, "")
		return ours
	default:
		name, _, _ := strings.Cut(what, "/")
		return slices.ContainsFunc(b.policies, func(x policyTarget) bool { return x.name == name && x.ours })
	}
}

func oneOf[T any](t *rapid.T, label string, values ...T) T {
	return rapid.SampledFrom(values).Draw(t, label)
}

func drawPlan(t *rapid.T) *plan.Plan {
	p := tommy()
	p.Buckets = nil
	for range rapid.IntRange(1, 3).Draw(t, "pairs") {
		b := pair(oneOf(t, "source", "tommy", "timmy"), oneOf(t, "destination", "tommy-b", "timmy-b", "t"))
		b.Prefix = oneOf(t, "prefix", "", "logs/", "logs/a", "d?*/")
		b.ToPrefix = oneOf(t, "to", "", "x/")
		b.Create = oneOf(t, "create", true, true, false)
		b.Copy.Tags, b.Copy.DeleteExtra = rapid.Bool().Draw(t, "tags"), oneOf(t, "extra", false, false, true)
		b.Verify.Level = oneOf(t, "level", plan.LevelSize, plan.LevelChecksum, plan.LevelBytes)
		b.Verify.Otherwise = oneOf(t, "otherwise", "accept", "bytes", "fail")
		b.Cleanup.SourceObjects = oneOf(t, "objects", plan.Keep, plan.Keep, plan.AfterVerify)
		b.Cleanup.SourceBucket = oneOf(t, "bucket", plan.Keep, plan.Keep, plan.AfterVerify)
		if b.Cleanup.SourceBucket == plan.AfterVerify {
			b.Cleanup.SourceObjects = plan.AfterVerify
		}
		if oneOf(t, "destination key", false, true) {
			b.Settings.Encryption = plan.Encryption{Algorithm: "aws:kms", KMSKeyID: oneOf(t, "key", "", destinationKey, "alias/x")}
		}
		if !slices.ContainsFunc(p.Buckets, func(o plan.Pair) bool { return o.ID() == b.ID() }) {
			p.Buckets = append(p.Buckets, b)
		}
	}
	rules := []plan.Rule{plan.Always, plan.AfterVerify, plan.Keep}
	p.Cleanup.AccessKey = oneOf(t, "key rule", plan.Always, plan.AfterVerify)
	p.Cleanup.Policy = rapid.SampledFrom(rules).Draw(t, "policy rule")
	p.Cleanup.BucketPolicy = rapid.SampledFrom(rules).Draw(t, "bucket policy rule")
	p.Cleanup.DestinationBucket = rapid.SampledFrom(rules).Draw(t, "destination rule")
	if oneOf(t, "instance", false, true) {
		p.Cleanup.Instances = []plan.Instance{{ID: "i-1", Account: plan.Destination}}
	}
	p.Permissions.Adopt = rapid.Bool().Draw(t, "adopt")
	switch oneOf(t, "principal", "user", "user", "role", "profile", "unmanaged", "none", "minio") {
	case "role":
		p.Principal = &plan.Principal{ARN: "arn:aws:iam::210987654321:role/team/puller", Credentials: plan.AssumeRole}
	case "profile":
		p.Principal.Credentials, p.Principal.Profile = plan.Profile, "x"
	case "unmanaged":
		p.Permissions.Manage = false
	case "none":
		p.Principal, p.Permissions = nil, plan.Permissions{}
	case "minio":
		p.Principal, p.Permissions = nil, plan.Permissions{}
		p.Accounts.Source = plan.Account{Provider: plan.S3Compatible, EndpointURL: "http://127.0.0.1:9000", Region: "us-east-1"}
		p.Accounts.Destination = p.Accounts.Source
	}
	if oneOf(t, "cut over", false, true) {
		withFreeze(p, oneOf(t, "freeze rule", plan.Always, plan.OnFailure))
		p.CutOver.Freeze = p.Principal != nil && p.Permissions.Manage && oneOf(t, "freeze", true, false)
	}
	if p.Principal != nil && p.Permissions.Manage {
		p.Principal.Create = rapid.Bool().Draw(t, "create principal")
	}
	return p
}

func drawWorld(t *rapid.T, p *plan.Plan) World {
	w := fresh()
	w.Copies, w.Instances, w.Keys = map[string]CopyFacts{}, map[string]InstanceFacts{}, map[string]KMSKey{}
	for _, b := range p.Buckets {
		src := secure("us-west-2")
		src.Exists = oneOf(t, "source exists", true, true, true, true, false)
		src.Policy = oneOf(t, "source policy", "", "", othersPolicy)
		src.Versioning = oneOf(t, "versioning", "", "", "Enabled")
		if oneOf(t, "source key", false, true) {
			src = encryptedWith(src, sourceKey)
		}
		w.Buckets[BucketRef{plan.Source, b.Source}] = src
		dst := Bucket{}
		if rapid.Bool().Draw(t, "destination exists") {
			dst = secure("us-west-2")
		}
		w.Buckets[BucketRef{plan.Destination, b.Destination}] = dst
		n := int64(rapid.IntRange(0, 3).Draw(t, "objects"))
		switch oneOf(t, "copies", "unknown", "new", "same", "partial", "extra", "sizes") {
		case "new":
			w.Copies[b.ID()] = CopyFacts{Known: true, Listed: Count{n, n}, New: Count{n, n}}
		case "same":
			w.Copies[b.ID()] = CopyFacts{Known: true, Listed: Count{n, n}, Same: Count{n, n}, SameBy: map[string]Count{"etag": {n, n}}}
		case "partial":
			w.Copies[b.ID()] = CopyFacts{Known: true, Partial: true, Listed: Count{1, 1}, New: Count{1, 1}}
		case "extra":
			w.Copies[b.ID()] = CopyFacts{Known: true, Extra: Count{n, n}}
		case "sizes":
			w.Copies[b.ID()] = CopyFacts{Known: true, Listed: Count{n, n}, Same: Count{n, n}, SameBy: map[string]Count{"size_only": {n, n}}}
		}
	}
	w.Keys[sourceKey] = KMSKey{ARN: sourceKey, State: "Enabled"}
	for _, i := range p.Cleanup.Instances {
		w.Instances[i.ID] = InstanceFacts{Exists: rapid.Bool().Draw(t, "instance exists"), State: oneOf(t, "state", "running", "terminated")}
	}
	if p.Principal == nil {
		w.Principal = PrincipalFacts{}
		return w
	}
	w.Principal = PrincipalFacts{ARN: p.Principal.ARN, Exists: true}
	if p.Principal.Create {
		w.Principal.Exists = false
	}
	drawOwned(t, p, &w)
	return w
}

// drawOwned adds what earlier runs may have left.
func drawOwned(t *rapid.T, p *plan.Plan, w *World) {
	if !w.Principal.Exists {
		return
	}
	switch e := parseEntity(p.Principal.ARN); oneOf(t, "left", "nothing", "key", "intent", "policy", "superfluous", "uploads", "frozen") {
	case "key":
		if !e.role() {
			w.Principal.Keys = []AccessKey{{ID: "AKIAOLD"}, {ID: "AKIAELSE"}}
			w.Owned = []Owned{{Kind: KindCredentials, Subject: "AKIAOLD", Parent: e.name}}
		}
	case "intent":
		if !e.role() {
			w.Principal.Keys = []AccessKey{{ID: "AKIAOLD"}, {ID: "AKIAELSE"}}[:rapid.IntRange(0, 2).Draw(t, "keys")]
			w.Owned = []Owned{{Kind: KindCredentials, Intent: true, Parent: e.name, Before: []string{"AKIAELSE"}}}
		}
	case "policy":
		w.Policies = []ManagedPolicy{{Exists: true, ARN: tommysPolicy, Name: "s3_copy_by_pull_across_accounts", Tags: map[string]string{PlanTag: p.Name}, Attached: []string{p.Principal.ARN}}}
	case "superfluous":
		w.Policies = []ManagedPolicy{{Exists: true, ARN: tommysPolicy + "-2", Name: "s3_copy_by_pull_across_accounts-2", Tags: map[string]string{PlanTag: p.Name}}}
	case "frozen":
		if p.Freezes() {
			name := p.Buckets[0].Source
			for _, s := range freezeStatements(p, *w, name) {
				b := w.Buckets[BucketRef{plan.Source, name}]
				if !b.Exists || b.Policy != "" {
					continue
				}
				b.Policy = string(policy.Document{Version: policy.Version2012, Statements: []policy.Statement{s}}.JSON())
				w.Buckets[BucketRef{plan.Source, name}] = b
			}
			w.Owned = byTags(p, *w)
		}
	case "uploads":
		w.Owned = []Owned{{Kind: KindCopy, Subject: p.Buckets[0].ID()}}
	}
}

func TestEveryProgramIsSound(t *testing.T) {
	compiledOnce := 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		w := drawWorld(t, p)
		prog, err := Compile(p, w)
		var problems *ProblemsError
		switch {
		case errors.As(err, &problems):
			if len(problems.List) == 0 {
				t.Fatalf("an empty list of problems")
			}
			return
		case err != nil:
			t.Fatalf("compile: %v", err)
		}
		compiledOnce++
		check(t, p, w, prog)
		one, err := prog.JSON()
		if err != nil {
			t.Fatalf("%v", err)
		}
		if again, err := Compile(p, w); err != nil {
			t.Fatalf("compile again: %v", err)
		} else if two, _ := again.JSON(); string(one) != string(two) {
			t.Errorf("the same plan and world compiled to two programs")
		}
		clean, err := Cleanup(p, w)
		if err == nil {
			check(t, p, w, clean)
		}
		if slices.ContainsFunc(prog.Steps, func(s Step) bool { return s.Action == Wait }) {
			return // a person has to look: it goes on being shown
		}
		later := after(t, p, w, prog)
		last, err := Compile(p, later)
		if err != nil {
			t.Fatalf("compile after applying: %v", err)
		}
		last.Steps = slices.DeleteFunc(last.Steps, func(s Step) bool { // what stays frozen waits for a person
			return s.Kind == KindCleanFreeze && s.Action == Wait && p.Cleanup.Freeze == plan.OnFailure
		})
		if last.HasChanges() {
			t.Errorf("after\n%sthe plan still has changes:\n%s", outline(prog), outline(last))
		}
	})
	if compiledOnce == 0 {
		t.Error("no plan compiled at all")
	}
}

func TestAThousandPairsCompile(t *testing.T) {
	p, w := tommy(), fresh()
	p.Buckets, w.Copies = nil, nil
	for i := range 1000 {
		src := fmt.Sprintf("source-%04d", i)
		p.Buckets = append(p.Buckets, pair(src, fmt.Sprintf("destination-%04d", i)))
		w.Buckets[BucketRef{plan.Source, src}] = secure("us-west-2")
	}
	_, err := Compile(p, w)
	if err == nil || !strings.Contains(err.Error(), "more than 20 policies") {
		t.Errorf("got %v, want the limit of attached policies named", err)
	}
	p.Permissions.Manage = false
	if prog := compiled(t, p, w); len(prog.Steps) < 6000 {
		t.Errorf("%d steps, want six a pair", len(prog.Steps))
	}
}
