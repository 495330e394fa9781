package plan_test

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"xplan/plan"
)

func FuzzParse(f *testing.F) {
	for _, file := range exampleFiles(f) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		sound, minio, spelledOut, "", "\ufeff", "a: &a [*a]", "a: &a {<<: *a}", "? [x]\n: y", "--- !!binary x", "\t", "%YAML 9\n---\n", "a: \"\\",
		"version: 1\ncopy: {in_flight: 1e400, include: [\"{{{\"]}\n", "- - - -\n", "[[[[", "secret: |\n x", "a: *b", "version: 2", "x: .nan", "{a: b, a: b}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		p, err := plan.Parse("p.yaml", text)
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%d bytes took %v", len(text), d)
		}
		if (p == nil) == (err == nil) {
			t.Fatalf("Parse = %v, %v", p, err)
		}
		if err == nil {
			checkAccepted(t, p)
			return
		}
		var all *plan.Problems
		if !errors.As(err, &all) || len(all.List) == 0 {
			t.Fatalf("refused with %T: %v", err, err)
		}
		checkSaid(t, text, all)
	})
}

func checkAccepted(t *testing.T, p *plan.Plan) {
	t.Helper()
	q, err := plan.FromJSON(p.JSON())
	if err != nil || q.Digest() != p.Digest() || len(plan.Differences(p, q)) != 0 {
		t.Errorf("does not come back: %v", err)
	}
	for _, pair := range p.Buckets {
		pair.Copy.Filter().Match("a/b")
	}
	if err := p.Check(); err != nil {
		t.Errorf("what was accepted is refused as JSON: %v", err)
	}
}

func checkSaid(t *testing.T, text []byte, all *plan.Problems) {
	t.Helper()
	lines := bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + strings.Count(string(text), "\u0085") +
		strings.Count(string(text), "\u2028") + strings.Count(string(text), "\u2029") + 1
	for _, p := range all.List {
		if p.Message == "" || p.Line < 0 || p.Line > lines || p.Line > 0 && p.Column < 1 {
			t.Errorf("%d lines: %#v", lines, p)
		}
		if strings.Contains(p.Message, "jsonschema") || strings.Contains(p.Message, "yaml:") {
			t.Errorf("a library speaks: %s", p.Message)
		}
	}
	if said := all.Error(); len(said) > 500_000 {
		t.Errorf("said %d bytes", len(said))
	}
}

// Inputs that made parsers slow or large before, each as large as makes a time that grows by the square
// stand out.
func TestNoInputTakesTimeOrMemoryWithoutBound(t *testing.T) {
	const size = plan.MaxSize / 8
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	laugh, merge := "a: &a [x,x,x,x,x,x,x,x,x]\n", "a: &a {x: 1}\n"
	for c := byte('b'); c <= 'z'; c++ {
		now, before := string(c), string(c-1)
		laugh += now + ": &" + now + " [*" + before + strings.Repeat(",*"+before, 8) + "]\n"
		merge += now + ": &" + now + " {<<: [*" + before + ",*" + before + "]}\n"
	}
	var names, keys, aliases strings.Builder
	aliases.WriteString("secret: &a " + strings.Repeat("x\n  ", 5000) + "\nb_token:\n" + strings.Repeat("- *a\n", 10000))
	for i := range 5000 {
		names.WriteString("name" + strconv.Itoa(i) + ": x\n")
		keys.WriteString("s" + strconv.Itoa(i) + ": " + keyID[:12] + strconv.Itoa(10000000+i) + "\n")
	}
	for name, text := range map[string]string{
		"anchors that explode": laugh, "merges that explode": merge, "brackets": fill("["), "dashes": fill("- "), "questions": fill("? "),
		"comments": fill("a: b # c\n"), "one list": "[" + fill("a,"), "one mapping": "{" + fill("a: b,"), "names": names.String(),
		"keys": keys.String(), "aliases of a secret": aliases.String(), "signatures": fill("&signature="), "one long line": "nam: " + fill("x"),
		"marks": "a: \"" + fill("\u0301") + "\"\nb: [\n", "documents": fill("---\n"), "tabs": fill("\t"), "twins": fill("name: x\n"),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := plan.Parse("p.yaml", []byte(text[:min(len(text), size)]))
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if err == nil || len(err.Error()) > 200_000 {
				t.Errorf("refused by %d bytes", len(err.Error()))
			}
			if took > 10*time.Second || after.TotalAlloc-before.TotalAlloc > 1<<30 {
				t.Errorf("took %v and %d MiB in all", took, (after.TotalAlloc-before.TotalAlloc)>>20)
			}
		})
	}
}
