package view

import (
	"io"
	"strings"

	"xplan/internal/compile"
	"xplan/plan"
)

// Doctor renders a diagnosis: a row a check, what denies it, and the way out.
func Doctor(w io.Writer, p *plan.Plan, d compile.Diagnosis, style Style) error {
	out := page{style: style}
	out.line(out.paint("#", "xplan doctor  "+p.Name))
	pair := ""
	count := map[compile.Verdict]int64{}
	for _, c := range d.Checks {
		if c.Pair != pair {
			pair = c.Pair
			out.line()
			out.line(out.paint("#", safe(pair)))
		}
		count[c.Verdict]++
		out.check(c)
	}
	out.line()
	for _, u := range d.Unseen {
		out.line(out.paint("?", "? not read: "+safe(u.What)+" ("+safe(u.Why)+")"))
	}
	out.line(out.paint("#", doctorTotals(count)))
	return out.to(w)
}

// check is one row, and below it why and what to do.
func (p *page) check(c compile.Check) {
	sign := map[compile.Verdict]string{
		compile.VerdictDenied: "!", compile.VerdictOK: "=", compile.VerdictMay: "?", compile.VerdictNote: "?", compile.VerdictNotRead: "?",
	}[c.Verdict]
	row := sign + " " + padRight(string(c.Verdict), 13) + "  " + padRight(safe(c.Leg), 28)
	if len(c.Actions) > 0 {
		row += "  " + strings.Join(c.Actions, ", ") + " on " + safe(strings.Join(c.Resources, ", "))
	}
	if c.Verdict == compile.VerdictOK && c.Who != "" && len(c.Actions) == 0 {
		row += "  " + safe(c.Who)
	}
	p.line(p.paint(sign, strings.TrimRight(row, " ")))
	if c.Why != "" && c.Verdict != compile.VerdictOK {
		p.line("    ", prose(c.Why))
	}
	if c.Fix != "" {
		p.line("    ", p.paint(">", "> "+safe(c.Fix)))
	}
	for _, f := range c.Findings {
		p.line("    ", safe(f.Who), ": ", safe(findingRule(f)))
		p.line("    ", p.paint(">", "> "+safe(f.Fix)))
		if f.Statement != "" {
			p.line("      ", safe(f.Statement))
		}
	}
}

func doctorTotals(count map[compile.Verdict]int64) string {
	var parts []string
	for _, v := range []compile.Verdict{compile.VerdictOK, compile.VerdictDenied, compile.VerdictMay, compile.VerdictNote, compile.VerdictNotRead} {
		if count[v] > 0 || v == compile.VerdictDenied {
			parts = append(parts, number(count[v])+" "+string(v))
		}
	}
	return "Checks: " + strings.Join(parts, ", ")
}

// DoctorJSON renders a diagnosis as JSON lines.
func DoctorJSON(w io.Writer, p *plan.Plan, d compile.Diagnosis) error {
	var lines []any
	for _, c := range d.Checks {
		lines = append(lines, map[string]any{
			"type": "check", "leg": c.Leg, "pair": c.Pair, "side": c.Side, "who": c.Who, "actions": list(c.Actions), "resources": list(c.Resources),
			"verdict": c.Verdict, "why": c.Why, "fix": c.Fix, "findings": list(c.Findings),
		})
	}
	for _, u := range d.Unseen {
		lines = append(lines, map[string]any{"type": "not_previewed", "what": u.What, "why": u.Why})
	}
	lines = append(lines, map[string]any{"type": "doctor_summary", "plan": p.Name, "ok": d.OK(), "checks": len(d.Checks)})
	for _, l := range lines {
		if err := writeLine(w, l); err != nil {
			return err
		}
	}
	return nil
}
