package schemas

import (
	"bytes"
	_ "embed"
)

//go:embed plan.v1.json
var planV1 []byte

//go:embed events.v1.json
var eventsV1 []byte

//go:embed review.v1.json
var reviewV1 []byte

// PlanV1 returns the schema of plan files, version 1: JSON Schema draft-07, the
// newest that editors' YAML servers read in full. The caller owns the bytes.
func PlanV1() []byte { return bytes.Clone(planV1) }

// EventsV1 returns the schema of one line of the --json stream, format 1: JSON Schema
// draft-07. It holds the lines that xplan writes, and lets fields and types pass that it does
// not know: within a format there may come more. The caller owns the bytes.
func EventsV1() []byte { return bytes.Clone(eventsV1) }

// ReviewV1 returns the schema of a review as one document, format 1: JSON Schema draft-07. Within
// a format there may come more fields. The caller owns the bytes.
func ReviewV1() []byte { return bytes.Clone(reviewV1) }
