package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

func iamAttachmentOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"AttachUserPolicy":         attachPolicy,
		"AttachRolePolicy":         attachPolicy,
		"DetachUserPolicy":         detachPolicy,
		"DetachRolePolicy":         detachPolicy,
		"ListAttachedUserPolicies": listAttached,
		"ListAttachedRolePolicies": listAttached,
	}
}

func iamInlineOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"PutUserPolicy":    putInline,
		"PutRolePolicy":    putInline,
		"GetUserPolicy":    getInline,
		"GetRolePolicy":    getInline,
		"DeleteUserPolicy": deleteInline,
		"DeleteRolePolicy": deleteInline,
		"ListUserPolicies": listInline,
		"ListRolePolicies": listInline,

		"ListGroupsForUser": listGroups,
	}
}

// quota is the name of an attachment limit, as its error spells it.
func (i *identity) quota() string {
	if i.kind == "role" {
		return "PoliciesPerRole"
	}
	return "PoliciesPerUser"
}

// inlineLimit is how many characters of inline policies IAM takes altogether.
func (i *identity) inlineLimit() int {
	if i.kind == "role" {
		return 10_240
	}
	return 2_048
}

func attachPolicy(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	arn := q.form.Get("PolicyArn")
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	p := q.s.findPolicy(q.acct, arn)
	if p == nil {
		return nil, noSuchEntity("Policy %s does not exist or is not attachable.", arn)
	}
	attached := i.attached.latest()
	switch {
	case slices.Contains(attached, p):
		return empty{}, nil
	case len(attached) >= maxAttached:
		return nil, limitExceeded(fmt.Sprintf("Cannot exceed quota for %s: %d", i.quota(), maxAttached))
	}
	i.attached.set(append(slices.Clone(attached), p), q.now)
	return empty{}, nil
}

func detachPolicy(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	arn := q.form.Get("PolicyArn")
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	attached := slices.Clone(i.attached.latest())
	rest := slices.DeleteFunc(slices.Clone(attached), func(p *managedPolicy) bool { return p.arn == arn })
	if len(rest) == len(attached) {
		return nil, noSuchEntity("Policy %s was not found.", arn)
	}
	i.attached.set(rest, q.now)
	return empty{}, nil
}

func listAttached(q *queryCall) (any, *apiError) {
	type attachedXML struct {
		PolicyName string
		PolicyArn  string
	}
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	prefix := q.form.Get("PathPrefix")
	var all []attachedXML
	for _, p := range i.attached.latest() {
		if strings.HasPrefix(p.path, prefix) {
			all = append(all, attachedXML{p.name, p.arn})
		}
	}
	some, pg, err := page(q, all)
	return struct {
		AttachedPolicies []attachedXML `xml:"AttachedPolicies>member"`
		pageXML
	}{some, pg}, err
}

// findInline finds the inline policy that PolicyName names.
func (q *queryCall) findInline(i *identity) (int, *apiError) {
	name := q.form.Get("PolicyName")
	at := slices.IndexFunc(i.inline.latest(), func(p inlinePolicy) bool { return p.name == name })
	if at < 0 {
		return at, noSuchEntity("The %s policy with name %s cannot be found.", i.kind, name)
	}
	return at, nil
}

func putInline(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	name, err := q.name("PolicyName", 128)
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(i.inline.latest()), func(p inlinePolicy) bool { return p.name == name })
	room := i.inlineLimit()
	for _, p := range rest {
		room -= policySize(p.text)
	}
	text := q.form.Get("PolicyDocument")
	if policySize(text) > room {
		return nil, limitExceeded(fmt.Sprintf("Maximum policy size of %d bytes exceeded for %s %s", i.inlineLimit(), i.kind, i.name))
	}
	doc, err := parseIdentityPolicy(text, i.inlineLimit())
	if err != nil {
		return nil, err
	}
	i.inline.set(append(rest, inlinePolicy{name: name, document: doc}), q.now)
	return empty{}, nil
}

func getInline(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	at, err := q.findInline(i)
	if err != nil {
		return nil, err
	}
	p := i.inline.latest()[at]
	out := struct {
		UserName       string `xml:",omitempty"`
		RoleName       string `xml:",omitempty"`
		PolicyName     string
		PolicyDocument string
	}{PolicyName: p.name, PolicyDocument: encodeDocument(p.text)}
	if i.kind == "role" {
		out.RoleName = i.name
	} else {
		out.UserName = i.name
	}
	return out, nil
}

func deleteInline(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	at, err := q.findInline(i)
	if err != nil {
		return nil, err
	}
	i.inline.set(slices.Delete(slices.Clone(i.inline.latest()), at, at+1), q.now)
	return empty{}, nil
}

func listInline(q *queryCall) (any, *apiError) {
	i, err := q.identityParam()
	if err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	var names []string
	for _, p := range i.inline.latest() {
		names = append(names, p.name)
	}
	slices.Sort(names)
	some, pg, err := page(q, names)
	return struct {
		PolicyNames []string `xml:"PolicyNames>member"`
		pageXML
	}{some, pg}, err
}

// listGroups: the sandbox has no groups, so nobody is in one.
func listGroups(q *queryCall) (any, *apiError) {
	if _, err := q.identityParam(); err != nil {
		return nil, err
	}
	some, pg, err := page(q, []string(nil))
	return struct {
		Groups []string `xml:"Groups>member"`
		pageXML
	}{some, pg}, err
}
