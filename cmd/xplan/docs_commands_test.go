package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commandLines are the xplan commands that a page names: between backquotes, and at the start of a line of code.
func commandLines(file, text string) []string {
	var all []string
	for _, m := range regexp.MustCompile("`(?:bin/)?xplan ([a-z][^`\n]*)`").FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "saved plan ") { // the first line of such a file
			all = append(all, m[1])
		}
	}
	if filepath.Ext(file) == ".md" {
		text = strings.Join(regexp.MustCompile("(?s)\n```.*?\n```").FindAllString(text, -1), "\n")
	}
	text = strings.ReplaceAll(text, "\\\n", " ")
	for _, m := range regexp.MustCompile(`(?m)^(?:#\s+|\$ )?(?:bin/)?xplan ([a-z].*)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// checkCommandLine wants a command that there is, with flags that it has. What is not xplan's any more, behind a
// comment, a pipe or two spaces, is left out.
func checkCommandLine(t *testing.T, at, line string) {
	t.Helper()
	line = regexp.MustCompile(`\s+#.*|  +.*| [|>&].*|[;)].*`).ReplaceAllString(line, "")
	root := (&app{}).root()
	root.InitDefaultCompletionCmd("completion")
	root.InitDefaultHelpCmd()
	words := strings.Fields(line)
	cmd, _, err := root.Find(words)
	if err != nil || cmd == root {
		t.Errorf("%s: no command %q", at, line)
		return
	}
	cmd.InitDefaultHelpFlag()
	cmd.InheritedFlags() // makes the root's known
	for _, word := range words {
		name, _, _ := strings.Cut(strings.Trim(word, `[]"`), "=")
		switch long, isLong := strings.CutPrefix(name, "--"); {
		case name == "--" || !strings.HasPrefix(name, "-") || name == "-":
		case isLong && cmd.Flags().Lookup(long) == nil && cmd.InheritedFlags().Lookup(long) == nil,
			!isLong && cmd.Flags().ShorthandLookup(name[1:2]) == nil && cmd.InheritedFlags().ShorthandLookup(name[1:2]) == nil:
			t.Errorf("%s: xplan %s has no %s, in %q", at, cmd.Name(), name, line)
		}
	}
}

// TestPagesNameCommandsAsTheyAre holds every command line of the documents and examples to the program.
func TestPagesNameCommandsAsTheyAre(t *testing.T) {
	t.Parallel()
	found := 0
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/changes/*.md", "../../docs/adr/*.md", "../../examples/*.yaml", "../../plan/starter.tmpl"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range commandLines(file, string(text)) {
				found++
				checkCommandLine(t, filepath.Base(file), line)
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d command lines were found", found)
	}
}
