package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"xplan/internal/policy/spell"
)

// pick chooses by a seed of rapid's.
func pick(t *rapid.T) spell.Pick {
	return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).IntN
}

// Live principals, whose unique IDs AWS may show in the place of their ARNs.
var uniqueIDs = map[string]string{
	"arn:aws:iam::210987654321:user/jane":   "AIDAJQABLZS4A3QDU576Q",
	"arn:aws:iam::210987654321:role/copier": "AROADBQP57FF2AEXAMPLE",
}

// respelled is the policy as somebody else would have written it, read again.
func respelled(t *rapid.T, d Document) Document {
	text, err := spell.Again(d.JSON(), pick(t), uniqueIDs)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(text)
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	live := map[string]string{}
	for arn, id := range uniqueIDs {
		live[id] = arn
	}
	return again.WithPrincipals(live)
}

// distinct draws so many of a list.
func distinct(t *rapid.T, of []string, least, most int, what string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), least, most, rapid.ID[string]).Draw(t, what)
}

// plainStatement has every element in every form, and values of which none takes another in, so that each counts.
func plainStatement(t *rapid.T) Statement {
	s := Statement{
		Sid:    rapid.SampledFrom([]string{"", "One"}).Draw(t, "sid"),
		Effect: rapid.SampledFrom([]Effect{Allow, Deny}).Draw(t, "effect"),
	}
	actions := distinct(t, []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject", "kms:Decrypt"}, 2, 4, "actions")
	resources := distinct(t, []string{"arn:aws:s3:::tommy", "arn:aws:s3:::tommy/a/*", "arn:aws:s3:::tommy/b?", "arn:aws:s3:::other/*"}, 2, 3, "resources")
	if rapid.Bool().Draw(t, "not action") {
		s.NotAction = actions
	} else {
		s.Action = actions
	}
	if rapid.Bool().Draw(t, "not resource") {
		s.NotResource = resources
	} else {
		s.Resource = resources
	}
	s.Principal.AWS = distinct(t, []string{
		"123456789012", "arn:aws:iam::333333333333:root", "arn:aws:iam::210987654321:user/jane", "arn:aws:iam::210987654321:role/copier",
	}, 2, 4, "principals")
	s.Principal.Not = rapid.Bool().Draw(t, "not principal")
	if rapid.Bool().Draw(t, "others too") {
		s.Principal.Service = distinct(t, []string{"logging.s3.amazonaws.com", "cloudfront.amazonaws.com"}, 1, 2, "services")
		s.Principal.Federated = distinct(t, []string{"cognito-identity.amazonaws.com"}, 0, 1, "federated")
		s.Principal.CanonicalUser = distinct(t, []string{strings.Repeat("79a5", 16)}, 0, 1, "canonical")
	}
	values := map[string][]string{
		"StringEquals aws:PrincipalOrgID": {"o-1", "o-2", "o-3"}, "StringNotLike aws:userid": {"AIDA1*", "AIDA2*", "AIDA3*"},
		"IpAddress aws:SourceIp": {"192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"}, "ForAnyValue:StringLike aws:TagKeys": {"a*", "b*", "c*"},
		"NumericLessThanEquals s3:max-keys": {"10", "200"}, "ArnNotEquals aws:PrincipalArn": {"arn:aws:iam::1:user/x", "arn:aws:iam::1:user/y"},
	}
	names := []string{
		"StringEquals aws:PrincipalOrgID", "StringNotLike aws:userid", "IpAddress aws:SourceIp", "ForAnyValue:StringLike aws:TagKeys",
		"NumericLessThanEquals s3:max-keys", "ArnNotEquals aws:PrincipalArn",
	}
	for _, name := range distinct(t, names, 1, 3, "conditions") {
		operator, key, _ := strings.Cut(name, " ")
		s.Condition = append(s.Condition, Condition{operator, key, distinct(t, values[name], 2, 2, "values")})
	}
	if rapid.Bool().Draw(t, "secure") {
		s.Condition = append(s.Condition, Condition{"Bool", "aws:SecureTransport", []string{"true"}})
	}
	return s
}

func plainDocument(t *rapid.T) Document {
	d := Document{Version: Version2012, ID: rapid.SampledFrom([]string{"", "some-id"}).Draw(t, "id")}
	for i := range rapid.IntRange(1, 3).Draw(t, "statements") {
		s := plainStatement(t)
		if s.Sid != "" {
			s.Sid += fmt.Sprint(i)
		}
		d.Statements = append(d.Statements, s)
	}
	return d
}

func TestNoSpellingOfAPolicyIsAChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := plainDocument(t)
		if rapid.Bool().Draw(t, "everyone") {
			d.Statements = append(d.Statements, Statement{Sid: "All", Effect: Allow, Principal: Principals{Everyone: true}, Action: []string{"s3:GetObject"}, Resource: []string{"*"}})
		}
		same := respelled(t, d)
		for _, c := range []Changes{Diff(d, same), Diff(same, d)} {
			if !c.Empty() || c.Broader || len(c.Preserved) != len(Canonical(d).Statements) {
				t.Fatalf("a change: %+v\n%s\n%s", c, d.JSON(), same.JSON())
			}
		}
		if !Equal(d, same) {
			t.Fatalf("not equal:\n%s\n%s", d.JSON(), same.JSON())
		}
		for _, s := range d.Statements {
			if !slices.ContainsFunc(same.Statements, func(o Statement) bool { return o.Digest() == s.Digest() && o.Label() == s.Label() }) {
				t.Fatalf("%s is called otherwise in\n%s", s.JSON(), same.JSON())
			}
		}
	})
}

// A step changes a statement.
type step struct {
	name string
	do   func(s *Statement) bool // false: it has nothing of the kind
}

// narrowings make a statement match less.
func narrowings() []step {
	drop := func(list *[]string) bool {
		if len(*list) < 2 {
			return false
		}
		*list = slices.Clone(*list)[1:]
		return true
	}
	add := func(list *[]string, v string) bool {
		if len(*list) == 0 {
			return false
		}
		*list = append(slices.Clone(*list), v)
		return true
	}
	value := func(s *Statement, negated bool, change func(*[]string) bool) bool {
		s.Condition = slices.Clone(s.Condition)
		for i, c := range s.Condition {
			if strings.Contains(c.Operator, "Not") == negated && len(c.Values) > 1 {
				return change(&s.Condition[i].Values)
			}
		}
		return false
	}
	return []step{
		{"an action less", func(s *Statement) bool { return drop(&s.Action) }},
		{"an exempted action more", func(s *Statement) bool { return add(&s.NotAction, "s3:Another") }},
		{"a resource less", func(s *Statement) bool { return drop(&s.Resource) }},
		{"an exempted resource more", func(s *Statement) bool { return add(&s.NotResource, "arn:aws:s3:::another") }},
		{"a principal less", func(s *Statement) bool { return !s.Principal.Not && drop(&s.Principal.AWS) }},
		{"an exempted principal more", func(s *Statement) bool {
			return s.Principal.Not && add(&s.Principal.AWS, "arn:aws:iam::333333333333:user/another")
		}},
		{"a service less", func(s *Statement) bool { return !s.Principal.Not && drop(&s.Principal.Service) }},
		{"a condition more", func(s *Statement) bool {
			s.Condition = append(slices.Clone(s.Condition), Condition{"StringEquals", "aws:SourceVpce", []string{"vpce-1"}})
			return true
		}},
		{"a value less", func(s *Statement) bool { return value(s, false, drop) }},
		{"an exempted value more", func(s *Statement) bool {
			return value(s, true, func(list *[]string) bool { return add(list, "another") })
		}},
	}
}

// others change a statement's meaning neither to more nor to less.
func otherChanges() []step {
	swap := func(a, b *[]string) bool { *a, *b = *b, *a; return true }
	condition := func(s *Statement, change func(c *Condition)) bool {
		s.Condition = slices.Clone(s.Condition)
		change(&s.Condition[0])
		return true
	}
	return []step{
		{"the other effect", func(s *Statement) bool {
			s.Effect = map[Effect]Effect{Allow: Deny, Deny: Allow}[s.Effect]
			return true
		}},
		{"Action and NotAction", func(s *Statement) bool { return swap(&s.Action, &s.NotAction) }},
		{"Resource and NotResource", func(s *Statement) bool { return swap(&s.Resource, &s.NotResource) }},
		{"Principal and NotPrincipal", func(s *Statement) bool { s.Principal.Not = !s.Principal.Not; return true }},
		{"another kind of principal", func(s *Statement) bool {
			return len(s.Principal.Service) == 0 && swap(&s.Principal.AWS, &s.Principal.Service)
		}},
		{"another operator", func(s *Statement) bool {
			return condition(s, func(c *Condition) { c.Operator = "StringEqualsIgnoreCase" })
		}},
		{"IfExists", func(s *Statement) bool { return condition(s, func(c *Condition) { c.Operator += "IfExists" }) }},
		{"another key", func(s *Statement) bool { return condition(s, func(c *Condition) { c.Key = "aws:SourceAccount" }) }},
		{"another value", func(s *Statement) bool {
			return condition(s, func(c *Condition) { c.Values = append([]string{"another"}, c.Values[1:]...) })
		}},
		{"letters of a resource", func(s *Statement) bool {
			list := &s.Resource
			if len(*list) == 0 {
				list = &s.NotResource
			}
			*list = append([]string{strings.ToUpper((*list)[0])}, (*list)[1:]...)
			return true
		}},
		{"another user", func(s *Statement) bool {
			s.Principal.AWS = append([]string{"arn:aws:iam::210987654321:user/Jane"}, s.Principal.AWS[1:]...)
			return true
		}},
		{"another Sid", func(s *Statement) bool { s.Sid += "x"; return true }},
	}
}

// changed is a document with one statement changed, and the step that did it.
func changed(t *rapid.T, d Document, steps []step) (Document, step) {
	i := rapid.IntRange(0, len(d.Statements)-1).Draw(t, "which")
	start := rapid.IntRange(0, len(steps)-1).Draw(t, "step")
	for n := range steps {
		one := steps[(start+n)%len(steps)]
		s := d.Statements[i]
		if one.do(&s) {
			d.Statements = slices.Clone(d.Statements)
			d.Statements[i] = s
			return d, one
		}
	}
	t.Fatalf("nothing to change in %s", d.Statements[i].JSON())
	return d, step{}
}

func TestEveryChangeOfMeaningIsSeenInAnySpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := plainDocument(t)
		other, how := changed(t, d, slices.Concat(narrowings(), otherChanges()))
		switch rapid.IntRange(0, 4).Draw(t, "or") {
		case 0:
			other, how = Document{Version: d.Version, Statements: append(slices.Clone(d.Statements), Statement{
				Effect: Allow, Principal: Principals{Everyone: true}, Action: []string{"s3:*"}, Resource: []string{"*"},
			})}, step{name: "a statement more"}
		case 1:
			if len(Canonical(d).Statements) > 1 && len(Canonical(d).Statements) == len(d.Statements) {
				other, how = Document{Version: d.Version, Statements: d.Statements[1:]}, step{name: "a statement less"}
			}
		}
		a, b := respelled(t, d), respelled(t, other)
		if Equal(a, b) || Diff(a, b).Empty() || Diff(b, a).Empty() {
			t.Fatalf("%s is not seen:\n%s\n%s", how.name, a.JSON(), b.JSON())
		}
	})
}

func TestBroaderIsFlaggedAndNarrowerIsNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Document{Version: Version2012, Statements: []Statement{plainStatement(t)}}
		less, how := changed(t, d, narrowings())
		narrow, wide := respelled(t, less), respelled(t, d)
		if d.Statements[0].Effect == Deny { // what denies less lets more in
			narrow, wide = wide, narrow
		}
		if Broader(wide, narrow) || Diff(wide, narrow).Broader {
			t.Fatalf("%s (%s) is called broader:\n%s\n%s", how.name, d.Statements[0].Effect, wide.JSON(), narrow.JSON())
		}
		if !Broader(narrow, wide) || !Diff(narrow, wide).Broader {
			t.Fatalf("%s taken back (%s) is not called broader:\n%s\n%s", how.name, d.Statements[0].Effect, narrow.JSON(), wide.JSON())
		}
	})
}

func TestWholeStatementsMakeAPolicyBroaderOrNarrower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := plainDocument(t)
		s := Statement{Effect: rapid.SampledFrom([]Effect{Allow, Deny}).Draw(t, "new"), Principal: Principals{Everyone: true}, Action: []string{"sqs:*"}, Resource: []string{"*"}}
		with := d
		with.Statements = append(slices.Clone(d.Statements), s)
		before, after := respelled(t, d), respelled(t, with)
		if got := Broader(before, after); got != (s.Effect == Allow) {
			t.Fatalf("a new %s: broader %t\n%s\n%s", s.Effect, got, before.JSON(), after.JSON())
		}
		if got := Broader(after, before); got != (s.Effect == Deny) {
			t.Fatalf("a %s taken away: broader %t\n%s\n%s", s.Effect, got, after.JSON(), before.JSON())
		}
	})
}

// In each partition of AWS an account is its number, and its root's ARN names the partition.
func TestAnAccountIsItsRootInEveryPartition(t *testing.T) {
	of := func(principal string) Document {
		return doc(t, `{"Effect": "Allow", "Principal": {"AWS": "`+principal+`"}, "Action": "s3:*", "Resource": "*"}`)
	}
	for _, root := range []string{"arn:aws:iam::123456789012:root", "arn:aws-cn:iam::123456789012:root", "arn:aws-us-gov:iam::123456789012:root"} {
		if !Equal(of("123456789012"), of(root)) || !Diff(of("123456789012"), of(root)).Empty() {
			t.Errorf("%s is not its account", root)
		}
	}
	if Equal(of("123456789012"), of("arn:aws-cn:iam::123456789013:root")) {
		t.Error("another account is taken for this one")
	}
}
