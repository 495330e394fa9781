package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"xplan/internal/compile"
	"xplan/internal/runner"
	"xplan/plan"
	"xplan/state"
)

// leasedElsewhere finds another machine's run of the plan, as far as a policy of the plan tells of one. The runs in this
// state are ours: their lock is held.
func leasedElsewhere(p *plan.Plan, w compile.World, db *state.DB) (*compile.Lease, error) {
	mine, err := runsHere(db)
	if err != nil {
		return nil, err
	}
	if l, live := compile.LiveLease(p, w, time.Now(), mine); live {
		return &l, nil
	}
	return nil, nil
}

// takeOver refuses what another machine runs, unless a person says that it is dead.
func (s *survey) takeOver(said bool) error {
	if s.world.Held != nil && !said {
		return &runner.LeasedError{Plan: s.plan.Name, Holder: *s.world.Held}
	}
	s.over, s.world.Held = s.world.Held, nil
	return nil
}

// runsHere tells of a run whether it is in the state; db may be nil.
func runsHere(db *state.DB) (func(run string) bool, error) {
	if db == nil {
		return func(string) bool { return false }, nil
	}
	runs, err := db.Runs()
	return func(id string) bool {
		return slices.ContainsFunc(runs, func(r state.Run) bool { return r.ID == id })
	}, err
}

// lease tells other machines of the run: from now on where there is a policy already, else from the step on that makes
// one. A run that is refused has done nothing.
func (a *app) lease(ctx context.Context, w work, s survey, run state.Run) (*runner.Lease, error) {
	mine, err := runsHere(w.db)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // an empty name is noted as unknown
	l := runner.NewLease(runner.LeaseOptions{
		API: s.accounts.destination, On: compile.LeaseOn(w.plan, s.world), Plan: w.plan.Name,
		Holder: compile.Lease{Run: run.ID, Host: host, PID: os.Getpid()},
		Mine:   mine, Over: s.over, Now: time.Now,
	})
	untold, err := runner.Untold(l.Take(ctx))
	if untold != "" {
		a.say("%s", strings.TrimPrefix(untold, "; "))
	}
	if err != nil {
		return nil, errors.Join(err, w.db.EndRun(run.ID, time.Now().UTC(), state.Interrupted, codeOf(err), nil))
	}
	return l, nil
}
