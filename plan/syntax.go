package plan

import (
	"errors"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

var errNotYAML = errors.New("not YAML")

// syntax reports what the YAML parser stumbled over, in our words: its own may
// repeat what stands in the file. It knows the line only, and not always that;
// where the fault can be told from the text, its place is found here.
func (r *report) syntax(err error) {
	line, text := saidLine(err)
	if m := regexp.MustCompile(`unknown anchor '(.*)' referenced`).FindStringSubmatch(text); m != nil {
		line = lineWith(r.lines, "*"+m[1]) // said without its line
	}
	line = min(max(line, 1), len(r.lines))
	fault := faultOf(text, r.lines[line-1])
	if fault.early {
		line = min(line+1, len(r.lines))
	}
	if fault.block {
		line = r.firstFailing(text, line)
	}
	where := Position{line, firstColumn(r.lines[line-1])}
	// The line is that of what the parser was reading when it failed, give or take one.
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

// saidLine splits the parser's error into its line and the rest.
func saidLine(err error) (int, string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text)
	if m == nil {
		return 1, text
	}
	line, _ := strconv.Atoi(m[1])
	return line, text[len(m[0]):]
}

// firstFailing finds the line at which a block goes wrong, where the parser
// names the one at which the block began: the file up to there, and not up to
// the line before, fails in the same way.
func (r *report) firstFailing(text string, otherwise int) int {
	const tooLong = 64 << 10
	whole := strings.Join(r.lines, "\n")
	if len(whole) > tooLong {
		return otherwise
	}
	n := sort.Search(len(r.lines), func(i int) bool {
		_, err := decode(yaml.NewDecoder(strings.NewReader(strings.Join(r.lines[:i+1], "\n") + "\n")))
		if err == nil {
			return false
		}
		_, said := saidLine(err)
		return said == text
	})
	if n == len(r.lines) {
		return otherwise
	}
	return n + 1
}

func lineWith(lines []string, text string) int {
	for i, l := range lines {
		if strings.Contains(l, text) {
			return i + 1
		}
	}
	return 1
}

func firstColumn(line string) int {
	return utf8.RuneCountInString(line) - utf8.RuneCountInString(strings.TrimLeft(line, " \t")) + 1
}

// A fault is what we say where the parser says one of these. The last character
// that find matches is the place. An early one is said with the line before
// its own; of a block's, the line is where the block began.
type fault struct {
	says, find, message, hint string
	early, block              bool
}

func faultOf(text, line string) fault {
	if strings.Contains(text, "cannot start any token") && strings.HasPrefix(strings.TrimLeft(line, " "), "\t") {
		text = "tab character"
	}
	for _, f := range faults() {
		if strings.Contains(text, f.says) {
			return f
		}
	}
	return fault{message: "this is not YAML"}
}

func faults() []fault {
	const indentation = "check the indentation, here and in the line before"
	return []fault{
		{says: "tab character", find: `^ *\t`, message: "a tab indents this line", hint: "YAML is indented by spaces only"},
		{
			says: "cannot start any token", find: "(^|[\\s:,\\[{-])[\t@`%]",
			message: "this is not YAML: no value begins with this character", hint: "put the value in quotes; indent by spaces, not tabs",
		},
		{
			says: "unknown anchor", find: `(^|\s)\*`,
			message: "an alias stands for an anchor that is not there", hint: "a value that begins with * wants quotes",
		},
		{
			says: "mapping values are not allowed", find: `:\s+[^:]*:`,
			message: "this is not YAML: no field can begin here", hint: "a value with a colon wants quotes, and a quote before it its end; else " + indentation,
		},
		{says: "could not find expected ':'", message: "this is not YAML: a colon is missing here, or before", hint: "a field is written name: value"},
		{
			says: "expected ',' or ']'", early: true,
			message: "this is not YAML: a list that begins with [ goes wrong here", hint: "its items want commas between them and a ] at the end",
		},
		{
			says: "expected ',' or '}'", early: true,
			message: "this is not YAML: a mapping that begins with { goes wrong here", hint: "its fields want commas between them and a } at the end",
		},
		{
			says: "unknown escape character", find: `\\[^0abt\tnvfre "/\\N_LPxuU]`,
			message: "a double-quoted value holds an unknown escape", hint: "use single quotes, where a backslash is just that",
		},
		{
			says: "hexdecimal number", find: `\\[xuU]`,
			message: "a double-quoted value holds an incomplete escape", hint: "use single quotes, where a backslash is just that",
		},
		{says: "Unicode character escape", find: `\\[xuU]`, message: "a double-quoted value holds an escape that is no character"},
		{says: "unexpected end of stream", message: "a quote that is opened here, or after, is never closed"},
		{says: "unexpected document indicator", message: "a quote that is opened here, or after, is never closed"},
		{says: "'-' indicator", early: true, block: true, message: "this is not YAML: this does not line up with the list's items", hint: indentation},
		{
			says: "expected key", early: true, block: true,
			message: "this is not YAML: this does not line up with the fields before it", hint: indentation + "; and that every quote is closed",
		},
		{says: "block sequence entries are not allowed", find: `-\s`, message: "this is not YAML: a list cannot begin here", hint: "put the first - on a line of its own"},
		{
			says: "alphabetic or numeric character", find: `(^|\s)[*&]`,
			message: "an anchor or an alias without a name", hint: "a value that begins with * or & wants quotes",
		},
		{says: "node content", early: true, message: "this is not YAML: a value is missing here, or before"},
		{says: "<document start>", early: true, block: true, message: "this is not YAML: nothing can follow here", hint: indentation},
		{says: "control characters", find: `[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]`, message: "the file holds a control character", hint: "write it as an escape in double quotes"},
		{says: "max depth", message: "nested too deep"},
		{says: "block scalar", message: "this is not YAML: a block of text goes wrong here", hint: "check what follows the | or >"},
		{says: "indentation indicator", message: "this is not YAML: a block of text goes wrong here", hint: "check what follows the | or >"},
		{says: "comment or line break", find: `[|>]`, message: "this is not YAML: a block of text goes wrong here", hint: "check what follows the | or >"},
		{says: "tag", find: `!`, message: "this is not YAML: a tag goes wrong here", hint: "a value that begins with ! wants quotes"},
		{says: "directive", find: `^%`, message: "this is not YAML: a directive that is not known", hint: "a value that begins with % wants quotes"},
		{says: "incompatible YAML document", find: `^%`, message: "a version of YAML that is not known", hint: "leave the %YAML line out"},
	}
}
