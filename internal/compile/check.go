package compile

import (
	"slices"
	"strings"

	"xplan/plan"
)

// checkWorld finds what stands in the way, and what the reviewer has to know.
func (b *builder) checkWorld() {
	b.checkAccounts()
	b.checkPlan()
	for _, name := range b.sources() {
		b.checkSource(b.from(name))
	}
	settings := settingsOf(b.p)
	for _, br := range b.branches {
		if name := br.pair.Destination; settings[name].disagree {
			b.problem("bucket "+name, "two pairs ask for different settings of it", "give settings in one of them")
		}
		b.checkDestination(br)
		if br.active() {
			b.checkCrossing(br)
		}
		b.checkKeyLengths(br)
		b.checkSettled(br)
		b.checkObjects(br)
		b.checkLocks(br)
		b.checkDeletion(br)
		b.checkRestore(br)
		b.compareConfiguration(br)
	}
	b.checkEncryption()
}

// checkSettled refuses to undo what was written to the destination since its source was verified and left frozen, for its
// writers to be switched.
func (b *builder) checkSettled(br branch) {
	if !br.settled {
		return
	}
	at, subject := place(br.pair.Destination, br.pair.ToPrefix), "bucket "+br.pair.Source
	switch n := br.facts.New.Objects + br.facts.Changed.Objects; {
	case n > 0:
		b.problem(subject, "it is frozen since all of it was verified, and a copy would write "+objects(n)+" in "+at+
			": it would undo what was written there since", "lift the freeze: xplan cleanup FILE; an apply after that replaces what differs")
	case br.extra:
		b.problem(subject, "it is frozen since all of it was verified, and copy.delete_extra would delete what only "+at+
			" has: it may have been written there since", "lift the freeze: xplan cleanup FILE; an apply after that counts, and freezes anew")
	}
}

// checkObjects says what the scan found that no rule of the plan asks for.
func (b *builder) checkObjects(br branch) {
	if n := br.facts.Changed.Objects; n > 0 && br.dst.Exists && br.dst.Versioning != "Enabled" {
		b.endanger("bucket "+br.pair.Destination, "overwriting %s, of which it keeps no versions: what stands there now cannot be had back", objects(n))
	}
	if n := br.facts.Unreadable.Objects; n > 0 {
		b.warn("bucket "+br.pair.Source, "%s cannot be copied (customer-provided keys, and the like) and will fail", objects(n))
	}
}

func (b *builder) checkAccounts() {
	for _, side := range []plan.Side{plan.Source, plan.Destination} {
		a := b.p.Accounts.Of(side)
		if who := b.w.Identities[side]; a.IsAWS() && who.Account != a.ID {
			b.problem(string(side)+" account", "the credentials belong to account "+first(who.Account, "nobody")+", the plan says "+a.ID,
				"use a profile of account "+a.ID)
		}
	}
}

// checkPlan repeats what plan.Load promises, where a broken promise would do harm.
func (b *builder) checkPlan() {
	pr := b.p.Principal
	if pr == nil {
		if b.p.Permissions.Manage {
			b.problem("permissions", "manage is true and there is no principal to give permissions to", "name a principal, or set manage: false")
		}
		return
	}
	e := parseEntity(pr.ARN)
	switch {
	case e.kind != "user" && e.kind != "role":
		b.problem("principal "+pr.ARN, "it is no user or role", "")
	case e.role() && pr.Credentials == plan.AccessKey:
		b.problem("role/"+e.name, "a role has no access keys", "set principal.credentials: assume-role")
	case !e.role() && pr.Credentials == plan.AssumeRole:
		b.problem("user/"+e.name, "a user cannot be assumed", "set principal.credentials: access-key, or name a role")
	}
	if pr.Create && !b.p.Permissions.Manage {
		b.problem("principal "+pr.ARN, "create is true, and permissions.manage: false says to touch no IAM", "")
	}
}

func special(name string) bool {
	return strings.HasSuffix(name, "--x-s3") || strings.HasSuffix(name, "--table-s3")
}

func (b *builder) checkSource(br branch) {
	subject := "bucket " + br.pair.Source
	switch {
	case special(br.pair.Source):
		b.problem(subject, "directory and table buckets are not supported", "copy from a general purpose bucket")
	case br.src.Foreign:
		b.problem(subject, "it belongs to another account than "+b.p.Accounts.Source.ID, "name the right bucket, or the right source account")
	case br.moved:
		b.warn(subject, "it does not exist: taken as moved by an earlier run of this plan, since the plan deletes it in the end")
	case !br.src.Exists:
		b.problem(subject, "it does not exist in the source account", "check its name and accounts.source")
	case br.srcRegion == "" && b.p.Accounts.Source.IsAWS():
		b.problem(subject, "its region is not known", "set accounts.source.region")
	}
	if br.src.RequesterPays {
		b.warn(subject, "requester pays: account %s is billed for the requests and the transfer", first(b.p.Accounts.Destination.ID, "of the destination"))
	}
}

func (b *builder) checkDestination(br branch) {
	subject := "bucket " + br.pair.Destination
	switch {
	case special(br.pair.Destination):
		b.problem(subject, "directory and table buckets are not supported", "copy to a general purpose bucket")
	case br.dst.Foreign:
		b.problem(subject, "the name is taken by another account than "+b.p.Accounts.Destination.ID, "bucket names are global: choose another one")
	case !br.dst.Exists && !br.pair.Create:
		b.problem(subject, "it does not exist", "create it, or set create: true")
	case br.dstRegion == "" && b.p.Accounts.Destination.IsAWS():
		b.problem(subject, "its region is not known", "set accounts.destination.region, or settings.region of the pair")
	}
	if br.pair.Copy.AllVersions() {
		b.checkVersions(br)
	}
	if br.dst.Exists && br.pair.Copy.ACL != "" && br.pair.Copy.ACL != "none" && br.dst.Ownership == enforced {
		b.checkACL(subject, br.pair.Copy.ACL)
	}
}

const enforced = "BucketOwnerEnforced"

// checkACL: a bucket without ACLs still takes the one that gives its owner control, and refuses every other one.
func (b *builder) checkACL(subject, acl string) {
	if acl == "bucket-owner-full-control" {
		b.warn(subject, "ACLs are off (%s): acl: %s is accepted and does nothing", enforced, acl)
		return
	}
	b.problem(subject, "ACLs are off ("+enforced+"), so S3 refuses acl: "+acl, "set copy.acl: none")
}

// checkCrossing finds what keeps the destination's principal from reading the source.
func (b *builder) checkCrossing(br branch) {
	subject := "bucket " + br.pair.Source
	if pa := br.src.PublicAccess; pa != nil && pa.RestrictBuckets && br.src.PolicyIsPublic && b.crossAccount() {
		b.problem(subject, "its policy has public statements and RestrictPublicBuckets is on: S3 then lets no other account in",
			"remove the public statements")
	}
	if br.srcRegion != "" && br.dst.Exists && br.dstRegion != "" && br.srcRegion != br.dstRegion && b.p.Accounts.Source.IsAWS() {
		b.warn(subject, "the copy crosses regions (%s to %s): the source account pays the transfer", br.srcRegion, br.dstRegion)
	}
}

func (b *builder) crossAccount() bool {
	a := b.p.Accounts
	return a.Source.IsAWS() && a.Destination.IsAWS() && a.Source.ID != a.Destination.ID
}

// checkPublic: S3 refuses every new policy that has public statements, be they ours or not.
func (b *builder) checkPublic(br branch) {
	if pa := br.src.PublicAccess; pa != nil && pa.BlockPolicy && br.src.PolicyIsPublic {
		b.problem("bucket policy of "+br.pair.Source, "it has public statements and BlockPublicPolicy is on: S3 refuses to change it",
			"remove the public statements, or add our statement with them")
	}
}

// checkEncryption looks at the keys that the copy uses.
func (b *builder) checkEncryption() {
	for _, br := range b.branches {
		if !br.active() {
			continue
		}
		for _, side := range []plan.Side{plan.Source, plan.Destination} {
			if ref, kms := br.key(side); kms && b.p.Accounts.Of(side).IsAWS() {
				b.checkKey(br, side, ref)
			}
		}
	}
}

func (b *builder) checkKey(br branch, side plan.Side, ref string) {
	bucket, region := br.pair.Source, br.srcRegion
	if side == plan.Destination {
		bucket, region = br.pair.Destination, br.dstRegion
	}
	if awsManaged(b.w, side, ref) {
		if side == plan.Source && b.crossAccount() {
			b.problem("bucket "+bucket, "it is encrypted with the AWS-managed key aws/s3, which no other account can use",
				"encrypt it again with a customer key, or copy with a principal of account "+b.p.Accounts.Source.ID)
		}
		return
	}
	arn, ok := b.keyARN(side, ref, region)
	if !ok {
		b.problem("bucket "+bucket, "its key "+ref+" could not be resolved to an ARN, which a policy needs",
			"allow kms:DescribeKey to the "+string(side)+" administrator, or name the key by its ARN")
		return
	}
	if in := regionOf(arn, region); region != "" && in != region {
		b.problem("bucket "+bucket, "its key "+arn+" is in "+in+" and the bucket in "+region+": S3 takes keys of the bucket's own region", "name a key of "+region)
	}
	k := b.w.key(arn)
	if k.State != "" && k.State != "Enabled" {
		b.problem("key "+arn, "it is "+k.State+", so that bucket "+bucket+" cannot be used", "enable it")
	}
	if owner := accountOf(arn); owner != "" && owner != b.p.Accounts.Of(side).ID {
		b.warn("key "+arn, "it belongs to account %s, which has to allow its use as well", owner)
	}
}

// checkKeyLengths: S3 takes keys of 1,024 bytes.
func (b *builder) checkKeyLengths(br branch) {
	const limit = 1024
	grows := len(br.pair.ToPrefix) - len(br.pair.Prefix)
	longest := br.facts.LongestKey
	for _, samples := range br.facts.Samples {
		for _, s := range samples {
			longest = max(longest, len(s.Key))
		}
	}
	if grows > 0 && longest+grows > limit {
		b.warn("bucket "+br.pair.Destination, "to_prefix makes keys longer: the longest would have %s bytes, and S3 takes %s: such objects will fail",
			thousands(int64(longest+grows)), thousands(limit))
	}
}

// checkDeletion holds the gates before a deletion that no confirmation opens.
func (b *builder) checkDeletion(br branch) {
	if !br.deletes() {
		return
	}
	subject := "bucket " + br.pair.Source
	refuse := func(why string) {
		b.problem(subject, why+", so the plan may not delete its objects", "set cleanup.source_objects and source_bucket: keep")
	}
	switch {
	case br.src.ObjectLock:
		refuse("it has Object Lock")
	case br.src.MFADelete:
		refuse("it has MFA delete")
	case br.src.Replication:
		refuse("it is replicated")
	case br.pair.Verify.Level == plan.LevelSize || br.pair.Copy.Compare == plan.CompareSize:
		b.problem(subject, "sizes alone are no evidence to delete the source on", "set verify.level: checksum and copy.compare: auto")
	}
}

// checkRestore refuses a retrieval that S3 does not offer (https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html).
func (b *builder) checkRestore(br branch) {
	const class = "DEEP_ARCHIVE"
	if br.pair.Copy.Archived != "restore" || br.pair.Copy.Restore.Tier != "Expedited" {
		return
	}
	if w := br.facts.Work[class]; w.Frozen.Objects > w.Thawing.Objects {
		b.problem("bucket "+br.pair.Source, objects(w.Frozen.Objects-w.Thawing.Objects)+" in "+class+", from which S3 has no Expedited retrieval",
			"set copy.restore.tier: Standard or Bulk, or give the others a pair of their own")
	}
}

// checkExisting compares a destination that was there before with what would have been made. It is not changed.
func (b *builder) checkExisting(spec BucketSpec, br branch) {
	have := br.dst
	if spec.Account == "" {
		return
	}
	asked := br.settings // the plan's own words, without defaults
	var differs []string
	if !have.PublicAccess.All() {
		differs = append(differs, "public access is not fully blocked")
	}
	if have.Ownership != "" && have.Ownership != enforced {
		differs = append(differs, "ACLs are on ("+have.Ownership+")")
	}
	if asked.Encryption.Algorithm != "" && !encrypted(asked.Encryption, have.Encryption) {
		differs = append(differs, "its encryption is "+encryptionText(have.Encryption)+", not "+encryptionText(asked.Encryption))
	}
	if asked.Versioning && have.Versioning != "Enabled" {
		differs = append(differs, "versioning is not on")
	}
	if asked.ObjectLock && !have.ObjectLock {
		differs = append(differs, "Object Lock is not on")
	}
	if asked.Region != "" && have.Region != "" && asked.Region != have.Region {
		differs = append(differs, "it is in "+have.Region+", not "+asked.Region)
	}
	if len(differs) > 0 {
		b.warn("bucket "+spec.Name, "it was there before and is left as it is: %s", strings.Join(differs, "; "))
	}
	if have.ObjectLock {
		b.warn("bucket "+spec.Name, "Object Lock: what is copied there may be impossible to delete for a while")
	}
}

// compareConfiguration: a bucket's configuration is no part of a copy.
func (b *builder) compareConfiguration(br branch) {
	if !br.src.Exists {
		return
	}
	var missing []string
	for _, c := range br.src.Configured {
		if !slices.Contains(br.dst.Configured, c) {
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		b.warn("bucket "+br.pair.Source, "it has what %s has not, and a copy does not carry: %s", br.pair.Destination, strings.Join(missing, ", "))
	}
	if !br.copying {
		return
	}
	var fires []string
	for _, c := range []string{"notification", EventBridge, "lifecycle", "replication"} {
		if slices.Contains(br.dst.Configured, c) || (c == "replication" && br.dst.Replication) {
			fires = append(fires, c)
		}
	}
	if len(fires) > 0 {
		b.warn("bucket "+br.pair.Destination, "its %s will fire on every object that is copied", strings.Join(fires, ", "))
	}
	for _, e := range br.dst.Expiring {
		if strings.HasPrefix(e.Prefix, br.pair.ToPrefix) || strings.HasPrefix(br.pair.ToPrefix, e.Prefix) {
			b.warnOfExpiry(br, e)
		}
	}
}

// warnOfExpiry names a rule that deletes what is copied: its time counts from the copy's arrival, and not from the day on
// which the source was written.
func (b *builder) warnOfExpiry(br branch, e Expiry) {
	subject, rule, what := "bucket "+br.pair.Destination, "a lifecycle rule", "what is copied"
	if e.Rule != "" {
		rule = "its lifecycle rule " + e.Rule
	}
	if e.Prefix != "" {
		what += " below " + e.Prefix
	}
	if e.Narrow {
		what += ", of some tags or sizes,"
	}
	if e.Past {
		what = "the older versions of " + what
		if e.Newest > 0 {
			what += " but for the newest " + thousands(int64(e.Newest))
		}
	}
	switch {
	case e.Past && !br.pair.Copy.AllVersions(): // of what a copy replaces, as it does today
	case e.Past && br.deletes():
		b.endanger(subject, "%s deletes %s, from %s after the next version arrives, and the source will hold them no more", rule, what, days(e.Days))
	case e.Past:
		b.warn(subject, "%s deletes %s, from %s after the next version arrives", rule, what, days(e.Days))
	case e.Days > 0:
		b.warn(subject, "%s deletes %s %s after it arrives", rule, what, days(e.Days))
	default:
		b.endanger(subject, "%s deletes %s as soon as it arrives, from %s on", rule, what, e.Date)
	}
}

func days(n int) string {
	if n == 1 {
		return "a day"
	}
	return thousands(int64(n)) + " days"
}
