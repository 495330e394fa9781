package plan

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// String renders the problem as
//
//	FILE:LINE:COLUMN: MESSAGE
//	  5 | the line
//	    | ^ the hint
func (p Problem) String() string {
	if p.Line == 0 {
		text := p.File + ": " + p.Message
		if p.Hint != "" {
			text += "\n  " + p.Hint
		}
		return text
	}
	number := strconv.Itoa(p.Line)
	caret := strings.TrimRight("^ "+p.Hint, " ")
	return fmt.Sprintf("%s:%d:%d: %s\n  %s | %s\n  %s | %s%s",
		p.File, p.Line, p.Column, p.Message,
		number, p.Snippet,
		strings.Repeat(" ", len(number)), strings.Repeat(" ", p.Caret), caret)
}

// How much of a long line a snippet shows, in cells, and how much of it stands
// before the column.
const (
	snippetCells = 100
	cellsBefore  = 40
)

// snippet makes a line fit for a terminal and says in which cell its column
// (from 1, in runes) falls.
func snippet(line string, column int) (text string, caret int) {
	runes := []rune(line)
	at := min(max(column-1, 0), len(runes))
	from := 0
	if !fits(runes) {
		from = before(runes, at)
	}
	if from > 0 {
		text, caret = "…", 1
	}
	used := caret
	for i := from; i < len(runes); i++ {
		c := visible(runes[i])
		if used+c.cells > snippetCells || len(text) > 8*snippetCells { // marks pile up without taking cells
			return text + "…", caret
		}
		if i < at {
			caret += c.cells
		}
		used += c.cells
		text += c.text
	}
	return strings.TrimRight(text, " "), caret
}

func fits(runes []rune) bool {
	cells := 0
	for _, r := range runes {
		if cells += visible(r).cells; cells > snippetCells {
			return false
		}
	}
	return true
}

// before is where a snippet begins that shows some cells before a place.
func before(runes []rune, at int) int {
	from := at
	for cells := 0; from > 0 && cells < cellsBefore && at-from < 2*cellsBefore; {
		from--
		cells += visible(runes[from]).cells
	}
	return from
}

type cell struct {
	text  string
	cells int
}

// visible turns a rune into what a terminal may be sent for it: a tab becomes
// spaces; what moves the cursor, hides or turns text is spelled out.
func visible(r rune) cell {
	switch {
	case r == '\t':
		return cell{"    ", 4}
	case r == utf8.RuneError || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
		return cell{string(r), width(r)}
	case !unicode.IsPrint(r):
		quoted := strconv.QuoteRuneToASCII(r)
		quoted = quoted[1 : len(quoted)-1]
		return cell{quoted, len(quoted)}
	default:
		return cell{string(r), width(r)}
	}
}

// width is the number of terminal cells of a printable rune.
func width(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r < 0x1100:
		return 1
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Yi),
		r >= 0x3000 && r <= 0x303e, // CJK punctuation
		r >= 0xff01 && r <= 0xff60, // full-width forms
		r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1faff: // pictures
		return 2
	default:
		return 1
	}
}

// printable spells out what a terminal must not be sent, in a text of ours
// that may quote the file.
func printable(s string) string {
	clean := true
	for _, r := range s {
		clean = clean && unicode.IsPrint(r)
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == ' ' || unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(visible(r).text)
	}
	return b.String()
}

// maxQuoted bounds a value that is quoted in a message, in runes.
const maxQuoted = 80

// quoted is the value in quotes, cut where it is long.
func quoted(s string) string {
	if utf8.RuneCountInString(s) > maxQuoted {
		s = string([]rune(s)[:maxQuoted]) + "…"
	}
	return strconv.Quote(s)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
