package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xplan/internal/compile"
	"xplan/internal/saved"
	"xplan/internal/view"
	"xplan/plan"
	"xplan/state"
)

// applyFlags are the words of a person for one run.
type applyFlags struct {
	yes     bool
	confirm []string
	noScan  bool
	newRun  bool
	over    bool          // another machine's run of the plan is taken to be dead
	despite bool          // what is surely denied by the preflight does not refuse the run
	maxAge  time.Duration // of a saved plan; 0: any
}

func (f *applyFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask; never covers a deletion")
	cmd.Flags().StringArrayVar(&f.confirm, "confirm", nil, "confirm deletions in this bucket (repeatable)")
	cmd.Flags().BoolVar(&f.noScan, "no-scan", false, "do not count objects first: work is assumed")
	f.addTakeOver(cmd)
}

func (f *applyFlags) addTakeOver(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.over, "take-over", false, "the run of this plan on another machine is dead: do not wait until its lease runs out")
}

func (f *applyFlags) confirmed() map[string]bool {
	m := map[string]bool{}
	for _, b := range f.confirm {
		m[b] = true
	}
	return m
}

// check refuses a confirmation of a bucket that the plan does not name: a slip of the hand
// must not pass as consent given, or withheld.
func (f *applyFlags) check(p *plan.Plan) error {
	for _, name := range f.confirm {
		named := slices.ContainsFunc(p.Buckets, func(b plan.Pair) bool { return b.Source == name || b.Destination == name })
		if !named {
			return &usageError{fmt.Errorf("--confirm=%s: the plan names no bucket %q", name, name)}
		}
	}
	return nil
}

func (a *app) applyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply FILE|F",
		Short: "Run a plan, or exactly what a saved plan F shows: set up, copy, verify, clean up; goes on with an interrupted run",
		Args:  files(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := demanded(cmd, true)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("max-age") && f.maxAge <= 0 {
				return &usageError{fmt.Errorf("--max-age %s: want a duration such as 24h", f.maxAge)}
			}
			if saved.Peek(args[0]) {
				return a.applySaved(cmd.Context(), args[0], f, d)
			}
			if err := d.refusePlanFile(args[0]); err != nil {
				return err
			}
			if cmd.Flags().Changed("max-age") {
				return &usageError{fmt.Errorf("--max-age: %s is no saved plan", args[0])}
			}
			p, err := a.load(args[0])
			if err != nil {
				return err
			}
			return a.withState(p, func(db *state.DB) error {
				prev, err := previous(db, p, f.newRun)
				if err != nil {
					return err
				}
				return a.applyOver(cmd.Context(), work{plan: p, db: db, flags: f, previous: prev})
			})
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.newRun, "new-run", false, "start over instead of going on with an unfinished run")
	cmd.Flags().BoolVar(&f.despite, "despite-findings", false, "go on although the review says denied: where you know that it is let")
	cmd.Flags().DurationVar(&f.maxAge, "max-age", 0, "refuse a saved plan that is older, such as 24h")
	addSigners(cmd)
	return cmd
}

// withState runs f while this process holds the plan's lock.
func (a *app) withState(p *plan.Plan, f func(*state.DB) error) (err error) {
	db, err := state.Open(a.stateOf(p.File), p.Name, a.stored...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return f(db)
}

// previous returns the run to go on with, or nil. A run goes on only with its own plan.
func previous(db *state.DB, p *plan.Plan, fresh bool) (*state.Run, error) {
	last, err := lastRun(db)
	switch {
	case errors.Is(err, state.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case fresh || !unfinished(last.Status):
		return nil, nil
	case last.PlanDigest != p.Digest():
		return nil, changedPlan(last, p)
	}
	return &last, nil
}

// unfinished tells whether apply goes on with a run of that status. What failed or waits is
// tried anew by a new run: the compared objects are not copied again.
func unfinished(s state.RunStatus) bool {
	return s == state.Running || s == state.Interrupted || s == state.Failed
}

func changedPlan(last state.Run, p *plan.Plan) error {
	e := &changedPlanError{run: last.ID}
	before, err := plan.FromJSON(last.Plan)
	if err != nil {
		return errors.Join(e, err)
	}
	for _, d := range plan.Differences(before, p) {
		e.differences = append(e.differences, fmt.Sprintf("%s: %s → %s", d.Pointer, d.Before, d.After))
	}
	return e
}

// work is one application of a plan.
type work struct {
	plan     *plan.Plan
	db       *state.DB
	flags    applyFlags
	previous *state.Run // the run to go on with
	only     func(*plan.Plan, compile.World) (*compile.Program, error)
	reviewed *savedFile // what was approved; nil: this process asks
}

// counting says how much has to be known before the run.
func (w work) counting() compile.Counting {
	approved := w.reviewed != nil
	switch {
	case w.flags.noScan || w.only != nil || approved && !w.reviewed.Counted:
		return compile.CountNone
	case (w.flags.yes || approved) && w.previous != nil:
		return compile.CountRest
	case w.flags.yes && !approved:
		return compile.CountFirst
	}
	return compile.CountAll
}

// apply observes, compiles, asks, and runs.
func (a *app) apply(ctx context.Context, w work) error {
	if err := w.flags.check(w.plan); err != nil {
		return err
	}
	a.warn(w.plan)
	s, err := a.survey(ctx, w.plan, w.db, w.counting())
	if err != nil {
		return err
	}
	if err := s.takeOver(w.flags.over); err != nil {
		return err
	}
	if w.only == nil {
		if err := s.consult(ctx); err != nil {
			return err
		}
	}
	prog, err := s.compile(w.only)
	if err := errors.Join(w.unlikeReviewed(s, prog), err); err != nil {
		return err
	}
	if !prog.HasChanges() && w.previous == nil {
		return a.nothing(prog, w)
	}
	if err := prog.Denied(); err != nil && !w.flags.despite {
		return err
	}
	if !w.flags.yes && w.reviewed == nil {
		if err := a.ask(ctx, w, prog); err != nil {
			return err
		}
	} else if a.verbose && !a.json {
		if err := view.Diff(a.err, w.plan, prog, view.Style{Color: a.colors(a.err)}); err != nil {
			return err
		}
	}
	return a.execute(ctx, w, s, prog)
}

// warn shows what the plan file allows and probably does not mean.
func (a *app) warn(p *plan.Plan) {
	if a.json {
		return // the stream has the program's warnings; validate has the file's
	}
	for _, w := range p.Warnings {
		a.say("%s", w.String())
	}
}

// nothing says that the plan holds already.
func (a *app) nothing(prog *compile.Program, w work) error {
	if a.json {
		a.jsonLine(map[string]any{"type": "run_summary", "plan": w.plan.Name, "state": "done", "changes": 0, "exit": exitDone})
		return nil
	}
	return view.NoChanges(a.out, w.plan, prog, view.Style{Color: a.colors(a.out)})
}

// ask shows the review and waits for a person's yes.
func (a *app) ask(ctx context.Context, w work, prog *compile.Program) error {
	p := w.plan
	switch {
	case a.canAsk():
	case w.only != nil:
		return &usageError{errors.New("cleanup asks before it changes anything, and nobody can answer here: pass --yes")}
	default:
		return &usageError{fmt.Errorf("apply asks before it changes anything, and nobody can answer here: review with xplan plan %s, then pass --yes", p.File)}
	}
	if err := view.Diff(a.out, p, prog, view.Style{Color: a.colors(a.out)}); err != nil {
		return err
	}
	fmt.Fprint(a.err, "\nApply this? Only \"yes\" does: ")
	answers := make(chan string, 1)
	go func() { // nothing breaks off a read from a terminal: after a Ctrl-C it ends with the process
		answer, _ := bufio.NewReader(a.in).ReadString('\n') // no answer is no "yes"
		answers <- answer
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.err)
		return fmt.Errorf("nothing was changed: %w", ctx.Err())
	case answer := <-answers:
		if strings.TrimSpace(answer) != "yes" {
			return errAnswerNo
		}
		return nil
	}
}

// resumeWords is the exact command that goes on with a run.
func (a *app) resumeWords(run state.Run) string {
	words := []string{"xplan resume", shellQuote(run.ID)}
	if dir := absolute(a.stateOf(run.PlanFile)); dir != absolute(".xplan") {
		words = append(words, "--state", shellQuote(dir))
	}
	for _, p := range a.profiles {
		words = append(words, "--profile", shellQuote(p))
	}
	return strings.Join(words, " ")
}

func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// absolute makes a path that works from anywhere.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
