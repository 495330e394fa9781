package s3copy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// torn are limits under which ranges are split as often as they can be, at keys that
// the dice say: near the last one, near the end, in the middle of nowhere.
func torn(seed uint64) Limits {
	l := tiny()
	l.Listers, l.splitShare, l.splitLeast = 5, 1e9, 1e-9
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(seed, 3))
	l.guess = func(o outlook) guess {
		mu.Lock()
		defer mu.Unlock()
		if dice.IntN(3) == 0 {
			return o.guess()
		}
		ends := []string{"", "!", "0", "a", "a/", "b", "e", "z", "ä", "/", string(lastRune)}
		pivot := o.trail.last + ends[dice.IntN(len(ends))]
		if dice.IntN(2) == 0 {
			pivot = pivot[:dice.IntN(len(pivot)+1)] + ends[dice.IntN(len(ends))]
		}
		pivot = legalStart(strings.ToValidUTF8(pivot, "~"))
		if o.trail.done || pivot == "" || o.hi != "" && pivot >= o.hi {
			return guess{}
		}
		return guess{pivot: pivot, left: dice.Float64()} // even behind what is listed: too late is legal
	}
	return l
}

// partition fails the test where the ranges in a journal leave a key out or hold it twice.
func partition(t interface{ Errorf(string, ...any) }, ranges []Range, most int) {
	sorted := slices.SortedFunc(slices.Values(ranges), func(a, b Range) int { return strings.Compare(a.Bounds.After, b.Bounds.After) })
	at := ""
	for i, g := range sorted {
		end := i == len(sorted)-1
		if g.Bounds.After != at || (g.Bounds.Through == "") != end {
			t.Errorf("the ranges leave a gap, or overlap, at %q: %+v", at, sorted)
			return
		}
		if at = g.Bounds.Through; g.Done != "" && !g.Bounds.Holds(g.Done) {
			t.Errorf("the cursor of %+v is outside of it", g)
		}
	}
	if len(sorted) > most {
		t.Errorf("%d ranges are recorded, more than %d: %+v", len(sorted), most, sorted)
	}
}

// audited is a journal whose ranges are checked after every commit.
type audited struct {
	*journal
	t    interface{ Errorf(string, ...any) }
	most int
	max  *int
}

func (a audited) Commit(ctx context.Context, b Batch) error {
	err := a.journal.Commit(ctx, b)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.p.Ranges) > 0 {
		partition(a.t, a.p.Ranges, a.most)
		*a.max = max(*a.max, len(a.p.Ranges))
	}
	return err
}

// drawKeys draws so many keys that pages and ranges are worth splitting.
func drawKeys(t *rapid.T) []string {
	dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "keys"), 4))
	pieces := []string{"a", "b", "f", "0", "1", "9", "/", "-", "ä", "日", "\U0001f600", "\x01", "\x7f", "+", " ", "Z"}
	set := make(map[string]bool)
	for range rapid.IntRange(0, 150).Draw(t, "n") {
		var b strings.Builder
		for range 1 + dice.IntN(6) {
			b.WriteString(pieces[dice.IntN(len(pieces))])
		}
		set[b.String()] = true
	}
	var keys []string
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// drawSpace draws buckets of many keys, of which a part is at the destination already.
func drawSpace(t *rapid.T) world {
	src, dst, job := pair()
	prefixes := rapid.SampledFrom([]string{"", "p/", "p/q"})
	job.Prefix, job.ToPrefix = prefixes.Draw(t, "prefix"), prefixes.Draw(t, "to_prefix")
	w := world{src: src, dst: dst, job: job}
	w.job.Rules.Match = func(string) bool { return true }
	dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 5))
	share := dice.IntN(5) // of four keys are there
	for _, key := range drawKeys(t) {
		if dice.IntN(8) == 0 {
			w.dst.put(job.ToPrefix+key, "extra")
			w.want.Extra.Add(5)
			continue
		}
		key = job.Prefix + key
		o, count := w.src.put(key, "body of "+key), &w.want.Copied
		if dice.IntN(4) < share {
			w.dst.put(job.place(key), string(o.body))
			count = &w.want.Same
		}
		count.Add(o.Size)
		w.want.Listed.Add(o.Size)
	}
	var mu sync.Mutex
	sizes := func() int {
		mu.Lock()
		defer mu.Unlock()
		return dice.IntN(6) // 0 is an empty page that is truncated
	}
	src.page, dst.page = sizes, sizes
	return w
}

func TestEveryKeyIsSettledExactlyOnceWhateverTheSplits(t *testing.T) {
	split, most := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w := drawSpace(rt)
		var mu sync.Mutex
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "faults"), 2))
		flaky := func(op, _ string) error { // listings that fail and are throttled now and then, alone and in bursts
			mu.Lock()
			defer mu.Unlock()
			switch n := dice.IntN(20); {
			case op != "list" || n > 1:
				return nil
			case n == 1:
				return ErrThrottled
			}
			return errTorn
		}
		w.src.fault, w.dst.fault = flaky, flaky
		l := torn(rapid.Uint64().Draw(rt, "splits"))
		w.job.Journal = audited{w.job.Journal.(*journal), rt, l.Listers + 1, &most}
		var s Summary
		var err error
		synctest.Test(t, func(t *testing.T) {
			e, _ := New(l)
			s, err = e.Run(t.Context(), w.job)
		})
		if err != nil {
			if strings.Contains(err.Error(), errTorn.Error()) {
				return // a page that cannot be had at the fourth try ends a run, and this test
			}
			rt.Fatal(err)
		}
		w.check(rt, s.Tally)
		for key, n := range w.dst.copies {
			if n != 1 {
				rt.Fatalf("%q was copied %d times", key, n)
			}
		}
		split = max(split, most)
	})
	if split < 3 {
		t.Errorf("never more than %d ranges at once: this test shows nothing", split)
	}
}

func TestAnyCrashBetweenSplitsRepeatsNothingSettled(t *testing.T) {
	resumed := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := drawSpace(rt)
		j := w.job.Journal.(*journal)
		most := 0
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 12), 1, 5).Draw(rt, "crashes") {
			crash(t, torn(rapid.Uint64().Draw(rt, "splits")), w.job, n, w.src, w.dst)
			if len(j.p.Ranges) > 0 {
				partition(rt, j.p.Ranges, 30)
				resumed = max(resumed, len(j.p.Ranges))
			}
		}
		w.job.Journal = audited{j, rt, 30, &most}
		e, _ := New(torn(rapid.Uint64().Draw(rt, "splits")))
		s, err := e.Run(rt.Context(), w.job)
		if err != nil {
			rt.Fatal(err)
		}
		if len(j.p.Ranges) > 1 {
			rt.Fatalf("a finished job keeps the ranges %+v", j.p.Ranges)
		}
		s.Tally.Copied.Plus(s.Tally.Same) // what stood at a crash is found the same
		w.want.Copied.Plus(w.want.Same)
		s.Tally.Same, w.want.Same = Count{}, Count{}
		w.check(rt, s.Tally)
		for key, n := range w.dst.copies {
			if n != 1 {
				rt.Fatalf("%q was copied %d times", key, n)
			}
		}
	})
	if resumed < 2 {
		t.Errorf("a job of %d range was resumed at most: this test shows nothing", resumed)
	}
}

func TestScanOfSplitRangesSeedsEachOfThem(t *testing.T) {
	most := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := drawSpace(rt)
		e, _ := New(torn(rapid.Uint64().Draw(rt, "splits")))
		scan := w.job
		scan.Mode, scan.Journal, scan.StopAtFirst = Scan, nil, rapid.Bool().Draw(rt, "stop at first")
		slow := func(op, _ string) error {
			if op == "list" {
				time.Sleep(time.Millisecond) // whoever idles comes to split
			}
			return nil
		}
		w.src.fault, w.dst.fault = slow, slow
		var s Summary
		var err error
		synctest.Test(t, func(t *testing.T) { s, err = e.Run(t.Context(), scan) })
		w.src.fault, w.dst.fault = nil, nil
		if err != nil {
			rt.Fatal(err)
		}
		if s.Partial != (scan.StopAtFirst && w.want.Copied.Objects > 0) {
			rt.Fatalf("partial is %t, with %+v to copy", s.Partial, w.want.Copied)
		}
		if got := s.Tally.New; !s.Partial && (got != w.want.Copied || s.Tally.Same != w.want.Same || s.Tally.Extra != w.want.Extra) {
			rt.Fatalf("scanned %+v, want %+v", s.Tally, w.want)
		}
		if len(s.Seed.Ranges) > 0 {
			partition(rt, s.Seed.Ranges, 100)
			most = max(most, len(s.Seed.Ranges))
			if err := w.job.Journal.Commit(rt.Context(), s.Seed); err != nil {
				rt.Fatal(err)
			}
		}
		c, err := e.Run(rt.Context(), w.job)
		if err != nil {
			rt.Fatal(err)
		}
		w.check(rt, c.Tally)
	})
	if most < 2 {
		t.Errorf("never more than %d ranges were seeded: this test shows nothing", most)
	}
}

func TestSamplesAreTheSmallestKeysWhateverTheSplits(t *testing.T) {
	for seed := range uint64(20) {
		src, dst, job := pair()
		for i := range 200 {
			src.put(fmt.Sprintf("k%03d", i), strings.Repeat("x", 1+i%7))
			dst.put(fmt.Sprintf("x%03d", i), "extra")
		}
		src.page, dst.page = func() int { return 7 }, func() int { return 5 }
		job.Mode, job.Journal, job.Samples = Scan, nil, 3
		s := run1(t, torn(seed), job)
		var got []string
		for _, sample := range append(s.Samples["new"], s.Samples["extra"]...) {
			got = append(got, sample.Key)
		}
		if want := "k000 k001 k002 x000 x001 x002"; strings.Join(got, " ") != want || s.Largest.Key != "k006" || s.Classes["STANDARD"].Objects != 200 {
			t.Errorf("got %q, %+v, %+v, want %q", got, s.Largest, s.Classes, want)
		}
	}
}

func FuzzPivotLiesBetweenAndIsLegal(f *testing.F) {
	f.Add("a/000\na/001\na/002", "a/9", uint16(3), false)
	f.Add("logs/2024/01/01\nlogs/2024/01/02", "", uint16(1000), true)
	f.Add("日本\n日本語\n한국", "", uint16(9), false)
	f.Add("\x00\n\xff\n\U0010ffff", "", uint16(1), true)
	f.Fuzz(func(t *testing.T, joined, hi string, more uint16, empty bool) {
		keys := strings.Split(joined, "\n")
		slices.Sort(keys)
		var tr trail
		for i := 0; i < len(keys); i += 4 {
			tr.add(some(keys[i:min(i+4, len(keys))]...), 0)
		}
		if hi != "" && hi <= tr.last {
			return
		}
		if more%2 == 0 {
			tr.origin = mark{key: keys[0], keys: -int(more)}
		}
		g := outlook{trail: &tr, hi: hi, ahead: 1, far: float64(more), least: 1, empty: empty}.guess()
		if p := g.pivot; p != "" && (p <= tr.last || hi != "" && p >= hi || legalStart(p) != p || !(g.left > 0)) {
			t.Errorf("pivot %q, %v left, behind %q and before %q", p, g.left, tr.last, hi)
		}
	})
}
