package policy

import (
	"errors"
	"slices"
	"testing"
)

const (
	tlsOnly  = `{"Sid": "DenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::tommy", "arn:aws:s3:::tommy/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`
	unnamed  = `{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::tommy/*"}`
	delegate = `{"Sid": "DelegateS3Access", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:user/misterrodgers"}, "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::tommy", "arn:aws:s3:::tommy/*"]}`
	narrower = `{"Sid": "DelegateS3Access", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:user/misterrodgers"}, "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::tommy"]}`
)

func labels(all []Statement) []string {
	var names []string
	for _, s := range all {
		names = append(names, s.Label())
	}
	return names
}

func TestDiffNamesWhatHappensToEachStatement(t *testing.T) {
	c := Diff(doc(t, tlsOnly+","+unnamed), doc(t, unnamed+","+tlsOnly+","+delegate))
	if got := labels(c.Added); !slices.Equal(got, []string{"DelegateS3Access"}) || len(c.Removed)+len(c.Changed) != 0 {
		t.Errorf("added %v, removed %v, changed %v", got, labels(c.Removed), c.Changed)
	}
	if got, want := labels(c.Preserved), []string{doc(t, unnamed).Statements[0].Label(), "DenyInsecureTransport"}; !slices.Equal(got, want) {
		t.Errorf("preserved %v, want %v", got, want)
	}
	if !c.Broader {
		t.Error("a new Allow is not called broader")
	}
	c = Diff(doc(t, delegate+","+unnamed), doc(t, narrower))
	if len(c.Changed) != 1 || !slices.Equal(c.Changed[0].Before.Action, []string{"s3:GetObject", "s3:ListBucket"}) || len(c.Removed) != 1 || len(c.Added) != 0 || c.Broader {
		t.Errorf("got %+v", c)
	}
}

func TestDiffSeesAVersionThatChangesVariables(t *testing.T) {
	home := `{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::tommy/${aws:username}/*"}`
	before := doc(t, `{"Statement": [`+home+`]}`)
	c := Diff(before, doc(t, home))
	if c.Empty() || !c.Version || !c.Broader || len(c.Preserved) != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestBroader(t *testing.T) {
	allow := func(principal, action, resource, more string) string {
		return `{"Effect": "Allow", "Principal": ` + principal + `, "Action": "` + action + `", "Resource": "` + resource + `"` + more + `}`
	}
	one := `{"AWS": "111111111111"}`
	office := `, "Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}}`
	home := `, "Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "198.51.100.1"]}}`
	for name, c := range map[string]struct {
		before, after string
		want          bool
	}{
		"the same":                        {delegate, delegate, false},
		"fewer actions":                   {delegate, narrower, false},
		"more actions":                    {narrower, delegate, true},
		"a deny more":                     {delegate, delegate + "," + tlsOnly, false},
		"a deny fewer":                    {delegate + "," + tlsOnly, delegate, true},
		"an action within a wildcard":     {allow(one, "s3:Get*", "*", ""), allow(one, "s3:GetObject", "arn:aws:s3:::b/*", ""), false},
		"a wildcard in place of a name":   {allow(one, "s3:GetObject", "*", ""), allow(one, "s3:Get*", "*", ""), true},
		"a question mark within a star":   {allow(one, "s3:*", "arn:aws:s3:::b/*", ""), allow(one, "s3:*", "arn:aws:s3:::b/?", ""), false},
		"a star is more than a character": {allow(one, "s3:*", "arn:aws:s3:::b/?", ""), allow(one, "s3:*", "arn:aws:s3:::b/*", ""), true},
		"everyone in place of an account": {allow(one, "s3:*", "*", ""), allow(`"*"`, "s3:*", "*", ""), true},
		"an account in place of everyone": {allow(`"*"`, "s3:*", "*", ""), allow(one, "s3:*", "*", ""), false},
		"a further condition":             {allow(one, "s3:*", "*", ""), allow(one, "s3:*", "*", office), false},
		"a condition fewer":               {allow(one, "s3:*", "*", office), allow(one, "s3:*", "*", ""), true},
		"a value fewer":                   {allow(one, "s3:*", "*", home), allow(one, "s3:*", "*", office), false},
		"a value more":                    {allow(one, "s3:*", "*", office), allow(one, "s3:*", "*", home), true},
		"one statement taken apart": {
			delegate, allow(`{"AWS": "arn:aws:iam::210987654321:user/misterrodgers"}`, "s3:GetObject", "arn:aws:s3:::tommy/x/*", "") + "," + narrower, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Broader(doc(t, c.before), doc(t, c.after)); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}

func TestMergeTellsWhatItFound(t *testing.T) {
	ours := doc(t, delegate).Statements[0]
	for name, c := range map[string]struct {
		in   Document
		want Found
	}{
		"no policy":              {Document{}, FoundNone},
		"others' statements":     {doc(t, tlsOnly+","+unnamed), FoundNone},
		"ours":                   {doc(t, tlsOnly+","+delegate), FoundSame},
		"another one of our Sid": {doc(t, narrower+","+tlsOnly), FoundOther},
	} {
		t.Run(name, func(t *testing.T) {
			before := string(c.in.JSON())
			got, found, err := Merge(c.in, ours)
			if err != nil || found != c.want {
				t.Fatalf("found %v, %v; want %v", found, err, c.want)
			}
			if s, ok := got.Find("DelegateS3Access"); !ok || s.Digest() != ours.Digest() || got.Version != Version2012 {
				t.Errorf("got %s", got.JSON())
			}
			if after := string(c.in.JSON()); after != before {
				t.Errorf("the original was changed to %s", after)
			}
		})
	}
}

func TestMergeRefusesWhatWouldMeanSomethingElse(t *testing.T) {
	ours := doc(t, delegate).Statements[0]
	ours.Resource = []string{"arn:aws:s3:::tommy/${aws:username}"}
	if _, _, err := Merge(doc(t, `{"Version": "2008-10-17", "Statement": [`+tlsOnly+`]}`), ours); err == nil {
		t.Error("a variable was merged into a policy that has none")
	}
	ours.Sid = ""
	if _, _, err := Merge(Document{}, ours); err == nil {
		t.Error("a statement without Sid was merged")
	}
}

func TestRemoveTakesOnlyTheStatementWeKnow(t *testing.T) {
	both := doc(t, tlsOnly+","+delegate)
	ours := both.Statements[1].Digest()
	left, removed, err := Remove(both, "DelegateS3Access", ours)
	if err != nil || !removed || !Equal(left, doc(t, tlsOnly)) || len(both.Statements) != 2 {
		t.Errorf("removed %t, %v: %s", removed, err, left.JSON())
	}
	if left, removed, err := Remove(left, "DelegateS3Access", ours); err != nil || removed || len(left.Statements) != 1 {
		t.Errorf("removed %t again, %v: %s", removed, err, left.JSON())
	}
	only, removed, err := Remove(doc(t, delegate), "DelegateS3Access", ours)
	if err != nil || !removed || !only.Empty() {
		t.Errorf("removed %t, %v: %s", removed, err, only.JSON())
	}
	_, removed, err = Remove(doc(t, narrower), "DelegateS3Access", ours)
	var conflict *ConflictError
	if !errors.As(err, &conflict) || removed || conflict.Want != ours || conflict.Got == ours || conflict.Sid != "DelegateS3Access" {
		t.Errorf("removed %t, %v", removed, err)
	}
}
