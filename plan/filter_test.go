package plan_test

import (
	"strings"
	"testing"
	"time"

	"xplan/plan"
)

func TestAFilterTakesWholeKeys(t *testing.T) {
	for _, c := range []struct {
		include, exclude string // separated by spaces
		takes, leaves    []string
	}{
		{"**", "", []string{"a", "a/b", "/a", "a//b", "dir/", "new\nline", "a\\b", "[x]", "{a,b}", "\u00e9", "e\u0301", " "}, nil},
		{"*.gz", "", []string{"a.gz", "a\nb.gz", ".gz"}, []string{"d/a.gz", "a.GZ", "a.gzip"}},
		{"**/*.gz", "", []string{"a.gz", "d/a.gz", "d//a.gz", "/a.gz"}, []string{"a.gz/b"}},
		{"logs/**", "", []string{"logs/a", "logs/", "logs/a/b", "logs", "logs//a"}, []string{"log", "logs2/a", "/logs/a"}},
		{"logs/*", "", []string{"logs/a", "logs/"}, []string{"logs/a/b", "logs"}},
		{"a?c", "", []string{"abc", "a\u00e9c", "a\nc"}, []string{"a/c", "ac"}},
		{"[a-c]x", "", []string{"ax", "cx"}, []string{"dx", "x"}},
		{"[!a]x", "", []string{"bx"}, []string{"ax"}},
		{`\[x\]`, "", []string{"[x]"}, []string{"x", `\[x\]`}},
		{`a\\b`, "", []string{`a\b`}, []string{`a\\b`, "ab"}},
		{"{a,b}/{c,d}*", "", []string{"a/c", "b/dx"}, []string{"c/a", "{a,b}/c"}},
		{"{a,}x", "", []string{"ax", "x"}, []string{"bx"}},
		{"[{]a,b}", "", nil, []string{"{a"}},
		{"{a{b,c},d}", "", []string{"ab", "ac", "d"}, []string{"a", "ad"}},
		{"**", "**/*.tmp secret/**", []string{"a", "tmp", "a.tmp/b"}, []string{"a.tmp", "x/y.tmp", "secret/a", "secret"}},
		{"a/** b/**", "a/x", []string{"a/y", "b/x"}, []string{"a/x", "c"}},
		{"a/**/z", "", []string{"a/z", "a/b/z", "a/b/c/z"}, []string{"a/z/b"}},
	} {
		f := plan.Copy{Include: strings.Fields(c.include), Exclude: strings.Fields(c.exclude)}.Filter()
		for _, key := range c.takes {
			if !f.Match(key) {
				t.Errorf("include %q exclude %q leaves %q", c.include, c.exclude, key)
			}
		}
		for _, key := range c.leaves {
			if f.Match(key) {
				t.Errorf("include %q exclude %q takes %q", c.include, c.exclude, key)
			}
		}
	}
}

func TestOnlyAFilterWithoutRulesTakesAll(t *testing.T) {
	every := plan.Copy{Include: []string{"a", "**"}}.Filter()
	some := plan.Copy{Include: []string{"**"}, Exclude: []string{"x"}}.Filter()
	if !every.All() || some.All() || (plan.Filter{}).All() || (plan.Filter{}).Match("a") {
		t.Error("All is for ** without exclude; the zero filter takes nothing")
	}
}

func TestMatchingDoesNotAllocate(t *testing.T) {
	f := plan.Copy{Include: []string{"{logs,data}/**/*.gz"}, Exclude: []string{"**/tmp/**"}}.Filter()
	if n := testing.AllocsPerRun(100, func() { f.Match("logs/2026/11/x.gz") }); n != 0 {
		t.Errorf("%v allocations a key", n)
	}
}

func TestPatternsThatMultiplyDoNotHangOnAKey(t *testing.T) {
	pattern := strings.Repeat("*{a,b}", 8) + "c"
	f := plan.Copy{Include: []string{pattern}}.Filter()
	key := strings.Repeat("ab", 500)
	start := time.Now()
	if f.Match(key) {
		t.Error("matched")
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("one key took %v", d)
	}
}
