package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/notify"
	"xplan/internal/view"
	"xplan/state"
)

// settled are the sources that a run left frozen when all of it was verified, and that nobody has lifted since: their writers
// may be switched by now, so that what differs was written at the destination.
func settled(db *state.DB, owned []compile.Owned) ([]string, error) {
	runs, err := db.Runs()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range runs {
		end, err := view.ReadEnd(r.Summary)
		if err != nil {
			continue // it has not ended, or by another version: nothing is claimed
		}
		for _, s := range end.Steps {
			since := func(o compile.Owned) bool {
				return o.Kind == compile.KindFreeze && s.ID == string(compile.KindCleanFreeze)+"/"+o.Subject && o.Since.Before(end.At)
			}
			if i := slices.IndexFunc(owned, since); i >= 0 && leftFrozen(s.Kind, s.Outcome) {
				names = append(names, owned[i].Subject)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// leftFrozen tells of a step that left a source frozen, verified.
func leftFrozen(kind string, o executor.Outcome) bool {
	return compile.Kind(kind) == compile.KindCleanFreeze && o == executor.Waiting
}

// onlyFrozen tells of a run that has nothing more to do: a person lifts the freeze, and no run.
func onlyFrozen(report executor.Report) bool {
	n := 0
	for _, s := range report.Steps {
		if leftFrozen(string(s.Kind), s.Outcome) {
			n++
		}
	}
	return report.Status == state.Waiting && n == len(report.Pending)
}

// herald tells the webhook when a source is frozen, and when it is not any more: whoever writes there finds out at that moment.
// The run does not wait for it, but its end does.
func (l *life) herald(e executor.Event) {
	m := notify.Message{Plan: l.work.plan.Name, Run: l.status.Run, At: e.Time}
	switch {
	case e.Type != executor.StepComplete || e.Outcome != executor.Done:
		return
	case e.Kind == compile.KindFreeze:
		m.State, m.Text = "frozen", fmt.Sprintf("xplan %s: %s is frozen, nobody may write to it (run %s)", m.Plan, e.Subject, m.Run)
	case e.Kind == compile.KindCleanFreeze:
		m.State, m.Text = "lifted", fmt.Sprintf("xplan %s: %s is not frozen any more (run %s)", m.Plan, e.Subject, m.Run)
	default:
		return
	}
	url := os.Getenv(l.work.plan.Notify.WebhookEnv)
	if url == "" {
		return // nobody is to be told, or the end says that the variable is empty
	}
	l.posts.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		go func() {
			select {
			case <-l.app.leave: // nothing is waited for any more
				cancel()
			case <-ctx.Done():
			}
		}()
		if err := notify.Post(ctx, url, m); err != nil {
			l.shown.Say(fmt.Sprintf("webhook: %v", err))
		}
	})
}
