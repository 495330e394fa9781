package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xplan/internal/sandbox"
)

const actionPlan = `version: 1
name: NAME
accounts:
  source:      {id: "123456789012", profile: account-a-admin, region: us-west-2}
  destination: {id: "210987654321", profile: account-b-admin, region: us-west-2}
principal: {arn: "arn:aws:iam::210987654321:user/misterrodgers"}
buckets: [{source: tommy, destination: tommy-b}]
`

// Words that stand in the job's environment and must come out nowhere.
var actionCanaries = []string{"canaryOfTheToken", "canaryOfAWS/SecretKey", "canaryOfTheSession", "canaryOfAnother"}

// newTommyJob is a job whose repository has one plan, orders, with something to do.
func newTommyJob(t *testing.T) *runnerJob {
	t.Helper()
	j := newRunnerJob(t)
	j.env = []string{
		"AWS_ACCESS_KEY_ID=AKIA" + "IOSFODNN7CANARY0", "AWS_SECRET_ACCESS_KEY=canaryOfAWS/SecretKey",
		"AWS_SESSION_TOKEN=canaryOfTheSession", "MY_PASSWORD=canaryOfAnother",
	}
	if err := j.server.WriteAWSConfig(filepath.Join(j.dir, "aws-config")); err != nil {
		t.Fatal(err)
	}
	j.user(t)
	j.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{})
	j.fill(t, 3, sandbox.PutOptions{})
	j.plan(t, "plans/orders.xplan.yaml", "orders")
	return j
}

func (j *runnerJob) plan(t *testing.T, path, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(j.dir, path)), 0o700); err != nil {
		t.Fatal(err)
	}
	j.write(t, path, strings.Replace(actionPlan, "NAME", name, 1))
}

// wants runs the action and wants that it ends at a step, or nowhere, with a status, and says no secret.
func (j *runnerJob) wants(t *testing.T, step string, status int, given map[string]string) actionResult {
	t.Helper()
	r := j.run(t, given)
	if r.step != step || r.status != status {
		t.Fatalf("ended at %q with %d, want %q with %d\n%s", r.step, r.status, step, status, r.log)
	}
	everything := r.log + r.summary
	for _, c := range j.hub.comments {
		everything += c.Body
	}
	for name, value := range r.outputs {
		everything += name + value
	}
	if r.outputs["directory"] != "" {
		everything += folder(t, r.outputs["directory"])
	}
	for _, secret := range actionCanaries {
		if strings.Contains(everything, secret) {
			t.Errorf("%s came out", secret)
		}
	}
	return r
}

// folder is all that the files of a folder hold.
func folder(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestActionKeepsOneCommentUpToDate(t *testing.T) {
	t.Parallel()
	j := newTommyJob(t)
	const marker = "<!-- xplan:plan orders -->"
	// Others', of which each looks like ours in some way, on pages before it.
	j.hub.perPage = 2
	others := []hubComment{
		j.hub.add("mallory", marker+"\nAll is well."),
		j.hub.add("github-actions[bot]", "as "+marker+" says"),
		j.hub.add("github-actions[bot]", marker+" quoted"),
		j.hub.add("github-actions", marker),
		j.hub.add("github-actions[bot]", "<!-- xplan:plan orders-2 -->\nanother plan"),
	}
	first := j.wants(t, "", 0, nil)
	if len(j.hub.comments) != len(others)+1 {
		t.Fatalf("%d comments, want one more than %d\n%s", len(j.hub.comments), len(others), first.log)
	}
	made := j.hub.comments[len(others)]
	if !strings.HasPrefix(made.Body, marker+"\n") || !strings.Contains(made.Body, "Reviewed at commit 0123456789abcdef, in [this run](https://github.com/team/buckets/actions/runs/42).") {
		t.Errorf("commented\n%s", made.Body)
	}
	review, err := os.ReadFile(first.outputs["markdown"])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(made.Body, string(review)) || !strings.Contains(first.summary, string(review)) || !strings.Contains(first.log, "\nPlan: 5 to create, ") {
		t.Errorf("the review is not in the comment, the summary and, as text, in the log:\n%s\n%s", review, first.log)
	}
	if strings.Contains(made.Body, os.TempDir()) || !strings.Contains(made.Body, "\nxplan apply orders.saved\n") {
		t.Errorf("the comment names a path of the machine that made it:\n%s", made.Body)
	}
	if first.outputs["exit-code"] != "2" || first.outputs["changes"] != "true" {
		t.Errorf("outputs %v", first.outputs)
	}

	j.fill(t, 9, sandbox.PutOptions{})
	j.wants(t, "", 0, nil)
	if len(j.hub.comments) != len(others)+1 || j.hub.comments[len(others)].ID != made.ID || j.hub.comments[len(others)].Body == made.Body {
		t.Errorf("the second run did not rewrite the comment of the first: %+v", j.hub.comments)
	}
	if !slices.Equal(j.hub.comments[:len(others)], others) {
		t.Errorf("somebody else's comment was changed: %+v", j.hub.comments)
	}
	if n := j.hub.asked("PATCH"); n != 1 {
		t.Errorf("%d edits were tried: %q", n, j.hub.requests)
	}

	j.hub.deleted = made.ID // between the look and the edit
	j.wants(t, "", 0, nil)
	if len(j.hub.comments) != len(others)+2 {
		t.Errorf("no comment in the place of the deleted one: %+v", j.hub.comments)
	}
}

func TestActionsSavedPlanIsWhatWasReviewed(t *testing.T) {
	t.Parallel()
	j := newTommyJob(t)
	r := j.wants(t, "", 0, nil)
	j.xplan(t, exitDone, "apply", "--no-input", r.outputs["saved-plan"])
	if n := len(j.server.Objects("tommy-b")); n != 3 {
		t.Errorf("%d objects arrived", n)
	}
	r = j.wants(t, "", 0, map[string]string{"fail-on-changes": "true"})
	if r.outputs["exit-code"] != "0" || r.outputs["changes"] != "false" {
		t.Errorf("after it was applied: %v", r.outputs)
	}
}

func TestActionEndsAsItsPlansEnd(t *testing.T) {
	t.Parallel()
	j := newTommyJob(t)
	r := j.wants(t, "end", exitChanges, map[string]string{"fail-on-changes": "true"})
	if !strings.Contains(r.log, "::error title=xplan::a plan would change something") || len(j.hub.comments) != 1 {
		t.Errorf("%d comments, log\n%s", len(j.hub.comments), r.log)
	}

	// One plan fails, and the other is reviewed all the same.
	j.plan(t, "plans/another.xplan.yaml", "another")
	j.write(t, "plans/another.xplan.yaml", strings.Replace(strings.Replace(actionPlan, "NAME", "another", 1), "profile: account-a-admin", "profile: account-b-admin", 1))
	r = j.wants(t, "end", exitCredentials, nil)
	if r.outputs["exit-code"] != "13" || r.outputs["changes"] != "true" || strings.Count(r.outputs["saved-plan"], "\n") != 0 || strings.Count(r.outputs["markdown"], "\n") != 1 {
		t.Errorf("outputs %v", r.outputs)
	}
	failed := j.hub.comments[len(j.hub.comments)-1].Body
	for _, want := range []string{"<!-- xplan:plan another -->\n", "could not be reviewed", "Exit status 13: credentials", "123456789012"} {
		if !strings.Contains(failed, want) {
			t.Errorf("the comment lacks %q:\n%s", want, failed)
		}
	}
	if !strings.Contains(r.log, "::error title=xplan,file=./plans/another.xplan.yaml::exit status 13") {
		t.Errorf("no annotation:\n%s", r.log)
	}

	// A plan that is not valid is annotated where it is wrong, and nobody is asked for anything.
	j.write(t, "plans/another.xplan.yaml", "version: 1\nnam: 100%, x\nkey: AKIA"+"IOSFODNN7CANARY0\n")
	before := len(j.hub.requests)
	r = j.wants(t, "validate", exitUsage, nil)
	for _, want := range []string{
		"\n::error title=xplan,file=plans/another.xplan.yaml,line=2,col=1::unknown field \"nam\"%0Adid you mean \"name\"?\n",
		"\n::error title=xplan,file=plans/another.xplan.yaml,line=3,col=6::the plan holds an AWS access key ID",
	} {
		if !strings.Contains("\n"+r.log, want) {
			t.Errorf("no %q in\n%s", want, r.log)
		}
	}
	if len(j.hub.requests) != before || strings.Contains(r.log, "CANARY0") || r.outputs["exit-code"] != "10" {
		t.Errorf("outputs %v, log\n%s", r.outputs, r.log)
	}
}

func TestActionTakesWhatItIsGivenAsItStands(t *testing.T) {
	t.Parallel()
	j := newTommyJob(t)
	j.plan(t, "sub/a b/$(touch pwned).yaml", "odd")
	j.plan(t, "sub/c/d/e.xplan.yaml", "deep")
	r := j.wants(t, "", 0, map[string]string{
		"working-directory": "sub", "plans": "a b/$(touch pwned).yaml\r\n\n**/*.xplan.yaml\n  \nc/d/e.xplan.yaml\n*.none\n",
		"arguments": "--no-scan\n--state=../the state", "profiles": "source=account-a-admin\ndestination=account-b-admin",
	})
	if names := regexp.MustCompile(`[a-z]+\.md`).FindAllString(r.outputs["markdown"], -1); !slices.Equal(names, []string{"odd.md", "deep.md"}) {
		t.Errorf("reviewed %v\n%s", names, r.log)
	}
	if pwned, _ := filepath.Glob(filepath.Join(j.dir, "*", "pwned")); len(pwned) > 0 {
		t.Error("a file's name was run")
	}
	r = j.wants(t, "validate", exitUsage, map[string]string{"plans": "missing.xplan.yaml"})
	if !strings.Contains(r.log, "::error title=xplan::") || !strings.Contains(r.log, "missing.xplan.yaml") {
		t.Errorf("log\n%s", r.log)
	}
	j.wants(t, "validate", exitUsage, map[string]string{"plans": "*.none"})
	j.wants(t, "validate", exitUsage, map[string]string{"working-directory": "nowhere"})
	j.wants(t, "install", exitUsage, map[string]string{"binary": "./no-such-xplan"})
	j.wants(t, "end", exitUsage, map[string]string{"arguments": "--nonsense"})
	j.plan(t, "plans/twin.xplan.yaml", "orders")
	r = j.wants(t, "validate", exitUsage, map[string]string{"plans": "plans/*"})
	if !strings.Contains(r.log, "two plan files are named orders") {
		t.Errorf("log\n%s", r.log)
	}
}

func TestActionWithoutAnybodyToTell(t *testing.T) {
	t.Parallel()
	j := newTommyJob(t)
	j.wants(t, "", 0, map[string]string{"comment": "false"})
	j.event = `{}`
	r := j.wants(t, "", 0, nil)
	if len(j.hub.requests) > 0 || !strings.Contains(r.log, "this is no pull request") || !strings.Contains(r.summary, "<!-- xplan:plan orders -->") {
		t.Errorf("asked %q, log\n%s", j.hub.requests, r.log)
	}
	j.wants(t, "", 0, map[string]string{"pull-request": "7"})
	if len(j.hub.comments) != 1 || !strings.Contains(j.hub.comments[0].Body, "commit fedcba9876543210") {
		t.Errorf("comments %+v", j.hub.comments)
	}
	j.wants(t, "comment", exitUsage, map[string]string{"pull-request": "7/../8"})

	j.hub.comments, j.hub.readOnly = nil, true // a fork's token
	r = j.wants(t, "", 0, map[string]string{"pull-request": "7"})
	if !strings.Contains(r.log, "::warning title=xplan::the token may not comment here") || r.outputs["exit-code"] != "2" {
		t.Errorf("outputs %v, log\n%s", r.outputs, r.log)
	}

	j.hub.token = "another"
	r = j.wants(t, "comment", exitError, map[string]string{"pull-request": "7"})
	if !strings.Contains(r.log, "GitHub answered 401: Bad credentials") {
		t.Errorf("log\n%s", r.log)
	}
	r = j.wants(t, "comment", exitError, map[string]string{"pull-request": "7", "comment-author": "somebody"})
	if !strings.Contains(r.log, "read the comments of #7: GitHub answered 401") {
		t.Errorf("log\n%s", r.log)
	}
}

// TestActionRunsNothingThatAPlanSays: the runner reads commands in a step's output, and keys of objects are there.
func TestActionRunsNothingThatAPlanSays(t *testing.T) {
	t.Parallel()
	j := newTommyJob(t)
	for _, key := range []string{"::warning::not ours", "a\n::add-mask::b", "```\n</details>\n::error::no", "-->"} {
		if err := j.server.PutObject("tommy", key, []byte("x"), sandbox.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	r := j.wants(t, "", 0, nil)
	outside := regexp.MustCompile(`(?s)::stop-commands::[0-9a-f]{32}\n.*?\n::[0-9a-f]{32}::`).ReplaceAllString(r.log, "")
	for _, c := range regexp.MustCompile(`(?m)^::[a-z-]+`).FindAllString(outside, -1) {
		if !slices.Contains([]string{"::group", "::endgroup"}, c) {
			t.Errorf("a command %s in\n%s", c, outside)
		}
	}
}

func TestActionBuildsItselfWhereThereIsNoProgram(t *testing.T) {
	t.Parallel()
	j := newTommyJob(t)
	var rest []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "xplan")); err != nil {
			rest = append(rest, dir)
		}
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Fields(string(cache))
	j.env = append(j.env, "PATH="+strings.Join(rest, string(filepath.ListSeparator)), "GOCACHE="+caches[0], "GOMODCACHE="+caches[1])
	r := j.wants(t, "", 0, map[string]string{"comment": "false"})
	if !strings.HasPrefix(r.log, "xplan ") || r.outputs["changes"] != "true" {
		t.Errorf("log\n%s", r.log)
	}
}

func TestActionExplainsItself(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	text := page(t, "ci.md")
	for name, input := range a.Inputs {
		if len(input.Description) < 20 || input.Default == nil || !strings.Contains(text, "`"+name+"`") {
			t.Errorf("input %s is not explained, here and in docs/ci.md", name)
		}
	}
	for name, output := range a.Outputs {
		if len(output.Description) < 20 || !strings.Contains(text, "`"+name+"`") {
			t.Errorf("output %s is not explained, here and in docs/ci.md", name)
		}
	}
	used := asJSON(t, a)
	for _, step := range a.Runs.Steps {
		if strings.Contains(step.Run, "${{") {
			t.Errorf("step %s puts an input into a script: %s", step.ID, step.Run)
		}
	}
	for name := range a.Inputs {
		if !strings.Contains(string(used), "inputs."+name+" ") {
			t.Errorf("input %s is used nowhere", name)
		}
	}
	if a.Runs.Using != "composite" || a.Name == "" || a.Description == "" {
		t.Errorf("it is %+v", a)
	}
}
