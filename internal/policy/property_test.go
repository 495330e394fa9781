package policy

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func word() *rapid.Generator[string] { return rapid.StringMatching(`[a-z]{1,4}`) }

func some(g *rapid.Generator[string]) *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(g, 1, 4, strings.ToLower)
}

// statements of a resource's policy, with every element there is.
func genStatement() *rapid.Generator[Statement] {
	return rapid.Custom(func(t *rapid.T) Statement {
		arn := rapid.StringMatching(`arn:aws:s3:::[a-z]{1,3}(/[a-z?*]{0,3})?`)
		s := Statement{
			Sid:    rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "sid"),
			Effect: rapid.SampledFrom([]Effect{Allow, Deny}).Draw(t, "effect"),
		}
		actions := some(rapid.StringMatching(`s3:[A-Z][a-z]{1,3}\*?`)).Draw(t, "actions")
		if rapid.Bool().Draw(t, "not action") {
			s.NotAction = actions
		} else {
			s.Action = actions
		}
		resources := some(arn).Draw(t, "resources")
		if rapid.Bool().Draw(t, "not resource") {
			s.NotResource = resources
		} else {
			s.Resource = resources
		}
		s.Principal.AWS = some(rapid.StringMatching(`[0-9]{12}|arn:aws:iam::[0-9]{12}:(root|user/[a-z]{1,3})`)).Draw(t, "principals")
		s.Principal.Not = rapid.Bool().Draw(t, "not principal")
		operators := []string{"StringEquals", "StringNotLike", "ForAnyValue:StringLike", "BoolIfExists"}
		for _, op := range rapid.SliceOfNDistinct(rapid.SampledFrom(operators), 0, 3, rapid.ID[string]).Draw(t, "operators") {
			s.Condition = append(s.Condition, Condition{op, "aws:" + word().Draw(t, "key"), some(word()).Draw(t, "values")})
		}
		return s
	})
}

func genDocument() *rapid.Generator[Document] {
	return rapid.Custom(func(t *rapid.T) Document {
		d := Document{Version: Version2012, Statements: rapid.SliceOfN(genStatement(), 1, 5).Draw(t, "statements")}
		seen := make(map[string]bool)
		for i, s := range d.Statements {
			if seen[s.Sid] {
				d.Statements[i].Sid = ""
			}
			seen[s.Sid] = true
		}
		return d
	})
}

// rewrite says the same in other words.
func rewrite(t *rapid.T, d Document) Document {
	shuffle := func(values []string) []string {
		if len(values) == 0 {
			return nil
		}
		twice := append(slices.Clone(values), rapid.SampledFrom(values).Draw(t, "again"))
		return rapid.Permutation(twice).Draw(t, "order")
	}
	d.Statements = rapid.Permutation(d.Statements).Draw(t, "statements")
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, list := range []*[]string{&s.Action, &s.NotAction, &s.Resource, &s.NotResource, &s.Principal.AWS} {
			*list = shuffle(*list)
		}
		for _, list := range []*[]string{&s.Action, &s.NotAction} {
			for j, a := range *list {
				if rapid.Bool().Draw(t, "case") {
					(*list)[j] = strings.ToUpper(a)
				}
			}
		}
		for j, p := range s.Principal.AWS {
			if account, ok := strings.CutSuffix(strings.TrimPrefix(p, "arn:aws:iam::"), ":root"); ok {
				s.Principal.AWS[j] = account
			} else if isAccountID(p) {
				s.Principal.AWS[j] = rootARN(p)
			}
		}
		s.Condition = rapid.Permutation(s.Condition).Draw(t, "conditions")
		for j, c := range s.Condition {
			s.Condition[j] = Condition{c.Operator, strings.ToUpper(c.Key), shuffle(c.Values)}
		}
	}
	return d
}

// parsed sends a document through its text.
func parsed(t *rapid.T, d Document) Document {
	again, err := Parse(d.JSON())
	if err != nil {
		t.Fatalf("parse %s: %v", d.JSON(), err)
	}
	return again
}

func TestRewritingAPolicyChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := genDocument().Draw(t, "policy")
		same := parsed(t, rewrite(t, d))
		if !Equal(d, same) {
			t.Fatalf("not equal:\n%s\n%s", d.JSON(), same.JSON())
		}
		c := Diff(d, same)
		if !c.Empty() || c.Broader || len(c.Preserved) != len(Canonical(d).Statements) {
			t.Fatalf("difference %+v between\n%s\n%s", c, d.JSON(), same.JSON())
		}
		if again := Canonical(Canonical(d)); !slices.Equal(again.JSON(), Canonical(d).JSON()) {
			t.Fatalf("the canonical form of %s is not its own: %s", Canonical(d).JSON(), again.JSON())
		}
	})
}

func TestChangingAStatementChangesItsDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genStatement().Draw(t, "statement")
		other := s
		switch change := rapid.SampledFrom([]string{"effect", "action", "resource", "principal", "not", "condition", "sid"}).Draw(t, "change"); change {
		case "effect":
			other.Effect = map[Effect]Effect{Allow: Deny, Deny: Allow}[s.Effect]
		case "action":
			other.Action, other.NotAction = dropOne(s.Action, "s3:New"), dropOne(s.NotAction, "s3:New")
		case "resource":
			other.Resource, other.NotResource = dropOne(s.Resource, "arn:new"), dropOne(s.NotResource, "arn:new")
		case "principal":
			other.Principal.AWS = append(slices.Clone(s.Principal.AWS), "arn:aws:iam::123456789012:role/new")
		case "not":
			other.Principal.Not = !s.Principal.Not
		case "condition":
			other.Condition = append(slices.Clone(s.Condition), Condition{"Null", "aws:new", []string{"true"}})
		case "sid":
			other.Sid = s.Sid + "x"
		}
		if s.Digest() == other.Digest() {
			t.Fatalf("one digest for\n%s\n%s", s.JSON(), other.JSON())
		}
		before, after := Document{Statements: []Statement{s}}, Document{Statements: []Statement{other}}
		if Equal(before, after) || Diff(before, after).Empty() {
			t.Fatalf("no difference between\n%s\n%s", s.JSON(), other.JSON())
		}
	})
}

// dropOne takes one value away, or puts another in place of the only one.
func dropOne(values []string, other string) []string {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return []string{other}
	}
	return values[1:]
}

func TestMergingAndRemovingLeavesTheOthersAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := genDocument().Draw(t, "policy")
		ours := genStatement().Draw(t, "ours")
		ours.Sid = "Ours"
		with, found, err := Merge(d, ours)
		if err != nil || found != FoundNone {
			t.Fatalf("found %v: %v", found, err)
		}
		if c := Diff(d, with); len(c.Added) != 1 || len(c.Removed)+len(c.Changed) != 0 {
			t.Fatalf("difference %+v", c)
		}
		if again, found, err := Merge(with, ours); err != nil || found != FoundSame || len(again.Statements) != len(with.Statements) {
			t.Fatalf("the second merge finds %v: %v", found, err)
		}
		without, removed, err := Remove(parsed(t, rewrite(t, with)), "Ours", ours.Digest())
		if err != nil || !removed || !Equal(without, d) {
			t.Fatalf("removed %t, %v:\n%s\n%s", removed, err, without.JSON(), d.JSON())
		}
	})
}

func TestSplitMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Document{Version: Version2012}
		for range rapid.IntRange(1, 6).Draw(t, "statements") {
			d.Statements = append(d.Statements, Statement{
				Effect:   Allow,
				Action:   rapid.SliceOfNDistinct(rapid.StringMatching(`s3:[A-Z][a-z]{3,8}`), 1, 12, rapid.ID[string]).Draw(t, "actions"),
				Resource: rapid.SliceOfNDistinct(rapid.StringMatching(`arn:aws:s3:::[a-z]{3,8}`), 1, 12, rapid.ID[string]).Draw(t, "resources"),
			})
		}
		const limit = 300
		parts, err := Split(d, limit)
		if err != nil {
			t.Fatal(err)
		}
		whole := Document{Version: Version2012}
		for _, p := range parts {
			if n := Size(p); n > limit || p.Empty() {
				t.Fatalf("a part of %d characters", n)
			}
			whole.Statements = append(whole.Statements, p.Statements...)
		}
		if Broader(d, whole) || Broader(whole, d) {
			t.Fatalf("the parts mean something else:\n%s\n%s", d.JSON(), whole.JSON())
		}
	})
}

// Where Broader says no, no request is let in that was not.
func TestWhatIsNotBroaderLetsNothingMoreIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := genDocument().Draw(t, "before")
		after := parsed(t, rewrite(t, before))
		i := rapid.IntRange(0, len(after.Statements)-1).Draw(t, "which")
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			after.Statements = slices.Delete(after.Statements, i, i+1)
		case 1:
			after.Statements[i].Effect = Deny
		case 2:
			after.Statements[i].Action = dropOne(after.Statements[i].Action, "s3:x")
		case 3:
			after.Statements[i] = genStatement().Draw(t, "other")
		}
		if Broader(before, after) {
			return
		}
		account := rapid.StringMatching(`[0-9]{12}`).Draw(t, "account")
		if all := before.Statements[0].Principal.AWS; rapid.Bool().Draw(t, "named") && isAccountID(all[0]) {
			account = all[0]
		}
		r := Request{
			Principal: user(account, word().Draw(t, "user")), ResourceAccount: "000000000000",
			Action:   rapid.SampledFrom(append(actionsOf(before), "s3:Other")).Draw(t, "action"),
			Resource: rapid.StringMatching(`arn:aws:s3:::[a-z]{1,3}(/[a-z]{0,3})?`).Draw(t, "resource"),
			Identity: []Document{{Statements: []Statement{{Effect: Allow, Action: []string{"*"}, Resource: []string{"*"}}}}},
		}
		with := func(d Document) bool { r.ResourcePolicy = &d; return Evaluate(r).Allowed }
		if !with(before) && with(after) {
			t.Fatalf("%+v is let in now:\n%s\n%s", r, before.JSON(), after.JSON())
		}
	})
}

func actionsOf(d Document) []string {
	var all []string
	for _, s := range d.Statements {
		for _, a := range slices.Concat(s.Action, s.NotAction) {
			all = append(all, strings.TrimSuffix(a, "*"))
		}
	}
	return all
}
