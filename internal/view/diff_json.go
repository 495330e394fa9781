package view

import (
	"io"

	"xplan/internal/compile"
	"xplan/plan"
)

// DiffJSON renders the review as JSON lines: the version, every planned change, every warning,
// what was not seen, and the totals.
func DiffJSON(w io.Writer, version string, p *plan.Plan, prog *compile.Program) error {
	lines := []any{Version(version)}
	for _, s := range prog.Steps {
		lines = append(lines, map[string]any{
			"type": "planned_change", "step": s.ID, "kind": s.Kind, "side": s.Side, "pair": s.Pair, "subject": s.Subject,
			"action": s.Action, "rule": s.Rule, "confirm": s.Confirm, "change": s.Change, "needs": s.Needs, "after": s.After,
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

// Version is the first line of every JSON stream.
func Version(version string) any {
	return map[string]any{"type": "version", "xplan": version, "format": 1}
}
