package policy

import (
	"strings"
	"testing"
)

func TestDigestsNeverChange(t *testing.T) {
	s := Statement{
		Sid: "DelegateS3Access", Effect: Allow, Principal: Principals{AWS: []string{"arn:aws:iam::210987654321:user/misterrodgers"}},
		Action: []string{"s3:ListBucket", "s3:GetObject"}, Resource: []string{"arn:aws:s3:::tommy", "arn:aws:s3:::tommy/*"},
		Condition: Conditions{{"Bool", "aws:SecureTransport", []string{"true"}}},
	}
	const want = "3250461c45c1390bc80856666510441634183c4471af4e3f2d6199c29ae2733c"
	if got := s.Digest(); got != want {
		t.Errorf("got %s, want %s: digests stand in tags and in state", got, want)
	}
	s.Sid = ""
	if got := s.Label(); got != "(no Sid) "+s.Digest()[:4]+"…" {
		t.Errorf("got label %q", got)
	}
}

func TestEqualMeanings(t *testing.T) {
	allow := func(element string) string {
		return `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", ` + element + `}`
	}
	deny := func(element string) string { return strings.Replace(allow(element), "Allow", "Deny", 1) }
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"an account ID is its root ARN":                   {allow(`"Principal": {"AWS": "123456789012"}`), allow(`"Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}`), true},
		"everyone under AWS is everyone for Allow":        {allow(`"Principal": "*"`), allow(`"Principal": {"AWS": "*"}`), true},
		"everyone under AWS may not be everyone for Deny": {deny(`"Principal": "*"`), deny(`"Principal": {"AWS": "*"}`), false},
		"everyone beside a service is not everyone alone": {allow(`"Principal": "*"`), allow(`"Principal": {"AWS": "*", "Service": "x"}`), false},
		"NotPrincipal is not Principal":                   {allow(`"Principal": {"AWS": "1"}`), allow(`"NotPrincipal": {"AWS": "1"}`), false},
		"user names are case-sensitive":                   {allow(`"Principal": {"AWS": "arn:aws:iam::1:user/Jane"}`), allow(`"Principal": {"AWS": "arn:aws:iam::1:user/jane"}`), false},
		"a boolean is its word":                           {allow(`"Condition": {"Bool": {"aws:SecureTransport": true}}`), allow(`"Condition": {"Bool": {"AWS:securetransport": ["True"]}}`), true},
		"a number is its digits":                          {allow(`"Condition": {"NumericLessThan": {"s3:max-keys": 10}}`), allow(`"Condition": {"NumericLessThan": {"s3:max-keys": "10"}}`), true},
		"values of strings are case-sensitive":            {allow(`"Condition": {"StringEquals": {"k": "a"}}`), allow(`"Condition": {"StringEquals": {"k": "A"}}`), false},
		"an empty condition is none":                      {allow(`"Condition": {}`), allow(`"Sid": ""`), true},
		"two cases of a key are two conditions":           {allow(`"Condition": {"StringLike": {"k": "a", "K": "b"}}`), allow(`"Condition": {"StringLike": {"k": ["a", "b"]}}`), false},
		"IfExists is another operator":                    {allow(`"Condition": {"Bool": {"k": "true"}}`), allow(`"Condition": {"BoolIfExists": {"k": "true"}}`), false},
		"a statement twice is that statement":             {allow(`"Sid": ""`) + "," + allow(`"Sid": ""`), allow(`"Sid": ""`), true},
		"resources are case-sensitive":                    {allow(`"Sid": ""`), strings.Replace(allow(`"Sid": ""`), ":b/", ":B/", 1), false},
		"the Sid belongs to the statement":                {allow(`"Sid": "a"`), allow(`"Sid": "b"`), false},
		"services are named in any case":                  {allow(`"Principal": {"Service": "EC2.amazonaws.com"}`), allow(`"Principal": {"Service": "ec2.amazonaws.com"}`), true},
		"the version means nothing where there are no variables": {
			`{"Version": "2012-10-17", "Statement": [` + allow(`"Sid": "a"`) + `]}`, `{"Id": "x", "Statement": [` + allow(`"Sid": "a"`) + `]}`, true,
		},
		"the version decides about variables": {
			`{"Version": "2012-10-17", "Statement": [` + allow(`"Condition": {"StringLike": {"k": "${aws:username}"}}`) + `]}`,
			`{"Version": "2008-10-17", "Statement": [` + allow(`"Condition": {"StringLike": {"k": "${aws:username}"}}`) + `]}`, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := doc(t, c.a), doc(t, c.b)
			if got := Equal(a, b); got != c.want {
				t.Errorf("got %t, want %t:\n%s\n%s", got, c.want, Canonical(a).JSON(), Canonical(b).JSON())
			}
			if got := Diff(a, b); got.Empty() != c.want {
				t.Errorf("difference %+v", got)
			}
		})
	}
}

func TestUniqueIDsAreMappedToLiveARNs(t *testing.T) {
	shown := doc(t, `{"Effect": "Allow", "Principal": {"AWS": ["AIDAEXAMPLE", "AROAGONE"]}, "Action": "s3:*", "Resource": "*"}`)
	ours := doc(t, `{"Effect": "Allow", "Principal": {"AWS": ["AROAGONE", "arn:aws:iam::210987654321:user/misterrodgers"]}, "Action": "s3:*", "Resource": "*"}`)
	mapped := shown.WithPrincipals(map[string]string{"AIDAEXAMPLE": "arn:aws:iam::210987654321:user/misterrodgers"})
	if !Equal(mapped, ours) {
		t.Errorf("got %s", mapped.JSON())
	}
	if got := shown.Statements[0].Principal.AWS[0]; got != "AIDAEXAMPLE" {
		t.Errorf("the original was changed: %s", got)
	}
}

func TestALabelStaysOnItsLine(t *testing.T) {
	s := Statement{Sid: "Fine\nxplan: nothing is denied", Effect: Deny}
	if got := s.Label(); got != `"Fine\nxplan: nothing is denied"` {
		t.Errorf("got %s", got)
	}
	s.Sid = "Plain words"
	if got := s.Label(); got != "Plain words" {
		t.Errorf("got %s", got)
	}
}
