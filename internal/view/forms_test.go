package view

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"regexp"
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
		r.Findings = append(r.Findings, safe(findingHead(x)+" "+x.Rule+" "+x.Fix+" "+x.Statement))
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

// unwrapped joins lines that were broken: what is indented by four more and has no sign goes on.
func unwrapped(text string) []string {
	var lines []string
	sign := regexp.MustCompile(`^ *[-+~=>!?·≈] `)
	row := regexp.MustCompile(`^    (new|changed|same|filtered|archived|kept|unreadable|extra|classes|largest|cost|time) `)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if n := len(lines); n > 0 && strings.HasPrefix(line, "    ") && !sign.MatchString(line) && !row.MatchString(line) && !strings.HasPrefix(line, "    until ") {
			lines[n-1] += " " + strings.TrimLeft(line, " ")
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// A textReader goes over the lines of a text review.
type textReader struct {
	told
	part string // the heading that it is below
	who  string
	end  string
	copy string
}

func fromText(t *testing.T, text string) told {
	t.Helper()
	r := &textReader{}
	finding := ""
	for _, line := range unwrapped(text) {
		switch {
		case finding != "" && strings.HasPrefix(line, "    > "):
			r.Findings = append(r.Findings, finding+" "+line[6:])
			finding = ""
		case regexp.MustCompile(`^[!?] (denied|may be denied|denied at times): `).MatchString(line):
			finding = line[2:]
		default:
			r.line(line)
		}
	}
	return r.told
}

func (r *textReader) line(line string) {
	if line == "" {
		return
	}
	for _, heading := range []string{"Left over by", "Clean-up, ", "Stays", "Cost and time", "Who gets access: "} {
		if rest, ok := strings.CutPrefix(line, heading); ok {
			r.part, r.who = heading, rest
			return
		}
	}
	switch {
	case strings.HasPrefix(line, "Plan: "), line == noChanges:
		r.Totals, r.part = line, "end"
	case strings.HasPrefix(line, "To apply exactly this: "):
		r.Apply = strings.Split(strings.TrimPrefix(line, "To apply exactly this: "), " && ")
	case r.part == "":
		r.change(line)
	default:
		r.below(line)
	}
}

var (
	copiedLine   = regexp.MustCompile(`^[>=] copy   (.*)$`)
	countedLine  = regexp.MustCompile(`^    (new|changed|same|filtered|archived|kept|unreadable|extra) +([0-9,]+) +([0-9.]+ [KMGTPE]?i?B)( |$)`)
	costedLine   = regexp.MustCompile(`^    cost ≈ (.*) once \+ (.*) a month   time ≈ (.*) at `)
	madeLine     = regexp.MustCompile(`^[+~>] (s3|iam|kms|ec2|credentials|principal)\S* +(.*)$`)
	standingLine = regexp.MustCompile(`^= (.*) already \(-v shows them\)$`)
)

// change reads what stands before the first heading.
func (r *textReader) change(line string) {
	if m := copiedLine.FindStringSubmatch(line); m != nil {
		r.copy = m[1]
		return
	}
	if m := countedLine.FindStringSubmatch(line); m != nil {
		r.Counts = append(r.Counts, r.copy+" "+m[1]+" "+m[2]+" "+m[3])
		return
	}
	if m := costedLine.FindStringSubmatch(line); m != nil {
		r.Costs = append(r.Costs, m[1]+" once, "+m[2]+" a month, "+m[3])
		return
	}
	if m := madeLine.FindStringSubmatch(line); m != nil {
		r.copy = ""
		r.Steps = append(r.Steps, strings.Replace(m[2], "   ", " ", 1))
		return
	}
	if m := standingLine.FindStringSubmatch(line); m != nil {
		r.Held = m[1]
		return
	}
	indented := strings.HasPrefix(line, "    ")
	switch {
	case strings.HasPrefix(line, "    ? ") && r.copy != "":
		r.Counts = append(r.Counts, r.copy+" not counted")
	case strings.HasPrefix(line, "? not previewed: "):
		r.Unseen = append(r.Unseen, strings.TrimPrefix(line, "? not previewed: "))
	case strings.HasPrefix(line, "! xplan apply refuses"):
	case strings.HasPrefix(line, "! ") && strings.HasSuffix(line, "   IRREVERSIBLE"):
		r.Dangers = append(r.Dangers, strings.TrimSuffix(line[2:], "   IRREVERSIBLE")+" ")
	case strings.HasPrefix(line, "! "):
		r.Warnings = append(r.Warnings, line[2:])
	case indented && r.copy == "":
		r.Lines = append(r.Lines, line[4:])
	}
}

// below reads what stands below a heading.
func (r *textReader) below(line string) {
	switch r.part {
	case "Who gets access: ":
		if end, ok := strings.CutPrefix(line, "    until "); ok {
			r.end = end
			return
		}
		r.Access = append(r.Access, r.who+" "+regexp.MustCompile(`^. (\S.*?)(  +| (arn:|\d{12}/))(.*)$`).ReplaceAllString(line, "$1 $3$4")+" "+r.end)
	case "Stays":
		r.Stays = append(r.Stays, strings.Replace(line[2:], "   ", " ", 1))
	case "Cost and time":
		r.money(line)
	case "Left over by", "Clean-up, ":
		r.cleanup(line)
	}
}

func (r *textReader) money(line string) {
	switch {
	case strings.HasPrefix(line, "? not counted, and so not in it: "):
		r.Uncounted = strings.Split(strings.TrimPrefix(line, "? not counted, and so not in it: "), ", ")
	case strings.HasPrefix(line, "    · "):
		r.Assumes = append(r.Assumes, strings.TrimPrefix(line, "    · "))
	case strings.Contains(line, " once   "), strings.Contains(line, " a month   "):
		sum, parts, _ := strings.Cut(strings.TrimPrefix(line, "≈ "), "   ")
		r.end += sum + ", "
		r.Charges = append(r.Charges, regexp.MustCompile(`, (?:[0-9][0-9,.]* )`).ReplaceAllStringFunc(parts, func(s string) string { return "\n" + s[2:] }))
	case strings.HasPrefix(line, "≈ "):
		r.Costs = append(r.Costs, r.end+strings.TrimPrefix(line, "≈ "))
		r.Charges = strings.Split(strings.Join(r.Charges, "\n"), "\n")
	}
}

func (r *textReader) cleanup(line string) {
	r.end = ""
	switch {
	case strings.HasPrefix(line, "! "):
		what, mark, _ := strings.Cut(line[2:], "   IRREVERSIBLE")
		r.Dangers = append(r.Dangers, what+" "+strings.TrimPrefix(mark, ", wants --confirm="))
	case strings.HasPrefix(line, "? not done: "):
		r.Withheld = append(r.Withheld, strings.TrimPrefix(line, "? not done: "))
	case strings.HasPrefix(line, "- "):
		r.Steps = append(r.Steps, "clean "+regexp.MustCompile(`^- \S+ +`).ReplaceAllString(line, ""))
	case strings.HasPrefix(line, "    ? ") && len(r.Withheld) > 0 && !strings.Contains(r.Withheld[len(r.Withheld)-1], "stays"):
		r.Withheld[len(r.Withheld)-1] += " " + line[6:]
	}
}

// rendering reads a line of markdown as GitHub shows it.
func rendering(line string) string {
	var b strings.Builder
	for line != "" {
		at := strings.IndexByte(line, '`')
		if at < 0 {
			at = len(line)
		}
		b.WriteString(prosed(line[:at]))
		line = line[at:]
		fence := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		if fence == "" {
			continue
		}
		rest := line[len(fence):]
		end := -1
		for _, m := range regexp.MustCompile("`+").FindAllStringIndex(rest, -1) {
			if m[1]-m[0] == len(fence) {
				end = m[0]
				break
			}
		}
		if end < 0 {
			b.WriteString(fence)
			line = rest
			continue
		}
		code := rest[:end]
		if strings.HasPrefix(code, " ") && strings.HasSuffix(code, " ") && strings.Trim(code, " ") != "" {
			code = code[1 : len(code)-1]
		}
		b.WriteString(strings.ReplaceAll(code, `\|`, "|"))
		line = rest[end+len(fence):]
	}
	return b.String()
}

func prosed(s string) string {
	s = regexp.MustCompile(`</?(code|b|summary|details)>|\*\*`).ReplaceAllString(s, "")
	return strings.ReplaceAll(html.UnescapeString(strings.ReplaceAll(s, "<br>", " ")), "\u200b", "")
}

// A markdownReader goes over the lines of a markdown review.
type markdownReader struct {
	told
	summary string // of the part that is open
	block   string // the fence of the block that is open
	alert   string
	access  string
	total   string
}

func fromMarkdown(t *testing.T, text string) told {
	t.Helper()
	r := &markdownReader{}
	for line := range strings.SplitSeq(text, "\n") {
		r.line(line)
	}
	if r.total != "" {
		r.Costs = append(r.Costs, r.total)
	}
	return r.told
}

func (r *markdownReader) line(line string) {
	fence := regexp.MustCompile("^(```+)(diff|sh)?$").FindStringSubmatch(line)
	switch {
	case r.block != "" && line == r.block:
		r.block = ""
	case r.block != "":
		r.inBlock(line)
	case fence != nil:
		r.block = fence[1]
	case strings.HasPrefix(line, "### xplan: "):
		_, verdict, _ := strings.Cut(rendering(line), " — ")
		if verdict == "No changes" {
			r.Totals = noChanges
		} else {
			r.Totals = "Plan: " + verdict
		}
	case strings.HasPrefix(line, "Plan: "):
		r.Totals = rendering(line)
	case strings.HasPrefix(line, "<details><summary>"):
		r.open(rendering(line))
	case line == "</details>":
		r.summary = ""
	case strings.HasPrefix(line, "> [!"):
		r.alert = line
	case strings.HasPrefix(line, "> "):
		r.alerted(line[2:])
	case strings.HasPrefix(line, "| "):
		r.row(line)
	case strings.HasPrefix(line, "**Who gets access:** "):
		r.access = strings.Replace(strings.TrimPrefix(rendering(line), "Who gets access: "), ", until ", "\n", 1)
	case strings.HasPrefix(line, "- "):
		r.item(rendering(line[2:]))
	case strings.HasSuffix(line, " already"):
		r.Held = strings.TrimSuffix(rendering(line), " already")
	}
}

func (r *markdownReader) open(summary string) {
	r.summary = summary
	if m := regexp.MustCompile(`^[+~>] (s3|iam|kms|ec2|credentials|principal)\S* (.*)$`).FindStringSubmatch(summary); m != nil {
		r.Steps = append(r.Steps, strings.Replace(m[2], " — ", " ", 1))
	}
	if m := regexp.MustCompile(`estimated: ≈ (.*) once \+ (.*) a month, ≈ (.*)$`).FindStringSubmatch(summary); m != nil {
		r.total = m[1] + " once, " + m[2] + " a month, " + m[3]
	}
}

func (r *markdownReader) item(line string) {
	if r.summary == "" {
		if m := regexp.MustCompile(`^[>=] copy (.*) — (?:not counted|counted up)`).FindStringSubmatch(line); m != nil {
			r.Counts = append(r.Counts, m[1]+" not counted")
			return
		}
		r.open(line)
		r.summary = ""
		return
	}
	switch {
	case r.summary == "Stays":
		r.Stays = append(r.Stays, strings.Replace(line, ": ", " ", 1))
	case strings.HasPrefix(line, "not counted, and so not in it: "):
		r.Uncounted = append(r.Uncounted, strings.TrimPrefix(line, "not counted, and so not in it: "))
	case strings.HasPrefix(line, "once: "), strings.HasPrefix(line, "a month: "):
		_, charge, _ := strings.Cut(line, ": ")
		r.Charges = append(r.Charges, charge)
	default:
		r.Assumes = append(r.Assumes, line)
	}
}

func (r *markdownReader) inBlock(line string) {
	count := regexp.MustCompile(`^[-+=!] (new|changed|same|filtered|archived|kept|unreadable|extra) ([0-9,]+) objects? ([0-9.]+ [KMGTPE]?i?B)(   |$)`).FindStringSubmatch(line)
	copied := regexp.MustCompile(`^[>=] copy (.*) — [0-9,]+ new, `).FindStringSubmatch(r.summary)
	switch {
	case copied != nil && count != nil:
		r.Counts = append(r.Counts, copied[1]+" "+count[1]+" "+count[2]+" "+count[3])
	case copied != nil:
	case strings.HasPrefix(r.summary, "Clean-up"), strings.HasPrefix(r.summary, "Left over"):
		if m := regexp.MustCompile(`^- (\S+) (.*?)(   .*)?$`).FindStringSubmatch(line); m != nil && m[1] != "" {
			r.Steps = append(r.Steps, "clean "+m[2])
		}
	case r.summary == "":
		r.Apply = append(r.Apply, line)
	default:
		r.Lines = append(r.Lines, line)
	}
}

func (r *markdownReader) alerted(line string) {
	text := rendering(line)
	switch {
	case strings.HasPrefix(text, "Not done: "):
		r.Withheld = append(r.Withheld, strings.TrimPrefix(text, "Not done: "))
	case strings.HasPrefix(text, "Not previewed: "):
		r.Unseen = append(r.Unseen, strings.TrimPrefix(text, "Not previewed: "))
	case regexp.MustCompile(`^(denied|may be denied|denied at times): `).MatchString(text):
		r.Findings = append(r.Findings, text)
	case r.alert == "> [!CAUTION]":
		what, mark, _ := strings.Cut(text, " — irreversible")
		r.Dangers = append(r.Dangers, what+" "+strings.TrimPrefix(mark, ", wants --confirm="))
	default:
		r.Warnings = append(r.Warnings, text)
	}
}

func (r *markdownReader) row(line string) {
	var cells []string
	for _, c := range regexp.MustCompile(`(?:[^|\\]|\\.)+`).FindAllString(line, -1) {
		cells = append(cells, strings.TrimSpace(rendering(c)))
	}
	switch {
	case len(cells) >= 11 && cells[10] != "time" && cells[8] != "?" && cells[10] != "":
		r.Costs = append(r.Costs, cells[8]+" once, "+cells[9]+" a month, "+cells[10])
	case len(cells) >= 3 && len(cells) < 6 && r.access != "" && cells[0] != "may":
		who, end, _ := strings.Cut(r.access, "\n")
		r.Access = append(r.Access, who+" "+cells[0]+" "+cells[1]+" "+end)
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
