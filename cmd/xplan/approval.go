package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"xplan/internal/compile"
	"xplan/internal/view"
	"xplan/plan"
	"xplan/state"
)

// applySaved applies exactly what was reviewed, or refuses. The saved plan is the approval: nothing is asked.
func (a *app) applySaved(ctx context.Context, path string, f applyFlags, d *demand) error {
	s, err := readSaved(path, d)
	if err != nil {
		return err
	}
	if f.noScan && s.Counted {
		return &usageError{fmt.Errorf("--no-scan: %s was made with counts, and they are compared: plan with --no-scan to apply without", path)}
	}
	p, err := a.approvedPlan(s)
	if err != nil {
		return err
	}
	s.state = absolute(a.stateOf(p.File))
	a.tell(s)
	return a.withState(p, func(db *state.DB) error {
		prev, err := a.approvedRun(db, s.Digest, p, f.newRun)
		if err == nil && prev == nil { // an older one may still go on
			if why := s.TooOld(time.Now(), f.maxAge); why != "" {
				err = &refusedError{why}
			}
		}
		if err != nil {
			return err
		}
		return a.applyOver(ctx, work{plan: p, db: db, flags: f, previous: prev, reviewed: &s})
	})
}

// approvedPlan is the plan as it was reviewed, bound to the place of its plan file, beside which the state
// is. A plan file that says something else by now is refused: the run could not be resumed with it.
func (a *app) approvedPlan(s savedFile) (*plan.Plan, error) {
	all, there := planFiles(s)
	if len(there) == 0 && a.stateDir == "" {
		return nil, &usageError{fmt.Errorf("the plan file of %s, beside which its state is, is not at %s: run this where it is, or name the folder of the state with --state",
			s.path, strings.Join(s.Files, " or "))}
	}
	s.Plan.Plan.File = all[0]
	var edited error
	for _, file := range there { // another plan may by chance be at the first place
		err := unedited(s.Plan.Plan, file)
		if err == nil {
			s.Plan.Plan.File, edited = file, nil
			break
		}
		if edited == nil {
			edited = err
		}
	}
	if edited != nil {
		return nil, edited
	}
	return s.Plan.Plan, a.personalize(s.Plan.Plan)
}

// unedited wants that a plan file still says what was reviewed.
func unedited(reviewed *plan.Plan, file string) error {
	now, err := plan.Load(file)
	if err != nil {
		return &refusedError{fmt.Sprintf("the plan file %s changed since the review, and is no valid plan now:\n%v", file, err)}
	}
	if now.Digest() == reviewed.Digest() {
		return nil
	}
	lines := []string{"the plan file " + file + " changed since the review:"}
	for _, d := range plan.Differences(reviewed, now) {
		lines = append(lines, fmt.Sprintf("  %s: %s → %s", d.Pointer, d.Before, d.After))
	}
	return &refusedError{strings.Join(append(lines, "put it back, or review again: xplan plan "+shellQuote(file)+" -o F"), "\n")}
}

// approvedRun is the run that a saved plan started and that is to go on; nil where it has started none. A saved plan
// starts one run.
func (a *app) approvedRun(db *state.DB, digest string, p *plan.Plan, fresh bool) (*state.Run, error) {
	run, err := db.RunOf(digest)
	if errors.Is(err, state.ErrNotFound) {
		return nil, a.startsAnew(db, p, fresh)
	}
	if err != nil {
		return nil, err
	}
	last, err := lastRun(db)
	switch {
	case err != nil:
		return nil, err
	case run.Status == state.Done:
		return nil, &refusedError{fmt.Sprintf("this saved plan was applied already: run %s did it, and is done. A saved plan starts one run: review again for another", run.ID)}
	case last.ID != run.ID:
		return nil, &refusedError{fmt.Sprintf("this saved plan was applied already: run %s did it, and run %s came after it. A saved plan starts one run: review again for another", run.ID, last.ID)}
	case fresh:
		return nil, &usageError{fmt.Errorf("--new-run: a saved plan starts one run, and run %s is it: without --new-run it goes on", run.ID)}
	}
	return &run, nil
}

// startsAnew says what a new run means for one that is not finished.
func (a *app) startsAnew(db *state.DB, p *plan.Plan, fresh bool) error {
	other, err := previous(db, p, fresh)
	if err == nil && other != nil {
		a.say("run %s is not finished, and was not started by this saved plan: a new one starts, which compares what is there and copies the rest", other.ID)
	}
	return err
}

// planOf is the plan of a run: its plan file, or what was reviewed where that file is elsewhere.
func (a *app) planOf(run state.Run) (*plan.Plan, error) {
	if _, err := os.Stat(run.PlanFile); !errors.Is(err, os.ErrNotExist) || run.Approval == "" {
		return a.load(run.PlanFile)
	}
	p, err := plan.FromJSON(run.Plan)
	if err != nil {
		return nil, err
	}
	p.File = run.PlanFile
	return p, a.personalize(p)
}

// unlikeReviewed says how what was compiled just now is not what was approved. A run that goes on has changed the world
// itself. No program: nothing can be compiled any more.
func (w work) unlikeReviewed(s survey, prog *compile.Program) error {
	switch {
	case w.reviewed == nil || w.previous != nil:
		return nil
	case prog == nil:
		return w.reviewed.CheckFacts(compile.Facts(w.plan, s.world), version())
	}
	return w.reviewed.Check(prog, version())
}

// approve puts into a run's log by what it was approved, and who signed that.
func (w work) approve(run state.Run) error {
	if w.reviewed == nil {
		return nil
	}
	entry := w.reviewed.line("")
	entry["state"] = "" // the log is in it
	entry["time"], entry["run"], entry["message"] = run.Started, run.ID, "approved by "+short(run.Approval)
	if by := w.reviewed.signer; by != "" {
		entry["message"] = "approved by " + short(run.Approval) + ", signed by " + by
	}
	line, err := view.JSON(entry)
	if err != nil {
		return err
	}
	return w.db.AppendEvent(line)
}

// insist says, and puts into the run's log, that a person has overruled the preflight, and in what.
func (a *app) insist(w work, run state.Run, prog *compile.Program) error {
	denied, ok := errors.AsType[*compile.PreflightError](prog.Denied())
	if !ok {
		return nil
	}
	for _, f := range denied.Findings {
		d := diagnostic{Severity: "warning", Message: "goes on by --despite-findings, although denied: " + f.String(), Run: run.ID, Time: time.Now().UTC()}
		line, err := view.JSON(d)
		if err == nil {
			err = w.db.AppendEvent(line)
		}
		if err != nil {
			return err
		}
		if a.json {
			a.jsonLine(d)
		} else {
			a.say("%s", d.Message)
		}
	}
	return nil
}

// A refusedError says why a saved plan is not applied though the file is sound: exit 12.
type refusedError struct{ why string }

func (e *refusedError) Error() string { return e.why }
