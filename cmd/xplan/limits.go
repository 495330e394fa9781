package main

import (
	"xplan/internal/s3copy"
	"xplan/plan"
)

// Where few files may be open there are few connections. Some files are the state's and the program's own; a listing
// needs two connections, one a side, and eight pairs list side by side.
const (
	plentyFiles = 1024 // from here on nothing is bounded
	ownFiles    = 24
	leastAtOnce = 2
)

// engineLimits are those of the copy engine: what the plan asks for, within what the system gives.
func engineLimits(p *plan.Plan, files uint64) s3copy.Limits {
	l := s3copy.Limits{InFlight: inFlight(p)}
	if files == 0 || files >= plentyFiles {
		return l
	}
	room := int(files) - ownFiles
	most := max(room/2, leastAtOnce)
	if l.InFlight == 0 {
		l.InFlight = s3copy.DefaultInFlight
	}
	l.InFlight = min(l.InFlight, most)
	l.Listers = min(max(room/16, leastAtOnce), s3copy.DefaultListers)
	return l
}
