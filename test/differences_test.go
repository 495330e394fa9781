package test

import (
	"slices"
	"testing"
)

// A fact is something that AWS documents, that the program relies on or can live without, and that some server
// does otherwise.
type fact string

// differences say what servers do not do, and why that is known. The suite asserts them: see holds.
var differences = map[fact]map[string]string{}

// consulted notes which rows a run has met, by server.
var consulted = map[string][]fact{}

// holds checks what a server must do. Where the table says that it does not, it must not: so a row that is no
// longer true fails.
func (w *world) holds(t *testing.T, f fact, ok bool, format string, args ...any) {
	t.Helper()
	why := w.differs(f)
	switch {
	case why == "" && !ok:
		t.Errorf("["+string(f)+"] "+format, args...)
	case why != "" && ok:
		t.Errorf("%s now does what AWS documents: remove its row %q (%s)", w.server, f, why)
	}
}

// differs gives the reason why a fact does not hold here; "" where it does.
func (w *world) differs(f fact) string {
	why := differences[f][w.server]
	if why != "" && !slices.Contains(consulted[w.server], f) {
		consulted[w.server] = append(consulted[w.server], f)
	}
	return why
}
