package policy

import (
	"slices"
	"strings"
)

// A Principal is who makes a request. The zero value is anonymous.
type Principal struct {
	Account string // 12 digits, empty for anonymous requests and for services
	// ARN is the ARN that makes the request: of a user, of a session
	// (arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION), or of the account's root user.
	ARN string
	// Issuer is, for a session, the ARN of the role that was assumed or of the user who
	// federated. Empty for users and root users.
	Issuer        string
	UserID        string // AIDA…, AROA…:SESSION, or the account for a root user
	Service       string // such as s3.amazonaws.com, for a service's own calls
	Federated     string // the identity provider, while a role is being assumed with its token
	CanonicalUser string // the account's ID in S3
}

// Anonymous tells whether nobody signed.
func (p Principal) Anonymous() bool {
	return p.ARN == "" && p.Service == "" && p.Federated == ""
}

// Root tells whether it is an account's root user.
func (p Principal) Root() bool { return p.ARN != "" && p.ARN == rootARNIn(p.ARN, p.Account) }

// rootARNIn keeps the partition (aws, aws-cn, …) of another ARN.
func rootARNIn(arn, account string) string {
	partition := "aws"
	if parts := strings.SplitN(arn, ":", 3); len(parts) == 3 {
		partition = parts[1]
	}
	return "arn:" + partition + ":iam::" + account + ":root"
}

// A grip says how a statement names a principal: the closer, the less limits what it grants.
type grip int

const (
	gripNone    grip = iota
	gripAccount      // its account, which leaves the decision to identity policies
	gripIssuer       // its role, or the user who federated: boundary and session policy still limit
	gripDirect       // itself, or everybody
)

// grip tells how the statement names the principal.
func (s Statement) grip(p Principal) grip {
	if !s.Principal.Not {
		return s.Principal.names(p, s.Effect)
	}
	if s.Effect == Deny {
		if s.Principal.exempts(p) {
			return gripNone
		}
		return gripDirect
	}
	if s.Principal.names(p, Deny) != gripNone {
		return gripNone
	}
	return gripDirect
}

func (ps Principals) names(p Principal, effect Effect) grip {
	anyAWS := slices.Contains(ps.AWS, "*")
	switch {
	case ps.Everyone, anyAWS && p.Service == "" && p.Federated == "", anyAWS && effect == Allow && p.Service == "":
		return gripDirect
	case p.Service != "":
		return gripIf(slices.Contains(ps.Service, p.Service), gripDirect)
	case p.Federated != "":
		return gripIf(slices.Contains(ps.Federated, p.Federated), gripDirect)
	case p.Anonymous():
		return gripNone
	}
	best := gripIf(p.CanonicalUser != "" && slices.Contains(ps.CanonicalUser, p.CanonicalUser), gripAccount)
	for _, name := range ps.AWS {
		best = max(best, p.namedBy(name))
	}
	return best
}

// namedBy tells how one entry of an AWS principal list names p.
func (p Principal) namedBy(name string) grip {
	unique, _, session := strings.Cut(p.UserID, ":")
	switch {
	case name == p.ARN:
		return gripDirect
	case name == p.Account, name == rootARNIn(p.ARN, p.Account):
		return gripAccount
	case p.Issuer != "" && name == p.Issuer, session && name == unique:
		return gripIssuer
	case p.UserID != "" && name == p.UserID:
		return gripDirect
	}
	return gripNone
}

// exempts tells whether NotPrincipal with Deny spares p. AWS looks at everything that a caller
// is: the account, the role and the session must all be listed.
func (ps Principals) exempts(p Principal) bool {
	switch {
	case ps.Everyone:
		return true
	case p.Service != "":
		return slices.Contains(ps.Service, p.Service)
	case p.Federated != "":
		return slices.Contains(ps.Federated, p.Federated)
	case slices.Contains(ps.AWS, "*"):
		return true
	case p.Anonymous():
		return false
	}
	var account, issuer, direct bool
	for _, name := range ps.AWS {
		switch p.namedBy(name) {
		case gripAccount:
			account = true
		case gripIssuer:
			issuer = true
		case gripDirect:
			direct = true
		case gripNone:
		}
	}
	if p.Root() {
		return account || direct
	}
	return account && direct && (issuer || p.Issuer == "")
}

func gripIf(named bool, g grip) grip {
	if named {
		return g
	}
	return gripNone
}
