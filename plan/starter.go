package plan

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// A Starter is what a first plan must be told; what is left empty takes a default, or is not known yet.
type Starter struct {
	Schema      string // where an editor finds the schema: a path from the plan file, or a URL; empty: no such line
	Name        string // empty: made of the buckets' names
	Source      StarterSide
	Destination StarterSide
	Principal   string // an ARN, or user/NAME or role/NAME of the destination's account
}

// A StarterSide is one end of the copy.
type StarterSide struct {
	Account string // 12 digits
	Bucket  string
	Prefix  string // the same on both sides keeps keys as they are
	Profile string // of its administrator; empty: the SDK's default chain
	Region  string // empty: the profile's
}

// ParseStarterSide reads ACCOUNT/BUCKET or ACCOUNT/BUCKET/PREFIX. What the parts may be is Check's to say.
func ParseStarterSide(text string) (StarterSide, error) {
	text = strings.TrimSpace(text)
	account, rest, ok := strings.Cut(text, "/")
	if !ok || rest == "" || strings.Contains(text, "://") {
		return StarterSide{}, errors.New("want ACCOUNT/BUCKET, such as 123456789012/tommy: the account's 12 digits, a slash, the bucket's name")
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	return StarterSide{Account: account, Bucket: bucket, Prefix: prefix}, nil
}

// DefaultName is a name for the plan, made of the buckets' names as far as they are known.
func (s Starter) DefaultName() string {
	const longest = 63
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(s.Source.Bucket+"-to-"+s.Destination.Bucket, "-")
	return strings.Trim(name[:min(len(name), longest)], "-")
}

// Check judges what is given so far by the rules of a plan file, as if the rest were right. The error
// is *Problems; their places are those of the text that would be written.
func (s Starter) Check() error {
	_, err := Parse("", s.supposed().Text())
	return err
}

// supposed puts something sound where nothing is given yet.
func (s Starter) supposed() Starter {
	s.Source = s.Source.or("123456789012", "placeholder-of-the-source")
	s.Destination = s.Destination.or("210987654321", "placeholder-of-the-destination")
	s.Principal = cmp.Or(s.Principal, "user/placeholder")
	return s
}

func (s StarterSide) or(account, bucket string) StarterSide {
	s.Account, s.Bucket = cmp.Or(s.Account, account), cmp.Or(s.Bucket, bucket)
	return s
}

// PrincipalARN is the principal's ARN: a short form belongs to the destination's account.
func (s Starter) PrincipalARN() string {
	if !strings.HasPrefix(s.Principal, "user/") && !strings.HasPrefix(s.Principal, "role/") {
		return s.Principal
	}
	return "arn:" + cmp.Or(partitionOf(s.Destination.Region), "aws") + ":iam::" + s.Destination.Account + ":" + s.Principal
}

//go:embed starter.tmpl
var starterText string

// Text is the plan file: what was given, and around it each section with a line that explains it.
func (s Starter) Text() []byte {
	s.Name = cmp.Or(s.Name, s.DefaultName())
	credentials := AccessKey
	if a, ok := parseARN(s.PrincipalARN()); ok && a.kind == "role" {
		credentials = AssumeRole
	}
	t := template.Must(template.New("").Funcs(template.FuncMap{"yaml": yamlText}).Parse(starterText))
	var b strings.Builder
	err := t.Execute(&b, map[string]any{
		"Schema": s.Schema, "Name": s.Name, "Source": s.Source, "Destination": s.Destination,
		"Principal": s.PrincipalARN(), "Credentials": credentials,
	})
	if err != nil { // a builder does not fail, and the template is held by the tests
		panic(fmt.Sprintf("the starter's template: %v", err))
	}
	return []byte(strings.TrimSpace(b.String()) + "\n")
}

// yamlText writes a text so that YAML reads it as that very text.
func yamlText(s string) string {
	plain := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*(?:[:/][A-Za-z0-9._-]+)*/?$|^arn:[A-Za-z0-9:/+=.@_-]*[A-Za-z0-9]$`)
	word := regexp.MustCompile(`(?i)^(?:true|false|yes|no|on|off|y|n|null)$`)
	if plain.MatchString(s) && !word.MatchString(s) {
		return s
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // a string can always be written
		panic(fmt.Sprintf("write %q as JSON: %v", s, err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
