package plan

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Position is a place in a plan file; both count from 1, columns in characters.
type Position struct {
	Line   int
	Column int
}

// Position says where the value of a JSON pointer such as "/buckets/0/source"
// was written. A field that the file leaves out answers with the nearest thing
// around it; a plan that was not read from a file answers with zero.
func (p *Plan) Position(pointer string) Position {
	for {
		if at, ok := p.Positions[pointer]; ok {
			return at
		}
		if pointer == "" {
			return Position{}
		}
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
	}
}

// A mark holds the nodes that a JSON pointer leads to. The root and the items
// of a list have no key.
type mark struct{ key, value *yaml.Node }

// name is where to point for the field itself, say when it is empty or misspelt.
func (m mark) name() Position {
	if m.key != nil {
		return Position{m.key.Line, m.key.Column}
	}
	return m.content()
}

// content is where to point for the field's value.
func (m mark) content() Position {
	if m.value.Line == 0 || m.value.Kind == yaml.ScalarNode && m.value.Value == "" && m.value.Style == 0 {
		if m.key == nil {
			return Position{max(1, m.value.Line), max(1, m.value.Column)}
		}
		return Position{m.key.Line, m.key.Column}
	}
	return Position{m.value.Line, m.value.Column}
}

// child is the pointer of a field or an item of what pointer leads to.
func child(pointer, token string) string {
	if strings.ContainsAny(token, "~/") {
		token = strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
	}
	return pointer + "/" + token
}

func item(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }

func parent(pointer string) string { return pointer[:max(0, strings.LastIndexByte(pointer, '/'))] }

// tokens splits a pointer and undoes its escapes.
func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	list := strings.Split(pointer[1:], "/")
	for i, t := range list {
		if strings.Contains(t, "~") {
			list[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
		}
	}
	return list
}

// dotted writes a pointer as people speak of it: buckets[0].copy.include[1].
func dotted(pointer string) string {
	var b strings.Builder
	for _, t := range tokens(pointer) {
		if _, err := strconv.Atoi(t); err == nil {
			b.WriteString("[" + t + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(t)
	}
	return b.String()
}
