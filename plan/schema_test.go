package plan_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"xplan/plan"
	"xplan/schemas"
)

func rawSchema(tb testing.TB) map[string]any {
	tb.Helper()
	var raw map[string]any
	if err := json.Unmarshal(schemas.PlanV1(), &raw); err != nil {
		tb.Fatal(err)
	}
	return raw
}

// fields visits every field that the schema explains, by a dotted name.
func fields(tb testing.TB, visit func(name string, field map[string]any)) {
	tb.Helper()
	raw := rawSchema(tb)
	definitions := raw["definitions"].(map[string]any)
	definitions[""] = raw
	for owner, d := range definitions {
		properties, _ := d.(map[string]any)["properties"].(map[string]any)
		for name, f := range properties {
			field := f.(map[string]any)
			if ref, ok := field["$ref"].(string); ok {
				field = definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
			}
			visit(strings.TrimPrefix(owner+"."+name, "."), field)
		}
	}
}

func TestTheSchemaIsDraft7AndEveryMappingIsClosed(t *testing.T) {
	raw := rawSchema(t)
	if raw["$schema"] != "http://json-schema.org/draft-07/schema#" {
		t.Errorf("$schema is %v", raw["$schema"])
	}
	if _, err := jsonschema.CompileString("plan.v1.json", string(schemas.PlanV1())); err != nil {
		t.Error(err)
	}
	for _, keyword := range []string{`"oneOf"`, `"anyOf"`, `"$defs"`, `"unevaluatedProperties"`} {
		if strings.Contains(string(schemas.PlanV1()), keyword) {
			t.Errorf("the schema uses %s", keyword)
		}
	}
	for name, d := range raw["definitions"].(map[string]any) {
		if m := d.(map[string]any); m["type"] == "object" && m["additionalProperties"] != false {
			t.Errorf("%s is open", name)
		}
	}
	if raw["additionalProperties"] != false {
		t.Error("the plan is open")
	}
}

func TestEveryFieldIsExplainedWithItsDefault(t *testing.T) {
	required := []string{
		"version", "name", "accounts", "accounts.source", "accounts.destination", "buckets", "pair.source", "pair.destination",
		"account.id", "instance.id", "instance.account", "principal.arn",
	}
	fields(t, func(name string, f map[string]any) {
		text, _ := f["description"].(string)
		if len(text) < 20 || !strings.HasSuffix(text, ".") {
			t.Errorf("%s is explained by %q", name, text)
		}
		object := f["type"] == "object"
		if _, hasDefault := f["default"]; !hasDefault && !object && !slices.Contains(required, name) && !strings.Contains(text, "Default") && !strings.Contains(text, "default") &&
			!strings.Contains(text, "Left out") && !strings.Contains(text, "Only with") && !strings.Contains(text, "Required with") {
			t.Errorf("%s does not say what leaving it out means: %q", name, text)
		}
		if _, ok := f["pattern"]; ok && f["patternErrorMessage"] == nil {
			t.Errorf("%s has a pattern and no words for it", name)
		}
		if words, ok := f["enumDescriptions"].([]any); ok && len(words) != len(f["enum"].([]any)) {
			t.Errorf("%s explains %d of %d words", name, len(words), len(f["enum"].([]any)))
		}
	})
}

// What the schema tells editors and what an empty plan turns out to be.
func TestTheSchemaTellsTheDefaults(t *testing.T) {
	p := mustParse(t, sound)
	var got map[string]any
	if err := json.Unmarshal(p.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	pair := got["buckets"].([]any)[0].(map[string]any)
	cleanup := got["cleanup"].(map[string]any)
	maps.Copy(cleanup, pair["cleanup"].(map[string]any))
	where := map[string]map[string]any{
		"copy": pair["copy"].(map[string]any), "verify": pair["verify"].(map[string]any), "pair": pair, "cleanup": cleanup,
		"pair_cleanup": pair["cleanup"].(map[string]any), "permissions": got["permissions"].(map[string]any),
		"account": got["accounts"].(map[string]any)["source"].(map[string]any), "principal": got["principal"].(map[string]any),
	}
	checked := 0
	fields(t, func(name string, f map[string]any) {
		owner, field, _ := strings.Cut(name, ".")
		want, ok := f["default"]
		if !ok || where[owner] == nil {
			return
		}
		if want == "auto" && field == "in_flight" {
			want = float64(0)
		}
		if want == "current" && field == "versions" {
			want = nil // it is written only where it is another: digests are older than the word
		}
		checked++
		if got := where[owner][field]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v by default, the schema says %v", name, got, want)
		}
	})
	if checked < 28 {
		t.Errorf("only %d defaults were compared", checked)
	}
}

// Every field of the plan's types has its place in the schema, and none there is
// unknown to the types.
func TestTheSchemaAndTheTypesHaveTheSameFields(t *testing.T) {
	raw := rawSchema(t)
	definitions := raw["definitions"].(map[string]any)
	for name, value := range map[string]any{
		"account": plan.Account{}, "principal": plan.Principal{}, "permissions": plan.Permissions{}, "pair": plan.Pair{},
		"settings": plan.BucketSettings{}, "encryption": plan.Encryption{}, "copy": plan.Copy{}, "verify": plan.Verify{},
		"pair_cleanup": plan.PairCleanup{}, "instance": plan.Instance{}, "notify": plan.Notify{},
		"estimate": plan.Estimate{}, "prices": plan.Prices{},
	} {
		var want []string
		for field := range reflect.TypeOf(value).Fields() {
			tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			want = append(want, tag)
		}
		var got []string
		for field := range definitions[name].(map[string]any)["properties"].(map[string]any) {
			got = append(got, field)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v in the schema and %v in Go", name, got, want)
		}
	}
}

func TestTheSchemaIsNotShared(t *testing.T) {
	a := schemas.PlanV1()
	a[0] = 'x'
	if schemas.PlanV1()[0] != '{' {
		t.Error("writing to the schema's bytes changes the schema")
	}
}
