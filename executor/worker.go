package executor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"xplan/internal/compile"
)

// A PanicError is a panic of a runner. It is a bug; the run goes on without the step.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v (a bug in xplan)", e.Value) }

// errGone stands for a runner whose goroutine ended without returning.
var errGone = errors.New("the runner ended without a result (a bug in xplan)")

// perform runs one step on the worker's goroutine and sends back how it ended,
// whatever the runner does: exactly one send, which never waits.
func perform(ctx context.Context, r Runner, step compile.Step, to chan<- ended) {
	e := ended{id: step.ID, err: errGone}
	defer func() {
		if p := recover(); p != nil {
			e.result, e.err = Result{}, &PanicError{Value: p, Stack: debug.Stack()}
		}
		to <- e
	}()
	e.result, e.err = r.Run(ctx, step)
	if e.err == nil && !known(e.result.Outcome) {
		e.err = fmt.Errorf("the runner of %s answered %q, which is no outcome", step.Kind, e.result.Outcome)
	}
}

func known(o Outcome) bool {
	switch o {
	case "", Done, Held, Failed, Skipped, Waiting, Interrupted:
		return true
	default:
		return false
	}
}
