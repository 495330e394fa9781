package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A program is the built xplan in a folder of its own, with a plan and the settings that lead to a server.
type program struct {
	dir, plan   string
	environment []string
	limit       time.Duration // for one command
}

// newProgram writes the plan. The AWS config file is all that the program knows of the server.
func newProgram(t *testing.T, text, awsConfig string) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{dir: dir, plan: filepath.Join(dir, "plan.xplan.yaml"), limit: time.Minute}
	if err := os.WriteFile(p.plan, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.environment = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_CONFIG_FILE=" + awsConfig,
		"AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
	}
	return p
}

// A result is how the program ended.
type result struct {
	code        int // -1: killed
	out, errors string
}

func (r result) String() string {
	return fmt.Sprintf("exit status %d\n--- stdout\n%s--- stderr\n%s", r.code, r.out, r.errors)
}

// command is the program, to be started. It is killed when it takes too long.
func (p *program) command(t *testing.T, args ...string) (*exec.Cmd, func() result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), p.limit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary(t), args...)
	cmd.Dir, cmd.Env = p.dir, p.environment
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	return cmd, func() result {
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Errorf("run xplan: %v", err)
		}
		if ctx.Err() != nil && t.Context().Err() == nil {
			t.Errorf("xplan %s took longer than %s", strings.Join(args, " "), p.limit)
		}
		return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	}
}

// run runs the program to its end.
func (p *program) run(t *testing.T, args ...string) result {
	t.Helper()
	cmd, wait := p.command(t, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return wait()
}

// must runs the program, which must end well.
func (p *program) must(t *testing.T, args ...string) result {
	t.Helper()
	got := p.run(t, args...)
	if got.code != 0 {
		t.Fatalf("xplan %s: %s", strings.Join(args, " "), got)
	}
	return got
}
