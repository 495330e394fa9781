package plan

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A redactor knows the secrets of one file: a plan that holds one is refused,
// and nothing that is said about it repeats one.
//
// It hides more than it refuses. What merely looks like a secret costs a
// snippet; only what is one by its form or its name costs the plan.
type redactor struct {
	forms  []form
	words  *regexp.Regexp
	lines  map[int]bool    // lines that are not shown
	values map[string]bool // texts that are not repeated
	leaks  []leak
}

func newRedactor() *redactor {
	return &redactor{
		forms:  secretForms(),
		words:  regexp.MustCompile(`[A-Za-z0-9/+=]{40,}`),
		lines:  map[int]bool{},
		values: map[string]bool{},
	}
}

// Bounds on what a file full of secrets costs. Beyond the first, nothing but
// the secrets is said of it.
const (
	maxHidden = 100
	maxLeaks  = maxProblems
)

func (d *redactor) flooded() bool { return len(d.values) > maxHidden }

type leak struct {
	where Position
	kind  string
}

const hidden = "[REDACTED]"

func (d *redactor) holds(line int) bool { return d.lines[line] }

// redact takes the file's secrets, and all that has a secret's form, out of a text.
func (d *redactor) redact(s string) string {
	const shortest = 6
	if len(s) < shortest {
		return s
	}
	values := slices.Collect(maps.Keys(d.values))
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, v := range values {
		s = strings.ReplaceAll(s, v, hidden)
	}
	for _, f := range d.forms {
		s = f.pattern.ReplaceAllString(s, hidden)
	}
	return d.words.ReplaceAllStringFunc(s, func(word string) string {
		if mixed(word) {
			return hidden
		}
		return word
	})
}

// hide keeps a line, and where it is long enough to be told apart, the value
// itself, out of everything that is said.
func (d *redactor) hide(line int, value string) {
	d.lines[line] = true
	const tooShort = 6
	if value = strings.TrimSpace(value); len(value) >= tooShort && len(d.values) <= maxHidden {
		d.values[value] = true
	}
}

func (d *redactor) leak(where Position, kind, value string) {
	d.hide(where.Line, value)
	for _, l := range d.leaks {
		if l.where == where {
			return
		}
	}
	if len(d.leaks) < maxLeaks && !d.told(where.Line, kind) {
		d.leaks = append(d.leaks, leak{where, kind})
	}
}

// told tells whether a kind was found on a line already; once is enough.
func (d *redactor) told(line int, kind string) bool {
	return slices.ContainsFunc(d.leaks, func(l leak) bool { return l.where.Line == line && l.kind == kind })
}

// inLine is a leak at the bytes from and to of a line.
func (d *redactor) inLine(n int, line string, loc []int, kind string) {
	value := line[loc[0]:loc[1]]
	d.hide(n, value)
	if len(d.leaks) < maxLeaks && !d.told(n, kind) { // a column costs a walk along the line
		d.leak(Position{n, column(line, loc[0])}, kind, value)
	}
}

// leaks reports what was found, by place and kind.
func (r *report) leaks() {
	for _, l := range r.secrets.leaks {
		r.problem("", l.where, "the plan holds "+l.kind,
			"secrets have no place in a plan: take it out, and make it invalid, since it has been written down")
	}
	if r.secrets.flooded() && len(r.secrets.leaks) == 0 {
		r.problem("", Position{}, "the plan holds too many values under secret-like names to be read", "")
	}
}

// A form is how a secret looks by itself.
type form struct {
	kind    string
	pattern *regexp.Regexp
}

func secretForms() []form {
	return []form{
		{"an AWS access key ID", regexp.MustCompile(`[A-Za-z0-9]*(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}[A-Za-z0-9]*`)},
		{"an AWS session token", regexp.MustCompile(`(?:IQoJ|FwoG|FQoG)[A-Za-z0-9/+=]{60,}`)},
		{"a presigned URL", regexp.MustCompile(`(?i)(?:X-Amz-(?:Signature|Security-Token|Credential)|[?&](?:Signature|AWSAccessKeyId))=[^&\s"']*`)},
		{"a password in a URL", regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:"']*:[^\s/@"']+@`)},
		{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY.*`)},
		{"a webhook's URL", regexp.MustCompile(`https://(?:hooks\.slack\.com/|(?:[a-z]+\.)?discord(?:app)?\.com/api/webhooks/|[\w.-]*webhook\.office\.com/)[^\s"']+`)},
		{"an access token", regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,})`)},
	}
}

func secretNamed() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:secret|passw|token|credential|private|access.?key|aws.?key)[\w.-]*["']?\s*[:=]+>?\s*["']?([A-Za-z0-9/+=]{40,})`)
}

const secretKind, tokenKind = "an AWS secret access key", "a session token"

// scanLines looks at the text itself, so that comments and files that are no
// YAML are covered too.
func (d *redactor) scanLines(lines []string) {
	named := secretNamed()
	given := regexp.MustCompile(`(?i)^\s*#?\s*(?:- )?["']?([\w. -]+)["']?\s*[:=]\s*(\S.*)$`)
	keyID, inKey, waiting := -9, false, false // the line of the last key ID; inside a private key; below a secret-like name
	for i, line := range lines {
		n := i + 1
		for _, f := range d.forms {
			for _, loc := range f.pattern.FindAllStringIndex(line, -1) {
				d.inLine(n, line, loc, f.kind)
				if f.kind == "an AWS access key ID" {
					keyID = n
				}
			}
		}
		for _, loc := range named.FindAllStringSubmatchIndex(line, -1) {
			d.inLine(n, line, loc[2:4], kindByLength(loc[3]-loc[2]))
		}
		for _, loc := range d.words.FindAllStringIndex(line, -1) {
			d.word(line, n, loc, waiting || n-keyID <= 2)
		}
		if m := given.FindStringSubmatch(line); m != nil && secretName(m[1]) {
			d.hide(n, strings.Trim(m[2], `"'`))
		}
		inKey = d.privateKey(n, line, inKey)
		waiting = opensSecret(line)
	}
}

// word judges a long word by what stands near it.
func (d *redactor) word(line string, n int, loc []int, near bool) {
	value := line[loc[0]:loc[1]]
	switch {
	case !mixed(value):
	case near:
		d.inLine(n, line, loc, kindByLength(len(value)))
	default:
		d.lines[n] = true
	}
}

func (d *redactor) privateKey(n int, line string, inside bool) bool {
	if inside {
		d.hide(n, line)
	}
	switch {
	case strings.Contains(line, "-----BEGIN ") && strings.Contains(line, "PRIVATE KEY"):
		return true
	case strings.Contains(line, "-----END "):
		return false
	default:
		return inside
	}
}

// opensSecret tells whether the next line is the value of a secret-like name.
func opensSecret(line string) bool {
	name, rest, ok := strings.Cut(line, ":")
	return ok && strings.Trim(rest, " |>+-") == "" && secretName(strings.Trim(name, ` -"'`))
}

func kindByLength(n int) string {
	if n >= 100 {
		return tokenKind
	}
	return secretKind
}

// mixed tells random letters from words: small, capital and digit.
func mixed(s string) bool {
	return strings.ContainsAny(s, "0123456789") && strings.ToLower(s) != s && strings.ToUpper(s) != s
}

func column(line string, offset int) int { return utf8.RuneCountInString(line[:offset]) + 1 }

// secretName tells whether a field of this name would hold a secret. Fields of
// the plan that sound alike hold none.
func secretName(name string) bool {
	switch name {
	case "credentials", "access_key", "webhook_env":
		return false
	}
	plain := strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. ", r) {
			return -1
		}
		return r
	}, name))
	if strings.HasSuffix(plain, "env") {
		return false
	}
	for _, part := range []string{"secret", "passw", "passphrase", "token", "apikey", "privatekey", "accesskeyid"} {
		if strings.Contains(plain, part) {
			return true
		}
	}
	return false
}
