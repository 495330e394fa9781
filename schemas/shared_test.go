package schemas_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"xplan/schemas"
)

// What the document and the lines both have is told in the same words.
func TestTheReviewAndTheLinesShareTheirDefinitions(t *testing.T) {
	t.Parallel()
	var review, events struct{ Definitions map[string]any }
	for text, into := range map[string]any{string(schemas.ReviewV1()): &review, string(schemas.EventsV1()): &events} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	shared := 0
	for name, d := range review.Definitions {
		other, ok := events.Definitions[name]
		if !ok {
			continue
		}
		shared++
		if !reflect.DeepEqual(d, other) {
			t.Errorf("%s differs between review.v1.json and events.v1.json", name)
		}
	}
	if shared < 12 {
		t.Errorf("only %d definitions are shared", shared)
	}
}
