package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"xplan/internal/compile"
	"xplan/plan"
)

// The forms of a review.
const (
	FormatText     = "text"
	FormatMarkdown = "markdown" // for a pull request's comment
	FormatJSON     = "json"     // one document, as schemas/review.v1.json says
)

// CheckReviewFormat tells whether Review knows the form.
func CheckReviewFormat(format string) error {
	known := []string{FormatText, FormatMarkdown, FormatJSON}
	if slices.Contains(known, format) {
		return nil
	}
	return fmt.Errorf("unknown format %q: want %s", format, strings.Join(known, ", "))
}

// Review renders a program before it is applied, in one of the forms that CheckReviewFormat
// lets pass. Each form tells the same facts. Style is for the text, but for Saved.
func Review(w io.Writer, format string, p *plan.Plan, prog *compile.Program, style Style) error {
	switch format {
	case FormatText:
		return Diff(w, p, prog, style)
	case FormatMarkdown:
		return reviewMarkdown(w, p, prog, style)
	case FormatJSON:
		return reviewJSON(w, p, prog, style)
	default:
		return CheckReviewFormat(format)
	}
}
