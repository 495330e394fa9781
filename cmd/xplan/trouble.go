package main

import (
	"errors"
	"fmt"

	"xplan/state"
)

// stateTrouble is what all errors of a state that cannot be written have in common; "" for others.
func stateTrouble(err error) string {
	for _, cause := range []error{state.ErrFull, state.ErrReadOnly} {
		if errors.Is(err, cause) {
			return cause.Error()
		}
	}
	if damaged, ok := errors.AsType[*state.DamagedError](err); ok {
		return damaged.Error()
	}
	return ""
}

// onceOfState keeps the first of the errors that have one trouble of the state for their cause: a full disk is told
// once, however many writes it refused.
func onceOfState(errs []error) []error {
	seen := map[string]bool{}
	var kept []error
	for _, err := range errs {
		trouble := stateTrouble(err)
		if trouble == "" || !seen[trouble] {
			kept = append(kept, err)
		}
		seen[trouble] = true
	}
	return kept
}

// unlogged warns of a status or log that could not be written, unless the run's own error has the same cause: losing
// them loses a view of the run and nothing of it.
func (a *app) unlogged(runErr, err error) {
	if err == nil || stateTrouble(err) != "" && stateTrouble(err) == stateTrouble(runErr) {
		return
	}
	text := "the run is recorded, but not all of its status and log, which xplan status and xplan logs show: " + err.Error()
	if a.json {
		a.jsonLine(diagnostic{Severity: "warning", Message: text})
		return
	}
	fmt.Fprintln(a.err, "xplan: "+text)
}
