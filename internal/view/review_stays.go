package view

import (
	"fmt"
	"slices"
	"strings"

	"xplan/internal/compile"
	"xplan/plan"
)

// staysOf says what is left as it is, and what the run makes and does not remove.
func staysOf(p *plan.Plan, prog *compile.Program, pairs []reviewPair) []reviewStay {
	all := []reviewStay{}
	add := func(subject, why string) {
		if s := (reviewStay{subject, why}); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	for i, pair := range p.Buckets {
		s := find(prog, compile.KindCopy, pair.ID())
		if s == nil || s.Change.Copy == nil {
			continue
		}
		staysOfPair(prog, pairs[i], *s, add)
	}
	for _, s := range prog.Steps {
		if kept := ofOthers(prog, s); len(kept) > 0 {
			add("s3.bucket_policy "+s.Subject, plural(int64(len(kept)), "statement")+" of others: "+strings.Join(kept, ", "))
		}
		if s.Kind == compile.KindCredentials {
			continue // a minted key is never kept
		}
		if made := s.Action == compile.Create || s.Action == compile.Update; made && !s.Kind.IsCleanup() && !removed(prog, s) {
			add(noun(s)+" "+s.Subject, madeAndKept(s))
		}
	}
	return all
}

// ofOthers are the statements that a step preserves and no clean-up takes out: those that are not the plan's.
func ofOthers(prog *compile.Program, s compile.Step) []string {
	return slices.DeleteFunc(slices.Clone(s.Change.Preserved), func(label string) bool {
		return slices.ContainsFunc(prog.Steps, func(c compile.Step) bool {
			return c.Kind.IsCleanup() && c.Subject == s.Subject && slices.Contains(c.Change.Lines, compile.Line{Sign: "-", Text: "Sid " + label})
		})
	})
}

// madeAndKept says why something that the run makes is not removed.
func madeAndKept(s compile.Step) string {
	switch s.Kind {
	case compile.KindBucket:
		return "made for the copied objects"
	case compile.KindFreeze:
		return "once all is verified, until xplan cleanup lifts it"
	default:
	}
	return "made by the run, and the plan keeps it"
}

func staysOfPair(prog *compile.Program, pair reviewPair, s compile.Step, add func(subject, why string)) {
	f := s.Change.Copy
	deletion := find(prog, compile.KindCleanSourceObjects, s.Pair)
	switch {
	case deletion == nil:
		add(pair.Source.in(), fmt.Sprintf("the source: %s, which the run only reads", listedText(f)))
	case deletion.Action == compile.Wait:
		add(pair.Source.in(), deletion.Change.Note)
	}
	if find(prog, compile.KindCleanExtra, s.Pair) == nil && f.Extra.Objects > 0 {
		add(pair.Destination.in(), plural(f.Extra.Objects, "object")+" at the destination only")
	}
	if n := f.SkippedBy["kept"].Objects; n > 0 {
		add(pair.Destination.in(), "what differs ("+plural(n, "object")+"): the plan never overwrites")
	}
	if f.Same.Objects > 0 {
		add(pair.Destination.in(), "what is the same already ("+plural(f.Same.Objects, "object")+")")
	}
}

func listedText(f *compile.CopyFacts) string {
	if !f.Known || f.Partial {
		return "all objects"
	}
	return plural(f.Listed.Objects, "object")
}

func find(prog *compile.Program, kind compile.Kind, pair string) *compile.Step {
	for i, s := range prog.Steps {
		if s.Kind == kind && s.Pair == pair {
			return &prog.Steps[i]
		}
	}
	return nil
}

// removed tells whether a clean-up step undoes what the step makes.
func removed(prog *compile.Program, s compile.Step) bool {
	undo := map[compile.Kind]compile.Kind{
		compile.KindBucket: compile.KindCleanDestinationBucket, compile.KindPrincipal: compile.KindCleanPrincipal,
		compile.KindPolicy: compile.KindCleanPolicy, compile.KindAttachment: compile.KindCleanAttachment,
		compile.KindGrant: compile.KindCleanGrant, compile.KindBucketPolicy: compile.KindCleanBucketPolicy,
		compile.KindFreeze: compile.KindCleanFreeze,
	}[s.Kind]
	return slices.ContainsFunc(prog.Steps, func(c compile.Step) bool {
		if c.Spec.Freeze != nil && c.Spec.Freeze.HoldsVerified {
			return false
		}
		return c.Kind == undo && (c.Rule == plan.Always || c.Rule == plan.AfterVerify) && string(c.ID) == string(undo)+strings.TrimPrefix(string(s.ID), string(s.Kind))
	})
}
