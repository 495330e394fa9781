package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xplan/internal/compile"
	"xplan/internal/saved"
	"xplan/plan"
)

func (a *app) showCommand() *cobra.Command {
	var form reviewForm
	cmd := &cobra.Command{
		Use:   "show F",
		Short: "Show a saved plan as it was reviewed; offline",
		Args:  files(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := form.check(a.json); err != nil {
				return err
			}
			s, err := readSaved(args[0])
			if err != nil {
				return err
			}
			s.Plan.File, _ = planFile(args[0], s)
			a.tell(args[0], s, "")
			return a.showReview(form, s.Plan, s.Program, args[0])
		},
	}
	form.add(cmd)
	return cmd
}

// readSaved reads a saved plan. What is wrong with the file is a usage error.
func readSaved(path string) (*saved.Plan, error) {
	data, err := saved.ReadFile(path)
	if err != nil {
		return nil, &usageError{err}
	}
	return decodeSaved(path, data)
}

func decodeSaved(path string, data []byte) (*saved.Plan, error) {
	s, err := saved.Decode(data)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s: %w", path, err)}
	}
	return s, nil
}

// checkOutput refuses early what save could not write.
func checkOutput(path string) error {
	if path == "" {
		return nil
	}
	if path == "-" {
		return &usageError{errors.New("-o -: a saved plan is a private file that is applied later, and not a stream: name a file")}
	}
	return asUsage(saved.CheckTarget(path))
}

// asUsage makes a target that cannot be one a usage error.
func asUsage(err error) error {
	if _, ok := errors.AsType[*saved.TargetError](err); ok {
		return &usageError{err}
	}
	return err
}

// save writes a reviewed program to a file.
func (a *app) save(path string, p *plan.Plan, prog *compile.Program, counted bool) (*saved.Plan, error) {
	s := saved.New(p, prog, version, time.Now(), counted, planNames(path, p.File)...)
	data, err := saved.Encode(s)
	if err != nil {
		return nil, err
	}
	return s, asUsage(saved.WriteFile(path, data))
}

// planNames are the names by which a plan file is found from its saved plan: from the saved plan's
// folder, so that both may move together, and as it was named here.
func planNames(path, planFile string) []string {
	names := []string{filepath.ToSlash(planFile)}
	if near, err := filepath.Rel(filepath.Dir(absolute(path)), absolute(planFile)); err == nil {
		names = slices.Insert(names, 0, filepath.ToSlash(near))
	}
	return slices.Compact(names)
}

// planFile is where the plan file of a saved plan is, and whether it is there.
func planFile(path string, s *saved.Plan) (file string, found bool) {
	var all []string
	for i, name := range s.Files {
		name = filepath.FromSlash(name)
		if i == 0 && !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			return name, true
		}
		all = append(all, name)
	}
	return append(all, s.Plan.Name+".xplan.yaml")[0], false
}

// tell says what a saved plan is of, and which state is used with it, if any.
func (a *app) tell(path string, s *saved.Plan, stateDir string) {
	if a.json {
		a.jsonLine(map[string]any{
			"type": "saved_plan", "file": path, "plan": s.Plan.Name, "digest": s.Digest, "made": s.Made, "xplan": s.Xplan,
			"counted": s.Counted, "apply": a.applyWords(path, s), "state": stateDir,
		})
		return
	}
	a.say("saved plan %s of %s, made %s (%s) by xplan %s", short(s.Digest), s.Plan.Name, s.Made.Format(time.RFC3339), age(s.Made), s.Xplan)
	if stateDir != "" {
		a.say("state: %s", stateDir)
	}
}

// told says, after a saved plan was written, what to do with it.
func (a *app) told(path string, s *saved.Plan) {
	if a.json {
		a.tell(path, s, "")
		return
	}
	a.say("saved as %s (%s). To apply exactly this:\n  %s", path, short(s.Digest), a.applyWords(path, s))
}

// applyWords is the exact command that applies a saved plan.
func (a *app) applyWords(path string, s *saved.Plan) string {
	words := []string{"xplan apply", shellQuote(path)}
	for _, bucket := range s.Confirm() {
		words = append(words, "--confirm="+shellQuote(bucket))
	}
	if a.stateDir != "" {
		words = append(words, "--state", shellQuote(a.stateDir))
	}
	for _, p := range a.profiles {
		words = append(words, "--profile", shellQuote(p))
	}
	return strings.Join(words, " ")
}

// short is a digest as the review shows it.
func short(digest string) string {
	return "sha256:" + fmt.Sprintf("%.8s…", strings.TrimPrefix(digest, "sha256:"))
}

func age(made time.Time) string {
	d := time.Since(made)
	switch {
	case d < -time.Minute:
		return "in the future: a clock is wrong"
	case d < time.Minute:
		return "just now"
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s") + " ago"
	}
	return fmt.Sprintf("%d days ago", d/(24*time.Hour))
}
