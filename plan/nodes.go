package plan

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Bounds on what a file may grow into. A plan of a thousand pairs stays far below.
const (
	maxDepth  = 32
	maxValues = 50_000
)

// A tree is a document as JSON values, with the place of each of them.
type tree struct {
	root  any
	marks map[string]mark
}

// A reader turns nodes into a tree. Aliases are followed and merge keys are
// merged; how much they may grow is bounded.
type reader struct {
	*report
	marks  map[string]mark
	bad    map[string]bool // pointers of what was refused here
	values int
	full   bool
	open   []*yaml.Node // what is being read: an alias to one of these never ends
}

func (r *reader) read(root *yaml.Node) tree {
	value := r.value("", mark{value: root})
	return tree{root: value, marks: r.marks}
}

func (r *reader) value(pointer string, m mark) any {
	if r.full {
		return nil
	}
	n := m.value
	if n.Kind == yaml.AliasNode {
		n = n.Alias
		m.value = n
	}
	if r.values++; r.values > maxValues {
		r.tooMany(pointer, m.name())
		return nil
	}
	r.marks[pointer] = m
	if slices.Contains(r.open, n) {
		r.circle(pointer, m.name(), n)
		return nil
	}
	if len(r.open) >= maxDepth {
		r.bad[pointer] = true
		r.problem(pointer, m.content(), fmt.Sprintf("nested more than %d levels deep", maxDepth), "")
		return nil
	}
	r.open = append(r.open, n)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	switch n.Kind {
	case yaml.MappingNode:
		return r.mapping(pointer, n)
	case yaml.SequenceNode:
		return r.sequence(pointer, n)
	default:
		return r.scalar(pointer, m)
	}
}

func (r *reader) sequence(pointer string, n *yaml.Node) any {
	r.tag(pointer, n, "!!seq")
	list := make([]any, 0, len(n.Content))
	for i, c := range n.Content {
		list = append(list, r.value(item(pointer, i), mark{value: c}))
	}
	return list
}

func (r *reader) mapping(pointer string, n *yaml.Node) any {
	r.tag(pointer, n, "!!map")
	own := map[string]mark{}
	names := r.fields(pointer, n, own)
	fields := make(map[string]any, len(names))
	for _, name := range names {
		fields[name] = r.value(child(pointer, name), own[name])
	}
	return fields
}

// fields collects a mapping's own fields and then those that merge keys add to
// them, in order.
func (r *reader) fields(pointer string, n *yaml.Node, into map[string]mark) (names []string) {
	first := map[string]int{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			merges = append(merges, value)
			continue
		}
		name, ok := r.key(pointer, key)
		if !ok {
			continue
		}
		if line, twice := first[name]; twice {
			r.problem(child(pointer, name), at(key), "the field "+r.quote(name)+" stands here twice",
				"first on line "+strconv.Itoa(line))
			continue
		}
		first[name] = key.Line
		if _, ours := into[name]; !ours {
			into[name] = mark{key: key, value: value}
			names = append(names, name)
		}
	}
	for _, m := range merges {
		names = append(names, r.merge(pointer, m, into)...)
	}
	return names
}

// key is a field's name. Numbers, lists, null and the like are no names.
func (r *reader) key(pointer string, where *yaml.Node) (string, bool) {
	key := where
	if key.Kind == yaml.AliasNode {
		key = key.Alias
	}
	if tag := key.ShortTag(); key.Kind == yaml.ScalarNode && (tag == "!!str" || tag == "!!timestamp") {
		return key.Value, true
	}
	hint := ""
	if key.Kind == yaml.ScalarNode {
		hint = "to use it as a name, write it in quotes: " + r.quote(key.Value)
	}
	r.problem(pointer, at(where), "a field's name cannot be "+kindOf(key), hint)
	return "", false
}

// merge adds the fields of a merge key's mapping, or list of mappings, that
// are not there yet.
func (r *reader) merge(pointer string, n *yaml.Node, into map[string]mark) []string {
	from := n
	if n.Kind == yaml.AliasNode {
		from = n.Alias
	}
	if r.values++; r.full || r.values > maxValues || len(r.open) >= maxDepth {
		r.tooMany(pointer, at(n))
		return nil
	}
	if slices.Contains(r.open, from) {
		r.circle(pointer, at(n), from)
		return nil
	}
	r.open = append(r.open, from)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	switch from.Kind {
	case yaml.MappingNode:
		r.values += len(from.Content) / 2
		return r.fields(pointer, from, into)
	case yaml.SequenceNode:
		var names []string
		for _, c := range from.Content {
			names = append(names, r.merge(pointer, c, into)...)
		}
		return names
	default:
		r.problem(pointer, at(n), "a merge key wants a mapping, such as *name", "")
		return nil
	}
}

func (r *reader) tooMany(pointer string, where Position) {
	if !r.full {
		r.problem(pointer, where, fmt.Sprintf("the plan grows to more than %d values", maxValues),
			"a plan has a few hundred; an alias repeats all that its anchor holds")
	}
	r.full = true
}

func (r *reader) circle(pointer string, where Position, n *yaml.Node) {
	r.bad[pointer] = true
	r.problem(pointer, where, "the anchor "+r.quote(n.Anchor)+" holds an alias to itself", "")
}

// tag refuses what is not plainly a mapping or a list.
func (r *reader) tag(pointer string, n *yaml.Node, want string) {
	if tag := n.ShortTag(); tag != want {
		r.strangeTag(pointer, n, tag)
	}
}

func (r *reader) strangeTag(pointer string, n *yaml.Node, tag string) {
	r.bad[pointer] = true
	r.problem(pointer, at(n), "the YAML tag "+r.quote(tag)+" has no place in a plan", "")
}

func (r *reader) scalar(pointer string, m mark) any {
	n := m.value
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp":
		return n.Value
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		return number(n.Value)
	case "!!float":
		if f, err := strconv.ParseFloat(strings.ReplaceAll(n.Value, "_", ""), 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
		return n.Value
	default:
		r.strangeTag(pointer, n, tag)
		return n.Value
	}
}

// number reads YAML's integers; what does not fit, or is none, stays text.
func number(s string) any {
	plain := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(plain, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		return f
	}
	return s
}

func at(n *yaml.Node) Position { return Position{max(1, n.Line), max(1, n.Column)} }

// kindOf says in words what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return kindOf(n.Alias)
	default:
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "true or false"
	case "!!int":
		return "a number"
	case "!!float":
		if strings.Trim(n.Value, "0123456789.eE+-_") != "" {
			return n.Value // .inf, .nan
		}
		return "a fraction"
	default:
		return "text"
	}
}
