package sandbox

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const s3Namespace = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`

// An xmlWriter writes a document by hand: listings are the sandbox's hot path.
type xmlWriter struct {
	b      []byte
	second int64  // that stamp shows
	stamp  string // of the time that was written last
}

func newXML(size int) *xmlWriter {
	return &xmlWriter{b: append(make([]byte, 0, size), xml.Header...), second: -1 << 62}
}

func (x *xmlWriter) bytes() []byte { return x.b }

func (x *xmlWriter) open(name string) {
	x.b = append(append(append(x.b, '<'), name...), '>')
}

// root opens the document's element in S3's namespace.
func (x *xmlWriter) root(name string) {
	x.b = append(append(append(append(x.b, '<'), name...), s3Namespace...), '>')
}

func (x *xmlWriter) close(name string) {
	x.b = append(append(append(x.b, '<', '/'), name...), '>')
}

func (x *xmlWriter) text(name, value string) {
	x.open(name)
	x.b = appendEscaped(x.b, value)
	x.close(name)
}

// optional writes nothing for an empty value.
func (x *xmlWriter) optional(name, value string) {
	if value != "" {
		x.text(name, value)
	}
}

func (x *xmlWriter) int(name string, n int64) {
	x.open(name)
	x.b = strconv.AppendInt(x.b, n, 10)
	x.close(name)
}

func (x *xmlWriter) bool(name string, v bool) {
	x.open(name)
	x.b = strconv.AppendBool(x.b, v)
	x.close(name)
}

// etag writes an ETag with its quotes.
func (x *xmlWriter) etag(value string) {
	x.b = append(append(append(x.b, "<ETag>&quot;"...), value...), "&quot;</ETag>"...)
}

func (x *xmlWriter) time(name string, t time.Time) {
	if second := t.Unix(); second != x.second {
		x.second, x.stamp = second, t.UTC().Truncate(time.Second).Format(timeFormat)
	}
	x.open(name)
	x.b = append(x.b, x.stamp...)
	x.close(name)
}

// timeFormat is S3's: it keeps no fractions of a second.
const timeFormat = "2006-01-02T15:04:05.000Z"

// appendEscaped writes character data as S3 does: what XML 1.0 cannot carry
// comes as a reference to it, which no parser takes.
func appendEscaped(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		esc := escapeOf(r)
		if esc == "" {
			i += n
			continue
		}
		b = append(append(b, s[start:i]...), esc...)
		i += n
		start = i
	}
	return append(b, s[start:]...)
}

func escapeOf(r rune) string {
	switch {
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '"':
		return "&quot;"
	case r < 0x20 && r != '\n' && r != '\t', r == 0xFFFE, r == 0xFFFF:
		return "&#x" + strconv.FormatInt(int64(r), 16) + ";"
	default:
		return ""
	}
}

// listEncode is encoding-type=url: as a form encodes, "+" for a space included,
// but for the slash.
func listEncode(s string) string {
	const hexDigits = "0123456789ABCDEF"
	plain := true
	for i := range len(s) {
		plain = plain && listPlain(s[i])
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		switch c := s[i]; {
		case listPlain(c):
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return string(b)
}

func listPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '-' && c <= '9' || c >= 'A' && c <= 'Z' || c == '_' || c == '*'
}

// readXML parses a request's body into v.
func (q *s3Call) readXML(v any) error {
	body, err := q.readBody(2 << 20)
	if err != nil {
		return err
	}
	if err := q.checkDigests(bodyOf(body)); err != nil {
		return err
	}
	if err := xml.Unmarshal(body, v); err != nil {
		return malformedXML()
	}
	return nil
}

func malformedXML() *apiError {
	return newError(http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema")
}

func invalidArgument(message, name, value string) *apiError {
	e := newError(http.StatusBadRequest, "InvalidArgument", message)
	if strings.HasPrefix(name, "X-Amz-") {
		name = strings.ToLower(name)
	}
	e.Fields = map[string]string{"ArgumentName": name, "ArgumentValue": value}
	return e
}

func invalidRequest(message string) *apiError {
	return newError(http.StatusBadRequest, "InvalidRequest", message)
}
