package executor

import (
	"sync"
	"time"

	"xplan/internal/compile"
	"xplan/plan"
)

// EventType is what an event tells.
type EventType string

// The types of events. Those after RunSummary are made by runners and views.
const (
	RunStart     EventType = "run_start"
	StepStart    EventType = "step_start"
	StepComplete EventType = "step_complete"
	RunSummary   EventType = "run_summary"

	StepProgress EventType = "step_progress" // at most one a second and step
	ObjectFailed EventType = "object_failed"
	Diagnostic   EventType = "diagnostic"
)

// An Event is a line in the life of a run, ready for JSON. It holds no secret.
type Event struct {
	Time    time.Time    `json:"time"`
	Type    EventType    `json:"type"`
	Run     string       `json:"run,omitempty"`
	Step    plan.StepID  `json:"step,omitempty"`
	Kind    compile.Kind `json:"kind,omitempty"`
	Pair    string       `json:"pair,omitempty"`
	Subject string       `json:"subject,omitempty"`
	Outcome Outcome      `json:"outcome,omitempty"` // of a step
	Status  string       `json:"status,omitempty"`  // of a run
	Message string       `json:"message,omitempty"`
	Failed  int64        `json:"failed,omitempty"` // objects
	Seconds float64      `json:"seconds,omitempty"`

	// Fields are further facts of the type.
	Fields map[string]any `json:"fields,omitempty"`
}

// A Sink takes events. The executor calls it from the goroutine that called Run.
type Sink func(Event)

// Serial makes a sink that may be called from several goroutines at once.
func Serial(s Sink) Sink {
	var mu sync.Mutex
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		s(e)
	}
}
