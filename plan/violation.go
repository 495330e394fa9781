package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

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
		v.problem(v.pointer, v.mark.content(), dotted(v.pointer)+" wants a number "+v.bounds(), "")
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

// bounds are those of the number that is asked for.
func (v violation) bounds() string {
	keyword := v.location[strings.LastIndexByte(v.location, '/')+1:]
	schema, _ := v.schema.at(parent(v.location)).(map[string]any)
	if most, ok := schema["maximum"].(float64); ok {
		return fmt.Sprintf("from %v to %.0f", schema["minimum"], most)
	}
	return fmt.Sprintf("of at least %v", schema[keyword])
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
	if len(fields) > maxProblems {
		return false
	}
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
