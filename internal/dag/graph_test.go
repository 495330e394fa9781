package dag

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func build(edges ...[2]string) *Graph[string] {
	g := New[string]()
	for _, e := range edges {
		g.Edge(e[0], e[1])
	}
	return g
}

func TestOrderKeepsTheOrderOfAddingWhereNothingElseDecides(t *testing.T) {
	g := New[string]()
	for _, k := range []string{"z", "m", "a", "k"} {
		g.Add(k)
	}
	g.Edge("k", "m")
	got, err := g.Order()
	if want := []string{"z", "a", "k", "m"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("order %v (%v), want %v", got, err, want)
	}
}

func TestAddingAndSayingTwiceChangesNothing(t *testing.T) {
	g := build([2]string{"a", "b"}, [2]string{"a", "b"})
	if g.Add("a") || g.Len() != 2 {
		t.Errorf("a was added twice: %v", g.Nodes())
	}
	if got := g.After("a"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("after a comes %v, want b once", got)
	}
	if got := g.Before("b"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("before b comes %v, want a once", got)
	}
	if g.Before("nobody") != nil || g.Has("nobody") {
		t.Error("an unknown node has neighbours")
	}
}

func TestACycleIsNamedWithItsPath(t *testing.T) {
	for name, c := range map[string]struct {
		edges [][2]string
		want  string
	}{
		"of one":            {[][2]string{{"a", "a"}}, "cycle: a → a"},
		"of two":            {[][2]string{{"b", "a"}, {"a", "b"}}, "cycle: a → b → a"},
		"behind a tail":     {[][2]string{{"x", "c"}, {"c", "b"}, {"b", "d"}, {"d", "c"}}, "cycle: b → d → c → b"},
		"beside a diamond":  {[][2]string{{"r", "s"}, {"r", "t"}, {"s", "u"}, {"t", "u"}, {"u", "v"}, {"v", "u"}}, "cycle: u → v → u"},
		"not first started": {[][2]string{{"a", "b"}, {"c", "d"}, {"d", "e"}, {"e", "c"}}, "cycle: c → d → e → c"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(c.edges...).Order()
			var cycle *CycleError[string]
			if !errors.As(err, &cycle) || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestADiamondHasNoCycle(t *testing.T) {
	g := build([2]string{"a", "b"}, [2]string{"a", "c"}, [2]string{"b", "d"}, [2]string{"c", "d"})
	if got := g.Cycle(); got != nil {
		t.Errorf("got cycle %v, want none", got)
	}
}

func TestTrackerEndsANodeOnceAndOnlyWhenReady(t *testing.T) {
	track, ready := build([2]string{"a", "c"}, [2]string{"b", "c"}).Track()
	if !slices.Equal(ready, []string{"a", "b"}) {
		t.Fatalf("ready at first %v, want a and b", ready)
	}
	if got := track.End("c"); got != nil || track.Open() != 3 {
		t.Errorf("c ended before it was ready: %v", got)
	}
	if got := track.End("a"); got != nil {
		t.Errorf("ready after a: %v, want none", got)
	}
	if got := track.End("a"); got != nil || track.Open() != 2 {
		t.Errorf("a ended twice: %v, %d open", got, track.Open())
	}
	if got := track.End("b"); !slices.Equal(got, []string{"c"}) {
		t.Errorf("ready after b: %v, want c", got)
	}
	if track.End("nobody") != nil || track.Open() != 1 {
		t.Error("an unknown node ended")
	}
}

// random draws a graph; half of them have edges in both directions.
func random(t *rapid.T) (*Graph[int], [][2]int) {
	n := rapid.IntRange(1, 12).Draw(t, "nodes")
	forwardOnly := rapid.Bool().Draw(t, "forwardOnly")
	g := New[int]()
	for i := range n {
		g.Add(i)
	}
	var edges [][2]int
	for range rapid.IntRange(0, 20).Draw(t, "edges") {
		a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
		if forwardOnly && a >= b {
			continue
		}
		g.Edge(a, b)
		edges = append(edges, [2]int{a, b})
	}
	return g, edges
}

func TestEitherAnOrderOrARealCycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, edges := random(t)
		order, err := g.Order()
		if cycle, ok := errors.AsType[*CycleError[int]](err); ok {
			p := cycle.Path
			if len(p) < 2 || p[0] != p[len(p)-1] {
				t.Fatalf("path %v is not closed", p)
			}
			for i := range len(p) - 1 {
				if !slices.Contains(edges, [2]int{p[i], p[i+1]}) {
					t.Fatalf("path %v follows an edge that is not there", p)
				}
			}
			return
		}
		if len(order) != g.Len() {
			t.Fatalf("order %v leaves nodes out of %d", order, g.Len())
		}
		for _, e := range edges {
			if slices.Index(order, e[0]) >= slices.Index(order, e[1]) {
				t.Fatalf("order %v breaks %v", order, e)
			}
		}
	})
}

func TestTrackingGivesEveryNodeOnceAfterItsPredecessors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, _ := random(t)
		if g.Cycle() != nil {
			return
		}
		track, ready := g.Track()
		ended := map[int]bool{}
		for len(ready) > 0 {
			at := rapid.IntRange(0, len(ready)-1).Draw(t, "at")
			k := ready[at]
			ready = slices.Delete(ready, at, at+1)
			for _, b := range g.Before(k) {
				if !ended[b] {
					t.Fatalf("%d was ready before %d ended", k, b)
				}
			}
			if ended[k] {
				t.Fatalf("%d was ready twice", k)
			}
			ended[k] = true
			ready = append(ready, track.End(k)...)
		}
		if len(ended) != g.Len() || track.Open() != 0 {
			t.Fatalf("%d of %d ended, %d open", len(ended), g.Len(), track.Open())
		}
	})
}
