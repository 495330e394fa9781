package plan

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// A shape judges a tree by the schema, and says what is wrong in our words. The
// library's own are never shown: they may quote the file.
//
// Values of a wrong type, and fields that nobody knows, are taken out of the
// tree, so that what is left can be decoded and its meaning judged as well.
type shape struct {
	*report
	tree
	schema schemaDoc
	bad    map[string]bool // pointers that were refused; their meaning is not asked
	gone   []string
}

// check leaves out what was refused while it was read.
func (s *shape) check(refused map[string]bool) {
	for pointer := range refused {
		s.refuse(pointer)
	}
	var err error
	if s.schema, err = loadSchema(); err != nil { // held by the package's tests
		s.problem("", Position{1, 1}, "xplan's own schema does not compile", "")
		return
	}
	var invalid *jsonschema.ValidationError
	if err = s.schema.compiled.Validate(s.root); errors.As(err, &invalid) {
		s.leaves(invalid)
	}
	s.weak = slices.DeleteFunc(s.weak, s.undecided)
	for _, pointer := range s.gone {
		s.prune(pointer)
	}
	s.automatic()
}

// undecided tells of a weak problem that stands or falls with a word which was
// refused itself.
func (s *shape) undecided(p Problem) bool {
	for _, at := range []string{p.Pointer, parent(p.Pointer)} {
		if s.bad[at+"/provider"] || s.bad[at+"/credentials"] {
			return true
		}
	}
	return false
}

// version is asked first: a file of another version has another shape.
func (r *report) version(t tree) bool {
	fields, _ := t.root.(map[string]any)
	v, isNumber := fields["version"].(int64)
	if !isNumber || v == 1 {
		return true
	}
	r.problem("/version", t.marks["/version"].content(),
		fmt.Sprintf("a plan file of version %d; this xplan reads version 1", v), "write 1, or take the xplan that reads it")
	return false
}

func (s *shape) leaves(e *jsonschema.ValidationError) {
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			s.leaves(c)
		}
		return
	}
	_, location, _ := strings.Cut(e.AbsoluteKeywordLocation, "#")
	v := violation{
		shape:       s,
		pointer:     unescaped(e.InstanceLocation),
		location:    unescaped(location),
		conditional: strings.Contains(e.KeywordLocation, "/then/") || strings.Contains(e.KeywordLocation, "/else/"),
	}
	v.mark = s.marks[v.pointer]
	if s.ok(v.pointer) {
		v.say()
	}
}

// unescaped undoes the percent-encoding that the library puts on top of JSON
// pointers.
func unescaped(pointer string) string {
	parts := strings.Split(pointer, "/")
	for i, p := range parts {
		if plain, err := url.PathUnescape(p); err == nil {
			parts[i] = plain
		}
	}
	return strings.Join(parts, "/")
}

// refuse marks a value as not to be decoded.
func (s *shape) refuse(pointer string) {
	s.bad[pointer] = true
	s.gone = append(s.gone, pointer)
}

// ok tells whether none of the values, nor what they stand in, was refused.
func (s *shape) ok(pointers ...string) bool {
	for _, p := range pointers {
		for ; ; p = parent(p) {
			if s.bad[p] {
				return false
			}
			if p == "" {
				break
			}
		}
	}
	return true
}

// has tells whether the file itself gives a value.
func (s *shape) has(pointer string) bool {
	_, ok := s.marks[pointer]
	return ok
}

func (s *shape) get(pointer string) any {
	value := s.root
	for _, t := range tokens(pointer) {
		switch v := value.(type) {
		case map[string]any:
			value = v[t]
		case []any:
			i, err := strconv.Atoi(t)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

func (s *shape) prune(pointer string) {
	if pointer == "" {
		s.root = map[string]any{}
		return
	}
	list := tokens(pointer)
	last := list[len(list)-1]
	switch v := s.get(parent(pointer)).(type) {
	case map[string]any:
		delete(v, last)
	case []any:
		if i, err := strconv.Atoi(last); err == nil && i < len(v) {
			v[i] = nil
		}
	}
}

// automatic writes in_flight: auto as the number that means it.
func (s *shape) automatic() {
	copies := []string{"/copy"}
	pairs, _ := s.get("/buckets").([]any)
	for i := range pairs {
		copies = append(copies, item("/buckets", i)+"/copy")
	}
	for _, p := range copies {
		if fields, ok := s.get(p).(map[string]any); ok && fields["in_flight"] == "auto" {
			fields["in_flight"] = int64(0)
		}
	}
}
