package view

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
	"github.com/dustin/go-humanize"

	"xplan/internal/s3copy"
)

// page is a text that is written at once, so that an error is met once.
type page struct {
	bytes.Buffer
	style Style
}

func (p *page) line(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
	p.WriteByte('\n')
}

func (p *page) to(w io.Writer) error {
	_, err := w.Write(p.Bytes())
	return err
}

// paint colours a text as its sign says; the sign itself already means it.
func (p *page) paint(sign, text string) string {
	if !p.style.Color {
		return text
	}
	color, bold := "", false
	switch sign {
	case "+":
		color = "2"
	case "-":
		color = "1"
	case "~", "?":
		color = "3"
	case "!":
		color, bold = "1", true
	case ">":
		color = "6"
	case "#":
		bold = true
	case "=":
		color = "8"
	default:
		return text
	}
	s := lipgloss.NewStyle().Bold(bold)
	if color != "" {
		s = s.Foreground(lipgloss.Color(color))
	}
	lines := strings.Split(text, "\n") // together they would be padded to one width
	for i, l := range lines {
		lines[i] = s.Render(l)
	}
	return strings.Join(lines, "\n")
}

// Key shows a key as it is where a terminal shows it as it is, and quoted otherwise.
func Key(k string) string {
	if k == "" {
		return `""`
	}
	for _, r := range k {
		if r == '"' || r == '\\' || r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return strconv.Quote(k)
		}
	}
	if strings.HasPrefix(k, " ") || strings.HasSuffix(k, " ") || strings.Contains(k, "  ") || strings.Contains(k, ", ") {
		return strconv.Quote(k) // it would pass for two, or for a column
	}
	return k
}

// safe drops what a terminal would act on from a text of the world's, and keeps it on one line.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// prose is safe for a message of our own, whose further lines stand below its first.
func prose(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = safe(l)
	}
	return strings.Join(lines, "\n      ")
}

func number(n int64) string { return humanize.Comma(n) }

func size(n s3copy.Bytes) string {
	if n < 0 {
		return "-" + size(-n)
	}
	return humanize.IBytes(uint64(n))
}

// plural says "1 object" and "2 objects", "1 copy" and "2 copies".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "py"); ok {
		noun = stem + "pie"
	}
	return number(n) + " " + noun + "s"
}

func padRight(s string, n int) string {
	if w := lipgloss.Width(s); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return s
}

func padLeft(s string, n int) string {
	if w := lipgloss.Width(s); w < n {
		return strings.Repeat(" ", n-w) + s
	}
	return s
}

// wrap writes a sign and texts of the world's, apart by three spaces, over as many lines as they need.
// What is of no use to a terminal is dropped from them.
func (p *page) wrap(indent, sign string, texts ...string) {
	var parts []string
	for _, t := range texts {
		if t != "" {
			parts = append(parts, safe(t))
		}
	}
	lead, hang := indent, indent+"    "
	if sign != "" {
		lead = indent + p.paint(sign, sign) + " "
	}
	for i, l := range wrapped(strings.Join(parts, "   "), textWidth-len(hang)) {
		if i > 0 {
			lead = hang
		}
		p.line(lead, p.paint(sign, l))
	}
}

// wrapped breaks a text at its spaces into lines of a width. A word that is longer has a line of its own.
func wrapped(text string, width int) []string {
	if lipgloss.Width(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range words(text) {
		switch {
		case line == "":
			line = word
		case lipgloss.Width(line)+1+lipgloss.Width(word) > width:
			lines = append(lines, strings.TrimRight(line, " "))
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// words parts a text at its spaces, but not before a word that would be taken for a sign at a line's start.
func words(text string) []string {
	var all []string
	for word := range strings.SplitSeq(text, " ") {
		if n := len(all); n > 0 && word != "" && strings.Trim(word, "+-~=<>!?·≈") == "" {
			all[n-1] += " " + word
			continue
		}
		all = append(all, word)
	}
	return all
}
