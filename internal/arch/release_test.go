package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// A releaseFile is what of .goreleaser.yaml says what is built.
type releaseFile struct {
	Version int
	Builds  []struct {
		Main                       string
		Env, Goos, Goarch          []string
		Flags, Ldflags             []string
		ModTimestamp               string `yaml:"mod_timestamp"`
		Ignore, Targets, Overrides any
	}
	Archives []struct {
		Files []struct{ Src string }
	}
}

func readRelease(t *testing.T) releaseFile {
	t.Helper()
	var r releaseFile
	text, err := os.ReadFile("../../.goreleaser.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &r)
	}
	if err != nil || r.Version != 2 || len(r.Builds) != 1 {
		t.Fatalf("version %d, %d builds: %v", r.Version, len(r.Builds), err)
	}
	return r
}

// releaseTargets are the systems that a release is built for.
func releaseTargets(t *testing.T) (targets [][2]string) {
	t.Helper()
	b := readRelease(t).Builds[0]
	if b.Ignore != nil || b.Targets != nil || b.Overrides != nil {
		t.Fatal("the targets of .goreleaser.yaml are not its goos times its goarch")
	}
	for _, system := range b.Goos {
		for _, machine := range b.Goarch {
			targets = append(targets, [2]string{system, machine})
		}
	}
	return targets
}

func TestAReleaseIsForEverySystemAndRepeatable(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, machine := range []string{"amd64", "arm64"} {
			if !slices.Contains(releaseTargets(t), [2]string{system, machine}) {
				t.Errorf("there is no release for %s/%s", system, machine)
			}
		}
	}
	b := readRelease(t).Builds[0]
	if !slices.Contains(b.Flags, "-trimpath") || !slices.Contains(b.Env, "CGO_ENABLED=0") || b.ModTimestamp != "{{ .CommitTimestamp }}" {
		t.Errorf("a second build is another one: %+v", b)
	}
	if len(b.Ldflags) != 1 || !strings.Contains(b.Ldflags[0], "-X main.stamped={{ .Version }}") {
		t.Errorf("it has no version: %q", b.Ldflags)
	}
	for _, f := range readRelease(t).Archives[0].Files {
		if strings.HasPrefix(f.Src, "bin/extras/") { // made by extras.sh
			continue
		}
		if _, err := os.Stat(filepath.Join("../..", f.Src)); err != nil {
			t.Errorf("archives have %s: %v", f.Src, err)
		}
	}
}

// TestEveryTargetOfAReleaseBuilds compiles the program for each, as a release does, where XPLAN_TEST_CROSS asks for it:
// "all" of them, or one machine of each of the other "systems"; minutes, the first time. What runs here must say the version
// that it was given, wherever it was built.
func TestEveryTargetOfAReleaseBuilds(t *testing.T) {
	targets := releaseTargets(t)
	switch os.Getenv("XPLAN_TEST_CROSS") {
	case "":
		return // make cross
	case "systems":
		targets = slices.CompactFunc(targets, func(a, b [2]string) bool { return a[0] == b[0] })
		targets = slices.DeleteFunc(targets, func(a [2]string) bool { return a[0] == runtime.GOOS }) // the tests have built that
	}
	b := readRelease(t).Builds[0]
	const version = "1.2.3-rc.4"
	ldflags := strings.ReplaceAll(b.Ldflags[0], "{{ .Version }}", version)
	for _, target := range targets {
		program := filepath.Join(t.TempDir(), "xplan")
		args := append([]string{"build", "-o", program, "-ldflags", ldflags}, b.Flags...)
		steps := [][]string{append(args, b.Main)}
		if os.Getenv("XPLAN_TEST_CROSS") == "all" {
			steps = append(steps, []string{"vet", "-trimpath", "./cmd/xplan", "./state", "./internal/signed", "./internal/awsapi"})
		}
		for _, do := range steps {
			cmd := exec.CommandContext(t.Context(), "go", do...)
			cmd.Dir = "../.."
			cmd.Env = append(append(os.Environ(), b.Env...), "GOOS="+target[0], "GOARCH="+target[1])
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s/%s: go %s: %v\n%s", target[0], target[1], do[0], err, out)
			}
		}
		if target != [2]string{runtime.GOOS, runtime.GOARCH} || t.Failed() {
			continue
		}
		out, err := exec.CommandContext(t.Context(), program, "version").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "xplan "+version+" ") {
			t.Errorf("it says %q (%v)", out, err)
		}
		if text, err := os.ReadFile(program); err != nil || strings.Contains(string(text), filepath.Dir(filepath.Dir(mustGetwd(t)))) {
			t.Errorf("the program knows where it was built (%v)", err)
		}
	}
}

func mustGetwd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
