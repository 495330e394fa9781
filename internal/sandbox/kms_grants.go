package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// grantOperations are those that a grant on a symmetric key can give.
func grantOperations() []string {
	return []string{
		"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
		"CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
	}
}

const grantIDBytes = 32

// createGrant answers the same grant again where Name and all the rest are the
// same, so that a caller who got no answer can repeat itself.
func createGrant(q *kmsCall) (any, *apiError) {
	k, err := q.key(false)
	if err != nil {
		return nil, err
	}
	g, err := q.newGrant()
	if err != nil {
		return nil, err
	}
	k.account.mu.Lock()
	defer k.account.mu.Unlock()
	if err := k.usable(); err != nil {
		return nil, err
	}
	if q.in.DryRun {
		return nil, kmsError("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	all := k.grants.latest()
	if i := slices.IndexFunc(all, func(old *grant) bool { return g.name != "" && g.same(old) }); i >= 0 {
		return map[string]string{"GrantId": all[i].id, "GrantToken": all[i].token}, nil
	}
	k.grants.set(append(slices.Clone(all), g), q.now)
	return map[string]string{"GrantId": g.id, "GrantToken": g.token}, nil
}

func (q *kmsCall) newGrant() (*grant, *apiError) {
	raw := make([]byte, grantIDBytes)
	_, _ = rand.Read(raw) // never fails
	g := &grant{
		id: hex.EncodeToString(raw), token: base64.StdEncoding.EncodeToString(raw), name: q.in.Name,
		grantee: q.in.GranteePrincipal, retiring: q.in.RetiringPrincipal, operations: q.in.Operations,
		issuer: q.caller.ARN, created: q.now,
	}
	for _, op := range g.operations {
		if !slices.Contains(grantOperations(), op) {
			return nil, kmsError("ValidationException", "1 validation error detected: Value '["+op+"]' at 'operations' failed to satisfy constraint")
		}
	}
	if len(g.operations) == 0 {
		return nil, kmsError("ValidationException", "1 validation error detected: Value null at 'operations' failed to satisfy constraint: Member must not be null")
	}
	if c := q.in.Constraints; c != nil {
		g.equals, g.subset = c.EncryptionContextEquals, c.EncryptionContextSubset
	}
	for _, arn := range []string{g.grantee, g.retiring} {
		i, must := q.s.principalNamed(arn)
		switch {
		case arn == "" && arn == g.retiring && g.grantee != "":
		case !strings.HasPrefix(arn, "arn:"), i == nil && must:
			return nil, kmsError("InvalidArnException", "ARN does not refer to a valid principal: "+arn)
		case i != nil && arn == g.grantee:
			g.granteeID = i.id
		}
	}
	return g, nil
}

// same reports whether two grants give the same to the same under one name.
func (g *grant) same(o *grant) bool {
	return g.name == o.name && g.grantee == o.grantee && g.granteeID == o.granteeID && g.retiring == o.retiring &&
		slices.Equal(slices.Sorted(slices.Values(g.operations)), slices.Sorted(slices.Values(o.operations))) &&
		maps.Equal(g.equals, o.equals) && maps.Equal(g.subset, o.subset)
}

func (k *kmsKey) grantEntry(g *grant) map[string]any {
	m := map[string]any{
		"KeyId": k.arn, "GrantId": g.id, "CreationDate": unix(g.created), "GranteePrincipal": g.grantee,
		"IssuingAccount": "arn:aws:iam::" + accountIn(g.issuer) + ":root", "Operations": g.operations, "Name": g.name,
	}
	if g.retiring != "" {
		m["RetiringPrincipal"] = g.retiring
	}
	if g.equals != nil || g.subset != nil {
		m["Constraints"] = grantConstraints{g.equals, g.subset}
	}
	return m
}

func listGrants(q *kmsCall) (any, *apiError) {
	k, err := q.key(false)
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, g := range k.grants.latest() {
		if (q.in.GrantID == "" || q.in.GrantID == g.id) && (q.in.GranteePrincipal == "" || q.in.GranteePrincipal == g.grantee) {
			all = append(all, k.grantEntry(g))
		}
	}
	return kmsPage(q, "Grants", all)
}

// removeGrant takes a grant away; false where there is none of that ID.
func (q *kmsCall) removeGrant(k *kmsKey, id string) bool {
	k.account.mu.Lock()
	defer k.account.mu.Unlock()
	all := k.grants.latest()
	rest := slices.DeleteFunc(slices.Clone(all), func(g *grant) bool { return g.id == id })
	if len(rest) == len(all) {
		return false
	}
	k.grants.set(rest, q.now)
	return true
}

func revokeGrant(q *kmsCall) (any, *apiError) {
	k, err := q.key(false)
	if err != nil {
		return nil, err
	}
	if !q.removeGrant(k, q.in.GrantID) {
		return nil, kmsError("NotFoundException", "Grant ID "+q.in.GrantID+" not found")
	}
	return struct{}{}, nil
}

// retireGrant is for the retiring principal, for the grantee of a grant on
// RetireGrant, and for the key's own account.
func retireGrant(q *kmsCall) (any, *apiError) {
	k, g := q.findGrant()
	if g == nil {
		return nil, kmsError("NotFoundException", "Grant not found")
	}
	may := g.retiring == q.caller.ARN || (q.caller.RoleARN != "" && g.retiring == q.caller.RoleARN) ||
		g.gives(q.caller, "RetireGrant", nil)
	if !may {
		v := q.s.authorizeKey(q.call, k, "kms:RetireGrant", nil, nil)
		may = v.Allowed && k.account == q.acct
	}
	if !may {
		return nil, kmsError("AccessDeniedException", "User: "+q.caller.ARN+" is not authorized to perform: kms:RetireGrant on resource: "+k.arn)
	}
	q.removeGrant(k, g.id)
	return struct{}{}, nil
}

// findGrant finds a grant by its token, or by key and ID.
func (q *kmsCall) findGrant() (*kmsKey, *grant) {
	var keys []*kmsKey
	if q.in.GrantToken == "" {
		if k := q.s.findKMSKey(q.acct, q.region, q.in.KeyID); k != nil {
			keys = append(keys, k)
		}
	} else {
		for _, a := range q.s.accounts {
			a.mu.RLock()
			keys = slices.AppendSeq(keys, maps.Values(a.keys))
			a.mu.RUnlock()
		}
	}
	for _, k := range keys {
		for _, g := range k.grants.latest() {
			if (q.in.GrantToken != "" && g.token == q.in.GrantToken) || (q.in.GrantToken == "" && g.id == q.in.GrantID) {
				return k, g
			}
		}
	}
	return nil, nil
}
