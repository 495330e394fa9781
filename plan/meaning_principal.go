package plan

import (
	"regexp"
	"strings"
)

// parsePrincipal reads the ARN of a user or role; why says what it is instead.
func parsePrincipal(s string) (a arn, why, hint string) {
	a, ok := parseARN(s)
	switch {
	case regexp.MustCompile(`^(AIDA|AROA)[A-Z0-9]+$`).MatchString(s):
		return a, "is a unique ID, not an ARN", "such as arn:aws:iam::210987654321:user/misterrodgers"
	case !ok:
		return a, "is no ARN", "such as arn:aws:iam::210987654321:user/misterrodgers"
	case a.service == "sts" && a.kind == "assumed-role":
		role, _, _ := strings.Cut(strings.TrimPrefix(a.path, "/"), "/")
		return a, "names a session, which ends", "name the role: arn:" + a.partition + ":iam::" + a.account + ":role/" + role
	case a.kind == "root":
		return a, "names the account's root, which takes no policies", "name a user or a role"
	case a.service != "iam" || a.kind != "user" && a.kind != "role":
		return a, "names no user and no role", "such as arn:aws:iam::210987654321:role/copier"
	case !isPartition(a.partition):
		return a, "is of a partition that AWS does not have", "arn:aws:…, arn:aws-cn:… or arn:aws-us-gov:…"
	case !isAccountID(a.account):
		return a, "holds no account of 12 digits", "such as arn:aws:iam::210987654321:user/misterrodgers"
	case a.region != "":
		return a, "holds a region, and IAM has none", "such as arn:aws:iam::210987654321:user/misterrodgers"
	case a.name != "" && stranger(a.name, iamLetters) != "":
		return a, "holds " + stranger(a.name, iamLetters) + ", which IAM takes in no name", "1 to 64 letters, digits and _+=,.@-"
	case !isIAMName(a.name):
		return a, "holds a name that IAM does not take", "1 to 64 letters, digits and _+=,.@-"
	}
	return a, "", ""
}

func (c *checker) principal() {
	const at = "/principal"
	source, destination := c.plan.Accounts.Source, c.plan.Accounts.Destination
	if !c.ok(at, "/accounts/source/provider", "/accounts/destination/provider") {
		return
	}
	if c.plan.Principal == nil {
		if source.IsAWS() && destination.IsAWS() && c.has("/accounts") {
			c.lacks("", "principal", "who pulls: an IAM user or role of the destination account")
		}
		return
	}
	p := *c.plan.Principal
	if destination.IsAWS() {
		c.principalARN(p)
		c.principalCredentials(p)
	} else {
		c.principalWithoutIAM(p)
	}
	c.principalProfile(p)
	c.principalCreated(p)
}

// principalWithoutIAM is for a destination that knows keys, and no users by ARN.
func (c *checker) principalWithoutIAM(p Principal) {
	if c.has("/principal/arn") {
		c.wrong("/principal/arn", "principal.arn: an S3-compatible server has no ARNs", "take it out; principal.profile says who pulls")
	}
	if c.ok("/principal/credentials") && p.Credentials != Profile {
		c.wrong("/principal/credentials", "principal.credentials: an S3-compatible server has no IAM to make or assume credentials with",
			"write credentials: profile")
	}
	if p.Create {
		c.wrong("/principal/create", "principal.create: an S3-compatible server has no IAM to make a user in", "")
	}
}

func (c *checker) principalARN(p Principal) {
	const at = "/principal/arn"
	if !c.has(at) {
		c.lacks("/principal", "arn", "such as arn: arn:aws:iam::210987654321:user/misterrodgers")
		return
	}
	if !c.ok(at) {
		return
	}
	a, why, hint := parsePrincipal(p.ARN)
	if why != "" {
		c.wrong(at, "principal.arn "+why, hint)
		return
	}
	destination := c.plan.Accounts.Destination
	if c.ok("/accounts/destination/id") && isAccountID(destination.ID) && a.account != destination.ID {
		hint := ""
		if a.account == c.plan.Accounts.Source.ID {
			hint = "the principal pulls: it belongs to the destination"
		}
		c.wrong(at, "principal.arn belongs to account "+a.account+", not to the destination "+destination.ID, hint)
	}
	if part := partitionOf(destination.Region); part != "" && part != a.partition && c.ok("/accounts/destination/region") {
		c.wrong(at, "principal.arn is of partition "+a.partition+", and the destination's region is of "+part, "")
	}
	if c.plan.Permissions.Manage && c.ok("/permissions/manage") && strings.HasPrefix(a.path, "/aws-") {
		c.wrong(at, "principal.arn names a role that AWS manages, whose policies cannot be changed",
			"name a role of your own, or manage the permissions yourself (permissions.manage: false)")
	}
}

func (c *checker) principalCredentials(p Principal) {
	const at = "/principal/credentials"
	a, why, _ := parsePrincipal(p.ARN)
	if why != "" || !c.ok(at, "/principal/arn") {
		return
	}
	switch {
	case p.Credentials == AccessKey && a.kind == "role":
		c.wrong(c.first(at, "/principal/arn"), "principal.credentials: a role has no access keys", "write credentials: assume-role")
	case p.Credentials == AssumeRole && a.kind == "user":
		c.wrong(c.first(at, "/principal/arn"), "principal.credentials: a user cannot be assumed", "write credentials: access-key, or profile")
	case p.Credentials == AccessKey && !c.plan.Permissions.Manage && c.ok("/permissions/manage"):
		c.wrong(c.first(at, "/principal/arn"), "principal.credentials: an access key cannot be made where permissions.manage is false",
			"it touches IAM: write credentials: profile")
	}
}

func (c *checker) principalProfile(p Principal) {
	if !c.ok("/principal/credentials", "/principal/profile") {
		return
	}
	switch given := c.has("/principal/profile"); {
	case p.Credentials == Profile && !given:
		c.lacks("/principal", "profile", "credentials: profile wants to know which")
	case p.Credentials != Profile && given:
		c.wrong("/principal/profile", "principal.profile is given, and credentials are "+string(p.Credentials),
			"write credentials: profile, or take the profile out")
	}
}

func (c *checker) principalCreated(p Principal) {
	if !c.plan.Accounts.Destination.IsAWS() || !c.ok("/principal/create", "/principal/path", "/principal/permissions_boundary") {
		return
	}
	if !p.Create {
		for _, field := range []string{"path", "permissions_boundary"} {
			if at := "/principal/" + field; c.has(at) {
				c.wrong(at, dotted(at)+" is for a principal that the run makes", "write create: true, or take it out")
			}
		}
		return
	}
	if !c.plan.Permissions.Manage && c.ok("/permissions/manage") {
		c.wrong("/principal/create", "principal.create: nothing can be made where permissions.manage is false", "")
	}
	if p.Credentials == Profile && c.ok("/principal/credentials") {
		c.wrong("/principal/create", "principal.create: a principal that is not made yet has no profile",
			"write credentials: access-key for a user, assume-role for a role")
	}
	a, why, _ := parsePrincipal(p.ARN)
	if why != "" || !c.ok("/principal/arn") {
		return
	}
	switch path := p.Path; {
	case path == a.path || !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/"):
	case a.path == "/":
		c.wrong("/principal/path", "principal.path is not in principal.arn", "write "+c.quote(strings.TrimSuffix(p.ARN, a.name)+path[1:]+a.name)+" there")
	default:
		c.wrong("/principal/path", "principal.path is not the path in principal.arn", "the ARN says "+c.quote(a.path))
	}
	c.boundary(p, a)
}

func (c *checker) boundary(p Principal, of arn) {
	const at = "/principal/permissions_boundary"
	if !c.has(at) {
		return
	}
	b, ok := parseARN(p.PermissionsBoundary)
	switch {
	case !ok || b.service != "iam" || b.kind != "policy" || b.name == "":
		c.wrong(at, "principal.permissions_boundary is no policy's ARN", "such as arn:aws:iam::"+of.account+":policy/boundary")
	case b.account != of.account && b.account != "aws":
		c.wrong(at, "principal.permissions_boundary is a policy of account "+c.quote(b.account)+", not of "+of.account, "")
	}
}
