package s3copy

import (
	"strings"
	"unicode/utf8"
)

// legalStart gives the greatest prefix of key that every server takes as a
// StartAfter: listing from there repeats keys up to key, and leaves none out.
func legalStart(key string) string {
	for i, r := range key {
		if !legalRune(key[i:], r) {
			return key[:i]
		}
	}
	return key
}

// plainXML tells whether a key travels inside XML unharmed.
func plainXML(key string) bool { return legalStart(key) == key }

func legalRune(rest string, r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0: // C0, DEL, C1
		return false
	case r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe: // noncharacters
		return false
	case r == utf8.RuneError:
		return strings.HasPrefix(rest, "\ufffd") // the character itself, and no broken UTF-8
	}
	return true
}

// translate maps a bound of source keys below prefix to the destination's keys below
// to. ok is false where no key below prefix lies behind the bound.
func translate(bound, prefix, to string) (mapped string, ok bool) {
	switch {
	case bound == "":
		return "", true
	case strings.HasPrefix(bound, prefix):
		return to + bound[len(prefix):], true
	case bound < prefix:
		return "", true
	default:
		return "", false
	}
}
