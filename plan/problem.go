package plan

import (
	"cmp"
	"slices"
	"strings"
)

// A Problem is one thing that is wrong with a plan file, and where. Its texts
// hold no secret and no control character, whatever the file holds.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1; 0: the file as a whole
	Column  int    `json:"column"` // from 1, in characters
	Pointer string `json:"pointer,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	// Snippet is the line, cut around the column where it is long and fit for
	// a terminal; Caret is where the column falls, in cells from 0.
	Snippet string `json:"snippet,omitempty"`
	Caret   int    `json:"-"`
}

// Problems is the error of a plan file that was refused: everything that is
// wrong with it, by position.
type Problems struct { //nolint:errname // it is a list of problems first, and read as one
	List []Problem `json:"problems"`
	More int       `json:"more,omitempty"` // found, and left out of List
}

// Error renders every problem with its line and a caret, ready to be shown.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, one := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.String())
	}
	if p.More > 0 {
		b.WriteString("\n… and " + count(p.More, "more problem"))
	}
	return b.String()
}

func byPosition(a, b Problem) int {
	return cmp.Or(
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
		cmp.Compare(a.Message, b.Message),
	)
}

func sameProblem(a, b Problem) bool { return byPosition(a, b) == 0 }

// maxProblems bounds what one file can make us print and hold.
const maxProblems = 200

// finish sorts, drops repetitions and bounds what was found.
func finish(list []Problem) ([]Problem, int) {
	slices.SortStableFunc(list, byPosition)
	list = slices.CompactFunc(list, sameProblem)
	more := max(0, len(list)-maxProblems)
	return list[:len(list)-more], more
}
