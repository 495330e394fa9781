package view

import (
	"bytes"
	"encoding/json"
	"io"

	"xplan/internal/compile"
	"xplan/plan"
)

// A reviewDocument is the whole review as one JSON value: what schemas/review.v1.json tells.
type reviewDocument struct {
	Type        string          `json:"type"`   // review
	Format      int             `json:"format"` // 1
	Plan        string          `json:"plan"`
	PlanDigest  string          `json:"plan_digest"`
	WorldDigest string          `json:"world_digest"`
	Saved       string          `json:"saved,omitempty"` // the file that apply takes to run exactly this
	Changes     bool            `json:"changes"`
	Totals      compile.Totals  `json:"totals"`
	Steps       []reviewStep    `json:"steps"`
	Warnings    []reviewWarning `json:"warnings"`
	Unseen      []reviewUnseen  `json:"not_previewed"`
}

type reviewStep struct {
	Step    plan.StepID    `json:"step"`
	Kind    compile.Kind   `json:"kind"`
	Side    plan.Side      `json:"side"`
	Pair    string         `json:"pair"`
	Subject string         `json:"subject"`
	Action  compile.Action `json:"action"`
	Rule    plan.Rule      `json:"rule"`
	Confirm string         `json:"confirm"`
	Change  compile.Change `json:"change"`
	Needs   []plan.StepID  `json:"needs"`
	After   []plan.StepID  `json:"after"`
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

func reviewOf(p *plan.Plan, prog *compile.Program) reviewDocument {
	d := reviewDocument{
		Type: "review", Format: 1, Plan: p.Name, PlanDigest: prog.PlanDigest, WorldDigest: prog.WorldDigest,
		Changes: prog.HasChanges(), Totals: prog.Totals(),
		Steps: []reviewStep{}, Warnings: []reviewWarning{}, Unseen: []reviewUnseen{},
	}
	for _, s := range prog.Steps {
		d.Steps = append(d.Steps, reviewStep{
			Step: s.ID, Kind: s.Kind, Side: s.Side, Pair: s.Pair, Subject: s.Subject, Action: s.Action, Rule: s.Rule,
			Confirm: s.Confirm, Change: s.Change, Needs: list(s.Needs), After: list(s.After),
		})
	}
	for _, w := range prog.Warnings {
		d.Warnings = append(d.Warnings, reviewWarning{w.Subject, w.Text, w.Danger})
	}
	for _, u := range prog.Unseen {
		d.Unseen = append(d.Unseen, reviewUnseen{u.What, u.Why})
	}
	return d
}

// reviewJSON writes the document over several lines: it is read by people as well.
func reviewJSON(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	d := reviewOf(p, prog)
	d.Saved = style.Saved
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return err
	}
	_, err := w.Write(inertJSON(b.Bytes()))
	return err
}
