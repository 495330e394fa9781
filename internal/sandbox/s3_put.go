package sandbox

import (
	"net/http"
)

// newVersion reads everything but the body that a request says about the
// object it makes, and asks for the permissions that this takes.
func (q *s3Call) newVersion(tags []s3Tag) (*s3Version, error) {
	h := q.r.Header
	v := &s3Version{modified: q.now, owner: q.objectOwner(), tags: tags}
	var err error
	if v.class, err = readClass(h); err != nil {
		return nil, err
	}
	if v.redirect, err = readRedirect(h); err != nil {
		return nil, err
	}
	if v.acl, err = q.readACL(q.bucket, v.owner); err != nil {
		return nil, err
	}
	if v.lock, err = q.readLock(); err != nil {
		return nil, err
	}
	if err := q.permitWrite(v, tags); err != nil {
		return nil, err
	}
	v.sse, err = q.readEncryption(q.bucket)
	return v, err
}

// objectOwner is whose a new object is.
func (q *s3Call) objectOwner() string {
	b := q.bucket
	b.mu.RLock()
	defer b.mu.RUnlock()
	switch {
	case b.ownership == ownerEnforced, q.caller.anonymous():
		return b.owner
	case b.ownership == "BucketOwnerPreferred" && q.r.Header.Get("X-Amz-Acl") == aclOwnerFull:
		return b.owner
	default:
		return q.caller.Account
	}
}

// permitWrite asks for everything that writing an object as asked needs.
func (q *s3Call) permitWrite(v *s3Version, tags []s3Tag) error {
	cond := q.requestConditions(tags)
	actions := []string{"s3:PutObject"}
	if len(tags) > 0 {
		actions = append(actions, "s3:PutObjectTagging")
	}
	if q.asksACL() {
		actions = append(actions, "s3:PutObjectAcl")
	}
	if v.lock.mode != "" && q.r.Header.Get("X-Amz-Object-Lock-Mode") != "" {
		actions = append(actions, "s3:PutObjectRetention")
	}
	if v.lock.hold {
		actions = append(actions, "s3:PutObjectLegalHold")
	}
	for _, action := range actions {
		if err := q.permitObject(q.bucket, action, q.target.Key, nil, cond); err != nil {
			return err
		}
	}
	return nil
}

func (q *s3Call) putObject() error {
	h := q.r.Header
	tags, err := readTags(h.Get("X-Amz-Tagging"))
	if err != nil {
		return err
	}
	v, err := q.newVersion(tags)
	if err != nil {
		return err
	}
	if q.size < 0 {
		return newError(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	if v.meta, err = readMeta(h); err != nil {
		return err
	}
	guard, err := q.writeGuard()
	if err != nil {
		return err
	}
	data, err := q.readBody(q.s.cfg.MaxCopy)
	if err != nil {
		return err
	}
	if err := q.fill(v, bodyOf(data)); err != nil {
		return err
	}
	if err := q.bucket.put(q.target.Key, v, guard); err != nil {
		return err
	}
	q.written(v)
	writeSum(q.w.Header(), v.sum)
	return q.empty(http.StatusOK)
}

// fill gives v its body and what follows from it: ETag and checksum.
func (q *s3Call) fill(v *s3Version, body s3Body) error {
	if err := q.checkDigests(body); err != nil {
		return err
	}
	algorithm, err := q.askedSum()
	if err != nil {
		return err
	}
	if algorithm == "" {
		algorithm = sumCRC64NVME
	}
	v.body = body
	v.sum = objectSum{algorithm: algorithm, value: q.s.sums.value(algorithm, body), kind: sumFullObject}
	v.etag = hexDigest(body.md5())
	q.seal(v)
	return nil
}

// seal makes the ETag opaque where the encryption does.
func (q *s3Call) seal(v *s3Version) {
	if v.sse != nil {
		v.etag = sealETag(v.etag, q.id)
	}
}

// written sets the headers that every answer to a write has.
func (q *s3Call) written(v *s3Version) {
	h := q.w.Header()
	h["Etag"] = []string{`"` + v.etag + `"`}
	q.versionHeader(v)
	writeEncryption(h, v.sse)
}

// versionHeader tells a version's ID where the bucket has versions.
func (q *s3Call) versionHeader(v *s3Version) {
	if v.id != nullVersion || q.bucket.hasVersions() {
		q.w.Header().Set("X-Amz-Version-Id", v.id)
	}
}

// hasVersions says whether versioning was ever enabled.
func (b *s3Bucket) hasVersions() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.versioning != ""
}
