package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An s3Bucket is a bucket. mu guards all but the first group, which never changes.
type s3Bucket struct {
	name, owner, region string
	created             time.Time
	locked              bool // Object Lock was enabled when it was made

	mu      sync.RWMutex
	keys    keyStore
	uploads map[string]*s3Upload
	serial  uint64 // numbers versions and uploads

	policy      timed[*resourcePolicy] // nil where there is none
	access      timed[publicAccess]
	hasAccess   bool // a public-access block is configured
	ownership   string
	acl         []s3Grant
	encryption  bucketEncryption
	versioning  string // "", "Enabled" or "Suspended"
	mfaDelete   bool
	tags        []s3Tag
	requester   bool // the requester pays
	lock        lockDefault
	rawSettings map[string][]byte // settings that are kept as they came
}

// A publicAccess is a public-access block.
type publicAccess struct {
	BlockPublicAcls       bool
	IgnorePublicAcls      bool
	BlockPublicPolicy     bool
	RestrictPublicBuckets bool
}

// A bucketEncryption is the default for new objects.
type bucketEncryption struct {
	Algorithm string // AES256, aws:kms or aws:kms:dsse
	Key       string // as it was put; "" means aws/s3
	BucketKey bool
}

// A keyStore holds keys in byte order: a keyIndex, or a namespace that is
// computed. The bucket locks it.
type keyStore interface {
	get(key string) *s3Key
	ensure(key string) *s3Key
	remove(key string)
	ascend(from string, after bool, f func(*s3Key) bool)
}

const ownerEnforced = "BucketOwnerEnforced"

// newBucket makes a bucket with the defaults of April 2023 and later.
func newBucket(name, owner, region string, now time.Time) *s3Bucket {
	b := &s3Bucket{
		name: name, owner: owner, region: region, created: now,
		keys: &keyIndex{}, uploads: map[string]*s3Upload{},
		ownership: ownerEnforced, hasAccess: true,
		encryption:  bucketEncryption{Algorithm: sseAES256},
		rawSettings: map[string][]byte{},
	}
	b.access.set(publicAccess{true, true, true, true}, now)
	return b
}

// arn names the bucket.
func (b *s3Bucket) arn() string { return "arn:aws:s3:::" + b.name }

// object names one of its objects.
func (b *s3Bucket) object(key string) string { return "arn:aws:s3:::" + b.name + "/" + key }

// add registers a bucket; the error says whose the name is.
func (s *s3Service) add(b *s3Bucket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.buckets[b.name]
	switch {
	case old == nil:
		s.buckets[b.name] = b
		return nil
	case old.owner == b.owner:
		e := newError(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
		e.Fields = map[string]string{"BucketName": b.name}
		return e
	default:
		e := newError(http.StatusConflict, "BucketAlreadyExists",
			"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
		e.Fields = map[string]string{"BucketName": b.name}
		return e
	}
}

// validBucketName applies S3's rules for general purpose buckets.
func validBucketName(name string) bool {
	if len(name) < 3 || len(name) > 63 || strings.Contains(name, "..") ||
		strings.HasPrefix(name, "xn--") || strings.HasSuffix(name, "-s3alias") || strings.HasSuffix(name, "--x-s3") {
		return false
	}
	for i := range len(name) {
		c := name[i]
		inner := i > 0 && i < len(name)-1
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (!inner || c != '-' && c != '.') {
			return false
		}
	}
	octets := strings.Split(name, ".")
	return len(octets) != 4 || slices.ContainsFunc(octets, func(o string) bool {
		_, err := strconv.Atoi(o)
		return err != nil
	})
}

func (q *s3Call) createBucket() error {
	name := q.target.Bucket
	if q.caller.anonymous() {
		return denied("Anonymous access is forbidden for this operation")
	}
	if !validBucketName(name) {
		e := newError(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
		e.Fields = map[string]string{"BucketName": name}
		return e
	}
	region, tags, err := q.createConfiguration()
	if err != nil {
		return err
	}
	cond := map[string][]string{"s3:x-amz-acl": q.headerValues("X-Amz-Acl"), "s3:locationconstraint": {region}}
	if err := q.permit("s3:CreateBucket", "arn:aws:s3:::"+name, resourceAuth{}, cond); err != nil {
		return err
	}
	b := newBucket(name, q.caller.Account, region, q.now)
	b.tags = tags
	if len(tags) > 0 {
		if err := q.permit("s3:TagResource", b.arn(), resourceAuth{}, nil); err != nil { // API:CreateBucketConfiguration, Tags
			return err
		}
	}
	if err := q.createHeaders(b); err != nil {
		return err
	}
	if err := q.s.add(b); err != nil {
		return err
	}
	q.w.Header().Set("Location", "/"+name)
	q.w.Header().Set("X-Amz-Bucket-Arn", b.arn())
	return q.empty(http.StatusOK)
}

// createConfiguration reads the region that the bucket is to stand in, which
// must be the endpoint's, and its tags.
func (q *s3Call) createConfiguration() (region string, tags []s3Tag, err error) {
	var doc struct {
		LocationConstraint string
		Tags               struct{ Tag []s3Tag }
	}
	body, err := q.readBody(2 << 20)
	if err != nil {
		return "", nil, err
	}
	if len(body) > 0 {
		if err := unmarshalXML(body, &doc); err != nil {
			return "", nil, err
		}
	}
	region = doc.LocationConstraint
	switch region {
	case "EU":
		region = "eu-west-1"
	case "":
		region = "us-east-1"
	case "us-east-1":
		return "", nil, newError(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid")
	}
	if !strings.Contains(region, "-") {
		return "", nil, newError(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid")
	}
	if q.region != "" && q.region != region && q.region != "us-east-1" {
		constraint := doc.LocationConstraint
		if constraint == "" {
			constraint = "unspecified"
		}
		return "", nil, newError(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The "+constraint+" location constraint is incompatible for the region specific endpoint this request was sent to.")
	}
	return region, doc.Tags.Tag, checkTags(doc.Tags.Tag, 50)
}

// createHeaders reads what CreateBucket's headers ask for.
func (q *s3Call) createHeaders(b *s3Bucket) error {
	h := q.r.Header
	if v := h.Get("X-Amz-Object-Ownership"); v != "" {
		if !validOwnership(v) {
			return invalidArgument("Invalid x-amz-object-ownership header: "+v, "x-amz-object-ownership", v)
		}
		b.ownership = v
	}
	if acl := h.Get("X-Amz-Acl"); acl != "" && acl != "private" {
		if b.ownership == ownerEnforced {
			return newError(http.StatusBadRequest, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
		}
		if strings.HasPrefix(acl, "public-") {
			return newError(http.StatusBadRequest, "InvalidBucketAclWithBlockPublicAccessError", "Bucket cannot have public ACLs set with BlockPublicAccess enabled")
		}
	}
	if strings.EqualFold(h.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		b.locked, b.versioning = true, versioningEnabled
	}
	return nil
}

func (q *s3Call) headBucket() error {
	q.w.Header().Set("X-Amz-Bucket-Region", q.bucket.region)
	if err := q.permitBucket("s3:ListBucket", nil); err != nil {
		return err
	}
	q.w.Header().Set("X-Amz-Access-Point-Alias", "false")
	q.w.Header().Set("X-Amz-Bucket-Arn", q.bucket.arn())
	q.w.Header().Set("Content-Type", "application/xml")
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *s3Call) deleteBucket() error {
	if err := q.permitBucket("s3:DeleteBucket", nil); err != nil {
		return err
	}
	q.s.mu.Lock()
	defer q.s.mu.Unlock()
	b := q.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	empty := true
	b.keys.ascend("", false, func(*s3Key) bool { empty = false; return false })
	if !empty {
		message := "The bucket you tried to delete is not empty"
		if b.versioning != "" {
			message += ". You must delete all versions in the bucket."
		}
		e := newError(http.StatusConflict, "BucketNotEmpty", message)
		e.Fields = map[string]string{"BucketName": b.name}
		return e
	}
	if q.s.buckets[b.name] == b {
		delete(q.s.buckets, b.name)
	}
	return q.empty(http.StatusNoContent)
}

func (q *s3Call) getBucketLocation() error {
	if err := q.permitBucket("s3:GetBucketLocation", nil); err != nil {
		return err
	}
	x := newXML(256)
	region := q.bucket.region
	if region == "us-east-1" {
		region = ""
	}
	x.b = append(x.b, `<LocationConstraint`+s3Namespace+`>`...)
	x.b = appendEscaped(x.b, region)
	x.close("LocationConstraint")
	return q.answer(x)
}

func (q *s3Call) listBuckets() error {
	if q.caller.anonymous() {
		return denied("Anonymous access is forbidden for this operation")
	}
	if err := q.permit("s3:ListAllMyBuckets", "*", resourceAuth{}, nil); err != nil {
		return err
	}
	q.s.mu.RLock()
	names := slices.Sorted(maps.Keys(q.s.buckets))
	buckets := make([]*s3Bucket, 0, len(names))
	for _, name := range names {
		buckets = append(buckets, q.s.buckets[name])
	}
	q.s.mu.RUnlock()

	limit, err := q.limit("max-buckets", 10_000)
	if err != nil {
		return err
	}
	prefix, region, after := q.query.Get("prefix"), q.query.Get("bucket-region"), q.query.Get("continuation-token")
	x := newXML(1024)
	x.root("ListAllMyBucketsResult")
	q.owner(x, q.caller.Account)
	x.open("Buckets")
	next, n := "", 0
	for i, b := range buckets {
		if b.owner != q.caller.Account || !strings.HasPrefix(b.name, prefix) || region != "" && b.region != region || after != "" && b.name <= after {
			continue
		}
		if n++; n > limit {
			next = buckets[i-1].name
			break
		}
		x.open("Bucket")
		x.text("Name", b.name)
		x.time("CreationDate", b.created)
		x.text("BucketRegion", b.region)
		x.text("BucketArn", b.arn())
		x.close("Bucket")
	}
	x.close("Buckets")
	x.optional("ContinuationToken", next)
	x.optional("Prefix", prefix)
	x.close("ListAllMyBucketsResult")
	return q.answer(x)
}

// owner writes who owns something, as S3 names owners.
func (q *s3Call) owner(x *xmlWriter, account string) {
	x.open("Owner")
	x.text("ID", q.s.canonicalID(account))
	x.close("Owner")
}

// canonicalID is how S3 names an account.
func (s *s3Service) canonicalID(account string) string {
	if a := s.server.accountOf(account); a != nil {
		return a.canonicalID
	}
	return account
}
