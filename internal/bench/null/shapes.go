package null

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The shapes of key spaces.
const (
	Hex     = "hex"     // uniform hexadecimal digits
	Dated   = "dated"   // hourly logs of one year
	Hot     = "hot"     // one prefix has 99 % of the keys
	Counter = "counter" // a long common prefix and a counter
	Unicode = "unicode" // letters of many planes, and NFC beside NFD
	Hostile = "hostile" // names that break parsers; as many as there are
	Ten     = "ten"     // ten keys
	None    = "none"    // no key
)

// Shapes lists the names that NewNamespace takes.
func Shapes() []string { return []string{Hex, Dated, Hot, Counter, Unicode, Hostile, Ten, None} }

// NewNamespace makes n keys of a shape. Hostile, Ten and None have a number of their own.
func NewNamespace(shape string, n int, sizes Sizes) (Namespace, error) {
	s := Namespace{n: n, sizes: sizes}
	if n < 0 || n > 1<<40 {
		return s, fmt.Errorf("%d keys make no namespace", n)
	}
	switch shape {
	case Hex:
		s.appendTo = hexKeys("", n)
	case Dated:
		s.appendTo = datedKeys(n)
	case Hot:
		s.appendTo = hotKeys(n)
	case Counter:
		s.appendTo = counterKeys
	case Unicode:
		s.appendTo = unicodeKeys(n)
	case Hostile:
		names := hostileKeys()
		s.n, s.appendTo = len(names), listedKeys(names)
	case Ten:
		s.n, s.appendTo = 10, hexKeys("docs/", 10)
	case None:
		s.n, s.appendTo = 0, counterKeys
	default:
		return s, fmt.Errorf("shape %q is none of %q", shape, Shapes())
	}
	return s, nil
}

func hexKeys(prefix string, n int) func([]byte, int) []byte {
	step := uint64(math.MaxUint64) / uint64(max(n, 1))
	return func(b []byte, i int) []byte {
		return appendHex(append(b, prefix...), uint64(i)*step+mix(uint64(i))%max(step, 1), 16)
	}
}

// datedKeys is logs/2024/01/31/17/part-00042.gz.
func datedKeys(n int) func([]byte, int) []byte {
	const hours = 366 * 24
	days := [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	perHour := max(1, (n+hours-1)/hours)
	return func(b []byte, i int) []byte {
		hour := i / perHour
		day := hour / 24
		year, month := 2024, 0
		for ; day >= days[month]; month = (month + 1) % 12 {
			day -= days[month]
			if month == 11 {
				year++ // leap years only: nobody minds
			}
		}
		b = appendPadded(append(b, "logs/"...), year, 4)
		b = appendPadded(append(b, '/'), month+1, 2)
		b = appendPadded(append(b, '/'), day+1, 2)
		b = appendPadded(append(b, '/'), hour%24, 2)
		b = appendPadded(append(b, "/part-"...), i%perHour, 5)
		return append(b, ".gz"...)
	}
}

func hotKeys(n int) func([]byte, int) []byte {
	cold := n / 200
	before, after := hexKeys("archive/", cold), hexKeys("users/", cold)
	return func(b []byte, i int) []byte {
		switch {
		case i < cold:
			return before(b, i)
		case i >= n-cold:
			return after(b, i-(n-cold))
		}
		return appendPadded(append(b, "events/"...), i-cold, 10)
	}
}

func counterKeys(b []byte, i int) []byte {
	b = append(b, "warehouse/tenant=acme-international/table=events_by_customer/region=eu-central-1/date=2026-01-01/part-"...)
	return append(appendPadded(b, i, 12), ".parquet"...)
}

// unicodeKeys writes a number in digits of many planes. The digits ascend by their bytes
// and none begins another, so the keys ascend with the number.
func unicodeKeys(n int) func([]byte, int) []byte {
	digits := []string{
		" ", "!", "$", "&", "'", "(", "+", ",", "-", "0", "1", "5", "9", ":", ";", "=", "@", "A", "E\u0301", "M", "Z", "_",
		"a", "e\u0301", "m", "o\u0308", "z", "~", "\u00a0", "\u00c9", "\u00e9", "\u00f6", "\u0130", "\u03a9", "\u0416", "\u05d0", "\u0639", "\u0e01", "\u1e9e", "\u2028",
		"\u3042", "\u4e2d", "\u65e5", "\u672c", "\ud55c", "\ufb01", "\uff21", "\U0001d4b3", "\U0001f600", "\U00020000",
	}
	base, width := len(digits), 1
	for pow(base, width) < n*4 {
		width++
	}
	step := max(1, pow(base, width)/max(n, 1))
	return func(b []byte, i int) []byte {
		x, unit := i*step, pow(base, width-1)
		for d := range width {
			if d > 0 && d%2 == 0 {
				b = append(b, '/')
			}
			b = append(b, digits[x/unit%base]...)
			unit /= base
		}
		return b
	}
}

func listedKeys(names []string) func([]byte, int) []byte {
	return func(b []byte, i int) []byte { return append(b, names[i]...) }
}

// hostileKeys is names that S3 takes and clients trip over, each at the root and in a folder.
func hostileKeys() []string {
	bad := []string{
		" ", "  two  spaces ", "a+b", "a b", "a%2Fb", "a%b", "100%", "%", "%25", "a&b", "a&amp;b", "<a>", "]]>", "\"quoted\"", "'single'", "a?b", "a?versionId=1",
		"a#b", "a;b", "a=b", "a@b", "a:b", "a,b", "a|b", "a\\b", "a^b", "a`b", "a{b}", "a[b]", "a~b", "a*b", "$HOME", "!x", "(x)",
		"//", "a//b", "/lead", "trail/", "trail//", "./x", "../x", "a/./b", "a/../b", ".", "..", "...", ".hidden",
		"tab\there", "line\nbreak", "cr\rhere", "crlf\r\n", "\x01", "bell\x07", "esc\x1b[31m", "del\x7f", "c1\u0085", "nbsp\u00a0",
		"caf\u00e9", "cafe\u0301", "\u212bngstr\u00f6m", "\u00c5ngstr\u00f6m", "A\u030angstro\u0308m", "\ufb01n", "fin", "\u0130stanbul", "stra\u00dfe",
		"\ufeffbom", "\u200bzero", "\u202ertl", "\u2028line", "\ufffd", "\ufffe", "\uffff", "\U0001f600", "\U0001f468\u200d\U0001f469", "\U0010ffff", "\u4e2d\u6587/\u65e5\u672c",
		"CON", "NUL", "aux.txt", "name.", "UPPER", "upper", "-dash", "--flag", "~user", "{}", "null", "undefined", "0", "-1", "1e9",
		strings.Repeat("k", 1000), strings.Repeat("d/", 480), strings.Repeat("\u00e9", 480),
	}
	keys := make([]string, 0, 2*len(bad))
	for _, k := range bad {
		keys = append(keys, k, "folder/"+k)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
