package view

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden renders without and with colours: the first must be the golden file's bytes, and
// the second the same text once the colours are taken off.
func golden(t *testing.T, name string, render func(w io.Writer, color bool) error) {
	t.Helper()
	plain := rendered(t, func(w io.Writer) error { return render(w, false) })
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(plain), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), plain); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
	if again := rendered(t, func(w io.Writer) error { return render(w, false) }); again != plain {
		t.Errorf("%s differs from one rendering to the next", name)
	}
	colored := rendered(t, func(w io.Writer) error { return render(w, true) })
	if d := cmp.Diff(plain, stripped(colored)); d != "" {
		t.Errorf("%s: colours change the text (-plain +stripped):\n%s", name, d)
	}
	actsOnNoTerminal(t, plain)
	actsOnNoTerminal(t, stripped(colored))
}

func rendered(t *testing.T, render func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// stripped takes off colours, and nothing but colours.
func stripped(s string) string {
	return regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(s, "")
}

// actsOnNoTerminal wants that nothing but new lines is left of what a terminal acts on.
func actsOnNoTerminal(t *testing.T, text string) {
	t.Helper()
	if bad := regexp.MustCompile(`.{0,40}[\x00-\x09\x0b-\x1f\x7f-\x{9f}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]`).FindString(text); bad != "" {
		t.Errorf("holds %q", bad)
	}
}
