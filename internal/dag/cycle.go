package dag

import (
	"cmp"
	"slices"
)

// Cycle returns one cycle as a path whose last node is its first, or nil. The
// path starts at its smallest node, so that the same cycle is always named alike.
func (g *Graph[K]) Cycle() []K {
	const (
		unseen = iota
		onPath
		finished
	)
	// A frame is a node on the path and the next of its edges to follow.
	type frame struct{ node, edge int }
	mark := make([]int, len(g.nodes))
	for start := range g.nodes {
		if mark[start] != unseen {
			continue
		}
		mark[start] = onPath
		path := []frame{{node: start}}
		for len(path) > 0 {
			top := &path[len(path)-1]
			if top.edge == len(g.next[top.node]) {
				mark[top.node] = finished
				path = path[:len(path)-1]
				continue
			}
			to := g.next[top.node][top.edge]
			top.edge++
			switch mark[to] {
			case unseen:
				mark[to] = onPath
				path = append(path, frame{node: to})
			case onPath:
				var ring []K
				for _, f := range path[slices.IndexFunc(path, func(f frame) bool { return f.node == to }):] {
					ring = append(ring, g.nodes[f.node])
				}
				return closed(ring)
			}
		}
	}
	return nil
}

// closed turns a ring so that its smallest node comes first, and repeats it at the end.
func closed[K cmp.Ordered](ring []K) []K {
	least := slices.Index(ring, slices.Min(ring))
	turned := append(slices.Clone(ring[least:]), ring[:least]...)
	return append(turned, turned[0])
}
