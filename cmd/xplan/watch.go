package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"xplan/internal/compile"
	"xplan/internal/view"
	"xplan/state"
)

// The commands of this file read the sidecars, never the database: a running apply locks it.

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status [PLAN]",
		Short: "How the last run of each plan stands; works from another terminal",
		Args:  atMostOne,
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := a.statuses(args)
			if err != nil {
				return err
			}
			for _, s := range all {
				if err := a.showStatus(s); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (a *app) showStatus(s view.Status) error {
	if a.json {
		a.jsonLine(struct {
			Type string `json:"type"`
			view.Status
		}{"status", s})
		return nil
	}
	return view.Life(a.out, s, time.Now(), view.Style{Color: a.colors(a.out), Verbose: a.verbose})
}

// statuses reads the sidecars of the named plan or run, or of all.
func (a *app) statuses(args []string) ([]view.Status, error) {
	names, err := state.List(a.stateHere())
	if err != nil {
		return nil, err
	}
	var all []view.Status
	for _, name := range names {
		data, err := state.ReadStatus(a.stateHere(), name)
		if errors.Is(err, state.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var s view.Status
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, fmt.Errorf("the status of %s: %w", name, err)
		}
		s.State = a.present(s)
		if s.State == "crashed" { // its last words may be older than its last deed
			_, s.Frozen, _ = a.recordsOf(name) // what cannot be read now is not told
		}
		if len(args) == 0 || args[0] == s.Plan || args[0] == s.Run {
			all = append(all, s)
		}
	}
	switch {
	case len(all) == 0 && len(args) == 1 && len(names) > 0:
		return nil, &usageError{fmt.Errorf("%q is no plan in %s, and no plan's last run: xplan runs lists them, --state names another folder", args[0], a.stateHere())}
	case len(all) == 0:
		return nil, &usageError{fmt.Errorf("no run in %s: xplan apply FILE starts one, --state names another folder", a.stateHere())}
	}
	return all, nil
}

// present corrects a status that says running although nobody holds the lock: the process died.
func (a *app) present(s view.Status) string {
	if s.State != string(state.Running) {
		return s.State
	}
	held, err := state.Held(a.stateHere(), s.Plan)
	if err == nil && !held {
		return "crashed"
	}
	return s.State
}

func (a *app) runsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "runs",
		Short: "All runs of all plans below the state folder",
		Args:  files(0),
		RunE: func(*cobra.Command, []string) error {
			names, err := state.List(a.stateHere())
			if err != nil {
				return err
			}
			var rows []view.RunRow
			var unread []error // of others the runs are shown all the same
			for _, name := range names {
				more, err := a.runRows(name)
				unread = append(unread, err)
				rows = append(rows, more...)
			}
			if a.json {
				for _, r := range rows {
					a.jsonLine(struct {
						Type string `json:"type"`
						view.RunRow
					}{"run", r})
				}
				return errors.Join(unread...)
			}
			return errors.Join(append(unread, view.Runs(a.out, rows))...)
		},
	}
}

// runRows lists a plan's runs; of one that is running just now its sidecar tells.
func (a *app) runRows(name string) ([]view.RunRow, error) {
	runs, frozen, err := a.recordsOf(name)
	if _, locked := errors.AsType[*state.LockedError](err); locked {
		all, err := a.statuses([]string{name})
		if err != nil {
			return nil, err
		}
		return []view.RunRow{{Run: all[0].Run, Plan: name, State: all[0].State, Started: all[0].Started, Updated: all[0].Updated, Frozen: view.FrozenBy(all[0].Steps)}}, nil
	}
	var rows []view.RunRow
	for _, r := range runs {
		row := view.RunRow{Run: r.ID, Plan: r.PlanName, State: string(r.Status), Started: r.Started, Updated: r.Updated, Exit: r.Exit, Resumed: r.Resumed, Approval: r.Approval}
		if r.Status == state.Running {
			row.State = "crashed" // we hold its lock, so nobody runs it
		}
		rows = append(rows, row)
	}
	for _, f := range frozen { // by the last run that had begun by then
		i := len(rows) - 1
		for i > 0 && rows[i].Started.After(f.Since) {
			i--
		}
		if i >= 0 {
			rows[i].Frozen = append(rows[i].Frozen, f)
		}
	}
	return rows, err
}

// recordsOf are a plan's runs, the oldest first, and the sources that one of them froze and nobody lifted.
func (a *app) recordsOf(name string) (runs []state.Run, frozen []view.Frozen, err error) {
	db, err := state.Read(a.stateHere(), name)
	if errors.Is(err, state.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	owned, err := db.Owned()
	if err != nil {
		return nil, nil, err
	}
	for _, o := range owned {
		known := slices.ContainsFunc(frozen, func(f view.Frozen) bool { return f.Bucket == o.Subject })
		if o.Kind == string(compile.KindFreeze) && !known { // a freeze may be two statements
			frozen = append(frozen, view.Frozen{Bucket: o.Subject, Since: o.Since, Intent: o.Intent})
		}
	}
	runs, err = db.Runs()
	return runs, frozen, err
}

func (a *app) logsCommand() *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs [RUN]",
		Short: "What happened in a run, line by line",
		Args:  atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := a.statuses(nil)
			if err != nil {
				return err
			}
			run := latest(all).Run
			name := latest(all).Plan
			if len(args) == 1 {
				run, name = args[0], planOfRun(all, args[0])
				if name == "" {
					return &usageError{fmt.Errorf("no run %q in %s: xplan runs lists them", args[0], a.stateHere())}
				}
				if name == args[0] {
					run = ""
				}
			}
			if follow {
				show := func(line []byte) error { return a.showEvent(line, run) }
				return state.Follow(cmd.Context(), a.stateHere(), name, 200*time.Millisecond, show)
			}
			return a.showLog(name, run)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes")
	return cmd
}

// showLog shows what a plan's log has of a run; of all runs where none is named.
func (a *app) showLog(name, run string) error {
	seen, torn := run == "", false
	err := state.ReadEvents(a.stateHere(), name, func(line []byte) error {
		seen, torn = seen || ofRun(line, run), torn || !json.Valid(line)
		return a.showEvent(line, run)
	})
	if torn {
		a.say("not shown: what a crash, or a full disk, has torn out of the log of %s", name)
	}
	if err == nil && !seen {
		err = &usageError{fmt.Errorf("the log of %s tells nothing of run %s: xplan runs lists them", name, run)}
	}
	return err
}

// ofRun tells whether a line of the log is of a run.
func ofRun(line []byte, run string) bool {
	var of struct {
		Run string `json:"run"`
	}
	return json.Unmarshal(line, &of) == nil && of.Run == run
}

// showEvent shows a line of the log, unless it is torn: what follows is whole.
func (a *app) showEvent(line []byte, run string) error {
	if !json.Valid(line) {
		return nil
	}
	if !a.json {
		return view.LogLine(a.out, line, run)
	}
	if run != "" && !ofRun(line, run) {
		return nil
	}
	_, err := a.lines.Write(append(slices.Clone(line), '\n'))
	return err
}

func latest(all []view.Status) view.Status {
	last := all[0]
	for _, s := range all {
		if s.Updated.After(last.Updated) {
			last = s
		}
	}
	return last
}

// planOfRun finds the plan of a run by its ID, which begins with the plan's name.
func planOfRun(all []view.Status, run string) string {
	best := ""
	for _, s := range all {
		if (s.Plan == run || len(run) > len(s.Plan) && run[:len(s.Plan)+1] == s.Plan+"-") && len(s.Plan) > len(best) {
			best = s.Plan
		}
	}
	return best
}

func (a *app) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel [RUN]",
		Short: "Stop a run gracefully from another terminal, as Ctrl-C does there",
		Args:  atMostOne,
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := a.statuses(args)
			if err != nil {
				return err
			}
			var running []view.Status
			for _, s := range all {
				if s.State == string(state.Running) {
					running = append(running, s)
				}
			}
			if len(running) == 0 {
				return &usageError{fmt.Errorf("nothing runs in %s: run %s is %s (xplan status)", a.stateHere(), latest(all).Run, latest(all).State)}
			}
			if len(running) != 1 {
				return &usageError{fmt.Errorf("%d runs are running in %s: name one (xplan status)", len(running), a.stateHere())}
			}
			if err := state.RequestCancel(a.stateHere(), running[0].Plan, running[0].Run); err != nil {
				return err
			}
			a.say("asked run %s to stop; it finishes what is in flight, and can be resumed", running[0].Run)
			return nil
		},
	}
}
