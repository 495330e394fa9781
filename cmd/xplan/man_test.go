package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// TestManPagesTellEveryCommand writes the man pages, into the folder that XPLAN_MAN names: a release's archives have
// them. Their date is SOURCE_DATE_EPOCH. A test writes them because the program need not link what it takes.
func TestManPagesTellEveryCommand(t *testing.T) {
	dir := os.Getenv("XPLAN_MAN")
	if dir == "" {
		dir = t.TempDir()
	}
	root := (&app{}).root()
	root.DisableAutoGenTag = true
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "xplan", Manual: "xplan"}, dir); err != nil {
		t.Fatal(err)
	}
	var each func(c *cobra.Command)
	each = func(c *cobra.Command) {
		if !c.IsAvailableCommand() && c.HasParent() || c.IsAdditionalHelpTopicCommand() {
			return
		}
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"))
		if err != nil {
			t.Errorf("%s has no page: %v", c.CommandPath(), err)
		}
		for _, want := range []string{".TH", "NAME", "SYNOPSIS"} {
			if !strings.Contains(string(page), want) {
				t.Errorf("the page of %s has no %s", c.CommandPath(), want)
			}
		}
		for _, sub := range c.Commands() {
			each(sub)
		}
	}
	each(root)
}
