package plan

import "strings"

func (c *checker) permissions() {
	p := c.plan.Permissions
	if !c.ok("/permissions", "/permissions/manage", "/accounts/source/provider", "/accounts/destination/provider") {
		return
	}
	for _, side := range []Side{Source, Destination} {
		if p.Manage && !c.plan.Accounts.Of(side).IsAWS() {
			c.wrong("/permissions/manage", "permissions.manage must be false: the "+string(side)+" is S3-compatible and has no IAM",
				"write permissions: {manage: false}")
			break
		}
	}
	if p.Manage {
		if at := "/permissions/policy"; strings.HasPrefix(p.Policy, "arn:") {
			c.wrong(at, "permissions.policy wants a name, not an ARN", "what follows policy/ in it")
		}
		return
	}
	for _, field := range []string{"policy", "statement", "adopt"} {
		if at := "/permissions/" + field; c.has(at) {
			c.warn(at, dotted(at)+" has no effect where permissions.manage is false", "")
		}
	}
}
