package plan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

// sound is a plan without a fault, for tests to put one in.
const sound = `version: 1
name: tommy-to-b
accounts:
  source: {id: "123456789012", profile: a, region: us-west-2}
  destination: {id: "210987654321", profile: b, region: us-west-2}
principal:
  arn: arn:aws:iam::210987654321:user/misterrodgers
  credentials: access-key
buckets:
  - source: tommy
    destination: tommy-b
`

// problemsOf parses a text that must be refused, and returns its problems as
// "line:column: message | hint".
func problemsOf(tb testing.TB, text string) []string {
	tb.Helper()
	p, err := plan.Parse("p.yaml", []byte(text))
	if err == nil {
		tb.Fatalf("accepted %q as %+v", text, p)
	}
	var all *plan.Problems
	if !errors.As(err, &all) {
		tb.Fatalf("refused with %T, want *plan.Problems", err)
	}
	return brief(all.List)
}

func brief(list []plan.Problem) []string {
	var said []string
	for _, p := range list {
		line := fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message)
		if p.Hint != "" {
			line += " | " + p.Hint
		}
		said = append(said, line)
	}
	return said
}

func TestTrapsOfYAMLAreSaidClearly(t *testing.T) {
	id := func(text string) string { return strings.Replace(sound, `"123456789012"`, text, 1) }
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"octal account ID", id("012345670123"), []string{
			`4:16: accounts.source.id must be a quoted string of 12 digits | write it in quotes: "012345670123"; without them YAML reads an octal number, 1402433619`,
		}},
		{"leading zero, no octal", id("012345678901"), []string{
			`4:16: accounts.source.id must be a quoted string of 12 digits | write it in quotes: "012345678901"; without them YAML drops the leading zero`,
		}},
		{"unquoted digits", id("123456789012"), []string{
			`4:16: accounts.source.id must be a quoted string of 12 digits | write it in quotes: "123456789012"`,
		}},
		{"hyphenated", id(`"1234-5678-9012"`), []string{
			`4:16: accounts.source.id must be a quoted string of 12 digits | write "123456789012"`,
		}},
		{"eleven digits", id(`"12345678901"`), []string{
			"4:16: accounts.source.id must be a quoted string of 12 digits",
		}},
		{"null ID", id("null"), []string{
			"4:12: accounts.source.id is empty | give it text, or take the field out",
		}},
		{"float ID", id("1.5"), []string{
			`4:16: accounts.source.id must be a quoted string of 12 digits | write it in quotes: "1.5"`,
		}},
		{"duplicate key", sound + "name: again\n", []string{
			`12:1: the field "name" stands here twice | first on line 2`,
		}},
		{"duplicate key below", sound + "    source: other\n", []string{
			`12:5: the field "source" stands here twice | first on line 10`,
		}},
		{"second document", sound + "---\nversion: 1\n", []string{
			"12:1: a second document begins here | a plan file holds one plan",
		}},
		{"second document broken", sound + "---\n[\n", []string{
			"14:1: this is not YAML: a value is missing here, or before",
		}},
		{"number as name", sound + "1: x\n", []string{
			`12:1: a field's name cannot be a number | to use it as a name, write it in quotes: "1"`,
		}},
		{"bool as name", sound + "true: x\n", []string{
			`12:1: a field's name cannot be true or false | to use it as a name, write it in quotes: "true"`,
		}},
		{"null as name", sound + "~: x\n", []string{
			`12:1: a field's name cannot be empty | to use it as a name, write it in quotes: "~"`,
		}},
		{"list as name", sound + "? [a]\n: x\n", []string{
			"12:3: a field's name cannot be a list",
		}},
		{"tab", "version: 1\naccounts:\n\tsource: x\n", []string{
			"3:1: a tab indents this line | YAML is indented by spaces only",
		}},
		{"tab after dash", sound + "copy:\n  include:\n  -\t\ta: b\n\t  c: d\n", []string{
			"14:4: this is not YAML: no value begins with this character | put the value in quotes; indent by spaces, not tabs",
		}},
		{"NUL", sound + "# \x00\n", []string{
			"12:3: the file holds a NUL byte | a plan is a text file in UTF-8",
		}},
		{"not UTF-8", "version: 1\nname: t\xffx\n", []string{
			"2:8: the file holds a byte that is not UTF-8 | a plan is a text file in UTF-8",
		}},
		{"empty", "", []string{
			"1:1: the file is empty | see examples/tommy.xplan.yaml, or start one with: xplan init",
		}},
		{"comments only", "# nothing\n", []string{
			"1:1: the file is empty | see examples/tommy.xplan.yaml, or start one with: xplan init",
		}},
		{"just a marker", "---\n", []string{
			"1:1: the file is empty | see examples/tommy.xplan.yaml, or start one with: xplan init",
		}},
		{"top-level list", "- version: 1\n", []string{
			"1:1: a plan is a mapping of fields, not a list | it begins with version: 1",
		}},
		{"top-level text", "hello\n", []string{
			"1:1: a plan is a mapping of fields, not text | it begins with version: 1",
		}},
		{"binary", sound + "notify: {webhook_env: !!binary aGVsbG8=}\n", []string{
			`12:23: the YAML tag "!!binary" has no place in a plan`,
		}},
		{"custom tag", sound + "notify: !secret {webhook_env: A}\n", []string{
			`12:9: the YAML tag "!secret" has no place in a plan`,
		}},
		{"set", sound + "notify: !!set {webhook_env}\n", []string{
			`12:9: the YAML tag "!!set" has no place in a plan`,
		}},
		{"alias to nothing", sound + "copy: *base\n", []string{
			"12:7: an alias stands for an anchor that is not there | a value that begins with * wants quotes",
		}},
		{"circle", sound + "copy: &a {include: *a}\n", []string{
			`12:11: the anchor "a" holds an alias to itself`,
		}},
		{"merge circle", sound + "copy: &a {<<: *a}\n", []string{
			`12:15: the anchor "a" holds an alias to itself`,
		}},
		{"merge of text", sound + "copy: {<<: text}\n", []string{
			"12:12: a merge key wants a mapping, such as *name",
		}},
		{"yes", strings.Replace(sound, "credentials: access-key", "credentials: access-key\n  create: yes", 1), []string{
			"9:11: principal.create wants true or false, not text | write true",
		}},
		{"Off", sound + "copy: {tags: Off}\n", []string{
			"12:14: copy.tags wants true or false, not text | write false",
		}},
		{"quoted true", sound + "copy: {tags: \"true\"}\n", []string{
			"12:14: copy.tags wants true or false, not text | write true",
		}},
		{"null section", sound + "copy:\n", []string{
			"12:1: copy is empty | give it a mapping of fields, or take the field out",
		}},
		{"null value", sound + "copy: {compare: ~}\n", []string{
			"12:8: copy.compare is empty | give it text, or take the field out",
		}},
		{"null text", sound + "    prefix:\n", []string{
			"12:5: buckets[0].prefix is empty | give it text, or take the field out",
		}},
		{"null list item", sound + "copy: {include: [~]}\n", []string{
			"12:18: copy.include[0] is empty | give it text, or take the field out",
		}},
		{"null pair", sound + "  -\n", []string{
			"12:4: buckets[1] is empty | give it a mapping of fields, or take the field out",
		}},
		{"no pairs", strings.Replace(sound, "buckets:\n  - source: tommy\n    destination: tommy-b\n", "buckets: []\n", 1), []string{
			"9:10: buckets is empty | it wants at least one",
		}},
		{"deep", sound + "copy: " + strings.Repeat("[", 50) + strings.Repeat("]", 50) + "\n", []string{
			"12:7: copy wants a mapping of fields, not a list",
			"12:38: nested more than 32 levels deep",
		}},
		{"infinity", sound + "copy: {in_flight: .inf}\n", []string{
			`12:19: copy.in_flight cannot be ".inf" | auto, or a number from 1 to 10000 without quotes`,
		}},
		{"zero in flight", sound + "copy: {in_flight: 0}\n", []string{
			"12:19: copy.in_flight wants a number from 1 to 10000",
		}},
		{"fraction in flight", sound + "copy: {in_flight: 1.5}\n", []string{
			"12:19: copy.in_flight wants a whole number, not a fraction",
		}},
		{"quoted number", sound + "copy: {in_flight: \"64\"}\n", []string{
			`12:19: copy.in_flight cannot be "64" | auto, or a number from 1 to 10000 without quotes`,
		}},
		{"huge number", sound + "copy: {in_flight: 99999999999999999999999}\n", []string{
			"12:19: copy.in_flight wants a number from 1 to 10000",
		}},
		{"number as text", strings.Replace(sound, "tommy-to-b", "123", 1), []string{
			`2:7: name wants text, not a number | write it in quotes: "123"`,
		}},
		{"text for a list", sound + "copy: {include: a}\n", []string{
			`12:17: copy.include wants a list, not text | write ["a"]`,
		}},
		{"mapping for a list", strings.Replace(sound, "  - source: tommy\n    destination: tommy-b\n", "  source: tommy\n  destination: tommy-b\n", 1), []string{
			"10:3: buckets wants a list, not a mapping | put a - before its first field",
		}},
		{"list for a mapping", sound + "copy:\n  - tags: true\n", []string{
			"13:3: copy wants a mapping of fields, not a list",
		}},
		{"tag values", sound + "    settings: {tags: {a: 1, b: true, c: ~, d: [x]}}\n", []string{
			`12:26: buckets[0].settings.tags.a wants text, not a number | write it in quotes: "1"`,
			`12:32: buckets[0].settings.tags.b wants text, not true or false | write it in quotes: "true"`,
			"12:38: buckets[0].settings.tags.c is empty | give it text, or take the field out",
			"12:47: buckets[0].settings.tags.d wants text, not a list | one value, without brackets or dashes",
		}},
		{"unclosed quote", "version: 1\nname: \"tommy\n", []string{
			"2:1: a quote that is opened here, or after, is never closed",
		}},
		{"unclosed list", "version: 1\nbuckets: [\nname: x\n", []string{
			"2:1: this is not YAML: a list that begins with [ goes wrong here | its items want commas between them and a ] at the end",
		}},
		{"two colons", "version: 1\nname: a: b\n", []string{
			"2:8: this is not YAML: no field can begin here | a value with a colon wants quotes, and a quote before it its end; else check the indentation, here and in the line before",
		}},
		{"bad indent", "version: 1\naccounts:\n  source: {}\n destination: {}\n", []string{
			"4:2: this is not YAML: this does not line up with the fields before it | check the indentation, here and in the line before; and that every quote is closed",
		}},
		{"bad escape", "version: 1\nname: \"a\\qb\"\n", []string{
			"2:10: a double-quoted value holds an unknown escape | use single quotes, where a backslash is just that",
		}},
		{"at sign", "version: 1\nname: @x\n", []string{
			"2:7: this is not YAML: no value begins with this character | put the value in quotes; indent by spaces, not tabs",
		}},
		{"version 2", "version: 2\nnew: things\n", []string{
			"1:10: a plan file of version 2; this xplan reads version 1 | write 1, or take the xplan that reads it",
		}},
		{"version as text", strings.Replace(sound, "version: 1", `version: "1"`, 1), []string{
			"1:10: version wants a whole number, not text | write it without quotes: 1",
		}},
		{"no version", strings.Replace(sound, "version: 1\n", "", 1), []string{
			`1:1: missing field "version" | such as version: 1`,
		}},
		{"case of names", strings.Replace(sound, "name:", "Name:", 1), []string{
			`2:1: unknown field "Name" | did you mean "name"?`,
		}},
		{"percent and slash in names", sound + "\"a%20b/c~d\": x\n", []string{
			`12:1: unknown field "a%20b/c~d" | known here: accounts, buckets, cleanup, copy, cutover, estimate, name, notify, permissions, principal, requires, verify, version`,
		}},
		{"field out of place", sound + "include: [a]\n", []string{
			`12:1: unknown field "include" | it belongs under copy`,
		}},
		{"field out of place 2", sound + "    region: us-west-2\n", []string{
			`12:5: unknown field "region" | it belongs under buckets[0].settings`,
		}},
		{"field nowhere", sound + "zzzzzzzz: 1\n", []string{
			`12:1: unknown field "zzzzzzzz" | known here: accounts, buckets, cleanup, copy, cutover, estimate, name, notify, permissions, principal, requires, verify, version`,
		}},
		{"control char key", sound + "\"a\\e[31mb\": x\n", []string{
			`12:1: unknown field "a\x1b[31mb" | known here: accounts, buckets, cleanup, copy, cutover, estimate, name, notify, permissions, principal, requires, verify, version`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, problemsOf(t, c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
