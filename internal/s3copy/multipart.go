package s3copy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// copyLarge copies by parts: in the source's own layout where it has one, so that the
// ETags compare. An object of one part that carries neither a checksum nor a layout to
// prove its copy by is copied whole as far as the server can: its ETag then proves it.
func (r *run) copyLarge(ctx context.Context, t *task, to string, fresh bool) (Copied, error) {
	d, err := r.head(ctx, r.job.Source, HeadRequest{Key: t.src.Key, VersionID: t.version, Checksums: true})
	switch {
	case err != nil:
		return Copied{}, fmt.Errorf("head the source: %w", err)
	case d.ETag != t.src.ETag:
		return Copied{}, ErrChanged
	}
	parts, err := r.sourceParts(ctx, &t.src, t.version)
	if err != nil {
		return Copied{}, err
	}
	algo, kind := uploadChecksum(&d, parts != nil)
	if parts == nil {
		unproven := algo == "" && digestETag(&d)
		if t.src.Size <= r.limits.PartThreshold || unproven && t.src.Size <= singleMax {
			return r.copyWhole(ctx, t, to, fresh, &d)
		}
		parts = evenParts(t.src.Size, r.limits.partSize(t.src.Size))
	}
	req, err := r.uploadRequest(ctx, t, to, &d)
	if err != nil {
		return Copied{}, err
	}
	req.ChecksumAlgo, req.ChecksumType = algo, kind
	answer, err := r.byUpload(ctx, t, req, parts, fresh)
	if errors.Is(err, ErrUnsupported) && t.src.Size <= singleMax { // not every server copies parts
		return r.copyWhole(ctx, t, to, fresh, &d)
	}
	return answer, err
}

// errSums is a server's answer to the copy of a part that cannot be the part's checksum:
// some take over the composite one of the source, and refuse it afterwards.
var errSums = errors.New("the server answered a part with the whole object's checksum")

// byUpload copies through an upload of the given parts; without a checksum of our own
// choice where the server gets that wrong.
func (r *run) byUpload(ctx context.Context, t *task, req UploadRequest, sizes []Bytes, fresh bool) (Copied, error) {
	for {
		if r.sumless.Load() {
			req.ChecksumAlgo, req.ChecksumType = "", ""
		}
		u, kept, err := r.upload(ctx, &t.src, req, sizes)
		if err != nil {
			return Copied{}, err
		}
		p := partwise{task: t, upload: u, sizes: sizes, kept: kept, fresh: fresh, summed: req.ChecksumAlgo != ""}
		answer, err := r.copyByParts(ctx, &p)
		err = r.afterUpload(ctx, u, err)
		if !errors.Is(err, errSums) || !p.summed {
			return answer, err
		}
		r.sumless.Store(true) // nor any other object's
	}
}

// uploadChecksum chooses the checksum that will compare with the source's: one over
// the whole object, or with the source's own layout the composite one it has.
func uploadChecksum(d *Details, ownLayout bool) (algo string, kind ChecksumType) {
	for _, algo := range []string{"CRC64NVME", "CRC32C", "CRC32"} {
		if v := d.Checksums[algo]; v != "" && fullChecksum(d, v) {
			return algo, FullObject
		}
	}
	if ownLayout && d.Checksum == Composite {
		for _, algo := range []string{"SHA256", "SHA1", "CRC32C", "CRC32"} {
			if d.Checksums[algo] != "" {
				return algo, Composite
			}
		}
	}
	return "", ""
}

// digestChecksum is the checksum that an object has by a digest over all its bytes; "" where it has none.
func digestChecksum(d *Details) string {
	for _, algo := range []string{"SHA256", "SHA1"} {
		if v := d.Checksums[algo]; v != "" && fullChecksum(d, v) {
			return algo
		}
	}
	return ""
}

// uploadRequest gathers what an upload does not take over by itself.
func (r *run) uploadRequest(ctx context.Context, t *task, to string, d *Details) (UploadRequest, error) {
	lock, err := r.lockOf(ctx, t, d)
	req := UploadRequest{
		Key: to, Headers: d.Headers, StorageClass: r.class(&t.src), ACL: r.job.Rules.ACL, Once: t.version != "", Lock: lock,
	}
	if err != nil || !r.job.Rules.Tags {
		return req, err
	}
	req.Tags, err = paced(ctx, r, t.src.Key, func(ctx context.Context) ([]Tag, error) { return r.job.Source.Tags(ctx, t.src.Key, t.version) })
	if err != nil && !errors.Is(err, ErrUnsupported) { // a server without tags has none to lose
		return req, fmt.Errorf("read the source's tags: %w", err)
	}
	return req, nil
}

// partwise is one object's way through an upload.
type partwise struct {
	*task
	upload Upload
	sizes  []Bytes
	kept   map[int]Part // parts that stand already
	fresh  bool         // nothing may be replaced
	summed bool         // the upload was begun with a checksum of our choice
	parts  []Part       // in order
	local  []string     // the ETags that streamed parts ought to have
}

// copyByParts copies the parts that do not stand yet, and completes the upload.
func (r *run) copyByParts(ctx context.Context, p *partwise) (Copied, error) {
	todo := make([]PartRequest, 0, len(p.sizes))
	p.parts = make([]Part, len(p.sizes))
	var first Bytes
	for i, size := range p.sizes {
		kept, ok := p.kept[i+1]
		p.parts[i] = kept
		if !ok {
			todo = append(todo, PartRequest{
				SourceKey: p.src.Key, SourceVersion: p.version, Key: p.upload.Key, UploadID: p.upload.ID, IfMatch: p.src.ETag,
				Number: i + 1, First: first, Last: first + size - 1,
			})
		}
		first += size
	}
	if r.job.Streaming {
		p.local = make([]string, len(p.sizes))
	}
	if err := r.putParts(ctx, todo, p); err != nil {
		return Copied{}, err
	}
	if r.job.Streaming {
		p.streamed = multipartETag(p.local)
	}
	return r.complete(ctx, p.task, CompleteRequest{
		Key: p.upload.Key, UploadID: p.upload.ID, Parts: p.parts, IfNoneMatch: p.fresh,
	})
}

// putPart brings one part over.
func (r *run) putPart(ctx context.Context, req PartRequest, p *partwise) error {
	var part Part
	var err error
	if r.job.Streaming {
		part, err = r.streamPart(ctx, req, p.local)
	} else {
		part, err = paced(ctx, r, req.Key, func(ctx context.Context) (Part, error) { return r.job.Destination.CopyPart(ctx, req) })
	}
	if err == nil && part.ETag == "" {
		err = ErrEmptyAnswer
	}
	for _, sum := range part.Checksums {
		if strings.Contains(sum, "-") {
			part.Checksums = nil
			if p.summed && err == nil {
				err = errSums
			}
			break
		}
	}
	if err != nil {
		return fmt.Errorf("copy part %d: %w", req.Number, err)
	}
	part.Number, part.Size = req.Number, req.Last-req.First+1
	p.parts[part.Number-1] = part
	r.count.BytesCopied.Add(int64(part.Size))
	return nil
}

// putParts brings parts over side by side. The caller's slot carries one lane, further
// lanes run while there are slots free for them. Where a part fails no other is begun, but
// those under way end first: what the server still copies would outlive an abort.
func (r *run) putParts(ctx context.Context, todo []PartRequest, p *partwise) error {
	var next atomic.Int64
	var g errgroup.Group
	lanes, last := context.WithCancel(ctx) // ends the waiting for slots when no part is left to begin
	defer last()
	lane := func() error {
		defer last()
		for {
			i := int(next.Add(1)) - 1
			if i >= len(todo) {
				return nil
			}
			if r.stopped() {
				return errPaused
			}
			if err := r.putPart(ctx, todo[i], p); err != nil {
				next.Store(int64(len(todo)))
				return err
			}
		}
	}
	g.Go(lane)
	for range min(r.limits.PartsInFlight, len(todo)) - 1 {
		g.Go(func() error {
			if r.pace.enter(lanes) != nil {
				return nil // all parts are taken
			}
			defer r.pace.leave()
			return lane()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// complete ends an upload. Where the answer got lost, the object that stands decides; of a key's versions, the chain does.
func (r *run) complete(ctx context.Context, t *task, req CompleteRequest) (Copied, error) {
	answer, err := answered(paced(ctx, r, req.Key, func(ctx context.Context) (Copied, error) {
		return r.job.Destination.CompleteUpload(ctx, req)
	}))
	if err == nil {
		return answer, nil
	}
	if t.version != "" || !errors.Is(err, ErrNoUpload) && !errors.Is(err, ErrEmptyAnswer) {
		return Copied{}, fmt.Errorf("complete the upload: %w", err)
	}
	etags := make([]string, len(req.Parts))
	for i, p := range req.Parts {
		etags[i] = p.ETag
	}
	d, herr := r.head(ctx, r.job.Destination, HeadRequest{Key: req.Key})
	if herr == nil && d.Size == t.src.Size && (d.ETag == t.src.ETag || d.ETag == multipartETag(etags)) {
		return Copied{ETag: d.ETag, VersionID: d.VersionID}, nil
	}
	return Copied{}, fmt.Errorf("complete the upload: %w", err)
}

// uploads are the job's uploads that stand, by the destination's key.
type uploads struct {
	mu sync.Mutex
	by map[string]Upload
}

func newUploads(known []Upload) *uploads {
	u := &uploads{by: make(map[string]Upload, len(known))}
	for _, k := range known {
		u.by[k.Key] = k
	}
	return u
}

func (u *uploads) get(key string) (Upload, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	k, ok := u.by[key]
	return k, ok
}

func (u *uploads) all() []Upload {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]Upload, 0, len(u.by))
	for _, k := range u.by {
		all = append(all, k)
	}
	return all
}

func (u *uploads) set(k Upload) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.by[k.Key] = k
}

func (u *uploads) drop(key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.by, key)
}
