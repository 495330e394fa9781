package plan

import "slices"

func (c *checker) cleanup() {
	if c.ok("/cleanup") {
		c.instances()
		c.rules()
	}
	for i, p := range c.plan.Buckets {
		at := item("/buckets", i)
		objects := c.first(at+"/cleanup/source_objects", "/cleanup/source_objects")
		bucket := c.first(at+"/cleanup/source_bucket", "/cleanup/source_bucket")
		if c.enough() || !c.ok(at, objects, bucket) {
			continue
		}
		if p.Cleanup.SourceBucket == AfterVerify {
			c.bucketGoes(at, bucket, p)
		}
		if p.Cleanup.SourceObjects == AfterVerify {
			c.objectsGo(at, objects, p)
		}
	}
}

// bucketGoes judges a pair whose source bucket is to be deleted.
func (c *checker) bucketGoes(at, bucket string, p Pair) {
	if p.Cleanup.SourceObjects != AfterVerify {
		c.wrong(bucket, dotted(bucket)+" is after-verify, and source_objects are kept: a bucket with objects cannot be deleted",
			"write source_objects: after-verify as well, or keep the bucket")
		return
	}
	if p.Prefix != "" && c.ok(at+"/prefix") {
		c.wrong(bucket, dotted(bucket)+" is after-verify, and "+dotted(at)+" copies only what is below "+c.quote(p.Prefix),
			"what lies outside would stay, and the bucket with it")
	}
	c.warn(bucket, dotted(bucket)+": the name of a deleted bucket is free for anyone to take", "source_objects: after-verify alone empties it and keeps the name")
}

// objectsGo judges a pair whose source objects are to be deleted: what a rule of
// the plan skips forbids that, and so does evidence that is no better than size.
func (c *checker) objectsGo(at, objects string, p Pair) {
	include, exclude := c.first(at+"/copy/include", "/copy/include"), c.first(at+"/copy/exclude", "/copy/exclude")
	if (len(p.Copy.Exclude) > 0 || !slices.Contains(p.Copy.Include, "**")) && c.ok(include, exclude) {
		c.wrong(objects, dotted(objects)+" is after-verify, and the filters of "+dotted(at)+" skip objects",
			"a skipped object forbids deleting the source: copy all of it, or use prefix")
	}
	if over := c.first(at+"/copy/overwrite", "/copy/overwrite"); p.Copy.Overwrite == "never" && c.ok(over) {
		c.wrong(objects, dotted(objects)+" is after-verify, and "+dotted(at)+" never overwrites",
			"an object that is skipped forbids deleting the source: write overwrite: changed")
	}
	if extra := c.first(at+"/copy/delete_extra", "/copy/delete_extra"); p.Copy.DeleteExtra && c.ok(extra) {
		c.warn(extra, dotted(extra)+" has no effect on "+dotted(at)+", whose objects are moved: what is at the destination only may be their only copy",
			"keep source_objects to mirror")
	}
	level, otherwise := c.first(at+"/verify/level", "/verify/level"), c.first(at+"/verify/otherwise", "/verify/otherwise")
	switch {
	case !c.ok(level, otherwise):
	case p.Verify.Level == LevelSize:
		c.wrong(objects, dotted(objects)+" is after-verify, and "+dotted(at)+" is verified by size",
			"nothing is deleted on less than verify.level: checksum")
	case p.Verify.Otherwise == "accept" && p.Verify.Level != LevelBytes:
		c.warn(objects, dotted(objects)+": an object without a comparable checksum is accepted, and forbids deleting the source of "+dotted(at),
			"verify.otherwise: bytes reads such objects again")
	}
}

// rules judges the rules for what the run made.
func (c *checker) rules() {
	const accessKey, policy, bucketPolicy, bucket = "/cleanup/access_key", "/cleanup/policy", "/cleanup/bucket_policy", "/cleanup/destination_bucket"
	if !c.ok(accessKey, policy, bucketPolicy, bucket, "/permissions/manage", "/principal/credentials", "/principal/create") {
		return
	}
	rules, principal := c.plan.Cleanup, c.plan.Principal
	if !c.plan.Permissions.Manage {
		for _, p := range []string{policy, bucketPolicy} {
			if c.has(p) {
				c.warn(p, dotted(p)+" has no effect where permissions.manage is false", "")
			}
		}
	}
	mints := principal != nil && principal.Credentials == AccessKey
	switch {
	case c.has(accessKey) && !mints:
		c.warn(accessKey, "cleanup.access_key has no effect: the run makes no access key", "")
	case mints && rules.AccessKey == AfterVerify && rules.Policy == Always:
		c.warn(accessKey, "cleanup.access_key is after-verify, and policy always: a failed run leaves a key that may do nothing", "")
	}
	if principal != nil && principal.Create {
		if rules.Policy == Keep {
			c.warn(policy, "cleanup.policy is keep, and so the principal that the run made stays as well", "")
		}
		if rules.BucketPolicy == Keep {
			c.warn(bucketPolicy, "cleanup.bucket_policy is keep, and so the principal that the run made stays as well", "")
		}
	} else if rules.BucketPolicy == Keep && c.has(policy) && rules.Policy != Keep {
		c.warn(bucketPolicy, "cleanup.bucket_policy is keep, and the policy goes: the statement stays, and alone lets nobody in", "")
	}
	c.destinationBucket(bucket)
}

func (c *checker) destinationBucket(at string) {
	rule := c.plan.Cleanup.DestinationBucket
	if rule == Keep || !c.has(at) {
		return
	}
	made := slices.ContainsFunc(c.plan.Buckets, func(p Pair) bool { return p.Create })
	switch {
	case !made && len(c.plan.Buckets) > 0:
		c.wrong(at, "cleanup.destination_bucket is "+string(rule)+", and the run makes no bucket: create is false", "only a bucket that the run made is ever deleted")
	case rule == AfterVerify:
		c.warn(at, "cleanup.destination_bucket: xplan cleanup deletes the bucket whether anything was verified or not", "it must be empty; write always")
	}
}

func (c *checker) instances() {
	seen := map[string]bool{}
	for i, one := range c.plan.Cleanup.Instances {
		at := item("/cleanup/instances", i)
		if !c.ok(at) {
			continue
		}
		if account := at + "/account"; c.ok(account) && one.Account != "" && c.ok("/accounts/"+string(one.Account)+"/provider") &&
			!c.plan.Accounts.Of(one.Account).IsAWS() {
			c.wrong(account, dotted(account)+": the "+string(one.Account)+" is S3-compatible and has no instances", "")
		}
		if one.ID != "" && seen[one.ID] && c.ok(at+"/id") {
			c.wrong(at+"/id", dotted(at)+": the instance "+c.quote(one.ID)+" stands here twice", "")
		}
		seen[one.ID] = true
		c.region(at+"/region", one.Region)
	}
}
