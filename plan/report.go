package plan

import "strings"

// A report gathers what is wrong with one file. Everything that is said goes
// through it, so that nothing secret is repeated.
type report struct {
	name     string
	lines    []string
	secrets  *redactor
	problems []Problem
	warnings []Problem

	// weak problems are said only where nothing better is said of the place:
	// the schema knows a pattern, the meaning knows the reason.
	weak []Problem
}

func (r *report) problem(pointer string, where Position, message, hint string) {
	r.problems = append(r.problems, draft(pointer, where, message, hint))
}

func (r *report) warning(pointer string, where Position, message, hint string) {
	r.warnings = append(r.warnings, draft(pointer, where, message, hint))
}

// A draft is not fit to be shown: finish cuts what there are too many of, and
// polish takes the secrets out and the snippet in.
func draft(pointer string, where Position, message, hint string) Problem {
	return Problem{Line: where.Line, Column: where.Column, Pointer: pointer, Message: message, Hint: hint}
}

func (r *report) polish(list []Problem) {
	for i, p := range list {
		p.File, p.Pointer, p.Message, p.Hint = r.name, r.clean(p.Pointer), r.clean(p.Message), r.clean(p.Hint)
		switch {
		case p.Line < 1 || p.Line > len(r.lines):
		case r.secrets.holds(p.Line):
			p.Snippet = hidden
		default:
			p.Snippet, p.Caret = snippet(r.lines[p.Line-1], p.Column)
		}
		list[i] = p
	}
}

// enough tells that more problems were found than will be shown, so that no
// more care need go into them.
func (r *report) enough() bool { return len(r.problems) > 4*maxProblems }

func (r *report) clean(s string) string { return printable(r.secrets.redact(s)) }

// quote puts a value of the file into a message.
func (r *report) quote(s string) string { return quoted(r.secrets.redact(s)) }

// done returns the error, if anything is wrong, and the warnings.
func (r *report) done() ([]Problem, error) {
	said := map[Position]bool{}
	for _, p := range r.problems {
		said[Position{p.Line, p.Column}] = true
	}
	for _, p := range r.weak {
		if !said[Position{p.Line, p.Column}] {
			r.problems = append(r.problems, p)
		}
	}
	warnings, _ := finish(r.warnings)
	r.polish(warnings)
	if len(r.problems) == 0 {
		return warnings, nil
	}
	list, more := finish(r.problems)
	r.polish(list)
	return warnings, &Problems{List: list, More: more}
}

// displayName is a file's name as it may be shown: an address loses its
// password and its query, where signatures stand.
func displayName(name string) string {
	if scheme, rest, ok := strings.Cut(name, "://"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		rest, _, _ = strings.Cut(rest, "#")
		host, path, _ := strings.Cut(rest, "/")
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			host = host[i+1:]
		}
		name = scheme + "://" + host
		if path != "" {
			name += "/" + path
		}
	}
	return printable(name)
}

// splitLines splits a text where YAML ends a line.
func splitLines(text string) []string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	return strings.Split(text, "\n")
}
