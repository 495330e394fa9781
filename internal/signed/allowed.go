package signed

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Allowed is who may sign.
type Allowed struct{ signers []signer }

// A signer is one line of the file.
type signer struct {
	principals string // as written: a list of patterns
	key        ssh.PublicKey
	authority  bool // cert-authority: signs certificates, not files
	namespaces string
	after      time.Time // zero: any
	before     time.Time
}

// ParseAllowed reads an allowed signers file. Times without a zone are of the local one. An error names the line.
func ParseAllowed(data []byte) (*Allowed, error) {
	var a Allowed
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		a.signers = append(a.signers, s)
	}
	if len(a.signers) == 0 {
		return nil, errors.New("it names nobody")
	}
	return &a, nil
}

func parseLine(line string) (signer, error) {
	var s signer
	var rest string
	if quoted, found := strings.CutPrefix(line, `"`); found {
		s.principals, rest, found = strings.Cut(quoted, `"`)
		if !found {
			return s, errors.New("the principals' quotation mark is not closed")
		}
	} else if i := strings.IndexAny(line, " \t"); i >= 0 {
		s.principals, rest = line[:i], line[i:]
	}
	if s.principals == "" {
		return s, errors.New("want PRINCIPALS [OPTIONS] KEYTYPE KEY")
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(rest)))
	if err != nil {
		return s, fmt.Errorf("want PRINCIPALS [OPTIONS] KEYTYPE KEY: %w", err)
	}
	if _, certificate := key.(*ssh.Certificate); certificate {
		return s, errors.New("it holds a certificate: put the key itself there")
	}
	s.key = key
	seen := map[string]bool{}
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		if name = strings.ToLower(name); seen[name] {
			return s, fmt.Errorf("option %s stands there twice", name)
		}
		seen[name] = true
		if err := s.option(name, value); err != nil {
			return s, err
		}
	}
	if !s.after.IsZero() && !s.before.IsZero() && !s.after.Before(s.before) {
		return s, errors.New("valid-before does not come after valid-after")
	}
	return s, nil
}

func (s *signer) option(name, value string) (err error) {
	switch name {
	case "cert-authority":
		s.authority = true
		if value != "" {
			return errors.New("option cert-authority takes no value")
		}
	case "namespaces":
		s.namespaces, err = unquote(name, value)
	case "valid-after":
		s.after, err = moment(name, value)
	case "valid-before":
		s.before, err = moment(name, value)
	default:
		return fmt.Errorf("unknown option %q", name)
	}
	return err
}

// unquote reads an option's value, which stands in double quotes.
func unquote(name, value string) (string, error) {
	inside, opened := strings.CutPrefix(value, `"`)
	inside, closed := strings.CutSuffix(inside, `"`)
	if !opened || !closed || inside == "" || strings.HasSuffix(inside, `\`) {
		return "", fmt.Errorf(`option %s wants a value in double quotes: %s="…"`, name, name)
	}
	return strings.ReplaceAll(inside, `\"`, `"`), nil
}

// moment reads YYYYMMDD[HHMM[SS]][Z].
func moment(name, value string) (time.Time, error) {
	text, err := unquote(name, value)
	if err != nil {
		return time.Time{}, err
	}
	zone := time.Local
	digits, utc := strings.CutSuffix(strings.TrimSuffix(text, "UTC"), "Z")
	if utc || strings.HasSuffix(text, "UTC") {
		zone = time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(digits) == len(layout) {
			if t, err := time.ParseInLocation(layout, digits, zone); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("option %s: %q is no time: want YYYYMMDD[HHMM[SS]][Z]", name, text)
}

// may tells why a signer may not sign in a namespace at a time; "" is that they may.
func (s signer) may(namespace string, now time.Time) string {
	switch {
	case s.authority:
		return "it stands there as cert-authority, and certificates are not supported"
	case s.namespaces != "" && !matchList(namespace, s.namespaces):
		return "it is allowed for " + s.namespaces + " only"
	case !s.after.IsZero() && now.Before(s.after):
		return "it is allowed from " + s.after.Format(time.RFC3339) + " on"
	case !s.before.IsZero() && now.After(s.before):
		return "it was allowed until " + s.before.Format(time.RFC3339)
	}
	return ""
}

// matchList is PATTERNS of ssh_config(5): patterns with commas between; one with ! that matches excludes.
func matchList(name, patterns string) bool {
	found := false
	for p := range strings.SplitSeq(patterns, ",") {
		p, not := strings.CutPrefix(p, "!")
		if !match(name, p) {
			continue
		}
		if not {
			return false
		}
		found = true
	}
	return found
}

// match knows * (any number of characters) and ? (one).
func match(name, pattern string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := range len(name) + 1 {
				if match(name[i:], pattern[1:]) {
					return true
				}
			}
			return false
		case name == "" || (pattern[0] != '?' && pattern[0] != name[0]):
			return false
		}
		name, pattern = name[1:], pattern[1:]
	}
	return name == ""
}
