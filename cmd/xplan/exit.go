package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"xplan/internal/compile"
	"xplan/internal/runner"
	"xplan/internal/s3copy"
	"xplan/internal/saved"
	"xplan/plan"
	"xplan/state"
)

// The exit statuses: scripts rely on them.
const (
	exitDone        = 0
	exitError       = 1
	exitChanges     = 2   // only with --detailed-exitcode
	exitFailed      = 3   // finished with failed objects
	exitWaiting     = 4   // something waits for a person
	exitUsage       = 10  // invalid plan or usage
	exitLocked      = 11  // another run holds the lock
	exitDrift       = 12  // the world or the plan changed since the review
	exitCredentials = 13  // credentials
	exitInterrupted = 130 // resumable
)

// A usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// A statusError carries an exit status whose reasons were already shown.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// A changedPlanError says how a plan differs from the one of the run that it would go on with.
type changedPlanError struct {
	run         string
	differences []string
}

func (e *changedPlanError) Error() string {
	return fmt.Sprintf("the plan changed since run %s, which is not finished:\n  %s", e.run, strings.Join(e.differences, "\n  ")) +
		"\nput the plan back to go on with that run, or start over with --new-run: what is at the destination is compared, not copied again"
}

// codeOf maps an error's meaning to the exit status.
func codeOf(err error) int {
	var (
		status   statusError
		usage    *usageError
		problems *plan.Problems
		locked   *state.LockedError
		leased   *runner.LeasedError
		drift    *runner.DriftError
		changed  *changedPlanError
		refused  *refusedError
		moved    *saved.DriftError
		wrong    *compile.WrongAccountError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage), errors.As(err, &problems):
		return exitUsage
	case errors.As(err, &locked), errors.As(err, &leased):
		return exitLocked
	case errors.As(err, &drift), errors.As(err, &changed), errors.As(err, &refused), errors.As(err, &moved):
		return exitDrift
	case errors.As(err, &wrong), errors.Is(err, compile.ErrCredentials), errors.Is(err, s3copy.ErrCredentials):
		return exitCredentials
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	default:
		return exitError
	}
}

var errStopped = errors.New("stopped; nothing was changed")

// exit shows an error once and returns its exit status.
func (a *app) exit(err error) int {
	code := codeOf(err)
	var status statusError
	if err == nil || errors.As(err, &status) {
		return code
	}
	if code == exitInterrupted { // a run that has begun tells its end by itself
		err = errStopped
	}
	var problems *plan.Problems
	var moved *saved.DriftError
	if a.json && errors.As(err, &moved) {
		for _, d := range moved.Differences {
			a.jsonLine(map[string]any{"type": "drift", "kind": d.Kind, "subject": d.Subject, "reviewed": d.Reviewed, "now": d.Now})
		}
	}
	switch {
	case a.json && errors.As(err, &problems):
		a.jsonProblems(problems, code)
	case a.json:
		a.jsonLine(diagnostic{Severity: "error", Message: err.Error(), Exit: code})
	case errors.As(err, &problems):
		fmt.Fprintln(a.err, problems.Error())
	default:
		fmt.Fprintln(a.err, "xplan: "+inert(err.Error()))
	}
	return code
}

// inert is a text without what a terminal would act on but for ends of lines: servers, policies and files speak in errors.
func inert(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
