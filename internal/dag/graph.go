package dag

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"
)

// A Graph holds nodes and edges between them. The zero value is not usable: see New.
// Not safe for concurrent use.
type Graph[K cmp.Ordered] struct {
	nodes []K       // in the order in which they were added
	index map[K]int // of a node in nodes
	next  [][]int   // what comes after a node
	prev  [][]int   // what comes before it
	edges map[[2]int]struct{}
}

// New returns an empty graph.
func New[K cmp.Ordered]() *Graph[K] {
	return &Graph[K]{index: map[K]int{}, edges: map[[2]int]struct{}{}}
}

// Add adds a node. Adding it again changes nothing; added tells whether it is new.
func (g *Graph[K]) Add(k K) (added bool) {
	if _, ok := g.index[k]; ok {
		return false
	}
	g.node(k)
	return true
}

// Edge says that after comes after before. Nodes that are missing are added;
// saying it twice changes nothing.
func (g *Graph[K]) Edge(before, after K) {
	from, to := g.node(before), g.node(after)
	if _, ok := g.edges[[2]int{from, to}]; ok {
		return
	}
	g.edges[[2]int{from, to}] = struct{}{}
	g.next[from] = append(g.next[from], to)
	g.prev[to] = append(g.prev[to], from)
}

func (g *Graph[K]) node(k K) int {
	if i, ok := g.index[k]; ok {
		return i
	}
	i := len(g.nodes)
	g.index[k] = i
	g.nodes = append(g.nodes, k)
	g.next = append(g.next, nil)
	g.prev = append(g.prev, nil)
	return i
}

// Has tells whether the node was added.
func (g *Graph[K]) Has(k K) bool {
	_, ok := g.index[k]
	return ok
}

// Len is the number of nodes.
func (g *Graph[K]) Len() int { return len(g.nodes) }

// Nodes returns the nodes in the order in which they were added.
func (g *Graph[K]) Nodes() []K { return slices.Clone(g.nodes) }

// Before returns the nodes right before k, in the order of their edges.
func (g *Graph[K]) Before(k K) []K { return g.keys(g.prev, k) }

// After returns the nodes right after k, in the order of their edges.
func (g *Graph[K]) After(k K) []K { return g.keys(g.next, k) }

func (g *Graph[K]) keys(of [][]int, k K) []K {
	i, ok := g.index[k]
	if !ok {
		return nil
	}
	ks := make([]K, 0, len(of[i]))
	for _, j := range of[i] {
		ks = append(ks, g.nodes[j])
	}
	return ks
}

// A CycleError says that nodes come after themselves.
type CycleError[K cmp.Ordered] struct {
	// Path goes round once: its last node is its first.
	Path []K
}

func (e *CycleError[K]) Error() string {
	var b strings.Builder
	for i, k := range e.Path {
		if i > 0 {
			b.WriteString(" → ")
		}
		fmt.Fprint(&b, k)
	}
	return "cycle: " + b.String()
}

// Order returns every node after all that come before it, or a *CycleError.
// Nodes that nothing orders stay in the order in which they were added.
func (g *Graph[K]) Order() ([]K, error) {
	left := make([]int, len(g.nodes))
	var ready indexes
	for i := range g.nodes {
		left[i] = len(g.prev[i])
		if left[i] == 0 {
			ready = append(ready, i)
		}
	}
	heap.Init(&ready)
	order := make([]K, 0, len(g.nodes))
	for ready.Len() > 0 {
		i := heap.Pop(&ready).(int)
		order = append(order, g.nodes[i])
		for _, j := range g.next[i] {
			if left[j]--; left[j] == 0 {
				heap.Push(&ready, j)
			}
		}
	}
	if len(order) < len(g.nodes) {
		return nil, &CycleError[K]{Path: g.Cycle()}
	}
	return order, nil
}

// indexes is a heap of node indexes, smallest first.
type indexes []int

func (h indexes) Len() int           { return len(h) }
func (h indexes) Less(i, j int) bool { return h[i] < h[j] }
func (h indexes) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *indexes) Push(x any)        { *h = append(*h, x.(int)) }
func (h *indexes) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
