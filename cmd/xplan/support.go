package main

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"xplan/schemas"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "schema [plan|review|events]",
		Short:     "Print the JSON Schema of plan files, for editors, of a review's document, or of the lines of --json",
		Args:      atMostOne,
		ValidArgs: []string{"plan", "review", "events"},
		RunE: func(_ *cobra.Command, args []string) error {
			text := schemas.PlanV1()
			switch {
			case len(args) == 1 && args[0] == "events":
				text = schemas.EventsV1()
			case len(args) == 1 && args[0] == "review":
				text = schemas.ReviewV1()
			case len(args) == 1 && args[0] != "plan":
				return &usageError{fmt.Errorf("schema %q: want plan, review or events", args[0])}
			}
			_, err := a.out.Write(text)
			return err
		},
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  files(0),
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.lines.open()
			}
			_, err := fmt.Fprintf(a.out, "xplan %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check plan files offline: every problem at once, with line, column and a caret",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{errors.New("validate wants at least one plan file: xplan validate --help")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			bad := 0
			for _, path := range args {
				if err := a.validate(path); err != nil {
					bad = max(bad, a.exit(err))
				}
			}
			if bad != 0 {
				return statusError(bad)
			}
			return nil
		},
	}
}

func (a *app) validate(path string) error {
	p, err := a.load(path)
	if err != nil {
		return err
	}
	if a.json {
		for i := range p.Warnings {
			a.jsonLine(diagnostic{Severity: "warning", Message: p.Warnings[i].Message, Problem: &p.Warnings[i]})
		}
		a.jsonLine(map[string]any{"type": "valid", "file": path, "name": p.Name, "digest": p.Digest()})
		return nil
	}
	for _, w := range p.Warnings {
		fmt.Fprintln(a.err, w.String())
	}
	_, err = fmt.Fprintf(a.out, "%s: valid, plan %s, %d bucket pair(s)\n", path, p.Name, len(p.Buckets))
	return err
}
