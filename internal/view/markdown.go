package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// commentMax is how long a markdown review becomes, in bytes. GitHub takes comments of 65,536 characters.
const commentMax = 60_000

// A section is a part of a markdown page that is shown whole or left out.
type section struct {
	text  string
	group string // what is said to be left out; "" is never left out
	rank  int    // the lowest are left out first, the last ones of a rank before the others
	tight bool   // no empty line comes before it: a table's row
}

// A markdown is a page of sections.
type markdown struct{ sections []section }

func (m *markdown) add(rank int, group, text string) {
	m.sections = append(m.sections, section{text: text, group: group, rank: rank})
}

func (m *markdown) row(rank int, group, text string) {
	m.sections = append(m.sections, section{text: text, group: group, rank: rank, tight: true})
}

// render joins what fits, and says what does not, and how to see it.
func (m *markdown) render(most int, see string) string {
	const notice = 600 // bytes kept for saying what is left out
	total := 0
	for _, s := range m.sections {
		total += len(s.text) + 2
	}
	order := make([]int, len(m.sections))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(m.sections[a].rank, m.sections[b].rank), cmp.Compare(b, a))
	})
	gone := map[int]bool{}
	if total > most {
		for _, i := range order {
			if total <= most-notice {
				break
			}
			if m.sections[i].group != "" {
				gone[i] = true
				total -= len(m.sections[i].text) + 2
			}
		}
	}
	var b strings.Builder
	for i, s := range m.sections {
		if gone[i] {
			continue
		}
		if b.Len() > 0 && !s.tight {
			b.WriteByte('\n')
		}
		b.WriteString(s.text + "\n")
	}
	if len(gone) > 0 {
		b.WriteString("\n> [!IMPORTANT]\n> Left out, as it would be too long here: " + m.left(gone) + ". See all of it: " + see + "\n")
	}
	return b.String()
}

// left names what is left out: "12 steps, 1 table".
func (m *markdown) left(gone map[int]bool) string {
	n := map[string]int{}
	var groups []string
	for i, s := range m.sections {
		if gone[i] {
			if n[s.group] == 0 {
				groups = append(groups, s.group)
			}
			n[s.group]++
		}
	}
	for i, g := range groups {
		groups[i] = plural(int64(n[g]), g)
	}
	return strings.Join(groups, ", ")
}

// mdCode shows a text of the world's as code, where nothing in it means anything.
func mdCode(s string) string {
	s = safe(s)
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") && strings.Trim(s, " ") != "" {
		s = " " + s + " " // one of each is taken off again
	}
	return fence + s + fence
}

// mdCell is mdCode in a table, where a pipe parts cells even inside code.
func mdCell(s string) string { return strings.ReplaceAll(mdCode(s), "|", `\|`) }

// mdText shows a text that may hold something of the world's as prose: nothing in it is markup, a mention, a
// reference or a link.
func mdText(s string) string {
	var b strings.Builder
	text := []rune(safe(s))
	for i, r := range text {
		next := ' '
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch {
		case r == '@' || r == '#': // these act after the rendering, so that an entity alone would not help
			fmt.Fprintf(&b, "&#%d;\u200b", r)
		case strings.ContainsRune("\\`*_[]<>&|~!$^", r),
			r == ':' && next != ' ', // emoji, links
			i == 0 && strings.ContainsRune("-+=", r),
			(r == '.' || r == ')') && i < 10 && strings.Trim(string(text[:i]), "0123456789") == "": // a list's number
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "www.", "www&#46;")
}

// mdBlock is a block of code: lines that nothing in them ends.
func mdBlock(language string, lines []string) string {
	text := strings.Join(lines, "\n")
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + text + "\n" + fence
}

// mdDetails is a part that is opened by a click. The summary is HTML.
func mdDetails(summary, body string) string {
	return "<details><summary>" + summary + "</summary>\n\n" + body + "\n\n</details>"
}

// mdHTML shows a text of the world's inside HTML, as code.
func mdHTML(s string) string {
	return "<code>" + mdText(s) + "</code>"
}

// mdAlert is one of GitHub's alerts: CAUTION, WARNING, NOTE.
func mdAlert(kind, text string) string { return "> [!" + kind + "]\n> " + text }
