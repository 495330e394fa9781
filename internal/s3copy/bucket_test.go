package s3copy

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc64"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// stored is an object of the fake bucket.
type stored struct {
	Details
	body  []byte
	tags  []Tag
	parts []Bytes // layout, of an object made by parts

	id     string // version
	marker bool   // a delete marker
}

// bucket is an S3 bucket in memory, with switchable faults.
type bucket struct {
	mu         sync.Mutex
	objects    map[string]*stored
	uploads    map[string]*pendingUpload
	from       *bucket // where copies come from
	kms        bool    // new objects are encrypted by KMS: their ETags say nothing
	bare       bool    // new objects get no checksum
	deaf       bool    // locks are said to be set, and are not
	page       func() int
	hidesLocks bool                       // from HEAD, as S3 does to who may not read them
	fault      func(op, key string) error // asked before every request
	hook       func(op, key string)       // told after every request that changed something
	calls      map[string]int
	copies     map[string]int // finished copies and uploads by key
	clock      time.Time
	ids        int

	conditions conditions // of deletions

	versions  bool                 // all of them are kept and listed
	suspended bool                 // and what is written is the version null
	chains    map[string][]*stored // the newest first
}

// conditions is what a server makes of them.
type conditions int

const (
	heeded conditions = iota
	ignored
	refused
)

type pendingUpload struct {
	req     UploadRequest
	parts   map[int]Part
	bodies  map[int][]byte
	started time.Time
}

func newBucket(from *bucket) *bucket {
	return &bucket{
		objects: map[string]*stored{}, uploads: map[string]*pendingUpload{}, from: from,
		calls: map[string]int{}, copies: map[string]int{}, chains: map[string][]*stored{},
		clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// enter counts a request and lets the fault speak. It leaves the bucket locked.
func (b *bucket) enter(op, key string) error {
	if b.fault != nil {
		if err := b.fault(op, key); err != nil {
			b.mu.Lock()
			b.calls[op]++
			return err
		}
	}
	b.mu.Lock()
	b.calls[op]++
	return nil
}

func (b *bucket) done(op, key string) {
	b.mu.Unlock()
	if b.hook != nil {
		b.hook(op, key)
	}
}

// put stores an object of one part; putParts one of several.
func (b *bucket) put(key, body string) *stored {
	return b.store(key, []byte(body), nil, UploadRequest{})
}

func (b *bucket) putParts(key string, bodies ...string) *stored {
	var sizes []Bytes
	for _, p := range bodies {
		sizes = append(sizes, Bytes(len(p)))
	}
	return b.store(key, []byte(strings.Join(bodies, "")), sizes, UploadRequest{})
}

func (b *bucket) store(key string, body []byte, parts []Bytes, req UploadRequest) *stored {
	b.ids++
	b.clock = b.clock.Add(time.Second)
	o := &stored{body: slices.Clone(body), tags: req.Tags, parts: parts}
	o.Key, o.Size, o.Modified = key, Bytes(len(body)), b.clock
	o.StorageClass, o.Headers, o.Lock = req.StorageClass, req.Headers, req.Lock
	o.ETag = etagFor(body, parts)
	o.Encryption.Algorithm = sseS3
	if b.kms {
		o.Encryption = Encryption{Algorithm: "aws:kms", KMSKeyID: "key"}
		o.ETag = md5hex(fmt.Appendf(nil, "%d %s", b.ids, key))
		if parts != nil {
			o.ETag += fmt.Sprintf("-%d", len(parts))
		}
	}
	if !b.bare {
		o.Checksum, o.Algorithm = FullObject, "CRC64NVME"
		o.Checksums = map[string]string{"CRC64NVME": crcOf(body)}
	}
	b.objects[key] = o
	b.push(key, o)
	return o
}

func md5hex(b []byte) string { s := md5.Sum(b); return hex.EncodeToString(s[:]) }

func crcOf(body []byte) string {
	sum := crc64.Checksum(body, crc64.MakeTable(0x9a6c9329ac4bc9b5))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, sum))
}

func etagFor(body []byte, parts []Bytes) string {
	if parts == nil {
		return md5hex(body)
	}
	var etags []string
	for _, n := range parts {
		etags = append(etags, md5hex(body[:n]))
		body = body[n:]
	}
	return multipartETag(etags)
}

func (b *bucket) ListPage(_ context.Context, r PageRequest, buf []Object) (Page, error) {
	err := b.enter("list", r.Prefix)
	defer b.mu.Unlock()
	if err != nil {
		return Page{}, err
	}
	after := r.After
	if legalStart(after) != after {
		return Page{}, fmt.Errorf("illegal start-after %q", after)
	}
	if r.Token != "" {
		after = strings.TrimPrefix(r.Token, "t:")
		after, _, _ = strings.Cut(after, "\x00#")
	}
	most := 1000
	if b.page != nil {
		most = b.page()
	}
	p := Page{Objects: buf}
	for _, key := range b.names() {
		if key <= after || !strings.HasPrefix(key, r.Prefix) {
			continue
		}
		if len(p.Objects) == most {
			p.More = true
			break
		}
		p.Objects = append(p.Objects, b.listed(key))
	}
	if p.More {
		b.ids++
		if len(p.Objects) > 0 {
			after = p.Objects[len(p.Objects)-1].Key
		}
		p.Token = fmt.Sprintf("t:%s\x00#%d", after, b.ids)
	}
	return p, nil
}

func (b *bucket) Head(_ context.Context, r HeadRequest) (Details, error) {
	err := b.enter("head", r.Key)
	defer b.mu.Unlock()
	if err != nil {
		return Details{}, err
	}
	o, ok := b.find(r.Key, r.VersionID)
	if !ok {
		return Details{}, ErrNotFound
	}
	d := o.Details
	if b.hidesLocks {
		d.Lock = Lock{}
	}
	if !r.Checksums {
		d.Checksums = nil
	}
	if r.Part > 0 && o.parts != nil {
		d.Parts, d.PartSize = len(o.parts), o.parts[r.Part-1]
	}
	return d, nil
}

func (b *bucket) Tags(_ context.Context, key, versionID string) ([]Tag, error) {
	err := b.enter("tags", key)
	defer b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	o, ok := b.find(key, versionID)
	if !ok {
		return nil, ErrNotFound
	}
	return o.tags, nil
}

func (b *bucket) ReadLock(_ context.Context, key string) (Lock, error) {
	err := b.enter("readlock", key)
	defer b.mu.Unlock()
	switch {
	case err != nil:
		return Lock{}, err
	case b.hidesLocks:
		return Lock{}, ErrDenied
	}
	return b.objects[key].Lock, nil
}

func (b *bucket) SetLock(_ context.Context, key, _ string, l Lock) error {
	err := b.enter("setlock", key)
	defer b.done("setlock", key)
	o := b.objects[key]
	switch {
	case err != nil || b.deaf:
		return err
	case l.Mode != "" && (l.Until.Before(o.Lock.Until) || o.Lock.Mode == compliance && l.Mode != compliance):
		return ErrDenied
	case l.Mode != "":
		o.Lock.Mode, o.Lock.Until = l.Mode, l.Until
	}
	o.Lock.LegalHold = o.Lock.LegalHold || l.LegalHold
	return nil
}

func (b *bucket) Open(_ context.Context, r OpenRequest) (io.ReadCloser, error) {
	err := b.enter("open", r.Key)
	defer b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	body, err := b.read(r.Key, r.VersionID, r.IfMatch, r.Offset, r.Offset+r.Length-1)
	return io.NopCloser(bytes.NewReader(body)), err
}

// read gives bytes of an object. The caller holds the lock.
func (b *bucket) read(key, version, match string, first, last Bytes) ([]byte, error) {
	o, ok := b.find(key, version)
	switch {
	case !ok:
		return nil, ErrNotFound
	case o.ETag != match:
		return nil, ErrChanged
	case archivedNow(&o.Object):
		return nil, ErrArchived
	}
	return o.body[first : last+1], nil
}

// source gives the copy's source object under the source's lock.
func (b *bucket) source(key, version, match string) (stored, error) {
	b.from.mu.Lock()
	defer b.from.mu.Unlock()
	o, ok := b.from.find(key, version)
	switch {
	case !ok:
		return stored{}, ErrNotFound
	case o.ETag != match:
		return stored{}, ErrChanged
	case archivedNow(&o.Object):
		return stored{}, ErrArchived
	}
	return *o, nil
}

func (b *bucket) CopyObject(_ context.Context, r CopyRequest) (Copied, error) {
	err := b.enter("copy", r.Key)
	defer b.done("copy", r.Key)
	if err != nil {
		return Copied{}, err
	}
	src, err := b.source(r.SourceKey, r.SourceVersion, r.IfMatch)
	if err != nil {
		return Copied{}, err
	}
	if _, ok := b.objects[r.Key]; ok && r.IfNoneMatch {
		return Copied{}, ErrExists
	}
	req := UploadRequest{Headers: src.Headers, StorageClass: r.StorageClass, Lock: r.Lock}
	req.Headers.WebsiteRedirect = r.WebsiteRedirect
	if !r.DropTags {
		req.Tags = src.tags
	}
	b.copies[r.Key]++
	o := b.store(r.Key, src.body, nil, req)
	return b.answer(o), nil
}

func (b *bucket) CreateUpload(_ context.Context, r UploadRequest) (string, error) {
	err := b.enter("create", r.Key)
	defer b.done("create", r.Key)
	if err != nil {
		return "", err
	}
	b.ids++
	id := fmt.Sprintf("upload-%d", b.ids)
	b.uploads[id] = &pendingUpload{req: r, parts: map[int]Part{}, bodies: map[int][]byte{}, started: time.Now()}
	return id, nil
}

func (b *bucket) CopyPart(_ context.Context, r PartRequest) (Part, error) {
	err := b.enter("part", r.Key)
	defer b.done("part", r.Key)
	if err != nil {
		return Part{}, err
	}
	src, err := b.source(r.SourceKey, r.SourceVersion, r.IfMatch)
	if err != nil {
		return Part{}, err
	}
	return b.addPart(r.UploadID, r.Number, src.body[r.First:r.Last+1])
}

func (b *bucket) addPart(id string, number int, body []byte) (Part, error) {
	u, ok := b.uploads[id]
	if !ok {
		return Part{}, ErrNoUpload
	}
	p := Part{Number: number, Size: Bytes(len(body)), ETag: md5hex(body)}
	u.parts[number], u.bodies[number] = p, slices.Clone(body)
	return p, nil
}

func (b *bucket) CompleteUpload(_ context.Context, r CompleteRequest) (Copied, error) {
	err := b.enter("complete", r.Key)
	defer b.done("complete", r.Key)
	if err != nil {
		return Copied{}, err
	}
	u, ok := b.uploads[r.UploadID]
	if !ok {
		return Copied{}, ErrNoUpload
	}
	if _, ok := b.objects[r.Key]; ok && r.IfNoneMatch {
		return Copied{}, ErrExists
	}
	var body []byte
	var sizes []Bytes
	for i, p := range r.Parts {
		if p.Number != i+1 || u.parts[p.Number].ETag != p.ETag {
			return Copied{}, fmt.Errorf("invalid part %d", p.Number)
		}
		body = append(body, u.bodies[p.Number]...)
		sizes = append(sizes, u.parts[p.Number].Size)
	}
	delete(b.uploads, r.UploadID)
	b.copies[r.Key]++
	o := b.store(r.Key, body, sizes, u.req)
	return b.answer(o), nil
}

func (b *bucket) AbortUpload(_ context.Context, key, id string) error {
	err := b.enter("abort", key)
	defer b.done("abort", key)
	if err != nil {
		return err
	}
	if _, ok := b.uploads[id]; !ok {
		return ErrNoUpload
	}
	delete(b.uploads, id)
	return nil
}

func (b *bucket) ListParts(_ context.Context, key, id string) ([]Part, error) {
	err := b.enter("parts", key)
	defer b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	u, ok := b.uploads[id]
	if !ok {
		return nil, ErrNoUpload
	}
	return slices.Collect(maps.Values(u.parts)), nil
}

func (b *bucket) ListUploads(_ context.Context, prefix string) ([]PendingUpload, error) {
	err := b.enter("uploads", prefix)
	defer b.mu.Unlock()
	var out []PendingUpload
	for id, u := range b.uploads {
		if strings.HasPrefix(u.req.Key, prefix) {
			out = append(out, PendingUpload{Key: u.req.Key, ID: id, Initiated: u.started})
		}
	}
	return out, err
}

func (b *bucket) PutObject(_ context.Context, r UploadRequest, body []byte) (Copied, error) {
	err := b.enter("put", r.Key)
	defer b.done("put", r.Key)
	if err != nil {
		return Copied{}, err
	}
	b.copies[r.Key]++
	o := b.store(r.Key, body, nil, r)
	return b.answer(o), nil
}

func (b *bucket) PutPart(_ context.Context, key, id string, number int, body []byte) (Part, error) {
	err := b.enter("putpart", key)
	defer b.done("putpart", key)
	if err != nil {
		return Part{}, err
	}
	return b.addPart(id, number, body)
}

func (b *bucket) DeleteObjects(_ context.Context, objects []Deletion) ([]error, error) {
	err := b.enter("delete", "")
	defer b.done("delete", "")
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(objects))
	for i, d := range objects {
		o, ok := b.objects[d.Key]
		switch {
		case len(objects) > 1 && !plainXML(d.Key):
			errs[i] = fmt.Errorf("xml cannot hold %q", d.Key)
		case b.versions:
			b.purge(d)
		case !ok:
		case d.ETag != "" && b.conditions == refused:
			errs[i] = ErrUnsupported
		case d.ETag != "" && o.ETag != d.ETag && b.conditions != ignored:
			errs[i] = ErrChanged
		default:
			delete(b.objects, d.Key)
		}
	}
	return errs, nil
}

func (b *bucket) Restore(_ context.Context, r RestoreRequest) error {
	err := b.enter("restore", r.Key)
	defer b.done("restore", r.Key)
	return err
}
