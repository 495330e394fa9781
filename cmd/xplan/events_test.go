package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"xplan/internal/sandbox"
	"xplan/schemas"
)

// eventLines holds streams to the schema, and remembers which lines they had.
type eventLines struct {
	schema *jsonschema.Schema
	fields map[string]map[string]any // by type, then by field
	seen   map[string]string         // by type: the first line of it
}

func newEventLines(t *testing.T) *eventLines {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat = true
	if err := compiler.AddResource("events.v1.json", bytes.NewReader(schemas.EventsV1())); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("events.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	e := &eventLines{schema: schema, fields: map[string]map[string]any{}, seen: map[string]string{}}
	var doc struct {
		Definitions map[string]struct {
			Properties map[string]any
		}
	}
	if err := json.Unmarshal(schemas.EventsV1(), &doc); err != nil {
		t.Fatal(err)
	}
	for name, d := range doc.Definitions {
		if p, ok := d.Properties["type"].(map[string]any); ok && p["const"] == name {
			e.fields[name] = d.Properties
		}
	}
	return e
}

// check wants a stream as it is promised: the version first, and lines that the schema tells all about.
func (e *eventLines) check(t *testing.T, stream string) {
	t.Helper()
	for i, line := range strings.Split(strings.TrimSuffix(stream, "\n"), "\n") {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("line %d: %v: %s", i+1, err, line)
		}
		kind, _ := v["type"].(string)
		if (i == 0) != (kind == "version") {
			t.Errorf("line %d is of type %q: the first, and it alone, is the version", i+1, kind)
		}
		if err := e.schema.Validate(v); err != nil {
			t.Errorf("line %d: %#v\n%s", i+1, err, line)
		}
		if e.fields[kind] == nil {
			t.Errorf("the schema does not know lines of type %q", kind)
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(v)) {
			if e.fields[kind][field] == nil {
				t.Errorf("the schema does not know the field %s of %s", field, kind)
			}
		}
		if e.seen[kind] == "" {
			e.seen[kind] = line
		}
	}
}

// jsonSite is a site with something of everything: an object that fails, a fact that is hidden,
// a deletion that waits.
func jsonSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.user(t)
	s.tommy(t)
	if err := s.server.PutObject("tommy", "customer", []byte("x"), sandbox.PutOptions{CustomerKeyMD5: "DWygnHRtgiJ77HCm+1rvHw=="}); err != nil {
		t.Fatal(err)
	}
	docs := blocks(t, page(t, "permissions.md"), "policy")
	docs["source"] = strings.Replace(docs["source"], "s3:GetBucketLogging", "s3:GetBucketAcl", 1)
	operators(t, s, grantCase{}, docs)
	s.write(t, "plan.yaml", docsByUser+docsPair+"cleanup: {source_objects: after-verify}\n")
	return s
}

func TestJSONStreamsAreAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	e, s := newEventLines(t), jsonSite(t)
	e.check(t, s.xplan(t, exitDone, "version", "--json"))
	e.check(t, s.xplan(t, exitDone, "validate", "--json", "plan.yaml"))
	e.check(t, s.xplan(t, exitDone, "init", "--json", "--source", "123456789012/tommy", "--destination", "210987654321/tommy-b", "--principal", "user/misterrodgers"))
	s.write(t, "bad.yaml", "version: 1\nnam: x\n")
	e.check(t, s.xplan(t, exitUsage, "validate", "--json", "bad.yaml"))
	e.check(t, s.xplan(t, exitDone, "doctor", "--json", "plan.yaml"))
	e.check(t, s.xplan(t, exitChanges, "plan", "--json", "--detailed-exitcode", "plan.yaml"))
	e.check(t, s.xplan(t, exitDone, "plan", "--json", "plan.yaml", "-o", "saved.plan"))
	e.check(t, s.xplan(t, exitDone, "show", "--json", "saved.plan"))
	e.check(t, s.xplan(t, exitFailed, "apply", "--json", "--yes", "plan.yaml"))
	e.check(t, s.xplan(t, exitDrift, "apply", "--json", "saved.plan"))
	for _, args := range [][]string{{"status"}, {"runs"}, {"logs"}, {"state", "check"}} {
		e.check(t, s.xplan(t, exitDone, append(args, "--json")...))
	}
	s.server.RemoveObject("tommy", "customer")
	e.check(t, s.xplan(t, exitWaiting, "apply", "--json", "--yes", "plan.yaml"))
	e.check(t, s.xplan(t, exitDone, "verify", "--json", "plan.yaml"))
	e.check(t, s.xplan(t, exitDone, "cleanup", "--json", "--yes", "plan.yaml"))
	e.check(t, s.xplan(t, exitUsage, "apply", "--json", "plan.yaml"))
	s.write(t, "plan.yaml", docsByUser+docsPair)
	if err := s.server.PutObject("tommy", "slow", []byte("x"), sandbox.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	s.server.Inject(sandbox.Fault{Operation: "CopyObject", Do: sandbox.FaultDelay, Delay: 2 * time.Second}) // long enough for a line of progress
	e.check(t, s.xplan(t, exitDone, "apply", "--json", "--yes", "--new-run", "plan.yaml"))
	for _, kind := range slices.Sorted(maps.Keys(e.fields)) {
		if e.seen[kind] == "" {
			t.Errorf("no stream had a line of type %s", kind)
			continue
		}
		t.Log(e.seen[kind])
	}
}
