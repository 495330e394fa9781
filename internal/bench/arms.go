package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"xplan/internal/bench/null"
)

// An arm is a program that is measured.
type arm struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Command string `json:"command"` // as the table shows it
	path    string
	args    func(task) []string
	setUp   func(task) error // before a scenario; nil needs none
}

// A task is what an arm is given.
type task struct {
	endpoint string
	dir      string // for its files; empty at first
	inFlight int
	scenario scenario
}

// environment is what every arm gets: no settings of the user's.
func (t task) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.dir, "LANG=C.UTF-8", "PYTHONUTF8=1",
		"PYENV_VERSION=" + os.Getenv("PYENV_VERSION"), "PYENV_ROOT=" + os.Getenv("PYENV_ROOT"),
		"AWS_ACCESS_KEY_ID=null", "AWS_SECRET_ACCESS_KEY=null", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + filepath.Join(t.dir, "config"),
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(t.dir, "credentials"), "RCLONE_CONFIG=" + filepath.Join(t.dir, "rclone.conf"),
	}
}

// findArms gives the arms that are asked for, or all that are there.
func findArms(ctx context.Context, list, dir string) ([]arm, error) {
	var arms []arm
	asked := strings.Split(list, ",")
	if list == "" {
		asked = []string{"floor", "xplan", "s5cmd", "rclone", "rclone" + noHead, "aws"}
	}
	for _, name := range asked {
		a, err := findArm(ctx, name, dir)
		if err != nil && list != "" {
			return nil, err
		}
		if err == nil {
			arms = append(arms, a)
		}
	}
	return arms, nil
}

// noHead at the end of rclone's name has it look at no copy: it sends a HEAD after each otherwise.
const noHead = "-nohead"

func findArm(ctx context.Context, name, dir string) (arm, error) {
	name, path, given := strings.Cut(name, "=")
	var err error
	switch {
	case given:
	case name == "floor":
		path, err = os.Executable()
	case name == "xplan":
		path, err = build(ctx, dir)
	default:
		path, err = exec.LookPath(strings.TrimSuffix(name, noHead))
	}
	if err != nil {
		return arm{}, err
	}
	a := arm{Name: name, path: path}
	kind, _, _ := strings.Cut(name, "-")
	switch kind {
	case "floor":
		a.args, a.Command = floorArgs, "a bare loop over net/http, told the keys"
	case "xplan":
		a.args, a.setUp, a.Command = xplanArgs, xplanPlan, "xplan apply PLAN --yes --no-input --quiet, in_flight as given"
	case "s5cmd":
		a.args, a.Command = s5cmdArgs, "s5cmd --numworkers N sync"
		a.Version = version(ctx, path, "version")
	case "rclone":
		a.args, a.Command = rcloneArgs, "rclone sync --checksum --fast-list --s3-no-head --transfers N --checkers N"
		if strings.HasSuffix(name, noHead) {
			a.args = func(t task) []string {
				return append(rcloneArgs(t), "--s3-no-head-object", "--ignore-size", "--ignore-checksum")
			}
			a.Command += ", and --s3-no-head-object --ignore-size --ignore-checksum: it looks at no copy"
		}
		a.Version = version(ctx, path, "version")
	case "aws":
		a.args, a.setUp, a.Command = awsArgs, awsConfig, "aws s3 sync, max_concurrent_requests as given"
		a.Version = version(ctx, path, "--version")
	default:
		return arm{}, fmt.Errorf("arm %q is not known", name)
	}
	return a, nil
}

// version is the first line of what a program says.
func version(ctx context.Context, path, arg string) string {
	out, err := exec.CommandContext(ctx, path, arg).Output() //nolint:gosec // programs that were asked for
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

func floorArgs(t task) []string {
	args := []string{
		"floor", "-endpoint", t.endpoint, "-shape", t.scenario.Shape, "-keys", strconv.Itoa(t.scenario.Keys), "-in-flight", strconv.Itoa(t.inFlight),
	}
	if t.scenario.Filled {
		args = append(args, "-compare")
	}
	return args
}

func xplanArgs(t task) []string {
	return []string{"apply", filepath.Join(t.dir, "bench.xplan.yaml"), "--yes", "--no-input", "--quiet"}
}

// xplanPlan writes the plan of a copy on a server without accounts.
func xplanPlan(t task) error {
	account := fmt.Sprintf("    provider: s3-compatible\n    endpoint_url: %s\n    region: us-east-1\n", t.endpoint)
	text := "version: 1\nname: bench\naccounts:\n  source:\n" + account + "  destination:\n" + account +
		"permissions:\n  manage: false\nbuckets:\n  - source: " + null.Source + "\n    destination: " + null.Destination +
		fmt.Sprintf("\ncopy:\n  in_flight: %d\n", t.inFlight)
	return os.WriteFile(filepath.Join(t.dir, "bench.xplan.yaml"), []byte(text), 0o600)
}

func s5cmdArgs(t task) []string {
	return []string{
		"--endpoint-url", t.endpoint, "--numworkers", strconv.Itoa(t.inFlight), "--log", "error", "sync",
		"--source-region", "us-east-1", "--destination-region", "us-east-1", "s3://" + null.Source + "/*", "s3://" + null.Destination + "/",
	}
}

func rcloneArgs(t task) []string {
	n := strconv.Itoa(t.inFlight)
	remote := func(bucket string) string {
		return `:s3,provider=AWS,env_auth=true,region=us-east-1,force_path_style=true,no_check_bucket=true,no_head=true,endpoint="` + t.endpoint + `":` + bucket
	}
	return []string{"sync", remote(null.Source), remote(null.Destination), "--checksum", "--fast-list", "--transfers", n, "--checkers", n, "--quiet"}
}

func awsArgs(t task) []string {
	return []string{"--endpoint-url", t.endpoint, "s3", "sync", "s3://" + null.Source, "s3://" + null.Destination, "--only-show-errors"}
}

func awsConfig(t task) error {
	text := fmt.Sprintf("[default]\nregion = us-east-1\ns3 =\n  max_concurrent_requests = %d\n  addressing_style = path\n", t.inFlight)
	return os.WriteFile(filepath.Join(t.dir, "config"), []byte(text), 0o600)
}
