package sandbox

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BucketOptions say how a bucket that AddBucket makes differs from a new
// bucket of S3: empty, with Block Public Access on, ACLs off and SSE-S3.
type BucketOptions struct {
	Region       string // "" means the account's
	Versioning   string // "", "Enabled" or "Suspended"
	MFADelete    bool
	Ownership    string // "" means BucketOwnerEnforced
	OpenToPublic bool   // no public-access block
	Encryption   string // "" means AES256; or aws:kms, aws:kms:dsse
	KMSKey       string // with aws:kms; "" means the account's aws/s3
	BucketKey    bool
	RequesterPay bool
	ObjectLock   bool
	Retention    string // with ObjectLock: the mode of the default retention; "" means none
	RetainDays   int
	Website      bool
	Tags         map[string]string
}

// AddBucket makes a bucket of an account. The error is what CreateBucket
// would answer.
func (s *Server) AddBucket(account, name string, o BucketOptions) error {
	_, err := s.s3.addBucket(account, name, o)
	return err
}

func (s *s3Service) addBucket(account, name string, o BucketOptions) (*s3Bucket, error) {
	region := o.Region
	if a := s.server.accountOf(account); region == "" && a != nil {
		region = a.region
	}
	now := s.server.now()
	b := newBucket(name, account, region, now)
	b.ownership = cmp.Or(o.Ownership, ownerEnforced)
	if o.OpenToPublic {
		b.hasAccess = false
		b.access.set(publicAccess{}, now)
	}
	b.encryption = bucketEncryption{Algorithm: cmp.Or(o.Encryption, sseAES256), Key: o.KMSKey, BucketKey: o.BucketKey}
	b.versioning, b.mfaDelete = o.Versioning, o.MFADelete
	b.requester, b.tags = o.RequesterPay, sortedTags(o.Tags)
	if b.locked = o.ObjectLock; b.locked {
		b.versioning = versioningEnabled
		b.lock = lockDefault{Mode: o.Retention, Days: o.RetainDays}
	}
	if o.Website {
		b.rawSettings["BucketWebsite"] = []byte(`<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>`)
	}
	return b, s.add(b)
}

func sortedTags(tags map[string]string) []s3Tag {
	var list []s3Tag
	for k, v := range tags {
		list = append(list, s3Tag{k, v})
	}
	slices.SortFunc(list, func(a, b s3Tag) int { return cmp.Compare(a.Key, b.Key) })
	return list
}

// PutOptions say how an object that PutObject makes differs from a plain one.
type PutOptions struct {
	ContentType, ContentEncoding, ContentDisposition string
	ContentLanguage, CacheControl, Expires           string
	Metadata                                         map[string]string
	Tags                                             map[string]string
	StorageClass                                     string // "" means STANDARD
	// Archived is the archive tier of an INTELLIGENT_TIERING object:
	// ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS.
	Archived string
	// Restored makes an archived object readable until then.
	Restored        time.Time
	Encryption      string // "" means AES256; or aws:kms, aws:kms:dsse
	KMSKey          string // the key's ARN, with aws:kms
	CustomerKeyMD5  string // SSE-C, by the MD5 of a key that nobody has here
	WebsiteRedirect string
	Checksum        string // the algorithm; "" means CRC64NVME, "none" an object older than that
	Owner           string // "" means the bucket's account
	LastModified    time.Time
	PartSize        int64 // above zero: as uploaded in parts of that size
	Size            int64 // with an empty body: an object of that many zeros, which nobody stores
	CompositeSum    bool  // with PartSize: the checksum is COMPOSITE
	Annotations     map[string]string
	LegalHold       bool
	RetainUntil     time.Time
	Retention       string // the mode of RetainUntil; "" means GOVERNANCE
}

// PutObject puts an object into a bucket, whatever the policies say. It keeps
// body, which must not be changed afterwards.
func (s *Server) PutObject(bucket, key string, body []byte, o PutOptions) error {
	b, err := s.s3.find(bucket)
	if err != nil {
		return err
	}
	v := &s3Version{
		modified: o.LastModified, owner: cmp.Or(o.Owner, b.owner), tags: sortedTags(o.Tags), redirect: o.WebsiteRedirect,
		archived: o.Archived, lock: objectLock{hold: o.LegalHold},
		meta: &objectMeta{
			contentType: cmp.Or(o.ContentType, plainType), contentEncoding: o.ContentEncoding,
			contentDisposition: o.ContentDisposition, contentLanguage: o.ContentLanguage,
			cacheControl: o.CacheControl, expires: o.Expires,
		},
	}
	if v.modified.IsZero() {
		v.modified = s.now()
	}
	if o.StorageClass != classStandard {
		v.class = o.StorageClass
	}
	for _, t := range sortedTags(o.Metadata) {
		v.meta.user = append(v.meta.user, metaPair{t.Key, t.Value})
	}
	for _, t := range sortedTags(o.Annotations) {
		v.annotations = append(v.annotations, annotation{name: t.Key, body: bodyOf([]byte(t.Value)), modified: v.modified})
	}
	if !o.Restored.IsZero() {
		v.restore = &restoreState{expires: o.Restored}
	}
	if !o.RetainUntil.IsZero() {
		v.lock.mode, v.lock.until = cmp.Or(o.Retention, lockGovernance), o.RetainUntil
	}
	if v.body = bodyOf(body); len(body) == 0 {
		v.body = zeroBody(o.Size)
	}
	s.s3.describe(v, o)
	return b.put(key, v, nil)
}

// describe gives a version its encryption, its ETag and its checksum.
func (s *s3Service) describe(v *s3Version, o PutOptions) {
	algorithm := checksumAlgorithm(cmp.Or(o.Checksum, string(sumCRC64NVME)))
	if o.Checksum == "none" {
		algorithm = ""
	}
	if algorithm != "" {
		v.sum = objectSum{algorithm: algorithm, value: s.sums.value(algorithm, v.body), kind: sumFullObject}
	}
	v.etag = hexDigest(v.body.md5())
	if o.PartSize > 0 {
		s.describeParts(v, o.PartSize, o.CompositeSum)
	}
	if o.CustomerKeyMD5 != "" {
		v.sse = &objectEncryption{customer: o.CustomerKeyMD5}
	} else if o.Encryption != "" && o.Encryption != sseAES256 {
		v.sse = &objectEncryption{algorithm: o.Encryption, key: o.KMSKey}
	}
	if v.sse != nil && len(v.parts) == 0 {
		v.etag = sealETag(v.etag, v.modified.String())
	}
}

// describeParts makes a version look as uploaded in parts.
func (s *s3Service) describeParts(v *s3Version, size int64, composite bool) {
	var etags, sums []byte
	for off := int64(0); off < v.body.size || off == 0; off += size {
		part := v.body.slice(off, size)
		p := objectPart{number: len(v.parts) + 1, size: part.size}
		sum := part.md5()
		etags = append(etags, sum[:]...)
		if composite && v.sum.algorithm != "" {
			p.sum = objectSum{algorithm: v.sum.algorithm, value: s.sums.value(v.sum.algorithm, part)}
			sums = append(sums, s.sums.digest(v.sum.algorithm, part)...)
		}
		v.parts = append(v.parts, p)
	}
	count := "-" + strconv.Itoa(len(v.parts))
	v.etag = hexDigest(bodyOf(etags).md5()) + count
	if len(sums) > 0 {
		v.sum.kind, v.sum.value = sumComposite, s.sums.value(v.sum.algorithm, bodyOf(sums))+count
	}
}

// An ObjectInfo is what is true of a current object, for comparing buckets
// without asking S3.
type ObjectInfo struct {
	Key, ETag, MD5                                   string // MD5 of the bytes, whatever the ETag is
	Size                                             int64
	Parts                                            int // 0 unless uploaded in parts
	ContentType, ContentEncoding, ContentDisposition string
	ContentLanguage, CacheControl, Expires           string
	Metadata, Tags, Annotations                      map[string]string
	StorageClass, WebsiteRedirect                    string
	Encryption, KMSKey                               string
	ChecksumAlgorithm, ChecksumType, Checksum        string
	Owner, VersionID                                 string
	LastModified                                     time.Time
	Retention                                        string // GOVERNANCE, COMPLIANCE or none
	RetainUntil                                      time.Time
	LegalHold                                        bool
}

// Objects lists a bucket's current objects in the order of their keys; nil
// where there is no such bucket.
func (s *Server) Objects(bucket string) []ObjectInfo {
	b, err := s.s3.find(bucket)
	if err != nil {
		return nil
	}
	type entry struct {
		key     string
		version *s3Version
	}
	var entries []entry
	b.mu.RLock()
	b.keys.ascend("", false, func(k *s3Key) bool {
		if v := k.current(); v != nil && !v.marker {
			entries = append(entries, entry{k.name, v})
		}
		return true
	})
	b.mu.RUnlock()
	infos := make([]ObjectInfo, 0, len(entries))
	for _, e := range entries {
		infos = append(infos, e.version.info(e.key))
	}
	return infos
}

func (v *s3Version) info(key string) ObjectInfo {
	o := ObjectInfo{
		Key: key, ETag: v.etag, MD5: v.contentMD5(), Size: v.body.size, Parts: len(v.parts),
		ContentType: v.meta.contentType, ContentEncoding: v.meta.contentEncoding,
		ContentDisposition: v.meta.contentDisposition, ContentLanguage: v.meta.contentLanguage,
		CacheControl: v.meta.cacheControl, Expires: v.meta.expires,
		StorageClass: v.storageClass(), WebsiteRedirect: v.redirect, Encryption: sseAES256,
		ChecksumAlgorithm: string(v.sum.algorithm), ChecksumType: v.sum.kind, Checksum: v.sum.value,
		Owner: v.owner, VersionID: v.id, LastModified: v.modified,
		Retention: v.lock.mode, RetainUntil: v.lock.until, LegalHold: v.lock.hold,
	}
	if v.sse != nil {
		o.Encryption, o.KMSKey = cmp.Or(v.sse.algorithm, "SSE-C"), v.sse.key
	}
	add := func(to *map[string]string, name, value string) {
		if *to == nil {
			*to = map[string]string{}
		}
		(*to)[name] = value
	}
	for _, p := range v.meta.user {
		add(&o.Metadata, p.name, p.value)
	}
	for _, t := range v.tags {
		add(&o.Tags, t.Key, t.Value)
	}
	for _, a := range v.annotations {
		var text strings.Builder
		_, _ = a.body.WriteTo(&text)
		add(&o.Annotations, a.name, text.String())
	}
	return o
}

// RemoveObject removes a key with all its versions, whatever the policies say.
func (s *Server) RemoveObject(bucket, key string) {
	if b, err := s.s3.find(bucket); err == nil {
		b.mu.Lock()
		b.keys.remove(key)
		b.mu.Unlock()
	}
}

// Buckets lists an account's buckets.
func (s *Server) Buckets(account string) []string {
	s.s3.mu.RLock()
	defer s.s3.mu.RUnlock()
	var names []string
	for name, b := range s.s3.buckets {
		if b.owner == account {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Uploads counts a bucket's unfinished multipart uploads.
func (s *Server) Uploads(bucket string) int {
	b, err := s.s3.find(bucket)
	if err != nil {
		return 0
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.uploads)
}

// BucketPolicy is a bucket's policy as AWS shows it; "" where there is none.
func (s *Server) BucketPolicy(bucket string) string {
	b, err := s.s3.find(bucket)
	if err != nil {
		return ""
	}
	if p := b.policy.latest(); p != nil {
		return p.document()
	}
	return ""
}

// SetBucketPolicy puts a bucket's policy, or removes it where text is empty.
// The error is what PutBucketPolicy would answer; Block Public Access does not
// hold it back.
func (s *Server) SetBucketPolicy(bucket, text string) error {
	b, err := s.s3.find(bucket)
	if err != nil {
		return err
	}
	var p *resourcePolicy
	if text != "" {
		if p, err = s.s3.parseBucketPolicy(b, text); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.policy.set(p, time.Time{}) // in force at once
	return nil
}
