package view

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

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
