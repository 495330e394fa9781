package s3copy

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// deletion is the second pass.
type deletion struct {
	*run
	del    Deleter
	want   [][sha256.Size]byte
	seal   sealer
	block  []Deletion
	there  []Object  // the block's copies, as listed
	behind string    // the destination's last key before the block
	stood  time.Time // when the copies were last listed; zero: not in this block
	heeded [2]heed   // of deletions together, and of one alone
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
		if there != nil {
			d.there = append(d.there, *there)
		}
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
		errs, err := d.guarded(context.WithoutCancel(ctx), some)
		if errs != nil {
			d.account(some, errs)
		}
		if err != nil {
			return err
		}
	}
	d.behind = d.job.place(d.block[len(d.block)-1].Key)
	d.block, d.there, d.stood = d.block[:0], d.there[:0], time.Time{}
	return nil
}

// account counts the answers to deletions.
func (d *deletion) account(some []Deletion, errs []error) {
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
