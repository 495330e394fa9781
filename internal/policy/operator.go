package policy

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// wanted is a value of a condition: with variables replaced, and as it stands.
type wanted struct {
	pattern pattern
	text    string
}

// comparison returns how the operator compares, and whether it negates. Types
// that take no policy variables look at the value as it stands.
func comparison(name string) (compare func(wanted, string) bool, negated bool) {
	switch name {
	case "StringEquals", "StringNotEquals":
		return func(w wanted, got string) bool { return w.pattern.plain() == got }, name == "StringNotEquals"
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return func(w wanted, got string) bool { return strings.EqualFold(w.pattern.plain(), got) }, name == "StringNotEqualsIgnoreCase"
	case "StringLike", "StringNotLike":
		return func(w wanted, got string) bool { return w.pattern.match(got) }, name == "StringNotLike"
	case "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike":
		return func(w wanted, got string) bool { return w.pattern.matchARN(got) }, strings.HasPrefix(name, "ArnNot")
	case "Bool":
		return func(w wanted, got string) bool { return strings.EqualFold(w.pattern.plain(), got) }, false
	case "BinaryEquals":
		return equalBinary, false
	case "IpAddress", "NotIpAddress":
		return withinNetwork, name == "NotIpAddress"
	}
	if order, ok := strings.CutPrefix(name, "Numeric"); ok {
		return ordering(order, compareNumbers)
	}
	if order, ok := strings.CutPrefix(name, "Date"); ok {
		return ordering(order, compareDates)
	}
	return nil, false
}

// ordering builds Equals, LessThan and so on. What cannot be compared matches nothing.
func ordering(order string, compare func(got, want string) (int, bool)) (func(wanted, string) bool, bool) {
	var holds func(int) bool
	switch order {
	case "Equals", "NotEquals":
		holds = func(n int) bool { return n == 0 }
	case "LessThan":
		holds = func(n int) bool { return n < 0 }
	case "LessThanEquals":
		holds = func(n int) bool { return n <= 0 }
	case "GreaterThan":
		holds = func(n int) bool { return n > 0 }
	case "GreaterThanEquals":
		holds = func(n int) bool { return n >= 0 }
	default:
		return nil, false
	}
	return func(w wanted, got string) bool {
		n, ok := compare(got, w.text)
		return ok && holds(n)
	}, order == "NotEquals"
}

func compareNumbers(got, want string) (int, bool) {
	i, err1 := strconv.ParseInt(got, 10, 64)
	j, err2 := strconv.ParseInt(want, 10, 64)
	if err1 == nil && err2 == nil {
		return cmp.Compare(i, j), true
	}
	a, err1 := strconv.ParseFloat(got, 64)
	b, err2 := strconv.ParseFloat(want, 64)
	if err1 != nil || err2 != nil || math.IsNaN(a) || math.IsNaN(b) {
		return 0, false
	}
	return cmp.Compare(a, b), true
}

func compareDates(got, want string) (int, bool) {
	a, ok1 := parseDate(got)
	b, ok2 := parseDate(want)
	return a.Compare(b), ok1 && ok2
}

// parseDate reads the W3C's forms of ISO 8601, and seconds since 1970.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	if err == nil && len(s) > len("2006") {
		return time.Unix(seconds, 0), true
	}
	for _, layout := range []string{"2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func equalBinary(w wanted, got string) bool {
	a, err1 := base64.StdEncoding.DecodeString(w.text)
	b, err2 := base64.StdEncoding.DecodeString(got)
	return err1 == nil && err2 == nil && bytes.Equal(a, b)
}

// withinNetwork takes a network or one address, of either IP version.
func withinNetwork(w wanted, got string) bool {
	addr, err := netip.ParseAddr(got)
	if err != nil {
		return false
	}
	if want, err := netip.ParseAddr(w.text); err == nil {
		return want.Unmap() == addr.Unmap()
	}
	network, err := netip.ParsePrefix(w.text)
	return err == nil && network.Contains(addr.Unmap())
}
