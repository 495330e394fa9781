package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"xplan/internal/sandbox"
)

// A hundred is a plan of that many pairs: ten prefixes of one source, sources that share a destination, and pairs of their
// own. The first pair is the big one.
type hundred struct {
	*site
	pairs []hundredPair
}

type hundredPair struct{ source, prefix, destination, toPrefix string }

func newHundred(t *testing.T, pairs, big, small int) *hundred {
	t.Helper()
	h := &hundred{site: newSite(t)}
	h.user(t)
	for profile, account := range map[string]string{sandbox.SourceProfile: sandbox.SourceAccount, sandbox.DestinationProfile: sandbox.DestinationAccount} {
		id, secret := h.server.Admin(account)
		h.login(t, profile, id, secret)
	}
	var list strings.Builder
	made := map[string]bool{}
	for i := range pairs {
		p := hundredPair{source: fmt.Sprintf("source-of-pair-%03d", i), destination: fmt.Sprintf("destination-of-pair-%03d", i)}
		switch i % 4 {
		case 1: // many prefixes of one source
			p.source, p.prefix, p.toPrefix = "shared-source", fmt.Sprintf("logs/of/team-%03d/", i), fmt.Sprintf("team-%03d/", i)
		case 2: // many sources into one destination
			p.destination, p.toPrefix = "shared-destination", fmt.Sprintf("from/source-%03d/", i)
		}
		if !made[p.source] {
			h.bucket(t, sandbox.SourceAccount, p.source, sandbox.BucketOptions{})
			made[p.source] = true
		}
		n := small
		if i == 0 {
			n = big
		}
		for k := range n {
			must(t, h.server.PutObject(p.source, fmt.Sprintf("%s%02x/%05d", p.prefix, k%16, k), fmt.Appendf(nil, "%d of %d", k, i), sandbox.PutOptions{}))
		}
		fmt.Fprintf(&list, "  - {source: %s, destination: %s, prefix: %q, to_prefix: %q}\n", p.source, p.destination, p.prefix, p.toPrefix)
		h.pairs = append(h.pairs, p)
	}
	h.write(t, "plan.yaml", docsByUser+"buckets:\n"+list.String())
	return h
}

// areCopied wants every pair's objects at its destination, but for those of the pairs that are left out.
func (h *hundred) areCopied(t *testing.T, but ...int) {
	t.Helper()
	for i, p := range h.pairs {
		there := map[string]string{}
		for _, o := range h.server.Objects(p.destination) {
			there[o.Key] = o.MD5
		}
		missing := 0
		for _, o := range h.server.Objects(p.source) {
			if key, ok := strings.CutPrefix(o.Key, p.prefix); ok && there[p.toPrefix+key] != o.MD5 {
				missing++
			}
		}
		left := false
		for _, b := range but {
			left = left || b == i
		}
		if (missing > 0) != left {
			t.Errorf("pair %d, %+v: %d objects are missing", i, p, missing)
		}
	}
}

// pairsOfAPlan is how many pairs are tried: a few, or a hundred with XPLAN_TEST_PAIRS=100.
func pairsOfAPlan(t *testing.T) int {
	t.Helper()
	text := os.Getenv("XPLAN_TEST_PAIRS")
	if text == "" {
		return 24
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

// TestManyPairsInOnePlan reviews and applies a plan of a hundred pairs, or a few: its policy is split, its review stays
// readable, one pair that fails stops no other, and a run that is killed goes on.
func TestManyPairsInOnePlan(t *testing.T) {
	t.Parallel()
	n := pairsOfAPlan(t)
	h := newHundred(t, n, 20*n, 5)
	timed := func(what string, f func()) {
		begun := time.Now()
		f()
		t.Logf("%s: %s", what, time.Since(begun).Round(100*time.Millisecond))
	}
	timed("plan", func() {
		text := h.xplan(t, exitDone, "plan", "plan.yaml")
		t.Logf("the review has %d lines", strings.Count(text, "\n"))
		if parts := strings.Count(text, "+ iam.policy "); parts < 2 {
			t.Errorf("the policy is split into %d", parts)
		}
	})
	if text := h.xplan(t, exitDone, "plan", "plan.yaml", "--no-scan", "--format", "markdown"); len(text) > 60_000 {
		t.Errorf("a pull request's comment holds 65,536 characters, and this has %d bytes", len(text))
	}

	// The one that fails: its destination takes no copies. And the run is killed in the middle.
	const fails = 3
	heal := h.server.Inject(sandbox.Fault{
		Operation: "CopyObject", Bucket: h.pairs[fails].destination, Do: sandbox.FaultError, Status: 403, Code: "AccessDenied",
	})
	cmd := watching(h.command(t, "apply", "plan.yaml", "--yes"))
	h.server.Inject(sandbox.Fault{Operation: "CopyObject", Bucket: h.pairs[0].destination, Skip: 10 * n, Times: 1, Do: sandbox.FaultTear, Call: cmd.kill})
	if code, said := cmd.ends(t); code != -1 {
		t.Fatalf("it was to be killed: exit status %d\n%s", code, said)
	}
	before := h.server.Count("CopyObject")
	timed("apply, after kill -9 in the middle", func() { h.xplan(t, exitFailed, "apply", "plan.yaml", "--yes") })
	h.areCopied(t, fails)
	if again := h.server.Count("CopyObject") - before; again > 10*n+5*n {
		t.Errorf("%d copies were asked for after the kill", again)
	}
	heal()
	timed("apply, once that is mended", func() { h.xplan(t, exitDone, "apply", "plan.yaml", "--yes") })
	h.areCopied(t)
	nothingLeft(t, h.server)
}
