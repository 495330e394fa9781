package compile

import (
	"fmt"
	"slices"
	"strings"

	"xplan/plan"
)

// Severity says how sure a finding is, and what hangs on it.
type Severity string

// The severities, the gravest first.
const (
	SeverityDenied Severity = "denied"        // the policies deny it, whatever is not known: applying is refused
	SeverityMay    Severity = "may be denied" // it depends on what is not known before the request is made
	SeverityNote   Severity = "note"          // denied, and needed in some cases only
)

// A Finding is one thing that keeps the run from doing what it will ask for, found before anything is
// changed: calls that share who asks and the rule that stands in the way are one finding.
type Finding struct {
	Severity Severity `json:"severity"`
	// Legs say what the run needs the calls for: the probe's legs ("read source"), and the administrators' ("clean up uploads").
	Legs      []string  `json:"legs"`
	Pairs     []string  `json:"pairs,omitempty"` // pair IDs
	Who       string    `json:"who"`             // ARN of whoever asks
	Side      plan.Side `json:"side"`            // whose resource it is
	Account   string    `json:"account"`         // its owner
	Actions   []string  `json:"actions"`         // such as s3:GetObjectTagging
	Resources []string  `json:"resources"`       // ARNs; a star at the end stands for all keys below
	// Rule is what decides: "statement DenyTags of the bucket policy of tommy denies it", "no policy of user/x allows it".
	Rule string `json:"rule"`
	// AWS is what IAM's policy simulator says to it; "": it was not asked, or tells nothing.
	AWS string `json:"aws,omitempty"`
	// DependsOn are the condition keys, or "the key of the object", that nobody knows before the request; of SeverityMay only.
	DependsOn []string `json:"depends_on,omitempty"`
	// Statement is what would let it through, as JSON to paste: one to add, or the amended one where one denies. May be empty.
	Statement string `json:"statement,omitempty"`
	Fix       string `json:"fix"` // what to do, and where the statement belongs
}

// String says it in one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s may not %s on %s: %s", strings.Join(f.Legs, ", "), f.Who, strings.Join(f.Actions, ", "), strings.Join(f.Resources, ", "), f.Rule)
}

// A PreflightError refuses to apply a program of which calls would surely be denied. Nothing was changed.
type PreflightError struct{ Findings []Finding }

func (e *PreflightError) Error() string {
	var b strings.Builder
	b.WriteString("this would be denied, so nothing was changed:")
	for _, f := range e.Findings {
		b.WriteString("\n  " + f.String())
		if f.AWS != "" {
			b.WriteString("; " + f.AWS)
		}
		b.WriteString("\n    " + f.Fix)
		if f.Statement != "" {
			b.WriteString("\n    " + f.Statement)
		}
	}
	b.WriteString("\n  or, where you know that it is let all the same: xplan apply with --despite-findings goes on, and the run's log keeps that it did")
	return b.String()
}

// Denied is a *PreflightError where a call of the program would surely be denied, else nil.
func (p *Program) Denied() error {
	sure := slices.DeleteFunc(slices.Clone(p.Findings), func(f Finding) bool { return f.Severity != SeverityDenied })
	if len(sure) == 0 {
		return nil
	}
	return &PreflightError{Findings: sure}
}
