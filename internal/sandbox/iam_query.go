package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// iamOperations are the operations of IAM that the sandbox knows.
func iamOperations() map[string]queryOperation {
	ops := map[string]queryOperation{}
	for _, group := range []map[string]queryOperation{
		iamUserOperations(), iamRoleOperations(), iamKeyOperations(), iamPolicyOperations(),
		iamAttachmentOperations(), iamInlineOperations(), iamTagOperations(), iamSimulateOperations(),
	} {
		maps.Copy(ops, group)
	}
	return ops
}

// allow decides whether the caller may do the operation at hand on resource.
// label is how IAM's denials call it ("user fred"); "" for the ARN.
func (q *queryCall) allow(resource, label string, cond map[string][]string) *apiError {
	return q.allowAction(q.target.Service+":"+q.target.Operation, resource, label, cond)
}

// allowTags asks for the right to tag what is being made, where the request has tags: it is
// apart from the right to make it.
func (q *queryCall) allowTags(action, resource string) *apiError {
	if len(q.tags()) == 0 {
		return nil
	}
	return q.allowAction(action, resource, "", nil)
}

// policyCondition is the condition key that guards attaching and detaching.
func (q *queryCall) policyCondition() map[string][]string {
	if arn := q.form.Get("PolicyArn"); arn != "" {
		return map[string][]string{"iam:PolicyARN": {arn}}
	}
	return nil
}

func (q *queryCall) allowAction(action, resource, label string, cond map[string][]string) *apiError {
	v := q.s.authorize(q.call, action, resource, resourceAuth{Account: q.acct.id}, cond)
	if v.Allowed {
		return nil
	}
	message := v.Message
	if label != "" {
		message = strings.Replace(message, "on resource: "+resource, "on resource: "+label, 1)
	}
	return newError(http.StatusForbidden, "AccessDenied", message)
}

func noSuchEntity(format string, args ...any) *apiError {
	return newError(http.StatusNotFound, "NoSuchEntity", fmt.Sprintf(format, args...))
}

func alreadyExists(format string, args ...any) *apiError {
	return newError(http.StatusConflict, "EntityAlreadyExists", fmt.Sprintf(format, args...))
}

func deleteConflict(message string) *apiError {
	return newError(http.StatusConflict, "DeleteConflict", message)
}

func limitExceeded(message string) *apiError {
	return newError(http.StatusConflict, "LimitExceeded", message)
}

func validationError(format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...))
}

// name reads a parameter that holds a name, of at most limit characters.
func (q *queryCall) name(param string, limit int) (string, *apiError) {
	v := q.form.Get(param)
	lower := strings.ToLower(param[:1]) + param[1:]
	switch {
	case v == "":
		return "", validationError("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lower)
	case len(v) > limit:
		return "", validationError("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", lower, limit)
	case !regexp.MustCompile(`^[\w+=,.@-]+$`).MatchString(v):
		return "", validationError("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", lower)
	}
	return v, nil
}

// path reads the Path parameter; "/" by default.
func (q *queryCall) path() (string, *apiError) {
	p := q.form.Get("Path")
	if p == "" {
		return "/", nil
	}
	if !strings.HasPrefix(p, "/") || !strings.HasSuffix(p, "/") {
		return "", validationError("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return p, nil
}

// tags reads Tags.member.N.
func (q *queryCall) tags() map[string]string {
	out := map[string]string{}
	for i := 1; ; i++ {
		prefix := "Tags.member." + strconv.Itoa(i) + "."
		if !q.form.Has(prefix + "Key") {
			return out
		}
		out[q.form.Get(prefix+"Key")] = q.form.Get(prefix + "Value")
	}
}

// list reads NAME.member.N.
func (q *queryCall) list(name string) []string {
	var out []string
	for i := 1; ; i++ {
		key := name + ".member." + strconv.Itoa(i)
		if !q.form.Has(key) {
			return out
		}
		out = append(out, q.form.Get(key))
	}
}

// A tagXML is a tag in an answer.
type tagXML struct{ Key, Value string }

func tagList(tags map[string]string) []tagXML {
	var out []tagXML
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, tagXML{Key: k, Value: tags[k]})
	}
	return out
}

// A pageXML ends the answer of a list.
type pageXML struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

const (
	defaultPage = 100
	largestPage = 1000
)

// page cuts the asked page out of a whole list.
func page[T any](q *queryCall, all []T) ([]T, pageXML, *apiError) {
	size := defaultPage
	if text := q.form.Get("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > largestPage {
			return nil, pageXML{}, validationError("1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint", text)
		}
		size = n
	}
	from := 0
	if text := q.form.Get("Marker"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > len(all) {
			return nil, pageXML{}, validationError("Invalid Marker.")
		}
		from = n
	}
	to := min(from+size, len(all))
	if to == len(all) {
		return all[from:], pageXML{}, nil
	}
	return all[from:to], pageXML{IsTruncated: true, Marker: strconv.Itoa(to)}, nil
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// findUser finds a user by its name. The caller holds the account's lock.
func (a *account) findUser(name string) (*user, *apiError) {
	u := a.users[strings.ToLower(name)]
	if u == nil {
		return nil, noSuchEntity("The user with name %s cannot be found.", name)
	}
	return u, nil
}

// findRole finds a role by its name. The caller holds the account's lock.
func (a *account) findRole(name string) (*role, *apiError) {
	r := a.roles[strings.ToLower(name)]
	if r == nil {
		return nil, noSuchEntity("The role with name %s cannot be found.", name)
	}
	return r, nil
}

// userParam is the user that UserName names, or the caller where it is left
// out, after asking whether the caller may do this to it. As in AWS, the right
// is asked first: who may not look does not learn whether it exists.
func (q *queryCall) userParam() (*user, *apiError) {
	name := q.form.Get("UserName")
	if name == "" {
		if q.caller.user == nil {
			return nil, validationError("Must specify userName when calling with non-User credentials")
		}
		name = q.caller.UserName
	}
	q.acct.mu.RLock()
	u, missing := q.acct.findUser(name)
	q.acct.mu.RUnlock()
	arn := "arn:aws:iam::" + q.acct.id + ":user/" + name
	if u != nil {
		arn = u.arn
	}
	if err := q.allow(arn, "user "+name, q.policyCondition()); err != nil {
		return nil, err
	}
	return u, missing
}

// roleParam is the role that RoleName names, like userParam.
func (q *queryCall) roleParam() (*role, *apiError) {
	name, err := q.name("RoleName", 64)
	if err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	r, missing := q.acct.findRole(name)
	q.acct.mu.RUnlock()
	arn := "arn:aws:iam::" + q.acct.id + ":role/" + name
	if r != nil {
		arn = r.arn
	}
	if err := q.allow(arn, "role "+name, q.policyCondition()); err != nil {
		return nil, err
	}
	return r, missing
}

// identityParam is the user or the role that an operation on either names.
func (q *queryCall) identityParam() (*identity, *apiError) {
	if strings.Contains(q.target.Operation, "Role") {
		r, err := q.roleParam()
		if err != nil {
			return nil, err
		}
		return &r.identity, nil
	}
	u, err := q.userParam()
	if err != nil {
		return nil, err
	}
	return &u.identity, nil
}
