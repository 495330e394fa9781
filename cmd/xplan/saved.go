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
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := form.check(a.json); err != nil {
				return err
			}
			d, err := demanded(cmd, false) // who is to sign it has to see it first
			if err != nil {
				return err
			}
			f, err := readSaved(args[0], d)
			if err != nil {
				return err
			}
			all, there := planFiles(f)
			f.Plan.Plan.File = append(there, all...)[0]
			a.tell(f)
			return a.showReview(form, f.Plan.Plan, f.Program, f.path)
		},
	}
	form.add(cmd)
	addSigners(cmd)
	return cmd
}

// A savedFile is a saved plan that was read or written.
type savedFile struct {
	*saved.Plan
	path   string
	signer string // who signed it, where that was asked
	state  string // the folder of the state with which it is applied; else ""
}

// checkOutput refuses early what save could not write.
func checkOutput(cmd *cobra.Command, path string) error {
	switch {
	case !cmd.Flags().Changed("output"):
		return nil
	case path == "":
		return &usageError{errors.New("-o is empty: name a file")}
	case path == "-":
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
func (a *app) save(path string, p *plan.Plan, prog *compile.Program, counted bool) (savedFile, error) {
	s := saved.New(p, prog, version(), time.Now(), counted, planNames(path, p.File)...)
	data, err := saved.Encode(s)
	if err == nil {
		_, err = saved.Decode(data) // what apply would refuse is not handed on
	}
	if err == nil && len(data) > saved.MaxSize {
		err = fmt.Errorf("it has more than %d MB", saved.MaxSize>>20)
	}
	if err != nil {
		return savedFile{}, fmt.Errorf("save the plan: %w", err)
	}
	return savedFile{Plan: s, path: path}, asUsage(saved.WriteFile(path, data))
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

// planFiles are the places where the plan file of a saved plan may be, of which some are there.
func planFiles(f savedFile) (all, there []string) {
	for i, name := range f.Files {
		name = filepath.FromSlash(name)
		if i == 0 && !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(f.path), name)
		}
		all = append(all, name)
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			there = append(there, name)
		}
	}
	return append(all, f.Plan.Plan.Name+".xplan.yaml"), there
}

// line is the file as a line of --json.
func (f savedFile) line(apply string) map[string]any {
	return map[string]any{
		"type": "saved_plan", "file": f.path, "plan": f.Plan.Plan.Name, "digest": f.Digest, "made": f.Made, "xplan": f.Xplan,
		"counted": f.Counted, "apply": apply, "confirm": f.Confirm(), "signed_by": f.signer, "state": f.state,
	}
}

// tell says what a saved plan is of, who signed it, and which state is used with it.
func (a *app) tell(f savedFile) {
	if a.json {
		a.jsonLine(f.line(a.applyWords(f)))
		return
	}
	a.say("saved plan %s of %s, made %s (%s) by xplan %s", short(f.Digest), f.Plan.Plan.Name, f.Made.Format(time.RFC3339), age(f.Made), f.Xplan)
	if f.signer != "" {
		a.say("signed by %s", f.signer)
	}
	if f.state != "" {
		a.say("state: %s", f.state)
	}
}

// told says, after a saved plan was written, what to do with it.
func (a *app) told(f savedFile) {
	if a.json {
		a.tell(f)
		return
	}
	a.say("saved as %s (%s)", f.path, short(f.Digest))
	if _, err := os.Stat(f.path + ".sig"); err == nil {
		a.say("%s.sig is the signature of what stood there before: it has to be signed again", f.path)
	}
	if isTerminal(a.out) && a.stateDir == "" && len(a.profiles) == 0 {
		return // the review ends with these words
	}
	a.say("To apply exactly this:\n  %s", a.applyWords(f))
	for _, bucket := range f.Confirm() {
		a.say("  it deletes nothing in %s by itself: with --confirm=%s it does", bucket, bucket)
	}
}

// applyWords is the exact command that applies a saved plan, without consent to destroy.
func (a *app) applyWords(f savedFile) string {
	words := []string{"xplan apply", shellQuote(f.path)}
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
