package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// A VersionInfo is one version of a key, or a delete marker, of which only key, ID, owner and date are told.
type VersionInfo struct {
	ObjectInfo
	DeleteMarker bool
	Body         string
}

// Versions lists all that a bucket holds, in the order of the keys and the oldest first; nil where there is no such bucket.
func (s *Server) Versions(bucket string) []VersionInfo {
	b, err := s.s3.find(bucket)
	if err != nil {
		return nil
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := []VersionInfo{}
	b.keys.ascend("", false, func(k *s3Key) bool {
		for _, v := range slices.Backward(k.versions) {
			all = append(all, v.told(k.name))
		}
		return true
	})
	return all
}

func (v *s3Version) told(key string) VersionInfo {
	if v.marker {
		return VersionInfo{DeleteMarker: true, ObjectInfo: ObjectInfo{Key: key, VersionID: v.id, Owner: v.owner, LastModified: v.modified}}
	}
	var body strings.Builder
	_, _ = v.body.WriteTo(&body) // into memory
	return VersionInfo{ObjectInfo: v.info(key), Body: body.String()}
}

// DeleteObject deletes a key as a client does that names no version, whatever the policies say: where the bucket keeps
// versions, a delete marker hides it.
func (s *Server) DeleteObject(bucket, key string) error {
	b, err := s.s3.find(bucket)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.versioning == "" {
		b.keys.remove(key)
		return nil
	}
	b.store(b.keys.ensure(key), &s3Version{marker: true, modified: s.now(), owner: b.owner})
	return nil
}

// RemoveVersion removes one version for good, whatever the policies say.
func (s *Server) RemoveVersion(bucket, key, id string) error {
	b, err := s.s3.find(bucket)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.keys.get(key); k != nil {
		_, err = b.removeVersion(k, id, func(*s3Version) bool { return false })
	}
	return err
}

// SetVersioning sets a bucket's versioning: "Enabled" or "Suspended".
func (s *Server) SetVersioning(bucket, status string) error {
	b, err := s.s3.find(bucket)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.versioning = status
	return nil
}

// TagVersion sets one tag of a version beside its others, whatever the policies say.
func (s *Server) TagVersion(bucket, key, id, name, value string) error {
	b, err := s.s3.find(bucket)
	if err != nil {
		return err
	}
	v := b.version(key, id)
	if v == nil {
		return newError(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	}
	changed := *v
	changed.tags = append(slices.DeleteFunc(slices.Clone(v.tags), func(t s3Tag) bool { return t.Key == name }), s3Tag{name, value})
	b.replace(key, v, &changed)
	return nil
}
