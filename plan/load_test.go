package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xplan/plan"
)

func exampleFiles(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob("../examples/*.xplan.yaml")
	if err != nil || len(files) < 7 {
		tb.Fatalf("examples: %v, %v", files, err)
	}
	return files
}

func TestEveryExampleIsSoundAndNamesTheSchema(t *testing.T) {
	for _, file := range exampleFiles(t) {
		p, err := plan.Load(file)
		if err != nil {
			t.Errorf("%s", err)
			continue
		}
		for _, w := range p.Warnings {
			t.Errorf("an example warns:\n%s", w)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=../schemas/plan.v1.json\n") {
			t.Errorf("%s does not begin with the schema's modeline", file)
		}
	}
}

func TestEncryptionIsAskedOfAWSOnlyByDefault(t *testing.T) {
	for file, want := range map[string]string{"tommy": "AES256", "minio": "", "kms": "aws:kms"} {
		p, err := plan.Load("../examples/" + file + ".xplan.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Buckets[0].Settings.Encryption.Algorithm; got != want {
			t.Errorf("%s: the bucket's encryption is %q, want %q", file, got, want)
		}
	}
}
