package policy

import (
	"errors"
	"strings"
	"testing"
)

func TestParseTakesWhatAWSTakes(t *testing.T) {
	for name, text := range map[string]string{
		"one statement as an object":    `{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`,
		"elements in any order":         `{"Statement": [{"Resource": ["*"], "Action": ["s3:*"], "Effect": "Deny"}], "Id": "x", "Version": "2008-10-17"}`,
		"empty Sids":                    `{"Statement": [{"Sid": "", "Effect": "Allow", "Action": "a:b", "Resource": "*"}, {"Sid": "", "Effect": "Allow", "Action": "a:c", "Resource": "*"}]}`,
		"a trust policy":                `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`,
		"bare numbers and booleans":     `{"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"Bool": {"x": true}, "NumericEquals": {"y": [1, 2.5]}}}]}`,
		"an empty condition":            `{"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {}}]}`,
		"an unknown condition operator": `{"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"Later": {"x": "y"}}}]}`,
		"white space around":            " \n{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"a:b\", \"Resource\": \"*\"}]}\n ",
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse(d.JSON())
			if err != nil || !Equal(d, again) {
				t.Errorf("%s became %s: %v", text, again.JSON(), err)
			}
		})
	}
}

func TestParseSaysWhereAPolicyIsWrong(t *testing.T) {
	ok := `"Effect": "Allow", "Action": "s3:*", "Resource": "*"`
	for name, c := range map[string]struct{ text, where string }{
		"nothing":                      {``, ""},
		"a list":                       {`[]`, ""},
		"two documents":                {`{"Statement": {` + ok + `}} {}`, ""},
		"not UTF-8":                    {"{\"Id\": \"\xff\"}", ""},
		"cut off":                      {`{"Statement": [{"Effect": "Allow"`, "Statement[0]"},
		"no statement":                 {`{"Version": "2012-10-17"}`, "Statement"},
		"an empty list of statements":  {`{"Statement": []}`, "Statement"},
		"a statement that is a string": {`{"Statement": ["x"]}`, "Statement[0]"},
		"an unknown element":           {`{"Statement": {` + ok + `}, "Comment": "x"}`, "Comment"},
		"an element in another case":   {`{"Statement": {"effect": "Allow"}}`, "Statement.effect"},
		"an unknown version":           {`{"Version": "2024-01-01", "Statement": {` + ok + `}}`, "Version"},
		"a bad effect":                 {`{"Statement": [{` + ok + `}, {"Effect": "allow", "Action": "s3:*", "Resource": "*"}]}`, "Statement[1].Effect"},
		"no effect":                    {`{"Statement": [{"Action": "s3:*", "Resource": "*"}]}`, "Statement[0].Effect"},
		"no action":                    {`{"Statement": [{"Effect": "Allow", "Resource": "*"}]}`, "Statement[0].Action"},
		"both Action and NotAction":    {`{"Statement": [{` + ok + `, "NotAction": "s3:*"}]}`, "Statement[0].NotAction"},
		"both Resource and NotResource": {
			`{"Statement": [{` + ok + `, "NotResource": "*"}]}`, "Statement[0].NotResource",
		},
		"both principals":            {`{"Statement": [{` + ok + `, "Principal": "*", "NotPrincipal": "*"}]}`, "Statement[0].NotPrincipal"},
		"no resource":                {`{"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}`, "Statement[0].Resource"},
		"an empty action":            {`{"Statement": [{"Effect": "Allow", "Action": [], "Resource": "*"}]}`, "Statement[0].Action"},
		"an action that is a number": {`{"Statement": [{"Effect": "Allow", "Action": ["s3:*", 1], "Resource": "*"}]}`, "Statement[0].Action[1]"},
		"a principal by name":        {`{"Statement": [{` + ok + `, "Principal": "Bob"}]}`, "Statement[0].Principal"},
		"a principal of nobody":      {`{"Statement": [{` + ok + `, "Principal": {}}]}`, "Statement[0].Principal"},
		"an unknown kind of principal": {
			`{"Statement": [{` + ok + `, "Principal": {"User": "Bob"}}]}`, "Statement[0].Principal.User",
		},
		"a condition that is a list": {`{"Statement": [{` + ok + `, "Condition": []}]}`, "Statement[0].Condition"},
		"an operator without keys":   {`{"Statement": [{` + ok + `, "Condition": {"Bool": "true"}}]}`, "Statement[0].Condition.Bool"},
		"a condition value null":     {`{"Statement": [{` + ok + `, "Condition": {"Bool": {"a:b": null}}}]}`, "Statement[0].Condition.Bool.a:b[0]"},
		"a name twice":               {`{"Statement": [{` + ok + `, "Condition": {"Bool": {"x": "1", "x": "2"}}}]}`, "Statement[0].Condition.Bool.x"},
		"two statement elements":     {`{"Statement": {` + ok + `}, "Statement": {` + ok + `}}`, "Statement"},
		"a Sid twice":                {`{"Statement": [{"Sid": "a", ` + ok + `}, {"Sid": "a", ` + ok + `}]}`, "Statement[1].Sid"},
		"nesting":                    {strings.Repeat(`[`, 100), strings.Repeat("[0]", maxDepth+1)},
		"more than AWS takes":        {`{"Id": "` + strings.Repeat("x", maxBytes) + `"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			var pe *ParseError
			if !errors.As(err, &pe) {
				t.Fatalf("got %v, want a ParseError", err)
			}
			if pe.Where != c.where {
				t.Errorf("got place %q (%v), want %q", pe.Where, pe, c.where)
			}
			if !strings.Contains(pe.Error(), pe.Where) {
				t.Errorf("%q does not name the place", pe.Error())
			}
		})
	}
}

func TestPrintingKeepsTheOrderOfElements(t *testing.T) {
	d, err := Parse([]byte(`{"Statement": [{"Condition": {"StringLike": {"b": ["x", "y"]}, "Bool": {"a": true}}, "Resource": ["r"],
		"NotAction": ["z:z", "a:a"], "Principal": {"Service": ["s"], "AWS": "1"}, "Effect": "Deny", "Sid": "<&>"}], "Version": "2012-10-17"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Version":"2012-10-17","Statement":[{"Sid":"<&>","Effect":"Deny","Principal":{"AWS":"1","Service":"s"},` +
		`"NotAction":["z:z","a:a"],"Resource":"r","Condition":{"StringLike":{"b":["x","y"]},"Bool":{"a":"true"}}}]}`
	if got := string(d.JSON()); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if got := string(d.Indent()); !strings.HasPrefix(got, "{\n  \"Version\": \"2012-10-17\",\n") {
		t.Errorf("got %s", got)
	}
	if got := string(Document{}.JSON()); got != `{"Statement":[]}` || !(Document{}).Empty() {
		t.Errorf("the empty document prints as %s", got)
	}
}

func FuzzParseAndPrintAgree(f *testing.F) {
	f.Add([]byte(`{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`))
	f.Add([]byte(`{"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Deny", "NotPrincipal": {"AWS": ["1", "*"]}, "NotAction": "s3:*",
		"NotResource": ["a", "b"], "Condition": {"ForAllValues:StringLike": {"x": ["${y, 'z'}", 1, true]}}}]}`))
	f.Add([]byte(`{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}], "Id": "\ud800"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(d.JSON())
		if err != nil {
			t.Fatalf("parse %s: %v", d.JSON(), err)
		}
		if !Equal(d, again) || !Diff(d, again).Empty() {
			t.Errorf("%s is not equal to %s", d.JSON(), again.JSON())
		}
		r := Request{
			Principal: Principal{Account: "1", ARN: "arn:aws:iam::1:user/u"}, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k",
			Identity: []Document{d}, ResourcePolicy: &d,
		}
		if (len(Explain(r)) == 0) != Evaluate(r).Allowed {
			t.Errorf("the explanation of %s does not agree with its decision", d.JSON())
		}
	})
}
