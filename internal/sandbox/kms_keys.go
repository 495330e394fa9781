package sandbox

import (
	"maps"
	"slices"
	"strings"
)

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
