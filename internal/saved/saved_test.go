package saved

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xplan/internal/compile"
	"xplan/plan"
)

const moving = `version: 1
name: orders
accounts:
  source:      {id: "123456789012", region: us-west-2}
  destination: {id: "210987654321", region: us-west-2}
principal: {arn: "arn:aws:iam::210987654321:user/misterrodgers"}
buckets: [{source: tommy, destination: tommy-b}]
copy: {delete_extra: true}
cleanup: {source_objects: after-verify}
`

func planOf(t *testing.T) *plan.Plan {
	t.Helper()
	p, err := plan.Parse("orders.xplan.yaml", []byte(moving))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func world(write, overwrite, extra int64) compile.World {
	bucket := compile.Bucket{
		Exists: true, Region: "us-west-2", Ownership: "BucketOwnerEnforced", Encryption: plan.Encryption{Algorithm: "AES256"},
		PublicAccess: &compile.PublicAccess{BlockACLs: true, IgnoreACLs: true, BlockPolicy: true, RestrictBuckets: true},
	}
	return compile.World{
		Identities: map[plan.Side]compile.Identity{plan.Source: {Account: "123456789012"}, plan.Destination: {Account: "210987654321"}},
		Buckets: map[compile.BucketRef]compile.Bucket{
			{Side: plan.Source, Name: "tommy"}: bucket, {Side: plan.Destination, Name: "tommy-b"}: bucket,
		},
		Principal: compile.PrincipalFacts{Exists: true, ARN: "arn:aws:iam::210987654321:user/misterrodgers", UserID: "AIDAEXAMPLE"},
		Copies: map[string]compile.CopyFacts{"tommy/→tommy-b/": {
			Known: true, Listed: compile.Count{Objects: write + overwrite}, New: compile.Count{Objects: write},
			Changed: compile.Count{Objects: overwrite}, Extra: compile.Count{Objects: extra},
			Samples: map[string][]compile.Sample{"new": {{Key: "a<b>&\u2028\x1b[31m", Size: 3}}},
		}},
	}
}

func compiled(t *testing.T, w compile.World) *compile.Program {
	t.Helper()
	prog, err := compile.Compile(planOf(t), w)
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

func reviewed(t *testing.T, w compile.World) *Plan {
	t.Helper()
	made := time.Date(2026, 11, 24, 20, 0, 0, 1, time.UTC)
	return New(planOf(t), compiled(t, w), "0.1.0", made, true, "orders.xplan.yaml")
}

func encoded(t *testing.T, p *Plan) []byte {
	t.Helper()
	data, err := Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestASavedPlanReadsBackWhole(t *testing.T) {
	t.Parallel()
	want := reviewed(t, world(1000, 20, 30))
	data := encoded(t, want)
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if got.Plan.Digest() != want.Plan.Digest() {
		t.Errorf("the plan's digest is %s, want %s", got.Plan.Digest(), want.Plan.Digest())
	}
	got.Plan, want.Plan = nil, nil // positions and the file's name are not kept
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	counts := []Counts{{Pair: "tommy/→tommy-b/", Write: 1000, Overwrite: 20, DeleteExtra: 30, DeleteSource: 1020}}
	if d := cmp.Diff(counts, got.Counts); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"tommy-b", "tommy"}, got.Confirm()); d != "" {
		t.Error(d)
	}
}

func TestWhatTheSourceLosesIsCountedByVersionsWhereAllAreCopied(t *testing.T) {
	t.Parallel()
	w := world(10, 0, 0)
	f := w.Copies["tommy/→tommy-b/"]
	f.Versions = &compile.VersionFacts{Versions: compile.Count{Objects: 70}, Markers: 5}
	w.Copies["tommy/→tommy-b/"] = f
	if got := reviewed(t, w).Counts; len(got) != 1 || got[0].DeleteSource != 75 {
		t.Errorf("counted %+v", got)
	}
}

func TestEqualPlansGiveEqualBytesAndAnotherTimeAnotherDigest(t *testing.T) {
	t.Parallel()
	a, b := reviewed(t, world(1, 1, 1)), reviewed(t, world(1, 1, 1))
	if string(encoded(t, a)) != string(encoded(t, b)) || a.Digest != b.Digest {
		t.Error("equal plans differ")
	}
	b.Made = b.Made.Add(1)
	if encoded(t, b); a.Digest == b.Digest {
		t.Error("two reviews have one digest: the second could not be applied")
	}
}

// TestDamageIsFound changes, cuts and lengthens at every place.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	data := encoded(t, reviewed(t, world(5, 5, 5)))
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(len(magic), len(data)-1).Draw(t, "at")
		var bad []byte
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			bad = append([]byte(nil), data[:at]...)
		case 1:
			bad = append([]byte(nil), data...)
			bad[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		case 2:
			bad = append(append(append([]byte(nil), data[:at]...), rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "more")...), data[at:]...)
		}
		_, err := Decode(bad)
		var broken *BrokenError
		var newer *NewerError
		if !errors.As(err, &broken) && !errors.As(err, &newer) {
			t.Fatalf("%v\n%.300s", err, bad)
		}
	})
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	data := string(encoded(t, reviewed(t, world(5, 5, 5))))
	line, doc, _ := strings.Cut(data, "\n")
	forged := reviewed(t, world(5, 5, 5))
	forged.Plan.Buckets[0].Destination = "../b"
	forged.Program.PlanDigest = forged.Plan.Digest()
	again := func(doc string) string { // a document that somebody sealed by hand
		return magic + "1 " + digest([]byte(doc)) + " " + strconv.Itoa(len(doc)) + "\n" + doc
	}
	for _, c := range []struct{ name, data, want string }{
		{"no saved plan", "version: 1\n", "it is no saved plan"},
		{"empty", "", "it is no saved plan"},
		{"cut", data[:len(data)-1], "it was cut short"},
		{"only the line", line, "cut short or damaged"},
		{"longer", data + "\n", "1 bytes too many"},
		{"edited", strings.Replace(data, `"name": "orders"`, `"name": "0rders"`, 1), "its digest is another one"},
		{"newline changed", strings.ReplaceAll(data, "\n", "\r\n"), "line ends were changed"},
		{"newer format", strings.Replace(data, magic+"1", magic+"2", 1), "a newer xplan made it"},
		{"newer fields", again(strings.Replace(strings.Replace(doc, `"counted": true`, `"counted": true, "mood": 1`, 1), "0.1.0", "0.9.9", 1)), "xplan 0.9.9 made it"},
		{"newer program", again(strings.Replace(doc, `"subject":`, `"object":`, 1)), "xplan 0.1.0 made it"},
		{"newer plan", again(strings.Replace(doc, `"version": 1`, `"version": 2`, 1)), "version 2"},
		{"mixed", again(strings.Replace(doc, `"name": "orders"`, `"name": "others"`, 1)), "do not belong together"},
		{"not valid", string(encoded(t, forged)), "the plan in it is no valid one"},
		{"hostile", again(strings.Replace(doc, `"orders.xplan.yaml"`, `"orders\u001b[31m.yaml"`, 1)), "words that a terminal would act on"},
		{"hostile step", again(strings.Replace(doc, `"kind": "copy"`, `"kind": "c\u001bopy"`, 1)), "words that a terminal would act on"},
		{"other counts than it shows", again(strings.Replace(doc, `"overwrite": 5`, `"overwrite": 500`, 1)), "the counts that it shows"},
		{"no document", again("{}"), "made it"},
	} {
		if _, err := Decode([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestTheFirstFormatIsReadForEver holds a file of it. It stays as it is: make another one for another format.
func TestTheFirstFormatIsReadForEver(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/v1.plan")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want := reviewed(t, world(5, 5, 5))
	if d := cmp.Diff(want.Counts, p.Counts); d != "" || !p.Made.Equal(want.Made) || p.Plan.Name != "orders" || len(p.Program.Steps) != 19 || len(p.Program.Facts) != 32 {
		t.Errorf("%s\nmade %v, plan %s, %d steps, %d facts", d, p.Made, p.Plan.Name, len(p.Program.Steps), len(p.Program.Facts))
	}
}

// TestAPlanThatIsReadOtherwiseIsRefused stands for an xplan whose plans have other defaults, and for somebody who put
// another plan beside a reviewed program.
func TestAPlanThatIsReadOtherwiseIsRefused(t *testing.T) {
	t.Parallel()
	p := reviewed(t, world(5, 5, 5))
	p.Plan.Buckets[0].Copy.Tags = false
	now, err := compile.Compile(p.Plan, world(5, 5, 5))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(now, "0.2.0"); err == nil || !strings.Contains(err.Error(), "step: the resolved plan: sha256:") {
		t.Error(err)
	}
}

func FuzzDecodeNeverPanics(f *testing.F) {
	f.Add([]byte(magic + "1 sha256:00 2\n{}"))
	f.Add([]byte(magic + "99"))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Decode(data); err == nil && !Is(data) {
			t.Error("what is no saved plan was read as one")
		}
	})
}

func TestCheckLetsTheSameWorldPass(t *testing.T) {
	t.Parallel()
	if err := reviewed(t, world(1000, 20, 30)).Check(compiled(t, world(1000, 20, 30)), "0.1.0"); err != nil {
		t.Error(err)
	}
}

// TestCountsMayMoveWithinTheirBand holds docs/review.md's numbers.
func TestCountsMayMoveWithinTheirBand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		was, is [3]int64 // write, overwrite, extra
		want    string
	}{
		{[3]int64{1000, 50, 50}, [3]int64{1000, 60, 60}, ""},
		{[3]int64{1000, 50, 50}, [3]int64{1000, 61, 50}, "to overwrite: 50 → 61"},
		{[3]int64{1000, 50, 50}, [3]int64{1000, 50, 39}, "to delete at the destination: 50 → 39"},
		{[3]int64{1000, 50, 50}, [3]int64{1011, 50, 50}, "to delete at the source: 1050 → 1061"},
		{[3]int64{50000, 50, 50}, [3]int64{50500, 50, 50}, ""},
		{[3]int64{50000, 50, 50}, [3]int64{50501, 50, 50}, "to write: 50000 → 50501"},
		{[3]int64{50000, 50, 50}, [3]int64{49499, 50, 50}, "to write: 50000 → 49499"},
		{[3]int64{50000, 0, 50}, [3]int64{50000, 1, 50}, "to overwrite: 0 → 1"},
		{[3]int64{50000, 1, 50}, [3]int64{50000, 0, 50}, "to overwrite: 1 → 0"},
		{[3]int64{50000, 9, 0}, [3]int64{50000, 9, 1}, "to delete at the destination: 0 → 1"},
	} {
		err := reviewed(t, world(c.was[0], c.was[1], c.was[2])).Check(compiled(t, world(c.is[0], c.is[1], c.is[2])), "0.1.0")
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v → %v: %v, want %q", c.was, c.is, err, c.want)
		}
	}
}

func TestWhatTheReviewCouldNotCountIsNotDestroyed(t *testing.T) {
	t.Parallel()
	unlisted := world(0, 0, 0)
	unlisted.Copies = map[string]compile.CopyFacts{"tommy/→tommy-b/": {}}
	for _, c := range []struct {
		overwrite, extra int64
		want             string
	}{
		{5, 0, "tommy/→tommy-b/ to overwrite: not counted → 5"},
		{0, 7, "tommy/→tommy-b/ to delete at the destination: not counted → 7"},
		{0, 1, "tommy/→tommy-b/ to delete at the source: not counted → 1000"},
	} {
		now := compiled(t, world(1000, c.overwrite, c.extra))
		if err := reviewed(t, unlisted).Check(now, "0.1.0"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
		assumed := reviewed(t, unlisted)
		assumed.Counted = false
		if err := assumed.Check(now, "0.1.0"); err != nil && strings.Contains(err.Error(), "not counted") {
			t.Errorf("%+v, where the review said that nobody counts: %v", c, err)
		}
	}
}

func TestAgeIsBoundedOnlyWhereItIsAsked(t *testing.T) {
	t.Parallel()
	p := reviewed(t, world(5, 5, 5))
	for _, c := range []struct {
		age, limit time.Duration
		want       string
	}{
		{1000 * time.Hour, 0, ""},
		{time.Hour, time.Hour, ""},
		{time.Hour + 1, time.Hour, "older than 1h0m0s: it was made at 2026-11-24T20:00:00Z"},
		{-time.Minute, time.Hour, ""},
		{-time.Hour, time.Hour, "still to come"},
		{-time.Hour, 0, ""},
	} {
		if got := p.TooOld(p.Made.Add(c.age), c.limit); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v of %v: %q, want %q", c.age, c.limit, got, c.want)
		}
	}
}

func TestEveryFactThatDiffersIsNamed(t *testing.T) {
	t.Parallel()
	w := world(5, 5, 5)
	source := w.Buckets[compile.BucketRef{Side: plan.Source, Name: "tommy"}]
	source.Versioning, source.Policy = "Enabled", `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::tommy/*"}]}`
	w.Buckets[compile.BucketRef{Side: plan.Source, Name: "tommy"}] = source
	w.Principal.Keys = []compile.AccessKey{{ID: "AKIAEXAMPLE"}}
	w.Owned = []compile.Owned{{Kind: compile.KindBucket, Subject: "tommy-b"}}
	err := reviewed(t, world(5, 5, 5)).Check(compiled(t, w), "0.2.0")
	for _, want := range []string{
		"source bucket tommy versioning: (not there) → Enabled", "source bucket tommy policy: (not there) → ", "access keys: (not there) → AKIAEXAMPLE",
		"owned destination.bucket tommy-b", "--state names another folder", "xplan 0.1.0 made the saved plan, and this is 0.2.0",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
}

// TestAnotherProgramOfTheSameFactsIsRefused stands for an xplan that compiles otherwise.
func TestAnotherProgramOfTheSameFactsIsRefused(t *testing.T) {
	t.Parallel()
	change := func(change func(*compile.Program)) error {
		now := compiled(t, world(5, 5, 5))
		change(now)
		return reviewed(t, world(5, 5, 5)).Check(now, "0.2.0")
	}
	for _, c := range []struct {
		name   string
		change func(*compile.Program)
		want   string
	}{
		{"a step more", func(p *compile.Program) { p.Steps = append(p.Steps, compile.Step{ID: "new/x", Action: compile.Delete}) }, "step: new/x: (not there) → delete"},
		{"a step less", func(p *compile.Program) { p.Steps = p.Steps[1:] }, "→ (not there)"},
		{"another action", func(p *compile.Program) { p.Steps[0].Action = compile.Wait }, "→ wait"},
		{"no confirmation", func(p *compile.Program) {
			for i := range p.Steps {
				p.Steps[i].Confirm = ""
			}
		}, `confirm`},
		{"a warning", func(p *compile.Program) {
			p.Warnings = append(p.Warnings, compile.Warning{Subject: "x", Text: "it burns"})
		}, "warning: x: (not there) → it burns"},
		{"a denial", func(p *compile.Program) {
			p.Findings = append(p.Findings, compile.Finding{Severity: compile.SeverityMay, Who: "she"})
		}, "warning: may be denied: (not there) → "},
		{"another plan", func(p *compile.Program) { p.PlanDigest = "sha256:x" }, "the resolved plan: sha256:"},
	} {
		if err := change(c.change); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := change(func(p *compile.Program) { p.Steps[0].Change.Note = "in other words" }); err != nil {
		t.Errorf("words alone: %v", err)
	}
}

// TestWhatWasShownIsWhatIsDone stands for somebody who leaves the steps as they are, and has the review tell of others.
func TestWhatWasShownIsWhatIsDone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind compile.Kind
		lie  func(*Plan, *compile.Change)
		want string
	}{
		{"a statement is hidden", compile.KindPolicy, func(_ *Plan, c *compile.Change) { c.Lines = c.Lines[1:] }, "as it was shown"},
		{"a deletion is hidden", compile.KindCleanExtra, func(_ *Plan, c *compile.Change) { c.Danger = "" }, "as it was shown"},
		{"an uncounted copy shows counts", compile.KindCopy, func(p *Plan, _ *compile.Change) { p.Counted = false }, "counted → (not there)"},
	} {
		p, now := reviewed(t, world(5, 5, 5)), compiled(t, world(5, 5, 5))
		for i := range p.Program.Steps {
			if p.Program.Steps[i].Kind == c.kind {
				c.lie(p, &p.Program.Steps[i].Change)
			}
		}
		if !p.Counted {
			now = compiled(t, uncounted())
		}
		if err := p.Check(now, "0.1.0"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func uncounted() compile.World {
	w := world(5, 5, 5)
	w.Copies = nil
	return w
}

func TestNumbersInWarningsMayMove(t *testing.T) {
	t.Parallel()
	p := reviewed(t, world(5, 5, 5))
	p.Program.Warnings = []compile.Warning{{Subject: "x", Text: "1,200 objects (3.5 GB) will fail."}}
	now := compiled(t, world(5, 5, 5))
	now.Warnings = []compile.Warning{{Subject: "x", Text: "9 objects (12 GB) will fail."}}
	if err := p.Check(now, "0.1.0"); err != nil {
		t.Error(err)
	}
}

func TestWritingIsPrivateAndReplacesOnlySavedPlans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "orders.plan")
	data := encoded(t, reviewed(t, world(5, 5, 5)))
	for range 2 { // the second time it replaces its own
		if err := WriteFile(path, data); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got, err := ReadFile(path); err != nil || string(got) != string(data) {
		t.Errorf("read back: %v", err)
	}
	others := filepath.Join(dir, "notes.txt")
	link, loop := filepath.Join(dir, "link"), filepath.Join(dir, "loop")
	if err := errors.Join(os.WriteFile(others, []byte("mine"), 0o644), os.Symlink(path, link), os.Symlink(loop, loop)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		others: "is not written over", link: "symbolic link", loop: "symbolic link", dir: "it is a folder", filepath.Join(dir, "no", "where"): "no such file",
	} {
		if err := WriteFile(path, data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if text, err := os.ReadFile(others); string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestReadingRefusesWhatCannotBeASavedPlan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := errors.Join(os.WriteFile(large, nil, 0o600), os.Truncate(large, MaxSize+1)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "a folder", large: "more than 64 MB", filepath.Join(dir, "none"): "no such file", os.DevNull: "no regular file"} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if Peek(path) {
			t.Errorf("%s passes for a saved plan", path)
		}
	}
}
