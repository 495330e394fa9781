package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"xplan/internal/compile"
)

// CheckGraphFormat refuses a format that Graph does not know.
func CheckGraphFormat(format string) error {
	switch format {
	case "mermaid", "dot", "json":
		return nil
	default:
		return fmt.Errorf("--format %q: want mermaid, dot or json", format)
	}
}

// Graph draws the program's steps. A solid edge is "needs", a dotted one "after, however it ended".
func Graph(w io.Writer, prog *compile.Program, format string) error {
	p := &page{}
	switch format {
	case "json":
		return graphJSON(w, prog)
	case "dot":
		dot(p, prog)
	default:
		mermaid(p, prog)
	}
	return p.to(w)
}

func label(s compile.Step) string {
	return string(s.Kind) + "\n" + safe(s.Subject)
}

func mermaid(p *page, prog *compile.Program) {
	p.line("flowchart TD")
	index := map[string]int{}
	for i, s := range prog.Steps {
		index[string(s.ID)] = i
		text := strings.NewReplacer("\n", "<br/>", `"`, "#quot;", "#", "#35;", "&", "#amp;", "<", "#lt;").Replace(label(s))
		p.line(fmt.Sprintf("  s%d[\"%s\"]%s", i, text, class(s)))
	}
	for i, s := range prog.Steps {
		for _, n := range s.Needs {
			p.line(fmt.Sprintf("  s%d --> s%d", index[string(n)], i))
		}
		for _, n := range s.After {
			p.line(fmt.Sprintf("  s%d -.-> s%d", index[string(n)], i))
		}
	}
	p.line("  classDef hold fill:#eee,stroke:#999,color:#666")
	p.line("  classDef danger fill:#fdd,stroke:#c00")
}

func class(s compile.Step) string {
	switch {
	case s.Change.Danger != "":
		return ":::danger"
	case s.Action == compile.Hold:
		return ":::hold"
	default:
		return ""
	}
}

func dot(p *page, prog *compile.Program) {
	p.line("digraph ", dotQuote(prog.Name), " {")
	p.line("  node [shape=box fontname=\"sans-serif\"]")
	for _, s := range prog.Steps {
		attr := ""
		if s.Action == compile.Hold {
			attr = " style=dashed"
		}
		if s.Change.Danger != "" {
			attr = " color=red"
		}
		p.line("  ", dotQuote(string(s.ID)), " [label=", dotQuote(label(s)), attr, "]")
	}
	for _, s := range prog.Steps {
		for _, n := range s.Needs {
			p.line("  ", dotQuote(string(n)), " -> ", dotQuote(string(s.ID)))
		}
		for _, n := range s.After {
			p.line("  ", dotQuote(string(n)), " -> ", dotQuote(string(s.ID)), " [style=dotted]")
		}
	}
	p.line("}")
}

func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

type graphNode struct {
	ID      string         `json:"id"`
	Kind    compile.Kind   `json:"kind"`
	Side    string         `json:"side"`
	Pair    string         `json:"pair,omitempty"`
	Subject string         `json:"subject"`
	Action  compile.Action `json:"action"`
	Rule    string         `json:"rule,omitempty"`
	Needs   []string       `json:"needs"`
	After   []string       `json:"after"`
}

func graphJSON(w io.Writer, prog *compile.Program) error {
	nodes := make([]graphNode, 0, len(prog.Steps))
	for _, s := range prog.Steps {
		n := graphNode{
			ID: string(s.ID), Kind: s.Kind, Side: string(s.Side), Pair: s.Pair, Subject: s.Subject,
			Action: s.Action, Rule: string(s.Rule), Needs: []string{}, After: []string{},
		}
		for _, id := range s.Needs {
			n.Needs = append(n.Needs, string(id))
		}
		for _, id := range s.After {
			n.After = append(n.After, string(id))
		}
		nodes = append(nodes, n)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"format": 1, "name": prog.Name, "steps": nodes}); err != nil {
		return err
	}
	_, err := w.Write(inertJSON(b.Bytes()))
	return err
}
