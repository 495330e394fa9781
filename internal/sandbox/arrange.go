package sandbox

import (
	"fmt"
	"slices"
	"time"
)

// Credentials are an access key with its secret, and a session's token.
type Credentials struct{ AccessKeyID, Secret, SessionToken string }

// String keeps the secret out of anything printed.
func (c Credentials) String() string { return c.AccessKeyID }

// GoString keeps the secret out of anything printed.
func (c Credentials) GoString() string { return c.AccessKeyID }

// AddUser makes a user, known everywhere at once, and returns its ARN.
func (s *Server) AddUser(accountID, name string) (arn string, err error) {
	a := s.accountOf(accountID)
	if a == nil {
		return "", fmt.Errorf("add user %s: no account %s", name, accountID)
	}
	u := s.newUser(a, name, "/", time.Time{})
	if u == nil {
		return "", fmt.Errorf("add user %s: exists in account %s", name, accountID)
	}
	return u.arn, nil
}

// AddRole makes a role with a trust policy, known everywhere at once, and
// returns its ARN.
func (s *Server) AddRole(accountID, name, trust string) (arn string, err error) {
	a := s.accountOf(accountID)
	if a == nil {
		return "", fmt.Errorf("add role %s: no account %s", name, accountID)
	}
	t, wrong := s.compileTrust(trust)
	if wrong != nil {
		return "", fmt.Errorf("add role %s: %w", name, wrong)
	}
	r := s.newRole(a, name, "/", t, time.Time{})
	if r == nil {
		return "", fmt.Errorf("add role %s: exists in account %s", name, accountID)
	}
	return r.arn, nil
}

// AddAccessKey makes an access key for a user, usable at once.
func (s *Server) AddAccessKey(userARN string) (Credentials, error) {
	i, _ := s.principalNamed(userARN)
	if i == nil || i.kind != "user" {
		return Credentials{}, fmt.Errorf("add access key: no user %s", userARN)
	}
	i.account.mu.RLock()
	u, _ := i.account.findUser(i.name)
	i.account.mu.RUnlock()
	k := newAccessKey(u, s.now())
	if !s.addKey(k, time.Time{}) {
		return Credentials{}, fmt.Errorf("add access key: %s has %d already", userARN, maxAccessKeys)
	}
	return Credentials{AccessKeyID: k.id, Secret: k.secret}, nil
}

// PutInlinePolicy gives a user or a role an inline policy, in force at once.
func (s *Server) PutInlinePolicy(principalARN, name, text string) error {
	i, _ := s.principalNamed(principalARN)
	if i == nil {
		return fmt.Errorf("put policy %s: no user or role %s", name, principalARN)
	}
	doc, wrong := parseIdentityPolicy(text, i.inlineLimit())
	if wrong != nil {
		return fmt.Errorf("put policy %s: %w", name, wrong)
	}
	i.account.mu.Lock()
	defer i.account.mu.Unlock()
	var all []inlinePolicy
	for _, p := range i.inline.latest() {
		if p.name != name {
			all = append(all, p)
		}
	}
	i.inline.set(append(all, inlinePolicy{name: name, document: doc}), time.Time{})
	return nil
}

// AttachManagedPolicy makes a managed policy in the account of a user or a role, which may be
// longer than an inline one, and attaches it, in force at once.
func (s *Server) AttachManagedPolicy(principalARN, name, text string) error {
	i, _ := s.principalNamed(principalARN)
	if i == nil {
		return fmt.Errorf("attach policy %s: no user or role %s", name, principalARN)
	}
	doc, wrong := parseIdentityPolicy(text, maxManagedPolicy)
	if wrong != nil {
		return fmt.Errorf("attach policy %s: %w", name, wrong)
	}
	i.account.mu.Lock()
	defer i.account.mu.Unlock()
	p := newManagedPolicy(i.account, name, "/", doc, s.now(), time.Time{})
	i.account.policies[p.arn] = p
	i.attached.set(append(slices.Clone(i.attached.latest()), p), time.Time{})
	return nil
}

// AddKMSKey makes a customer key, usable at once, and returns its ARN. An empty
// policy is the default one: the account's IAM policies decide.
func (s *Server) AddKMSKey(accountID, region, keyPolicy string) (arn string, err error) {
	a := s.accountOf(accountID)
	if a == nil {
		return "", fmt.Errorf("add KMS key: no account %s", accountID)
	}
	k, wrong := s.newKey(a, region, keyPolicy, time.Time{})
	if wrong != nil {
		return "", fmt.Errorf("add KMS key: %w", wrong)
	}
	return k.arn, nil
}

// SetBoundary makes a managed policy and has it limit a user or a role, at once.
func (s *Server) SetBoundary(principalARN, name, text string) error {
	i, _ := s.principalNamed(principalARN)
	if i == nil {
		return fmt.Errorf("set boundary %s: no user or role %s", name, principalARN)
	}
	doc, wrong := parseIdentityPolicy(text, maxManagedPolicy)
	if wrong != nil {
		return fmt.Errorf("set boundary %s: %w", name, wrong)
	}
	i.account.mu.Lock()
	defer i.account.mu.Unlock()
	p := newManagedPolicy(i.account, name, "/", doc, s.now(), time.Time{})
	i.account.policies[p.arn] = p
	i.boundary.set(p, time.Time{})
	return nil
}

// DisableKey disables a KMS key, at once.
func (s *Server) DisableKey(arn string) error {
	k := s.findKMSKey(nil, "", arn)
	if k == nil {
		return fmt.Errorf("disable key: no key %s", arn)
	}
	k.state.set(keyDisabled, time.Time{})
	return nil
}
