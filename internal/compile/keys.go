package compile

import (
	"slices"
	"strings"

	"xplan/plan"
)

// A keyring is the KMS keys that the buckets name, as sorted ARNs.
type keyring struct {
	source      []string // customer keys only: others cannot be granted
	destination []string
}

// encryptions are the keys in play on one side: of what is there, or of what will be made.
func (br branch) key(side plan.Side) (ref string, kms bool) {
	e := br.src.Encryption
	if side == plan.Destination {
		e = br.dst.Encryption
		if !br.dst.Exists {
			e = br.settings.Encryption
		}
	}
	return e.KMSKeyID, strings.HasPrefix(e.Algorithm, "aws:kms")
}

// keyRef is the key's name in World.Keys. An alias means another key on each side.
func keyRef(side plan.Side, key string) string {
	if strings.HasPrefix(key, "alias/") {
		return string(side) + ":" + key
	}
	return key
}

// awsManaged tells whether the bucket uses aws/s3, as it does where no key is named.
func awsManaged(w World, side plan.Side, ref string) bool {
	return ref == "" || strings.HasSuffix(ref, "alias/aws/s3") || w.Keys[keyRef(side, ref)].AWSManaged
}

// keyARN names the key by its ARN; false where an alias could not be resolved.
func (b *builder) keyARN(side plan.Side, ref, region string) (string, bool) {
	if k := b.w.Keys[keyRef(side, ref)]; k.ARN != "" {
		return k.ARN, true
	}
	switch {
	case strings.Contains(ref, "alias/"):
		return "", false
	case strings.HasPrefix(ref, "arn:"):
		return ref, true
	}
	a := b.p.Accounts.Of(side)
	partition := "aws"
	if b.p.Principal != nil {
		partition = parseEntity(b.p.Principal.ARN).partition
	}
	return "arn:" + partition + ":kms:" + region + ":" + a.ID + ":key/" + ref, true
}

// readKeys resolves the buckets' keys. An AWS-managed key needs no permission at the destination: its own policy
// lets in all of its account.
func (b *builder) readKeys() keyring {
	var ring keyring
	for _, br := range b.branches {
		if arn, ok := b.customerKey(br, plan.Source); ok {
			ring.source = append(ring.source, arn)
		}
		if arn, ok := b.customerKey(br, plan.Destination); ok {
			ring.destination = append(ring.destination, arn)
		}
	}
	slices.Sort(ring.source)
	slices.Sort(ring.destination)
	ring.source, ring.destination = slices.Compact(ring.source), slices.Compact(ring.destination)
	return ring
}

// customerKey is the ARN of the pair's key on one side, if that is a customer's.
func (b *builder) customerKey(br branch, side plan.Side) (string, bool) {
	ref, kms := br.key(side)
	if !kms || !b.p.Accounts.Of(side).IsAWS() || awsManaged(b.w, side, ref) {
		return "", false
	}
	region := br.srcRegion
	if side == plan.Destination {
		region = br.dstRegion
	}
	return b.keyARN(side, ref, region)
}

// grantName names the plan's grants: KMS answers the same grant for the same name, so making one is safe to repeat.
func grantName(p *plan.Plan) string {
	clean := strings.Map(func(r rune) rune {
		if isAlphanumeric(r) || strings.ContainsRune(":/_-", r) {
			return r
		}
		return '-'
	}, p.Name)
	return "xplan-" + clean
}

// grantOperations are what a copy needs of the source's key.
func grantOperations() []string { return []string{"Decrypt"} }

// standingGrant tells whether the plan's grant stands, with all that it is for.
func standingGrant(p *plan.Plan, w World, k KMSKey) bool {
	if p.Principal == nil {
		return false
	}
	return slices.ContainsFunc(k.Grants, func(g Grant) bool {
		grantee := g.Grantee == p.Principal.ARN || (g.Grantee != "" && g.Grantee == w.Principal.UserID)
		missing := slices.ContainsFunc(grantOperations(), func(op string) bool { return !slices.Contains(g.Operations, op) })
		return g.Name == grantName(p) && grantee && !missing
	})
}

// key finds an observed key by its ARN.
func (w World) key(arn string) KMSKey {
	if k, ok := w.Keys[arn]; ok {
		return k
	}
	for _, k := range w.Keys {
		if k.ARN == arn {
			return k
		}
	}
	return KMSKey{ARN: arn}
}
