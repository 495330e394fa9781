package sandbox

import (
	"encoding/xml"
	"errors"
	"net/http"
)

// A deletion is one object that is to be deleted.
type deletion struct {
	Key              string
	VersionID        string `xml:"VersionId"`
	ETag             string
	LastModifiedTime string
	Size             string
}

// A removal is what a deletion did.
type removal struct {
	marker bool   // a delete marker was made, or removed
	id     string // the version that was made or removed
}

func (q *s3Call) deleteObject() error {
	d := deletion{Key: q.target.Key, VersionID: q.query.Get("versionId"), ETag: q.r.Header.Get("If-Match")}
	done, err := q.delete(d)
	if err != nil {
		return err
	}
	h := q.w.Header()
	if done.id != "" {
		h.Set("X-Amz-Version-Id", done.id)
	}
	if done.marker {
		h.Set("X-Amz-Delete-Marker", "true")
	}
	return q.empty(http.StatusNoContent)
}

// delete removes a version, or hides the current one behind a marker.
func (q *s3Call) delete(d deletion) (removal, error) {
	b := q.bucket
	old := b.version(d.Key, d.VersionID)
	cond := map[string][]string{}
	if d.ETag != "" {
		cond["s3:if-match"] = []string{d.ETag}
	}
	if d.VersionID != "" {
		cond["s3:VersionId"] = []string{d.VersionID}
	}
	if err := q.permitObject(b, versioned("s3:DeleteObject", d.VersionID), d.Key, old, cond); err != nil {
		return removal{}, err
	}
	if d.ETag != "" && d.ETag != "*" {
		if err := q.permitObject(b, versioned("s3:GetObject", d.VersionID), d.Key, old, nil); err != nil {
			return removal{}, err
		}
	}
	bypass := q.bypasses(d.Key)
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.keys.get(d.Key)
	if err := checkDeletion(d, k); err != nil {
		return removal{}, err
	}
	if d.VersionID != "" {
		return b.removeVersion(k, d.VersionID, func(v *s3Version) bool { return v.lock.guards(q.now, bypass) })
	}
	if b.versioning == "" {
		b.keys.remove(d.Key)
		return removal{}, nil
	}
	m := &s3Version{marker: true, modified: q.now, owner: b.owner}
	b.store(b.keys.ensure(d.Key), m)
	return removal{marker: true, id: m.id}, nil
}

// checkDeletion applies a deletion's condition.
func checkDeletion(d deletion, k *s3Key) error {
	if d.ETag == "" {
		return nil
	}
	v := k.current()
	if d.VersionID != "" {
		v = k.find(d.VersionID)
	}
	switch {
	case v == nil || v.marker:
		if d.ETag == "*" {
			return preconditionFailed("If-Match")
		}
		return newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case !matchesETag(d.ETag, v.etag):
		return preconditionFailed("If-Match")
	default:
		return nil
	}
}

// removeVersion forgets one version for good. b.mu is held.
func (b *s3Bucket) removeVersion(k *s3Key, id string, guarded func(*s3Version) bool) (removal, error) {
	done := removal{id: id}
	v := k.find(id)
	if v == nil {
		return done, nil
	}
	if guarded(v) {
		return removal{}, denied("Access Denied because object protected by object lock.")
	}
	done.marker = v.marker
	kept := make([]*s3Version, 0, len(k.versions)-1)
	for _, other := range k.versions {
		if other != v {
			kept = append(kept, other)
		}
	}
	if k.versions = kept; len(kept) == 0 {
		b.keys.remove(k.name)
	}
	return done, nil
}

func (q *s3Call) deleteObjects() error {
	if q.r.Header.Get("Content-MD5") == "" {
		sum, err := q.askedSum()
		if err != nil {
			return err
		}
		if sum == "" && len(q.trailer) == 0 && q.r.Header.Get("X-Amz-Trailer") == "" {
			return invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
		}
	}
	var doc struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Objects []deletion `xml:"Object"`
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	if len(doc.Objects) == 0 || len(doc.Objects) > maxListKeys {
		return malformedXML()
	}
	x := newXML(256 + 128*len(doc.Objects))
	x.root("DeleteResult")
	for _, d := range doc.Objects {
		done, err := q.deleteOne(d)
		var e *apiError
		switch {
		case errors.As(err, &e):
			x.open("Error")
			x.text("Key", d.Key)
			x.optional("VersionId", d.VersionID)
			x.text("Code", e.Code)
			x.text("Message", e.Message)
			x.close("Error")
		case !doc.Quiet:
			x.deleted(d, done)
		}
	}
	x.close("DeleteResult")
	return q.answer(x)
}

func (q *s3Call) deleteOne(d deletion) (removal, error) {
	if d.Key == "" {
		return removal{}, newError(http.StatusBadRequest, "UserKeyMustBeSpecified", "Missing key")
	}
	if d.LastModifiedTime != "" || d.Size != "" {
		return removal{}, newError(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented")
	}
	if err := checkKey(d.Key); err != nil {
		return removal{}, err
	}
	return q.delete(d)
}

// deleted writes the answer about one key.
func (x *xmlWriter) deleted(d deletion, done removal) {
	x.open("Deleted")
	x.text("Key", d.Key)
	x.optional("VersionId", d.VersionID)
	if done.marker {
		x.bool("DeleteMarker", true)
		x.text("DeleteMarkerVersionId", done.id)
	}
	x.close("Deleted")
}
