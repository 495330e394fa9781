package test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The names that XPLAN_REQUIRE takes, and the program that each needs on PATH.
const (
	sandboxName   = "sandbox"
	motoName      = "moto"
	versitygwName = "versitygw"
	awsCLIName    = "aws-cli"
	awsName       = "aws"

	yamlServerName = "yaml-language-server"
	sshKeygenName  = "ssh-keygen"
)

var programs = map[string]string{
	motoName: "moto_server", versitygwName: "versitygw", awsCLIName: "aws", awsName: "",
	yamlServerName: "node", // and editor/node_modules
	sshKeygenName:  "ssh-keygen",
}

// required lists what XPLAN_REQUIRE asks for; an unknown name is an error.
func required() ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(os.Getenv("XPLAN_REQUIRE"), ",") {
		if name = strings.TrimSpace(name); name == "" || name == sandboxName {
			continue
		}
		if _, known := programs[name]; !known {
			return nil, fmt.Errorf("XPLAN_REQUIRE names %q, which is not one of moto, versitygw, aws-cli, aws, yaml-language-server, ssh-keygen", name)
		}
		names = append(names, name)
	}
	return names, nil
}

// isRequired tells whether XPLAN_REQUIRE asks for the server or program. TestMain has checked the list.
func isRequired(name string) bool {
	names, err := required()
	return err == nil && slices.Contains(names, name)
}

// executable finds a required program; a missing one fails the test.
func executable(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(programs[name])
	if err != nil {
		t.Fatalf("XPLAN_REQUIRE asks for %s: %v", name, err)
	}
	return path
}

// TestPrograms asks programs that are no servers, each where XPLAN_REQUIRE names it.
func TestPrograms(t *testing.T) {
	for _, p := range []struct {
		needs, name string
		test        func(*testing.T)
	}{
		{sshKeygenName, "SignaturesAreJudgedAsByOpenSSH", signaturesAreJudgedAsByOpenSSH},
		{yamlServerName, "EditorsKnowPlanFiles", editorsKnowPlanFiles},
	} {
		if isRequired(p.needs) {
			t.Run(p.name, p.test)
		}
	}
}

// A starter starts one server and fills in what the suite needs to know of it.
type starter struct {
	name  string
	start func(t *testing.T) *world
}

// among gives the servers to run on, of those named: the sandbox, and what is required.
func among(names ...string) []starter {
	all := []starter{
		{sandboxName, startSandbox}, {motoName, startMoto}, {versitygwName, startVersitygw}, {awsName, startAWS},
	}
	return slices.DeleteFunc(all, func(s starter) bool {
		return !slices.Contains(names, s.name) || s.name != sandboxName && !isRequired(s.name)
	})
}

// onEach runs f on each of the named servers, started for it, with the adapters led to its profiles.
func onEach(t *testing.T, names []string, f func(w *world)) {
	t.Helper()
	for _, s := range among(names...) {
		t.Run(s.name, func(t *testing.T) {
			w := s.start(t)
			if w.url != "" {
				t.Setenv("AWS_CONFIG_FILE", w.config)
			}
			f(w.in(t))
		})
	}
}
