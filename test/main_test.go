package test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// workDir is removed when all tests have ended.
var workDir string

// atOnce is how many subtests run side by side: they wait more than they compute.
const atOnce = "8"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	if _, err := required(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if !isRequired(awsName) {
		forgetAWS()
	}
	dir, err := os.MkdirTemp("", "xplan-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	workDir = dir
	code := m.Run()
	endProcesses()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// forgetAWS drops the shell's own AWS settings, so that no test can reach a real account.
func forgetAWS() {
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "AWS_") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	_ = os.Setenv("AWS_CONFIG_FILE", os.DevNull)
	_ = os.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

// buildOnce builds the program once for all tests.
var buildOnce = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workDir, "xplan")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", path, "xplan/cmd/xplan").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// binary is the built program.
func binary(t *testing.T) string {
	t.Helper()
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
