// Package executor runs a compiled program: in order, independent branches side
// by side, until everything has ended.
//
// One goroutine owns the graph. Workers run one step each and send it back when
// it has ended; there is no lock and no channel per step:
//
//	until every step has ended:
//	    for each step whose predecessors have all ended:
//	        settle it without running, if a need of it is not met, the run is
//	        stopping, or a person has to say something first
//	        otherwise record it as running and hand it to a worker
//	    wait for a worker, or for the run to be cancelled
//	    record how the step ended
//
// A step's needs must be done or held; what it merely comes after must have
// ended, however. So a failed step stops what depends on it and nothing else: it
// is skipped; what needs a waiting step waits, and what needs an interrupted one
// is interrupted.
//
// Steps whose rule is always run at every end, also when the run is stopped, and
// under a context that outlives the cancellation by a bounded time. Their needs
// hold all the same: nothing is cleaned up in an account that proved to be another
// one. What they merely follow is in their After.
//
// A step that is done may report objects that failed. That does not stop what
// needs it: whether they matter is decided by the step that verifies, which then
// ends as failed with a number of objects and no error.
//
// Cancelling the context of Run is graceful: nothing more is started, the steps
// that run are told by their context and waited for. Options.Kill is not: Run
// returns at once, and the process is expected to leave; steps that it does not
// wait for stay recorded as running.
//
// The executor knows no kind of step, neither S3 nor IAM. It does not retry:
// applying again does.
package executor
