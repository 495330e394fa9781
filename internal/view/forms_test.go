package view

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v5"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
	"xplan/schemas"
)

// told is what a reader takes from a review, whatever its form. Numbers are as people read them.
type told struct {
	Totals    string
	Steps     []string // what is made or changed, and where; then what is cleaned up
	Lines     []string // of the changes: policy statements, settings
	Held      string
	Counts    []string // "tommy/** → tommy-b/** new 1,180,000 9.0 TiB"
	Costs     []string // of each pair that is counted, then of all: once, a month, time
	Charges   []string
	Assumes   []string
	Uncounted []string
	Access    []string
	Dangers   []string
	Withheld  []string
	Warnings  []string
	Findings  []string
	Unseen    []string
	Stays     []string
	Apply     []string
}

// fromJSON reads the document, which has to be as its schema says.
func fromJSON(t *testing.T, text string) told {
	t.Helper()
	var f reviewFacts
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	r := told{Totals: totals(f.Totals), Assumes: f.assumes(), Apply: f.Apply}
	if !f.Changes {
		r.Totals = noChanges
	}
	held := 0
	for _, s := range f.Steps {
		r.step(s, &held)
	}
	for _, s := range f.Steps {
		if s.Kind.IsCleanup() && s.Action != compile.Hold && (s.Change.Danger == "" || s.Action == compile.Wait && s.Change.Danger == "") {
			r.Steps = append(r.Steps, "clean "+safe(whereOf(s.step(), s.Account)))
		}
	}
	if held > 0 {
		r.Held = holds(held)
	}
	if e := f.Estimate; e != nil {
		r.Uncounted = e.Uncounted
		if e.Seconds > 0 {
			r.Costs = append(r.Costs, cost(e))
		}
		for _, c := range append(e.Once, e.Monthly...) {
			r.Charges = append(r.Charges, chargeText(e.Currency, c))
		}
	}
	for _, g := range f.accessByEnd() {
		for _, a := range g {
			r.Access = append(r.Access, safe(a.Principal+" "+a.May+" "+a.Resource+" "+a.Until))
		}
	}
	for _, x := range f.Dangers {
		if x.Withheld != "" {
			r.Withheld = append(r.Withheld, safe(x.Message+" "+x.Withheld))
			continue
		}
		r.Dangers = append(r.Dangers, safe(x.Message)+" "+x.Confirm)
	}
	for _, x := range f.Warnings {
		if !x.Danger {
			r.Warnings = append(r.Warnings, safe(warningText(x)))
		}
	}
	for _, x := range f.Findings {
		r.Findings = append(r.Findings, safe(findingHead(x)+" "+findingRule(x)+" "+x.Fix+" "+x.Statement))
	}
	for _, x := range f.Unseen {
		r.Unseen = append(r.Unseen, safe(x.What+" ("+x.Why+")"))
	}
	for _, x := range f.Stays {
		r.Stays = append(r.Stays, safe(x.Subject+" "+x.Why))
	}
	return r
}

func (f reviewFacts) assumes() []string {
	if f.Estimate == nil || f.Estimate.Seconds == 0 {
		return nil
	}
	return append([]string{"at " + f.Estimate.Prices}, f.Estimate.Assumes...)
}

func cost(e *compile.Estimate) string {
	return amount(e.Currency, e.TotalOnce) + " once, " + amount(e.Currency, e.TotalMonthly) + " a month, " + span(e.Seconds)
}

// step takes in a step that is no clean-up.
func (r *told) step(s reviewStep, held *int) {
	switch {
	case s.Kind.IsCleanup():
	case s.Kind == compile.KindCopy:
		f := s.Change.Copy
		if f.Known && !f.Partial {
			for _, v := range verdicts(plan.Pair{}, f) {
				r.Counts = append(r.Counts, safe(s.Subject)+" "+v.name+" "+number(v.count.Objects)+" "+size(s3copy.Bytes(v.count.Bytes)))
			}
		} else {
			r.Counts = append(r.Counts, safe(s.Subject)+" not counted")
		}
		if e := s.Change.Estimate; e != nil {
			r.Costs = append(r.Costs, cost(e))
		}
	case s.Action == compile.Create, s.Action == compile.Update, s.Kind == compile.KindCredentials:
		r.Steps = append(r.Steps, strings.TrimSpace(safe(whereOf(s.step(), s.Account)+" "+s.Change.Note)))
		r.Lines = append(r.Lines, changeLines(s.Change)...)
	case s.Action == compile.Hold:
		*held++
	}
}

// programs are several reviews: with everything, without counts, with nothing to do, refused, and of a hostile world.
func programs(t *testing.T) map[string]func() (*plan.Plan, *compile.Program) {
	t.Helper()
	change := func(text string, change func(w *compile.World)) func() (*plan.Plan, *compile.Program) {
		return func() (*plan.Plan, *compile.Program) {
			w := richWorld()
			change(&w)
			return compiled(t, text, w)
		}
	}
	return map[string]func() (*plan.Plan, *compile.Program){
		"everything": func() (*plan.Plan, *compile.Program) { return rich(t) },
		"denied": func() (*plan.Plan, *compile.Program) {
			p, prog := rich(t)
			prog.Findings = found()
			return p, prog
		},
		"no scan": change(richPlan, func(w *compile.World) { w.Copies = nil }),
		"kept": change(strings.Replace(richPlan, "cleanup:\n  source_objects: after-verify", "copy: {overwrite: never, delete_extra: false}\ncleanup:\n  policy: keep", 1), func(w *compile.World) {
			w.Buckets[compile.BucketRef{Side: plan.Destination, Name: "tommy-b"}] = secure()
		}),
		"in euros": change(richPlan+"estimate: {currency: EUR, prices: {copy: {STANDARD: 0.01}}}\n", func(*compile.World) {}),
		"nothing to do": change(strings.Split(richPlan, "cleanup:")[0], func(w *compile.World) {
			w.Policies, w.Owned, w.Principal.Keys, w.Instances, w.Unseen = nil, nil, nil, nil, nil
			w.Buckets[compile.BucketRef{Side: plan.Destination, Name: "tommy-b"}] = secure()
			for _, id := range []string{"tommy/→tommy-b/", "logs/2026/→logs-b/old/"} {
				w.Copies[id] = compile.CopyFacts{Known: true, Listed: count(3, 30), Same: count(3, 30), SameBy: map[string]compile.Count{"etag": count(3, 30)}}
			}
		}),
		"hostile": func() (*plan.Plan, *compile.Program) {
			p, prog := rich(t)
			poison(prog, "x `` y | <script>alert(1)</script> --> @octocat #1 *b* [l](http://h) ~~s~~ "+hostile)
			return p, prog
		},
	}
}

// poison puts a text into all that may come from the world.
func poison(prog *compile.Program, evil string) {
	for i := range prog.Steps {
		s := &prog.Steps[i]
		for j := range s.Change.Lines {
			s.Change.Lines[j].Text += evil
		}
		if len(s.Change.Preserved) > 0 {
			s.Change.Preserved = []string{evil}
		}
		if f := s.Change.Copy; f != nil {
			copied := *f
			copied.Samples = map[string][]compile.Sample{}
			for verdict := range f.Samples {
				copied.Samples[verdict] = []compile.Sample{{Key: evil, Reason: evil}}
			}
			copied.Largest.Key = evil
			s.Change.Copy = &copied
		}
	}
	for i := range prog.Warnings {
		prog.Warnings[i].Text += evil
	}
	for i := range prog.Unseen {
		prog.Unseen[i].What += evil
	}
}

func TestEveryFormTellsTheSameFacts(t *testing.T) {
	for name, program := range programs(t) {
		t.Run(name, func(t *testing.T) {
			p, prog := program()
			in := func(format string) string {
				return rendered(t, func(w io.Writer) error { return Review(w, format, p, prog, Style{}) })
			}
			want := fromJSON(t, in(FormatJSON))
			if d := cmp.Diff(squeezed(want), squeezed(fromText(t, in(FormatText)))); d != "" {
				t.Errorf("text (-json +text):\n%s", d)
			}
			if d := cmp.Diff(squeezed(want), squeezed(fromMarkdown(t, in(FormatMarkdown)))); d != "" {
				t.Errorf("markdown (-json +markdown):\n%s", d)
			}
		})
	}
}

// squeezed makes runs of spaces one: lines are broken at spaces. Empty lists are none.
func squeezed(r told) told {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, l := range []*[]string{
		&r.Steps, &r.Lines, &r.Counts, &r.Costs, &r.Charges, &r.Assumes, &r.Uncounted, &r.Access, &r.Dangers, &r.Withheld, &r.Warnings, &r.Findings,
		&r.Unseen, &r.Stays, &r.Apply,
	} {
		var out []string
		for _, s := range *l {
			out = append(out, squeeze(s))
		}
		*l = out
	}
	r.Totals = squeeze(r.Totals)
	slices.Sort(r.Dangers) // the text has each beside what it is of
	return r
}

func TestTheDocumentIsAsItsSchemaSays(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("review.v1.json", bytes.NewReader(schemas.ReviewV1())); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("review.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, program := range programs(t) {
		p, prog := program()
		text := rendered(t, func(w io.Writer) error { return Review(w, FormatJSON, p, prog, Style{Saved: "x"}) })
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %#v", name, err)
		}
		for _, unknown := range unexplained(v, rawSchema(t), "") {
			t.Errorf("%s: the schema does not know %s", name, unknown)
		}
	}
}

func rawSchema(t *testing.T) map[string]any {
	t.Helper()
	var raw map[string]any
	if err := json.Unmarshal(schemas.ReviewV1(), &raw); err != nil {
		t.Fatal(err)
	}
	return raw
}

// unexplained finds fields of a value that a schema says nothing about.
func unexplained(v any, schema map[string]any, at string) []string {
	root := schema
	var visit func(v any, s map[string]any, at string) []string
	visit = func(v any, s map[string]any, at string) []string {
		if alternatives, ok := s["anyOf"].([]any); ok {
			s = alternatives[0].(map[string]any)
		}
		if ref, ok := s["$ref"].(string); ok {
			s = root["definitions"].(map[string]any)[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
		}
		var all []string
		switch v := v.(type) {
		case []any:
			items, _ := s["items"].(map[string]any)
			for _, one := range v {
				all = append(all, visit(one, items, at+"[]")...)
			}
		case map[string]any:
			properties, _ := s["properties"].(map[string]any)
			others, _ := s["additionalProperties"].(map[string]any)
			for name, one := range v {
				below, ok := properties[name].(map[string]any)
				if !ok {
					below, ok = others, others != nil
				}
				if !ok {
					all = append(all, at+"."+name)
					continue
				}
				all = append(all, visit(one, below, at+"."+name)...)
			}
		}
		return all
	}
	return visit(v, root, at)
}
