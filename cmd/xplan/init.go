package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"xplan/plan"
	"xplan/schemas"
)

// schemaName is the file beside the plan in which editors find the schema.
const schemaName = "plan.v1.json"

// initFlags are the answers as flags.
type initFlags struct {
	source, destination string
	regions             []string
	output              string
	starter             plan.Starter
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented starter plan; asks on a terminal for what the flags leave open",
		Long: `Write a starter plan: what is asked for, and every section with a line that explains it.

It needs a source, a destination and a principal. On a terminal it asks for what the flags leave
open; with --no-input, or where nobody can answer, the flags alone count. It never overwrites a file.

  xplan init
  xplan init --source 123456789012/tommy --destination 210987654321/tommy-b --principal user/misterrodgers \
    --profile source=account-a-admin --profile destination=account-b-admin --region us-west-2

Editors with a YAML server explain and complete every field: the first line of the plan names the
schema, which is written beside it as plan.v1.json. Commit both.`,
		Args: files(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.source, "source", "", "what to copy: ACCOUNT/BUCKET or ACCOUNT/BUCKET/PREFIX")
	flags.StringVar(&f.destination, "destination", "", "where to: ACCOUNT/BUCKET or ACCOUNT/BUCKET/PREFIX")
	flags.StringVar(&f.starter.Principal, "principal", "", "who pulls: an ARN, or user/NAME or role/NAME of the destination's account")
	flags.StringArrayVar(&f.regions, "region", nil, "of both sides, or of one: source=REGION, destination=REGION (repeatable)")
	flags.StringVar(&f.starter.Name, "name", "", "the plan's name (default: made of the buckets' names)")
	flags.StringVarP(&f.output, "output", "o", "", "the file to write; - is stdout (default: NAME.xplan.yaml)")
	flags.StringVar(&f.starter.Schema, "schema", schemaName, "where editors find the schema: a path from the plan file, written if missing; a URL; or empty for no such line")
	return cmd
}

// init gathers the answers, writes the plan and, where the first line names a file, the schema.
func (a *app) init(ctx context.Context, f *initFlags) error {
	if err := f.read(a.profiles); err != nil {
		return &usageError{err}
	}
	if a.json && f.output == "-" {
		return &usageError{errors.New("--json and -o - both want stdout: name a file with -o")}
	}
	switch missing := f.missing(); {
	case len(missing) == 0:
	case a.canAsk():
		if err := a.interview(ctx, f); err != nil {
			return err
		}
	default:
		return &usageError{fmt.Errorf("init wants to know %s, and nobody can answer here: xplan init --help", strings.Join(missing, ", "))}
	}
	if f.output == "" {
		f.output = f.defaultOutput()
	}
	return a.writeStarter(f)
}

// read takes the flags in, and says all that is wrong with them at once.
func (f *initFlags) read(profiles []string) error {
	var wrong []error
	for _, side := range []struct {
		flag, text string
		into       *plan.StarterSide
	}{{"--source", f.source, &f.starter.Source}, {"--destination", f.destination, &f.starter.Destination}} {
		if side.text == "" {
			continue
		}
		given, err := plan.ParseStarterSide(side.text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", side.flag, err))
		}
		*side.into = given
	}
	wrong = append(wrong,
		perSide("--profile", profiles, false, &f.starter.Source.Profile, &f.starter.Destination.Profile),
		perSide("--region", f.regions, true, &f.starter.Source.Region, &f.starter.Destination.Region),
		f.readSchema())
	if f.output != "" {
		wrong = append(wrong, free(f.output))
	}
	return errors.Join(append(wrong, said(f.starter.Check()))...)
}

// perSide reads SIDE=VALUE and, where it may stand for both, VALUE.
func perSide(flag string, given []string, both bool, source, destination *string) error {
	for _, text := range given {
		side, value, ok := strings.Cut(text, "=")
		switch {
		case !ok && both:
			*source, *destination = text, text
		case ok && side == string(plan.Source):
			*source = value
		case ok && side == string(plan.Destination):
			*destination = value
		default:
			return fmt.Errorf("%s %q: want source=NAME or destination=NAME", flag, text)
		}
	}
	return nil
}

func (f *initFlags) readSchema() error {
	s := f.starter.Schema
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("--schema %q: editors read it up to the first space, so it can hold none", s)
	}
	if s != "" && !isURL(s) && !filepath.IsAbs(s) && !strings.HasPrefix(s, ".") {
		f.starter.Schema = "./" + filepath.ToSlash(s)
	}
	return nil
}

func isURL(s string) bool { return strings.Contains(s, "://") }

func (f *initFlags) missing() []string {
	var names []string
	for _, one := range []struct {
		name    string
		missing bool
	}{
		{"--source", f.starter.Source.Bucket == ""},
		{"--destination", f.starter.Destination.Bucket == ""},
		{"--principal", f.starter.Principal == ""},
	} {
		if one.missing {
			names = append(names, one.name)
		}
	}
	return names
}

func (f *initFlags) defaultOutput() string {
	return cmp.Or(f.starter.Name, f.starter.DefaultName()) + ".xplan.yaml"
}

// said is what is wrong with answers, in the words of the rules for plan files, without places in a file
// that nobody has seen.
func said(err error) error {
	var problems *plan.Problems
	if !errors.As(err, &problems) {
		return err
	}
	var lines []error
	for _, p := range problems.List {
		if p.Hint != "" {
			p.Message += ": " + p.Hint
		}
		lines = append(lines, errors.New(p.Message))
	}
	return errors.Join(lines...)
}

// free wants that nothing stands at a path: init overwrites nothing.
func free(path string) error {
	if path == "-" {
		return nil
	}
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("%s exists, and init overwrites nothing: name another file with -o", path)
	case errors.Is(err, os.ErrNotExist):
		return nil
	default:
		return err
	}
}

// writeStarter checks the whole once more, as any plan file is, and writes it.
func (a *app) writeStarter(f *initFlags) error {
	text := f.starter.Text()
	p, err := plan.Parse(f.output, text)
	if err != nil {
		return &usageError{said(err)}
	}
	for _, w := range p.Warnings {
		a.say("note: %s", w.Message)
	}
	if f.output == "-" {
		_, err := a.out.Write(text)
		return err
	}
	if err := writeNew(f.output, text); errors.Is(err, os.ErrExist) {
		return &usageError{free(f.output)}
	} else if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	schema, err := a.writeSchema(f)
	if err != nil {
		return err
	}
	if a.json {
		a.jsonLine(map[string]any{"type": "written", "file": f.output, "name": p.Name, "schema": schema})
		return nil
	}
	return a.sayNext(f.output, schema)
}

// writeNew writes a file that is not there yet, or nothing.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // a plan is committed and holds no secret: the umask decides
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// writeSchema puts the schema where the plan's first line names it, unless something stands there. It
// returns the path of a file that it wrote.
func (a *app) writeSchema(f *initFlags) (string, error) {
	path := f.starter.Schema
	if path == "" || isURL(path) {
		return "", nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(f.output), filepath.FromSlash(path))
	}
	err := writeNew(path, schemas.PlanV1())
	if errors.Is(err, os.ErrExist) {
		if stands, err := os.ReadFile(path); err != nil || !bytes.Equal(stands, schemas.PlanV1()) {
			a.say("note: %s is not this version's schema, and is left as it is; to renew it: xplan schema > %s", path, shellQuote(path))
		}
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("the plan is written, and its schema for editors is not: %w", err)
	}
	return path, nil
}

func (a *app) sayNext(file, schema string) error {
	text := "wrote " + file + "\n"
	if schema != "" {
		text += "wrote " + schema + ", its schema, for editors\n"
	}
	_, err := fmt.Fprintf(a.out, `%s
Next:
  xplan plan %s     # the dry run: reads both accounts, changes nothing
  xplan apply %s    # shows the same, asks, runs
`, text, shellQuote(file), shellQuote(file))
	return err
}
