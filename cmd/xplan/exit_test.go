package main

import (
	"bytes"
	"errors"
	"testing"

	"xplan/internal/compile"
)

func TestNothingInAnErrorActsOnTheTerminal(t *testing.T) {
	var shown bytes.Buffer
	a := &app{err: &shown}
	a.exit(errors.New("the server says \x1b[2J\r\u009b1m\u202eall is well\nsecond line"))
	if want := "xplan: the server says \uFFFD[2J\uFFFD\uFFFD1m\uFFFDall is well\nsecond line\n"; shown.String() != want {
		t.Errorf("got %q, want %q", shown.String(), want)
	}
	shown.Reset()
	a.say("goes on although %s", compile.Finding{Rule: "statement \x1b[1A of it"})
	if bytes.ContainsRune(shown.Bytes(), 0x1b) {
		t.Errorf("%q", shown.String())
	}
}
