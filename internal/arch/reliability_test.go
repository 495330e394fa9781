package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThePageOnReliabilityNamesTestsThatAreThere: a gate whose test was renamed or removed is a promise that nobody holds.
func TestThePageOnReliabilityNamesTestsThatAreThere(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.FromSlash("../../docs/reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
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
	// A story of the program is a script, and a part of TestScripts.
	stories := regexp.MustCompile(`TestScripts/(\w+|\([\w|]+\))`).FindAllStringSubmatch(string(page), -1)
	for _, story := range stories {
		for name := range strings.SplitSeq(strings.Trim(story[1], "()"), "|") {
			if _, err := os.Stat(filepath.FromSlash("../../cmd/xplan/testdata/script/" + name + ".txtar")); err != nil && name != "NAME" {
				t.Errorf("docs/reliability.md names %s, which is no script: %v", story[0], err)
			}
		}
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1)
	for _, name := range named {
		if !there[name[1]] {
			t.Errorf("docs/reliability.md names %s, which is no test", name[1])
		}
	}
	if len(named) == 0 || len(stories) == 0 {
		t.Error("the page names no test, or no script")
	}
	_, tables, _ := strings.Cut(string(page), "## Deleting the source")
	for line := range strings.Lines(tables) {
		if strings.HasPrefix(line, "| ") && !strings.Contains(line, "`Test") && !strings.HasSuffix(line, "| test |\n") {
			t.Errorf("held by no test: %s", line)
		}
	}
}
