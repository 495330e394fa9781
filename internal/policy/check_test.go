package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestChecksKnowWhereADocumentMayStand(t *testing.T) {
	ok := `{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}`
	identity := func(text string) error { return CheckIdentity(doc(t, text)) }
	resource := func(text string) error { return CheckResource(doc(t, text)) }
	for name, c := range map[string]struct {
		got  error
		want string
	}{
		"an identity policy":                 {identity(ok), ""},
		"a bucket policy":                    {resource(tlsOnly + "," + delegate), ""},
		"an identity policy with principal":  {identity(unnamed), "names no principal"},
		"an identity policy with Id":         {identity(`{"Id": "x", "Statement": [` + ok + `]}`), "no Id"},
		"an identity policy with spaced Sid": {identity(strings.Replace(ok, "{", `{"Sid": "a b", `, 1)), "letters and digits"},
		"a bucket policy without principal":  {resource(ok), "names a principal"},
		"a bucket policy without resource":   {resource(`{"Effect": "Allow", "Principal": "*", "Action": "s3:*"}`), "resource is missing"},
		"an action without service":          {identity(`{"Effect": "Allow", "Action": "GetObject", "Resource": "*"}`), `action "GetObject"`},
		"a resource that is no ARN":          {identity(`{"Effect": "Allow", "Action": "s3:*", "Resource": "tommy"}`), `resource "tommy"`},
		"an unknown operator":                {identity(`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"stringequals": {"k": "v"}}}`), "stringequals"},
		"Null with a set operator":           {identity(`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"ForAnyValue:Null": {"k": "true"}}}`), "ForAnyValue:Null"},
		"Null with IfExists":                 {identity(`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"NullIfExists": {"k": "true"}}}`), "NullIfExists"},
		"a condition twice":                  {CheckIdentity(Document{Statements: []Statement{{Effect: Allow, Action: []string{"*"}, Resource: []string{"*"}, Condition: Conditions{{"Bool", "k", []string{"true"}}, {"Bool", "k", []string{"false"}}}}}}), "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == "" {
				if c.got != nil {
					t.Error(c.got)
				}
				return
			}
			var ce *CheckError
			if !errors.As(c.got, &ce) || !strings.Contains(c.got.Error(), c.want) {
				t.Errorf("got %v, want %q", c.got, c.want)
			}
		})
	}
}

// wide is a statement about n buckets.
func wide(n int) Statement {
	s := Statement{Sid: "Wide", Effect: Allow, Action: []string{"s3:ListBucket"}}
	for i := range n {
		s.Resource = append(s.Resource, fmt.Sprintf("arn:aws:s3:::bucket-%04d", i))
	}
	return s
}

func TestSizesAreCountedAsIAMCounts(t *testing.T) {
	d := doc(t, "  {\"Effect\": \"Allow\",\n \"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:::bücher\"}  ")
	const compact = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::bücher"}]}`
	if got, want := Size(d), len(compact)-1; got != want {
		t.Errorf("got %d characters, want %d", got, want)
	}
	var tooLong *SizeError
	if err := CheckIdentity(Document{Statements: []Statement{wide(300)}}); !errors.As(err, &tooLong) || tooLong.Limit != ManagedPolicyLimit {
		t.Errorf("got %v", err)
	}
	s := wide(800)
	s.Principal.Everyone = true
	if err := CheckResource(Document{Statements: []Statement{s}}); !errors.As(err, &tooLong) || tooLong.Limit != BucketPolicyLimit {
		t.Errorf("got %v", err)
	}
}

func TestSplitKeepsWithinTheLimit(t *testing.T) {
	small := doc(t, `{"Sid": "Small", "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::small"}`).Statements[0]
	d := Document{Version: Version2012, Statements: []Statement{small, wide(1000)}}
	parts, err := Split(d, ManagedPolicyLimit)
	if err != nil {
		t.Fatal(err)
	}
	var resources []string
	for i, p := range parts {
		if err := CheckIdentity(p); err != nil {
			t.Errorf("part %d: %v", i, err)
		}
		if _, err := Parse(p.JSON()); err != nil {
			t.Errorf("part %d: %v", i, err)
		}
		for _, s := range p.Statements {
			resources = append(resources, s.Resource...)
		}
	}
	if len(parts) != 6 || len(resources) != 1001 {
		t.Errorf("got %d parts with %d resources", len(parts), len(resources))
	}
	if again, err := Split(parts[0], ManagedPolicyLimit); err != nil || len(again) != 1 {
		t.Errorf("a part was split into %d: %v", len(again), err)
	}
}

func TestSplitRefusesWhatCannotBeDivided(t *testing.T) {
	s := wide(300)
	s.Resource, s.NotResource = nil, s.Resource
	_, err := Split(Document{Statements: []Statement{s}}, ManagedPolicyLimit)
	var tooLong *SizeError
	if !errors.As(err, &tooLong) || !strings.Contains(err.Error(), "Wide") {
		t.Errorf("got %v", err)
	}
}

func TestNamesOfParts(t *testing.T) {
	if got := Names("p", 1); !slices.Equal(got, []string{"p"}) {
		t.Errorf("got %v", got)
	}
	if got := Names("p", 3); !slices.Equal(got, []string{"p-1", "p-2", "p-3"}) {
		t.Errorf("got %v", got)
	}
}
