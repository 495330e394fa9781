package sandbox

import (
	"strconv"
	"strings"
	"time"
)

func iamRoleOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"GetRole":                       getRole,
		"CreateRole":                    createRole,
		"DeleteRole":                    deleteRole,
		"ListRoles":                     listRoles,
		"UpdateAssumeRolePolicy":        updateAssumeRolePolicy,
		"PutRolePermissionsBoundary":    putBoundary,
		"DeleteRolePermissionsBoundary": deleteBoundary,
	}
}

type roleXML struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	Arn                      string
	CreateDate               string
	AssumeRolePolicyDocument string
	Description              string `xml:",omitempty"`
	MaxSessionDuration       int
	PermissionsBoundary      *boundaryXML
	Tags                     []tagXML `xml:"Tags>member,omitempty"`
}

// shownTrust is the trust policy as an answer shows it: URL-encoded, as IAM does with all
// documents. It looks for those whom the policy names, so no account may be locked here.
func (r *role) shownTrust() string { return encodeDocument(r.trust.latest().document()) }

// xml is the role as an answer shows it, with its shownTrust. The account is locked here.
func (r *role) xml(trust string) roleXML {
	return roleXML{
		Path: r.path, RoleName: r.name, RoleID: r.id, Arn: r.arn, CreateDate: isoTime(r.created),
		AssumeRolePolicyDocument: trust, Description: r.description,
		MaxSessionDuration: int(r.maxSession / time.Second), PermissionsBoundary: r.boundaryXML(), Tags: tagList(r.tags.latest()),
	}
}

func getRole(q *queryCall) (any, *apiError) {
	r, err := q.roleParam()
	if err != nil {
		return nil, err
	}
	shown := r.shownTrust()
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	return struct{ Role roleXML }{r.xml(shown)}, nil
}

// sessionLimit reads MaxSessionDuration.
func (q *queryCall) sessionLimit() (time.Duration, *apiError) {
	text := q.form.Get("MaxSessionDuration")
	if text == "" {
		return time.Hour, nil
	}
	n, err := strconv.Atoi(text)
	d := time.Duration(n) * time.Second
	if err != nil || d < time.Hour || d > maxRoleSession {
		return 0, validationError("1 validation error detected: Value '%s' at 'maxSessionDuration' failed to satisfy constraint", text)
	}
	return d, nil
}

func createRole(q *queryCall) (any, *apiError) {
	name, err := q.name("RoleName", 64)
	if err != nil {
		return nil, err
	}
	path, err := q.path()
	if err != nil {
		return nil, err
	}
	limit, err := q.sessionLimit()
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:iam::" + q.acct.id + ":role" + path + name
	if err := q.allow(arn, "", q.boundaryCondition()); err != nil {
		return nil, err
	}
	if err := q.allowTags("iam:TagRole", arn); err != nil {
		return nil, err
	}
	boundary, err := q.boundaryParam()
	if err != nil {
		return nil, err
	}
	trust, err := q.s.compileTrust(q.form.Get("AssumeRolePolicyDocument"))
	if err != nil {
		return nil, err
	}
	r := q.s.newRole(q.acct, name, path, trust, q.now)
	if r == nil {
		return nil, alreadyExists("Role with name %s already exists.", name)
	}
	shown := r.shownTrust()
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	r.boundary.set(boundary, q.now)
	r.tags.set(q.tags(), q.now)
	r.description, r.maxSession = q.form.Get("Description"), limit
	return struct{ Role roleXML }{r.xml(shown)}, nil
}

func deleteRole(q *queryCall) (any, *apiError) {
	r, err := q.roleParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	if err := r.leftovers(); err != nil {
		return nil, err
	}
	delete(q.acct.roles, strings.ToLower(r.name))
	r.exists.set(false, q.now)
	q.s.identities.Add(1)
	return empty{}, nil
}

func listRoles(q *queryCall) (any, *apiError) {
	if err := q.allow("arn:aws:iam::"+q.acct.id+":role/", "", nil); err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	roles := byPath(q, q.acct.roles, func(r *role) string { return r.path })
	q.acct.mu.RUnlock()
	trusts := make([]string, len(roles))
	for i, r := range roles {
		trusts[i] = r.shownTrust()
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	var all []roleXML
	for i, r := range roles {
		shown := r.xml(trusts[i])
		shown.Tags, shown.PermissionsBoundary = nil, nil
		all = append(all, shown)
	}
	some, p, err := page(q, all)
	return struct {
		Roles []roleXML `xml:"Roles>member"`
		pageXML
	}{some, p}, err
}

func updateAssumeRolePolicy(q *queryCall) (any, *apiError) {
	r, err := q.roleParam()
	if err != nil {
		return nil, err
	}
	trust, err := q.s.compileTrust(q.form.Get("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	r.trust.set(trust, q.now)
	return empty{}, nil
}
