package view

import (
	"fmt"
	"strings"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// steps are a click each: what is made or changed, and each pair's copy.
func (m *reviewPage) steps() {
	held := 0
	for _, s := range m.facts.Steps {
		switch {
		case s.Kind.IsCleanup():
		case s.Kind == compile.KindCopy:
			m.add(rankCopy, "copy", m.copyStep(s))
		case isShown(s.step()):
			m.add(rankStep, "step", m.changeStep(s))
		case s.Action == compile.Hold:
			held++
		}
	}
	if held > 0 {
		m.add(rankHeld, "note", mdText(holds(held)+" already"))
	}
}

// head is a step in one line, as HTML.
func (m *reviewPage) stepHead(s reviewStep, sign string) string {
	return mdHTML(sign+" "+noun(s.step())) + " " + mdHTML(whereOf(s.step(), s.Account))
}

// step is the program's, as far as words are found by it.
func (s reviewStep) step() compile.Step {
	return compile.Step{ID: s.Step, Kind: s.Kind, Side: s.Side, Subject: s.Subject, Action: s.Action, Rule: s.Rule, Spec: s.spec}
}

func (m *reviewPage) changeStep(s reviewStep) string {
	head := m.stepHead(s, stepSign(s.step()))
	if s.Change.Note != "" {
		head += " — " + mdText(s.Change.Note)
	}
	lines := changeLines(s.Change)
	if len(lines) == 0 {
		return "- " + head
	}
	return mdDetails(head, mdBlock("diff", lines))
}

// changeLines are a change's lines, their signs first, as diff blocks want them.
func changeLines(c compile.Change) []string {
	var lines []string
	for _, l := range c.Lines {
		lines = append(lines, l.Sign+" "+safe(l.Text))
	}
	if n := len(c.Preserved); n > 0 {
		lines = append(lines, "= "+safe(strings.Join(c.Preserved, ", "))+"   "+plural(int64(n), "statement")+" preserved")
	}
	return lines
}

// copyStep is a pair's counts with their reasons, and the first keys of each verdict.
func (m *reviewPage) copyStep(s reviewStep) string {
	head := mdHTML(sign(s.step())+" copy "+s.Subject) + copyWords(s.Change.Copy)
	f := s.Change.Copy
	var lines []string
	if f != nil && f.Known && !f.Partial {
		for _, v := range verdicts(m.pair(s.Pair), f) {
			line := fmt.Sprintf("%s %s %s", v.name, plural(v.count.Objects, "object"), size(s3copy.Bytes(v.count.Bytes)))
			if v.note != "" {
				line += "   " + v.note
			}
			lines = append(lines, verdictSign(v.name)+" "+line)
		}
		if text := versionsText(f); text != "" {
			lines = append(lines, "  versions "+text)
		}
		if text := classesText(f); text != "" {
			lines = append(lines, "  classes "+text)
		}
		if f.Largest.Key != "" {
			lines = append(lines, "  largest "+Key(f.Largest.Key)+"   "+size(s3copy.Bytes(f.Largest.Size)))
		}
		lines = append(lines, sampleLines(f)...)
	}
	if s.Change.Note != "" {
		lines = append(lines, "  "+safe(s.Change.Note))
	}
	if len(lines) == 0 {
		return "- " + head
	}
	return mdDetails(head, mdBlock("diff", lines))
}

func (m *reviewPage) pair(id string) plan.Pair {
	for _, s := range m.facts.Steps {
		if s.Pair == id && s.spec.Copy != nil {
			return s.spec.Copy.Pair
		}
	}
	return plan.Pair{}
}

func copyWords(f *compile.CopyFacts) string {
	switch {
	case f == nil || !f.Known:
		return " — not counted: work is assumed"
	case f.Partial:
		return " — counted up to the first key that there is something to do for"
	default:
		return fmt.Sprintf(" — %s new, %s changed, %s same", number(f.New.Objects), number(f.Changed.Objects), number(f.Same.Objects))
	}
}

// verdictSign says what becomes of a verdict's objects, as a diff's first character.
func verdictSign(name string) string {
	switch name {
	case "new":
		return "+"
	case "changed", "unreadable":
		return "!"
	default:
		return "="
	}
}

// sampleLines name some keys of each verdict, the first ones in byte order.
func sampleLines(f *compile.CopyFacts) []string {
	var lines []string
	for _, verdict := range []string{"new", "changed", "unreadable", "archived", "kept", "filtered", "size_only", "extra"} {
		for _, k := range f.Samples[verdict] {
			line := "  " + strings.ReplaceAll(verdict, "_", " ") + ": " + Key(k.Key)
			if k.Reason != "" {
				line += "   " + safe(k.Reason)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// cleanup are the clean-up rules by when they are carried out; the dangers among them stand at the top as well.
func (m *reviewPage) cleanup() {
	for _, part := range cleanupParts() {
		var lines []string
		for _, s := range m.facts.Steps {
			step := s.step()
			if !s.Kind.IsCleanup() || !part.holds(step) || s.Action == compile.Hold {
				continue
			}
			line := "- " + noun(step) + " " + safe(whereOf(step, s.Account))
			switch {
			case s.Change.Danger != "" && s.Action == compile.Wait:
				line = "  not done: " + safe(s.Change.Danger)
			case s.Change.Danger != "":
				line = "! " + safe(s.Change.Danger)
			}
			if s.Change.Note != "" {
				line += "   " + safe(s.Change.Note)
			}
			lines = append(lines, line)
			for _, l := range s.Change.Lines {
				lines = append(lines, l.Sign+"     "+safe(l.Text))
			}
		}
		if len(lines) > 0 {
			m.add(rankCleanup, "clean-up", mdDetails("<b>"+part.title+"</b>", mdBlock("diff", lines)))
		}
	}
}
