package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts expect")

// documented is the release that the pages are of; .github/workflows/release.yml refuses another tag.
const documented = "0.1.0"

func TestMain(m *testing.M) {
	// The stories wait more than they work: for probes in a row, for the sandbox.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"xplan": func() {
			stamped = documented // as a release is
			a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, lines: lineStream{w: os.Stdout}, stored: failing(os.Getenv(writesVariable))}
			os.Exit(a.run(os.Args[1:]))
		},
		"xplan-soaked": soakAgent,
	})
}

// TestScripts runs the stories of testdata/script, each in a world of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	if signal.Ignored(syscall.SIGHUP) { // the tests run under nohup, and every program of theirs would: what is caught is not inherited
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               newWorld,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sandbox": arrange,
			"exits":   exits,
			"start":   start,
			"startty": startOnTerminal,
			"type":    typeOn,
			"signal":  signalTo,
			"ended":   ended,
			"awaits":  awaits,
			"replace": replace,
			"jsonl":   jsonLines,
			"sshkey":  sshKey,
			"sshsign": sshSign,
		},
	})
}

// exits runs a program and wants its exit status: exits 4 xplan apply …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := statusOf(ts, ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func statusOf(ts *testscript.TestScript, err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// A job is a program that was started and has not been waited for.
type job struct {
	cmd      *exec.Cmd
	after    func() error // when it has ended
	keyboard io.Writer    // of its terminal, if it has one
}

func jobs(ts *testscript.TestScript) map[string]*job {
	return ts.Value(jobsKey{}).(map[string]*job)
}

type jobsKey struct{}

// start starts a program under a name; its output goes to NAME.out and NAME.err.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM ARG…")
	}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.CommandContext(context.Background(), path, args[2:]...)
	errOut, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	cmd.Stderr = errOut
	launch(ts, args[0], cmd)
	jobs(ts)[args[0]].after = errOut.Close
}

// launch starts a job as a story's program, its output going to NAME.out.
func launch(ts *testscript.TestScript, name string, cmd *exec.Cmd) {
	cmd.Dir = ts.MkAbs(".")
	for _, name := range scriptEnv() {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	out, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	cmd.Stdout = out
	ts.Check(cmd.Start())
	ts.Check(out.Close())
	jobs(ts)[name] = &job{cmd: cmd}
	ts.Defer(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
}

// signalTo sends a signal to a job: INT, TERM, KILL.
func signalTo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal SIGNAL NAME")
	}
	ts.Check(jobs(ts)[args[1]].cmd.Process.Signal(signals(args[0])))
}

// typeOn types a Go string on a job's terminal, once it shows something: type NAME REGEXP TEXT.
func typeOn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: type NAME REGEXP TEXT")
	}
	awaits(ts, false, []string{args[0] + ".err", args[1]})
	text, err := strconv.Unquote(`"` + args[2] + `"`)
	ts.Check(err)
	_, err = io.WriteString(jobs(ts)[args[0]].keyboard, text)
	ts.Check(err)
}

// ended waits for a job and wants its exit status; -1 is the one of a killed process.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME STATUS")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	j := jobs(ts)[args[0]]
	late := time.AfterFunc(time.Minute, func() { _ = j.cmd.Process.Kill() })
	got := statusOf(ts, j.cmd.Wait())
	late.Stop()
	ts.Check(j.after())
	for _, suffix := range []string{".out", ".err"} {
		ts.Logf("%s%s:\n%s", args[0], suffix, ts.ReadFile(args[0]+suffix))
	}
	if got != want {
		ts.Fatalf("%s: exit status %d, want %d", args[0], got, want)
	}
}

// awaits waits until a file, which a job writes, has a match: awaits FILE REGEXP.
func awaits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: awaits FILE REGEXP")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if re.MatchString(ts.ReadFile(args[0])) {
			return
		}
	}
	ts.Fatalf("%s has no match for %q after 30 s:\n%s", args[0], args[1], ts.ReadFile(args[0]))
}

// replace changes every match of a regular expression in a file; \n in the text is a new line.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE REGEXP TEXT")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	text := ts.ReadFile(args[0])
	if !re.MatchString(text) {
		ts.Fatalf("%s: no match for %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(re.ReplaceAllString(text, strings.ReplaceAll(args[2], `\n`, "\n"))), 0o600))
}

// jsonLines wants a stream of JSON lines, the first of them the version, of the named types:
// jsonl stdout version run_start …
func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: jsonl FILE TYPE…")
	}
	var types []string
	for i, line := range strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n") {
		var v struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			ts.Fatalf("line %d is no JSON: %v: %s", i+1, err, line)
		}
		if (i == 0) != (v.Type == "version") {
			ts.Fatalf("line %d is of type %q: the first, and only the first, is the version", i+1, v.Type)
		}
		types = append(types, v.Type)
	}
	for _, want := range args[1:] {
		if !slices.Contains(types, want) {
			ts.Fatalf("no line of type %s among %v", want, types)
		}
	}
}

// scriptEnv are the variables that the stories' programs see.
func scriptEnv() []string {
	return []string{
		"PATH", "HOME", "TMPDIR", "WORK", "NO_COLOR",
		"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED",
	}
}

// copyExamples puts the repository's examples into a story's folder.
func copyExamples(to string) error {
	all, err := filepath.Glob("../../examples/*.yaml")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, path := range all {
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(path)), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
