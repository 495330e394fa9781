package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"xplan/internal/compile"
	"xplan/internal/view"
	"xplan/plan"
)

// A reviewForm is the form that a review is shown in: --format.
type reviewForm struct{ format string }

func (f *reviewForm) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "format", "", "text, markdown or json (default text)")
}

// check refuses what no review is shown in. --json is JSON by itself: a stream of lines, where
// --format json is one document.
func (f *reviewForm) check(lines bool) error {
	if f.format == "" {
		f.format = view.FormatText
		if lines {
			f.format = view.FormatJSON
		}
	}
	if err := view.CheckReviewFormat(f.format); err != nil {
		return &usageError{fmt.Errorf("--format: %w", err)}
	}
	if lines && f.format != view.FormatJSON {
		return &usageError{fmt.Errorf("--json and --format %s exclude each other: give one of them", f.format)}
	}
	return nil
}

// showReview shows a program as asked for; saved is the file that it stands in, "" for none.
func (a *app) showReview(f reviewForm, p *plan.Plan, prog *compile.Program, saved string) error {
	style := view.Style{Color: a.colors(a.out), Verbose: a.verbose, Saved: saved}
	if a.json {
		return view.DiffJSON(&a.lines, p, prog, style)
	}
	return view.Review(a.out, f.format, p, prog, style)
}
