package compile

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xplan/internal/policy/spell"
	"xplan/plan"
)

// keptWorld is the world after a run of a plan that keeps its permissions.
func keptWorld(t *testing.T) (*plan.Plan, World) {
	t.Helper()
	p, w := tommy(), fresh()
	p.Cleanup.Policy, p.Cleanup.BucketPolicy = plan.Keep, plan.Keep
	b := encryptedWith(secure("us-west-2"), sourceKey)
	b.Policy = othersPolicy
	w.Buckets[BucketRef{plan.Source, "tommy"}] = b
	w.Keys = map[string]KMSKey{sourceKey: {ARN: sourceKey, State: "Enabled"}}
	return p, after(t, p, w, compiled(t, p, w))
}

func sourcePolicyStep(t *testing.T, prog *Program) Step {
	t.Helper()
	i := slices.IndexFunc(prog.Steps, func(s Step) bool { return s.Kind == KindBucketPolicy })
	if i < 0 {
		t.Fatal("the program has no step for the source's policy")
	}
	return prog.Steps[i]
}

// TestNoSpellingOfWhatStandsIsAChange rewrites the policies in both accounts as AWS and people do, and plans again.
func TestNoSpellingOfWhatStandsIsAChange(t *testing.T) {
	p, w := keptWorld(t)
	prog := compiled(t, p, w)
	reviewed, kept := facts(p, w), sourcePolicyStep(t, prog).Change.Preserved
	rapid.Check(t, func(rt *rapid.T) {
		other := clone(w)
		pick := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)).IntN
		again := func(text string) string {
			said, err := spell.Again([]byte(text), pick, map[string]string{w.Principal.ARN: w.Principal.UserID})
			if err != nil {
				rt.Fatal(err)
			}
			return string(said)
		}
		ref := BucketRef{plan.Source, "tommy"}
		b := other.Buckets[ref]
		b.Policy = again(b.Policy)
		other.Buckets[ref] = b
		for i, m := range other.Policies {
			other.Policies[i].Document = again(m.Document)
		}
		prog, err := Compile(p, other)
		if err != nil {
			rt.Fatalf("%v with %s", err, b.Policy)
		}
		if prog.HasChanges() {
			rt.Fatalf("a change:\n%s\nof %s", outline(prog), b.Policy)
		}
		preserved := sourcePolicyStep(t, prog).Change.Preserved
		slices.Sort(preserved)
		slices.Sort(kept)
		if !slices.Equal(preserved, kept) {
			rt.Fatalf("preserved %v, want %v, of %s", preserved, kept, b.Policy)
		}
		lost := other
		lost.Owned = nil
		lost.Owned = byTags(p, lost)
		if prog, err := Compile(p, lost); err != nil || prog.HasChanges() {
			rt.Fatalf("a change when state is lost: %v, of %s", err, b.Policy)
		}
		if got := facts(p, other); !slices.Equal(got, reviewed) {
			rt.Fatalf("the facts that a saved plan rests on are\n%v, want\n%v", got, reviewed)
		}
	})
}

// Somebody changed what stands: each change is undone, or refused as somebody else's statement.
func TestEveryChangeOfWhatStandsIsShown(t *testing.T) {
	p, w := keptWorld(t)
	ref := BucketRef{plan.Source, "tommy"}
	for name, change := range map[string]func(*World){
		"our statement allows more": func(w *World) { edit(w, ref, `"s3:GetObject"`, `"s3:GetObject","s3:PutObject"`) },
		"our statement denies":      func(w *World) { edit(w, ref, `"Allow"`, `"Deny"`) },
		"our statement is another's": func(w *World) {
			edit(w, ref, "arn:aws:iam::210987654321:user/misterrodgers", "arn:aws:iam::210987654321:user/Misterrodgers")
		},
		"our statement is gone": func(w *World) { b := w.Buckets[ref]; b.Policy = othersPolicy; w.Buckets[ref] = b },
		"the policy allows less": func(w *World) {
			w.Policies[0].Document = strings.Replace(w.Policies[0].Document, `"s3:PutObject",`, "", 1)
		},
		"the policy reaches further": func(w *World) {
			w.Policies[0].Document = strings.Replace(w.Policies[0].Document, "arn:aws:s3:::tommy/*", "arn:aws:s3:::*", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			other := clone(w)
			change(&other)
			if slices.Equal(facts(p, other), facts(p, w)) {
				t.Fatal("nothing was changed")
			}
			if prog, err := Compile(p, other); err == nil && !prog.HasChanges() {
				t.Errorf("no change, and no refusal:\n%s", outline(prog))
			}
		})
	}
}

func edit(w *World, ref BucketRef, from, to string) {
	b := w.Buckets[ref]
	before, after, _ := strings.Cut(b.Policy, `"Sid":"DelegateS3Access"`) // ours alone
	b.Policy = before + strings.Replace(`"Sid":"DelegateS3Access"`+after, from, to, 1)
	w.Buckets[ref] = b
}
