package test

import (
	"html"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"xplan/internal/sandbox"
)

// TestEveryNameIsCarriedToItsEnd runs the whole corpus through the program: a first run whose copies are all refused tells of every key
// by name, on the terminal and in the report; the next one copies all of them, which are then verified, and deleted at the source.
func TestEveryNameIsCarriedToItsEnd(t *testing.T) {
	t.Parallel()
	w := startSandbox(t)
	r := newRecipe(t, w, 3)
	for _, h := range names() {
		r.source.put(t, r.bucket, h.key, bodyOf(h.key))
	}
	r.replace("copy:\n", "verify: {otherwise: bytes}\ncleanup: {source_objects: after-verify}\ncopy:\n")
	before := r.source.contents(t, r.bucket, true)

	mend := w.box.Inject(sandbox.Fault{Operation: "CopyObject", Do: sandbox.FaultError, Status: 403, Code: "AccessDenied", Message: "not today"})
	got := r.run(t, "apply", r.plan, "--yes")
	if got.code != 3 {
		t.Errorf("with every copy refused: %s", got)
	}
	r.tellsEveryName(t, got)
	mend()

	r.must(t, "apply", r.plan, "--yes", "--confirm="+r.bucket)
	if left := r.source.contents(t, r.bucket, false); len(left) != 0 {
		t.Errorf("%d objects are left at the source", len(left))
	}
	moved := r.destination.contents(t, r.copy, true)
	for key, want := range before {
		if got, ok := moved[key]; !ok || !got.same(want) {
			t.Errorf("%q arrived: %t, as %+v, and was %+v", key, ok, got, want)
		}
	}
	if len(moved) != len(before) {
		t.Errorf("%d objects became %d", len(before), len(moved))
	}
	r.isClean(t)
	t.Logf("%d names, %d objects", len(names()), len(before))
}

// tellsEveryName looks for the names in the report and on the terminal, where none may do anything but be read.
func (r *recipe) tellsEveryName(t *testing.T, got result) {
	t.Helper()
	page := filepath.Join(r.dir, "run.html")
	r.must(t, "report", "-o", page)
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	status := r.run(t, "status")
	for what, text := range map[string]string{"apply": got.out + got.errors, "status": status.out + status.errors, "the report": string(data)} {
		for _, c := range text {
			if c != '\n' && c != '\t' && !unicode.IsPrint(c) {
				t.Errorf("%s writes %U as it is", what, c)
			}
		}
	}
	plain := html.UnescapeString(string(data))
	missing := 0
	for _, h := range names() {
		if !strings.Contains(plain, h.key) && !strings.Contains(plain, strconv.Quote(h.key)) {
			missing++
			t.Logf("the report does not tell of %q", h.key)
		}
	}
	if missing > 0 {
		t.Errorf("the report does not tell of %d names", missing)
	}
	for _, tag := range []string{"<script", "<b>bold", "<Key>", "<!--\n"} {
		if strings.Contains(string(data), tag) {
			t.Errorf("the report has %s in it", tag)
		}
	}
}
