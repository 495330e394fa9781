package plan_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xplan/plan"
	"xplan/schemas"
)

// first is what a person would say.
func first() plan.Starter {
	return plan.Starter{
		Schema:      "./plan.v1.json",
		Source:      plan.StarterSide{Account: "123456789012", Bucket: "tommy"},
		Destination: plan.StarterSide{Account: "210987654321", Bucket: "tommy-b"},
		Principal:   "user/misterrodgers",
	}
}

func TestAStarterIsASoundPlanThatSaysWhatWasGiven(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`)
		word := rapid.SampledFrom([]string{"", "no", "123", "1e5", "a b", "it's", `"`, "#x", "- x", "&a", "é", "*x", "{{.}}", "x: y", "null", "~", "\t"})
		s := plan.Starter{
			Schema: rapid.SampledFrom([]string{"", "./plan.v1.json"}).Draw(rt, "schema"),
			Name:   rapid.OneOf(rapid.Just(""), name).Draw(rt, "name"),
			Source: plan.StarterSide{
				Account: rapid.StringMatching(`0[0-9]{11}`).Draw(rt, "from"), Bucket: rapid.StringMatching(`[a-z][a-z0-9]{2,30}`).Draw(rt, "bucket"),
				Prefix: rapid.SampledFrom([]string{"", "logs/", "yes/", "a: b/", `"/`, "#/"}).Draw(rt, "prefix"), Profile: word.Draw(rt, "profile"),
			},
			Destination: plan.StarterSide{
				Account: "210987654321", Bucket: rapid.StringMatching(`[0-9]{3}[a-z0-9]{0,20}[.][0-9]`).Draw(rt, "to"),
				Region: rapid.SampledFrom([]string{"", "us-west-2", "us-gov-west-1"}).Draw(rt, "region"),
			},
			Principal: rapid.SampledFrom([]string{"user/", "role/"}).Draw(rt, "kind") + rapid.StringMatching(`[A-Za-z0-9_+=,.@-]{1,64}`).Draw(rt, "who"),
		}
		if strings.Contains(s.Source.Profile, "\t") {
			s.Source.Profile = ""
		}
		p, err := plan.Parse("p.yaml", s.Text())
		if err != nil {
			rt.Fatalf("refused: %v\n%s", err, s.Text())
		}
		if len(p.Warnings) > 0 {
			rt.Fatalf("warned of: %v\n%s", p.Warnings, s.Text())
		}
		if s.Name == "" {
			s.Name = s.DefaultName()
		}
		pair := p.Buckets[0]
		got := plan.Starter{
			Schema: s.Schema, Name: p.Name, Principal: p.Principal.ARN,
			Source:      plan.StarterSide{p.Accounts.Source.ID, pair.Source, pair.Prefix, p.Accounts.Source.Profile, p.Accounts.Source.Region},
			Destination: plan.StarterSide{p.Accounts.Destination.ID, pair.Destination, pair.ToPrefix, p.Accounts.Destination.Profile, p.Accounts.Destination.Region},
		}
		s.Principal = s.PrincipalARN()
		if got != s {
			rt.Fatalf("the plan says\n%+v, want\n%+v\n%s", got, s, s.Text())
		}
		if role := strings.Contains(s.Principal, ":role/"); role != (p.Principal.Credentials == plan.AssumeRole) {
			rt.Fatalf("%s signs by %s", s.Principal, p.Principal.Credentials)
		}
	})
}

func TestEachLineOfAStarterThatIsCommentedOutWorks(t *testing.T) {
	text := string(first().Text())
	out := regexp.MustCompile(`(?m)^( *)# ((?:requires|profile|region|create|policy|statement|prefix|to_prefix|overwrite): .*)$`)
	if n := len(out.FindAllString(text, -1)); n != 11 {
		t.Errorf("%d such lines, want 11", n)
	}
	text = out.ReplaceAllString(text, "$1$2")
	text = regexp.MustCompile(`(?m)^# (notify:|estimate:|cutover:|  \w+: \w+)$`).ReplaceAllString(text, "$1")
	p, err := plan.Parse("p.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(p.Warnings) > 0 || p.Requires == "" || p.Estimate == nil || !p.Freezes() || p.Notify.WebhookEnv == "" || p.Buckets[0].ToPrefix == "" {
		t.Errorf("warnings %v, plan %+v", p.Warnings, p)
	}
}

func TestAStarterShowsEverySection(t *testing.T) {
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(schemas.PlanV1(), &schema); err != nil {
		t.Fatal(err)
	}
	for name := range schema.Properties {
		if !regexp.MustCompile(`(?m)^(# )?` + name + `:`).Match(first().Text()) {
			t.Errorf("%s is not in it", name)
		}
	}
}

func TestAStarterShowsTheDefaults(t *testing.T) {
	p, err := plan.Parse("p.yaml", first().Text())
	if err != nil {
		t.Fatal(err)
	}
	least, err := plan.Parse("p.yaml", []byte(`
version: 1
name: tommy-to-tommy-b
accounts: {source: {id: "123456789012"}, destination: {id: "210987654321"}}
principal: {arn: "arn:aws:iam::210987654321:user/misterrodgers"}
buckets: [{source: tommy, destination: tommy-b}]
`))
	if err != nil {
		t.Fatal(err)
	}
	if d := plan.Differences(least, p); len(d) > 0 {
		t.Errorf("a starter differs from the least plan: %+v", d)
	}
}

func TestAnAnswerIsJudgedWhileTheOthersAreMissing(t *testing.T) {
	for _, c := range []struct {
		given   plan.Starter
		pointer string
	}{
		{plan.Starter{}, ""},
		{plan.Starter{Source: plan.StarterSide{Account: "210987654321"}}, ""},
		{plan.Starter{Source: plan.StarterSide{Account: "12"}}, "/accounts/source/id"},
		{plan.Starter{Source: plan.StarterSide{Bucket: "Tommy"}}, "/buckets/0/source"},
		{plan.Starter{Destination: plan.StarterSide{Bucket: "a..b"}}, "/buckets/0/destination"},
		{plan.Starter{Destination: plan.StarterSide{Region: "us-west-2a"}}, "/accounts/destination/region"},
		{plan.Starter{Destination: plan.StarterSide{Prefix: "s3://x"}}, "/buckets/0/to_prefix"},
		{plan.Starter{Name: "Not so"}, "/name"},
		{plan.Starter{Name: "a\nversion: 2"}, "/name"},
		{plan.Starter{Principal: "arn:aws:iam::123456789012:user/x"}, "/principal/arn"},
		{plan.Starter{Principal: "misterrodgers"}, "/principal/arn"},
		{plan.Starter{Principal: "group/x"}, "/principal/arn"},
		{plan.Starter{Principal: "role/x", Destination: plan.StarterSide{Account: "333333333333", Region: "cn-north-1"}}, ""},
	} {
		err := c.given.Check()
		var all *plan.Problems
		switch {
		case c.pointer == "" && err != nil:
			t.Errorf("%+v is refused: %v", c.given, err)
		case c.pointer != "" && (!errors.As(err, &all) || !slices.ContainsFunc(all.List, func(p plan.Problem) bool { return p.Pointer == c.pointer })):
			t.Errorf("%+v: %v, want a problem at %s", c.given, err, c.pointer)
		}
	}
}

func TestASideIsAnAccountAndABucket(t *testing.T) {
	for text, want := range map[string]plan.StarterSide{
		"123456789012/tommy":             {Account: "123456789012", Bucket: "tommy"},
		" 123456789012/tommy/logs/2026/": {Account: "123456789012", Bucket: "tommy", Prefix: "logs/2026/"},
		"s3://tommy":                     {},
		"tommy":                          {},
		"123456789012/":                  {},
		"":                               {},
	} {
		got, err := plan.ParseStarterSide(text)
		if got != want || (err != nil) != (want == plan.StarterSide{}) {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
}
