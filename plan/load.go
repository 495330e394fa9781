package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// MaxSize is the size in bytes beyond which a plan file is refused unread.
const MaxSize = 1 << 20

// Load reads and checks the plan file at path. What is wrong with the file
// itself comes back as *Problems, all of it at once.
func Load(path string) (*Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	return Parse(path, data)
}

// Parse checks a plan file that was read already. Its name is for messages, and
// becomes the plan's File. The error is always *Problems.
func Parse(name string, data []byte) (*Plan, error) {
	r := &report{name: displayName(name), secrets: newRedactor()}
	var p *Plan
	if len(data) > MaxSize {
		r.problem("", Position{}, "the file is larger than 1 MiB", "a plan has a few hundred lines; is this the right file?")
	} else {
		p = r.parse(data)
	}
	warnings, err := r.done()
	if err != nil {
		return nil, err
	}
	p.File = name
	p.Warnings = warnings
	return p, nil
}

// parse returns nil only where a problem was reported.
func (r *report) parse(data []byte) *Plan {
	text, ok := r.text(data)
	if !ok {
		return nil
	}
	r.lines = splitLines(text)
	r.secrets.scanLines(r.lines)
	root, ok := r.document([]byte(text))
	if root != nil {
		r.secrets.scanNodes(root, len(r.lines))
	}
	defer r.leaks() // last, when all is known that must not be repeated
	if !ok || r.secrets.flooded() {
		return nil
	}
	rd := &reader{report: r, marks: map[string]mark{}, bad: map[string]bool{}}
	t := rd.read(root)
	if rd.full || !r.version(t) {
		return nil
	}
	s := &shape{report: r, tree: t, bad: map[string]bool{}}
	s.check(rd.bad)
	p, err := resolve(t.root)
	if err != nil { // the shape is right, so this cannot be; better a dull word than a crash
		r.problem("", Position{1, 1}, "the plan cannot be read", "")
		return nil
	}
	p.Positions = positions(t)
	r.meaning(p, s)
	return p
}

// text refuses what is no text, and drops a byte order mark.
func (r *report) text(data []byte) (string, bool) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	bad, what := bytes.IndexByte(data, 0), "a NUL byte"
	if i := invalidUTF8(data); i >= 0 && (bad < 0 || i < bad) {
		bad, what = i, "a byte that is not UTF-8"
	}
	if bad >= 0 {
		before := splitLines(string(data[:bad]))
		r.lines = before // what is readable of that line is shown
		r.secrets.scanLines(r.lines)
		where := Position{len(before), utf8.RuneCountInString(before[len(before)-1]) + 1}
		r.problem("", where, "the file holds "+what, "a plan is a text file in UTF-8")
		return "", false
	}
	return string(data), true
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// document parses the one document of the file. Where the file is no YAML or
// holds more, the first document, if any, comes back with false.
func (r *report) document(text []byte) (*yaml.Node, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	first, err := decode(decoder)
	if errors.Is(err, io.EOF) {
		r.problem("", Position{1, 1}, "the file is empty", "see examples/tommy.xplan.yaml, or start one with: xplan init")
		return nil, false
	}
	if err != nil {
		r.syntax(err)
		return nil, false
	}
	root := first.Content[0]
	second, err := decode(decoder)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		r.syntax(err)
		return root, false
	default:
		r.problem("", at(second), "a second document begins here", "a plan file holds one plan")
		return root, false
	}
	switch {
	case root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null":
		r.problem("", Position{1, 1}, "the file is empty", "see examples/tommy.xplan.yaml, or start one with: xplan init")
		return root, false
	case root.Kind != yaml.MappingNode:
		r.problem("", at(root), "a plan is a mapping of fields, not "+kindOf(root), "it begins with version: 1")
		return root, false
	}
	return root, true
}

// decode reads one document's nodes. The parser panics on some inputs that it
// did not foresee; that is the file's fault, too.
func decode(d *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			doc, err = nil, errNotYAML
		}
	}()
	doc = &yaml.Node{}
	if err := d.Decode(doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, errNotYAML
	}
	return doc, nil
}

func positions(t tree) map[string]Position {
	all := make(map[string]Position, len(t.marks))
	for pointer, m := range t.marks {
		all[pointer] = m.content()
	}
	return all
}
