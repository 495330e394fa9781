package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"xplan/internal/bench/null"
)

// A report is a measurement with all that a reader needs to judge it.
type report struct {
	Commit    string     `json:"commit"`
	Date      string     `json:"date"`
	Machine   string     `json:"machine"`
	Go        string     `json:"go"`
	Command   string     `json:"command"`
	Note      string     `json:"note,omitempty"`
	InFlight  int        `json:"in_flight"`
	Arms      []arm      `json:"arms"`
	Scenarios []measured `json:"scenarios"`
	name      string
}

type measured struct {
	scenario
	Results []result `json:"results"`
}

func describe(ctx context.Context, o options, arms []arm, args []string) *report {
	commit := says(ctx, "git", "rev-parse", "--short=12", "HEAD")
	if says(ctx, "git", "status", "--porcelain", "--", "cmd", "executor", "internal/awsapi", "internal/s3copy", "internal/runner", "state") != "" {
		commit += " with changes"
	}
	commit = cmp.Or(o.commit, commit)
	r := &report{
		Commit: commit, Date: time.Now().UTC().Format(time.DateOnly), Machine: machine(), Go: runtime.Version(),
		Command: strings.TrimSpace("go run ./internal/bench " + withoutPaths(args)), Note: o.note, InFlight: o.inFlight, Arms: arms,
	}
	r.name = cmp.Or(o.name, r.Date+"-"+strings.Fields(commit + " unknown")[0])
	return r
}

// withoutPaths gives the arguments as others can use them.
func withoutPaths(args []string) string {
	words := slices.Clone(args)
	for i, w := range words {
		arms := strings.Split(w, ",")
		for j, a := range arms {
			if name, path, ok := strings.Cut(a, "="); ok && strings.ContainsRune(path, filepath.Separator) {
				arms[j] = name + "=…"
			}
		}
		words[i] = strings.Join(arms, ",")
	}
	for i := range len(words) - 1 {
		if words[i] == "-out" {
			words = slices.Delete(words, i, i+2)
			break
		}
	}
	return strings.Join(words, " ")
}

// says gives what a program says, or nothing.
func says(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// machine describes the processor, as far as it tells.
func machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(b), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			model = strings.TrimSpace(strings.TrimLeft(line, "\t :"))
		}
	}
	return fmt.Sprintf("%d × %s, %s, the server on the same cores", runtime.NumCPU(), model, runtime.GOOS)
}

// write makes the table and the raw figures.
func (r *report) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documents for everybody
		return err
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := r.markdown(&b); err != nil {
		return err
	}
	path := filepath.Join(dir, r.name)
	return errors.Join(
		os.WriteFile(path+".json", append(raw, '\n'), 0o644), //nolint:gosec // documents for everybody
		os.WriteFile(path+".md", []byte(b.String()), 0o644),  //nolint:gosec // documents for everybody
	)
}

func (r *report) markdown(w io.Writer) error {
	var head strings.Builder
	fmt.Fprintf(&head, "# Measured at %s\n\n", r.Commit)
	if r.Note != "" {
		head.WriteString(r.Note + "\n\n")
	}
	fmt.Fprintf(&head, "- date %s, %s, %s\n- `%s`\n- %d requests in flight for every arm that can be told\n", r.Date, r.Machine, r.Go, r.Command, r.InFlight)
	for _, a := range r.Arms {
		fmt.Fprintf(&head, "- %s: `%s` %s\n", a.Name, a.Command, a.Version)
	}
	head.WriteString("\nThe wall time is the median of the rounds; CPU is user and system time of the client's process per object of the source; " +
		"requests are per object, LIST per 1,000 keys of each side. Lost: objects that the destination lacks at the end. Doubled: objects written more than once.\n")
	if _, err := io.WriteString(w, head.String()); err != nil {
		return err
	}
	for _, m := range r.Scenarios {
		if err := r.text(w, m.scenario, m.Results); err != nil {
			return err
		}
	}
	return nil
}

// text writes one scenario's table.
func (r *report) text(w io.Writer, s scenario, results []result) error {
	keys := 0
	if len(results) > 0 {
		keys = int(results[0].Stats.Keys)
	}
	var t strings.Builder
	fmt.Fprintf(&t, "\n## %s: %s\n\n%d keys (%s)", s.Name, s.About, keys, s.Shape)
	if s.Latency != (null.Latency{}) {
		fmt.Fprintf(&t, ", a page takes %v, a copy %v, a HEAD %v", s.Latency.List, s.Latency.Copy, s.Latency.Other)
	}
	if bound := s.floor(r.InFlight, keys); bound > 0 {
		fmt.Fprintf(&t, "; the copies alone take %.2f s at least", bound.Seconds())
	}
	t.WriteString(".\n\n| arm | wall s | CPU µs an object | peak MB | LIST per 1,000 keys, source / destination | COPY | HEAD | 503 | most in flight | connections | lost | doubled | exit |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, a := range r.Arms {
		mine := slices.DeleteFunc(slices.Clone(results), func(x result) bool { return x.Arm != a.Name })
		if len(mine) > 0 {
			t.WriteString(row(a.Name, s, mine))
		}
	}
	for _, x := range results {
		if x.Words != "" && x.Round == 0 {
			fmt.Fprintf(&t, "\n%s said: `%s`\n", x.Arm, shorten(x.Words))
		}
	}
	_, err := io.WriteString(w, t.String())
	return err
}

const wordsMost = 240

func shorten(s string) string {
	s = strings.ToValidUTF8(strings.NewReplacer("\n", " ", "`", "'", "\t", " ").Replace(s), "?")
	if len(s) > wordsMost {
		s = strings.ToValidUTF8(s[len(s)-wordsMost:], "")
	}
	return s
}

func row(name string, s scenario, mine []result) string {
	slices.SortFunc(mine, func(a, b result) int { return cmp.Compare(a.Wall, b.Wall) })
	m := mine[len(mine)/2]
	st := m.Stats
	objects := float64(max(st.Keys, 1))
	if s.Kill && m.First != nil {
		objects = max(1, float64(st.Keys-m.First.Present)) // what was left to do
	}
	wall := fmt.Sprintf("%.2f", m.Wall.Seconds())
	if len(mine) > 1 {
		wall += fmt.Sprintf(" (%.2f–%.2f)", mine[0].Wall.Seconds(), mine[len(mine)-1].Wall.Seconds())
	}
	per := func(kinds ...null.Kind) string {
		n := int64(0)
		for _, k := range kinds {
			n += st.Requests[k.String()]
		}
		return fmt.Sprintf("%.3g", float64(n)/objects)
	}
	lists := func(k null.Kind) string {
		return fmt.Sprintf("%.2f", 1000*float64(st.Requests[k.String()])/float64(max(st.Keys, 1)))
	}
	return fmt.Sprintf("| %s | %s | %.1f | %d | %s / %s | %s | %s | %.3g | %d | %d | %d | %d | %s |\n",
		name, wall, float64(m.CPU.Microseconds())/objects, m.PeakRSS>>20, lists(null.ListSource), lists(null.ListDestination),
		per(null.Copy, null.PartCopy), per(null.Head), float64(st.Throttled)/objects, max(st.PeakCopies, st.PeakLists), st.Connections,
		st.Keys-st.Present, st.Doubled, m.Exit)
}
