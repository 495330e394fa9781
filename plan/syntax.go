package plan

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errNotYAML = errors.New("not YAML")

// syntax reports what the YAML parser stumbled over, in our words: its own may
// repeat what stands in the file. It knows the line only; where the fault can be
// told from the line, the column is found here.
func (r *report) syntax(err error) {
	line, text := 1, err.Error()
	if m := regexp.MustCompile(`^yaml: line (\d+): `).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	text = strings.TrimPrefix(text, "yaml: ")
	line = min(max(line, 1), len(r.lines))
	fault := faultOf(text)
	where := Position{line, firstColumn(r.lines[line-1])}
	// The parser's line is that of what it was reading when it failed, give or take one.
	for _, l := range []int{line, line + 1, line - 1} {
		if fault.find == "" || l < 1 || l > len(r.lines) {
			continue
		}
		if loc := regexp.MustCompile(fault.find).FindStringIndex(r.lines[l-1]); loc != nil {
			where = Position{l, utf8.RuneCountInString(r.lines[l-1][:loc[1]])}
			break
		}
	}
	r.problem("", where, fault.message, fault.hint)
}

func firstColumn(line string) int {
	return utf8.RuneCountInString(line) - utf8.RuneCountInString(strings.TrimLeft(line, " \t")) + 1
}

// A fault is what we say where the parser says one of these. The last byte that
// find matches is the place.
type fault struct{ says, find, message, hint string }

func faultOf(text string) fault {
	for _, f := range []fault{
		{"tab character", `^ *\t`, "a tab indents this line", "YAML is indented by spaces only"},
		{"cannot start any token", `(^|[\s:,\[{-])[\t@` + "`" + `%]`, "this is not YAML: no value begins with this character", "put the value in quotes; indent by spaces, not tabs"},
		{"unknown anchor", `(^|\s)\*`, "an alias stands for an anchor that is not there", "a value that begins with * wants quotes"},
		{"mapping values are not allowed", `:[ \t].*:(\s|$)`, "this is not YAML: a second colon in one line", "a value with a colon wants quotes; else check the indentation"},
		{"could not find expected ':'", "", "this is not YAML: a colon is missing here, or before", "a field is written name: value"},
		{"expected ',' or ']'", "", "this is not YAML: a list that began with [ goes wrong here", "its items want commas between them and a ] at the end"},
		{"expected ',' or '}'", "", "this is not YAML: a mapping that began with { goes wrong here", "its fields want commas between them and a } at the end"},
		{"unknown escape character", `\\[^0abt\tnvfre "/\\N_LPxuU]`, "a double-quoted value holds an unknown escape", "use single quotes, where a backslash is just that"},
		{"hexdecimal number", `\\[xuU]`, "a double-quoted value holds an incomplete escape", "use single quotes, where a backslash is just that"},
		{"invalid Unicode character escape", `\\[xuU]`, "a double-quoted value holds an escape that is no character", ""},
		{"unexpected end of stream", "", "a quote that is opened here, or after, is never closed", ""},
		{"'-' indicator", "", "this is not YAML: this does not line up with the list's items", "check the indentation"},
		{"expected key", "", "this is not YAML: this does not line up with the fields before it", "check the indentation and the quotes"},
		{"block sequence entries are not allowed", `-\s`, "this is not YAML: a list cannot begin here", "put the first - on a line of its own"},
		{"alphabetic or numeric character", `(^|\s)[*&]`, "an anchor or an alias without a name", "a value that begins with * or & wants quotes"},
		{"node content", "", "this is not YAML: a value is missing here, or before", ""},
		{"<document start>", "", "this is not YAML: something follows after the document's end", "check the indentation"},
		{"control characters", `[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]`, "the file holds a control character", "write it as an escape in double quotes"},
		{"max depth", "", "nested too deep", ""},
		{"block scalar", "", "this is not YAML: a block of text goes wrong here", "check what follows the | or >"},
		{"tag", `!`, "this is not YAML: a tag goes wrong here", "a value that begins with ! wants quotes"},
		{"directive", `^%`, "this is not YAML: a directive that is not known", "a value that begins with % wants quotes"},
		{"YAML document", `^%`, "a version of YAML that is not known", "leave the %YAML line out"},
	} {
		if strings.Contains(text, f.says) {
			return f
		}
	}
	return fault{message: "this is not YAML"}
}
