package view

import (
	"time"

	"xplan/executor"
	"xplan/internal/s3copy"
)

// Style is how one stream is written to.
type Style struct {
	Color bool
	Width int // of the terminal in cells; 0: not a terminal
	// Verbose shows held steps and times too.
	Verbose bool
	// Saved is the file that a reviewed program is in: applying it runs exactly that. "" where it is in none.
	Saved string
}

// A Status is a run's life as other terminals see it: the sidecar holds it as JSON.
type Status struct {
	Format   int       `json:"format"` // 1
	Plan     string    `json:"plan"`
	PlanFile string    `json:"plan_file"`
	Run      string    `json:"run"`
	State    string    `json:"state"` // running, done, failed, interrupted, waiting, finished-with-failures
	PID      int       `json:"pid"`
	Host     string    `json:"host"`
	Started  time.Time `json:"started"`
	Updated  time.Time `json:"updated"`
	Exit     int       `json:"exit"`
	Resume   string    `json:"resume,omitempty"` // the command that goes on
	Steps    []StepRow `json:"steps"`
	Pairs    []PairRow `json:"pairs"`
	Frozen   []Frozen  `json:"frozen,omitempty"` // of a run that died: what the state knows
}

// A StepRow is one step of a run.
type StepRow struct {
	ID      string           `json:"id"`
	Kind    string           `json:"kind"`
	Subject string           `json:"subject"`
	Outcome executor.Outcome `json:"outcome,omitempty"` // "" : not started; "running"
	Message string           `json:"message,omitempty"`
	Started time.Time        `json:"started,omitzero"`
	Ended   time.Time        `json:"ended,omitzero"`
}

// took is how long the step ran; 0 if it never did, or has not ended.
func (s StepRow) took() time.Duration {
	if s.Started.IsZero() || s.Ended.Before(s.Started) {
		return 0
	}
	return s.Ended.Sub(s.Started)
}

// A PairRow samples a pair's counters.
type PairRow struct {
	Pair         string       `json:"pair"`
	Expected     int64        `json:"expected,omitempty"` // objects to list, where a full scan told; 0: not known
	Listed       int64        `json:"listed"`
	Settled      int64        `json:"settled"`
	Copied       int64        `json:"copied"`
	Failed       int64        `json:"failed"`
	Retried      int64        `json:"retried"`
	InFlight     int64        `json:"in_flight"`
	BytesSettled s3copy.Bytes `json:"bytes_settled"`
	BytesCopied  s3copy.Bytes `json:"bytes_copied"`
}

// An End is how a run ended.
type End struct {
	Plan, Run string
	State     string
	Exit      int
	Resume    string // the exact command that goes on; "" when nothing is left
	Steps     []StepRow
	Pairs     map[string]s3copy.Summary // by pair ID
	Left      []string                  // what still stands of what the plan made: proof of clean-up when empty
	Kept      []string                  // what it made and is to stay: the destination's bucket
	Took      time.Duration
	At        time.Time // when it ended
	Waiting   []string  // the words that would do what waits for a person
}
