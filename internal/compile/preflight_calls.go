package compile

import "xplan/plan"

// A call is one kind of request that the run will make.
type call struct {
	leg     string
	pair    string
	side    plan.Side
	action  string
	where   site
	below   bool                // about all objects whose ARN begins with resource
	keys    map[string][]string // condition keys that the request carries
	unknown []string            // condition keys, in lower case, that it carries for some objects
	spare   string              // only needed where; "": always
}

// A site is the resource of a call.
type site struct {
	resource string // ARN
	account  string // its owner
	bucket   string // of an S3 call
	key      string // ARN of the KMS key, of a KMS call
	role     string // ARN of the role that is assumed
	region   string
}

// Legs of the preflight beside the probe's.
const (
	legKeySource   = "decrypt source"
	legKeyDest     = "encrypt destination"
	legResume      = "go on with large objects"
	legProveDest   = "prove destination"
	legProveLocks  = "prove locks"
	legDeleteExtra = "delete extra objects"
	legMarkDest    = "make delete markers"
)

// calls are those of the pair's copy, as the principal.
func (b *builder) calls(br branch) []call {
	all := b.destinationCalls(br)
	if !streaming(b.p.Accounts) { // else the source's administrator reads
		all = append(b.sourceCalls(br), all...)
	}
	for i := range all {
		all[i].pair = br.id
	}
	return all
}

func (b *builder) sourceCalls(br branch) []call {
	if !b.p.Accounts.Source.IsAWS() {
		return nil
	}
	bucket, objects := b.site(br, plan.Source)
	all := []call{
		listing(string(LegListSource), plan.Source, bucket, br.pair.Prefix),
		{leg: string(LegReadSource), side: plan.Source, action: "s3:GetObject", where: objects, below: true, unknown: existingTags()},
	}
	if br.pair.Copy.Tags {
		all = append(all, call{leg: string(LegTagsSource), side: plan.Source, action: "s3:GetObjectTagging", where: objects, below: true, unknown: existingTags()})
	}
	if br.pair.Copy.AllVersions() {
		all = append(all, versionCalls(br.pair, bucket, objects)...)
	}
	if br.locks() {
		for _, action := range lockActions(br.pair, plan.Source) {
			all = append(all, call{leg: string(LegLocksSource), side: plan.Source, action: action, where: objects, below: true})
		}
	}
	if key, ok := b.keySite(br, plan.Source); ok {
		all = append(all, call{leg: legKeySource, side: plan.Source, action: "kms:Decrypt", where: key, keys: viaS3(key)})
	}
	return all
}

// versionCalls read all versions of a source.
func versionCalls(p plan.Pair, bucket, objects site) []call {
	list := listing(string(LegVersionsSource), plan.Source, bucket, p.Prefix)
	list.action = "s3:ListBucketVersions"
	all := []call{list}
	actions := []string{"s3:GetObjectVersion"}
	if p.Copy.Tags {
		actions = append(actions, "s3:GetObjectVersionTagging")
	}
	for _, action := range actions {
		all = append(all, call{
			leg: string(LegReadVersion), side: plan.Source, action: action, where: objects, below: true,
			unknown: append(existingTags(), "s3:versionid"),
		})
	}
	return all
}

func (b *builder) destinationCalls(br branch) []call {
	bucket, objects := b.site(br, plan.Destination)
	sent, varying := written(br.pair)
	if br.locks() {
		varying = append(varying, "s3:object-lock-mode", "s3:object-lock-retain-until-date", "s3:object-lock-remaining-retention-days", "s3:object-lock-legal-hold")
	}
	object := func(leg, action, spare string) call {
		return call{leg: leg, side: plan.Destination, action: action, where: objects, below: true, spare: spare}
	}
	all := []call{listing(string(LegListDest), plan.Destination, bucket, br.pair.ToPrefix)}
	for _, action := range destinationWrites(br) {
		w := object(string(LegWriteDest), action, "")
		w.keys, w.unknown = sent, varying
		all = append(all, w)
	}
	all = append(
		all, object(string(LegWriteDest), "s3:AbortMultipartUpload", ""),
		object(legResume, "s3:ListMultipartUploadParts", "where a large object is gone on with after an interruption"),
	)
	prove := object(legProveDest, "s3:GetObject", "where the ETags of a copy prove nothing")
	prove.unknown = existingTags()
	all = append(all, prove)
	if br.pair.Copy.AllVersions() {
		list := listing(string(LegVersionsDest), plan.Destination, bucket, br.pair.ToPrefix)
		list.action = "s3:ListBucketVersions"
		version := object(legProveDest, "s3:GetObjectVersion", "where the ETags of a copy prove nothing")
		version.unknown = []string{"s3:versionid"}
		all = append(all, list, version, object(legMarkDest, "s3:DeleteObject", "where the source has a delete marker"))
	}
	if br.locks() {
		all = append(all, object(legProveLocks, "s3:GetObjectRetention", ""), object(legProveLocks, "s3:GetObjectLegalHold", ""))
	}
	if br.extra {
		all = append(all, object(legDeleteExtra, "s3:DeleteObject", ""))
	}
	if key, ok := b.keySite(br, plan.Destination); ok {
		for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
			all = append(all, call{leg: legKeyDest, side: plan.Destination, action: action, where: key, keys: viaS3(key)})
		}
	}
	return all
}

// destinationWrites are the permissions that one written object takes.
func destinationWrites(br branch) []string {
	p := br.pair
	all := []string{"s3:PutObject"}
	if p.Copy.Tags {
		all = append(all, "s3:PutObjectTagging")
	}
	if asksACL(p) {
		all = append(all, "s3:PutObjectAcl")
	}
	if br.locks() {
		all = append(all, "s3:PutObjectRetention", "s3:PutObjectLegalHold")
	}
	return all
}

func asksACL(p plan.Pair) bool { return p.Copy.ACL != "" && p.Copy.ACL != "none" }

// written are the condition keys that follow from the headers of a write, and those that some writes carry:
// copies of whole objects, or of parts; new objects, or changed ones.
func written(p plan.Pair) (sent map[string][]string, varying []string) {
	sent = map[string][]string{}
	varying = []string{"s3:x-amz-copy-source", "s3:if-none-match", "s3:if-match", "s3:x-amz-website-redirect-location", "s3:requestobjecttagkeys", "s3:requestobjecttag/"}
	if asksACL(p) {
		sent["s3:x-amz-acl"] = []string{p.Copy.ACL}
	}
	if class := p.Copy.StorageClass; class != "" && class != "preserve" {
		sent["s3:x-amz-storage-class"] = []string{class}
	} else {
		varying = append(varying, "s3:x-amz-storage-class")
	}
	return sent, varying
}

func existingTags() []string { return []string{"s3:existingobjecttag/"} }

// listing is a call of ListObjectsV2. Without a prefix it sends none.
func listing(leg string, side plan.Side, bucket site, prefix string) call {
	c := call{leg: leg, side: side, action: "s3:ListBucket", where: bucket, keys: map[string][]string{}, unknown: []string{"s3:max-keys"}}
	if prefix != "" {
		c.keys["s3:prefix"] = []string{prefix}
	}
	return c
}

// viaS3: S3 asks for the key on behalf of whoever asked S3.
func viaS3(key site) map[string][]string {
	return map[string][]string{"kms:ViaService": {"s3." + key.region + ".amazonaws.com"}}
}

// site is a side's bucket, and its objects below the pair's prefix.
func (b *builder) site(br branch, side plan.Side) (bucket, objects site) {
	name, prefix, region := br.pair.Source, br.pair.Prefix, br.srcRegion
	if side == plan.Destination {
		name, prefix, region = br.pair.Destination, br.pair.ToPrefix, br.dstRegion
	}
	partition := parseEntity(b.p.Principal.ARN).partition
	bucket = site{resource: "arn:" + partition + ":s3:::" + name, account: b.p.Accounts.Of(side).ID, bucket: name, region: region}
	objects = bucket
	objects.resource += "/" + prefix
	return bucket, objects
}

// keySite is the side's customer key. The AWS-managed one lets in all of its account.
func (b *builder) keySite(br branch, side plan.Side) (site, bool) {
	arn, ok := b.customerKey(br, side)
	if !ok {
		return site{}, false
	}
	return site{resource: arn, account: first(accountOf(arn), b.p.Accounts.Of(side).ID), key: arn, region: regionOf(arn, "")}, true
}

// about names the resource for people and policies.
func (c call) about() string {
	if c.below {
		return c.where.resource + "*"
	}
	return c.where.resource
}

// policyOf names the policy that stands at the resource.
func (c call) policyOf() string {
	switch {
	case c.where.key != "":
		return "the policy of key " + c.where.key
	case c.where.role != "":
		return "the trust policy of " + parseEntity(c.where.role).label()
	}
	return "the bucket policy of " + c.where.bucket
}

func (c call) kms() bool { return c.where.key != "" }
