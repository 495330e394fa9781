package schemas

import (
	"bytes"
	_ "embed"
)

//go:embed plan.v1.json
var planV1 []byte

// PlanV1 returns the schema of plan files, version 1: JSON Schema draft-07, the
// newest that editors' YAML servers read in full. The caller owns the bytes.
func PlanV1() []byte { return bytes.Clone(planV1) }
