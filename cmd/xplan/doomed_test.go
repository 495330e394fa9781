package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xplan/internal/sandbox"
)

// A death is where a run dies: after a write to state, before a request that would change something, or after it, with
// the answer lost. On a full disk it ends by itself.
type death struct {
	where string // "write", "full", "before" or "after"
	n     int    // which, from 1
}

// The ways on.
const (
	byResume = "resume"
	byApply  = "apply"
	byLoss   = "lost" // the state's folder is gone, and the plan is applied
)

// survives lets a run die, goes on, and compares the end with the undisturbed one's. It tells whether the run got there at all.
func survives(t *testing.T, plan string, at death, onward, end string) (died bool) {
	t.Helper()
	d := newDoomed(t, plan)
	if died = d.dies(t, at); !died {
		return false
	}
	d.busy.Wait()
	there, seen := d.arrived(), len(d.server.Requests())
	if onward == byLoss {
		must(t, os.RemoveAll(filepath.Join(d.dir, ".xplan")))
	}
	d.goesOn(t, onward)
	for _, r := range d.server.Requests()[seen:] {
		if key := r.Bucket + "/" + r.Key; there[key] && (r.Operation == "CopyObject" || r.Operation == "CompleteMultipartUpload") {
			t.Errorf("%s was there, and was copied again", key)
		}
	}
	if got := d.ending(); got != end {
		t.Errorf("the world ended otherwise:\n%s", differing(end, got))
	}
	d.isOver(t)
	close(d.wrong)
	for w := range d.wrong {
		t.Error(w)
	}
	return true
}

// dies runs the plan until it is dead, or over because there was no such moment.
func (d *doomed) dies(t *testing.T, at death) bool {
	t.Helper()
	cmd := watching(d.apply(t))
	switch at.where {
	case "write":
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%s:%d", writesVariable, filepath.Join(d.dir, "writes"), at.n))
	case "full":
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%s:%d:full", writesVariable, filepath.Join(d.dir, "writes"), at.n))
	default:
		heal := d.server.Inject(sandbox.Fault{
			Writes: true, Skip: at.n - 1, Times: 1, Do: sandbox.FaultTear, AfterEffect: at.where == "after",
			Call: cmd.kill,
		})
		defer heal()
	}
	code, said := cmd.ends(t)
	if at.where == "full" && code != exitDone {
		if n := strings.Count(said, "no space left"); code != exitError || n != 2 || !strings.Contains(said, "make room") { // ours, and the system's
			t.Errorf("on a full disk: exit status %d, told %d times\n%s", code, n, said)
		}
		return true
	}
	if code != -1 && code != exitDone {
		t.Fatalf("before it died: exit status %d\n%s", code, said)
	}
	return code == -1
}

// goesOn resumes the run, or applies the plan again, once.
func (d *doomed) goesOn(t *testing.T, onward string) {
	t.Helper()
	cmd := d.apply(t)
	switch onward {
	case byResume:
		cmd = d.command(t, "resume", "--confirm=tommy", "--confirm=logs-b")
	case byLoss: // its lease would have to run out first
		cmd.Args = append(cmd.Args, "--take-over")
	}
	code, said := ends(t, cmd)
	if onward == byResume && code == exitUsage && strings.Contains(said, "no run") { // it had not begun, or it had ended
		code, said = ends(t, d.apply(t))
	}
	if code != exitDone {
		t.Errorf("%s: exit status %d\n%s", onward, code, said)
	}
}

// isOver wants a plan that finds nothing to do, and a sound state in which nothing is recorded as left.
func (d *doomed) isOver(t *testing.T) {
	t.Helper()
	before := d.server.MutationCount()
	code, said := ends(t, d.apply(t))
	if n := d.server.MutationCount() - before; code != exitDone || !strings.Contains(said, "No changes") || n > 0 {
		t.Errorf("applied again it asked for %d changes, exit status %d\n%s", n, code, said)
	}
	if code, said := ends(t, d.command(t, "state", "check", "plan.yaml")); code != exitDone || strings.Contains(said, "still there") {
		t.Errorf("the state in the end: exit status %d\n%s", code, said)
	}
}

// differing are the lines that only one of two texts has.
func differing(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	only := func(sign string, a, b []string, to *strings.Builder) {
		has := map[string]int{}
		for _, l := range b {
			has[l]++
		}
		for _, l := range a {
			if has[l]--; has[l] < 0 {
				fmt.Fprintf(to, "%s %s\n", sign, l)
			}
		}
	}
	only("-", w, g, &b)
	only("+", g, w, &b)
	return b.String()
}

// TestARunSurvivesItsDeathAtEveryPoint counts the points of an undisturbed run, and has one die at each: at a sample of
// them, XPLAN_TEST_SEED names it, or at all with XPLAN_TEST_CRASHES=all.
func TestARunSurvivesItsDeathAtEveryPoint(t *testing.T) {
	t.Parallel()
	diesEverywhere(t, doomedPlan, 24)
}

// cutOverPlan freezes both sources on its way, and deletes one of them.
var cutOverPlan = strings.Replace(doomedPlan, "\ncopy:", "\ncutover: {passes: 2, freeze: true}\ncopy:", 1)

// TestACutOverSurvivesItsDeathAtEveryPoint is the same of a plan that freezes: whatever happens, nothing is frozen in the end.
func TestACutOverSurvivesItsDeathAtEveryPoint(t *testing.T) {
	t.Parallel()
	diesEverywhere(t, cutOverPlan, 12)
}

// diesEverywhere has runs of the plan die, at all points or at a sample of them.
func diesEverywhere(t *testing.T, plan string, most int) {
	t.Helper()
	end, writes, requests := undisturbed(t, plan)
	t.Logf("an undisturbed run writes state %d times, and asks for %d changes", writes, requests)
	if strings.Contains(end, "XplanFreeze") {
		t.Fatalf("an undisturbed run leaves a freeze:\n%s", end)
	}
	var all []death
	for n := range writes {
		all = append(all, death{"write", n + 1}, death{"full", n + 1})
	}
	for n := range requests {
		all = append(all, death{"before", n + 1}, death{"after", n + 1})
	}
	ways := []string{byResume, byApply, byLoss}
	if os.Getenv("XPLAN_TEST_CRASHES") != "all" {
		all = sample(t, all, most)
	}
	var points, over atomic.Int64
	t.Run("deaths", func(t *testing.T) {
		for i, at := range all {
			for j, onward := range ways {
				if os.Getenv("XPLAN_TEST_CRASHES") != "all" && i%len(ways) != j {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/%s", at.where, at.n, onward), func(t *testing.T) {
					t.Parallel()
					if survives(t, plan, at, onward, end) {
						points.Add(1)
					} else {
						over.Add(1)
					}
				})
			}
		}
	})
	t.Logf("%d deaths survived; %d runs were over before", points.Load(), over.Load())
}

func sample(t *testing.T, all []death, n int) []death {
	t.Helper()
	seed := time.Now().UnixNano()
	if s := os.Getenv("XPLAN_TEST_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseInt(s, 10, 64)
		must(t, err)
	}
	t.Logf("XPLAN_TEST_SEED=%d", seed)
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}
