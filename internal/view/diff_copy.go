package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// copyStep counts what a pair's copy does with the keys.
func (d *diff) copyStep(s compile.Step) {
	pair, f := s.Spec.Copy.Pair, s.Change.Copy
	head := ">"
	if s.Action == compile.Hold {
		head = "="
	}
	d.line(d.paint(head, fmt.Sprintf("%s copy   %s/%s** → %s/%s**", head, pair.Source, prefixText(pair.Prefix), pair.Destination, prefixText(pair.ToPrefix))))
	switch {
	case f == nil || !f.Known:
		d.wrap("    ", "?", "not counted: work is assumed. Not known: what is new, what is overwritten, what only the destination has, what it costs, how long it takes")
	case f.Partial:
		d.wrap("    ", "?", "counted up to the first key that there is something to do for: cost and time are not known")
	default:
		d.counts(pair, f)
	}
	if e := s.Change.Estimate; e != nil {
		d.line("    ", pairEstimateText(e))
	}
	if s.Spec.Copy.Streaming {
		d.wrap("    ", "!", "the two servers cannot see each other: every byte comes through this machine")
	} else if s.Change.Note != "" {
		d.wrap("    ", "", s.Change.Note)
	}
}

// prefixText is Key, but nothing for nothing.
func prefixText(prefix string) string {
	if prefix == "" {
		return ""
	}
	return Key(prefix)
}

// A verdict is one row of a copy's table.
type verdict struct {
	name  string
	count compile.Count
	note  string // begins with its sign where it has one
}

// verdicts are the rows of a copy's table; those without objects are left out, but for the new ones.
func verdicts(pair plan.Pair, f *compile.CopyFacts) []verdict {
	overwrites := "! overwrites " + plural(f.Changed.Objects, "destination object") + reasons(f.Changed, f.ChangedBy, changedBy())
	archived := "not copied: restore them first, or set copy.archived: restore"
	kept := "not copied: they differ, and the plan never overwrites"
	if pair.Copy.AllVersions() {
		overwrites = "versions are added in front of what is there: nothing is overwritten"
		archived = "not copied: a version of each is archived; restore it first, or set copy.archived: restore"
		kept = "not copied: another history stands there, and the plan never overwrites"
	}
	extra := "at the destination only: they stay"
	if pair.Copy.DeleteExtra {
		extra = "! at the destination only: deleted with --confirm=" + pair.Destination
	}
	all := []verdict{
		{"new", f.New, ""},
		{"changed", f.Changed, overwrites},
		{"same", f.Same, "skipped" + reasons(f.Same, f.SameBy, sameBy())},
		{"filtered", f.SkippedBy["filtered"], "not copied: left out by include and exclude"},
		{"archived", f.SkippedBy["archived"], archived},
		{"kept", f.SkippedBy["kept"], kept},
		{"unreadable", f.Unreadable, "! will fail" + reasons(f.Unreadable, f.UnreadableBy, unreadableBy())},
		{"extra", f.Extra, extra},
	}
	return slices.DeleteFunc(all, func(v verdict) bool { return v.count.Objects == 0 && v.name != "new" })
}

// A reason is one entry of a count by reasons, as people say it.
type reason struct{ key, text string }

func sameBy() []reason {
	return []reason{{"etag", "by ETag"}, {"checksum", "by checksum"}, {"bytes", "by bytes"}, {"size_only", "by size only"}}
}

func changedBy() []reason {
	return []reason{{"size", "of another size"}, {"etag", "of another ETag"}, {"checksum", "of another checksum"}, {"attributes", "with other tags or headers"}, {"unknown", "that only the size compares of"}}
}

func unreadableBy() []reason {
	return []reason{{"customer_key", "under a customer-provided key (SSE-C)"}, {"foreign_owner", "owned by another account"}, {"denied", "denied"}, {"key", "whose key has no place there"}, {"error", "that the server refuses"}}
}

// reasons says counts by their reasons: " (299,000 by ETag, 1 by size only)", or " (by ETag)" where it is all of them.
func reasons(all compile.Count, by map[string]compile.Count, words []reason) string {
	var parts []string
	for _, r := range words {
		switch n := by[r.key].Objects; {
		case n == all.Objects && n > 0:
			return " (" + r.text + ")"
		case n > 0:
			parts = append(parts, number(n)+" "+r.text)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// versionsText counts what the keys are made of, where all of it is copied; "" where it is not.
func versionsText(f *compile.CopyFacts) string {
	v := f.Versions
	if v == nil {
		return ""
	}
	text := number(v.Versions.Objects) + " versions, " + number(v.Markers) + " delete markers"
	if v.ToCopy.Objects+v.MarkersToMake == 0 {
		return text + ": none is missing at the destination"
	}
	return text + fmt.Sprintf(": %s (%s) to copy, %s to make", number(v.ToCopy.Objects), size(s3copy.Bytes(v.ToCopy.Bytes)), number(v.MarkersToMake))
}

func (d *diff) counts(pair plan.Pair, f *compile.CopyFacts) {
	for _, v := range verdicts(pair, f) {
		d.count(v)
	}
	if f.Listed.Objects == 0 {
		d.line("    the source is empty")
		return
	}
	if text := versionsText(f); text != "" {
		d.wrap("    ", "", "versions   "+text)
	}
	if text := classesText(f); text != "" {
		d.wrap("    ", "", "classes    "+text)
	}
	if f.Largest.Key != "" {
		d.line("    largest    ", Key(f.Largest.Key), "   ", size(s3copy.Bytes(f.Largest.Size)))
	}
	for _, text := range lockTexts(f.Locks) {
		d.wrap("    ", "", text)
	}
	d.samples(f)
}

// lockTexts say what is known of the locks of equal objects.
func lockTexts(l compile.LockFacts) []string {
	var all []string
	if n := l.Weaker.Objects; n > 0 {
		all = append(all, "locks      "+plural(n, "object")+" of the same have a weaker lock at the destination: it is raised to the source's")
	}
	if n := l.Earlier.Objects; n > 0 {
		all = append(all, "locks      "+plural(n, "object")+" of the same are not asked for theirs: an earlier run has compared them, and they were not written since "+
			"(xplan verify reads all)")
	}
	return all
}

// count is one row of the copy's table.
func (d *diff) count(v verdict) {
	text := fmt.Sprintf("    %s %s   %s", padRight(v.name, 10), padLeft(number(v.count.Objects), 12), padLeft(size(s3copy.Bytes(v.count.Bytes)), 9))
	if v.note == "" {
		d.line(text)
		return
	}
	lines := wrapped(v.note, textWidth-len(text)-3)
	for i, l := range lines {
		if i > 0 {
			text = strings.Repeat(" ", len(text))
		}
		d.line(text, "   ", d.paint(v.note[:1], l))
	}
}

// classesText counts the source's storage classes where there are others than STANDARD, and what is restored first.
func classesText(f *compile.CopyFacts) string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(f.Classes)) {
		c := f.Classes[class]
		text := fmt.Sprintf("%s %s (%s)", safe(class), number(c.Objects), size(s3copy.Bytes(c.Bytes)))
		if n := f.Work[class].Frozen.Objects; n > 0 {
			text += ", " + number(n) + " of them restored first"
		}
		parts = append(parts, text)
	}
	if len(f.Classes) == 1 && f.Classes["STANDARD"].Objects > 0 {
		return ""
	}
	return strings.Join(parts, "; ")
}

// samples name some keys of each verdict, the first ones in byte order.
func (d *diff) samples(f *compile.CopyFacts) {
	for _, verdict := range []string{"new", "filtered"} { // nothing is to be said of them but their keys
		var keys []string
		for _, k := range f.Samples[verdict] {
			keys = append(keys, Key(k.Key))
		}
		if len(keys) > 0 {
			d.wrap("        ", "=", verdict+", the first: "+strings.Join(keys, ", "))
		}
	}
	for _, verdict := range []string{"changed", "lock", "unreadable", "archived", "kept", "size_only", "extra"} {
		for _, k := range f.Samples[verdict] {
			d.wrap("        ", "=", strings.ReplaceAll(verdict, "_", " ")+" "+Key(k.Key), k.Reason)
		}
	}
}
