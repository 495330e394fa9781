package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"xplan/internal/sandbox"
	"xplan/plan"
)

// page reads a page of docs.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A site is a sandbox with a folder whose commands are led to it.
type site struct {
	server *sandbox.Server
	dir    string
}

// newSite makes one without profiles: see login.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{server: sandbox.New(sandbox.Config{}), dir: t.TempDir()}
	if err := s.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// login writes a profile.
func (s *site) login(t *testing.T, profile, id, secret string) {
	t.Helper()
	s.loginAt(t, s.server.URL(), profile, id, secret)
}

func (s *site) loginAt(t *testing.T, url, profile, id, secret string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dir, "aws-config"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintf(f, "[profile %s]\nregion = us-west-2\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n\n",
			profile, url, id, secret)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// write writes a file of the site.
func (s *site) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command is xplan in the site's folder, as a process of its own.
func (s *site) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "xplan", args...)
	cmd.Dir = s.dir
	config := filepath.Join(s.dir, "aws-config")
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name))
	}
	cmd.Env = append(cmd.Env, "AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE="+config+".none", "AWS_EC2_METADATA_DISABLED=true")
	return cmd
}

// xplan runs a command and wants its exit status.
func (s *site) xplan(t *testing.T, status int, args ...string) string {
	t.Helper()
	cmd := s.command(t, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("xplan %s: exit status %d, want %d\n%s\n%s", strings.Join(args, " "), got, status, out.String(), errOut.String())
	}
	return out.String()
}

// fill puts objects into the bucket tommy.
func (s *site) fill(t *testing.T, n int, o sandbox.PutOptions) {
	t.Helper()
	for i := range n {
		if err := s.server.PutObject("tommy", fmt.Sprintf("orders/%05d", i), fmt.Appendf(nil, "order %d", i), o); err != nil {
			t.Fatal(err)
		}
	}
}

// blocks are the fenced blocks of a page that stand below a comment: <!-- policy: source --> gives "source".
func blocks(t *testing.T, text, kind string) map[string]string {
	t.Helper()
	found := map[string]string{}
	fenced := regexp.MustCompile("(?s)<!-- " + kind + ": ([^>]+) -->\n```\\w*\n(.*?)```")
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		found[m[1]] = m[2]
	}
	if len(found) == 0 {
		t.Fatalf("no block <!-- %s: … -->", kind)
	}
	return found
}

// TestCommandPageNamesEveryCommandAndFlag walks the commands as cobra has them.
func TestCommandPageNamesEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	text := page(t, "cli.md")
	root := (&app{}).root()
	root.InitDefaultCompletionCmd("completion")
	root.InitDefaultHelpCmd()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		cmd.InitDefaultVersionFlag()
		name := cmd.Name()
		if cmd.Parent() == root {
			name = "xplan " + name
		}
		if !regexp.MustCompile("`" + regexp.QuoteMeta(name) + "[` ]").MatchString(text) {
			t.Errorf("docs/cli.md does not name the command %q", cmd.CommandPath())
		}
		wantFlags(t, text, cmd.CommandPath(), cmd.LocalFlags().FlagUsages())
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	for _, cmd := range root.Commands() {
		walk(cmd)
	}
	wantFlags(t, text, "xplan", root.PersistentFlags().FlagUsages())
	for _, code := range []int{
		exitDone, exitError, exitChanges, exitFailed, exitWaiting, exitUsage, exitLocked, exitDrift, exitCredentials, exitInterrupted,
	} {
		if !strings.Contains(text, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("docs/cli.md does not explain exit status %d", code)
		}
	}
}

// wantFlags wants the page to name every flag of a command's help.
func wantFlags(t *testing.T, text, command, usages string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^ *(?:-(\w), )?--([\w-]+)`).FindAllStringSubmatch(usages, -1) {
		if !regexp.MustCompile("`--" + regexp.QuoteMeta(m[2]) + "[` ]").MatchString(text) {
			t.Errorf("docs/cli.md does not name --%s of %s", m[2], command)
		}
		if m[1] != "" && !strings.Contains(text, "`-"+m[1]+"`") {
			t.Errorf("docs/cli.md does not name -%s of %s", m[1], command)
		}
	}
}

// TestCommandPageShowsEveryLine holds the page's examples to the schema, and wants one for each type.
func TestCommandPageShowsEveryLine(t *testing.T) {
	t.Parallel()
	_, text, _ := strings.Cut(page(t, "cli.md"), "## JSON lines")
	e, shown := newEventLines(t), map[string]bool{}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(text, -1) {
		d := json.NewDecoder(strings.NewReader(block[1]))
		for {
			var v map[string]any
			err := d.Decode(&v)
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = e.schema.Validate(v)
			}
			if err != nil {
				t.Fatalf("an example of docs/cli.md: %#v\n%s", err, block[1])
			}
			kind, _ := v["type"].(string)
			shown[kind] = true
		}
	}
	for kind := range e.fields {
		if !shown[kind] || !strings.Contains(text, "\n### "+kind+"\n") || !strings.Contains(text, "`"+kind+"`") {
			t.Errorf("docs/cli.md does not explain lines of type %s", kind)
		}
	}
}

// TestPlanPageHoldsPlans loads every YAML block of the page: whole plans, and parts laid over the first of them.
func TestPlanPageHoldsPlans(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page(t, "plan.md"), -1)
	var whole string
	for _, m := range found {
		text := m[1]
		if strings.HasPrefix(text, "version:") {
			whole = text
		} else {
			text = laidOver(whole, text)
		}
		if strings.HasPrefix(text, "# yaml-language-server") {
			continue // the editor's line alone
		}
		path := filepath.Join(t.TempDir(), "plan.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Load(path); err != nil {
			t.Errorf("a plan of docs/plan.md: %v\n%s", err, text)
		}
	}
	if len(found) < 10 {
		t.Errorf("only %d blocks were found", len(found))
	}
}

// laidOver puts the top-level keys of a part in place of the whole plan's.
func laidOver(whole, part string) string {
	top := regexp.MustCompile(`(?m)^[a-z]+:(?:.*\n(?:[ #-].*\n)*)`)
	given := map[string]bool{}
	for _, block := range top.FindAllString(part, -1) {
		name, _, _ := strings.Cut(block, ":")
		given[name] = true
	}
	rest := top.ReplaceAllStringFunc(whole, func(block string) string {
		if name, _, _ := strings.Cut(block, ":"); given[name] {
			return ""
		}
		return block
	})
	return rest + part
}
