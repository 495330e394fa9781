package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"xplan/executor"
	"xplan/internal/view"
	"xplan/plan"
)

// lineStream writes what --json promises: one JSON value a line, the version before all others.
// Safe for concurrent use.
type lineStream struct {
	w io.Writer

	mu     sync.Mutex // guards what follows
	opened bool
	lost   error // of the first line that could not be written
}

// Write writes whole lines.
func (l *lineStream) Write(lines []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err = l.open(); err == nil {
		n, err = l.w.Write(lines)
	}
	if l.lost == nil {
		l.lost = unlessGone(err)
	}
	return n, err
}

// whole is the error of the first line that could not be written, unless nobody reads them any more.
func (l *lineStream) whole() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// open writes the version, once.
func (l *lineStream) open() error {
	if l.opened {
		return nil
	}
	l.opened = true
	line, err := json.Marshal(map[string]any{
		"type": "version", "xplan": version(), "format": 1, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
	})
	if err == nil {
		_, err = l.w.Write(append(line, '\n'))
	}
	return err
}

func (a *app) jsonLine(v any) {
	line, err := view.JSON(v)
	if err != nil {
		line = fmt.Appendf(nil, `{"type":"diagnostic","severity":"error","message":%q}`, err.Error())
	}
	_, _ = a.lines.Write(append(line, '\n')) // a pipe that is gone must not end the run
}

// A diagnostic is an error or a warning as a JSON line.
type diagnostic struct {
	Severity string // error, warning
	Message  string
	Exit     int           // of the command, with an error
	Problem  *plan.Problem // of a plan file: where it is
	Run      string        // of a run's own
	Time     time.Time     // of a run's own
}

// MarshalJSON puts the place beside the message.
func (d diagnostic) MarshalJSON() ([]byte, error) {
	line := map[string]any{"type": executor.Diagnostic, "severity": d.Severity, "message": d.Message}
	if d.Exit != exitDone {
		line["exit"] = d.Exit
	}
	if p := d.Problem; p != nil {
		line["file"], line["line"], line["column"], line["pointer"], line["hint"] = p.File, p.Line, p.Column, p.Pointer, p.Hint
	}
	if d.Run != "" {
		line["run"], line["time"] = d.Run, d.Time
	}
	return json.Marshal(line)
}

// jsonProblems is a line for each problem of a plan file.
func (a *app) jsonProblems(problems *plan.Problems, code int) {
	for i := range problems.List {
		p := &problems.List[i]
		a.jsonLine(diagnostic{Severity: "error", Message: p.Message, Exit: code, Problem: p})
	}
	if problems.More > 0 {
		a.jsonLine(diagnostic{Severity: "error", Message: fmt.Sprintf("%d more problems", problems.More), Exit: code})
	}
}

// finalLines are the last ones of a run's stream and of its log: what failed, and the summary.
func (a *app) finalLines(w work, end view.End) error {
	lines, err := view.EndJSON(end)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if a.json {
			_, _ = a.lines.Write(append(line, '\n')) // a pipe that is gone must not end the run
		}
		if err := w.db.AppendEvent(line); err != nil {
			return err
		}
	}
	return nil
}
