package view

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
)

// JSON is a value on one line. What a terminal would act on is escaped in it: the C1 controls
// and what turns text round, which JSON itself allows as they are.
func JSON(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return inertJSON(data), nil
}

func inertJSON(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for _, r := range string(data) { // beyond ASCII there are only strings
		switch {
		case r <= unicode.MaxASCII && r != 0x7f, r > unicode.MaxASCII && unicode.IsPrint(r):
			out = append(out, string(r)...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, "\\u%04x\\u%04x", high, low)
		default:
			out = fmt.Appendf(out, "\\u%04x", r)
		}
	}
	return out
}

func writeLine(w io.Writer, v any) error {
	line, err := JSON(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}
