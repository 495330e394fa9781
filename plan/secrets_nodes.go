package plan

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// scanNodes looks at the values as YAML means them: escaped, folded, or below a
// secret-like name.
func (d *redactor) scanNodes(root *yaml.Node, lines int) {
	s := nodeScan{redactor: d, next: nextLines(root, lines), seen: map[*yaml.Node]bool{}}
	s.node(root, scope{})
}

// nextLines tells for each node the line of the one that follows, up to where
// its text may reach.
func nextLines(root *yaml.Node, lines int) map[*yaml.Node]int {
	var all []*yaml.Node
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		all = append(all, n)
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(root)
	next := make(map[*yaml.Node]int, len(all))
	for i, n := range all {
		next[n] = lines
		if i+1 < len(all) {
			next[n] = all[i+1].Line
		}
	}
	return next
}

type nodeScan struct {
	*redactor
	next map[*yaml.Node]int
	seen map[*yaml.Node]bool // values that are covered
}

// A scope is what the names around a value say of it.
type scope struct {
	secret bool // below a secret-like name
	tags   bool // in a bucket's tags, whose names are free
}

func (s nodeScan) node(n *yaml.Node, in scope) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			s.node(key, scope{tags: in.tags})
			below := in
			below.secret = in.secret || secretName(key.Value)
			below.tags = in.tags || key.Value == "tags"
			if key.Value == "webhook_env" && strings.Contains(value.Value, "://") {
				s.found(value, "a webhook's URL")
				continue
			}
			s.node(value, below)
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			s.node(c, in)
		}
	case yaml.AliasNode:
		if in.secret && n.Alias.Kind == yaml.ScalarNode && !s.seen[n.Alias] {
			s.node(n.Alias, in)
		}
	default:
		s.scalar(n, in)
	}
}

func (s nodeScan) scalar(n *yaml.Node, in scope) {
	if n.Value == "" {
		return
	}
	for _, f := range s.forms {
		if f.pattern.MatchString(n.Value) {
			s.found(n, f.kind)
			return
		}
	}
	switch {
	case !in.secret:
	case !in.tags, len(n.Value) >= 40 && mixed(n.Value):
		s.found(n, "a secret, by its name")
	default:
		s.cover(n)
	}
}

func (s nodeScan) found(n *yaml.Node, kind string) {
	s.cover(n)
	for _, l := range s.leaks {
		if l.where.Line >= n.Line && l.where.Line <= s.next[n] {
			return // said already
		}
	}
	s.leak(at(n), kind, n.Value)
}

// cover hides all the lines that a value may reach over.
func (s nodeScan) cover(n *yaml.Node) {
	s.seen[n] = true
	s.hide(n.Line, n.Value)
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && !strings.ContainsAny(n.Value, " \n") && n.Style == 0 {
		return // a plain word stands on its line
	}
	for line := n.Line; line <= s.next[n]; line++ {
		s.lines[line] = true
	}
}
