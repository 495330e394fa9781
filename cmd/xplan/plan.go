package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"xplan/internal/compile"
	"xplan/internal/runner"
	"xplan/internal/s3copy"
	"xplan/internal/view"
	"xplan/plan"
	"xplan/state"
)

func (a *app) planCommand() *cobra.Command {
	var noScan, detailed bool
	var output string
	var form reviewForm
	cmd := &cobra.Command{
		Use:   "plan FILE",
		Short: "The dry run: read both accounts, change nothing, show what would change",
		Args:  files(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := form.check(a.json); err != nil {
				return err
			}
			if err := checkOutput(cmd, output); err != nil {
				return err
			}
			prog, p, err := a.dryRun(cmd.Context(), args[0], noScan)
			if err != nil {
				return err
			}
			a.warn(p)
			if err := a.review(form, p, prog, output, !noScan); err != nil {
				return err
			}
			if detailed && prog.HasChanges() {
				return statusError(exitChanges)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&noScan, "no-scan", false, "do not count objects: for buckets too large to list now")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit 2 when there are changes")
	cmd.Flags().StringVarP(&output, "output", "o", "", "save the plan to this file: apply of it runs exactly this")
	form.add(cmd)
	return cmd
}

// review saves a program where a file is named, and shows it.
func (a *app) review(form reviewForm, p *plan.Plan, prog *compile.Program, output string, counted bool) error {
	if output == "" {
		return a.showReview(form, p, prog, "")
	}
	f, err := a.save(output, p, prog, counted)
	if err != nil {
		return err
	}
	if err := a.showReview(form, p, prog, output); err != nil {
		return err
	}
	a.told(f)
	return nil
}

func (a *app) graphCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "graph FILE",
		Short: "The steps of a plan and what each waits for",
		Args:  files(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := view.CheckGraphFormat(format); err != nil {
				return &usageError{err}
			}
			prog, _, err := a.dryRun(cmd.Context(), args[0], true)
			if err != nil {
				return err
			}
			return view.Graph(a.out, prog, format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "mermaid", "mermaid, dot or json")
	return cmd
}

// dryRun observes and compiles, and writes nothing: not even state.
func (a *app) dryRun(ctx context.Context, path string, noScan bool) (*compile.Program, *plan.Plan, error) {
	p, err := a.load(path)
	if err != nil {
		return nil, nil, err
	}
	counting := compile.CountAll
	if noScan {
		counting = compile.CountNone
	}
	var prog *compile.Program
	look := func(db *state.DB) error {
		s, err := a.survey(ctx, p, db, counting)
		if err != nil {
			return err
		}
		if err := s.consult(ctx); err != nil {
			return err
		}
		prog, err = s.compile(nil)
		return err
	}
	// What the plan owns is in state, where there is one; a plan that never ran makes none.
	if _, err := os.Stat(filepath.Join(a.stateOf(path), p.Name, "state.db")); errors.Is(err, os.ErrNotExist) {
		err = look(nil)
		return prog, p, err
	}
	err = a.withState(p, look)
	return prog, p, err
}

// survey is what was observed, and the accounts by which it was.
type survey struct {
	plan     *plan.Plan
	accounts accounts
	world    compile.World
	engine   *s3copy.Engine
	seeds    *runner.Seeds
	earlier  map[string][]s3copy.Window // by pair: what finished runs of the plan copied
	over     *compile.Lease             // another machine's, that a person takes over
}

// survey reaches both accounts and observes. db may be nil: nothing is owned then.
func (a *app) survey(ctx context.Context, p *plan.Plan, db *state.DB, counting compile.Counting) (survey, error) {
	s := survey{plan: p, seeds: &runner.Seeds{}}
	var err error
	if s.accounts, err = connect(ctx, p); err != nil {
		return s, err
	}
	if s.engine, err = s3copy.New(engineLimits(p, openFiles())); err != nil {
		return s, err
	}
	options := compile.ObserveOptions{Counting: counting}
	var journals runner.Journals
	if db != nil {
		journals = runner.Records{DB: db}
		if options.Owned, err = (runner.Records{DB: db}).Owned(); err != nil {
			return s, err
		}
		if s.earlier, err = (runner.Records{DB: db}).Earlier(p); err != nil {
			return s, err
		}
		if options.Settled, err = settled(db, options.Owned); err != nil {
			return s, err
		}
		if len(options.Settled) > 0 && counting != compile.CountNone {
			options.Counting = compile.CountAll // whether somebody writes to the destination by now
		}
	}
	s.world, err = compile.Observe(ctx, p, compile.Readers{
		Source: s.accounts.source, Destination: s.accounts.destination,
		Scanner: runner.Scanner{
			Source: s.accounts.source, Destination: s.accounts.destination,
			Engine: s.engine, Accounts: p.Accounts, Seeds: s.seeds, Earlier: s.earlier, Journals: journals,
		},
	}, options)
	if err == nil {
		s.world.Held, err = leasedElsewhere(p, s.world, db)
	}
	return s, err
}

// consult asks AWS's policy simulator about the principal's calls, as the destination's administrator.
func (s *survey) consult(ctx context.Context) (err error) {
	s.world, err = compile.Consult(ctx, s.world, compile.Questions(s.plan, s.world), s.simulator)
	return err
}

func (s *survey) simulator(side plan.Side) compile.Simulator {
	if side == plan.Source {
		return s.accounts.source
	}
	return s.accounts.destination
}

// compile turns what was observed into a program, by another compiler than the whole one if given.
func (s survey) compile(only func(*plan.Plan, compile.World) (*compile.Program, error)) (*compile.Program, error) {
	if only != nil {
		return only(s.plan, s.world)
	}
	return compile.Compile(s.plan, s.world)
}

// inFlight is the largest that a pair asks for; 0 leaves it to the engine.
func inFlight(p *plan.Plan) int {
	n := 0
	for _, b := range p.Buckets {
		n = max(n, b.Copy.InFlight)
	}
	return n
}
