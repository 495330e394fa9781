package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xplan/internal/compile"
	"xplan/internal/runner"
	"xplan/internal/s3copy"
	"xplan/plan"
	"xplan/state"
)

// applyOver applies, and stays for restores that are under way as long as the plan says. Meanwhile no login of the principal
// exists: the run has come to its end, and it goes on as by xplan resume as soon as something can be read.
func (a *app) applyOver(ctx context.Context, w work) error {
	until := time.Now().Add(longestWait(w.plan))
	for {
		err := a.apply(ctx, w)
		var code statusError
		if !errors.As(err, &code) || code != exitWaiting || !time.Now().Before(until) {
			return err
		}
		run, lastErr := lastRun(w.db)
		if lastErr != nil || run.Status != state.Waiting {
			return errors.Join(err, lastErr)
		}
		ready, waitErr := a.stay(ctx, w, until)
		switch {
		case ctx.Err() != nil:
			a.say("stopped waiting for restores; go on with:  %s", a.resumeWords(run))
			return statusError(exitInterrupted)
		case waitErr != nil || !ready:
			return errors.Join(waitErr, err)
		}
		w.previous, w.flags.yes, w.reviewed = &run, true, nil // it was reviewed when it began
		w.flags.over = false                                  // said of a run that was dead then: one that began since is alive
	}
}

// longestWait is how long the plan has a run stay for restores.
func longestWait(p *plan.Plan) time.Duration {
	var longest time.Duration
	for _, pair := range p.Buckets {
		if restores(pair) {
			longest = max(longest, pair.Copy.Restore.Waits())
		}
	}
	return longest
}

func restores(p plan.Pair) bool { return p.Copy.Archived == "restore" && !p.Copy.AllVersions() }

const (
	politely   = 20 // looks in the time that is waited for
	oftenest   = time.Second
	mostSeldom = 5 * time.Minute
)

// stay looks, as the source's administrator, how the restores stand, until one can be read or the time is over.
func (a *app) stay(ctx context.Context, w work, until time.Time) (ready bool, err error) {
	who, err := connect(ctx, w.plan)
	if err != nil {
		return false, err
	}
	engine, err := s3copy.New(s3copy.Limits{})
	if err != nil {
		return false, err
	}
	if waits, err := waitsForRestores(ctx, engine, who, w); err != nil || !waits {
		return false, err // a person is waited for
	}
	pause := min(max(longestWait(w.plan)/politely, oftenest), mostSeldom)
	a.say("waiting for restores until %s, looking every %s: Ctrl-C leaves, and xplan resume goes on", until.Format(time.DateTime), pause)
	for time.Now().Before(until) {
		timer := time.NewTimer(min(pause, time.Until(until)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false, ctx.Err()
		case <-timer.C:
		}
		for _, pair := range w.plan.Buckets {
			if !restores(pair) {
				continue
			}
			state, err := restoresOf(ctx, engine, who, w, pair)
			if err != nil {
				return false, err
			}
			if state.Ready+state.Lapsed+state.Gone > 0 {
				a.say("%d restored objects of %s can be read, %d are under way", state.Ready, pair.Source, state.UnderWay)
				return true, nil
			}
		}
	}
	return false, nil
}

// waitsForRestores tells whether there is a restore to stay for at all.
func waitsForRestores(ctx context.Context, engine *s3copy.Engine, who accounts, w work) (bool, error) {
	for _, pair := range w.plan.Buckets {
		if !restores(pair) {
			continue
		}
		if s, err := restoresOf(ctx, engine, who, w, pair); err != nil || s.UnderWay+s.Ready+s.Lapsed+s.Gone > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

func restoresOf(ctx context.Context, engine *s3copy.Engine, who accounts, w work, pair plan.Pair) (s3copy.Restores, error) {
	spec := compile.CopySpec{Pair: pair, SourceAccount: w.plan.Accounts.Source.ID, SourceRegion: w.plan.Accounts.Source.Region}
	s, err := runner.RestoresOf(ctx, engine, who.source, runner.Records{DB: w.db}, spec)
	if err != nil {
		err = fmt.Errorf("ask how the restores of %s stand: %w", pair.ID(), err)
	}
	return s, err
}
