package runner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"xplan/internal/s3copy"
)

// memory is a bucket in memory: single-part objects that are copied from one other bucket.
type memory struct {
	mu       sync.Mutex
	from     *memory
	objects  map[string]thing
	uploads  []s3copy.PendingUpload
	aborted  []string
	restored []string
	fail     map[string]error // by key, of copies and deletions
	deleted  func()           // called after a deletion
	bare     []string         // deleted without a condition
}

type thing struct {
	s3copy.Object
	body string
}

func newMemory() *memory {
	return &memory{objects: map[string]thing{}, fail: map[string]error{}}
}

func (m *memory) put(key, body string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := md5.Sum([]byte(body))
	m.objects[key] = thing{body: body, Object: s3copy.Object{
		Key: key, Size: s3copy.Bytes(len(body)), ETag: hex.EncodeToString(sum[:]), Modified: time.Unix(1, 0),
	}}
}

func (m *memory) ReadLock(context.Context, string) (s3copy.Lock, error) { return s3copy.Lock{}, nil }

func (m *memory) SetLock(context.Context, string, string, s3copy.Lock) error {
	return s3copy.ErrUnsupported
}

// opaque makes an object's ETag say nothing, as under KMS or in parts.
func (m *memory) opaque(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[key]
	o.ETag = "0123-2"
	m.objects[key] = o
}

func (m *memory) keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.objects))
}

func (m *memory) ListPage(_ context.Context, r s3copy.PageRequest, buf []s3copy.Object) (s3copy.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := s3copy.Page{Objects: buf}
	after := max(r.After, r.Token)
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		if key <= after || !strings.HasPrefix(key, r.Prefix) {
			continue
		}
		if len(p.Objects) == cmp.Or(r.Max, 1000) {
			p.More, p.Token = true, p.Objects[len(p.Objects)-1].Key
			break
		}
		p.Objects = append(p.Objects, m.objects[key].Object)
	}
	return p, nil
}

func (m *memory) get(key, match string) (thing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	switch {
	case !ok:
		return o, s3copy.ErrNotFound
	case match != "" && o.ETag != match:
		return o, s3copy.ErrChanged
	}
	return o, nil
}

func (m *memory) Head(_ context.Context, r s3copy.HeadRequest) (s3copy.Details, error) {
	o, err := m.get(r.Key, "")
	return s3copy.Details{Object: o.Object}, err
}

func (m *memory) Tags(context.Context, string, string) ([]s3copy.Tag, error) { return nil, nil }

func (m *memory) Open(_ context.Context, r s3copy.OpenRequest) (io.ReadCloser, error) {
	o, err := m.get(r.Key, r.IfMatch)
	if err != nil {
		return nil, err
	}
	end := int64(len(o.body))
	if r.Length > 0 {
		end = int64(r.Offset + r.Length)
	}
	return io.NopCloser(bytes.NewReader([]byte(o.body)[r.Offset:end])), nil
}

func (m *memory) CopyObject(_ context.Context, r s3copy.CopyRequest) (s3copy.Copied, error) {
	if err := m.fail[r.Key]; err != nil {
		return s3copy.Copied{}, err
	}
	o, err := m.from.get(r.SourceKey, r.IfMatch)
	if err != nil {
		return s3copy.Copied{}, err
	}
	m.put(r.Key, o.body)
	return s3copy.Copied{ETag: o.ETag}, nil
}

var errSinglePart = errors.New("this bucket knows objects of one part only")

func (m *memory) CreateUpload(context.Context, s3copy.UploadRequest) (string, error) {
	return "", errSinglePart
}

func (m *memory) CopyPart(context.Context, s3copy.PartRequest) (s3copy.Part, error) {
	return s3copy.Part{}, errSinglePart
}

func (m *memory) CompleteUpload(context.Context, s3copy.CompleteRequest) (s3copy.Copied, error) {
	return s3copy.Copied{}, errSinglePart
}

func (m *memory) AbortUpload(_ context.Context, key, id string) error {
	m.aborted = append(m.aborted, key+" "+id)
	return m.fail[key]
}

func (m *memory) ListParts(context.Context, string, string) ([]s3copy.Part, error) {
	return nil, s3copy.ErrNoUpload
}

func (m *memory) ListUploads(_ context.Context, prefix string) ([]s3copy.PendingUpload, error) {
	var found []s3copy.PendingUpload
	for _, u := range m.uploads {
		if strings.HasPrefix(u.Key, prefix) {
			found = append(found, u)
		}
	}
	return found, m.fail["uploads"]
}

func (m *memory) PutObject(_ context.Context, r s3copy.UploadRequest, body []byte) (s3copy.Copied, error) {
	m.put(r.Key, string(body))
	o, err := m.get(r.Key, "")
	return s3copy.Copied{ETag: o.ETag}, err
}

func (m *memory) PutPart(context.Context, string, string, int, []byte) (s3copy.Part, error) {
	return s3copy.Part{}, errSinglePart
}

func (m *memory) DeleteObjects(_ context.Context, objects []s3copy.Deletion) ([]error, error) {
	if m.deleted != nil {
		defer m.deleted()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	errs := make([]error, len(objects))
	for i, o := range objects {
		if o.ETag != "" && o.ETag != m.objects[o.Key].ETag {
			errs[i] = s3copy.ErrChanged
			continue
		}
		if o.ETag == "" {
			m.bare = append(m.bare, o.Key)
		}
		if errs[i] = m.fail[o.Key]; errs[i] == nil {
			delete(m.objects, o.Key)
		}
	}
	return errs, nil
}

func (m *memory) Restore(_ context.Context, r s3copy.RestoreRequest) error {
	key := r.Key
	m.restored = append(m.restored, key)
	return nil
}

// PutMarker is for buckets that keep versions, and this one does not.
func (m *memory) PutMarker(context.Context, string) (string, error) { return "", s3copy.ErrUnversioned }
