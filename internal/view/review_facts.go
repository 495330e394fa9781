package view

import (
	"slices"
	"strings"

	"xplan/internal/compile"
	"xplan/plan"
)

// reviewFacts is all that a review tells, whatever its form: the JSON document is this, and the text
// and the markdown show it.
type reviewFacts struct {
	Type        string            `json:"type"`   // review
	Format      int               `json:"format"` // 1
	Plan        string            `json:"plan"`
	PlanDigest  string            `json:"plan_digest"`
	WorldDigest string            `json:"world_digest"`
	Saved       string            `json:"saved,omitempty"` // the file whose apply runs exactly this
	Changes     bool              `json:"changes"`
	Counted     bool              `json:"counted"` // every pair: nothing is assumed about what there is to copy
	Totals      compile.Totals    `json:"totals"`
	Pairs       []reviewPair      `json:"pairs"`
	Steps       []reviewStep      `json:"steps"`
	Access      []reviewAccess    `json:"access"`
	Dangers     []reviewDanger    `json:"dangers"`
	Warnings    []reviewWarning   `json:"warnings"`
	Findings    []compile.Finding `json:"findings"`
	Unseen      []reviewUnseen    `json:"not_previewed"`
	Stays       []reviewStay      `json:"stays"`
	Estimate    *compile.Estimate `json:"estimate"` // null: nothing is copied
	Apply       []string          `json:"apply"`    // the commands that run exactly this, in order; empty: nothing to run, or refused
}

// A reviewPair is where a pair's objects come from and go to.
type reviewPair struct {
	ID          string      `json:"id"`
	Source      reviewPlace `json:"source"`
	Destination reviewPlace `json:"destination"`
}

type reviewPlace struct {
	Account string `json:"account,omitempty"`
	Bucket  string `json:"bucket"`
	Prefix  string `json:"prefix,omitempty"`
	Region  string `json:"region,omitempty"`
}

func (p reviewPlace) String() string {
	return place(p.Bucket, p.Prefix, compile.Location{Account: p.Account, Region: p.Region})
}

// in is the place without its region.
func (p reviewPlace) in() string {
	return place(p.Bucket, p.Prefix, compile.Location{Account: p.Account})
}

type reviewStep struct {
	Step    plan.StepID    `json:"step"`
	Kind    compile.Kind   `json:"kind"`
	Side    plan.Side      `json:"side"`
	Account string         `json:"account"` // of the side; "" at servers without accounts
	Pair    string         `json:"pair"`
	Subject string         `json:"subject"`
	Action  compile.Action `json:"action"`
	Rule    plan.Rule      `json:"rule"`
	Confirm string         `json:"confirm"`
	Change  compile.Change `json:"change"`
	Needs   []plan.StepID  `json:"needs"`
	After   []plan.StepID  `json:"after"`

	spec compile.Spec // for the words
}

// A reviewAccess is what the principal may do during the run.
type reviewAccess struct {
	Principal string `json:"principal"` // ARN
	May       string `json:"may"`       // "list and read", "list and write", "decrypt with", "encrypt with"
	Resource  string `json:"resource"`
	New       bool   `json:"new"`   // this run gives it; else it stands already
	Until     string `json:"until"` // when it ends, in words
}

// A reviewDanger is what cannot be undone, or stops others from working.
type reviewDanger struct {
	Step     plan.StepID `json:"step,omitempty"` // "": a warning's
	Message  string      `json:"message"`
	Confirm  string      `json:"confirm,omitempty"`  // the bucket that a person must have confirmed
	Withheld string      `json:"withheld,omitempty"` // why it is not done; "": it is
	Lifted   bool        `json:"lifted,omitempty"`   // it does not last: the run, or xplan cleanup, takes it back
}

type reviewWarning struct {
	Subject string `json:"subject"`
	Message string `json:"message"`
	Danger  bool   `json:"danger"`
}

type reviewUnseen struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// A reviewStay is something that is left as it is, or that the run makes and does not remove.
type reviewStay struct {
	Subject string `json:"subject"`
	Why     string `json:"why"`
}

func factsOf(p *plan.Plan, prog *compile.Program, saved string) reviewFacts {
	f := reviewFacts{
		Type: "review", Format: 1, Plan: p.Name, PlanDigest: prog.PlanDigest, WorldDigest: prog.WorldDigest, Saved: saved,
		Changes: prog.HasChanges(), Counted: true, Totals: prog.Totals(), Estimate: prog.Estimate,
		Pairs: pairsOf(p, prog), Steps: stepsOf(p, prog), Access: accessOf(p, prog), Dangers: []reviewDanger{},
		Warnings: []reviewWarning{}, Findings: list(prog.Findings), Unseen: []reviewUnseen{},
	}
	for _, s := range prog.Steps {
		if c := s.Change.Copy; s.Kind == compile.KindCopy && (c == nil || !c.Known || c.Partial) {
			f.Counted = false
		}
		if s.Change.Danger == "" {
			continue
		}
		d := reviewDanger{Step: s.ID, Message: s.Change.Danger, Confirm: s.Confirm, Lifted: s.Kind == compile.KindFreeze}
		if s.Action == compile.Wait {
			d.Withheld = s.Change.Note
		}
		f.Dangers = append(f.Dangers, d)
	}
	for _, w := range prog.Warnings {
		f.Warnings = append(f.Warnings, reviewWarning{w.Subject, w.Text, w.Danger})
		if w.Danger {
			f.Dangers = append(f.Dangers, reviewDanger{Message: w.Subject + ": " + w.Text})
		}
	}
	for _, u := range prog.Unseen {
		f.Unseen = append(f.Unseen, reviewUnseen{u.What, u.Why})
	}
	f.Stays = staysOf(p, prog, f.Pairs)
	f.Apply = applyOf(p, f)
	return f
}

func pairsOf(p *plan.Plan, prog *compile.Program) []reviewPair {
	all := make([]reviewPair, 0, len(p.Buckets))
	for _, pair := range p.Buckets {
		one := reviewPair{
			ID:          pair.ID(),
			Source:      reviewPlace{Account: p.Accounts.Source.ID, Bucket: pair.Source, Prefix: pair.Prefix},
			Destination: reviewPlace{Account: p.Accounts.Destination.ID, Bucket: pair.Destination, Prefix: pair.ToPrefix},
		}
		for _, s := range prog.Steps {
			if s.Pair == one.ID && s.Spec.Copy != nil {
				one.Source.Region, one.Destination.Region = s.Spec.Copy.SourceRegion, s.Spec.Copy.DestRegion
			}
		}
		all = append(all, one)
	}
	return all
}

func stepsOf(p *plan.Plan, prog *compile.Program) []reviewStep {
	all := make([]reviewStep, 0, len(prog.Steps))
	for _, s := range prog.Steps {
		all = append(all, reviewStep{
			Step: s.ID, Kind: s.Kind, Side: s.Side, Account: p.Accounts.Of(s.Side).ID, Pair: s.Pair, Subject: s.Subject, Action: s.Action,
			Rule: s.Rule, Confirm: s.Confirm, Change: s.Change, Needs: list(s.Needs), After: list(s.After), spec: s.Spec,
		})
	}
	return all
}

// accessOf says what the principal may do, from what the probes will ask as it.
func accessOf(p *plan.Plan, prog *compile.Program) []reviewAccess {
	all := []reviewAccess{}
	given := func(kinds ...compile.Kind) bool {
		return slices.ContainsFunc(prog.Steps, func(s compile.Step) bool {
			return slices.Contains(kinds, s.Kind) && (s.Action == compile.Create || s.Action == compile.Update)
		})
	}
	identity := given(compile.KindPolicy, compile.KindAttachment)
	add := func(a reviewAccess) {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	for _, s := range prog.Steps {
		probe := s.Spec.Probe
		if s.Kind != compile.KindProbe || probe == nil || probe.PrincipalARN == "" {
			continue
		}
		ours := p.Permissions.Manage
		policyEnds := untilOf(prog, compile.KindCleanPolicy, ours)
		from, to := probe.Source(), probe.Destination()
		if slices.Contains(probe.Legs, compile.LegReadSource) {
			add(reviewAccess{
				probe.PrincipalARN, "list and read", place(from.Bucket, probe.Pair.Prefix, compile.Location{Account: from.Account}),
				identity || given(compile.KindBucketPolicy), untilOf(prog, compile.KindCleanBucketPolicy, ours),
			})
		}
		add(reviewAccess{
			probe.PrincipalARN, "list and write", place(to.Bucket, probe.Pair.ToPrefix, compile.Location{Account: to.Account}), identity, policyEnds,
		})
		if probe.SourceKMS != "" {
			add(reviewAccess{probe.PrincipalARN, "decrypt with", probe.SourceKMS, identity || given(compile.KindGrant), untilOf(prog, compile.KindCleanGrant, ours)})
		}
		if probe.DestinationKMS != "" {
			add(reviewAccess{probe.PrincipalARN, "encrypt with", probe.DestinationKMS, identity, policyEnds})
		}
	}
	return all
}

// untilOf says when a clean-up of the kind ends an access.
func untilOf(prog *compile.Program, kind compile.Kind, ours bool) string {
	if !ours {
		return "others say: the plan manages no permissions"
	}
	for _, s := range prog.Steps {
		switch {
		case s.Kind != kind:
		case s.Rule == plan.Always:
			return "the run's end, however it ends"
		case s.Rule == plan.AfterVerify:
			return "the copy is verified"
		}
	}
	return "somebody removes it: the plan keeps it"
}

// applyOf are the commands that run exactly this.
func applyOf(p *plan.Plan, f reviewFacts) []string {
	if grave, _ := severe(f.Findings); !f.Changes || len(grave) > 0 {
		return []string{}
	}
	saved, all := f.Saved, []string{}
	if saved == "" {
		file := p.File
		if file == "" {
			file = "FILE"
		}
		saved = "reviewed.plan"
		all = append(all, "xplan plan "+shellWord(file)+" -o "+saved)
	}
	return append(all, "xplan apply "+shellWord(saved))
}

// notSeen says in a few words what the review could not see.
func (f reviewFacts) notSeen() string {
	var parts []string
	if n := len(f.Unseen); n > 0 {
		parts = append(parts, plural(int64(n), "fact")+" of the accounts")
	}
	uncounted := 0
	for _, s := range f.Steps {
		if c := s.Change.Copy; s.Kind == compile.KindCopy && (c == nil || !c.Known || c.Partial) {
			uncounted++
		}
	}
	if uncounted > 0 {
		parts = append(parts, "what there is to copy of "+plural(int64(uncounted), "pair"))
	}
	if len(parts) == 0 {
		return "nothing that was asked for"
	}
	return strings.Join(parts, ", ") + ": marked ? above"
}

// confirms are the buckets in which the review wants deletions to be confirmed.
func (f reviewFacts) confirms() []string {
	var all []string
	for _, d := range f.Dangers {
		if d.Confirm != "" && d.Withheld == "" && !slices.Contains(all, d.Confirm) {
			all = append(all, d.Confirm)
		}
	}
	return all
}

// shellWord quotes what a shell would not take as one word.
func shellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
