package saved

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"xplan/internal/compile"
	"xplan/plan"
)

const (
	magic   = "xplan saved plan "
	newest  = 1
	maxLine = 160 // bytes of the first line: magic, version, digest, length
)

// documentV1 is the JSON of format 1.
type documentV1 struct {
	Name        string          `json:"name"`
	Made        time.Time       `json:"made"`
	Xplan       string          `json:"xplan"`
	Files       []string        `json:"plan_files"`
	Counted     bool            `json:"counted"`
	PlanDigest  string          `json:"plan_digest"`
	WorldDigest string          `json:"world_digest"` // of the facts
	Counts      []Counts        `json:"counts"`
	Facts       []compile.Fact  `json:"facts"`
	Plan        json.RawMessage `json:"plan"`    // plan.JSON
	Program     json.RawMessage `json:"program"` // compile.Program.JSON, without the facts
}

// Is tells whether a file begins as saved plans do. A few dozen bytes are enough to ask.
func Is(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }

// Encode gives the file's bytes and sets the digest. Equal plans give equal bytes.
func Encode(p *Plan) ([]byte, error) {
	prog := *p.Program
	prog.Facts = []compile.Fact{} // they stand beside it
	program, err := prog.JSON()
	if err != nil {
		return nil, err
	}
	var doc bytes.Buffer
	e := json.NewEncoder(&doc)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(documentV1{
		Name: p.Plan.Name, Made: p.Made, Xplan: p.Xplan, Files: p.Files, Counted: p.Counted,
		PlanDigest: p.Program.PlanDigest, WorldDigest: p.Program.WorldDigest, Counts: p.Counts, Facts: p.Program.Facts,
		Plan: p.Plan.JSON(), Program: program,
	})
	if err != nil {
		return nil, fmt.Errorf("encode the saved plan of %s: %w", p.Plan.Name, err)
	}
	p.Digest = digest(doc.Bytes())
	return append([]byte(firstLine(p.Digest, doc.Len())+"\n"), doc.Bytes()...), nil
}

func firstLine(digest string, length int) string {
	return fmt.Sprintf("%s%d %s %d", magic, newest, digest, length)
}

func digest(doc []byte) string {
	sum := sha256.Sum256(doc)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Decode reads what Encode wrote. The error is ErrNotSaved, a *BrokenError or a *NewerError.
func Decode(data []byte) (*Plan, error) {
	if !Is(data) {
		return nil, ErrNotSaved
	}
	doc, sum, err := open(data)
	if err != nil {
		return nil, err
	}
	var d documentV1
	if err := strict(doc, &d); err != nil {
		return nil, unread(doc, "the document", err)
	}
	p := &Plan{Digest: sum, Made: d.Made, Xplan: d.Xplan, Files: d.Files, Counted: d.Counted, Counts: d.Counts, Program: &compile.Program{}}
	if p.Plan, err = plan.FromJSON(d.Plan); err != nil {
		return nil, unread(doc, "the plan", err)
	}
	if err := strict(d.Program, p.Program); err != nil {
		return nil, unread(doc, "the program", err)
	}
	if err := p.Plan.Check(); err != nil {
		return nil, broken("the plan in it is no valid one: %v", err)
	}
	words := append([]string{d.Xplan}, d.Files...)
	for _, s := range p.Program.Steps { // what a view shows as it is
		words = append(words, string(s.Kind), string(s.Side), string(s.Action), string(s.Rule), s.Confirm)
	}
	if !printable(words) {
		return nil, broken("it holds words that a terminal would act on")
	}
	p.Program.Facts = d.Facts
	if p.Program.Name != p.Plan.Name || d.Name != p.Plan.Name || p.Program.PlanDigest != d.PlanDigest || p.Program.WorldDigest != d.WorldDigest {
		return nil, broken("its parts do not belong together")
	}
	if !slices.Equal(countsOf(p.Program), p.Counts) {
		return nil, broken("the counts that it shows are not those that it is held to")
	}
	return p, nil
}

// printable tells whether a terminal acts on none of the texts.
func printable(texts []string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) })
	})
}

// open checks the first line against the document, and returns the document and its digest.
func open(data []byte) (doc []byte, sum string, err error) {
	line, doc, whole := bytes.Cut(data, []byte("\n"))
	words := strings.Fields(strings.TrimPrefix(string(line[:min(len(line), maxLine)]), magic))
	if version := append(words, "")[0]; version != strconv.Itoa(newest) {
		if n, err := strconv.Atoi(version); err == nil && n > newest && (whole || len(words) > 1) {
			return nil, "", &NewerError{What: fmt.Sprintf("format %d", n)}
		}
		return nil, "", broken("its first line is damaged")
	}
	if bytes.HasSuffix(line, []byte("\r")) {
		return nil, "", broken("its line ends were changed, as mail and git do with text: carry it as a binary file")
	}
	if !whole || len(words) != 3 {
		return nil, "", broken("its first line is cut short or damaged")
	}
	length, err := strconv.Atoi(words[2])
	switch {
	case err != nil || string(line) != firstLine(words[1], length):
		return nil, "", broken("its first line is damaged")
	case len(doc) < length:
		return nil, "", broken("it was cut short: %d bytes of %d are there", len(doc), length)
	case len(doc) > length:
		return nil, "", broken("something was added to it: %d bytes too many", len(doc)-length)
	case digest(doc) != words[1]:
		return nil, "", broken("it was changed after it was made: its digest is another one")
	}
	return doc, words[1], nil
}

// strict decodes one JSON value that has no field beyond those known here.
func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows after it")
	}
	return nil
}

// unread is the error for a document whose digest is right: another version made it.
func unread(doc []byte, what string, err error) error {
	var by struct {
		Xplan string `json:"xplan"`
	}
	if json.Unmarshal(doc, &by) != nil {
		return broken("%s in it cannot be read: %v", what, err)
	}
	return &NewerError{What: fmt.Sprintf("%s: %v", what, err), By: by.Xplan}
}
