package sandbox

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// An account is one AWS account. Its maps are guarded by mu; what access
// decisions need is in timed values, which take no lock.
type account struct {
	id, name, region string
	canonicalID      string // as S3 names the owner: 64 hexadecimal digits
	admin            *accessKey

	mu        sync.RWMutex
	users     map[string]*user // by lower-case name
	roles     map[string]*role // by lower-case name
	policies  map[string]*managedPolicy
	keys      map[string]*kmsKey // by ID
	aliases   map[string]string  // "alias/NAME" -> key ID
	instances map[string]*instance
}

// accountOf finds an account; nil where there is none of that ID.
func (s *Server) accountOf(id string) *account { return s.accounts[id] }

func (s *Server) addAccount(cfg AccountConfig) {
	sum := sha256.Sum256([]byte("canonical user of " + cfg.ID))
	a := &account{
		id: cfg.ID, name: cfg.Name, region: cmp.Or(cfg.Region, defaultRegion), canonicalID: hex.EncodeToString(sum[:]),
		users: map[string]*user{}, roles: map[string]*role{}, policies: map[string]*managedPolicy{},
		keys: map[string]*kmsKey{}, aliases: map[string]string{}, instances: map[string]*instance{},
	}
	s.accounts[a.id] = a
	u := s.newUser(a, "admin", "/", time.Time{})
	u.attached.set([]*managedPolicy{s.managed[administratorAccess]}, time.Time{})
	k := newAccessKey(u, s.now())
	k.id = cmp.Or(cfg.AdminAccessKey, k.id)
	k.secret = cmp.Or(cfg.AdminSecret, k.secret)
	s.addKey(k, time.Time{})
	a.admin = k
}

// Admin returns the credentials of an account's administrator; empty strings
// for an unknown account.
func (s *Server) Admin(accountID string) (accessKeyID, secret string) {
	a := s.accountOf(accountID)
	if a == nil {
		return "", ""
	}
	return a.admin.id, a.admin.secret
}

// WriteAWSConfig writes an AWS configuration file (AWS_CONFIG_FILE) with a
// profile for each account's administrator, and the sandbox as its endpoint.
func (s *Server) WriteAWSConfig(path string) error {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		a := s.accounts[id]
		name := cmp.Or(a.name, a.id)
		fmt.Fprintf(&b, "[profile %s]\nregion = %s\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n\n",
			name, a.region, s.URL(), a.admin.id, a.admin.secret)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write AWS configuration: %w", err)
	}
	return nil
}

// keyStatus is an access key's status; keyAbsent before it was made and after
// it was deleted.
type keyStatus string

const (
	keyAbsent   keyStatus = ""
	keyActive   keyStatus = "Active"
	keyInactive keyStatus = "Inactive"
)

// An accessKey is a user's key, or a session's temporary one. Its secrets are
// never printed.
type accessKey struct {
	id, secret, token string
	caller            caller
	user              *user    // nil for a session's
	session           *session // nil for a user's
	created           time.Time
	status            timed[keyStatus]
	signing           sync.Map // scope -> derived key

	mu   sync.Mutex
	last keyUse
}

type keyUse struct {
	at              time.Time
	service, region string
}

// String keeps the secret out of anything printed.
func (k *accessKey) String() string { return k.id }

// GoString keeps the secret out of anything printed.
func (k *accessKey) GoString() string { return k.id }

// used notes the use for GetAccessKeyLastUsed.
func (k *accessKey) used(c *call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = keyUse{at: c.now, service: c.target.Service, region: c.region}
}

func (k *accessKey) lastUse() keyUse {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last
}

func newAccessKey(u *user, now time.Time) *accessKey {
	return &accessKey{id: newID("AKIA", keyIDLength), secret: newSecret(), user: u, created: now}
}

// addKey makes a user's key usable from since on; false where the user has as
// many as IAM gives.
func (s *Server) addKey(k *accessKey, since time.Time) bool {
	u := k.user
	u.account.mu.Lock()
	defer u.account.mu.Unlock()
	if len(u.keys) >= maxAccessKeys {
		return false
	}
	k.caller = caller{Account: u.account.id, ARN: u.arn, UserID: u.id, UserName: u.name, AccessKeyID: k.id, user: u}
	u.keys = append(u.keys, k)
	k.status.set(keyActive, since)
	s.keys.Store(k.id, k)
	return true
}

const (
	keyIDLength    = 20
	entityIDLength = 21
	secretBytes    = 30 // 40 characters of base64
)

// newID makes a unique ID of AWS's form: a prefix, then capital letters and digits.
func newID(prefix string, length int) string {
	raw := make([]byte, length)
	_, _ = rand.Read(raw) // never fails
	return prefix + base32.StdEncoding.EncodeToString(raw)[:length-len(prefix)]
}

func newSecret() string {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails
	return base64.StdEncoding.EncodeToString(raw)
}
