package view

import (
	"fmt"
	"io"
	"strings"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// The ranks of the markdown's sections: what a person must not miss is left out last.
const (
	rankStay = iota
	rankHeld
	rankStep
	rankCleanup
	rankCopy
	rankAccess
	rankEstimate
	rankRow
	rankTable
	rankUnseen
	rankWarning
	rankDanger
)

// reviewMarkdown renders the review for a pull request's comment: the verdict and the dangers first, the rest
// behind clicks. The hidden marker is what CI finds its comment by.
func reviewMarkdown(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	f := factsOf(p, prog, style.Saved)
	m := &reviewPage{facts: f}
	m.head()
	m.alerts()
	m.table()
	m.access()
	m.steps()
	m.cleanup()
	m.stays()
	m.estimate()
	m.apply()
	see := mdCode("xplan plan " + shellWord(first(p.File, "FILE")))
	if f.Saved != "" {
		see = mdCode("xplan show " + shellWord(f.Saved))
	}
	_, err := io.WriteString(w, m.render(commentMax, see))
	return err
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

type reviewPage struct {
	markdown
	facts reviewFacts
}

// head is the marker, the verdict, and what was reviewed.
func (m *reviewPage) head() {
	f := m.facts
	verdict := "No changes"
	grave, _ := severe(f.Findings)
	switch {
	case len(grave) > 0:
		verdict = "✗ Access would be denied: apply refuses this"
	case f.Changes:
		verdict = strings.TrimPrefix(totals(f.Totals), "Plan: ")
	}
	lines := []string{
		"<!-- xplan:plan " + f.Plan + " -->",
		"### xplan: " + mdText(f.Plan) + " — " + mdText(verdict),
		"",
		"plan " + mdCode(f.PlanDigest) + "<br>world " + mdCode(f.WorldDigest),
	}
	if len(grave) > 0 && f.Changes {
		lines = append(lines, "", mdText(totals(f.Totals)))
	}
	lines = append(lines, "", "Not seen: "+mdText(strings.TrimSuffix(f.notSeen(), ": marked ? above")))
	m.add(0, "", strings.Join(lines, "\n"))
}

// alerts are the dangers, what would be denied, the warnings, and what was not seen.
func (m *reviewPage) alerts() {
	for _, withheld := range []bool{false, true} {
		for _, d := range m.facts.Dangers {
			if (d.Withheld != "") == withheld {
				m.add(rankDanger, "danger", dangerText(d))
			}
		}
	}
	for _, f := range m.facts.Findings {
		kind, rank := "WARNING", rankWarning
		if f.Severity == compile.SeverityDenied {
			kind, rank = "CAUTION", rankDanger
		}
		text := mdText(findingHead(f)) + "<br>" + mdText(findingRule(f)) + "<br>" + mdText(f.Fix)
		if f.Statement != "" {
			text += " " + mdCode(f.Statement)
		}
		m.add(rank, "finding", mdAlert(kind, text))
	}
	for _, w := range m.facts.Warnings {
		if !w.Danger { // those are among the dangers
			m.add(rankWarning, "warning", mdAlert("WARNING", mdText(warningText(w))))
		}
	}
	for _, u := range m.facts.Unseen {
		m.add(rankUnseen, "fact that was not seen", mdAlert("WARNING", "Not previewed: "+mdText(u.What)+" "+mdText("("+u.Why+")")))
	}
}

func warningText(w reviewWarning) string {
	if w.Subject == "" {
		return w.Message
	}
	return w.Subject + ": " + w.Message
}

func dangerText(d reviewDanger) string {
	switch {
	case d.Withheld != "":
		return mdAlert("NOTE", "Not done: "+mdText(d.Message)+"<br>"+mdText(d.Withheld))
	case d.Lifted:
		return mdAlert("CAUTION", "**"+mdText(d.Message)+"**")
	case d.Confirm != "":
		return mdAlert("CAUTION", "**"+mdText(d.Message)+"** — irreversible, wants "+mdCode("--confirm="+d.Confirm))
	default:
		return mdAlert("CAUTION", "**"+mdText(d.Message)+"** — irreversible")
	}
}

// table counts every pair's copy.
func (m *reviewPage) table() {
	m.add(rankTable, "table of counts", "| copy | new | changed | same | skipped | unreadable | extra | bytes to copy | once | a month | time |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, pair := range m.facts.Pairs {
		s := m.step(compile.KindCopy, pair.ID)
		if s == nil {
			continue
		}
		m.row(rankRow, "pair's count", "| "+mdCell(pair.Source.String())+" → "+mdCell(pair.Destination.String())+" | "+strings.Join(countCells(*s), " | ")+" |")
	}
}

func countCells(s reviewStep) []string {
	f := s.Change.Copy
	if f == nil || !f.Known || f.Partial {
		return []string{"?", "?", "?", "?", "?", "?", "?", "?", "?", "?"}
	}
	cells := []string{
		number(f.New.Objects), number(f.Changed.Objects), number(f.Same.Objects), number(f.Skipped.Objects),
		number(f.Unreadable.Objects), number(f.Extra.Objects), size(s3copy.Bytes(f.New.Bytes + f.Changed.Bytes)),
	}
	e := s.Change.Estimate
	if e == nil {
		return append(cells, "", "", "")
	}
	return append(cells, mdText(amount(e.Currency, e.TotalOnce)), mdText(amount(e.Currency, e.TotalMonthly)), span(e.Seconds))
}

func (m *reviewPage) step(kind compile.Kind, pair string) *reviewStep {
	for i, s := range m.facts.Steps {
		if s.Kind == kind && s.Pair == pair {
			return &m.facts.Steps[i]
		}
	}
	return nil
}

func (m *reviewPage) access() {
	for _, g := range m.facts.accessByEnd() {
		lines := []string{"| may | | |", "|---|---|---|"}
		for _, a := range g {
			given := "already"
			if a.New {
				given = "**new**"
			}
			lines = append(lines, "| "+a.May+" | "+mdCell(a.Resource)+" | "+given+" |")
		}
		m.add(rankAccess, "table of access", "**Who gets access:** "+mdCode(g[0].Principal)+", until "+mdText(g[0].Until)+"\n\n"+strings.Join(lines, "\n"))
	}
}

// estimate says what the sums are made of.
func (m *reviewPage) estimate() {
	e := m.facts.Estimate
	if e == nil {
		return
	}
	var lines []string
	for _, id := range e.Uncounted {
		lines = append(lines, "- not counted, and so not in it: "+mdCode(id))
	}
	for _, c := range e.Once {
		lines = append(lines, "- once: "+mdText(chargeText(e.Currency, c)))
	}
	for _, c := range e.Monthly {
		lines = append(lines, "- a month: "+mdText(chargeText(e.Currency, c)))
	}
	if len(e.Once) > 0 {
		lines = append(lines, "- at "+mdText(e.Prices))
	}
	for _, a := range e.Assumes {
		lines = append(lines, "- "+mdText(a))
	}
	head := "<b>Cost and time, estimated:</b> not known"
	if e.Seconds > 0 || len(e.Once)+len(e.Monthly) > 0 {
		head = fmt.Sprintf("<b>Cost and time, estimated:</b> ≈ %s once + %s a month, ≈ %s",
			mdText(amount(e.Currency, e.TotalOnce)), mdText(amount(e.Currency, e.TotalMonthly)), span(e.Seconds))
	}
	m.add(rankEstimate, "estimate", mdDetails(head, strings.Join(lines, "\n")))
}

func (m *reviewPage) stays() {
	if len(m.facts.Stays) == 0 {
		return
	}
	var lines []string
	for _, s := range m.facts.Stays {
		lines = append(lines, "- "+mdCode(s.Subject)+": "+mdText(s.Why))
	}
	m.add(rankStay, "list of what stays", mdDetails("<b>Stays</b>", strings.Join(lines, "\n")))
}

func (m *reviewPage) apply() {
	f := m.facts
	if len(f.Apply) == 0 {
		return
	}
	parts := []string{"To apply exactly this:", mdBlock("sh", f.Apply)}
	for _, bucket := range f.confirms() {
		parts = append(parts, "It deletes nothing in "+mdCode(bucket)+" by itself: with "+mdCode("--confirm="+bucket)+" it does.")
	}
	m.add(0, "", strings.Join(parts, "\n\n"))
}
