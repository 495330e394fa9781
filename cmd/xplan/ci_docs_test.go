package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"xplan/internal/sandbox"
)

// A workflow is what a workflow file of docs/ci.md says, as far as GitHub's syntax goes
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax). Other fields are refused.
type workflow struct {
	Name        string
	On          map[string]any
	Permissions map[string]string
	Concurrency struct {
		Group            string
		CancelInProgress bool `yaml:"cancel-in-progress"`
	}
	Jobs map[string]struct {
		If, Needs, Environment string
		RunsOn                 string `yaml:"runs-on"`
		TimeoutMinutes         int    `yaml:"timeout-minutes"`
		Permissions            map[string]string
		Outputs                map[string]string
		Steps                  []workflowStep
	}
}

type workflowStep struct {
	ID, Name, If, Uses, Run string
	With, Env               map[string]string
}

func strictYAML(t *testing.T, text string, into any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

func ciWorkflows(t *testing.T) map[string]workflow {
	t.Helper()
	all := map[string]workflow{}
	for name, text := range blocks(t, page(t, "ci.md"), "workflow") {
		var w workflow
		strictYAML(t, text, &w)
		all[name] = w
		for _, word := range []string{"secrets.", "AWS_ACCESS_KEY", "\n  pull_request_target"} {
			if strings.Contains(text, word) {
				t.Errorf("%s holds %q", name, word)
			}
		}
	}
	return all
}

func TestWorkflowsOfTheCIPageGiveNoMoreThanIsNeeded(t *testing.T) {
	t.Parallel()
	action := readAction(t)
	for name, w := range ciWorkflows(t) {
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" || w.Concurrency.Group == "" || len(w.On) == 0 {
			t.Errorf("%s: permissions %v, concurrency %+v", name, w.Permissions, w.Concurrency)
		}
		for id, job := range w.Jobs {
			at := name + ", job " + id
			writes, signs := job.Permissions["pull-requests"] == "write", false
			if job.TimeoutMinutes == 0 || job.RunsOn == "" || job.Needs != "" && len(w.Jobs[job.Needs].Steps) == 0 {
				t.Errorf("%s: %+v", at, job)
			}
			for _, step := range job.Steps {
				checkStep(t, at, step, action)
				if strings.Contains(step.Uses, "configure-aws-credentials") {
					signs = true
					if !strings.HasPrefix(step.With["role-to-assume"], "arn:aws:iam::210987654321:role/xplan-ci-") {
						t.Errorf("%s signs as %v", at, step.With)
					}
				}
				if step.With["role-to-assume"] == "arn:aws:iam::210987654321:role/xplan-ci-apply" && job.Environment != "buckets" {
					t.Errorf("%s writes without an approval", at)
				}
			}
			if signs != (job.Permissions["id-token"] == "write") {
				t.Errorf("%s: signs %t, permissions %v", at, signs, job.Permissions)
			}
			if _, pull := w.On["pull_request"]; pull && (signs || writes) && job.If != "github.event.pull_request.head.repo.full_name == github.repository" {
				t.Errorf("%s may run for a fork with %v", at, job.Permissions)
			}
		}
	}
}

func checkStep(t *testing.T, at string, step workflowStep, action actionFile) {
	t.Helper()
	switch {
	case (step.Uses == "") == (step.Run == ""):
		t.Errorf("%s: a step uses %q and runs %q", at, step.Uses, step.Run)
	case strings.Contains(step.Run, "${{"):
		t.Errorf("%s: an expression in a script: %s", at, step.Run)
	case step.Uses != "" && !regexp.MustCompile(`^[\w-]+/[\w/-]+@v\d[\d.]*$`).MatchString(step.Uses):
		t.Errorf("%s uses %s", at, step.Uses)
	case strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != "false":
		t.Errorf("%s leaves the token in the checkout", at)
	case strings.HasPrefix(step.Uses, "OWNER/xplan@"):
		for input := range step.With {
			if _, known := action.Inputs[input]; !known {
				t.Errorf("%s: the action has no input %s", at, input)
			}
		}
		if step.Uses != "OWNER/xplan@v"+documented {
			t.Errorf("%s uses %s, and the pages are of %s", at, step.Uses, documented)
		}
	}
	for _, text := range step.With {
		for _, m := range regexp.MustCompile(`steps\.xplan\.outputs\.([\w-]+)`).FindAllStringSubmatch(text, -1) {
			if _, known := action.Outputs[m[1]]; !known {
				t.Errorf("%s: the action has no output %s", at, m[1])
			}
		}
	}
	script := strings.ReplaceAll(step.Run, "\\\n", " ")
	for _, m := range regexp.MustCompile(`"\$XPLAN" (.*)`).FindAllStringSubmatch(script, -1) {
		checkCommandLine(t, at, m[1])
	}
}

func TestRolesOfTheCIPageReviewAndChangeNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t)
	s.tommy(t)
	text := page(t, "ci.md")
	policies, documents := blocks(t, text, "policy"), blocks(t, page(t, "permissions.md"), "policy")
	profiles := blocks(t, text, "config")[".github/aws/review.ini"]
	s.write(t, "review.ini", strings.ReplaceAll(profiles, "region =", "endpoint_url = "+s.server.URL()+"\nregion ="))

	// A user stands for the session that OIDC gives: the sandbox has no such provider.
	session, err := s.server.AddUser(sandbox.DestinationAccount, "xplan-ci-review")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.server.AttachManagedPolicy(session, "hop", policies["hop"]); err != nil {
		t.Fatal(err)
	}
	key, err := s.server.AddAccessKey(session)
	if err != nil {
		t.Fatal(err)
	}
	for side, account := range map[string]string{"source": sandbox.SourceAccount, "destination": sandbox.DestinationAccount} {
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + session + `"},"Action":"sts:AssumeRole"}]}`
		role, err := s.server.AddRole(account, "xplan-review", trust)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.server.AttachManagedPolicy(role, "reading", reading(t, documents[side])); err != nil {
			t.Fatal(err)
		}
	}
	s.write(t, "plan.yaml", docsByUser+docsPair)
	run := func(args ...string) (string, int) {
		cmd := s.command(t, args...)
		cmd.Env = append(cmd.Env, "AWS_CONFIG_FILE="+filepath.Join(s.dir, "review.ini"),
			"AWS_ENDPOINT_URL_STS="+s.server.URL(), // where the SDK assumes a profile's role
			"AWS_ACCESS_KEY_ID="+key.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+key.Secret, "AWS_REGION=us-west-2")
		out, _ := cmd.CombinedOutput() // the status tells
		return string(out), cmd.ProcessState.ExitCode()
	}
	before := s.server.MutationCount()
	if out, status := run("plan", "--detailed-exitcode", "plan.yaml"); status != exitChanges || strings.Contains(out, "not previewed") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if out, status := run("apply", "--yes", "plan.yaml"); status == exitDone {
		t.Errorf("the role of reviews may apply:\n%s", out)
	}
	for _, m := range s.server.Mutations()[before:] {
		if m.Service != "sts" && m.Status != http.StatusForbidden {
			t.Errorf("a role that only reads did %+v", m)
		}
	}
}

// reading keeps of a policy what reads.
func reading(t *testing.T, text string) string {
	t.Helper()
	var doc struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.Statement {
		actions, ok := s["Action"].([]any)
		if !ok {
			actions = []any{s["Action"]}
		}
		s["Action"] = slices.DeleteFunc(actions, func(a any) bool {
			return !regexp.MustCompile(`^\w+:(Get|List|Simulate)`).MatchString(a.(string))
		})
	}
	doc.Statement = slices.DeleteFunc(doc.Statement, func(s map[string]any) bool { return len(s["Action"].([]any)) == 0 })
	return string(asJSON(t, doc))
}

// TestCIPageAppliesWhatWasApproved runs the action, then the scripts of the apply job as they stand on the page.
func TestCIPageAppliesWhatWasApproved(t *testing.T) {
	t.Parallel()
	j := newTommyJob(t)
	r := j.wants(t, "", 0, map[string]string{"comment": "false", "plans": "plans/orders.xplan.yaml"})
	if err := os.CopyFS(filepath.Join(j.dir, "approved"), os.DirFS(r.outputs["directory"])); err != nil {
		t.Fatal(err)
	}
	for _, step := range ciWorkflows(t)[".github/workflows/xplan-apply.yml"].Jobs["apply"].Steps {
		if step.Run == "" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		like := j.command(t)
		cmd.Dir = like.Dir
		cmd.Env = append(like.Env, "XPLAN="+r.outputs["binary"], "CONFIRM=tommy tommy-b", "GITHUB_STEP_SUMMARY="+filepath.Join(j.dir, "summary"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", step.Name, err, out)
		}
	}
	if n := len(j.server.Objects("tommy-b")); n != 3 {
		t.Errorf("%d objects arrived", n)
	}
	summary, err := os.ReadFile(filepath.Join(j.dir, "summary"))
	if err != nil || !bytes.Contains(summary, []byte("done")) {
		t.Errorf("summary %v:\n%s", err, summary)
	}
	if page, err := os.ReadFile(filepath.Join(j.dir, "report.html")); err != nil || !bytes.Contains(page, []byte("orders")) {
		t.Errorf("no report: %v", err)
	}
}

// A hook is an entry of .pre-commit-hooks.yaml, as far as pre-commit's syntax goes (https://pre-commit.com/#new-hooks).
type hook struct {
	ID, Name, Description, Entry, Language, Files string
	Types                                         []string
	MinimumVersion                                string `yaml:"minimum_pre_commit_version"`
}

// TestPreCommitHookRefusesWhatMustNotBeCommitted runs the entry on staged files as pre-commit does: the names are
// appended, those that match. pre-commit itself builds a Go hook from cmd/, so the entry's first word is xplan.
func TestPreCommitHookRefusesWhatMustNotBeCommitted(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []hook
	strictYAML(t, string(text), &hooks)
	s := newSite(t)
	good := docsByUser + docsPair
	for name, body := range map[string]string{
		"plans/good.xplan.yaml": good, "plans/other.xplan.yml": good,
		"bad.xplan.yaml": strings.Replace(good, "buckets", "bukets", 1), "leaky.xplan.yaml": good + "# AKIA" + "IOSFODNN7CANARY0\n",
		"other.yaml": "a: b",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(s.dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		s.write(t, name, body)
	}
	languages := map[string]string{}
	for _, h := range hooks {
		languages[h.ID] = h.Language
		files, entry := regexp.MustCompile(h.Files), strings.Fields(h.Entry)
		for _, c := range []struct {
			staged []string
			status int
			want   string
		}{
			{[]string{"plans/good.xplan.yaml", "plans/other.xplan.yml"}, exitDone, "plans/other.xplan.yml: valid"},
			{[]string{"other.yaml"}, -1, ""},
			{[]string{"plans/good.xplan.yaml", "bad.xplan.yaml"}, exitUsage, `bad.xplan.yaml:7:1: unknown field "bukets"`},
			{[]string{"leaky.xplan.yaml"}, exitUsage, "leaky.xplan.yaml:8:3: the plan holds an AWS access key ID"},
		} {
			matching := slices.DeleteFunc(slices.Clone(c.staged), func(name string) bool { return !files.MatchString(name) })
			if len(matching) == 0 {
				if c.status >= 0 {
					t.Errorf("%s matches none of %v", h.Files, c.staged)
				}
				continue
			}
			cmd := s.command(t, append(entry[1:], matching...)...)
			out, _ := cmd.CombinedOutput() // the status tells
			if cmd.ProcessState.ExitCode() != c.status || !strings.Contains(string(out), c.want) || strings.Contains(string(out), "CANARY0") {
				t.Errorf("%s on %v: exit status %d, want %d and %q\n%s", h.ID, matching, cmd.ProcessState.ExitCode(), c.status, c.want, out)
			}
		}
		if entry[0] != "xplan" || h.Name == "" || h.Description == "" || !strings.Contains(page(t, "ci.md"), h.ID) {
			t.Errorf("hook %+v", h)
		}
	}
	if languages["xplan-validate"] != "golang" || languages["xplan-validate-system"] != "system" {
		t.Errorf("languages %v", languages)
	}
}
