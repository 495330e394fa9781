package state

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const crashVariable = "XPLAN_TEST_CRASH"

// TestKilledWriter is the child of the test below: several writers commit for
// ever, and each says on stdout what it was told to be durable.
func TestKilledWriter(t *testing.T) {
	dir := os.Getenv(crashVariable)
	if dir == "" {
		return // run by itself there is nothing to do: the other test asserts
	}
	db, err := Open(dir, "tommy")
	must(t, err)
	var wg sync.WaitGroup
	for w := range 4 {
		p, err := db.Progress("job")
		must(t, err)
		n := 0
		for _, r := range p.Ranges {
			if r.ID == uint64(w) {
				n, err = strconv.Atoi(r.Done)
				must(t, err)
			}
		}
		wg.Go(func() {
			for {
				n++
				must(t, db.Commit("job", Batch{
					Ranges:   []Range{{ID: uint64(w), Done: fmt.Sprint(n)}},
					Add:      Tally{Listed: Count{1, 1}, Failed: Count{1, 1}},
					Failures: []Failure{{Key: fmt.Sprintf("%d/%d", w, n%50), Reason: strings.Repeat("why ", n%200)}},
				}))
				fmt.Fprintf(os.Stderr, "durable %d %d\n", w, n)
			}
		})
	}
	wg.Wait()
}

func TestAKilledProcessLosesNothingThatItWasToldToBeDurable(t *testing.T) {
	dir := t.TempDir()
	for kill := range 6 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWriter$")
		child.Env = append(os.Environ(), crashVariable+"="+dir)
		pipe, err := child.StderrPipe()
		must(t, err)
		must(t, child.Start())
		durable := map[uint64]int{}
		lines := bufio.NewScanner(pipe)
		for seen := 0; lines.Scan(); seen++ {
			var w uint64
			var n int
			if _, err := fmt.Sscanf(lines.Text(), "durable %d %d", &w, &n); err != nil {
				t.Fatalf("child: %s", lines.Text())
			}
			durable[w] = n
			if seen == 20+37*kill {
				must(t, child.Process.Kill()) // what is still in the pipe is read to its end
			}
		}
		if child.Wait() == nil {
			t.Fatal("the child was not killed")
		}
		checkCrashed(t, dir, durable)
	}
}

func checkCrashed(t *testing.T, dir string, durable map[uint64]int) {
	t.Helper()
	db, err := Open(dir, "tommy")
	must(t, err)
	defer db.Close()
	p, err := db.Progress("job")
	must(t, err)
	total := 0
	for _, r := range p.Ranges {
		n, err := strconv.Atoi(r.Done)
		must(t, err)
		if n < durable[r.ID] {
			t.Errorf("range %d is at %d, and %d was durable", r.ID, n, durable[r.ID])
		}
		total += n
	}
	if p.Tally.Listed.Objects != int64(total) || len(durable) == 0 {
		t.Errorf("the tally counts %d, the ranges %d", p.Tally.Listed.Objects, total)
	}
	// Ranges of this test overlap by design; their records must hang together all the same.
	for _, err := range db.Check() {
		if !strings.Contains(err.Error(), "overlap") {
			t.Errorf("check: %v", err)
		}
	}
}
