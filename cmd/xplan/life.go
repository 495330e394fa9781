package main

import (
	"context"
	"encoding/json"
	"os"
	"sync"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/runner"
	"xplan/internal/s3copy"
	"xplan/internal/view"
	"xplan/state"
)

// life shows a run while it lives: on this terminal, in the sidecar for other terminals, and
// in the log of events. It also hears xplan cancel.
type life struct {
	app      *app
	work     work
	dir      string
	progress *runner.Progress
	shown    *view.Progress
	begun    time.Time
	expected map[string]int64
	posts    sync.WaitGroup // to the webhook, while the run goes on

	mu     sync.Mutex // guards what follows
	status view.Status
	index  map[string]int // of status.Steps
	err    error          // of the first event or status that could not be written
}

func newLife(a *app, w work, run state.Run, prog *compile.Program, progress *runner.Progress) *life {
	host, _ := os.Hostname() // an empty name is shown as such
	l := &life{
		app: a, work: w, dir: a.stateOf(w.plan.File), progress: progress, begun: time.Now(),
		index: map[string]int{}, expected: map[string]int64{},
		status: view.Status{
			Format: 1, Plan: w.plan.Name, PlanFile: run.PlanFile, Run: run.ID, State: string(state.Running),
			PID: os.Getpid(), Host: host, Started: time.Now().UTC(), Resume: a.resumeWords(run),
		},
	}
	for i, s := range prog.Steps {
		l.index[string(s.ID)] = i
		l.status.Steps = append(l.status.Steps, view.StepRow{ID: string(s.ID), Kind: string(s.Kind), Subject: s.Subject})
		if c := s.Change.Copy; c != nil && c.Known && !c.Partial {
			l.expected[s.Pair] = c.Listed.Objects
		}
	}
	l.shown = view.NewProgress(a.err, view.ProgressOptions{
		Style: view.Style{Color: a.colors(a.err), Width: width(a.err), Verbose: a.verbose},
		Quiet: a.quiet || a.json,
		Pairs: l.pairs,
		Now:   time.Now,
	})
	return l
}

// start begins to show, to write the sidecar once a second, and to listen for a cancel. The
// returned function ends all three, and waits until they ended.
func (l *life) start(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		stopped := ctx.Done()
		for {
			select {
			case <-quit:
				return
			case <-stopped:
				stopped = nil
				l.shown.Say("stopping: what is in flight is finished and recorded; Ctrl-C once more leaves now")
				continue
			case <-tick.C:
			}
			l.write()
			if asked, err := state.CancelRequested(l.dir, l.work.plan.Name, l.status.Run); err == nil && asked {
				cancel()
			}
			if l.app.json {
				l.app.jsonLine(view.ProgressJSON(time.Now().UTC(), l.pairs()))
			}
		}
	}()
	l.write()
	stop := l.shown.Start()
	return ctx, func() {
		close(quit)
		<-ended
		l.posts.Wait()
		stop()
		cancel()
	}
}

// event is the executor's sink. The summary is not passed on: the one that app.end makes holds more.
func (l *life) event(e executor.Event) {
	if e.Type == executor.RunSummary {
		return
	}
	l.mu.Lock()
	if i, ok := l.index[string(e.Step)]; ok {
		row := &l.status.Steps[i]
		row.Outcome, row.Message = e.Outcome, e.Message
		switch e.Type {
		case executor.StepStart:
			row.Started = e.Time
		case executor.StepComplete:
			row.Ended = e.Time
		default:
		}
	}
	l.mu.Unlock()
	line, err := view.JSON(view.EventJSON(l.status.Run, e))
	if err == nil {
		err = l.work.db.AppendEvent(line)
	}
	l.note(err)
	if l.app.json {
		l.app.jsonLine(view.EventJSON(l.status.Run, e))
	}
	l.shown.Event(e)
	l.herald(e)
}

func (l *life) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

// pairs samples the counters.
func (l *life) pairs() []view.PairRow {
	var rows []view.PairRow
	l.progress.Each(func(pair string, c *s3copy.Counters) {
		rows = append(rows, view.PairRow{
			Pair: pair, Expected: l.expected[pair],
			Listed: c.Listed.Load(), Settled: c.Settled.Load(), Copied: c.Copied.Load(), Failed: c.Failed.Load(),
			Retried: c.Retried.Load(), InFlight: c.InFlight.Load(),
			BytesSettled: s3copy.Bytes(c.BytesSettled.Load()), BytesCopied: s3copy.Bytes(c.BytesCopied.Load()),
		})
	})
	return rows
}

func (l *life) rows() []view.StepRow {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]view.StepRow(nil), l.status.Steps...)
}

// write writes the sidecar. Losing it loses a view, so a failure is told at the end only.
func (l *life) write() {
	pairs := l.pairs()
	l.mu.Lock()
	l.status.Pairs, l.status.Updated = pairs, time.Now().UTC()
	data, err := json.Marshal(l.status)
	l.mu.Unlock()
	if err == nil {
		err = state.WriteStatus(l.dir, l.work.plan.Name, data)
	}
	l.note(err)
}

// finish writes the last status and returns the first thing of it, or of the log, that could not be written.
func (l *life) finish(status state.RunStatus, code int, resume string) error {
	l.mu.Lock()
	l.status.State, l.status.Exit, l.status.Resume = string(status), code, resume
	l.mu.Unlock()
	l.write()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
