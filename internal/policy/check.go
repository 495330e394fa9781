package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// What IAM and S3 take at most.
const (
	ManagedPolicyLimit = 6144      // characters, as Size counts them
	BucketPolicyLimit  = 20 * 1024 // bytes
)

// A SizeError is a policy, or a statement that cannot be divided, which is too long.
type SizeError struct {
	What  string
	Size  int
	Limit int
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s has %d characters; AWS takes %d", e.What, e.Size, e.Limit)
}

// A CheckError says why a well-formed document cannot stand where it is meant to.
type CheckError struct {
	Statement string // its label, empty for the document
	Problem   string
}

func (e *CheckError) Error() string {
	if e.Statement == "" {
		return "policy: " + e.Problem
	}
	return "policy statement " + e.Statement + ": " + e.Problem
}

// Size counts characters as IAM does, white space between elements left out.
func Size(d Document) int { return utf8.RuneCount(d.JSON()) }

// CheckIdentity tells whether IAM takes the document as a managed policy.
func CheckIdentity(d Document) error {
	if d.ID != "" {
		return &CheckError{"", "an identity policy has no Id"}
	}
	for _, s := range d.Statements {
		switch {
		case !s.Principal.IsZero():
			return &CheckError{s.Label(), "an identity policy names no principal"}
		case strings.Trim(s.Sid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "":
			return &CheckError{s.Label(), "IAM takes only letters and digits in a Sid"}
		}
		if err := s.check(); err != nil {
			return err
		}
	}
	if n := Size(d); n > ManagedPolicyLimit {
		return &SizeError{"identity policy", n, ManagedPolicyLimit}
	}
	return nil
}

// CheckResource tells whether S3 takes the document as a bucket's policy, as far as its text tells.
func CheckResource(d Document) error {
	for _, s := range d.Statements {
		switch {
		case s.Principal.IsZero():
			return &CheckError{s.Label(), "a resource's policy names a principal"}
		case len(s.Resource)+len(s.NotResource) == 0:
			return &CheckError{s.Label(), "a resource is missing"}
		}
		if err := s.check(); err != nil {
			return err
		}
	}
	if n := len(d.JSON()); n > BucketPolicyLimit {
		return &SizeError{"bucket policy", n, BucketPolicyLimit}
	}
	return nil
}

// check looks at what Parse lets through so that others' statements survive: actions and operators.
func (s Statement) check() error {
	for _, list := range [][]string{s.Action, s.NotAction} {
		for _, a := range list {
			if service, name, ok := strings.Cut(a, ":"); a != "*" && (!ok || service == "" || name == "") {
				return &CheckError{s.Label(), fmt.Sprintf("action %q is not of the form service:Action", a)}
			}
		}
	}
	for _, list := range [][]string{s.Resource, s.NotResource} {
		for _, r := range list {
			if r != "*" && !strings.HasPrefix(r, "arn:") {
				return &CheckError{s.Label(), fmt.Sprintf("resource %q is no ARN", r)}
			}
		}
	}
	return s.checkConditions()
}

func (s Statement) checkConditions() error {
	seen := make(map[string]bool)
	for _, c := range s.Condition {
		if _, ok := parseOperator(c.Operator); !ok {
			return &CheckError{s.Label(), fmt.Sprintf("unknown condition operator %q", c.Operator)}
		}
		id := c.Operator + " " + c.Key
		if seen[id] {
			return &CheckError{s.Label(), fmt.Sprintf("condition %s stands twice", id)}
		}
		seen[id] = true
	}
	return nil
}
