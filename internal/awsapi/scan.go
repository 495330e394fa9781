package awsapi

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// A scanner reads the XML that S3 answers with: elements in order, without attributes but the root's
// namespace, whose text is printable ASCII. At anything else it gives up for good, which is no error: the
// SDK reads the answer then. What it does read, it reads as the SDK does. Held by TestMutatedPagesAreReadAsTheSDKReadsThem.
type scanner struct {
	b      []byte
	at     int
	empty  bool // the element that was opened last is <Name/>
	odd    bool // gave up
	buffer []byte
}

// root opens the document's element, which must have this name.
func (s *scanner) root(name string) {
	s.space()
	for _, prolog := range [...]string{`<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version='1.0' encoding='utf-8'?>`, `<?xml version="1.0"?>`} {
		if bytes.HasPrefix(s.b, []byte(prolog)) { // not behind white space
			s.at = len(prolog)
			break
		}
	}
	s.space()
	if !s.take("<") || !s.take(name) {
		s.odd = true
		return
	}
	if s.take(` xmlns="`) {
		for s.at < len(s.b) && (letter(s.b[s.at]) || bytes.IndexByte([]byte(":/.-"), s.b[s.at]) >= 0) {
			s.at++
		}
		s.odd = !s.take(`"`)
	}
	s.odd = s.odd || !s.take(">")
}

// end tells whether the document ends here, as it should.
func (s *scanner) end() bool {
	s.space()
	return !s.odd && s.at == len(s.b)
}

// child opens the next element within the one that is open, which has this name, and gives its own; nil where
// the open one ends.
func (s *scanner) child(parent string) []byte {
	if s.empty {
		s.empty = false
		return nil
	}
	s.space()
	if s.odd || !s.take("<") {
		s.odd = true
		return nil
	}
	if s.take("/") {
		s.odd = !s.take(parent) || !s.take(">")
		return nil
	}
	from := s.at
	for s.at < len(s.b) && letter(s.b[s.at]) {
		s.at++
	}
	name := s.b[from:s.at]
	s.empty = s.take("/")
	if !s.take(">") || len(name) == 0 || !early(name[0]) {
		s.odd = true
		return nil
	}
	return name
}

// early tells what a name can begin with.
func early(c byte) bool { return c > '9' }

func letter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// text reads the text of the element that was opened last, and closes it. It is good until the next text.
func (s *scanner) text(name []byte) []byte {
	if s.empty || s.odd {
		s.empty = false
		return nil
	}
	from, entities := s.at, false
	for s.at < len(s.b) && s.b[s.at] != '<' {
		switch c := s.b[s.at]; {
		case c == '&':
			entities = true
		case (c < ' ' && c != '\n' && c != '\t') || c >= 0x7f || c == '>':
			s.odd = true
			return nil
		}
		s.at++
	}
	text := s.b[from:s.at]
	if !s.take("</") || !bytes.HasPrefix(s.b[s.at:], name) {
		s.odd = true
		return nil
	}
	s.at += len(name)
	s.odd = !s.take(">")
	if entities {
		text = s.plain(text)
	}
	return text
}

// plain undoes entities.
func (s *scanner) plain(text []byte) []byte {
	s.buffer = s.buffer[:0]
	for i := 0; i < len(text); i++ {
		if text[i] != '&' {
			s.buffer = append(s.buffer, text[i])
			continue
		}
		n := bytes.IndexByte(text[i:], ';')
		if n < 0 {
			s.odd = true
			return nil
		}
		c, ok := entity(text[i+1 : i+n])
		if !ok {
			s.odd = true
			return nil
		}
		s.buffer = append(s.buffer, c)
		i += n
	}
	return s.buffer
}

// entity gives the character of an entity, where it is printable ASCII.
func entity(name []byte) (byte, bool) {
	switch string(name) {
	case "quot":
		return '"', true
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "apos":
		return '\'', true
	}
	base := 10
	digits, ok := bytes.CutPrefix(name, []byte("#"))
	if hex, found := bytes.CutPrefix(digits, []byte("x")); found {
		base, digits = 16, hex
	}
	if !ok || len(digits) == 0 || len(digits) > 4 || !letter(digits[0]) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(digits), base, 8)
	return byte(n), err == nil && n >= ' ' && n < 0x7f
}

// skip passes over an element that nobody asks for.
func (s *scanner) skip(name []byte) { _ = s.text(name) }

// number reads a count.
func (s *scanner) number(name []byte) int64 {
	text := s.text(name)
	if len(text) == 0 || len(text) > 18 {
		s.odd = true
		return 0
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' {
			s.odd = true
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// boolean reads true or false.
func (s *scanner) boolean(name []byte) bool {
	switch string(s.text(name)) {
	case "true":
		return true
	case "false":
	default:
		s.odd = true
	}
	return false
}

// moment reads 2024-01-01T00:00:00.000Z, with or without a fraction.
func (s *scanner) moment(name []byte) time.Time {
	t, ok := momentOf(s.text(name))
	s.odd = s.odd || !ok
	return t
}

func momentOf(text []byte) (time.Time, bool) {
	const form = "0000-00-00T00:00:00"
	if len(text) <= len(form) || text[len(text)-1] != 'Z' {
		return time.Time{}, false
	}
	for i, c := range []byte(form) {
		if c != '0' && text[i] != c || c == '0' && !digit(text[i]) {
			return time.Time{}, false
		}
	}
	nanoseconds, ok := fraction(text[len(form) : len(text)-1])
	month, day, hour, minute, second := number(text[5:7]), number(text[8:10]), number(text[11:13]), number(text[14:16]), number(text[17:19])
	t := time.Date(number(text[:4]), time.Month(month), day, hour, minute, second, nanoseconds, time.UTC)
	// What no clock shows would have been carried over.
	return t, ok && t.Month() == time.Month(month) && t.Day() == day && hour < 24 && minute < 60 && second < 60
}

// fraction reads the part behind the seconds, with its point, in nanoseconds.
func fraction(text []byte) (int, bool) {
	if len(text) == 0 {
		return 0, true
	}
	digits := text[1:]
	if text[0] != '.' || len(digits) == 0 || len(digits) > 9 {
		return 0, false
	}
	for _, c := range digits {
		if !digit(c) {
			return 0, false
		}
	}
	n := number(digits)
	for range 9 - len(digits) {
		n *= 10
	}
	return n, true
}

func number(digits []byte) (n int) {
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) space() {
	for s.at < len(s.b) && (s.b[s.at] == ' ' || s.b[s.at] == '\n' || s.b[s.at] == '\t') {
		s.at++
	}
}

// take passes over what is expected next, and tells whether it was there.
func (s *scanner) take(what string) bool {
	if len(s.b)-s.at < len(what) || string(s.b[s.at:s.at+len(what)]) != what {
		return false
	}
	s.at += len(what)
	return true
}

// strand makes strings out of blocks, one for some ten keys: few allocations, and whoever keeps one
// string keeps no more than its block.
type strand struct{ block strings.Builder }

const strandBlock = 1 << 10

func (a *strand) keep(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if a.block.Cap()-a.block.Len() < len(text) {
		a.block = strings.Builder{}
		a.block.Grow(max(strandBlock, len(text)))
	}
	from := a.block.Len()
	a.block.Write(text)
	return a.block.String()[from:]
}
