package sandbox

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
)

func iamUserOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"GetUser":                       getUser,
		"CreateUser":                    createUser,
		"DeleteUser":                    deleteUser,
		"ListUsers":                     listUsers,
		"PutUserPermissionsBoundary":    putBoundary,
		"DeleteUserPermissionsBoundary": deleteBoundary,
		"GetAccountSummary":             getAccountSummary,
	}
}

type boundaryXML struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

type userXML struct {
	Path                string
	UserName            string
	UserID              string `xml:"UserId"`
	Arn                 string
	CreateDate          string
	PermissionsBoundary *boundaryXML
	Tags                []tagXML `xml:"Tags>member,omitempty"`
}

func (i *identity) boundaryXML() *boundaryXML {
	b := i.boundary.latest()
	if b == nil {
		return nil
	}
	return &boundaryXML{PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: b.arn}
}

func (u *user) xml() userXML {
	return userXML{
		Path: u.path, UserName: u.name, UserID: u.id, Arn: u.arn, CreateDate: isoTime(u.created),
		PermissionsBoundary: u.boundaryXML(), Tags: tagList(u.tags.latest()),
	}
}

func encodeDocument(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func getUser(q *queryCall) (any, *apiError) {
	u, err := q.userParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	return struct{ User userXML }{u.xml()}, nil
}

func createUser(q *queryCall) (any, *apiError) {
	name, err := q.name("UserName", 64)
	if err != nil {
		return nil, err
	}
	path, err := q.path()
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:iam::" + q.acct.id + ":user" + path + name
	if err := q.allow(arn, "", q.boundaryCondition()); err != nil {
		return nil, err
	}
	if err := q.allowTags("iam:TagUser", arn); err != nil {
		return nil, err
	}
	boundary, err := q.boundaryParam()
	if err != nil {
		return nil, err
	}
	u := q.s.newUser(q.acct, name, path, q.now)
	if u == nil {
		return nil, alreadyExists("User with name %s already exists.", name)
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	u.boundary.set(boundary, q.now)
	u.tags.set(q.tags(), q.now)
	return struct{ User userXML }{u.xml()}, nil
}

// boundaryCondition is the condition key that guards permissions boundaries.
func (q *queryCall) boundaryCondition() map[string][]string {
	arn := q.form.Get("PermissionsBoundary")
	if arn == "" {
		return nil
	}
	return map[string][]string{"iam:PermissionsBoundary": {arn}}
}

// boundaryParam is the policy that PermissionsBoundary names, if any.
func (q *queryCall) boundaryParam() (*managedPolicy, *apiError) {
	arn := q.form.Get("PermissionsBoundary")
	if arn == "" {
		return nil, nil
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	p := q.s.findPolicy(q.acct, arn)
	if p == nil {
		return nil, noSuchEntity("Scope ARN: %s does not exist or is not attachable.", arn)
	}
	return p, nil
}

func putBoundary(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	b, err := q.boundaryParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	i.boundary.set(b, q.now)
	return empty{}, nil
}

func deleteBoundary(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	i.boundary.set(nil, q.now)
	return empty{}, nil
}

// leftovers says what of an identity keeps it from being deleted; nil for nothing.
func (i *identity) leftovers() *apiError {
	switch {
	case len(i.inline.latest()) > 0:
		return deleteConflict("Cannot delete entity, must delete policies first.")
	case len(i.attached.latest()) > 0:
		return deleteConflict("Cannot delete entity, must detach all policies first.")
	}
	return nil
}

func deleteUser(q *queryCall) (any, *apiError) {
	u, err := q.userParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	if len(u.keys) > 0 {
		return nil, deleteConflict("Cannot delete entity, must delete access keys first.")
	}
	if err := u.leftovers(); err != nil {
		return nil, err
	}
	delete(q.acct.users, strings.ToLower(u.name))
	u.exists.set(false, q.now)
	q.s.identities.Add(1)
	return empty{}, nil
}

// byPath lists what lies below PathPrefix, by name.
func byPath[T any](q *queryCall, all map[string]T, path func(T) string) []T {
	prefix := cmp.Or(q.form.Get("PathPrefix"), "/")
	var out []T
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(path(all[name]), prefix) {
			out = append(out, all[name])
		}
	}
	return out
}

func listUsers(q *queryCall) (any, *apiError) {
	if err := q.allow("arn:aws:iam::"+q.acct.id+":user/", "", nil); err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	var all []userXML
	for _, u := range byPath(q, q.acct.users, func(u *user) string { return u.path }) {
		shown := u.xml()
		shown.Tags, shown.PermissionsBoundary = nil, nil // as AWS leaves them out of lists
		all = append(all, shown)
	}
	some, p, err := page(q, all)
	return struct {
		Users []userXML `xml:"Users>member"`
		pageXML
	}{some, p}, err
}

type summaryXML struct {
	Key   string `xml:"key"`
	Value int    `xml:"value"`
}

func getAccountSummary(q *queryCall) (any, *apiError) {
	if err := q.allow("*", "", nil); err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	return struct {
		Entries []summaryXML `xml:"SummaryMap>entry"`
	}{[]summaryXML{
		{"Users", len(q.acct.users)},
		{"Roles", len(q.acct.roles)},
		{"Policies", len(q.acct.policies)},
		{"AccessKeysPerUserQuota", maxAccessKeys},
		{"AttachedPoliciesPerUserQuota", maxAttached},
		{"AttachedPoliciesPerRoleQuota", maxAttached},
		{"PolicySizeQuota", maxManagedPolicy},
		{"VersionsPerPolicyQuota", maxVersions},
	}}, nil
}
