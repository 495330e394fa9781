package s3copy

import (
	"cmp"
	"errors"
	"strings"
)

// SmallBytes is the size below which the infrequent-access classes bill an object as of this
// size (S3's user guide, "Using Amazon S3 storage classes").
const SmallBytes Bytes = 128 << 10

// Work is what a scan found to write of one storage class.
type Work struct {
	Count
	Small   Count // of these, the ones below SmallBytes
	Frozen  Count // of these, the archived ones that have to be restored first
	Thawing Count // of the frozen ones, those whose restore is under way already
	// ByParts is how many are copied by parts, and Parts by how many of them. Where a server
	// cannot do that, or an odd layout forbids it, the copy may do otherwise.
	ByParts, Parts int64
}

// work counts an object that is to be written.
func (n *notes) work(src *Object, out outcome, l Limits) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := entry(&n.todo, cmp.Or(src.StorageClass, standardClass))
	w.Add(out.size)
	if out.size < SmallBytes {
		w.Small.Add(out.size)
	}
	if archivedNow(src) {
		n.waiting++
		w.Frozen.Add(out.size)
	}
	if out.thawed {
		n.thawing.Add(out.size)
		w.Thawing.Add(out.size)
	}
	if parts := l.partsFor(src); parts > 0 {
		w.ByParts++
		w.Parts += parts
	}
	if out.state == isChanged {
		entry(&n.changed, changedBy(out.reason)).Add(out.size)
	}
}

// archive counts an object that is skipped since it is archived.
func (n *notes) archive(src *Object) {
	n.mu.Lock()
	defer n.mu.Unlock()
	entry(&n.archived, src.StorageClass).Add(src.Size)
}

// unread counts an object that will fail.
func (n *notes) unread(out outcome) {
	n.mu.Lock()
	defer n.mu.Unlock()
	entry(&n.unreadable, out.why).Add(out.size)
}

// partsFor is by how many parts the object is copied, as far as its listing tells; 0: by one request.
func (l Limits) partsFor(src *Object) int64 {
	own := partsOf(src.ETag)
	switch {
	case src.Size == 0:
		return 0
	case own > 0:
		return int64(own)
	case src.Size <= l.PartThreshold:
		return 0
	}
	part := evenPart(src.Size, l.partSize(src.Size))
	return int64((src.Size + part - 1) / part)
}

// The whys of unreadable objects.
const (
	customerKey  = "customer_key"
	badKey       = "key"
	foreignOwner = "foreign_owner"
)

// keepsChanging is why an object failed whose source was written to under each try.
const keepsChanging = "changed"

// whyNot names why an object cannot be read.
func whyNot(err error) string {
	switch {
	case errors.Is(err, ErrCustomerKey):
		return customerKey
	case errors.Is(err, ErrDenied):
		return "denied"
	default:
		return "error"
	}
}

// changedBy names the kind of reason for which an object counts as changed.
func changedBy(reason string) string {
	switch {
	case strings.HasPrefix(reason, "size "):
		return "size"
	case strings.HasPrefix(reason, "etag "), strings.HasPrefix(reason, "the MD5 "):
		return "etag"
	case reason == string(unlike):
		return "attributes"
	case strings.HasSuffix(reason, "checksum differs"):
		return "checksum"
	case strings.HasSuffix(reason, versionsStand):
		return "versions"
	default:
		return "unknown"
	}
}

// entry gives a map's value to change.
func entry[V any](m *map[string]*V, name string) *V {
	if *m == nil {
		*m = make(map[string]*V)
	}
	v := (*m)[name]
	if v == nil {
		v = new(V)
		(*m)[name] = v
	}
	return v
}

// flat is the map by value.
func flat[V any](m map[string]*V) map[string]V {
	out := make(map[string]V, len(m))
	for name, v := range m {
		out[name] = *v
	}
	return out
}
