package view

import (
	"io"

	"xplan/internal/compile"
	"xplan/plan"
)

// DiffJSON renders the review as JSON lines: every planned change, every warning, what was
// not seen, and the totals. The version comes before it, from who owns the stream.
func DiffJSON(w io.Writer, p *plan.Plan, prog *compile.Program) error {
	var lines []any
	for _, s := range prog.Steps {
		lines = append(lines, map[string]any{
			"type": "planned_change", "step": s.ID, "kind": s.Kind, "side": s.Side, "pair": s.Pair, "subject": s.Subject,
			"action": s.Action, "rule": s.Rule, "confirm": s.Confirm, "change": s.Change, "needs": list(s.Needs), "after": list(s.After),
		})
	}
	for _, x := range prog.Warnings {
		lines = append(lines, map[string]any{"type": "diagnostic", "severity": "warning", "subject": x.Subject, "message": x.Text, "danger": x.Danger})
	}
	for _, u := range prog.Unseen {
		lines = append(lines, map[string]any{"type": "not_previewed", "what": u.What, "why": u.Why})
	}
	lines = append(lines, map[string]any{
		"type": "plan_summary", "plan": p.Name, "plan_digest": prog.PlanDigest, "world_digest": prog.WorldDigest,
		"changes": prog.HasChanges(), "totals": prog.Totals(),
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
