package sandbox

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"xplan/internal/policy"
)

// A resourcePolicy is the policy of a bucket, a key or a role, parsed, with its
// principals bound to the users and roles that they named when it was put: a
// user deleted and made again is somebody else. It is safe for concurrent use.
type resourcePolicy struct {
	server *Server
	text   string
	parsed policy.Document
	bound  map[string]string // ARN -> unique ID, of users and roles of the sandbox
	view   atomic.Pointer[policyView]
}

// A policyView is the policy as it is seen while no user or role is made or
// deleted.
type policyView struct {
	identities int64
	text       string
	parsed     policy.Document
}

// compileResourcePolicy parses a bucket's policy and binds its principals. The
// error is an *apiError with the code MalformedPolicy, with the message "Invalid
// principal in policy" where one does not exist, or is too young to be known.
func (s *Server) compileResourcePolicy(text string) (*resourcePolicy, error) {
	bad := func(why string) (*resourcePolicy, error) {
		return nil, newError(http.StatusBadRequest, "MalformedPolicy", why)
	}
	parsed, err := policy.Parse([]byte(text))
	if err != nil {
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			return bad("Policies must be valid JSON and the first byte must be '{'")
		}
		return bad(parseProblem(err))
	}
	for _, st := range parsed.Statements {
		if st.Principal.IsZero() {
			return bad("Missing required field Principal")
		}
	}
	if err := policy.CheckResource(parsed); err != nil {
		return bad(err.Error())
	}
	p, unknown := s.bind(text, parsed)
	if unknown != "" {
		return bad("Invalid principal in policy")
	}
	return p, nil
}

// compileTrust parses a role's trust policy.
func (s *Server) compileTrust(text string) (*resourcePolicy, *apiError) {
	bad := func(why string) (*resourcePolicy, *apiError) {
		return nil, newError(http.StatusBadRequest, "MalformedPolicyDocument", why)
	}
	parsed, err := policy.Parse([]byte(text))
	if err != nil {
		return bad(parseProblem(err))
	}
	for _, st := range parsed.Statements {
		switch {
		case st.Principal.IsZero():
			return bad("AssumeRolepolicy must contain principals.")
		case len(st.Resource)+len(st.NotResource) > 0:
			return bad("Has prohibited field Resource")
		}
	}
	p, unknown := s.bind(text, parsed)
	if unknown != "" {
		return bad(`Invalid principal in policy: "AWS":"` + unknown + `"`)
	}
	return p, nil
}

func parseProblem(err error) string {
	return strings.TrimPrefix(err.Error(), "parse policy: ")
}

// bind finds the users and roles that a policy names. unknown is a principal
// that does not exist, or that is not known yet.
func (s *Server) bind(text string, parsed policy.Document) (p *resourcePolicy, unknown string) {
	p = &resourcePolicy{server: s, text: text, parsed: parsed, bound: map[string]string{}}
	live := map[string]string{}
	for _, st := range parsed.Statements {
		for _, name := range st.Principal.AWS {
			i, must := s.principalNamed(name)
			switch {
			case i == nil && must:
				return nil, name
			case i == nil:
				continue
			case name != i.arn:
				live[name] = i.arn // a unique ID of a living principal: AWS shows it as the ARN
			}
			p.bound[i.arn] = i.id
		}
	}
	if len(live) > 0 {
		p.parsed = parsed.WithPrincipals(live)
		p.text = string(p.parsed.JSON())
	}
	return p, ""
}

// uniqueID is a user's or a role's, as policies name them.
func uniqueIDPattern() *regexp.Regexp { return regexp.MustCompile(`^A(ID|RO)A[A-Z0-9]{8,}$`) }

// principalNamed finds the user or role that a policy's entry names, if it is
// known by now. must says that the entry is wrong without one: it names a user
// or a role of an account of the sandbox. Other accounts are taken on trust.
func (s *Server) principalNamed(name string) (i *identity, must bool) {
	if uniqueIDPattern().MatchString(name) {
		return s.identityByID(name), true
	}
	parts := strings.SplitN(name, ":", 6)
	if len(parts) != 6 {
		return nil, name != "*" && !regexp.MustCompile(`^\d{12}$`).MatchString(name)
	}
	a := s.accountOf(parts[4])
	kind, rest, _ := strings.Cut(parts[5], "/")
	switch {
	case a == nil, kind == "root", kind == "federated-user":
		return nil, false
	case kind == "assumed-role":
		role, _, _ := strings.Cut(rest, "/")
		return nil, a.identityNamed(s, "role", role) == nil
	}
	found := a.identityNamed(s, kind, rest[strings.LastIndexByte(rest, '/')+1:])
	if found == nil || found.arn != name {
		return nil, true
	}
	return found, true
}

// identityNamed finds a user or a role that decisions know by now.
func (a *account) identityNamed(s *Server, kind, name string) *identity {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var i *identity
	name = strings.ToLower(name)
	if u := a.users[name]; kind == "user" && u != nil {
		i = &u.identity
	}
	if r := a.roles[name]; kind == "role" && r != nil {
		i = &r.identity
	}
	if i == nil || !i.exists.visible(s.now(), s.lag()) {
		return nil
	}
	return i
}

// identityByID finds a living user or role by its unique ID.
func (s *Server) identityByID(id string) *identity {
	for _, a := range s.accounts {
		a.mu.RLock()
		for _, u := range a.users {
			if u.id == id {
				a.mu.RUnlock()
				return &u.identity
			}
		}
		for _, r := range a.roles {
			if r.id == id {
				a.mu.RUnlock()
				return &r.identity
			}
		}
		a.mu.RUnlock()
	}
	return nil
}

// look is the policy as it is seen now: those whom it named and who are deleted
// stand there by their unique IDs.
func (p *resourcePolicy) look() *policyView {
	now := p.server.identities.Load()
	if v := p.view.Load(); v != nil && v.identities == now {
		return v
	}
	v := &policyView{identities: now, text: p.text, parsed: p.parsed}
	gone := maps.Clone(p.bound)
	maps.DeleteFunc(gone, func(_, id string) bool { return p.server.identityByID(id) != nil })
	if len(gone) > 0 {
		v.parsed = p.parsed.WithPrincipals(gone)
		v.text = string(v.parsed.JSON())
	}
	p.view.Store(v)
	return v
}

// current is the policy for decisions.
func (p *resourcePolicy) current() *policy.Document { return &p.look().parsed }

// document is the policy as AWS shows it now: deleted principals by their
// unique IDs, the rest as it was put. Of no policy it is "".
func (p *resourcePolicy) document() string {
	if p == nil {
		return ""
	}
	return p.look().text
}

// public reports whether AWS would call the policy public: an Allow to everybody
// that no condition on a fixed caller, network or organisation narrows down.
func (p *resourcePolicy) public() bool {
	if p == nil {
		return false
	}
	for _, st := range p.current().Statements {
		if st.Effect == policy.Allow && everybody(st.Principal) && !narrowed(st.Condition) {
			return true
		}
	}
	return false
}

func everybody(p policy.Principals) bool {
	return p.Everyone || p.Not || slices.Contains(p.AWS, "*")
}

// narrowed reports whether a condition fixes who may come, by the keys that the
// S3 user guide names in "The meaning of public". A value with a wildcard, or a
// network wider than /8, fixes nothing.
func narrowed(conditions policy.Conditions) bool {
	fixing := []string{
		"aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
		"aws:userid", "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
		"aws:resourceaccount", "aws:resourceorgid", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
		"s3:x-amz-server-side-encryption-aws-kms-key-id",
	}
	for _, c := range conditions {
		operator := strings.ToLower(c.Operator)
		if strings.Contains(operator, "not") || strings.Contains(operator, "ifexists") || strings.HasPrefix(operator, "forallvalues") {
			continue
		}
		for _, key := range fixing {
			if key == strings.ToLower(c.Key) && allFixed(c.Values) {
				return true
			}
		}
	}
	return false
}

func allFixed(values []string) bool {
	for _, v := range values {
		if strings.Contains(v, "*") || strings.HasSuffix(v, "/0") {
			return false
		}
	}
	return len(values) > 0
}
