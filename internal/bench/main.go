package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"xplan/internal/bench/floor"
	"xplan/internal/bench/null"
)

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatalln("bench:", err)
	}
}

func run(ctx context.Context, args []string, progress io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			return serve(ctx, args[1:], progress)
		case "floor":
			return runFloor(ctx, args[1:])
		}
	}
	return measure(ctx, args, progress)
}

// options are the flags of a measurement.
type options struct {
	scenarios, arms string
	keys            int
	rounds          int
	inFlight        int
	list, copy      time.Duration
	timeout         time.Duration
	out, name       string
	note            string
	commit          string
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.scenarios, "scenarios", "", "comma-separated, a final * takes all that begin so; all by default: "+strings.Join(names(scenarios(options{})), ", "))
	f.StringVar(&o.arms, "arms", "", "comma-separated: floor, xplan, s5cmd, rclone, rclone-nohead, aws; all that are found by default. xplan-old=PATH is another build of one")
	f.IntVar(&o.keys, "keys", 20_000, "keys of a scenario; some take fewer")
	f.IntVar(&o.rounds, "rounds", 1, "rounds; every arm runs once in each")
	f.IntVar(&o.inFlight, "in-flight", 256, "requests in flight, for every arm that can be told")
	f.DurationVar(&o.list, "list", 80*time.Millisecond, "latency of a listing's page")
	f.DurationVar(&o.copy, "copy", 30*time.Millisecond, "latency of a copy; half of it for a HEAD")
	f.DurationVar(&o.timeout, "timeout", 3*time.Minute, "for one arm on one scenario")
	f.StringVar(&o.out, "out", filepath.Join("docs", "benchmarks"), "folder of the tables; - writes none")
	f.StringVar(&o.name, "name", "", "of the files; the commit by default")
	f.StringVar(&o.commit, "commit", "", "that xplan was built from, where it is not the work tree's")
	f.StringVar(&o.note, "note", "", "a sentence for the top of the table")
	return o, f.Parse(args)
}

// measure runs scenarios and writes the tables.
func measure(ctx context.Context, args []string, progress io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "xplan-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, progress: progress}
	if b.arms, err = findArms(ctx, o.arms, dir); err != nil {
		return err
	}
	chosen, err := choose(scenarios(o), o.scenarios)
	if err != nil {
		return err
	}
	report := describe(ctx, o, b.arms, args)
	for _, s := range chosen {
		results, err := b.scenario(ctx, s)
		if err != nil {
			return fmt.Errorf("scenario %s: %w", s.Name, err)
		}
		report.Scenarios = append(report.Scenarios, measured{s, results})
		if err := report.text(progress, s, results); err != nil {
			return err
		}
	}
	if o.out == "-" {
		return nil
	}
	return report.write(o.out)
}

// runFloor is the floor as a process of its own, so that it is measured as the others are.
func runFloor(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("floor", flag.ContinueOnError)
	endpoint := f.String("endpoint", "", "of the server")
	shape := f.String("shape", null.Hex, "of the keys")
	n := f.Int("keys", 0, "how many")
	inFlight := f.Int("in-flight", 256, "requests")
	compare := f.Bool("compare", false, "list and compare instead of copying")
	if err := f.Parse(args); err != nil {
		return err
	}
	keys, err := null.NewNamespace(*shape, *n, null.Sizes{})
	if err != nil {
		return err
	}
	c := floor.New(*endpoint, null.Source, null.Destination, *inFlight)
	if *compare {
		_, err := c.Compare(ctx, keys)
		return err
	}
	return c.Copy(ctx, keys)
}

// serve runs the server alone. /-/stats tells what it saw, /-/reset begins anew, /-/fill fills the destination.
func serve(ctx context.Context, args []string, progress io.Writer) error {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	address := f.String("address", "127.0.0.1:0", "loopback address; port 0 takes a free one")
	shape := f.String("shape", null.Hex, "of the keys: "+strings.Join(null.Shapes(), ", "))
	n := f.Int("keys", 100_000, "how many")
	filled := f.Bool("filled", false, "the destination has all keys already")
	var sizes null.Sizes
	f.Int64Var(&sizes.Small, "size", 1000, "bytes of an object")
	f.Int64Var(&sizes.Large, "large", 0, "bytes of a large object")
	f.IntVar(&sizes.LargeEvery, "large-every", 0, "each so-many-th object is large")
	var cfg null.Config
	f.DurationVar(&cfg.Latency.List, "list", 0, "latency of a listing's page")
	f.DurationVar(&cfg.Latency.Copy, "copy", 0, "latency of a copy")
	f.DurationVar(&cfg.Latency.Other, "other", 0, "latency of a HEAD, and of all else about an object")
	f.Float64Var(&cfg.CopyRate, "copy-rate", 0, "copies a second that each first path segment takes")
	f.Float64Var(&cfg.Faults.Unavailable, "slow-down", 0, "share of requests answered 503")
	f.Float64Var(&cfg.Faults.Internal, "internal", 0, "share of requests answered 500")
	f.Float64Var(&cfg.Faults.Torn, "torn", 0, "share of connections that end instead of answering")
	f.Uint64Var(&cfg.Faults.Seed, "seed", 1, "of the faults")
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if cfg.Keys, err = null.NewNamespace(*shape, *n, sizes); err != nil {
		return err
	}
	s, err := null.Start(ctx, *address, cfg)
	if err != nil {
		return err
	}
	if *filled {
		s.Fill(nil)
	}
	if _, err := fmt.Fprintln(progress, s.URL()); err != nil {
		return err
	}
	<-ctx.Done()
	return s.Close()
}

// build makes xplan's program.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "xplan")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "xplan/cmd/xplan").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build xplan: %w\n%s", err, out)
	}
	return path, nil
}
