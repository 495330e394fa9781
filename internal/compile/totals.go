package compile

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Totals counts what a program does.
type Totals struct {
	Create    int `json:"create"`
	Change    int `json:"change"`
	Delete    int `json:"delete"` // left over by earlier runs, and deleted first
	Copy      int `json:"copy"`
	Clean     int `json:"clean"`
	Dangerous int `json:"dangerous"` // of Clean: deletions that cannot be undone
	Hold      int `json:"hold"`
}

// IsCleanup tells whether steps of the kind undo or delete.
func (k Kind) IsCleanup() bool { return strings.HasPrefix(string(k), "cleanup.") }

// LeftOver tells whether the step deletes what an earlier run left, before anything else is done.
func (s Step) LeftOver() bool {
	return s.Kind == KindCleanKey && s.Spec.Credentials != nil && s.Spec.Credentials.KeyID != ""
}

// Totals counts the steps by what they do. Checks, probes and verifications change nothing and are not counted.
func (p *Program) Totals() Totals {
	var t Totals
	for _, s := range p.Steps {
		switch {
		case s.Action == Hold:
			t.Hold++
		case s.Kind == KindCopy:
			t.Copy++
		case s.LeftOver():
			t.Delete++
		case s.Kind.IsCleanup() && s.Action != Run:
			t.Clean++
			if s.Change.Danger != "" {
				t.Dangerous++
			}
		case s.Action == Create:
			t.Create++
		case s.Action == Update:
			t.Change++
		}
	}
	return t
}

// HasChanges tells whether running the program would change anything.
func (p *Program) HasChanges() bool {
	t := p.Totals()
	return t.Create+t.Change+t.Delete+t.Copy+t.Clean > 0
}

// JSON is the program in the one form that is saved. Equal programs give equal bytes.
func (p *Program) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode program %s: %w", p.Name, err)
	}
	return append(b, '\n'), nil
}
