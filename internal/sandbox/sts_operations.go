package sandbox

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"xplan/internal/policy"
)

func stsOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"GetCallerIdentity": getCallerIdentity,
		"AssumeRole":        assumeRole,
	}
}

const (
	maxRoleSession    = 12 * time.Hour
	minSession        = 15 * time.Minute
	maxChainedSession = time.Hour
	maxSessionPolicy  = 2048
	sessionTokenParts = 6
)

// getCallerIdentity needs no permission: whoever may sign may ask.
func getCallerIdentity(q *queryCall) (any, *apiError) {
	return struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}{q.caller.ARN, q.caller.UserID, q.caller.Account}, nil
}

type credentialsXML struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type assumedXML struct {
	Credentials     credentialsXML
	AssumedRoleUser struct {
		AssumedRoleID string `xml:"AssumedRoleId"`
		Arn           string
	}
}

func assumeRole(q *queryCall) (any, *apiError) {
	name := q.form.Get("RoleSessionName")
	if !regexp.MustCompile(`^[\w+=,.@-]{2,64}$`).MatchString(name) {
		return nil, validationError("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", name)
	}
	r, err := q.roleToAssume(name)
	if err != nil {
		return nil, err
	}
	life, err := q.sessionLife(r)
	if err != nil {
		return nil, err
	}
	limits, err := q.sessionPolicy(r)
	if err != nil {
		return nil, err
	}
	ses := &session{
		role: r, name: name, arn: "arn:aws:sts::" + r.account.id + ":assumed-role/" + r.name + "/" + name,
		policy: limits, issued: q.now, expires: q.now.Add(life),
	}
	k := q.s.newSessionKey(ses)
	var out assumedXML
	out.Credentials = credentialsXML{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.token, Expiration: isoTime(ses.expires)}
	out.AssumedRoleUser.AssumedRoleID, out.AssumedRoleUser.Arn = k.caller.UserID, ses.arn
	return out, nil
}

// newSessionKey makes the temporary key of a session, usable at once.
func (s *Server) newSessionKey(ses *session) *accessKey {
	var token strings.Builder
	token.WriteString("IQoJb3JpZ2lu")
	for range sessionTokenParts {
		token.WriteString(newSecret())
	}
	k := &accessKey{id: newID("ASIA", keyIDLength), secret: newSecret(), token: token.String(), session: ses, created: ses.issued}
	k.caller = caller{
		Account: ses.role.account.id, ARN: ses.arn, UserID: ses.role.id + ":" + ses.name,
		RoleARN: ses.role.arn, SessionName: ses.name, AccessKeyID: k.id, session: ses,
	}
	k.status.set(keyActive, time.Time{})
	s.keys.Store(k.id, k)
	return k
}

// roleToAssume is the role that RoleArn names, if its trust policy lets the
// caller in, and the caller's own policies do where they are asked. A role that
// does not exist is denied like any other.
func (q *queryCall) roleToAssume(sessionName string) (*role, *apiError) {
	arn := q.form.Get("RoleArn")
	refused := newError(http.StatusForbidden, "AccessDenied", "User: "+q.caller.ARN+" is not authorized to perform: sts:AssumeRole on resource: "+arn)
	a := q.s.accountOf(accountIn(arn))
	if a == nil {
		return nil, refused
	}
	a.mu.RLock()
	r, missing := a.findRole(arn[strings.LastIndexByte(arn, '/')+1:])
	a.mu.RUnlock()
	if missing != nil || r.arn != arn {
		return nil, refused
	}
	cond := map[string][]string{"sts:RoleSessionName": {sessionName}}
	if id := q.form.Get("ExternalId"); id != "" {
		cond["sts:ExternalId"] = []string{id}
	}
	v := q.s.authorize(q.call, "sts:AssumeRole", arn, resourceAuth{
		Account: a.id, Policy: r.trust.visible(q.now, q.s.lag()), MustAllow: true,
	}, cond)
	if !v.Allowed {
		return nil, refused
	}
	return r, nil
}

// sessionLife is how long the session lasts: an hour at most where a role is
// assumed by a role's session.
func (q *queryCall) sessionLife(r *role) (time.Duration, *apiError) {
	text := q.form.Get("DurationSeconds")
	if text == "" {
		return time.Hour, nil
	}
	n, err := strconv.Atoi(text)
	life := time.Duration(n) * time.Second
	q.acct.mu.RLock()
	longest := r.maxSession
	q.acct.mu.RUnlock()
	switch {
	case err != nil, life < minSession, life > maxRoleSession:
		return 0, validationError("1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", text)
	case q.caller.session != nil && life > maxChainedSession:
		return 0, validationError("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case life > longest:
		return 0, validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return life, nil
}

// sessionPolicy joins the session policies of the request; nil for none.
func (q *queryCall) sessionPolicy(r *role) (*policy.Document, *apiError) {
	var joined *policy.Document
	join := func(doc policy.Document) {
		if joined == nil {
			joined = &policy.Document{Version: doc.Version}
		}
		joined.Statements = append(joined.Statements, doc.Statements...)
	}
	if text := q.form.Get("Policy"); text != "" {
		doc, err := parseIdentityPolicy(text, maxSessionPolicy)
		if err != nil {
			return nil, newError(http.StatusBadRequest, "MalformedPolicyDocument", err.Message)
		}
		join(doc.parsed)
	}
	r.account.mu.RLock()
	defer r.account.mu.RUnlock()
	for i := 1; ; i++ {
		arn := q.form.Get("PolicyArns.member." + strconv.Itoa(i) + ".arn")
		if arn == "" {
			return joined, nil
		}
		p := q.s.findPolicy(r.account, arn)
		if p == nil {
			return nil, newError(http.StatusBadRequest, "MalformedPolicyDocument", "Policy "+arn+" does not exist or is not attachable.")
		}
		join(p.inForce.latest().parsed)
	}
}
