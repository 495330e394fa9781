package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rules says who may import whom: packages of this module, then third parties by prefix.
// It is the table of docs/architecture.md.
var rules = map[string]struct{ module, third []string }{
	"schemas":               {},
	"internal/dag":          {},
	"internal/policy":       {},
	"internal/arch":         {},
	"internal/policy/spell": {},
	"internal/sandbox":      {module: []string{"internal/policy"}},
	"internal/notify":       {third: []string{"github.com/hashicorp/go-retryablehttp"}},
	"state":                 {third: []string{"go.etcd.io/bbolt"}},
	"internal/s3copy":       {third: []string{"golang.org/x/sync"}},
	"plan": {
		module: []string{"schemas"},
		third:  []string{"gopkg.in/yaml.v3", "github.com/santhosh-tekuri/jsonschema/v5", "github.com/bmatcuk/doublestar/v4"},
	},
	"internal/compile": {module: []string{"plan", "internal/dag", "internal/policy"}, third: []string{"golang.org/x/sync"}},
	"executor":         {module: []string{"plan", "internal/compile", "internal/dag", "state"}, third: []string{"golang.org/x/sync"}},
	"internal/runner":  {module: []string{"plan", "internal/compile", "internal/policy", "executor", "internal/s3copy", "state"}},
	"internal/signed":  {third: []string{"github.com/hiddeco/sshsig", "golang.org/x/crypto/ssh"}},
	"internal/saved":   {module: []string{"plan", "internal/compile"}},
	"internal/awsapi":  {module: []string{"plan", "internal/compile", "internal/s3copy"}, third: []string{"github.com/aws/", "golang.org/x/sync"}},
	"internal/view": {
		module: []string{"plan", "internal/compile", "internal/policy", "executor", "internal/s3copy"},
		third:  []string{"charm.land/lipgloss/v2", "github.com/dustin/go-humanize"},
	},
	"cmd/xplan": {
		module: []string{
			"plan", "schemas", "state", "executor", "internal/compile", "internal/runner", "internal/s3copy",
			"internal/awsapi", "internal/view", "internal/notify", "internal/saved", "internal/signed", "internal/sandbox",
		},
		third: []string{"github.com/spf13/cobra", "golang.org/x/term"},
	},
	"internal/bench/null":  {},
	"internal/bench/floor": {third: []string{"github.com/aws/aws-sdk-go-v2/aws", "golang.org/x/sync"}},
	"internal/bench":       {module: []string{"internal/bench/null", "internal/bench/floor"}},
	"test":                 {},
	"examples":             {},
}

type listed struct {
	ImportPath string
	Imports    []string
	Doc        string
	GoFiles    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Doc,GoFiles", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list's answer: %v", err)
		}
		all = append(all, p)
	}
}

func TestImportsFollowTheTable(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "xplan/")
		rule, ok := rules[name]
		if !ok {
			t.Errorf("package %s stands in no row of the table", name)
			continue
		}
		for _, imp := range p.Imports {
			if ours, found := strings.CutPrefix(imp, "xplan/"); found {
				if !slices.Contains(rule.module, ours) {
					t.Errorf("%s imports %s", name, ours)
				}
				continue
			}
			first, _, _ := strings.Cut(imp, "/")
			if strings.Contains(first, ".") && !slices.ContainsFunc(rule.third, func(p string) bool { return strings.HasPrefix(imp, p) }) {
				t.Errorf("%s imports %s", name, imp)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
