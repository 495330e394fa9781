package plan

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"xplan/schemas"
)

// A schemaDoc is the embedded schema, twice: compiled, to judge, and as it is
// written, to find the words for what was judged.
type schemaDoc struct {
	compiled *jsonschema.Schema
	raw      map[string]any
}

func loadSchema() (schemaDoc, error) {
	const name = "mem:///plan.v1.json"
	var d schemaDoc
	text := schemas.PlanV1()
	if err := json.Unmarshal(text, &d.raw); err != nil {
		return d, err
	}
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	if err := c.AddResource(name, bytes.NewReader(text)); err != nil {
		return d, err
	}
	var err error
	d.compiled, err = c.Compile(name)
	return d, err
}

// at returns what the schema holds at an absolute keyword location's pointer.
func (d schemaDoc) at(pointer string) any {
	var value any = d.raw
	for _, t := range tokens(pointer) {
		m, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = m[t]
	}
	return value
}

// follow returns the schema itself, or what its $ref leads to.
func (d schemaDoc) follow(s any) map[string]any {
	m, _ := s.(map[string]any)
	for m["$ref"] != nil {
		ref, _ := m["$ref"].(string)
		m, _ = d.at(strings.TrimPrefix(ref, "#")).(map[string]any)
	}
	return m
}

// properties names the fields that a schema knows, sorted.
func properties(s any) []string {
	m, _ := s.(map[string]any)
	fields, _ := m["properties"].(map[string]any)
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// home tells under which field a name belongs that is out of place, the
// shallowest first: "exclude" belongs under copy. It looks below from, then
// everywhere.
func (d schemaDoc) home(name, from string, schema map[string]any) (string, bool) {
	if path, ok := d.search(name, from, schema); ok {
		return path, true
	}
	return d.search(name, "", d.raw)
}

func (d schemaDoc) search(name, from string, schema map[string]any) (string, bool) {
	type place struct {
		path   string
		schema map[string]any
	}
	queue := []place{{from, schema}}
	for len(queue) > 0 {
		here := queue[0]
		queue = queue[1:]
		fields, _ := here.schema["properties"].(map[string]any)
		if _, ok := fields[name]; ok {
			return here.path, true
		}
		for _, field := range properties(here.schema) {
			sub := d.follow(fields[field])
			path := strings.TrimPrefix(here.path+"."+field, ".")
			if items := sub["items"]; items != nil {
				sub, path = d.follow(items), path+"[]"
			}
			queue = append(queue, place{path, sub})
		}
	}
	return "", false
}
