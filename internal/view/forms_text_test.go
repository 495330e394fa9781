package view

import (
	"regexp"
	"strings"
	"testing"
)

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
