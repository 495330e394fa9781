package plan

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

func (c *checker) settings(at string, p Pair) {
	settings := at + "/settings"
	if !c.has(settings) || !c.ok(settings, at+"/create") {
		return
	}
	if fields, _ := c.get(settings).(map[string]any); !p.Create && len(fields) > 0 {
		c.wrong(settings, dotted(settings)+" are of a bucket that the run makes, and create is false", "take one of them out")
	}
	if a := c.plan.Accounts.Destination; a.IsAWS() {
		c.region(settings+"/region", p.Settings.Region)
	}
	if c.ok(settings + "/encryption") {
		c.encryption(settings, p.Settings)
	}
	c.tags(settings+"/tags", p.Settings.Tags)
	c.versionless(settings, p)
}

// versionless refuses a bucket that is said to keep no versions, and has to.
func (c *checker) versionless(settings string, p Pair) {
	at := settings + "/versioning"
	if !c.has(at) || !c.ok(at, settings+"/object_lock") || p.Settings.Versioning {
		return
	}
	const hint = "take versioning out"
	switch {
	case p.Settings.ObjectLock:
		c.wrong(at, dotted(at)+": false does not go together with object_lock: true, which keeps versions", hint)
	case p.Copy.AllVersions():
		c.wrong(at, dotted(at)+": false does not go together with copy.versions: all", hint)
	}
}

func (c *checker) encryption(settings string, s BucketSettings) {
	at := settings + "/encryption"
	if !c.ok(at+"/algorithm", at+"/kms_key_id", at+"/bucket_key") {
		return
	}
	if s.Encryption.Algorithm != "aws:kms" {
		for _, field := range []string{"kms_key_id", "bucket_key"} {
			if p := at + "/" + field; c.has(p) && (field != "bucket_key" || s.Encryption.BucketKey) {
				c.wrong(p, dotted(p)+" goes with KMS, and algorithm is "+s.Encryption.Algorithm, "write algorithm: aws:kms")
			}
		}
		return
	}
	key := at + "/kms_key_id"
	if !c.has(key) {
		return
	}
	region, account, ok := kmsKey(s.Encryption.KMSKeyID)
	switch {
	case !ok:
		c.wrong(key, dotted(key)+" is no KMS key's ID, ARN or alias", "such as alias/tommy-b")
	case region != "" && s.Region == "" && isRegion(c.plan.Accounts.Destination.Region) && region != c.plan.Accounts.Destination.Region:
		c.warn(key, dotted(key)+" is a key of "+region+", and a bucket is made in "+c.plan.Accounts.Destination.Region,
			"a bucket's key is of its own region: write settings.region")
	case region != "" && s.Region != "" && isRegion(s.Region) && region != s.Region:
		c.wrong(key, dotted(key)+" is a key of "+region+", and the bucket is in "+s.Region, "a bucket's key is of its own region")
	case account != "" && isAccountID(c.plan.Accounts.Destination.ID) && account != c.plan.Accounts.Destination.ID:
		c.warn(key, dotted(key)+" is a key of account "+account+", not of the destination", "its key policy must let the destination use it")
	}
}

// kmsKey tells a key's region and account where its name holds them.
func kmsKey(s string) (region, account string, ok bool) {
	name := regexp.MustCompile(`^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-f]{32})$`)
	alias := regexp.MustCompile(`^alias/[A-Za-z0-9/_-]{1,250}$`)
	if name.MatchString(s) || alias.MatchString(s) {
		return "", "", true
	}
	a, isARN := parseARN(s)
	if !isARN || a.service != "kms" || !isPartition(a.partition) || !isRegion(a.region) || !isAccountID(a.account) {
		return "", "", false
	}
	resource := strings.SplitN(s, ":", 6)[5]
	id, isKey := strings.CutPrefix(resource, "key/")
	return a.region, a.account, isKey && name.MatchString(id) || alias.MatchString(resource)
}

// tags obey S3's rules for a bucket's tags; how many there may be is the schema's.
func (c *checker) tags(at string, tags map[string]string) {
	if !c.ok(at) {
		return
	}
	allowed := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		p := child(at, key)
		const maxTag = 128
		switch n := utf8.RuneCountInString(key); {
		case !c.ok(p):
		case n == 0 || n > maxTag:
			c.problem(p, c.marks[p].name(), fmt.Sprintf("%s: a tag's key has 1 to %d characters", dotted(at), maxTag), "")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			c.problem(p, c.marks[p].name(), dotted(at)+": keys that begin with aws: are AWS's own", "")
		case !allowed.MatchString(key):
			c.problem(p, c.marks[p].name(), dotted(at)+": the key "+c.quote(key)+" holds a character that S3 does not take", "letters, digits, spaces and _.:/=+-@")
		case !allowed.MatchString(tags[key]):
			c.wrong(p, dotted(at)+": the value of "+c.quote(key)+" holds a character that S3 does not take", "letters, digits, spaces and _.:/=+-@")
		}
	}
}
