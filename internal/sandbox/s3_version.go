package sandbox

import (
	"crypto/md5"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Versioning states, and the ID of the version that is made without them.
const (
	versioningEnabled   = "Enabled"
	versioningSuspended = "Suspended"
	nullVersion         = "null"
)

// plainType is the type of what came without one.
const plainType = "binary/octet-stream"

// Storage classes that the code asks about.
const (
	classStandard    = "STANDARD"
	classGlacier     = "GLACIER"
	classDeepArchive = "DEEP_ARCHIVE"
	classIntelligent = "INTELLIGENT_TIERING"
)

// An s3Version is one version of a key. It is never changed: what changes an
// object's tags, ACL or lock puts a changed copy in its place.
type s3Version struct {
	id       string // "null" where it was written without versioning
	marker   bool   // a delete marker
	modified time.Time
	owner    string // account
	etag     string // without quotes
	body     s3Body
	meta     *objectMeta // shared by copies
	tags     []s3Tag
	class    string
	sse      *objectEncryption // nil means AES256
	sum      objectSum
	parts    []objectPart // of a multipart upload
	redirect string
	acl      []s3Grant // nil means the owner alone
	restore  *restoreState
	archived string // ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS, in INTELLIGENT_TIERING
	lock     objectLock

	annotations []annotation // sorted by name
}

// An objectMeta is what a client said about an object. It is never changed.
type objectMeta struct {
	contentType, contentEncoding, contentDisposition string
	contentLanguage, cacheControl, expires           string
	user                                             []metaPair // sorted by name
}

type metaPair struct{ name, value string }

// An s3Tag is a tag of an object or a bucket.
type s3Tag struct{ Key, Value string }

// An objectPart is a part of a finished multipart upload.
type objectPart struct {
	number int
	size   int64
	sum    objectSum
}

// A restoreState tells since when an archived object is being restored.
type restoreState struct{ ready, expires time.Time }

// class is how answers name the storage class.
func (v *s3Version) storageClass() string {
	if v.class == "" {
		return classStandard
	}
	return v.class
}

// frozen says whether the object must be restored before it can be read.
func (v *s3Version) frozen(now time.Time) bool {
	switch {
	case v.class != classGlacier && v.class != classDeepArchive && v.archived == "":
		return false
	case v.restore == nil:
		return true
	default:
		return now.Before(v.restore.ready) || !v.restore.expires.IsZero() && now.After(v.restore.expires)
	}
}

// plainETag says whether the ETag is the MD5 of the bytes.
func (v *s3Version) plainETag() bool {
	return (v.sse == nil || v.sse.algorithm == sseAES256) && !strings.Contains(v.etag, "-")
}

// contentMD5 is the MD5 of the bytes, computed only where the ETag does not tell.
func (v *s3Version) contentMD5() string {
	if v.plainETag() && !v.marker {
		return v.etag
	}
	return hexDigest(v.body.md5())
}

// sealETag is the ETag of an object encrypted with KMS or a customer's key: it
// looks like an MD5 and is none.
func sealETag(plain, version string) string {
	sum := md5.Sum([]byte("sealed:" + version + ":" + plain))
	return hexDigest(sum)
}

// version finds a version of a key: the current one for "". It answers
// (nil, nil) where there is none.
func (b *s3Bucket) version(key, id string) *s3Version {
	b.mu.RLock()
	defer b.mu.RUnlock()
	k := b.keys.get(key)
	if id == "" {
		return k.current()
	}
	return k.find(id)
}

func (k *s3Key) find(id string) *s3Version {
	if k == nil {
		return nil
	}
	for _, v := range k.versions {
		if v.id == id {
			return v
		}
	}
	return nil
}

// put makes v the current version of key and gives it its ID. guard, where set,
// sees what v replaces and can refuse; both happen as one.
func (b *s3Bucket) put(key string, v *s3Version, guard func(old *s3Version) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if guard != nil {
		old := b.keys.get(key).current()
		if old != nil && old.marker {
			old = nil
		}
		if err := guard(old); err != nil {
			return err
		}
	}
	b.store(b.keys.ensure(key), v)
	return nil
}

// store adds a version as the bucket's versioning says. b.mu is held.
func (b *s3Bucket) store(k *s3Key, v *s3Version) {
	b.serial++
	switch b.versioning {
	case versioningEnabled:
		v.id = versionID(b.serial)
		k.versions = append([]*s3Version{v}, k.versions...)
	case "":
		v.id = nullVersion
		k.versions = []*s3Version{v}
	default:
		v.id = nullVersion
		kept := []*s3Version{v}
		for _, old := range k.versions {
			if old.id != nullVersion {
				kept = append(kept, old)
			}
		}
		k.versions = kept
	}
}

// replace puts a changed copy of a version in its place, unless the version is
// gone by now: then the change came before what took its place.
func (b *s3Bucket) replace(key string, old, changed *s3Version) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.keys.get(key)
	if k == nil {
		return
	}
	if i := slices.Index(k.versions, old); i >= 0 {
		k.versions = slices.Clone(k.versions)
		k.versions[i] = changed
	}
}

// versionID makes an opaque ID of 32 characters.
func versionID(serial uint64) string {
	sum := md5.Sum(fmt.Appendf(nil, "version %d", serial))
	return hexDigest(sum)
}

// found looks an object up for a reading operation, asks for the permission,
// and answers as S3 does where it is not there.
func (q *s3Call) found(action string) (*s3Version, error) {
	return q.foundIn(q.bucket, q.target.Key, q.query.Get("versionId"), action, nil)
}

func (q *s3Call) foundIn(b *s3Bucket, key, id, action string, cond map[string][]string) (*s3Version, error) {
	v := b.version(key, id)
	if id != "" {
		action = versioned(action, id)
		cond = withCondition(cond, "s3:VersionId", id)
	}
	if err := q.permitObject(b, action, key, v, cond); err != nil {
		return nil, err
	}
	switch {
	case v == nil && id != "":
		e := newError(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
		e.Fields = map[string]string{"Key": key, "VersionId": id}
		return nil, e
	case v == nil:
		return nil, q.missing(b, key)
	case v.marker:
		return nil, q.deleted(b, v, key, id)
	}
	return v, nil
}

// deleted is the answer for a delete marker.
func (q *s3Call) deleted(b *s3Bucket, v *s3Version, key, id string) error {
	h := q.w.Header()
	if id != "" {
		h.Set("X-Amz-Delete-Marker", "true")
		h.Set("Allow", "DELETE")
		h.Set("Last-Modified", v.modified.UTC().Format(http.TimeFormat))
		e := newError(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
		e.Fields = map[string]string{"Method": q.r.Method, "ResourceType": "DeleteMarker"}
		return e
	}
	err := q.missing(b, key)
	h.Set("X-Amz-Delete-Marker", "true")
	h.Set("X-Amz-Version-Id", v.id)
	return err
}

func withCondition(cond map[string][]string, key, value string) map[string][]string {
	out := make(map[string][]string, len(cond)+1)
	maps.Copy(out, cond)
	out[key] = []string{value}
	return out
}
