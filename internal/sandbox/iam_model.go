package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"xplan/internal/policy"
)

// An identity is what users and roles share. The untimed fields are guarded by
// the account's mu.
type identity struct {
	account             *account
	kind                string // "user" or "role"
	name, path, id, arn string
	created             time.Time

	tags     timed[map[string]string] // values are never changed, but replaced; and so below
	attached timed[[]*managedPolicy]
	inline   timed[[]inlinePolicy]
	boundary timed[*managedPolicy]
	exists   timed[bool]
}

type user struct {
	identity
	keys []*accessKey // guarded by account.mu
}

type role struct {
	identity
	description string
	maxSession  time.Duration
	trust       timed[*resourcePolicy]
}

// A session is an assumed role. It is never changed.
type session struct {
	role    *role
	name    string
	arn     string
	policy  *policy.Document // the session policies, which only take away; nil for none
	issued  time.Time
	expires time.Time
}

type inlinePolicy struct {
	name string
	document
}

// A document is a policy, as it was given and parsed.
type document struct {
	text   string
	parsed policy.Document
}

// A managedPolicy is guarded by its account's mu; those of AWS (account nil)
// are never changed.
type managedPolicy struct {
	account             *account
	name, path, id, arn string
	description         string
	created, updated    time.Time
	tags                map[string]string
	versions            []*policyVersion
	lastVersion         int
	inForce             timed[document]
	defaultVersion      string
}

type policyVersion struct {
	id      string
	created time.Time
	document
}

// newUser makes a user that decisions know from since on; nil where the name is
// taken. The caller holds no lock of the account.
func (s *Server) newUser(a *account, name, path string, since time.Time) *user {
	u := &user{}
	u.identity = identity{
		account: a, kind: "user", name: name, path: path, id: newID("AIDA", entityIDLength),
		arn: "arn:aws:iam::" + a.id + ":user" + path + name, created: s.now(),
	}
	u.exists.set(true, since)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users[strings.ToLower(name)] != nil {
		return nil
	}
	a.users[strings.ToLower(name)] = u
	s.identities.Add(1)
	return u
}

// newRole makes a role, like newUser.
func (s *Server) newRole(a *account, name, path string, trust *resourcePolicy, since time.Time) *role {
	r := &role{maxSession: time.Hour}
	r.identity = identity{
		account: a, kind: "role", name: name, path: path, id: newID("AROA", entityIDLength),
		arn: "arn:aws:iam::" + a.id + ":role" + path + name, created: s.now(),
	}
	r.trust.set(trust, since)
	r.exists.set(true, since)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.roles[strings.ToLower(name)] != nil {
		return nil
	}
	a.roles[strings.ToLower(name)] = r
	s.identities.Add(1)
	return r
}

func newManagedPolicy(a *account, name, path string, doc document, now, since time.Time) *managedPolicy {
	owner := "aws"
	if a != nil {
		owner = a.id
	}
	p := &managedPolicy{
		account: a, name: name, path: path, id: newID("ANPA", entityIDLength),
		arn: "arn:aws:iam::" + owner + ":policy" + path + name, created: now, updated: now, tags: map[string]string{},
	}
	p.addVersion(doc, true, now, since)
	return p
}

// addVersion appends a version; now is its date, and since when decisions may
// begin to see it.
func (p *managedPolicy) addVersion(doc document, makeDefault bool, now, since time.Time) *policyVersion {
	p.lastVersion++
	v := &policyVersion{id: "v" + strconv.Itoa(p.lastVersion), created: now, document: doc}
	p.versions = append(p.versions, v)
	if makeDefault {
		p.setDefault(v, since)
	}
	return v
}

func (p *managedPolicy) setDefault(v *policyVersion, since time.Time) {
	p.defaultVersion = v.id
	p.inForce.set(v.document, since)
}

func (p *managedPolicy) version(id string) *policyVersion {
	i := slices.IndexFunc(p.versions, func(v *policyVersion) bool { return v.id == id })
	if i < 0 {
		return nil
	}
	return p.versions[i]
}

const (
	administratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess"
	maxManagedPolicy    = 6144
	maxVersions         = 5
	maxAttached         = 10
	maxAccessKeys       = 2
)

// awsManagedPolicies are the few of AWS's own policies that plans meet.
func awsManagedPolicies() map[string]*managedPolicy {
	texts := map[string]string{
		"AdministratorAccess":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"ReadOnlyAccess":         `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","iam:Get*","iam:List*","iam:Simulate*","kms:Describe*","kms:List*","kms:Get*","ec2:Describe*"],"Resource":"*"}]}`,
		"AmazonS3FullAccess":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}]}`,
		"AmazonS3ReadOnlyAccess": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*"],"Resource":"*"}]}`,
		"IAMFullAccess":          `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`,
	}
	out := map[string]*managedPolicy{}
	for name, text := range texts {
		parsed, err := policy.Parse([]byte(text))
		if err != nil {
			panic("sandbox: " + name + ": " + err.Error()) // a constant of this file
		}
		p := newManagedPolicy(nil, name, "/", document{text: text, parsed: parsed}, time.Time{}, time.Time{})
		out[p.arn] = p
	}
	return out
}

// parseIdentityPolicy parses a policy for a user or a role of at most limit
// characters.
func parseIdentityPolicy(text string, limit int) (document, *apiError) {
	if policySize(text) > limit {
		return document{}, limitExceeded("Cannot exceed quota for PolicySize: " + strconv.Itoa(limit))
	}
	parsed, err := policy.Parse([]byte(text))
	if err != nil {
		return document{}, newError(http.StatusBadRequest, "MalformedPolicyDocument", "Syntax errors in policy. "+parseProblem(err)+".")
	}
	var tooLong *policy.SizeError // was judged above, by the limit of this use
	if err := policy.CheckIdentity(parsed); err != nil && !errors.As(err, &tooLong) {
		return document{}, newError(http.StatusBadRequest, "MalformedPolicyDocument", err.Error())
	}
	return document{text: text, parsed: parsed}, nil
}

// policySize counts as IAM does: without white space.
func policySize(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// findPolicy finds a managed policy that the account can use. Holding the
// account's lock is up to the caller.
func (s *Server) findPolicy(a *account, arn string) *managedPolicy {
	if p := s.managed[arn]; p != nil {
		return p
	}
	return a.policies[arn]
}
