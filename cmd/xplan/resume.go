package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"xplan/plan"
	"xplan/state"
)

func (a *app) resumeCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "resume [RUN]",
		Short: "Go on with a run after a failure or Ctrl-C, from the last copied key",
		Args:  atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			run, err := a.findRun(args, true)
			if err != nil {
				return err
			}
			if run.Status == state.Done {
				return &usageError{fmt.Errorf("run %s is done: xplan apply %s looks for something new to do", run.ID, run.PlanFile)}
			}
			p, err := a.load(run.PlanFile)
			if err != nil {
				return fmt.Errorf("the plan of run %s: %w", run.ID, err)
			}
			return a.withStateIn(a.stateHere(), p, func(db *state.DB) error {
				now, err := db.Run(run.ID) // what was read without the lock may be old
				if err != nil {
					return err
				}
				if now.PlanDigest != p.Digest() {
					return changedPlan(now, p)
				}
				f.yes = true // it was reviewed when the run started
				return a.apply(cmd.Context(), work{plan: p, db: db, flags: f, previous: &now})
			})
		},
	}
	f.add(cmd)
	return cmd
}

// findRun finds the run that is named, or the one that was started last below the state
// folder: among the unfinished ones where any is asked for.
func (a *app) findRun(args []string, wantUnfinished bool) (state.Run, error) {
	runs, err := a.allRuns()
	if err != nil {
		return state.Run{}, err
	}
	var found []state.Run
	for _, r := range runs {
		switch {
		case len(args) == 1 && r.ID == args[0]:
			return r, nil
		case len(args) == 1 && r.PlanName == args[0], len(args) == 0 && (!wantUnfinished || r.Status != state.Done):
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 0 && len(args) == 1:
		return state.Run{}, &usageError{fmt.Errorf("no run %q in %s: xplan runs lists them, --state names another folder", args[0], a.stateHere())}
	case len(found) == 0:
		return state.Run{}, &usageError{fmt.Errorf("no run to go on with in %s: xplan apply FILE starts one, --state names another folder", a.stateHere())}
	case len(args) == 0 && wantUnfinished && plans(found) > 1:
		return state.Run{}, &usageError{fmt.Errorf("runs of several plans are not finished: name one of\n  %s", runIDs(found))}
	}
	return found[len(found)-1], nil
}

func plans(runs []state.Run) int {
	names := map[string]bool{}
	for _, r := range runs {
		names[r.PlanName] = true
	}
	return len(names)
}

func runIDs(runs []state.Run) string {
	ids := make([]string, len(runs))
	for i, r := range runs {
		ids[i] = r.ID
	}
	return strings.Join(ids, "\n  ")
}

// allRuns reads the runs of every plan below the state folder, oldest first within a plan.
func (a *app) allRuns() ([]state.Run, error) {
	names, err := state.List(a.stateHere())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var all []state.Run
	for _, name := range names {
		runs, err := a.runsOf(name)
		if err != nil {
			return nil, err
		}
		all = append(all, runs...)
	}
	return all, nil
}

func (a *app) runsOf(name string) (runs []state.Run, err error) {
	db, err := state.Open(a.stateHere(), name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Runs()
}

// withStateIn is withState for a state folder that is known already.
func (a *app) withStateIn(dir string, p *plan.Plan, f func(*state.DB) error) error {
	a.stateDir = dir
	return a.withState(p, f)
}
