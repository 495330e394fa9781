package saved

import (
	"time"

	"xplan/internal/compile"
	"xplan/plan"
)

// A Plan is a program as it was reviewed. It is a value: nothing changes it after New or Decode.
type Plan struct {
	Digest string    // of the content: "sha256:" and 64 hexadecimal digits; Decode and Encode set it
	Made   time.Time // UTC
	Xplan  string    // the version that made it
	// Files are names under which the plan file may be found, most likely first: relative to the saved plan's
	// folder, then as it was named on the command line. Slashes separate.
	Files   []string
	Counted bool     // false: made with --no-scan
	Counts  []Counts // of the pairs that were counted
	Plan    *plan.Plan
	Program *compile.Program
}

// Counts are the objects of one pair that a run would do something to.
type Counts struct {
	Pair         string `json:"pair"`
	Write        int64  `json:"write"`         // new at the destination
	Overwrite    int64  `json:"overwrite"`     // there, and different
	DeleteExtra  int64  `json:"delete_extra"`  // at the destination only, where the plan deletes those
	DeleteSource int64  `json:"delete_source"` // of the source, where the plan deletes it in the end; versions and delete markers, where all are copied
}

// New is a reviewed program, ready to be encoded.
func New(p *plan.Plan, prog *compile.Program, xplan string, made time.Time, counted bool, files ...string) *Plan {
	return &Plan{
		Made: made.UTC(), Xplan: xplan, Files: files, Counted: counted,
		Counts: countsOf(prog), Plan: p, Program: prog,
	}
}

// Confirm names the buckets whose deletions want a confirmation, each once, in the program's order.
func (p *Plan) Confirm() []string {
	names := []string{}
	seen := map[string]bool{"": true}
	for _, s := range p.Program.Steps {
		if !seen[s.Confirm] {
			seen[s.Confirm] = true
			names = append(names, s.Confirm)
		}
	}
	return names
}

// TooOld tells why a saved plan is not to be started any more; "" where it may be. A limit of 0 lets all pass.
func (p *Plan) TooOld(now time.Time, limit time.Duration) string {
	const skew = 5 * time.Minute // between the clocks of two machines
	age := now.Sub(p.Made)
	switch {
	case limit > 0 && age > limit:
		return "the saved plan is older than " + limit.String() + ": it was made at " + p.Made.Format(time.RFC3339) + "; review again"
	case limit > 0 && age < -skew:
		return "the saved plan was made at " + p.Made.Format(time.RFC3339) + ", which is still to come: a clock is wrong, and its age is not known"
	}
	return ""
}

// countsOf reads a program's counts, in the order of its copy steps. A pair that nobody counted is left out.
func countsOf(prog *compile.Program) []Counts {
	var all []Counts
	at := map[string]int{}
	for _, s := range prog.Steps {
		if f := s.Change.Copy; s.Kind == compile.KindCopy && f != nil && f.Known && !f.Partial {
			at[s.Pair] = len(all)
			all = append(all, Counts{Pair: s.Pair, Write: f.New.Objects, Overwrite: f.Changed.Objects})
		}
	}
	for _, s := range prog.Steps {
		i, counted := at[s.Pair]
		if !counted || s.Action == compile.Wait {
			continue
		}
		copied := copyFacts(prog, s.Pair)
		switch s.Kind {
		case compile.KindCleanExtra:
			all[i].DeleteExtra = copied.Extra.Objects
		case compile.KindCleanSourceObjects:
			all[i].DeleteSource = copied.Listed.Objects
			if v := copied.Versions; v != nil {
				all[i].DeleteSource = v.Versions.Objects + v.Markers
			}
		default:
		}
	}
	return all
}

func copyFacts(prog *compile.Program, pair string) compile.CopyFacts {
	for _, s := range prog.Steps {
		if s.Kind == compile.KindCopy && s.Pair == pair && s.Change.Copy != nil {
			return *s.Change.Copy
		}
	}
	return compile.CopyFacts{}
}
