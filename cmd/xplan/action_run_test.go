package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// An actionFile is what action.yml says, as far as GitHub's syntax of composite actions goes
// (https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax). Other fields are refused.
type actionFile struct {
	Name        string
	Description string
	Branding    struct{ Icon, Color string }
	Inputs      map[string]struct {
		Description string
		Default     *string
		Required    bool
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Name, Shell, Run string
			Env                  map[string]string
		}
	}
}

func readAction(t *testing.T) actionFile {
	t.Helper()
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a actionFile
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// A runnerJob runs the steps of action.yml as GitHub's runner does: bash, the inputs as variables, outputs by a file.
type runnerJob struct {
	*site
	hub    *hub
	action actionFile
	env    []string // of the job: what a workflow's steps before it left
	event  string
}

func newRunnerJob(t *testing.T) *runnerJob {
	t.Helper()
	j := &runnerJob{site: newSite(t), hub: newHub(t), action: readAction(t)}
	j.event = `{"pull_request": {"number": 7, "head": {"sha": "0123456789abcdef"}}}`
	return j
}

// actionResult is how a job ended.
type actionResult struct {
	step    string // that failed
	status  int    // of it
	log     string
	summary string
	outputs map[string]string
}

// run runs the action with inputs laid over the defaults.
func (j *runnerJob) run(t *testing.T, given map[string]string) actionResult {
	t.Helper()
	temp := t.TempDir()
	j.write(t, "event.json", j.event)
	values := map[string]string{"github.token": "ghs_" + "canaryOfTheToken0000000000000000000000"}
	for name, input := range j.action.Inputs {
		if input.Default != nil {
			values["inputs."+name] = evaluate(t, *input.Default, values)
		}
	}
	for name, value := range given {
		if _, known := j.action.Inputs[name]; !known {
			t.Fatalf("the action has no input %s", name)
		}
		values["inputs."+name] = value
	}
	r := actionResult{outputs: map[string]string{}}
	summary := filepath.Join(temp, "summary")
	for _, step := range j.action.Runs.Steps {
		output := filepath.Join(temp, "output-"+step.ID)
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		like := j.command(t)
		cmd.Dir, cmd.Env = like.Dir, append(like.Env, j.env...)
		root, err := filepath.Abs("../..")
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env,
			"GITHUB_ACTION_PATH="+root, "RUNNER_TEMP="+temp, "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary,
			"GITHUB_EVENT_PATH="+filepath.Join(j.dir, "event.json"), "GITHUB_REPOSITORY=team/buckets", "GITHUB_SHA=fedcba9876543210",
			"GITHUB_API_URL="+j.hub.url, "GITHUB_GRAPHQL_URL="+j.hub.url+"/graphql", "GITHUB_SERVER_URL=https://github.com", "GITHUB_RUN_ID=42",
		)
		for name, value := range step.Env {
			cmd.Env = append(cmd.Env, name+"="+evaluate(t, value, values))
		}
		said, err := cmd.CombinedOutput()
		r.log += string(said)
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			t.Fatal(err)
		}
		for name, value := range stepOutputs(t, output) {
			values["steps."+step.ID+".outputs."+name] = value
		}
		if r.status = cmd.ProcessState.ExitCode(); r.status != 0 {
			r.step = step.ID
			break
		}
	}
	for name, o := range j.action.Outputs {
		r.outputs[name] = evaluate(t, o.Value, values)
	}
	text, err := os.ReadFile(summary)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	r.summary = string(text)
	return r
}

// evaluate replaces ${{ … }}: names, and the first that is not empty of names with || between. More the action does not use.
func evaluate(t *testing.T, text string, values map[string]string) string {
	t.Helper()
	name := regexp.MustCompile(`^(inputs\.[a-z-]+|github\.token|steps\.[a-z]+\.outputs\.[a-z-]+)$`)
	return regexp.MustCompile(`\$\{\{(.*?)\}\}`).ReplaceAllStringFunc(text, func(e string) string {
		for part := range strings.SplitSeq(e[3:len(e)-2], "||") {
			part = strings.TrimSpace(part)
			if !name.MatchString(part) {
				t.Fatalf("action.yml uses %s, which the test does not know", e)
			}
			if values[part] != "" {
				return values[part]
			}
		}
		return ""
	})
}

// stepOutputs reads what a step wrote to GITHUB_OUTPUT: NAME<<WORD, lines, WORD.
func stepOutputs(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	rest := string(data)
	for rest != "" {
		head, after, _ := strings.Cut(rest, "\n")
		name, word, ok := strings.Cut(head, "<<")
		value, next, ended := strings.Cut(after, "\n"+word+"\n")
		if !ok || !ended {
			t.Fatalf("GITHUB_OUTPUT holds %q", data)
		}
		all[name], rest = value, next
	}
	return all
}

// asJSON is a value as an answer's body.
func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
