package sandbox

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"xplan/internal/policy"
)

// A kmsKey is a KMS key; its policy and its grants are timed, the rest is
// guarded by its account's mu.
type kmsKey struct {
	account         *account
	id, arn, region string
	description     string
	awsManaged      bool
	created         time.Time
	tags            map[string]string

	state    timed[keyState]
	deletion time.Time // where pending
	policy   timed[*resourcePolicy]
	grants   timed[[]*grant] // values are never changed, but replaced
}

type keyState string

const (
	keyEnabled         keyState = "Enabled"
	keyDisabled        keyState = "Disabled"
	keyPendingDeletion keyState = "PendingDeletion"
)

// A grant is never changed.
type grant struct {
	id, name, token    string
	grantee, granteeID string // ARN, and the unique ID of the one that it meant
	retiring           string
	issuer             string // ARN of who made it
	operations         []string
	equals, subset     map[string]string // constraints on the encryption context
	created            time.Time
}

const (
	awsS3Alias    = "alias/aws/s3"
	kmsViaService = "kms:ViaService"
)

// newKey makes a key with a policy; "" is the default one, which leaves the
// decision to the account's IAM policies.
func (s *Server) newKey(a *account, region, text string, since time.Time) (*kmsKey, *apiError) {
	id := newUUID()
	k := &kmsKey{
		account: a, id: id, region: region, arn: "arn:aws:kms:" + region + ":" + a.id + ":key/" + id,
		created: s.now(), tags: map[string]string{},
	}
	if text == "" {
		text = `{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow",` +
			`"Principal":{"AWS":"arn:aws:iam::` + a.id + `:root"},"Action":"kms:*","Resource":"*"}]}`
	}
	p, err := s.compileKeyPolicy(text)
	if err != nil {
		return nil, err
	}
	k.policy.set(p, since)
	k.state.set(keyEnabled, time.Time{})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[id] = k
	return k, nil
}

// awsManagedS3Key is the account's aws/s3 key of a region, made when it is first
// used. No other account can use it: its policy is AWS's and fixed.
func (s *Server) awsManagedS3Key(a *account, region string) *kmsKey {
	name := region + "|" + awsS3Alias
	a.mu.RLock()
	k := a.keys[a.aliases[name]]
	a.mu.RUnlock()
	if k != nil {
		return k
	}
	k, err := s.newKey(a, region, `{"Version":"2012-10-17","Id":"auto-s3-2","Statement":[`+
		`{"Sid":"Allow access through S3 for all principals in the account that are authorized to use S3","Effect":"Allow","Principal":{"AWS":"*"},`+
		`"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*",`+
		`"Condition":{"StringEquals":{"kms:CallerAccount":"`+a.id+`","kms:ViaService":"s3.`+region+`.amazonaws.com"}}},`+
		`{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+a.id+`:root"},`+
		`"Action":["kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}]}`, time.Time{})
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if first := a.keys[a.aliases[name]]; first != nil {
		delete(a.keys, k.id)
		return first
	}
	k.awsManaged, k.description = true, "Default key that protects my S3 objects when no other key is defined"
	a.aliases[name] = k.id
	return k
}

// compileKeyPolicy parses a key's policy.
func (s *Server) compileKeyPolicy(text string) (*resourcePolicy, *apiError) {
	bad := func(why string) (*resourcePolicy, *apiError) {
		return nil, newError(http.StatusBadRequest, "MalformedPolicyDocumentException", why)
	}
	parsed, err := policy.Parse([]byte(text))
	if err != nil {
		return bad(parseProblem(err))
	}
	for _, st := range parsed.Statements {
		if st.Principal.IsZero() || len(st.Resource)+len(st.NotResource) == 0 {
			return bad("Policy contains a statement with no principal or no resource")
		}
	}
	p, unknown := s.bind(text, parsed)
	if unknown != "" {
		return bad("Policy contains a statement with one or more invalid principals.")
	}
	return p, nil
}

// findKMSKey finds a key by ID, ARN, alias or alias ARN; an ID and an alias are of
// the account and region at hand. nil for none.
func (s *Server) findKMSKey(a *account, region, name string) *kmsKey {
	const fields = 6
	if parts := strings.SplitN(name, ":", fields); len(parts) == fields && strings.HasPrefix(name, "arn:aws:kms:") {
		if a = s.accountOf(parts[4]); a == nil {
			return nil
		}
		region, name = parts[3], strings.TrimPrefix(parts[5], "key/")
	}
	if a == nil {
		return nil
	}
	if name == awsS3Alias {
		return s.awsManagedS3Key(a, region)
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if strings.HasPrefix(name, "alias/") {
		name = a.aliases[region+"|"+name]
	}
	k := a.keys[name]
	if k == nil || k.region != region {
		return nil
	}
	return k
}

// gives reports whether the grant lets the caller do the operation.
func (g *grant) gives(c caller, operation string, encryptionContext map[string]string) bool {
	unique, _, _ := strings.Cut(c.UserID, ":")
	switch {
	case g.grantee != c.ARN && (c.RoleARN == "" || g.grantee != c.RoleARN):
		return false
	case g.granteeID != "" && g.granteeID != unique:
		return false
	case !slices.Contains(g.operations, operation):
		return false
	case g.equals != nil && len(g.equals) != len(encryptionContext):
		return false
	}
	return contains(encryptionContext, g.equals) && contains(encryptionContext, g.subset)
}

func contains(all, some map[string]string) bool {
	for k, v := range some {
		if got, ok := all[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// authorizeKey decides about a KMS action on a key: by its policy, which alone
// can open it, by grants, and by IAM policies. Across accounts both sides must
// allow, grants included.
func (s *Server) authorizeKey(c *call, k *kmsKey, action string, encryptionContext map[string]string, cond map[string][]string) verdict {
	if cond == nil {
		cond = map[string][]string{}
	}
	cond["kms:CallerAccount"] = []string{c.caller.Account}
	for name, value := range encryptionContext {
		cond["kms:EncryptionContext:"+name] = []string{value}
		cond["kms:EncryptionContextKeys"] = append(cond["kms:EncryptionContextKeys"], name)
	}
	lag := s.lag()
	operation := strings.TrimPrefix(action, "kms:")
	return s.authorize(c, action, k.arn, resourceAuth{
		Account: k.account.id, Policy: k.policy.visible(c.now, lag), MustAllow: true,
		Granted: slices.ContainsFunc(k.grants.visible(c.now, lag), func(g *grant) bool {
			return g.gives(c.caller, operation, encryptionContext)
		}),
	}, cond)
}

// kmsAllowed decides whether S3 may use the key for c's caller: action is
// "kms:Decrypt" or "kms:GenerateDataKey", and keyARN the key's ARN. The error is
// what S3 answers: KMS.NotFoundException, KMS.DisabledException, AccessDenied, …
func (s *Server) kmsAllowed(c *call, action, keyARN string, encryptionContext map[string]string) *apiError {
	a := s.accountOf(accountIn(keyARN))
	var k *kmsKey
	if a != nil {
		k = s.findKMSKey(a, c.region, keyARN)
	}
	if k == nil {
		return newError(http.StatusBadRequest, "KMS.NotFoundException", "Key '"+keyARN+"' does not exist")
	}
	v := s.authorizeKey(c, k, action, encryptionContext, map[string][]string{
		kmsViaService: {"s3." + k.region + ".amazonaws.com"},
	})
	switch {
	case c.caller.anonymous():
		return newError(http.StatusForbidden, "AccessDenied", "Access Denied")
	case !v.Allowed:
		return newError(http.StatusForbidden, "AccessDenied", v.Message)
	}
	switch k.state.latest() {
	case keyDisabled:
		return newError(http.StatusBadRequest, "KMS.DisabledException", k.arn+" is disabled.")
	case keyPendingDeletion:
		return newError(http.StatusBadRequest, "KMS.KMSInvalidStateException", k.arn+" is pending deletion.")
	default:
		return nil
	}
}

// resolveKMSKey finds the ARN of the key that a request or a bucket's default
// encryption names: an ARN, an ID or an alias in account and region. "" and
// alias/aws/s3 are the account's AWS-managed key, which no other account can use.
func (s *Server) resolveKMSKey(accountID, region, name string) (arn string, err *apiError) {
	if name == "" {
		name = awsS3Alias
	}
	if k := s.findKMSKey(s.accountOf(accountID), region, name); k != nil {
		return k.arn, nil
	}
	return "", newError(http.StatusBadRequest, "KMS.NotFoundException", "Key '"+name+"' does not exist")
}

func newUUID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	h := hex.EncodeToString(raw)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
