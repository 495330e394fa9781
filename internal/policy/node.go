package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// A kind is what a JSON value is.
type kind int

const (
	kindNull kind = iota
	kindText
	kindNumber
	kindBoolean
	kindList
	kindObject
)

// maxDepth is more than any policy nests: document, statements, statement, condition, operator, values.
const maxDepth = 8

// A node is a JSON value that remembers the order of its members.
type node struct {
	kind    kind
	text    string // of text, number and boolean
	items   []node
	members []member
}

type member struct {
	name  string
	value node
}

// readNode reads one JSON value with nothing behind it. It refuses what a map would hide: a name twice.
func readNode(data []byte) (node, error) {
	if !utf8.Valid(data) {
		return node{}, problem("", "not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	r := reader{dec: dec}
	n, err := r.value("", 0)
	if err != nil {
		return node{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return node{}, problem("", "something follows the document at byte %d", dec.InputOffset())
	}
	return n, nil
}

type reader struct{ dec *json.Decoder }

func (r reader) token(where string) (json.Token, error) {
	t, err := r.dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, &ParseError{Where: where, Problem: fmt.Sprintf("not JSON at byte %d: %v", r.dec.InputOffset(), err)}
	}
	return t, nil
}

func (r reader) value(where string, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, problem(where, "nested too deeply")
	}
	t, err := r.token(where)
	if err != nil {
		return node{}, err
	}
	switch t := t.(type) {
	case string:
		return node{kind: kindText, text: t}, nil
	case json.Number:
		return node{kind: kindNumber, text: t.String()}, nil
	case bool:
		return node{kind: kindBoolean, text: fmt.Sprint(t)}, nil
	case json.Delim:
		if t == '[' {
			return r.list(where, depth)
		}
		return r.dict(where, depth)
	default:
		return node{kind: kindNull}, nil
	}
}

func (r reader) list(where string, depth int) (node, error) {
	n := node{kind: kindList}
	for r.dec.More() {
		item, err := r.value(fmt.Sprintf("%s[%d]", where, len(n.items)), depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := r.token(where)
	return n, err
}

func (r reader) dict(where string, depth int) (node, error) {
	n := node{kind: kindObject}
	seen := make(map[string]bool)
	for r.dec.More() {
		t, err := r.token(where)
		if err != nil {
			return node{}, err
		}
		name, _ := t.(string)
		at := join(where, name)
		if seen[name] {
			return node{}, problem(at, "stands twice")
		}
		seen[name] = true
		value, err := r.value(at, depth+1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name, value})
	}
	_, err := r.token(where)
	return n, err
}

func join(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}
