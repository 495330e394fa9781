package s3copy

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// A reaper deletes a source's keys, block by block. It is called by one goroutine.
type reaper interface {
	// take adds a key and what stands in its place to the block.
	take(src, dst *Object)
	// reap deletes the block, which is what was proven, and empties it.
	reap(ctx context.Context) error
}

// pass is the second pass of a deletion: it holds both listings against what was proven, block by block.
type pass struct {
	*run
	want   [][sha256.Size]byte
	seal   sealer
	by     reaper
	first  string // the block's first key
	listed int    // entries of the block
}

// again lists both buckets once more, and has every block deleted that is what was proven.
func (r *run) again(ctx context.Context, want [][sha256.Size]byte, by reaper) error {
	src, dst := r.sides(0)
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	left, right := make(chan batch), make(chan batch)
	readers.Go(func() { src.read(ctx, r, left) })
	readers.Go(func() { dst.read(ctx, r, right) })

	p := &pass{run: r, want: want, by: by}
	return p.walk(ctx, cursor{pages: left}, cursor{pages: right})
}

// walk merges the listings once more.
func (p *pass) walk(ctx context.Context, left, right cursor) error {
	m := merger{run: p.run}
	for {
		s, err := left.peek(ctx)
		if err != nil {
			return err
		}
		if s == nil {
			return p.end(ctx)
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
		if p.listed == 0 {
			p.first = s.Key
		}
		p.listed += max(1, s.entries())
		p.seal.see(s, there)
		p.by.take(s, there)
		if p.seal.entries == 0 {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
		left.pop()
		if there != nil {
			right.pop()
		}
	}
}

func (p *pass) end(ctx context.Context) error {
	p.seal.close()
	if p.listed > 0 {
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	if len(p.seal.blocks) < len(p.want) {
		return &UnprovenError{Reason: "keys that were proven are gone from the listing"}
	}
	return nil
}

// flush has the block deleted that was sealed last.
func (p *pass) flush(ctx context.Context) error {
	n := len(p.seal.blocks)
	if n > len(p.want) || p.seal.blocks[n-1] != p.want[n-1] {
		return &UnprovenError{
			Objects: int64(p.listed), Key: p.first,
			Reason: "this object, or one of those behind it, changed since it was proven",
		}
	}
	p.listed = 0
	return p.by.reap(ctx)
}

// deletion deletes current objects.
type deletion struct {
	*run
	del    Deleter
	block  []Deletion
	there  []Object  // the block's copies, as listed
	behind string    // the destination's last key before the block
	stood  time.Time // when the copies were last listed; zero: not in this block
	silent int       // objects in a row, looked at and asked for in vain
	heeded [2]heed   // of deletions together, and of one alone
	tally  Tally
	failed *UndeletedError
}

func (r *run) deleteSealed(ctx context.Context, del Deleter, want [][sha256.Size]byte) (Tally, error) {
	d := &deletion{run: r, del: del}
	err := r.again(ctx, want, d)
	if err == nil && d.failed != nil {
		err = d.failed
	}
	return d.tally, err
}

func (d *deletion) take(src, dst *Object) {
	d.block = append(d.block, Deletion{Key: src.Key, ETag: src.ETag, Size: src.Size})
	if dst != nil {
		d.there = append(d.there, *dst)
	}
}

func (d *deletion) reap(ctx context.Context) error {
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
