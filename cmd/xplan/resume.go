package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xplan/internal/compile"
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
			d, err := demanded(cmd, true)
			if err != nil {
				return err
			}
			run, err := a.findRun(args, true)
			if err != nil {
				return err
			}
			if run.Status == state.Done {
				return &usageError{fmt.Errorf("run %s is done: xplan apply %s looks for something new to do", run.ID, run.PlanFile)}
			}
			p, err := a.planOf(run)
			if err != nil {
				return fmt.Errorf("the plan of run %s: %w", run.ID, err)
			}
			return a.withStateIn(a.stateHere(), p, func(db *state.DB) error {
				return a.resume(cmd.Context(), work{plan: p, db: db, flags: f}, run.ID, d)
			})
		},
	}
	f.add(cmd)
	return cmd
}

// resume goes on with a run, now that its state is locked.
func (a *app) resume(ctx context.Context, w work, id string, d *demand) error {
	now, err := w.db.Run(id) // what was read without the lock may be old
	if err != nil {
		return err
	}
	if now.PlanDigest != w.plan.Digest() {
		return changedPlan(now, w.plan)
	}
	if err := d.refuseRun(now); err != nil {
		return err
	}
	w.previous, w.flags.yes = &now, true // it was reviewed when the run started
	if isCleanup(now) {
		w.only = compile.Cleanup
		return a.apply(ctx, w)
	}
	// What is settled is recorded of the last run alone: an older one cannot go on.
	if last, err := lastRun(w.db); err != nil || last.ID != now.ID {
		return errors.Join(err, &usageError{fmt.Errorf("run %s is of the past: run %s came after it; xplan apply %s goes on", now.ID, last.ID, now.PlanFile)})
	}
	return a.applyOver(ctx, w)
}

// findRun finds the run that is named, or the one that was started last below the state
// folder: among the unfinished ones where any is asked for.
func (a *app) findRun(args []string, wantUnfinished bool) (state.Run, error) {
	runs, unread, err := a.allRuns()
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
	case len(found) == 0 && unread != nil:
		return state.Run{}, unread
	case len(found) == 0 && len(args) == 1:
		return state.Run{}, &usageError{fmt.Errorf("no run %q in %s: xplan runs lists them, --state names another folder", args[0], a.stateHere())}
	case len(found) == 0 && !wantUnfinished:
		return state.Run{}, &usageError{fmt.Errorf("no run in %s: xplan apply FILE starts one, --state names another folder", a.stateHere())}
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

// allRuns reads the runs of every plan below the state folder, oldest first within a plan. Those of
// a plan that is running just now, or whose state is damaged, cannot be read: unread says so.
func (a *app) allRuns() (all []state.Run, unread error, _ error) {
	names, err := state.List(a.stateHere())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	for _, name := range names {
		runs, _, err := a.recordsOf(name)
		if _, held := errors.AsType[*state.LockedError](err); held {
			unread = err
			continue
		}
		_, damaged := errors.AsType[*state.DamagedError](err)
		_, other := errors.AsType[*state.OtherPlanError](err)
		if damaged || other { // which keeps no other plan from its way
			a.say("%v", err)
			unread = err
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		all = append(all, runs...)
	}
	return all, unread, nil
}

// A clean-up by itself is a run of its own kind: it copies nothing, and nothing that it does
// concerns what a copy has settled. Its ID tells.
const cleanupMark = "-cleanup"

func isCleanup(r state.Run) bool { return strings.HasPrefix(r.ID, r.PlanName+cleanupMark+"-") }

// lastRun is the plan's last run that is no clean-up by itself.
func lastRun(db *state.DB) (state.Run, error) {
	runs, err := db.Runs()
	if err != nil {
		return state.Run{}, err
	}
	for _, r := range slices.Backward(runs) {
		if !isCleanup(r) {
			return r, nil
		}
	}
	return state.Run{}, state.ErrNotFound
}

// withStateIn is withState for a state folder that is known already.
func (a *app) withStateIn(dir string, p *plan.Plan, f func(*state.DB) error) error {
	a.stateDir = dir
	return a.withState(p, f)
}
