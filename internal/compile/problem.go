package compile

import (
	"fmt"
	"strings"

	"xplan/plan"
)

// A WrongAccountError says that a side's credentials belong to another account than
// the plan's. Nothing else was read.
type WrongAccountError struct {
	Side plan.Side
	Want string // the plan's account
	Got  string
	ARN  string // who signed
}

func (e *WrongAccountError) Error() string {
	return fmt.Sprintf("%s account: the plan says %s, the credentials belong to %s (%s)", e.Side, e.Want, e.Got, e.ARN)
}

// A Problem is one reason why a plan cannot be run on the world as it is.
type Problem struct {
	Subject string // "bucket tommy", "user/misterrodgers"
	What    string // what is the matter, and why it matters
	Fix     string // what to do; may be empty
}

func (p Problem) String() string {
	if p.Fix == "" {
		return p.Subject + ": " + p.What
	}
	return p.Subject + ": " + p.What + "; " + p.Fix
}

// A ProblemsError holds all of them at once, in the order of the plan.
type ProblemsError struct{ List []Problem }

func (e *ProblemsError) Error() string {
	all := make([]string, 0, len(e.List))
	for _, p := range e.List {
		all = append(all, p.String())
	}
	return strings.Join(all, "\n")
}
