package plan

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

func (c *checker) accounts() {
	for _, side := range []Side{Source, Destination} {
		at := "/accounts/" + string(side)
		if !c.has(at) || !c.ok(at, at+"/provider") {
			continue
		}
		a := c.plan.Accounts.Of(side)
		if a.IsAWS() {
			c.awsAccount(at, a)
		} else {
			c.s3Account(at, a)
		}
		c.role(at, a)
		c.endpoint(at+"/endpoint_url", a.EndpointURL)
		if strings.ContainsFunc(a.Profile, unicode.IsControl) {
			c.wrong(at+"/profile", dotted(at)+".profile holds a control character", "")
		}
	}
	c.bothAccounts()
}

func (c *checker) awsAccount(at string, a Account) {
	id := at + "/id"
	switch {
	case !c.has(id):
		hint := `such as id: "123456789012"`
		if a.EndpointURL != "" {
			hint += "; a server that is not AWS wants provider: s3-compatible"
		}
		c.lacks(at, "id", hint)
	case c.ok(id) && !isAccountID(a.ID):
		hint := ""
		if digits := regexp.MustCompile(`[^0-9]`).ReplaceAllString(a.ID, ""); isAccountID(digits) {
			hint = `write "` + digits + `"`
		}
		c.wrong(id, dotted(id)+" must be a quoted string of 12 digits", hint)
	}
	c.region(at+"/region", a.Region)
}

// s3Account is for a server that has no accounts, no IAM and no owner pinning.
func (c *checker) s3Account(at string, a Account) {
	for _, field := range []string{"id", "role_arn", "external_id"} {
		if c.has(at + "/" + field) {
			c.wrong(at+"/"+field, dotted(at)+": an S3-compatible server has no "+field,
				"take it out; profile, and the SDK's variables, say who one is there")
		}
	}
	if !c.has(at + "/endpoint_url") {
		c.lacks(at, "endpoint_url", "such as endpoint_url: http://127.0.0.1:9000")
	}
	if r := at + "/region"; c.ok(r) && a.Region != "" && !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(a.Region) {
		c.wrong(r, dotted(r)+" cannot be "+c.quote(a.Region), "such as us-east-1")
	}
}

// region is for regions of AWS. Empty is a default.
func (c *checker) region(at, region string) {
	if !c.has(at) || !c.ok(at) || isRegion(region) {
		return
	}
	hint := "such as us-west-2"
	lower := strings.ToLower(strings.ReplaceAll(region, "_", "-"))
	switch {
	case isRegion(lower):
		hint = "did you mean " + lower + "?"
	case lower != "" && isRegion(lower[:len(lower)-1]):
		hint = "that is a zone; its region is " + lower[:len(lower)-1]
	}
	c.wrong(at, dotted(at)+": no region of AWS is called "+c.quote(region), hint)
}

func (c *checker) role(at string, a Account) {
	if !a.IsAWS() {
		return
	}
	role := at + "/role_arn"
	if c.has(at+"/external_id") && !c.has(role) {
		c.wrong(at+"/external_id", dotted(at)+".external_id is given without role_arn", "it is what a role's trust policy asks for")
	}
	if id := at + "/external_id"; c.has(id) && c.ok(id) && !regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]+$`).MatchString(a.ExternalID) {
		c.wrong(id, dotted(id)+" holds a character that STS does not take", "letters, digits and _+=,.@:/- only")
	}
	if !c.has(role) || !c.ok(role) {
		return
	}
	r, why, hint := parsePrincipal(a.RoleARN)
	switch {
	case why != "":
		c.wrong(role, dotted(role)+" "+why, hint)
	case r.kind != "role":
		c.wrong(role, dotted(role)+" names a "+r.kind+", not a role", "only a role can be assumed")
	case c.ok(at+"/id") && isAccountID(a.ID) && r.account != a.ID:
		c.wrong(role, dotted(role)+" is a role of account "+r.account+", not of "+a.ID, "")
	}
}

func (c *checker) endpoint(at, endpoint string) {
	if !c.has(at) || !c.ok(at) {
		return
	}
	u, err := url.Parse(endpoint)
	if err != nil { // what cannot be read may hold a password where a port is expected
		c.secrets.hide(c.where(at).Line, endpoint)
	}
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		hint := "such as http://127.0.0.1:9000"
		if guess, e := url.Parse("https://" + endpoint); e == nil && guess.Hostname() != "" && !strings.Contains(endpoint, "://") {
			hint = "it begins with http:// or https://"
		}
		c.wrong(at, dotted(at)+" is no address of http or https", hint)
	case u.User != nil:
		c.secrets.hide(c.where(at).Line, u.User.String())
		c.wrong(at, dotted(at)+" holds a user's name", "credentials come from a profile or the SDK's variables")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		c.wrong(at, dotted(at)+" holds a query or a fragment", "end it after the host and the port")
	}
}

// bothAccounts judges the sides against each other.
func (c *checker) bothAccounts() {
	a, b := c.plan.Accounts.Source, c.plan.Accounts.Destination
	if !c.ok("/accounts/source", "/accounts/destination", "/accounts/source/provider", "/accounts/destination/provider") ||
		!a.IsAWS() || !b.IsAWS() {
		return
	}
	if a.ID == b.ID && isAccountID(a.ID) && c.ok("/accounts/source/id", "/accounts/destination/id") {
		c.warn("/accounts/destination/id", "both sides are account "+a.ID, "this copies within one account; nothing is delegated across")
	}
	from, to := partitionOf(a.Region), partitionOf(b.Region)
	if from != "" && to != "" && from != to && c.ok("/accounts/source/region", "/accounts/destination/region") {
		c.wrong("/accounts/destination/region", "the sides are in different partitions, "+from+" and "+to,
			"no principal of one is known in the other, so it cannot pull")
	}
}
