package view

import (
	"fmt"
	"io"
	"strings"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// Diff renders the review of a program before it is applied.
func Diff(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	d := &diff{page: page{style: style}, plan: p, prog: prog}
	d.header()
	d.refusal()
	d.changes()
	d.notes()
	d.cleanup()
	d.line()
	d.line(d.paint("#", totals(prog)))
	return d.to(w)
}

// NoChanges says that the plan holds already.
func NoChanges(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	d := &diff{page: page{style: style}, plan: p, prog: prog}
	d.header()
	d.notes()
	d.line("No changes: the plan holds, and nothing of it is left to clean up.")
	return d.to(w)
}

type diff struct {
	page
	plan *plan.Plan
	prog *compile.Program
}

func (d *diff) header() {
	d.line(d.paint("#", fmt.Sprintf("xplan plan  %s   plan %s  world %s", d.plan.Name, shortDigest(d.prog.PlanDigest), shortDigest(d.prog.WorldDigest))))
	for _, pair := range d.plan.Buckets {
		from := compile.Location{Account: d.plan.Accounts.Source.ID}
		to := compile.Location{Account: d.plan.Accounts.Destination.ID}
		for _, s := range d.prog.Steps {
			if s.Pair == pair.ID() && s.Spec.Copy != nil {
				from, to = s.Spec.Copy.Source(), s.Spec.Copy.Destination()
			}
		}
		d.line(place(pair.Source, pair.Prefix, from), " → ", place(pair.Destination, pair.ToPrefix, to))
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
		case s.Action == compile.Create || s.Action == compile.Update || s.Kind == compile.KindCredentials:
			d.step(s)
		case s.Action == compile.Hold && d.style.Verbose:
			d.line(d.paint("=", "= "+padRight(noun(s), 17)+" "+safe(s.Subject)+"   holds"))
		case s.Action == compile.Hold:
			quiet++
		case d.style.Verbose:
			d.line(d.paint(">", "> "+padRight(string(s.Kind), 17)+" "+safe(s.Subject)))
		}
	}
	if quiet > 0 {
		d.line(d.paint("=", fmt.Sprintf("= %s already (-v shows them)", holds(quiet))))
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
	head := sign(s)
	if s.Kind == compile.KindCredentials && s.Action == compile.Run && s.Spec.Credentials != nil && s.Spec.Credentials.Kind == plan.AccessKey {
		head = "+" // running it makes a key
	}
	text := head + " " + padRight(noun(s), 17) + " " + safe(s.Subject)
	if s.Change.Note != "" {
		text += "   " + safe(s.Change.Note)
	}
	d.line(d.paint(head, text))
	for _, l := range s.Change.Lines {
		d.line("    ", d.paint(l.Sign, l.Sign+" "+safe(l.Text)))
	}
	if n := len(s.Change.Preserved); n > 0 {
		d.line("    ", d.paint("=", "= "+safe(strings.Join(s.Change.Preserved, ", "))+"   "+plural(int64(n), "statement")+" preserved"))
	}
}

// copyStep counts what a pair's copy does with the keys.
func (d *diff) copyStep(s compile.Step) {
	pair := s.Spec.Copy.Pair
	d.line(d.paint(">", fmt.Sprintf("> copy   %s/%s** → %s/%s**", pair.Source, prefixText(pair.Prefix), pair.Destination, prefixText(pair.ToPrefix))))
	f := s.Change.Copy
	switch {
	case f == nil || !f.Known:
		d.line("    ", d.paint("?", "? not counted: work is assumed"))
	case f.Partial:
		d.line("    ", d.paint("?", "? counted up to the first key that there is something to do for"))
	default:
		d.counts(pair, f)
	}
	if s.Spec.Copy.Streaming {
		d.line("    ", d.paint("!", "! the two servers cannot see each other: every byte comes through this machine"))
	}
	if s.Change.Note != "" {
		d.line("    ", safe(s.Change.Note))
	}
}

// prefixText is Key, but nothing for nothing.
func prefixText(prefix string) string {
	if prefix == "" {
		return ""
	}
	return Key(prefix)
}

func (d *diff) counts(pair plan.Pair, f *compile.CopyFacts) {
	overwrites := ""
	if f.Changed.Objects > 0 {
		overwrites = "! overwrites " + plural(f.Changed.Objects, "destination object")
	}
	d.count("new", f.New, "")
	d.count("changed", f.Changed, overwrites)
	d.count("same", f.Same, "skipped"+evidence(f.SameBy))
	for _, by := range []struct{ name, why string }{
		{"filtered", "left out by include and exclude"},
		{"archived", "archived: restore them first, or set copy.archived: restore"},
		{"kept", "differ, and the plan never overwrites"},
	} {
		d.count(by.name, f.SkippedBy[by.name], by.why)
	}
	d.count("unreadable", f.Unreadable, "! will fail")
	extra := "at the destination only: they stay"
	if pair.Copy.DeleteExtra {
		extra = "at the destination only: deleted with --confirm=" + pair.Destination
	}
	d.count("extra", f.Extra, extra)
	if f.Listed.Objects == 0 {
		d.line("    the source is empty")
	}
	for _, verdict := range []string{"changed", "unreadable", "archived", "extra"} {
		for _, k := range f.Samples[verdict] {
			text := fmt.Sprintf("    %s %s", verdict, Key(k.Key))
			if k.Reason != "" {
				text += "   " + safe(k.Reason)
			}
			d.line("    ", d.paint("=", text))
		}
	}
}

// count is one row of the copy's table; rows without objects are left out, but for the new ones.
func (d *diff) count(name string, c compile.Count, note string) {
	if c.Objects == 0 && name != "new" {
		return
	}
	text := fmt.Sprintf("    %s %s   %s", padRight(name, 10), padLeft(number(c.Objects), 12), padLeft(size(s3copy.Bytes(c.Bytes)), 9))
	if note == "" {
		d.line(text)
		return
	}
	d.line(text, "   ", d.paint(note[:1], note))
}

func evidence(by map[string]compile.Count) string {
	var parts []string
	for _, e := range []struct{ key, text string }{
		{"etag", "by ETag"}, {"checksum", "by checksum"}, {"bytes", "by bytes"}, {"size_only", "by size only"},
	} {
		if n := by[e.key].Objects; n > 0 {
			parts = append(parts, number(n)+" "+e.text)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// refusal is what would surely be denied. It comes first: applying is refused.
func (d *diff) refusal() {
	grave, _ := severe(d.prog.Findings)
	if len(grave) == 0 {
		return
	}
	d.findings(grave)
	d.line(d.paint("!", "! xplan apply refuses this, before it changes anything, until access is given"))
	d.line()
}

// notes are what the reviewer has to know beside the changes.
func (d *diff) notes() {
	_, slight := severe(d.prog.Findings)
	d.findings(slight)
	for _, w := range d.prog.Warnings {
		text := safe(w.Text)
		if w.Subject != "" {
			text = safe(w.Subject) + ": " + text
		}
		d.line(d.paint("!", "! "+text))
	}
	for _, u := range d.prog.Unseen {
		d.line(d.paint("?", "? not previewed: "+safe(u.What)+" ("+safe(u.Why)+")"))
	}
}

// cleanup are the rules, by when they are carried out.
func (d *diff) cleanup() {
	for _, part := range []struct {
		title string
		holds func(compile.Step) bool
	}{
		{"Left over by an earlier run, cleaned up first", isLeftover},
		{"Clean-up, at every end of the run", func(s compile.Step) bool { return s.Rule == plan.Always && !isLeftover(s) }},
		{"Clean-up, after verification", func(s compile.Step) bool { return s.Rule == plan.AfterVerify }},
	} {
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
		d.line(d.paint("?", "? not done: "+safe(s.Change.Danger)))
	case s.Change.Danger != "":
		text := "! " + safe(s.Change.Danger) + "     IRREVERSIBLE"
		if s.Confirm != "" {
			text += ", wants --confirm=" + s.Confirm
		}
		d.line(d.paint("!", text))
	default:
		d.line(d.paint("-", "- "+padRight(noun(s), 17)+" "+safe(s.Subject)))
	}
	for _, l := range s.Change.Lines {
		d.line("    ", d.paint(l.Sign, l.Sign+" "+safe(l.Text)))
	}
	if s.Change.Note != "" {
		d.line("    ", d.paint("?", "? "+safe(s.Change.Note)))
	}
}

func totals(prog *compile.Program) string {
	t := prog.Totals()
	parts := []string{
		fmt.Sprintf("%d to create", t.Create), fmt.Sprintf("%d to change", t.Change),
		copies(t.Copy), fmt.Sprintf("%d to clean up", t.Clean),
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
