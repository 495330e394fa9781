package dag

import "cmp"

// A Tracker follows which nodes are ready: those all of whose predecessors have
// ended. Not safe for concurrent use.
type Tracker[K cmp.Ordered] struct {
	g     *Graph[K]
	left  []int
	ended []bool
	open  int
}

// Track starts a tracker, and returns with it the nodes that are ready now, in
// the order in which they were added. The graph must not change while it is tracked.
// In a graph with a cycle the cycle's nodes never become ready.
func (g *Graph[K]) Track() (*Tracker[K], []K) {
	t := &Tracker[K]{g: g, left: make([]int, len(g.nodes)), ended: make([]bool, len(g.nodes)), open: len(g.nodes)}
	var ready []K
	for i, k := range g.nodes {
		t.left[i] = len(g.prev[i])
		if t.left[i] == 0 {
			ready = append(ready, k)
		}
	}
	return t, ready
}

// End says that a node has ended, and returns the nodes that are ready by it.
// Ending a node that is unknown, not ready or ended already does nothing.
func (t *Tracker[K]) End(k K) []K {
	i, ok := t.g.index[k]
	if !ok || t.ended[i] || t.left[i] > 0 {
		return nil
	}
	t.ended[i] = true
	t.open--
	var ready []K
	for _, j := range t.g.next[i] {
		if t.left[j]--; t.left[j] == 0 {
			ready = append(ready, t.g.nodes[j])
		}
	}
	return ready
}

// Open is the number of nodes that have not ended.
func (t *Tracker[K]) Open() int { return t.open }
