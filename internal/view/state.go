package view

import (
	"fmt"
	"io"
)

// A StateCheck is whether a plan's state is sound, and what it records.
type StateCheck struct {
	Plan      string      `json:"plan"`
	Path      string      `json:"path"`
	Layout    int         `json:"layout"`   // the version of the file's layout
	Problems  []string    `json:"problems"` // none: it is sound
	Runs      int         `json:"runs"`
	Last      string      `json:"last,omitempty"` // the run that was started last
	LastState string      `json:"last_state,omitempty"`
	Left      []string    `json:"left"` // what stands, or may stand, of what the plan made, and is to go
	Kept      []string    `json:"kept"` // what it made and is to stay
	Pairs     []StatePair `json:"pairs"`
}

// A StatePair is how far the copy of a pair got.
type StatePair struct {
	Pair     string `json:"pair"`
	Ranges   int    `json:"ranges"`
	Ended    int    `json:"ended"` // of the ranges
	Listed   int64  `json:"listed"`
	Copied   int64  `json:"copied"`
	Same     int64  `json:"same"`
	Failures int    `json:"failures"`
	Uploads  int    `json:"uploads"`
}

// State renders a check.
func State(w io.Writer, c StateCheck, style Style) error {
	p := &page{style: style}
	if len(c.Problems) > 0 {
		p.line(p.paint("!", fmt.Sprintf("! %s   damaged   %s", safe(c.Plan), safe(c.Path))))
		for _, problem := range c.Problems {
			p.line("  ", safe(problem))
		}
		return p.to(w)
	}
	p.line(p.paint("#", fmt.Sprintf("%s   sound   layout %d   %s", safe(c.Plan), c.Layout, safe(c.Path))))
	last := ""
	if c.Last != "" {
		last = ", the last " + c.LastState + ": " + safe(c.Last)
	}
	p.line(fmt.Sprintf("  %s%s", plural(int64(c.Runs), "run"), last))
	for _, pair := range c.Pairs {
		p.line(fmt.Sprintf("  %s   %d of %s ended   %s listed = %s copied + %s same + …   %s   %s", safe(pair.Pair), pair.Ended,
			plural(int64(pair.Ranges), "range"), number(pair.Listed), number(pair.Copied), number(pair.Same),
			plural(int64(pair.Failures), "failure"), plural(int64(pair.Uploads), "upload")))
	}
	for _, left := range c.Left {
		p.line("  still there, made by this plan: ", safe(left))
	}
	for _, kept := range c.Kept {
		p.line("  kept: ", safe(kept))
	}
	return p.to(w)
}
