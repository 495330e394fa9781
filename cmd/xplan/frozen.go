package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/notify"
)

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
