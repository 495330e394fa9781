package s3copy

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
)

// errTorn is what a broken connection looks like.
var errTorn = errors.New("connection reset")

// failOnce gives a fault that speaks once for an operation on a key.
func failOnce(op, key string, err error) func(string, string) error {
	var said atomic.Bool
	return func(o, k string) error {
		if o == op && k == key && said.CompareAndSwap(false, true) {
			return err
		}
		return nil
	}
}

// failAfter fails one operation, the one behind the first n of its kind.
func failAfter(op string, n int32) func(string, string) error {
	var seen atomic.Int32
	return func(o, _ string) error {
		if o == op && seen.Add(1) == n+1 {
			return errTorn
		}
		return nil
	}
}

// forgetful does the first copy and the first completion, and answers nothing.
type forgetful struct {
	*bucket
	copied, completed atomic.Bool
}

func (f *forgetful) CopyObject(ctx context.Context, r CopyRequest) (Copied, error) {
	c, err := f.bucket.CopyObject(ctx, r)
	if f.copied.CompareAndSwap(false, true) {
		return Copied{}, nil
	}
	return c, err
}

func (f *forgetful) CompleteUpload(ctx context.Context, r CompleteRequest) (Copied, error) {
	c, err := f.bucket.CompleteUpload(ctx, r)
	if f.completed.CompareAndSwap(false, true) {
		return Copied{}, ErrEmptyAnswer
	}
	return c, err
}

// breaker ends the first two streams early.
type breaker struct {
	*bucket
	opened atomic.Int32
}

func (b *breaker) Open(ctx context.Context, r OpenRequest) (io.ReadCloser, error) {
	body, err := b.bucket.Open(ctx, r)
	if err == nil && b.opened.Add(1) <= 2 {
		return io.NopCloser(io.LimitReader(body, int64(r.Length)/2)), nil
	}
	return body, err
}

// unconditional knows no If-None-Match.
type unconditional struct{ *bucket }

func (u unconditional) CopyObject(ctx context.Context, r CopyRequest) (Copied, error) {
	if r.IfNoneMatch {
		return Copied{}, ErrUnsupported
	}
	return u.bucket.CopyObject(ctx, r)
}

// mangler writes something of the same size in every copy's place, and says so.
type mangler struct{ *bucket }

func (m mangler) CopyObject(ctx context.Context, r CopyRequest) (Copied, error) {
	if _, err := m.bucket.CopyObject(ctx, r); err != nil {
		return Copied{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.put(r.Key, strings.Repeat("x", len(m.objects[r.Key].body)))
	return Copied{ETag: o.ETag, Checksums: o.Checksums, Type: o.Checksum}, nil
}

// hanging copies nothing and waits for its context.
type hanging struct {
	*bucket
	started chan struct{}
}

func (h hanging) CopyObject(ctx context.Context, _ CopyRequest) (Copied, error) {
	close(h.started)
	<-ctx.Done()
	return Copied{}, ctx.Err()
}

// refusing does not delete the key k0004.
type refusing struct{ *bucket }

func (r refusing) DeleteObjects(ctx context.Context, objects []Deletion) ([]error, error) {
	errs := make([]error, len(objects))
	for i, d := range objects {
		if d.Key == "k0004" {
			errs[i] = ErrDenied
			continue
		}
		one, err := r.bucket.DeleteObjects(ctx, []Deletion{d})
		if err != nil {
			return nil, err
		}
		errs[i] = one[0]
	}
	return errs, nil
}

// mute answers for none of what it was asked.
type mute struct{ *bucket }

func (mute) DeleteObjects(context.Context, []Deletion) ([]error, error) { return nil, nil }

// muddled answers a part's copy with a composite checksum where one was asked for.
type muddled struct {
	*bucket
	summed atomic.Bool
}

func (m *muddled) CreateUpload(ctx context.Context, r UploadRequest) (string, error) {
	m.summed.Store(r.ChecksumAlgo != "")
	return m.bucket.CreateUpload(ctx, r)
}

func (m *muddled) CopyPart(ctx context.Context, r PartRequest) (Part, error) {
	p, err := m.bucket.CopyPart(ctx, r)
	if m.summed.Load() {
		p.Checksums = map[string]string{"CRC32": "K6QVIg==-2"}
	}
	return p, err
}
