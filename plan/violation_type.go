package plan

import (
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// wrongType is for a value of another type than the field has. YAML's ways of
// turning one type into another are explained where they are the likely cause.
func (v violation) wrongType() {
	v.refuse(v.pointer)
	want := v.wanted()
	name := dotted(v.pointer)
	got := v.mark.value
	if got == nil {
		v.problem(v.pointer, Position{1, 1}, name+" wants "+kindWord(want), "")
		return
	}
	where := v.mark.content()
	if got.Kind == yaml.ScalarNode && got.ShortTag() == "!!null" {
		v.problem(v.pointer, v.mark.name(), name+" is empty", "give it "+kindWord(want)+", or take the field out")
		return
	}
	message := name + " wants " + kindWord(want) + ", not " + kindOf(got)
	rule, hasRule := v.schema.at(parent(v.location) + "/patternErrorMessage").(string)
	if want == "string" && hasRule && strings.Contains(rule, "quoted") {
		message = name + " " + rule
	}
	hint := ""
	if !v.secrets.holds(where.Line) {
		hint = v.typeHint(want, got)
	}
	v.problem(v.pointer, where, message, hint)
}

func (v violation) wanted() string {
	switch t := v.schema.at(v.location).(type) {
	case string:
		return t
	default:
		return "integer" // in_flight: auto is a word of it
	}
}

func kindWord(jsonType string) string {
	switch jsonType {
	case "string":
		return "text"
	case "integer":
		return "a whole number"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	case "array":
		return "a list"
	default:
		return "a mapping of fields"
	}
}

func (v violation) typeHint(want string, got *yaml.Node) string {
	scalar := got.Kind == yaml.ScalarNode
	isText := scalar && got.ShortTag() == "!!str"
	switch {
	case want == "string" && scalar:
		return v.quotesHint(got.Value)
	case want == "string" && got.Kind == yaml.SequenceNode:
		return "one value, without brackets or dashes"
	case want == "boolean" && isText:
		return booleanHint(got.Value)
	case (want == "integer" || want == "number") && isText && regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`).MatchString(got.Value):
		return "write it without quotes: " + v.quote(got.Value)[1:len(v.quote(got.Value))-1]
	case want == "array" && scalar:
		return "write [" + v.quote(got.Value) + "]"
	case want == "array" && got.Kind == yaml.MappingNode:
		return "put a - before its first field"
	default:
		return ""
	}
}

func (v violation) quotesHint(value string) string {
	hint := "write it in quotes: " + v.quote(value)
	if octal := regexp.MustCompile(`^0[0-9_]+$`); octal.MatchString(value) {
		if n, err := strconv.ParseInt(value, 0, 64); err == nil {
			hint += "; without them YAML reads an octal number, " + strconv.FormatInt(n, 10)
		} else {
			hint += "; without them YAML drops the leading zero"
		}
	}
	return hint
}

func booleanHint(value string) string {
	switch strings.ToLower(value) {
	case "yes", "on", "y", "true":
		return "write true"
	case "no", "off", "n", "false":
		return "write false"
	default:
		return ""
	}
}
