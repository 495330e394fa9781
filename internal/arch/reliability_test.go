package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages name tests: from their section on, or in it alone, every row of a table names one.
var pages = map[string]struct{ from, to string }{
	"reliability.md": {"## Deleting the source", ""},
	"plan.md":        {"## What is kept, and what is not?", "\n## "},
}

// TestPagesNameTestsThatAreThere: a gate whose test was renamed or removed is a promise that nobody holds.
func TestPagesNameTestsThatAreThere(t *testing.T) {
	t.Parallel()
	there := tests(t)
	for name, section := range pages {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1)
		for _, n := range named {
			if !there[n[1]] {
				t.Errorf("docs/%s names %s, which is no test", name, n[1])
			}
		}
		// A story of the program is a script, and a part of TestScripts.
		for _, story := range regexp.MustCompile(`TestScripts/(\w+|\([\w|]+\))`).FindAllStringSubmatch(string(page), -1) {
			for script := range strings.SplitSeq(strings.Trim(story[1], "()"), "|") {
				if _, err := os.Stat(filepath.FromSlash("../../cmd/xplan/testdata/script/" + script + ".txtar")); err != nil && script != "NAME" {
					t.Errorf("docs/%s names %s, which is no script: %v", name, story[0], err)
				}
			}
		}
		_, tables, found := strings.Cut(string(page), section.from)
		if section.to != "" {
			tables, _, _ = strings.Cut(tables, section.to)
		}
		rows := 0
		for line := range strings.Lines(tables) {
			if strings.HasPrefix(line, "| ") && !strings.HasSuffix(line, "| test |\n") {
				rows++
				if !strings.Contains(line, "`Test") {
					t.Errorf("docs/%s, held by no test: %s", name, line)
				}
			}
		}
		if len(named) == 0 || rows == 0 || !found {
			t.Errorf("docs/%s names %d tests, in %d rows behind %q", name, len(named), rows, section.from)
		}
	}
}

// tests are the names of all tests of the module.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			there[name[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return there
}

// TestThePageListsEveryFuzzer: each with its package, and each declared as internal/tools/fuzz.sh looks for it.
func TestThePageListsEveryFuzzer(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.FromSlash("../../docs/reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(Fuzz\\w+)`, `([\\w/]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		listed[row[2]+" "+row[1]] = true
	}
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../../")
		for _, f := range regexp.MustCompile(`(?m)^func (Fuzz\w+)\((.*)`).FindAllStringSubmatch(string(text), -1) {
			if !strings.HasPrefix(f[2], "f *testing.F)") {
				t.Errorf("%s: make fuzz-all does not find %s: it wants (f *testing.F)", path, f[1])
			}
			if !listed[folder+" "+f[1]] {
				t.Errorf("docs/reliability.md has no row for %s of %s", f[1], folder)
			}
			delete(listed, folder+" "+f[1])
		}
		return err
	})
	for left := range listed {
		t.Errorf("docs/reliability.md lists a fuzzer that is gone: %s", left)
	}
	if err != nil {
		t.Error(err)
	}
}
