package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"xplan/internal/compile"
	"xplan/internal/runner"
	"xplan/internal/s3copy"
	"xplan/internal/view"
	"xplan/plan"
	"xplan/state"
)

func (a *app) verifyCommand() *cobra.Command {
	var mapping string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Compare both buckets again, by itself: every object, at the plan's level; changes nothing",
		Args:  files(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load(args[0])
			if err != nil {
				return err
			}
			to, err := openMapping(mapping, p)
			if err != nil {
				return err
			}
			s, err := a.survey(cmd.Context(), p, nil, compile.CountNone)
			if err == nil {
				err = a.verify(cmd.Context(), s, to)
			}
			return to.close(err)
		},
	}
	cmd.Flags().StringVar(&mapping, "mapping", "", "write what became of each version to this file, as JSON lines")
	return cmd
}

func (a *app) verify(ctx context.Context, s survey, to *mappingFile) error {
	deps := runner.Deps{Source: s.accounts.source, Destination: s.accounts.destination, Engine: s.engine, Progress: &runner.Progress{}, Kill: a.leave}
	bad := false
	for _, pair := range s.plan.Buckets {
		spec, err := compile.CopySpecOf(s.plan, s.world, pair)
		if err != nil {
			return err
		}
		sum, err := runner.VerifyPair(ctx, deps, spec, to.of(pair))
		if err != nil {
			return fmt.Errorf("verify %s: %w", pair.ID(), err)
		}
		bad = bad || sum.Tally.Failed.Objects > 0
		if err := a.showVerification(pair, sum); err != nil {
			return err
		}
	}
	if bad {
		return statusError(exitFailed)
	}
	return nil
}

func (a *app) showVerification(pair plan.Pair, sum s3copy.Summary) error {
	if a.json {
		a.jsonLine(map[string]any{"type": "verification", "pair": pair.ID(), "level": pair.Verify.Level, "summary": sum})
		return nil
	}
	return view.Verification(a.out, pair, sum, view.Style{Color: a.colors(a.out)})
}

func (a *app) cleanupCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "cleanup FILE|RUN",
		Short: "The clean-up rules by themselves: after an abandoned run, say",
		Args:  files(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.planOrRun(args)
			if err != nil {
				return err
			}
			return a.withState(p, func(db *state.DB) error {
				return a.apply(cmd.Context(), work{plan: p, db: db, flags: f, only: compile.Cleanup})
			})
		},
	}
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	cmd.Flags().StringArrayVar(&f.confirm, "confirm", nil, "confirm deletions in this bucket (repeatable)")
	f.addTakeOver(cmd)
	return cmd
}

// planOrRun is the plan of a file, or of a run where there is no such file.
func (a *app) planOrRun(args []string) (*plan.Plan, error) {
	if _, err := os.Stat(args[0]); !errors.Is(err, os.ErrNotExist) {
		return a.load(args[0])
	}
	run, err := a.findRun(args, false)
	if err != nil {
		return nil, err
	}
	a.stateDir = a.stateHere()
	return a.planOf(run)
}

func (a *app) reportCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "One self-contained page: what was done, failures, proof of clean-up",
		Args:  atMostOne,
		RunE: func(_ *cobra.Command, args []string) error {
			run, err := a.findRun(args, false)
			if err != nil {
				return err
			}
			end, err := view.ReadEnd(run.Summary)
			if err != nil {
				return fmt.Errorf("run %s has not ended yet: %w", run.ID, err)
			}
			if output == "-" {
				return view.Report(a.out, end, version())
			}
			if err := pages().check(output); err != nil {
				return err
			}
			f, err := os.OpenFile(output, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
			if err != nil {
				return err
			}
			return errors.Join(view.Report(f, end, version()), f.Close())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "-", "the page's file; - is stdout")
	return cmd
}
