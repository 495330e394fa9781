package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xplan/schemas"
)

// firstPlan is the plan that xplan init writes, with its schema, in a folder of its own.
func firstPlan(t *testing.T) (dir, text string) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary(t), "init", "-o", "plan.yaml", "--principal", "user/misterrodgers",
		"--source", "123456789012/tommy", "--destination", "210987654321/tommy-b")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("xplan init: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "plan.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, string(data)
}

// schemaField is a part of the schema, found by the names of fields.
type schemaField struct {
	Ref         string `json:"$ref"`
	Description string
	Properties  map[string]json.RawMessage
	Items       json.RawMessage
	Enum        []any
	Definitions map[string]json.RawMessage
}

func field(t *testing.T, names ...string) schemaField {
	t.Helper()
	var root, f schemaField
	if err := json.Unmarshal(schemas.PlanV1(), &root); err != nil {
		t.Fatal(err)
	}
	f = root
	into := func(data json.RawMessage) {
		f = schemaField{}
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%v: %v", names, err)
		}
		if name, ok := strings.CutPrefix(f.Ref, "#/definitions/"); ok {
			f = schemaField{}
			if err := json.Unmarshal(root.Definitions[name], &f); err != nil {
				t.Fatalf("%v: %v", names, err)
			}
		}
	}
	for _, name := range names {
		into(f.Properties[name])
		if len(f.Items) > 0 && name != names[len(names)-1] {
			into(f.Items)
		}
	}
	return f
}

// words drops what Markdown adds to a text.
func words(s string) string {
	s = regexp.MustCompile(`&nbsp;|\\`).ReplaceAllString(s, " ")
	return strings.Join(regexp.MustCompile(`[A-Za-z0-9]+`).FindAllString(s, -1), " ")
}

// editorsKnowPlanFiles drives the server that VS Code, Neovim, Emacs and others use for YAML, on the file
// that xplan init writes, by the schema that its first line names.
func editorsKnowPlanFiles(t *testing.T) {
	t.Helper()
	dir, text := firstPlan(t)
	e := startEditor(t, dir)
	if found := e.open("plan.yaml", text).diagnostics(); len(found) > 0 {
		t.Errorf("a fresh plan has problems: %+v", found)
	}
	fieldsAreExplained(t, e, text)
	fieldsAreCompleted(t, e, text)
	faultsAreShown(t, e, text)
}

func fieldsAreExplained(t *testing.T, e *editor, text string) {
	t.Helper()
	for i, c := range []struct {
		mark  string
		names []string
	}{
		{"ver|sion: 1", []string{"version"}},
		{"\nna|me: ", []string{"name"}},
		{"acc|ounts:", []string{"accounts"}},
		{"    i|d: \"123456789012\"", []string{"accounts", "source", "id"}},
		{"a|rn: arn", []string{"principal", "arn"}},
		{"cred|entials: access", []string{"principal", "credentials"}},
		{"man|age: true", []string{"permissions", "manage"}},
		{"- so|urce: tommy", []string{"buckets", "source"}},
		{"    cr|eate: true", []string{"buckets", "create"}},
		{"incl|ude: [", []string{"copy", "include"}},
		{"le|vel: checksum", []string{"verify", "level"}},
		{"other|wise: accept", []string{"verify", "otherwise"}},
		{"source_obj|ects: keep", []string{"cleanup", "source_objects"}},
	} {
		want := field(t, c.names...).Description
		got := e.open(fmt.Sprintf("hover%d.yaml", i), markedIn(t, text, c.mark)).hover()
		if want == "" || !strings.Contains(words(got), words(want)) {
			t.Errorf("pointing at %q shows\n%s, want\n%s", c.mark, got, want)
		}
	}
}

// markedIn puts the cursor into a text, where a part of it has it.
func markedIn(t *testing.T, text, part string) string {
	t.Helper()
	plain := strings.Replace(part, "|", "", 1)
	if strings.Count(text, plain) != 1 {
		t.Fatalf("%q stands %d times in\n%s", plain, strings.Count(text, plain), text)
	}
	return strings.Replace(text, plain, part, 1)
}

func fieldsAreCompleted(t *testing.T, e *editor, text string) {
	t.Helper()
	given := []string{"include", "exclude"}
	offered := e.open("fields.yaml", strings.Replace(text, "  exclude: []\n", "  exclude: []\n  |\n", 1)).completion()
	for _, name := range slices.Sorted(maps.Keys(field(t, "copy").Properties)) {
		said, there := offered[name]
		switch {
		case slices.Contains(given, name):
			if there {
				t.Errorf("copy: offers %s, which stands there", name)
			}
		case !there:
			t.Errorf("copy: does not offer %s, but %v", name, slices.Sorted(maps.Keys(offered)))
		case !strings.Contains(words(said), words(field(t, "copy", name).Description)):
			t.Errorf("copy: offers %s as %q", name, said)
		}
	}
	for name := range offered {
		if field(t, "copy").Properties[name] == nil {
			t.Errorf("copy: offers %q, which is no field of it", name)
		}
	}
	values := e.open("values.yaml", strings.Replace(text, "  level: checksum", "  level: |", 1)).completion()
	for _, v := range field(t, "verify", "level").Enum {
		if _, ok := values[v.(string)]; !ok {
			t.Errorf("verify.level: does not offer %v, but %v", v, values)
		}
	}
}

func faultsAreShown(t *testing.T, e *editor, text string) {
	t.Helper()
	for name, c := range map[string]struct{ from, to, want string }{
		"a value that cannot be":    {"level: checksum", "level: checksums", "(?i)value is not accepted.*size.*checksum.*bytes"},
		"a field that nobody knows": {"manage: true", "mange: true", "(?i)mange.*not allowed"},
		"a number for an account":   {`id: "210987654321"`, "id: 210987654321", "(?i)incorrect type.*string"},
		"an account of 11 digits":   {`id: "210987654321"`, `id: "21098765432"`, "12 digits"},
		"a word for yes or no":      {"create: true", "create: sometimes", "(?i)incorrect type.*boolean"},
		"a field that is missing":   {"    destination: tommy-b\n", "", `(?i)missing property "destination"`},
	} {
		file := strings.ReplaceAll(name, " ", "-") + ".yaml"
		changed := strings.Replace(text, c.from, c.to, 1)
		line := strings.Count(text[:strings.Index(text, c.from)], "\n")
		if c.to == "" {
			line-- // the pair that lacks it
		}
		found := e.open(file, changed).diagnostics()
		if len(found) != 1 || found[0].Severity != 1 || found[0].Range.Start.Line != line || !regexp.MustCompile(c.want).MatchString(found[0].Message) {
			t.Errorf("%s: %+v, want one error in line %d that matches %s", name, found, line, c.want)
		}
	}
}
