package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/notify"
	"xplan/internal/runner"
	"xplan/internal/s3copy"
	"xplan/internal/view"
	"xplan/plan"
	"xplan/state"
)

// execute runs a program as a run of the plan: a new one, or the previous one going on.
func (a *app) execute(ctx context.Context, w work, s survey, prog *compile.Program) error {
	outliveReaders()
	run, err := a.begin(ctx, w, s)
	if err != nil {
		return err
	}
	if err := a.insist(w, run, prog); err != nil {
		return err
	}
	lease, err := a.lease(ctx, w, s, run)
	if err != nil {
		return err
	}
	progress := &runner.Progress{}
	l := newLife(a, w, run, prog, progress)
	ex, err := executor.New(executor.Options{
		Runners: runner.New(runner.Deps{
			Source: s.accounts.source, Destination: s.accounts.destination, Logins: s.accounts.logins(),
			Ownership: runner.Records{DB: w.db}, Journals: runner.Records{DB: w.db}, Engine: s.engine, Earlier: s.earlier,
			Confirmed: w.flags.confirmed(), Progress: progress, Lease: lease, Now: time.Now, Kill: a.leave,
		}),
		RunID: run.ID, Record: w.db, Sink: l.event, Confirmed: w.flags.confirmed(), Kill: a.leave,
	})
	if err != nil {
		return err
	}
	ctx, stopLife := l.start(ctx)
	leased, release := lease.Hold(ctx)
	report, runErr := ex.Run(leased, prog)
	release(a.leave)
	stopLife()
	return a.end(ctx, w, run, l, report, errors.Join(runErr, lease.Lost()))
}

// begin records the run, new or going on.
func (a *app) begin(ctx context.Context, w work, s survey) (state.Run, error) {
	now := time.Now().UTC()
	if err := state.ClearCancel(a.stateOf(w.plan.File), w.plan.Name); err != nil {
		return state.Run{}, err
	}
	if err := (runner.Records{DB: w.db}).Recover(s.world.Owned); err != nil {
		return state.Run{}, err
	}
	if w.previous != nil {
		a.say("going on with run %s", w.previous.ID)
		return *w.previous, w.db.ResumeRun(w.previous.ID, now)
	}
	name := w.plan.Name
	if w.only != nil {
		name += cleanupMark
	}
	id, err := state.NewRunID(name, now, rand.Reader)
	if err != nil {
		return state.Run{}, err
	}
	run := state.Run{
		ID: id, PlanName: w.plan.Name, PlanFile: absolute(w.plan.File), PlanDigest: w.plan.Digest(),
		Plan: w.plan.JSON(), Version: version(), Started: now,
	}
	if w.reviewed != nil {
		run.Approval = w.reviewed.Digest
	}
	if w.only != nil { // what a copy has settled stays settled
		return run, w.db.StartRun(run)
	}
	// Progress first: a run that is recorded must never find another run's cursors.
	for _, pair := range w.plan.Buckets {
		if err := w.db.ResetJob(pair.ID()); err != nil {
			return run, err
		}
	}
	if err := s.seeds.Sow(ctx, w.plan.Buckets, runner.Records{DB: w.db}); err != nil {
		return run, err
	}
	return run, errors.Join(w.db.StartRun(run), w.approve(run))
}

// end records how the run ended, says it, and maps it to the exit status.
func (a *app) end(ctx context.Context, w work, run state.Run, l *life, report executor.Report, runErr error) error {
	code := ending(report, runErr)
	end := view.End{
		Plan: w.plan.Name, Run: run.ID, State: string(report.Status), Exit: code,
		Steps: l.rows(), Pairs: summariesOf(report), Took: time.Since(l.begun), At: time.Now().UTC(), Waiting: report.Pending,
	}
	if report.Status != state.Done && !onlyFrozen(report) {
		end.Resume = a.resumeWords(run)
	}
	owned, err := w.db.Owned()
	errs := []error{runErr, err}
	end.Left, end.Kept = left(owned)
	summary, err := json.Marshal(end)
	errs = append(errs, err, w.db.EndRun(run.ID, time.Now().UTC(), report.Status, code, summary))
	errs = onceOfState(errs)
	a.unlogged(errors.Join(errs...), cmp.Or(l.finish(report.Status, code, end.Resume), a.finalLines(w, end)))
	if !a.json {
		errs = append(errs, unlessGone(view.Ending(a.out, end, view.Style{Color: a.colors(a.out), Verbose: a.verbose})))
	}
	if err := a.notify(ctx, w.plan, end); err != nil {
		a.say("webhook: %v", err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if code != exitDone {
		return statusError(code) // the ending has said why
	}
	return nil
}

// ending maps a report to the exit status.
func ending(report executor.Report, runErr error) int {
	if code := codeOf(runErr); code == exitLocked {
		return code
	}
	switch report.Status {
	case state.Interrupted:
		return exitInterrupted
	case state.FinishedWithFailures:
		return exitFailed
	case state.Waiting:
		return exitWaiting
	case state.Done:
		return codeOf(runErr)
	case state.Failed, state.Running:
	}
	if code := codeOf(report.Err()); code != exitInterrupted && code != exitDone {
		return code
	}
	return exitError
}

// summariesOf are the engine's summaries by pair: a verification's stands for the copy's, and
// the clean-up adds what it deleted.
func summariesOf(report executor.Report) map[string]s3copy.Summary {
	out := map[string]s3copy.Summary{}
	for _, s := range report.Steps {
		switch detail := s.Detail.(type) {
		case s3copy.Summary:
			out[s.Pair] = detail
		case s3copy.Tally:
			sum := out[s.Pair]
			sum.Tally.Deleted.Plus(detail.Deleted)
			sum.Purged.Plus(detail.History)
			out[s.Pair] = sum
		}
	}
	return out
}

// left tells what still stands of what the plan made. The destination's bucket holds the
// copy: it stays because that is what the plan is for.
func left(owned []state.Owned) (left, kept []string) {
	for _, o := range owned {
		if o.Kind == string(compile.KindBucket) && !o.Intent {
			kept = append(kept, leftWords(o))
		} else {
			left = append(left, leftWords(o))
		}
	}
	slices.Sort(left)
	slices.Sort(kept)
	return left, kept
}

func leftWords(o state.Owned) string {
	s := strings.TrimSpace(o.Kind + " " + o.Subject)
	if o.Parent != "" {
		s += " of " + o.Parent
	}
	if o.Intent {
		s += " (intended; whether it was made is not known)"
	}
	return s
}

// notify posts the run's end to the webhook that the plan names.
func (a *app) notify(ctx context.Context, p *plan.Plan, end view.End) error {
	if p.Notify.WebhookEnv == "" {
		return nil
	}
	url := os.Getenv(p.Notify.WebhookEnv)
	if url == "" {
		return fmt.Errorf("the plan names the variable %s, and it is empty", p.Notify.WebhookEnv)
	}
	var failed int64
	for _, sum := range end.Pairs {
		failed += sum.Tally.Failed.Objects
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return notify.Post(ctx, url, notify.Message{
		Plan: end.Plan, Run: end.Run, State: end.State, Exit: end.Exit, Waiting: end.Waiting, Failed: failed, At: time.Now().UTC(),
	})
}
