package s3copy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// ErrEmptySource stops a deletion that finds nothing to delete: where a copy has been,
// an empty listing is no proof of anything.
var ErrEmptySource = errors.New("the source lists no key")

// An UnprovenError stops a deletion of source objects: not every one of them is proven
// to stand, unchanged, at the destination.
type UnprovenError struct {
	Objects int64  // how many; 0 where that is not known
	Key     string // one of them
	Reason  string
}

// Error names one object and the number of them.
func (e *UnprovenError) Error() string {
	return fmt.Sprintf("source objects are not proven to stand at the destination (%d): %q: %s", e.Objects, e.Key, e.Reason)
}

// An UndeletedError says that source objects could not be deleted.
type UndeletedError struct {
	Objects int64
	Key     string // the first of them
	Err     error
}

// Error names the first object and the number of them.
func (e *UndeletedError) Error() string {
	return fmt.Sprintf("%d source objects were not deleted: %q: %v", e.Objects, e.Key, e.Err)
}

// Unwrap gives the first cause.
func (e *UndeletedError) Unwrap() error { return e.Err }

// DeleteSource deletes the source's objects below job.Prefix through del, which must
// be the source's. A first pass verifies all of them anew: each must stand at the
// destination with evidence better than its size, whatever the job's level says, and
// none may be left out by a filter; else it deletes nothing and returns an
// [UnprovenError]. A second pass lists both buckets again and deletes block by block,
// conditional on the ETags: a block that is not exactly what the first pass proved
// stops it. The tally's Listed is what the second pass saw, Deleted and Failed are the
// answers. Nothing is guaranteed about an object that is written between its listing
// and its deletion where the server ignores the condition.
func (e *Engine) DeleteSource(ctx context.Context, job Job, del Deleter) (Tally, error) {
	job.Mode, job.Journal, job.SecondPass, job.StopAtFirst = Verify, nil, false, false
	job.Rules.NeverReplace, job.Rules.DeleteExtra, job.Rules.Restore = false, false, false
	if job.Rules.Level == levelSize {
		job.Rules.Level = levelChecksum
	}
	if job.Rules.Otherwise != otherwiseBytes {
		job.Rules.Otherwise = otherwiseFail
	}
	var seal sealer
	r, err := e.start(ctx, job, seal.see)
	if err != nil {
		return Tally{}, err
	}
	if err := r.work(ctx); err != nil {
		return Tally{}, fmt.Errorf("prove the copy: %w", err)
	}
	seal.close()
	if err := proven(r.summary()); err != nil {
		return Tally{}, err
	}
	again := newRun(e.limits, job, Progress{Ranges: []Range{{ID: 1}}}, nil)
	return again.deleteSealed(ctx, del, seal.blocks)
}

// proven tells whether a verification leaves no object open.
func proven(s Summary) error {
	t := s.Tally
	weak := t.Evidence.SizeOnly.Objects
	switch open := t.Failed.Objects + t.Skipped.Objects + weak; {
	case open > 0 && len(s.Failures) > 0:
		return &UnprovenError{Objects: open, Key: s.Failures[0].Key, Reason: s.Failures[0].Reason}
	case open > 0:
		return &UnprovenError{Objects: open, Reason: "left out by a filter, archived, or known by size only"}
	case t.Listed.Objects == 0:
		return ErrEmptySource
	}
	return nil
}

// A sealer condenses a listing, block by block, so that a second listing can be held
// against it in constant memory a block.
type sealer struct {
	blocks [][sha256.Size]byte
	hash   hash.Hash
	keys   int
	buf    []byte
}

// see takes the next source object and the one in its place.
func (s *sealer) see(src, dst *Object) {
	if s.hash == nil {
		s.hash = sha256.New()
	}
	s.buf = s.buf[:0]
	for _, o := range []*Object{src, dst} {
		if o == nil {
			s.buf = append(s.buf, 0)
			continue
		}
		s.buf = append(s.buf, 1)
		for _, word := range []string{o.Key, o.ETag} {
			s.buf = binary.AppendUvarint(s.buf, uint64(len(word)))
			s.buf = append(s.buf, word...)
		}
		s.buf = binary.AppendVarint(s.buf, int64(o.Size))
		s.buf = binary.AppendVarint(s.buf, o.Modified.UnixNano())
	}
	s.hash.Write(s.buf)
	if s.keys++; s.keys == deletionsMax {
		s.close()
	}
}

// close ends a block.
func (s *sealer) close() {
	if s.keys == 0 {
		return
	}
	s.blocks = append(s.blocks, [sha256.Size]byte(s.hash.Sum(nil)))
	s.hash.Reset()
	s.keys = 0
}

// deletion is the second pass.
type deletion struct {
	*run
	del    Deleter
	want   [][sha256.Size]byte
	seal   sealer
	block  []Deletion
	tally  Tally
	failed *UndeletedError
}

func (r *run) deleteSealed(ctx context.Context, del Deleter, want [][sha256.Size]byte) (Tally, error) {
	src, dst := r.sides(0)
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	left, right := make(chan batch), make(chan batch)
	readers.Go(func() { src.read(ctx, r, left) })
	readers.Go(func() { dst.read(ctx, r, right) })

	d := &deletion{run: r, del: del, want: want}
	err := d.walk(ctx, cursor{pages: left}, cursor{pages: right})
	if err == nil && d.failed != nil {
		err = d.failed
	}
	return d.tally, err
}

// walk merges the listings once more, and deletes every block that is as it was.
func (d *deletion) walk(ctx context.Context, left, right cursor) error {
	m := merger{run: d.run}
	for {
		s, err := left.peek(ctx)
		if err != nil {
			return err
		}
		if s == nil {
			return d.end(ctx)
		}
		there, err := right.peek(ctx)
		if err != nil {
			return err
		}
		order := m.order(s, there)
		if order > 0 {
			right.pop()
			continue
		}
		if order < 0 {
			there = nil
		}
		d.seal.see(s, there)
		d.block = append(d.block, Deletion{Key: s.Key, ETag: s.ETag, Size: s.Size})
		if d.seal.keys == 0 {
			if err := d.flush(ctx); err != nil {
				return err
			}
		}
		left.pop()
		if there != nil {
			right.pop()
		}
	}
}

func (d *deletion) end(ctx context.Context) error {
	d.seal.close()
	if len(d.block) > 0 {
		if err := d.flush(ctx); err != nil {
			return err
		}
	}
	if len(d.seal.blocks) < len(d.want) {
		return &UnprovenError{Reason: "keys that were proven are gone from the listing"}
	}
	return nil
}

// flush deletes the block that was sealed last.
func (d *deletion) flush(ctx context.Context) error {
	n := len(d.seal.blocks)
	if n > len(d.want) || d.seal.blocks[n-1] != d.want[n-1] {
		return &UnprovenError{
			Objects: int64(len(d.block)), Key: d.block[0].Key,
			Reason: "this object, or one of those behind it, changed since it was proven",
		}
	}
	for _, some := range batches(d.block) {
		if err := ctx.Err(); err != nil {
			return err
		}
		errs, err := d.delete(context.WithoutCancel(ctx), d.del, some)
		if err != nil {
			return err
		}
		for i, o := range some {
			d.tally.Listed.Add(o.Size)
			if errs[i] == nil {
				d.tally.Deleted.Add(o.Size)
				continue
			}
			d.tally.Failed.Add(o.Size)
			if d.failed == nil {
				d.failed = &UndeletedError{Key: o.Key, Err: errs[i]}
			}
			d.failed.Objects++
		}
	}
	d.block = d.block[:0]
	return nil
}
