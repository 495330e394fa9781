package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// digestDomain is hashed before a statement. Digests stand in tags and in state: the
// form behind this name never changes. Held by TestDigestsNeverChange.
const digestDomain = "xplan policy statement v1\n"

// Canonical gives documents of equal meaning equal form: sorted, without
// repetition, actions and condition keys in lower case, account IDs as root ARNs. The Id is dropped.
// It is for comparing, not for showing or sending.
func Canonical(d Document) Document {
	c := Document{Version: d.version(), Statements: make([]Statement, 0, len(d.Statements))}
	if !slices.ContainsFunc(d.Statements, Statement.usesVariables) {
		c.Version = Version2012
	}
	for _, s := range d.Statements {
		c.Statements = append(c.Statements, s.canonical())
	}
	slices.SortFunc(c.Statements, func(a, b Statement) int {
		return cmp.Or(cmp.Compare(a.Sid, b.Sid), cmp.Compare(a.hash(), b.hash()))
	})
	c.Statements = slices.CompactFunc(c.Statements, func(a, b Statement) bool { return a.hash() == b.hash() })
	return c
}

// Equal tells whether two documents mean the same, whatever their form.
func Equal(a, b Document) bool {
	return slices.Equal(Canonical(a).JSON(), Canonical(b).JSON())
}

// Digest is the SHA-256 of the statement's canonical form, Sid included, in hex.
func (s Statement) Digest() string { return s.canonical().hash() }

// Label names the statement for people: its Sid, or the start of its digest.
func (s Statement) Label() string {
	if strings.ContainsFunc(s.Sid, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
		return strconv.Quote(s.Sid) // services let more be a Sid than IAM does
	}
	if s.Sid != "" {
		return s.Sid
	}
	return fmt.Sprintf("(no Sid) %.4s…", s.Digest())
}

// hash expects the canonical form.
func (s Statement) hash() string {
	sum := sha256.Sum256(append([]byte(digestDomain), s.json()...))
	return hex.EncodeToString(sum[:])
}

func (d Document) version() string { return cmp.Or(d.Version, Version2008) }

func (s Statement) canonical() Statement {
	s.Principal = s.Principal.canonical(s.Effect)
	s.Action = set(s.Action, strings.ToLower)
	s.NotAction = set(s.NotAction, strings.ToLower)
	s.Resource = set(s.Resource, nil)
	s.NotResource = set(s.NotResource, nil)
	s.Condition = s.Condition.canonical()
	return s
}

// canonical: for Allow, {"AWS": "*"} is everyone. For Deny AWS does not say so, and services may differ.
func (p Principals) canonical(effect Effect) Principals {
	if p.IsZero() {
		return Principals{}
	}
	p.AWS = set(p.AWS, rootARN)
	p.Service = set(p.Service, strings.ToLower)
	p.Federated = set(p.Federated, nil)
	p.CanonicalUser = set(p.CanonicalUser, nil)
	others := len(p.Service) + len(p.Federated) + len(p.CanonicalUser)
	if effect == Allow && !p.Not && slices.Equal(p.AWS, []string{"*"}) && others == 0 {
		return Principals{Everyone: true}
	}
	return p
}

// rootARN turns an account into one ARN: written as its ID, or as its root in the partition that it belongs to,
// it is the same account (https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-bucket-user-policy-specifying-principal-intro.html).
func rootARN(principal string) string {
	account := principal
	if rest, ok := strings.CutPrefix(principal, "arn:aws-"); ok {
		_, rest, _ = strings.Cut(rest, ":iam::")
		account = strings.TrimSuffix(rest, ":root")
		if account == rest {
			return principal // a user or role
		}
	}
	if isAccountID(account) {
		return "arn:aws:iam::" + account + ":root"
	}
	return principal
}

func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

func (cs Conditions) canonical() Conditions {
	all := make(Conditions, 0, len(cs))
	for _, c := range cs {
		fold := func(v string) string { return v }
		if base := c.baseOperator(); base == "Bool" || base == "Null" {
			fold = strings.ToLower
		}
		all = append(all, Condition{c.Operator, strings.ToLower(c.Key), set(c.Values, fold)})
	}
	slices.SortFunc(all, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Key, b.Key), slices.Compare(a.Values, b.Values))
	})
	return slices.CompactFunc(all, func(a, b Condition) bool {
		return a.Operator == b.Operator && a.Key == b.Key && slices.Equal(a.Values, b.Values)
	})
}

// baseOperator is the operator without ForAllValues:, ForAnyValue: and IfExists.
func (c Condition) baseOperator() string {
	op := strings.TrimPrefix(strings.TrimPrefix(c.Operator, "ForAllValues:"), "ForAnyValue:")
	return strings.TrimSuffix(op, "IfExists")
}

// set maps, sorts and drops repetitions. The result shares nothing with values.
func set(values []string, form func(string) string) []string {
	if len(values) == 0 {
		return nil
	}
	all := slices.Clone(values)
	if form != nil {
		for i, v := range all {
			all[i] = form(v)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
