package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"xplan/internal/compile"
	"xplan/plan"
)

// textWidth is where lines of a review end, on any terminal: the text is the same everywhere.
const textWidth = 100

// Diff renders the review of a program before it is applied, as text.
func Diff(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	d := newDiff(p, prog, style)
	d.header()
	d.refusal()
	d.changes()
	d.notes()
	d.access()
	d.cleanup()
	d.stays()
	d.estimate()
	d.line()
	if !d.facts.Changes {
		d.line(noChanges)
		return d.to(w)
	}
	d.line(d.paint("#", totals(d.facts.Totals)))
	d.line("Not seen: ", d.facts.notSeen())
	d.apply()
	return d.to(w)
}

const noChanges = "No changes: the plan holds, and nothing of it is left to clean up."

// NoChanges says that the plan holds already.
func NoChanges(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	d := newDiff(p, prog, style)
	d.header()
	d.notes()
	d.line(noChanges)
	return d.to(w)
}

type diff struct {
	page
	facts reviewFacts
	plan  *plan.Plan
	prog  *compile.Program
}

func newDiff(p *plan.Plan, prog *compile.Program, style Style) *diff {
	return &diff{page: page{style: style}, facts: factsOf(p, prog, style.Saved), plan: p, prog: prog}
}

func (d *diff) header() {
	d.line(d.paint("#", fmt.Sprintf("xplan plan  %s   plan %s  world %s", d.plan.Name, shortDigest(d.prog.PlanDigest), shortDigest(d.prog.WorldDigest))))
	for _, pair := range d.facts.Pairs {
		d.line(safe(pair.Source.String()), " → ", safe(pair.Destination.String())) // a saved plan may come from anywhere
	}
	d.line()
}

// shortDigest is "sha256:9f2c…".
func shortDigest(d string) string {
	return "sha256:" + fmt.Sprintf("%.8s…", strings.TrimPrefix(d, "sha256:"))
}

// place says where a bucket is: "123456789012/tommy/logs/ (us-west-2)".
func place(bucket, prefix string, l compile.Location) string {
	s := bucket
	if l.Account != "" {
		s = l.Account + "/" + s
	}
	if prefix != "" {
		s += "/" + Key(prefix)
	}
	if l.Region != "" {
		s += " (" + l.Region + ")"
	}
	return s
}

// changes are the steps before the clean-up: those that do something, and with Verbose all.
func (d *diff) changes() {
	quiet := 0
	for _, s := range d.prog.Steps {
		switch {
		case isCleanup(s.Kind):
			continue
		case s.Kind == compile.KindCopy:
			d.copyStep(s)
		case isShown(s):
			d.step(s)
		case s.Action == compile.Hold && d.style.Verbose:
			d.wrap("", "=", padRight(noun(s), 17)+" "+d.where(s), "holds")
		case s.Action == compile.Hold:
			quiet++
		case d.style.Verbose:
			d.wrap("", ">", padRight(string(s.Kind), 17)+" "+s.Subject)
		}
	}
	if quiet > 0 {
		d.line(d.paint("=", fmt.Sprintf("= %s already (-v shows them)", holds(quiet))))
	}
}

// isShown tells whether a step, other than a copy or a clean-up, is a change, or part of how a cut-over goes.
func isShown(s compile.Step) bool {
	switch s.Kind {
	case compile.KindCredentials, compile.KindDelta, compile.KindFinal:
		return true
	default:
		return s.Action == compile.Create || s.Action == compile.Update
	}
}

func holds(n int) string {
	if n == 1 {
		return "1 step holds"
	}
	return fmt.Sprintf("%d steps hold", n)
}

func isCleanup(k compile.Kind) bool { return strings.HasPrefix(string(k), "cleanup.") }

// noun is the thing that a step is about, as AWS calls it.
func noun(s compile.Step) string {
	switch s.Kind {
	case compile.KindBucket, compile.KindCleanDestinationBucket, compile.KindCleanSourceBucket:
		return "s3.bucket"
	case compile.KindBucketPolicy, compile.KindCleanBucketPolicy:
		return "s3.bucket_policy"
	case compile.KindCredentials, compile.KindCleanKey:
		if s.Spec.Credentials != nil && s.Spec.Credentials.Kind != plan.AccessKey && s.Kind == compile.KindCredentials {
			return "credentials"
		}
		return "iam.access_key"
	case compile.KindPrincipal, compile.KindCleanPrincipal:
		if s.Spec.Principal != nil && s.Spec.Principal.Role {
			return "iam.role"
		}
		return "iam.user"
	case compile.KindPolicy, compile.KindCleanPolicy:
		return "iam.policy"
	case compile.KindAttachment, compile.KindCleanAttachment:
		return "iam.attachment"
	case compile.KindGrant, compile.KindCleanGrant:
		return "kms.grant"
	case compile.KindCleanInstance:
		return "ec2.instance"
	case compile.KindCleanUploads:
		return "s3.uploads"
	case compile.KindFreeze, compile.KindCleanFreeze:
		return "source.freeze"
	default:
		return string(s.Kind)
	}
}

func sign(s compile.Step) string {
	switch s.Action {
	case compile.Create:
		return "+"
	case compile.Update:
		return "~"
	case compile.Delete:
		return "-"
	case compile.Wait:
		return "?"
	case compile.Hold:
		return "="
	default:
		return ">"
	}
}

func (d *diff) step(s compile.Step) {
	head := stepSign(s)
	d.wrap("", head, padRight(noun(s), 17)+" "+d.where(s), s.Change.Note)
	for _, l := range s.Change.Lines {
		d.wrap("    ", l.Sign, l.Text)
	}
	if n := len(s.Change.Preserved); n > 0 {
		d.wrap("    ", "=", strings.Join(s.Change.Preserved, ", "), plural(int64(n), "statement")+" preserved")
	}
}

// stepSign is the sign of a step in a list of changes.
func stepSign(s compile.Step) string {
	if s.Kind == compile.KindCredentials && s.Action == compile.Run && s.Spec.Credentials != nil && s.Spec.Credentials.Kind == plan.AccessKey {
		return "+" // running it makes a key
	}
	return sign(s)
}

// where names what a step is about, with the account that it is in.
func (d *diff) where(s compile.Step) string { return whereOf(s, d.plan.Accounts.Of(s.Side).ID) }

func whereOf(s compile.Step, account string) string {
	switch s.Kind {
	case compile.KindPrincipal, compile.KindPolicy, compile.KindAttachment, compile.KindCredentials,
		compile.KindCleanPrincipal, compile.KindCleanPolicy, compile.KindCleanAttachment, compile.KindCleanKey:
		if account != "" {
			return account + "/" + s.Subject
		}
	default:
	}
	return s.Subject
}

// refusal is what would surely be denied. It comes first: applying is refused.
func (d *diff) refusal() {
	grave, _ := severe(d.facts.Findings)
	if len(grave) == 0 {
		return
	}
	d.findings(grave)
	d.line(d.paint("!", "! xplan apply refuses this, before it changes anything, until access is given"))
	d.line()
}

// notes are what the reviewer has to know beside the changes.
func (d *diff) notes() {
	_, slight := severe(d.facts.Findings)
	d.findings(slight)
	for _, w := range d.facts.Warnings {
		text := w.Message
		if w.Subject != "" {
			text = w.Subject + ": " + text
		}
		mark := ""
		if w.Danger {
			mark = "IRREVERSIBLE"
		}
		d.wrap("", "!", text, mark)
	}
	for _, u := range d.facts.Unseen {
		d.wrap("", "?", "not previewed: "+u.What+" ("+u.Why+")")
	}
}

// A cleanupPart is what is cleaned up at one time.
type cleanupPart struct {
	title string
	holds func(compile.Step) bool
}

// cleanupParts are the clean-up rules, by when they are carried out.
func cleanupParts() []cleanupPart {
	return []cleanupPart{
		{"Left over by an earlier run, cleaned up first", isLeftover},
		{"Clean-up, at every end of the run", func(s compile.Step) bool { return s.Rule == plan.Always && !isLeftover(s) }},
		{"Clean-up, after verification", func(s compile.Step) bool { return s.Rule == plan.AfterVerify }},
	}
}

// cleanup are the rules, by when they are carried out.
func (d *diff) cleanup() {
	for _, part := range cleanupParts() {
		first := true
		for _, s := range d.prog.Steps {
			if !isCleanup(s.Kind) || !part.holds(s) || s.Action == compile.Hold {
				continue
			}
			if first {
				d.line()
				d.line(d.paint("#", part.title))
				first = false
			}
			d.cleanupStep(s)
		}
	}
}

// isLeftover tells whether the step removes an access key of an earlier run.
func isLeftover(s compile.Step) bool {
	return s.Kind == compile.KindCleanKey && s.Spec.Credentials != nil && s.Spec.Credentials.KeyID != ""
}

func (d *diff) cleanupStep(s compile.Step) {
	switch {
	case s.Change.Danger != "" && s.Action == compile.Wait:
		d.wrap("", "?", "not done: "+s.Change.Danger)
	case s.Change.Danger != "":
		text := "IRREVERSIBLE"
		if s.Confirm != "" {
			text += ", wants --confirm=" + s.Confirm
		}
		d.wrap("", "!", s.Change.Danger, text)
	default:
		d.wrap("", "-", padRight(noun(s), 17)+" "+d.where(s))
	}
	for _, l := range s.Change.Lines {
		d.wrap("    ", l.Sign, l.Text)
	}
	if s.Change.Note != "" {
		d.wrap("    ", "?", s.Change.Note)
	}
}

func totals(t compile.Totals) string {
	parts := []string{
		fmt.Sprintf("%d to create", t.Create), fmt.Sprintf("%d to change", t.Change),
		copies(t.Copy), fmt.Sprintf("%d to clean up", t.Clean),
	}
	if t.Delete > 0 {
		parts = slices.Insert(parts, 0, fmt.Sprintf("%d left over to delete first", t.Delete))
	}
	text := "Plan: " + strings.Join(parts, ", ")
	if t.Dangerous > 0 {
		text += fmt.Sprintf(" (%d DANGEROUS)", t.Dangerous)
	}
	return text
}

func copies(n int) string {
	if n == 1 {
		return "1 copy"
	}
	return fmt.Sprintf("%d copies", n)
}
