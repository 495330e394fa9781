package view

import (
	"io"
	"testing"
)

func TestTheReviewAsMarkdownSaysTheSame(t *testing.T) {
	p, prog := rich(t)
	prog.Findings = found()
	golden(t, "review.md", func(w io.Writer, color bool) error { return Review(w, FormatMarkdown, p, prog, Style{Color: color}) })
	prog.Findings = nil
	golden(t, "review.json", func(w io.Writer, color bool) error {
		return Review(w, FormatJSON, p, prog, Style{Color: color, Saved: "reviewed.plan"})
	})
}
