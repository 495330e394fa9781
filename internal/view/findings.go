package view

import (
	"fmt"
	"io"
	"strings"

	"xplan/internal/compile"
)

// Findings renders what the preflight found, each with the way out.
func Findings(w io.Writer, all []compile.Finding, style Style) error {
	p := page{style: style}
	p.findings(all)
	return p.to(w)
}

// findings are in the order given: the gravest first.
func (p *page) findings(all []compile.Finding) {
	for _, f := range all {
		sign := "!"
		if f.Severity != compile.SeverityDenied {
			sign = "?"
		}
		p.wrap("", sign, findingHead(f))
		p.wrap("    ", "", findingRule(f))
		p.wrap("    ", ">", f.Fix)
		if f.Statement != "" {
			p.line("      ", safe(f.Statement))
		}
	}
}

// findingHead says what for, and which calls.
func findingHead(f compile.Finding) string {
	verdict := string(f.Severity)
	if f.Severity == compile.SeverityNote {
		verdict = "denied at times"
	}
	return fmt.Sprintf("%s: %s (%s on %s, as %s)", verdict, safe(strings.Join(f.Legs, ", ")), strings.Join(f.Actions, ", "),
		safe(strings.Join(f.Resources, ", ")), safe(f.Who))
}

// findingRule says what decides, and what AWS says to that.
func findingRule(f compile.Finding) string {
	if f.AWS == "" {
		return f.Rule
	}
	return f.Rule + "; " + f.AWS
}

// severe and slight part the findings: what refuses the run stands at the top of a review.
func severe(all []compile.Finding) (grave, slight []compile.Finding) {
	for _, f := range all {
		if f.Severity == compile.SeverityDenied {
			grave = append(grave, f)
		} else {
			slight = append(slight, f)
		}
	}
	return grave, slight
}
