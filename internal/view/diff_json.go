package view

import (
	"io"

	"xplan/internal/compile"
	"xplan/plan"
)

// DiffJSON renders the review as JSON lines: every planned change, every warning, what was
// not seen, and the rest as the summary. The version comes before it, from who owns the stream.
// Of the style only Saved counts.
func DiffJSON(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	f := factsOf(p, prog, style.Saved)
	var lines []any
	for _, s := range f.Steps {
		lines = append(lines, struct {
			Type string `json:"type"`
			reviewStep
		}{"planned_change", s})
	}
	for _, x := range f.Warnings {
		lines = append(lines, map[string]any{"type": "diagnostic", "severity": "warning", "subject": x.Subject, "message": x.Message, "danger": x.Danger})
	}
	for _, u := range f.Unseen {
		lines = append(lines, map[string]any{"type": "not_previewed", "what": u.What, "why": u.Why})
	}
	lines = append(lines, map[string]any{
		"type": "plan_summary", "plan": f.Plan, "plan_digest": f.PlanDigest, "world_digest": f.WorldDigest,
		"changes": f.Changes, "counted": f.Counted, "totals": f.Totals, "pairs": f.Pairs, "access": f.Access, "dangers": f.Dangers,
		"findings": f.Findings, "stays": f.Stays, "estimate": f.Estimate, "apply": f.Apply,
	})
	for _, l := range lines {
		if err := writeLine(w, l); err != nil {
			return err
		}
	}
	return nil
}

// list is never null in JSON.
func list[T any](values []T) []T {
	if values == nil {
		return []T{}
	}
	return values
}
