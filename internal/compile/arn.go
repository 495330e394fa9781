package compile

import "strings"

// An entity is a user or role, taken from its ARN.
type entity struct {
	partition string
	account   string
	kind      string // user, role, or what else stands there
	path      string // "/" or "/…/"
	name      string
}

// parseEntity reads arn:PARTITION:iam::ACCOUNT:KIND/PATH/NAME. What is no ARN has an empty kind.
func parseEntity(arn string) entity {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return entity{partition: "aws"}
	}
	kind, rest, _ := strings.Cut(parts[5], "/")
	at := strings.LastIndexByte(rest, '/')
	return entity{parts[1], parts[4], kind, "/" + rest[:at+1], rest[at+1:]}
}

func (e entity) role() bool { return e.kind == "role" }

// label names the entity for people: "user/misterrodgers".
func (e entity) label() string { return e.kind + "/" + e.name }

// same tells whether both ARNs name one user or role. IAM's lists leave the path out, and names are unique without it.
func same(a, b string) bool {
	x, y := parseEntity(a), parseEntity(b)
	return a == b || (x.name != "" && x.account == y.account && x.kind == y.kind && strings.EqualFold(x.name, y.name))
}

// policyARN names a managed policy of the account.
func policyARN(partition, account, name string) string {
	return "arn:" + partition + ":iam::" + account + ":policy/" + name
}

// policyName is the last part of a policy's ARN.
func policyName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// regionOf is the region that an ARN names, or otherwise the given one.
func regionOf(arn, otherwise string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[3] != "" {
		return parts[3]
	}
	return otherwise
}

// accountOf is the account that an ARN names, or "".
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}
