package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"xplan/internal/saved"
	"xplan/internal/view"
	"xplan/plan"
	"xplan/state"
)

// app is what every command shares: its streams and the flags of the root.
type app struct {
	in       io.Reader
	out, err io.Writer
	leave    <-chan struct{} // closed by the second Ctrl-C: nothing is waited for any more

	stateDir string
	profiles []string
	noColor  bool
	quiet    bool
	verbose  bool
	json     bool
	noInput  bool

	lines  lineStream     // what --json writes
	stored []state.Option // of every state that is opened
}

// run runs one command line and returns its exit status.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	return (&app{in: in, out: out, err: errOut, lines: lineStream{w: out}}).run(args)
}

func (a *app) run(args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	for _, stream := range []io.Writer{a.out, a.err} {
		if f, ok := stream.(*os.File); ok && isTerminal(f) {
			view.Console(f)
		}
	}
	ctx, leave, stop := withSignals(context.Background())
	defer stop()
	defer giveGarbageRoom()()
	a.leave = leave
	code := a.leaving(func() int { return a.exit(root.ExecuteContext(ctx)) })
	if lost := a.lines.whole(); lost != nil && code == exitDone { // what it says was asked for, and is not there
		fmt.Fprintln(a.err, "xplan: "+inert(lost.Error()))
		return exitError
	}
	return code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "xplan",
		Short: "Copy S3 buckets across AWS accounts by a plan that is reviewed, run, resumed, verified and cleaned up",
		Long: `xplan copies S3 buckets across AWS accounts by a plan file: it sets the permissions up,
proves them, copies, verifies, and removes what it made.

  xplan demo                 the whole story on an embedded sandbox: no account, no network
  xplan init                 write a commented starter plan
  xplan validate FILE        every problem of a plan at once, offline
  xplan plan FILE            the dry run: what would change in both accounts
  xplan apply FILE           run it; run it again to go on after a failure

Exit status: 0 done; 1 error; 2 changes present (with --detailed-exitcode); 3 finished with
failed objects; 4 something waits for a person; 10 invalid plan or usage; 11 another run holds
the lock; 12 the world or the plan changed since the review; 13 credentials; 130 interrupted.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := "xplan --help lists the commands"
			if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
				hint = fmt.Sprintf("did you mean %q?", s[0])
			}
			return &usageError{fmt.Errorf("unknown command %q: %s", args[0], hint)}
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	f := root.PersistentFlags()
	f.StringVar(&a.stateDir, "state", "", "folder of the state (default: .xplan beside the plan)")
	f.StringArrayVar(&a.profiles, "profile", nil, "override a plan's profile: source=NAME or destination=NAME")
	f.BoolVar(&a.noColor, "no-color", false, "no colours (so does NO_COLOR)")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say more: steps that hold, times; with apply --yes the review too")
	f.BoolVar(&a.json, "json", false, "a stream of JSON lines on stdout")
	f.BoolVar(&a.noInput, "no-input", false, "never ask: what would be asked is an error")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(
		a.initCommand(), a.validateCommand(), a.planCommand(), a.doctorCommand(), a.showCommand(), a.graphCommand(), a.applyCommand(), a.resumeCommand(),
		a.statusCommand(), a.runsCommand(), a.logsCommand(), a.cancelCommand(),
		a.verifyCommand(), a.cleanupCommand(), a.reportCommand(), a.stateCommand(), a.demoCommand(), a.schemaCommand(), a.versionCommand(),
	)
	return root
}

// files is cobra's argument check with our exit status.
func files(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return &usageError{fmt.Errorf("%s takes %d argument(s), and got %d: xplan %s --help", cmd.Name(), n, len(args), cmd.Name())}
		}
		return noAddress(cmd, args)
	}
}

// atMostOne is files for commands whose argument may be left out.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return &usageError{fmt.Errorf("%s takes at most one argument, and got %d: xplan %s --help", cmd.Name(), len(args), cmd.Name())}
	}
	return noAddress(cmd, args)
}

// noAddress refuses an address in a file's place without repeating it: it may hold a password or a signature.
func noAddress(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		if strings.Contains(arg, "://") {
			return &usageError{fmt.Errorf("%s wants a file of this machine, and was given an address: fetch it first (it is not shown, as addresses may hold secrets)", cmd.Name())}
		}
	}
	return nil
}

// load reads a plan file and applies the flags that override it.
func (a *app) load(path string) (*plan.Plan, error) {
	if saved.Peek(path) {
		return nil, &usageError{fmt.Errorf("%s is a saved plan: xplan show shows it, xplan apply runs it; this wants a plan file", path)}
	}
	p, err := plan.Load(path)
	if _, unread := errors.AsType[*os.PathError](err); unread {
		return nil, &usageError{err}
	}
	if err != nil {
		return nil, err
	}
	return p, a.personalize(p)
}

// personalize applies the flags that override a plan, and holds it to the versions that may run it.
func (a *app) personalize(p *plan.Plan) error {
	if err := p.CheckVersion(version()); err != nil {
		return &usageError{err}
	}
	for _, o := range a.profiles {
		side, name, ok := strings.Cut(o, "=")
		switch {
		case ok && side == string(plan.Source):
			p.Accounts.Source.Profile = name
		case ok && side == string(plan.Destination):
			p.Accounts.Destination.Profile = name
		default:
			return &usageError{fmt.Errorf("--profile %q: want source=NAME or destination=NAME", o)}
		}
	}
	return nil
}

// stateOf is the state folder for a plan file.
func (a *app) stateOf(planFile string) string {
	if a.stateDir != "" {
		return a.stateDir
	}
	return filepath.Join(filepath.Dir(planFile), ".xplan")
}

// stateHere is the state folder where no plan file is named.
func (a *app) stateHere() string {
	if a.stateDir != "" {
		return a.stateDir
	}
	return ".xplan"
}

// isTerminal judges one stream for itself.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colors tells whether a stream gets colours.
func (a *app) colors(stream any) bool {
	return !a.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(stream)
}

// canAsk tells whether a question would reach a person.
func (a *app) canAsk() bool { return !a.noInput && !a.json && isTerminal(a.in) && isTerminal(a.err) }

// say writes one line for people, to stderr.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.err, inert(fmt.Sprintf(format, args...)))
	}
}

var errAnswerNo = errors.New("not confirmed: nothing was changed")
