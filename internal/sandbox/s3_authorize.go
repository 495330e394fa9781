package sandbox

import (
	"maps"
	"net/http"
	"strings"
)

// permit asks whether the caller may do action, and says no as S3 does.
func (q *s3Call) permit(action, resource string, res resourceAuth, cond map[string][]string) error {
	v := q.s.server.authorize(q.call, action, resource, res, cond)
	if v.Allowed {
		return nil
	}
	return denied(v.Message)
}

// permitBucket is permit on the request's own bucket.
func (q *s3Call) permitBucket(action string, cond map[string][]string) error {
	return q.permitOn(q.bucket, action, q.bucket.arn(), resourceAuth{Account: q.bucket.owner}, cond)
}

// permitObject is permit on an object of b. v is the object there, or nil: it
// decides whose the object is, and gives the tags for conditions.
func (q *s3Call) permitObject(b *s3Bucket, action, key string, v *s3Version, cond map[string][]string) error {
	res := resourceAuth{Account: b.owner}
	if v == nil {
		return q.permitOn(b, action, b.object(key), res, cond)
	}
	if len(v.tags) > 0 {
		cond = existingTags(cond, v.tags)
	}
	foreign := b.ownerOf(v) != b.owner
	if len(v.acl) > 0 {
		res.Granted = q.objectGranted(b, v, action)
	}
	if foreign && !strings.HasPrefix(action, "s3:DeleteObject") {
		return q.permitForeign(b, action, key, v, cond)
	}
	return q.permitOn(b, action, b.object(key), res, cond)
}

// ownerOf is whose an object is: with ACLs off everything is the bucket's owner's.
func (b *s3Bucket) ownerOf(v *s3Version) string {
	if v.owner == b.owner || b.enforced() {
		return b.owner
	}
	return v.owner
}

// enforced says whether ACLs are off.
func (b *s3Bucket) enforced() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.ownership == ownerEnforced
}

// permitForeign is permitObject where somebody else than the bucket's owner owns
// the object: the bucket's policy can still deny, but allows nothing.
func (q *s3Call) permitForeign(b *s3Bucket, action, key string, v *s3Version, cond map[string][]string) error {
	p := b.policy.visible(q.s.server.now(), q.s.server.lag())
	byPolicy := q.s.server.authorize(q.call, action, b.object(key), resourceAuth{Account: b.owner, Policy: p}, cond)
	if byPolicy.Explicit {
		return denied(byPolicy.Message)
	}
	res := resourceAuth{Account: v.owner, Granted: q.objectGranted(b, v, action)}
	return q.permitOn(b, action, b.object(key), res, cond)
}

// permitOn completes what the bucket's side says, and refuses what its
// public-access block and its requester-pays setting forbid.
func (q *s3Call) permitOn(b *s3Bucket, action, resource string, res resourceAuth, cond map[string][]string) error {
	now, lag := q.s.server.now(), q.s.server.lag()
	// A bucket policy says nothing about objects that somebody else owns.
	if res.Account == b.owner {
		res.Policy = b.policy.visible(now, lag)
	}
	if !res.Granted {
		res.Granted = q.bucketGranted(b, action)
	}
	outsider := q.caller.Account != b.owner
	if outsider && res.Policy != nil && b.access.visible(now, 0).RestrictPublicBuckets && res.Policy.public() {
		return denied("Access Denied")
	}
	if outsider && b.requesterPays() {
		if q.caller.anonymous() || !strings.EqualFold(q.r.Header.Get("X-Amz-Request-Payer"), "requester") {
			return denied("Access Denied")
		}
		q.w.Header().Set("X-Amz-Request-Charged", "requester")
	}
	return q.permit(action, resource, res, cond)
}

func (b *s3Bucket) requesterPays() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.requester
}

func existingTags(cond map[string][]string, tags []s3Tag) map[string][]string {
	out := make(map[string][]string, len(cond)+len(tags))
	maps.Copy(out, cond)
	for _, t := range tags {
		out["s3:ExistingObjectTag/"+t.Key] = []string{t.Value}
	}
	return out
}

// headerValues is a condition's value from a header; nil where it is not sent.
func (q *s3Call) headerValues(name string) []string { return q.r.Header.Values(name) }

// requestConditions are the condition keys that a request's headers give.
func (q *s3Call) requestConditions(tags []s3Tag) map[string][]string {
	cond := map[string][]string{}
	for key := range q.r.Header {
		if name := conditionOf(key); name != "" {
			cond[name] = q.r.Header.Values(key)
		}
	}
	if v := q.query.Get("versionId"); v != "" {
		cond["s3:VersionId"] = []string{v}
	}
	for _, t := range tags {
		cond["s3:RequestObjectTag/"+t.Key] = []string{t.Value}
		cond["s3:RequestObjectTagKeys"] = append(cond["s3:RequestObjectTagKeys"], t.Key)
	}
	return cond
}

// conditionOf names the condition key of a header, in Go's canonical form.
func conditionOf(header string) string {
	switch header {
	case "X-Amz-Acl", "X-Amz-Copy-Source", "X-Amz-Metadata-Directive", "X-Amz-Storage-Class", "X-Amz-Content-Sha256",
		"X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
		"X-Amz-Server-Side-Encryption-Customer-Algorithm", "X-Amz-Website-Redirect-Location",
		"X-Amz-Grant-Read", "X-Amz-Grant-Write", "X-Amz-Grant-Read-Acp", "X-Amz-Grant-Write-Acp", "X-Amz-Grant-Full-Control":
		return "s3:" + strings.ToLower(header)
	case "X-Amz-Object-Lock-Mode":
		return "s3:object-lock-mode"
	case "X-Amz-Object-Lock-Retain-Until-Date":
		return "s3:object-lock-retain-until-date"
	case "X-Amz-Object-Lock-Legal-Hold":
		return "s3:object-lock-legal-hold"
	case "If-Match", "If-None-Match":
		return "s3:" + strings.ToLower(header)
	default:
		return ""
	}
}

// versioned names the action on one version of an object, where the request asks for one.
func versioned(action, versionID string) string {
	if versionID == "" {
		return action
	}
	switch action {
	case "s3:GetObject", "s3:DeleteObject":
		return action + "Version"
	case "s3:GetObjectRetention", "s3:PutObjectRetention", "s3:GetObjectLegalHold", "s3:PutObjectLegalHold", "s3:RestoreObject":
		return action // there is no such permission for versions
	default: // s3:GetObjectTagging → s3:GetObjectVersionTagging
		return strings.Replace(action, "Object", "ObjectVersion", 1)
	}
}

// missing is the answer for a key that is not there: who may not list the
// bucket does not learn so.
func (q *s3Call) missing(b *s3Bucket, key string) error {
	if err := q.permitOn(b, "s3:ListBucket", b.arn(), resourceAuth{Account: b.owner}, nil); err != nil {
		return err
	}
	e := newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	e.Fields = map[string]string{"Key": key}
	return e
}
