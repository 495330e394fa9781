package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func iamPolicyOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"CreatePolicy":            createPolicy,
		"GetPolicy":               getPolicy,
		"DeletePolicy":            deletePolicy,
		"ListPolicies":            listPolicies,
		"CreatePolicyVersion":     createPolicyVersion,
		"GetPolicyVersion":        getPolicyVersion,
		"ListPolicyVersions":      listPolicyVersions,
		"SetDefaultPolicyVersion": setDefaultPolicyVersion,
		"DeletePolicyVersion":     deletePolicyVersion,
		"ListEntitiesForPolicy":   listEntitiesForPolicy,
	}
}

type policyXML struct {
	PolicyName                    string
	PolicyID                      string `xml:"PolicyId"`
	Arn                           string
	Path                          string
	DefaultVersionID              string `xml:"DefaultVersionId"`
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string `xml:",omitempty"`
	CreateDate                    string
	UpdateDate                    string
	Tags                          []tagXML `xml:"Tags>member,omitempty"`
}

type versionXML struct {
	Document         string `xml:",omitempty"`
	VersionID        string `xml:"VersionId"`
	IsDefaultVersion bool
	CreateDate       string
}

// holders are the account's users and roles that the policy is attached to, or
// is the boundary of. The caller holds the account's lock.
func (a *account) holders(p *managedPolicy) (users, roles []*identity, boundaries int) {
	has := func(i *identity) bool { return slices.Contains(i.attached.latest(), p) }
	for _, name := range slices.Sorted(maps.Keys(a.users)) {
		i := &a.users[name].identity
		if has(i) {
			users = append(users, i)
		}
		if i.boundary.latest() == p {
			boundaries++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.roles)) {
		i := &a.roles[name].identity
		if has(i) {
			roles = append(roles, i)
		}
		if i.boundary.latest() == p {
			boundaries++
		}
	}
	return users, roles, boundaries
}

func (a *account) policyXML(p *managedPolicy) policyXML {
	users, roles, boundaries := a.holders(p)
	return policyXML{
		PolicyName: p.name, PolicyID: p.id, Arn: p.arn, Path: p.path, DefaultVersionID: p.defaultVersion,
		AttachmentCount: len(users) + len(roles), PermissionsBoundaryUsageCount: boundaries, IsAttachable: true,
		Description: p.description, CreateDate: isoTime(p.created), UpdateDate: isoTime(p.updated), Tags: tagList(p.tags),
	}
}

func (p *managedPolicy) versionXML(v *policyVersion, withText bool) versionXML {
	x := versionXML{VersionID: v.id, IsDefaultVersion: v.id == p.defaultVersion, CreateDate: isoTime(v.created)}
	if withText {
		x.Document = encodeDocument(v.text)
	}
	return x
}

// withPolicy runs do with the policy that PolicyArn names, under the account's
// lock, if the caller may do the operation at hand.
func (q *queryCall) withPolicy(do func(p *managedPolicy) (any, *apiError)) (any, *apiError) {
	arn := q.form.Get("PolicyArn")
	if !strings.HasPrefix(arn, "arn:") || len(strings.Split(arn, ":")) != 6 {
		return nil, newError(400, "InvalidInput", "ARN "+arn+" is not valid.")
	}
	if err := q.allow(arn, "policy "+arn, nil); err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	p := q.s.findPolicy(q.acct, arn)
	switch {
	case p == nil:
		return nil, noSuchEntity("Policy %s was not found.", arn)
	case p.account == nil && q.target.Write:
		return nil, newError(403, "AccessDenied", "Policy "+arn+" is managed by AWS and cannot be changed.")
	}
	return do(p)
}

func createPolicy(q *queryCall) (any, *apiError) {
	name, err := q.name("PolicyName", 128)
	if err != nil {
		return nil, err
	}
	path, err := q.path()
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:iam::" + q.acct.id + ":policy" + path + name
	if err := q.allow(arn, "policy "+name, nil); err != nil {
		return nil, err
	}
	if err := q.allowTags("iam:TagPolicy", arn); err != nil {
		return nil, err
	}
	doc, err := parseIdentityPolicy(q.form.Get("PolicyDocument"), maxManagedPolicy)
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	for _, p := range q.acct.policies {
		if strings.EqualFold(p.name, name) {
			return nil, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", name)
		}
	}
	p := newManagedPolicy(q.acct, name, path, doc, q.now, q.now)
	p.tags, p.description = q.tags(), q.form.Get("Description")
	q.acct.policies[p.arn] = p
	return struct{ Policy policyXML }{q.acct.policyXML(p)}, nil
}

func getPolicy(q *queryCall) (any, *apiError) {
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) {
		return struct{ Policy policyXML }{q.acct.policyXML(p)}, nil
	})
}

func deletePolicy(q *queryCall) (any, *apiError) {
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) {
		users, roles, boundaries := q.acct.holders(p)
		switch {
		case len(users)+len(roles) > 0:
			return nil, deleteConflict("Cannot delete a policy attached to entities.")
		case boundaries > 0:
			return nil, deleteConflict("Cannot delete a policy used as a permissions boundary.")
		case len(p.versions) > 1:
			return nil, deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		delete(q.acct.policies, p.arn)
		return empty{}, nil
	})
}

func listPolicies(q *queryCall) (any, *apiError) {
	if err := q.allow("arn:aws:iam::"+q.acct.id+":policy/", "", nil); err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	known := map[string]*managedPolicy{}
	if q.form.Get("Scope") != "AWS" {
		maps.Copy(known, q.acct.policies)
	}
	if q.form.Get("Scope") != "Local" {
		maps.Copy(known, q.s.managed)
	}
	var all []policyXML
	for _, p := range byPath(q, known, func(p *managedPolicy) string { return p.path }) {
		x := q.acct.policyXML(p)
		x.Tags, x.Description = nil, ""
		if q.form.Get("OnlyAttached") != "true" || x.AttachmentCount > 0 {
			all = append(all, x)
		}
	}
	some, pg, err := page(q, all)
	return struct {
		Policies []policyXML `xml:"Policies>member"`
		pageXML
	}{some, pg}, err
}

func createPolicyVersion(q *queryCall) (any, *apiError) {
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) {
		doc, err := parseIdentityPolicy(q.form.Get("PolicyDocument"), maxManagedPolicy)
		if err != nil {
			return nil, err
		}
		if len(p.versions) >= maxVersions {
			return nil, limitExceeded(fmt.Sprintf("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions))
		}
		v := p.addVersion(doc, q.form.Get("SetAsDefault") == "true", q.now, q.now)
		p.updated = q.now
		return struct{ PolicyVersion versionXML }{p.versionXML(v, false)}, nil
	})
}

// withVersion is withPolicy for a version of it.
func (q *queryCall) withVersion(do func(p *managedPolicy, v *policyVersion) (any, *apiError)) (any, *apiError) {
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) {
		id := q.form.Get("VersionId")
		v := p.version(id)
		if v == nil {
			return nil, noSuchEntity("Policy %s version %s does not exist or is not attachable.", p.arn, id)
		}
		return do(p, v)
	})
}

func getPolicyVersion(q *queryCall) (any, *apiError) {
	return q.withVersion(func(p *managedPolicy, v *policyVersion) (any, *apiError) {
		return struct{ PolicyVersion versionXML }{p.versionXML(v, true)}, nil
	})
}

func listPolicyVersions(q *queryCall) (any, *apiError) {
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) {
		var all []versionXML
		for _, v := range slices.Backward(p.versions) {
			all = append(all, p.versionXML(v, false))
		}
		some, pg, err := page(q, all)
		return struct {
			Versions []versionXML `xml:"Versions>member"`
			pageXML
		}{some, pg}, err
	})
}

func setDefaultPolicyVersion(q *queryCall) (any, *apiError) {
	return q.withVersion(func(p *managedPolicy, v *policyVersion) (any, *apiError) {
		p.setDefault(v, q.now)
		p.updated = q.now
		return empty{}, nil
	})
}

func deletePolicyVersion(q *queryCall) (any, *apiError) {
	return q.withVersion(func(p *managedPolicy, v *policyVersion) (any, *apiError) {
		if v.id == p.defaultVersion {
			return nil, deleteConflict("Cannot delete the default version of a policy.")
		}
		p.versions = slices.DeleteFunc(p.versions, func(o *policyVersion) bool { return o == v })
		p.updated = q.now
		return empty{}, nil
	})
}

func listEntitiesForPolicy(q *queryCall) (any, *apiError) {
	type userRef struct {
		UserName string
		UserID   string `xml:"UserId"`
	}
	type roleRef struct {
		RoleName string
		RoleID   string `xml:"RoleId"`
	}
	return q.withPolicy(func(p *managedPolicy) (any, *apiError) {
		users, roles, _ := q.acct.holders(p)
		filter := q.form.Get("EntityFilter")
		var out struct {
			PolicyUsers []userRef `xml:"PolicyUsers>member"`
			PolicyRoles []roleRef `xml:"PolicyRoles>member"`
			pageXML
		}
		both, pg, err := page(q, append(users, roles...))
		out.pageXML = pg
		for _, i := range both {
			switch {
			case i.kind == "user" && (filter == "" || filter == "User"):
				out.PolicyUsers = append(out.PolicyUsers, userRef{i.name, i.id})
			case i.kind == "role" && (filter == "" || filter == "Role"):
				out.PolicyRoles = append(out.PolicyRoles, roleRef{i.name, i.id})
			}
		}
		return out, err
	})
}
