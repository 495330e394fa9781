package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A kmsOperation answers one operation; the result is encoded as JSON.
type kmsOperation func(q *kmsCall) (result any, err *apiError)

// A kmsCall is a call of KMS, with every parameter that an operation here takes.
type kmsCall struct {
	*call
	s    *Server
	acct *account // the caller's
	in   kmsInput
}

type kmsInput struct {
	KeyID                          string `json:"KeyId"`
	Description                    string
	Policy                         string
	BypassPolicyLockoutSafetyCheck bool
	Tags                           []kmsTag
	TagKeys                        []string
	AliasName                      string
	TargetKeyID                    string `json:"TargetKeyId"`
	PendingWindowInDays            int
	Name                           string
	GrantID                        string `json:"GrantId"`
	GrantToken                     string
	GranteePrincipal               string
	RetiringPrincipal              string
	Operations                     []string
	Constraints                    *grantConstraints
	DryRun                         bool
	Limit                          int
	Marker                         string
}

type kmsTag struct{ TagKey, TagValue string }

type grantConstraints struct {
	EncryptionContextEquals map[string]string `json:",omitempty"`
	EncryptionContextSubset map[string]string `json:",omitempty"`
}

func kmsOperations() map[string]kmsOperation {
	return map[string]kmsOperation{
		"CreateKey":           createKey,
		"DescribeKey":         describeKey,
		"ListKeys":            listKeys,
		"CreateAlias":         createAlias,
		"DeleteAlias":         deleteAlias,
		"ListAliases":         listAliases,
		"GetKeyPolicy":        getKeyPolicy,
		"PutKeyPolicy":        putKeyPolicy,
		"EnableKey":           setKeyState(keyEnabled),
		"DisableKey":          setKeyState(keyDisabled),
		"ScheduleKeyDeletion": scheduleKeyDeletion,
		"CancelKeyDeletion":   cancelKeyDeletion,
		"ListResourceTags":    listResourceTags,
		"CreateGrant":         createGrant,
		"ListGrants":          listGrants,
		"RevokeGrant":         revokeGrant,
		"RetireGrant":         retireGrant,
	}
}

func (s *Server) serveKMS(c *call) {
	do, known := s.kmsOps[c.target.Operation]
	if !known {
		s.fail(c, kmsError("UnknownOperationException", "The sandbox does not know "+c.target.Operation))
		return
	}
	q := &kmsCall{call: c, s: s, acct: s.accounts[c.caller.Account]}
	if err := json.Unmarshal(c.payload, &q.in); err != nil {
		s.fail(c, kmsError("SerializationException", "The request is no JSON that this operation takes"))
		return
	}
	result, err := do(q)
	if err != nil {
		s.fail(c, err)
		return
	}
	writeJSON(c, http.StatusOK, result)
}

func kmsError(code, message string) *apiError {
	return newError(http.StatusBadRequest, code, message)
}

func writeJSON(c *call, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	c.w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b)
}

func failJSON(c *call, e *apiError) {
	writeJSON(c, e.Status, map[string]string{"__type": e.Code, "message": e.Message})
}

// unix is how JSON protocols carry a time.
func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// key finds the key that KeyId names, if the caller may do the operation at
// hand on it. own refuses keys of other accounts, for most operations.
func (q *kmsCall) key(own bool) (*kmsKey, *apiError) {
	name := q.in.KeyID
	k := q.s.findKMSKey(q.acct, q.region, name)
	if k == nil {
		if strings.HasPrefix(name, "alias/") {
			name = "arn:aws:kms:" + q.region + ":" + q.acct.id + ":" + name
			return nil, kmsError("NotFoundException", "Alias "+name+" is not found.")
		}
		return nil, kmsError("NotFoundException", "Key '"+name+"' does not exist")
	}
	action := "kms:" + q.target.Operation
	v := q.s.authorizeKey(q.call, k, action, nil, nil)
	switch {
	case !v.Allowed:
		return nil, kmsError("AccessDeniedException", v.Message)
	case own && k.account != q.acct:
		return nil, kmsError("AccessDeniedException", "User: "+q.caller.ARN+" is not authorized to perform: "+action+" on resource: "+k.arn)
	}
	return k, nil
}

// allow decides about operations that concern no key in particular.
func (q *kmsCall) allow() *apiError {
	v := q.s.authorize(q.call, "kms:"+q.target.Operation, "*", resourceAuth{Account: q.acct.id}, nil)
	if !v.Allowed {
		return kmsError("AccessDeniedException", v.Message)
	}
	return nil
}

// usable says why a key cannot be changed or used; nil where it can.
func (k *kmsKey) usable() *apiError {
	switch k.state.latest() {
	case keyDisabled:
		return kmsError("DisabledException", k.arn+" is disabled.")
	case keyPendingDeletion:
		return kmsError("KMSInvalidStateException", k.arn+" is pending deletion.")
	default:
		return nil
	}
}

func (k *kmsKey) metadata() map[string]any {
	manager := "CUSTOMER"
	if k.awsManaged {
		manager = "AWS"
	}
	state := k.state.latest()
	m := map[string]any{
		"AWSAccountId": k.account.id, "KeyId": k.id, "Arn": k.arn, "CreationDate": unix(k.created), "Enabled": state == keyEnabled,
		"Description": k.description, "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": state, "Origin": "AWS_KMS", "KeyManager": manager,
		"CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": []string{"SYMMETRIC_DEFAULT"},
		"MultiRegion": false,
	}
	if state == keyPendingDeletion {
		m["DeletionDate"] = unix(k.deletion)
	}
	return m
}

func createKey(q *kmsCall) (any, *apiError) {
	if err := q.allow(); err != nil {
		return nil, err
	}
	k, err := q.s.newKey(q.acct, q.region, q.in.Policy, q.now)
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	k.description = q.in.Description
	for _, t := range q.in.Tags {
		k.tags[t.TagKey] = t.TagValue
	}
	return map[string]any{"KeyMetadata": k.metadata()}, nil
}

func describeKey(q *kmsCall) (any, *apiError) {
	k, err := q.key(false)
	if err != nil {
		return nil, err
	}
	k.account.mu.RLock()
	defer k.account.mu.RUnlock()
	return map[string]any{"KeyMetadata": k.metadata()}, nil
}

// kmsPage cuts the asked page out of a whole list.
func kmsPage[T any](q *kmsCall, name string, all []T) (any, *apiError) {
	size := q.in.Limit
	if size <= 0 {
		size = defaultPage
	}
	from := 0
	if q.in.Marker != "" {
		n, err := strconv.Atoi(q.in.Marker)
		if err != nil || n < 0 || n > len(all) {
			return nil, kmsError("InvalidMarkerException", "Could not deserialize marker")
		}
		from = n
	}
	to := min(from+size, len(all))
	out := map[string]any{name: append([]T{}, all[from:to]...), "Truncated": to < len(all)}
	if to < len(all) {
		out["NextMarker"] = strconv.Itoa(to)
	}
	return out, nil
}

func listKeys(q *kmsCall) (any, *apiError) {
	type keyEntry struct {
		KeyID  string `json:"KeyId"`
		KeyArn string
	}
	if err := q.allow(); err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	var all []keyEntry
	for _, id := range slices.Sorted(maps.Keys(q.acct.keys)) {
		if k := q.acct.keys[id]; k.region == q.region {
			all = append(all, keyEntry{k.id, k.arn})
		}
	}
	return kmsPage(q, "Keys", all)
}

func createAlias(q *kmsCall) (any, *apiError) {
	name := q.in.AliasName
	switch {
	case !strings.HasPrefix(name, "alias/"), name == "alias/":
		return nil, kmsError("ValidationException", "Alias must start with the prefix \"alias/\".")
	case strings.HasPrefix(name, "alias/aws/"):
		return nil, kmsError("NotAuthorizedException", "Alias must not start with alias/aws/")
	}
	q.in.KeyID = q.in.TargetKeyID
	k, err := q.key(true)
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	full := q.region + "|" + name
	if _, taken := q.acct.aliases[full]; taken {
		return nil, kmsError("AlreadyExistsException", "An alias with the name arn:aws:kms:"+q.region+":"+q.acct.id+":"+name+" already exists")
	}
	q.acct.aliases[full] = k.id
	return struct{}{}, nil
}

func deleteAlias(q *kmsCall) (any, *apiError) {
	q.in.KeyID = q.in.AliasName
	if _, err := q.key(true); err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	delete(q.acct.aliases, q.region+"|"+q.in.AliasName)
	return struct{}{}, nil
}

func listAliases(q *kmsCall) (any, *apiError) {
	type aliasEntry struct {
		AliasName   string
		AliasArn    string
		TargetKeyID string `json:"TargetKeyId"`
	}
	if err := q.allow(); err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	var all []aliasEntry
	for _, full := range slices.Sorted(maps.Keys(q.acct.aliases)) {
		region, name, _ := strings.Cut(full, "|")
		k := q.acct.keys[q.acct.aliases[full]]
		if region != q.region || k == nil || (q.in.KeyID != "" && q.in.KeyID != k.id && q.in.KeyID != k.arn) {
			continue
		}
		all = append(all, aliasEntry{name, "arn:aws:kms:" + region + ":" + q.acct.id + ":" + name, k.id})
	}
	return kmsPage(q, "Aliases", all)
}

func listResourceTags(q *kmsCall) (any, *apiError) {
	k, err := q.key(true)
	if err != nil {
		return nil, err
	}
	q.acct.mu.RLock()
	defer q.acct.mu.RUnlock()
	var all []kmsTag
	for _, name := range slices.Sorted(maps.Keys(k.tags)) {
		all = append(all, kmsTag{name, k.tags[name]})
	}
	return kmsPage(q, "Tags", all)
}

func getKeyPolicy(q *kmsCall) (any, *apiError) {
	k, err := q.key(true)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Policy": k.policy.latest().document(), "PolicyName": "default"}, nil
}

// putKeyPolicy refuses a policy that would lock the caller out of the key, as
// AWS does.
func putKeyPolicy(q *kmsCall) (any, *apiError) {
	k, err := q.key(true)
	if err != nil {
		return nil, err
	}
	p, err := q.s.compileKeyPolicy(q.in.Policy)
	if err != nil {
		return nil, err
	}
	v := q.s.authorize(q.call, "kms:PutKeyPolicy", k.arn, resourceAuth{Account: k.account.id, Policy: p, MustAllow: true}, nil)
	if !v.Allowed && !q.in.BypassPolicyLockoutSafetyCheck {
		return nil, kmsError("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	k.policy.set(p, q.now)
	return struct{}{}, nil
}

func setKeyState(state keyState) kmsOperation {
	return func(q *kmsCall) (any, *apiError) {
		k, err := q.key(true)
		if err != nil {
			return nil, err
		}
		q.acct.mu.Lock()
		defer q.acct.mu.Unlock()
		if k.state.latest() == keyPendingDeletion {
			return nil, k.usable()
		}
		k.state.set(state, q.now)
		return struct{}{}, nil
	}
}

func scheduleKeyDeletion(q *kmsCall) (any, *apiError) {
	const shortest, longest = 7, 30
	k, err := q.key(true)
	if err != nil {
		return nil, err
	}
	days := q.in.PendingWindowInDays
	if days == 0 {
		days = longest
	}
	if days < shortest || days > longest {
		return nil, kmsError("ValidationException", "PendingWindowInDays must be between 7 and 30")
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	if k.state.latest() == keyPendingDeletion {
		return nil, k.usable()
	}
	k.state.set(keyPendingDeletion, q.now)
	k.deletion = q.now.AddDate(0, 0, days)
	return map[string]any{"KeyId": k.arn, "DeletionDate": unix(k.deletion), "KeyState": keyPendingDeletion, "PendingWindowInDays": days}, nil
}

func cancelKeyDeletion(q *kmsCall) (any, *apiError) {
	k, err := q.key(true)
	if err != nil {
		return nil, err
	}
	q.acct.mu.Lock()
	defer q.acct.mu.Unlock()
	if k.state.latest() != keyPendingDeletion {
		return nil, kmsError("KMSInvalidStateException", k.arn+" is not pending deletion.")
	}
	k.state.set(keyDisabled, q.now) // stays so until it is enabled again
	return map[string]any{"KeyId": k.arn}, nil
}
