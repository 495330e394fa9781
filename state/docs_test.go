package state

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestFormatPageNamesEverything holds docs/state-format.md to the files, buckets and fields.
func TestFormatPageNamesEverything(t *testing.T) {
	text, err := os.ReadFile("../docs/state-format.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, name := range []string{
		fileDatabase, fileHolder, fileStatus, fileEvents, fileCancel,
		bucketMeta, bucketRuns, bucketSteps, bucketOwned, bucketJobs, bucketRanges, bucketFailures, bucketUploads,
		keyFormat, keyTally,
		string(Running), string(Done), string(Failed), string(Interrupted), string(Waiting), string(FinishedWithFailures),
	} {
		if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, "    "+name+" ") {
			t.Errorf("docs/state-format.md does not name %s", name)
		}
	}
	for record, value := range map[string]any{
		"run": Run{}, "step": StepRecord{}, "ownership": Owned{}, "range": Range{}, "failure": Failure{}, "upload": Upload{}, "tally": Tally{},
	} {
		row := regexp.MustCompile(`(?m)^\| ` + record + ` \|.*$`).FindString(page)
		for _, f := range reflect.VisibleFields(reflect.TypeOf(value)) {
			inKey := f.Name == "Key" || record == "range" && f.Name == "ID"
			if name := snake(f.Name); !inKey && !strings.Contains(row, "`"+name+"`") {
				t.Errorf("docs/state-format.md does not name %s of a %s record", name, record)
			}
		}
	}
}

// snake turns PlanFile into plan_file.
func snake(name string) string {
	name = strings.NewReplacer("ID", "Id", "ETag", "Etag").Replace(name)
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "${1}_$2"))
}
