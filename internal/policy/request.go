package policy

import "strings"

// A Request is one action on one resource, with every policy that has a say.
type Request struct {
	Principal       Principal
	Action          string // such as s3:GetObject
	Resource        string // an ARN
	ResourceAccount string // who owns it; empty means the principal's account

	// Context holds the request's condition keys, in any case. Those about the principal
	// and the owner of the resource are filled in from above where they are missing.
	Context map[string][]string

	Identity       []Document // of the user and its groups, or of the role
	ResourcePolicy *Document  // bucket policy, key policy or trust policy
	Boundary       *Document
	Session        *Document
	SCPs           []Document // of one level of the organisation: one must allow. None: no organisation
	RCPs           []Document // likewise, of the resource's account

	// ResourceMustAllow is for KMS keys and role trust policies: without the
	// resource's policy nothing is granted, inside one account either.
	ResourceMustAllow bool
}

func (r Request) crossAccount() bool {
	return r.ResourceAccount != "" && r.ResourceAccount != r.Principal.Account
}

// Values are the condition keys of the request, in lower case, with what
// follows from the principal.
func (r Request) Values() map[string][]string {
	v := make(map[string][]string, len(r.Context))
	for key, got := range r.known() {
		if got != "" {
			v[strings.ToLower(key)] = []string{got}
		}
	}
	for key, got := range r.Context {
		v[strings.ToLower(key)] = got
	}
	return v
}

// known are the keys that follow from the principal and the resource's owner.
func (r Request) known() map[string]string {
	p := r.Principal
	all := map[string]string{
		"aws:PrincipalArn":     p.ARN,
		"aws:PrincipalAccount": p.Account,
		"aws:userid":           p.UserID,
		"aws:ResourceAccount":  r.ResourceAccount,
	}
	if strings.HasPrefix(strings.ToLower(r.Action), "s3:") {
		all["s3:ResourceAccount"] = r.ResourceAccount
	}
	switch {
	case p.Anonymous():
		all["aws:PrincipalType"] = "Anonymous"
		all["aws:PrincipalAccount"] = "anonymous"
		all["aws:userid"] = "anonymous"
	case p.Service != "":
		all["aws:PrincipalServiceName"] = p.Service
		all["aws:PrincipalIsAWSService"] = "true"
		return all
	case p.Root():
		all["aws:PrincipalType"] = "Account"
		all["aws:userid"] = p.Account
	case strings.Contains(p.ARN, ":assumed-role/"):
		all["aws:PrincipalType"] = "AssumedRole"
		all["aws:PrincipalArn"] = p.Issuer
	case strings.Contains(p.ARN, ":federated-user/"):
		all["aws:PrincipalType"] = "FederatedUser"
	case strings.Contains(p.ARN, ":user/"):
		all["aws:PrincipalType"] = "User"
		all["aws:username"] = p.ARN[strings.LastIndexByte(p.ARN, '/')+1:]
	}
	all["aws:PrincipalIsAWSService"] = "false"
	return all
}
