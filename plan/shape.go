package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"gopkg.in/yaml.v3"
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
	for _, pointer := range s.gone {
		s.prune(pointer)
	}
	s.automatic()
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

// A violation is one keyword of the schema that one value does not obey.
type violation struct {
	*shape
	pointer, location string
	conditional       bool
	mark              mark
}

// say picks the words. What it calls weak is said only where meaning has
// nothing better to say of the same place.
func (v violation) say() {
	keyword := v.location[strings.LastIndexByte(v.location, '/')+1:]
	switch keyword {
	case "additionalProperties":
		v.unknown()
	case "required":
		v.missing()
	case "type":
		v.wrongType()
	case "enum":
		v.wrongWord()
	case "minimum", "maximum":
		v.refuse(v.pointer)
		v.problem(v.pointer, v.mark.content(), dotted(v.pointer)+" wants a number from 1 to 10000", "")
	case "minItems":
		v.refuse(v.pointer)
		v.problem(v.pointer, v.mark.content(), dotted(v.pointer)+" is empty", "it wants at least one")
	case "maxItems", "maxProperties":
		v.refuse(v.pointer)
		v.problem(v.pointer, v.mark.name(), fmt.Sprintf("%s holds more than %v", dotted(v.pointer), v.schema.at(v.location)), "")
	case "minLength":
		v.say2("is too short")
	case "maxLength":
		v.say2(fmt.Sprintf("is longer than %v characters", v.schema.at(v.location)))
	case "pattern":
		rule, _ := v.schema.at(parent(v.location) + "/patternErrorMessage").(string)
		v.say2(rule)
	default:
		v.say2("has no place here")
	}
}

// say2 is for what meaning may know better.
func (v violation) say2(what string) {
	if v.mark.value != nil && v.mark.value.Value == "" && v.mark.value.Kind == yaml.ScalarNode {
		what = "is empty"
	}
	v.weak = append(v.weak, draft(v.pointer, v.mark.content(), dotted(v.pointer)+" "+what, ""))
}

func (v violation) unknown() {
	schema, _ := v.schema.at(parent(v.location)).(map[string]any)
	known := properties(schema)
	fields, _ := v.get(v.pointer).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if slices.Contains(known, name) {
			continue
		}
		pointer := child(v.pointer, name)
		v.refuse(pointer)
		v.problem(pointer, v.marks[pointer].name(), "unknown field "+v.quote(name), v.unknownHint(name, schema))
	}
}

func (v violation) unknownHint(name string, schema map[string]any) string {
	if len(v.problems) > maxProblems {
		return "" // the search is not cheap, and few of these are shown
	}
	known := properties(schema)
	if word, ok := closest(name, known); ok {
		return "did you mean " + strconv.Quote(word) + "?"
	}
	if home, ok := v.schema.home(name, dotted(v.pointer), schema); ok {
		if home == "" {
			return "it belongs at the top of the file"
		}
		return "it belongs under " + home
	}
	return "known here: " + strings.Join(known, ", ")
}

func (v violation) missing() {
	fields, _ := v.get(v.pointer).(map[string]any)
	schema, _ := v.schema.at(parent(v.location)).(map[string]any)
	known := properties(schema)
	required, _ := schema["required"].([]any)
	for _, r := range required {
		name, _ := r.(string)
		if _, ok := fields[name]; ok || v.misspelt(name, fields, known) {
			continue
		}
		what := "missing field " + strconv.Quote(name)
		if v.pointer != "" {
			what = dotted(v.pointer) + ": " + what
		}
		p := draft(v.pointer, v.mark.name(), what, v.example(schema, name))
		if v.conditional {
			v.weak = append(v.weak, p)
		} else {
			v.problems = append(v.problems, p)
			v.bad[child(v.pointer, name)] = true
		}
	}
}

// misspelt tells whether an unknown field is probably the missing one, which
// was said already.
func (v violation) misspelt(name string, fields map[string]any, known []string) bool {
	for field := range fields {
		if word, ok := closest(field, known); ok && word == name && !slices.Contains(known, field) {
			return true
		}
	}
	return false
}

func (v violation) example(schema map[string]any, name string) string {
	fields, _ := schema["properties"].(map[string]any)
	list, _ := v.schema.follow(fields[name])["examples"].([]any)
	if len(list) == 0 {
		return ""
	}
	text, err := json.Marshal(list[0])
	if err != nil {
		return ""
	}
	return "such as " + name + ": " + string(text)
}

func (v violation) wrongWord() {
	v.refuse(v.pointer)
	list, _ := v.schema.at(v.location).([]any)
	words := make([]string, 0, len(list))
	for _, w := range list {
		words = append(words, fmt.Sprint(w))
	}
	value := fmt.Sprint(v.get(v.pointer))
	hint := "one of: " + strings.Join(words, ", ")
	if len(words) == 1 {
		hint = "it can only be " + words[0]
	}
	switch word, near := closest(value, words); {
	case near:
		hint = "did you mean " + strconv.Quote(word) + "?"
	case strings.Contains(v.location, "/source_rule/") && value == "always":
		hint = "nothing of the source is deleted on less than verification: after-verify, or keep"
	case strings.HasSuffix(v.location, "/access_key/enum") && value == "keep":
		hint = "a minted key does not outlive its run: always, or after-verify"
	case strings.HasSuffix(v.location, "/in_flight/then/enum"):
		hint = "auto, or a number from 1 to 10000 without quotes"
	}
	v.problem(v.pointer, v.mark.content(), dotted(v.pointer)+" cannot be "+v.quote(value), hint)
}
