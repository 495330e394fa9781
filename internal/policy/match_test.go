package policy

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// regular says the same as a pattern in another language.
func regular(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(pattern)
	return regexp.MustCompile(`^(?s:` + strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted) + `)$`)
}

func TestPatternsMatchAsTheirRegularExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[abé:*?]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[abé:\n]{0,8}`).Draw(t, "text")
		if got, want := compile(pattern).match(text), regular(pattern).MatchString(text); got != want {
			t.Fatalf("%q against %q: got %t, want %t", pattern, text, got, want)
		}
	})
}

// A pattern that takes another in matches whatever the other matches.
func TestTakingInIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide := rapid.StringMatching(`[ab*?]{0,5}`).Draw(t, "wide")
		narrow := rapid.StringMatching(`[ab*?]{0,5}`).Draw(t, "narrow")
		text := rapid.StringMatching(`[ab*?]{0,6}`).Draw(t, "text")
		if takesIn(wide, narrow) && compile(narrow).match(text) && !compile(wide).match(text) {
			t.Fatalf("%q takes in %q but not %q", wide, narrow, text)
		}
	})
}

func TestTakingInIsSoundForARNs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.StringMatching(`arn:aws:s3:[ab*?:]{0,5}:[ab*?]{0,3}`)
		wide, narrow := g.Draw(t, "wide"), g.Draw(t, "narrow")
		arn := rapid.StringMatching(`arn:aws:s3:[ab:]{0,5}:[ab]{0,3}`).Draw(t, "arn")
		if takesIn(wide, narrow) && compile(narrow).matchResource(arn) && !compile(wide).matchResource(arn) {
			t.Fatalf("%q takes in %q but not %q", wide, narrow, arn)
		}
	})
}

func TestDates(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
		ok   bool
	}{
		{"2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", 0, true},
		{"2020-01-01", "2020-01-01T00:00:00Z", 0, true},
		{"2020-01-01T00:00:00.5Z", "2020-01-01T00:00:00Z", 1, true},
		{"2020-01-01T00:00Z", "1577836801", -1, true},
		{"2020", "2020-01", 0, true},
		{"yesterday", "2020", 0, false},
	} {
		got, ok := compareDates(c.a, c.b)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s against %s: got %d, %t", c.a, c.b, got, ok)
		}
	}
}

func TestNumbersCompareExactly(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
		ok   bool
	}{
		{"9007199254740993", "9007199254740992", 1, true},
		{"1.5", "1.50", 0, true},
		{"-1", "1e3", -1, true},
		{"NaN", "1", 0, false},
		{"", "1", 0, false},
	} {
		got, ok := compareNumbers(c.a, c.b)
		if ok != c.ok || got != c.want {
			t.Errorf("%s against %s: got %d, %t", c.a, c.b, got, ok)
		}
	}
}
