package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"xplan/internal/saved"
	"xplan/internal/view"
	"xplan/state"
)

func (a *app) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Check or export what is recorded of a plan; changes nothing",
		Args:  files(0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "check [PLAN|FILE]",
			Short: "Whether the state is sound, and what it records: runs, what is owned, how far each copy got",
			Args:  atMostOne,
			RunE:  func(_ *cobra.Command, args []string) error { return a.checkStates(args) },
		},
		&cobra.Command{
			Use:   "export [PLAN|FILE]",
			Short: "Write all records as JSON lines",
			Args:  atMostOne,
			RunE:  func(_ *cobra.Command, args []string) error { return a.exportStates(args) },
		},
	)
	return cmd
}

// statePaths finds the state files that an argument means: a plan's name, a plan file, a state file; without one all
// below the state folder.
func (a *app) statePaths(args []string) ([]string, error) {
	if len(args) == 0 {
		names, err := state.List(a.stateHere())
		if err == nil && len(names) == 0 {
			err = &usageError{fmt.Errorf("no state in %s: xplan apply FILE makes it, --state names another folder", a.stateHere())}
		}
		paths := make([]string, len(names))
		for i, name := range names {
			paths[i] = state.Path(a.stateHere(), name)
		}
		return paths, err
	}
	info, err := os.Stat(args[0])
	switch {
	case err != nil || info.IsDir(): // a plan's name, or nothing
		path := state.Path(a.stateHere(), args[0])
		if _, err := os.Stat(path); err != nil || strings.ContainsRune(args[0], filepath.Separator) {
			return nil, &usageError{fmt.Errorf("%q is no plan with state in %s, no plan file and no state file: xplan runs lists the plans, --state names another folder", args[0], a.stateHere())}
		}
		return []string{path}, nil
	case filepath.Ext(args[0]) == ".yaml", filepath.Ext(args[0]) == ".yml", saved.Peek(args[0]):
		p, err := a.load(args[0])
		if err != nil {
			return nil, err
		}
		return []string{state.Path(a.stateOf(args[0]), p.Name)}, nil
	}
	return []string{args[0]}, nil
}

// checkStates shows each state, whatever is wrong with the one before, and ends with the first thing that is.
func (a *app) checkStates(args []string) error {
	paths, err := a.statePaths(args)
	if err != nil {
		return err
	}
	var wrong error
	for _, path := range paths {
		r, err := inspectState(path)
		if err != nil && r.Path == "" {
			wrong = firstError(wrong, err)
			if len(paths) > 1 {
				a.say("%v", err)
			}
			continue
		}
		if a.json {
			a.jsonLine(struct {
				Type string `json:"type"`
				view.StateCheck
			}{"state_check", r})
		} else if err := view.State(a.out, r, view.Style{Color: a.colors(a.out), Verbose: a.verbose}); err != nil {
			return err
		}
		wrong = firstError(wrong, err)
	}
	return wrong
}

func firstError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// inspectState reads a state. With an error that reading cannot go on from the check has no path.
func inspectState(path string) (r view.StateCheck, err error) {
	db, err := state.ReadFile(path)
	if errors.Is(err, state.ErrNotFound) {
		return r, &usageError{err}
	}
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	r = view.StateCheck{Path: path, Plan: db.Name(), Layout: state.Layout, Problems: []string{}, Left: []string{}, Kept: []string{}, Pairs: []view.StatePair{}}
	found := db.Check()
	for _, e := range found {
		r.Problems = append(r.Problems, e.Error())
	}
	if len(found) > 0 {
		return r, &state.DamagedError{Path: path, What: fmt.Sprintf("%d problems were found", len(found))}
	}
	return r, errors.Join(checkedRuns(db, &r), checkedPairs(db, &r))
}

func checkedRuns(db *state.DB, r *view.StateCheck) error {
	runs, err := db.Runs()
	if err != nil {
		return err
	}
	r.Runs = len(runs)
	if r.Plan, err = db.PlanName(); err != nil {
		return err
	}
	for _, run := range runs {
		r.Last, r.LastState = run.ID, string(run.Status)
		if run.Status == state.Running {
			r.LastState = "crashed" // nobody holds the lock
		}
	}
	owned, err := db.Owned()
	toGo, kept := left(owned)
	r.Left, r.Kept = append(r.Left, toGo...), append(r.Kept, kept...)
	return err
}

func checkedPairs(db *state.DB, r *view.StateCheck) error {
	jobs, err := db.Jobs()
	if err != nil {
		return err
	}
	for _, job := range jobs {
		p, err := db.Progress(job)
		if err != nil {
			return err
		}
		pair := view.StatePair{
			Pair: job, Ranges: len(p.Ranges), Listed: p.Tally.Listed.Objects, Copied: p.Tally.Copied.Objects, Same: p.Tally.Same.Objects,
			Failures: len(p.Failures), Uploads: len(p.Uploads),
		}
		for _, rg := range p.Ranges {
			if rg.Ended {
				pair.Ended++
			}
		}
		r.Pairs = append(r.Pairs, pair)
	}
	return nil
}

func (a *app) exportStates(args []string) error {
	paths, err := a.statePaths(args)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := a.exportState(path); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) exportState(path string) (err error) {
	db, err := state.ReadFile(path)
	if errors.Is(err, state.ErrNotFound) {
		return &usageError{err}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Export(a.out)
}
