package view

import (
	"io"
	"strings"

	"xplan/internal/compile"
	"xplan/plan"
)

// reviewMarkdown renders the review for a pull request's comment.
func reviewMarkdown(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	var text strings.Builder
	if err := Diff(&text, p, prog, Style{Saved: style.Saved}); err != nil {
		return err
	}
	page := &page{}
	page.line("<!-- xplan:plan ", p.Name, " -->")
	fence := strings.Repeat("`", 3)
	for strings.Contains(text.String(), fence) {
		fence += "`"
	}
	page.line(fence, "diff")
	page.line(text.String(), fence)
	return page.to(w)
}
