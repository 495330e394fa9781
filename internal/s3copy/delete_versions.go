package s3copy

import (
	"context"
	"crypto/sha256"
	"fmt"
)

// A purge deletes histories for good, by their version IDs.
//
// A version ID names content that never changes, so no condition is needed, and what is written meanwhile stays. What
// matters is the order. Within a key the oldest version goes first, and no request holds two versions of one key, as S3
// promises no order within a request: else an old version would be seen again once the one in front of it, or a delete
// marker, is gone, and what a crash leaves would not be the newest part of the history that stands at the destination.
// Right before a request both sides of the block are listed once more: the source must hold what was proven less what was
// deleted since, and nothing else; the copies must stand as they were proven.
// Held by TestAReaderOfTheSourceNeverSeesAnOldVersionAgain.
type purge struct {
	*run
	del    Deleter
	block  []history
	at     map[string]int // index in the block by key
	behind string         // the source's last key before the block
	spare  int            // requests that need no other look
	silent int            // requests in a row that nothing answered
	tally  Tally
	failed *UndeletedError
}

// history is a key of the block.
type history struct {
	key    string
	left   []Version // what is not deleted yet, the newest first
	copies []Version // as many of the destination's newest as there were proven
	stuck  bool      // its oldest could not be deleted: all of it stays
}

func (r *run) purgeSealed(ctx context.Context, del Deleter, want [][sha256.Size]byte) (Tally, error) {
	p := &purge{run: r, del: del, at: make(map[string]int)}
	err := r.again(ctx, want, p)
	if err == nil && p.failed != nil {
		err = p.failed
	}
	return p.tally, err
}

func (p *purge) take(src, dst *Object) {
	h := history{key: src.Key, left: src.Chain.newest(src.Chain.length())}
	if dst != nil {
		h.copies = dst.Chain.newest(src.Chain.length())
	}
	p.at[h.key] = len(p.block)
	p.block = append(p.block, h)
}

func (p *purge) reap(ctx context.Context) error {
	p.spare = 0
	for wave := p.oldest(); len(wave) > 0; wave = p.oldest() {
		for _, some := range batches(wave) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := p.request(context.WithoutCancel(ctx), some); err != nil {
				return err
			}
		}
	}
	p.behind = p.block[len(p.block)-1].key
	p.block = p.block[:0]
	clear(p.at)
	return nil
}

// oldest gives the oldest version that is left of each key.
func (p *purge) oldest() []Deletion {
	var wave []Deletion
	for i := range p.block {
		h := &p.block[i]
		if h.stuck || len(h.left) == 0 {
			continue
		}
		v := &h.left[len(h.left)-1]
		wave = append(wave, Deletion{Key: h.key, VersionID: v.ID, Size: v.Size})
	}
	return wave
}

// request deletes versions of different keys, after a look at all of the block.
func (p *purge) request(ctx context.Context, some []Deletion) error {
	if err := p.look(ctx); err != nil {
		return err
	}
	errs, err := p.delete(ctx, p.del, some)
	if err != nil {
		return err
	}
	p.silent++
	for i, d := range some {
		p.account(&p.block[p.at[d.Key]], errs[i])
		if errs[i] == nil || final(errs[i]) {
			p.silent = 0
		}
	}
	if p.silent == silentMost {
		return p.failed
	}
	return nil
}

// account counts the answer about a key's oldest version. What is in front of one that could not be deleted stays with it.
func (p *purge) account(h *history, err error) {
	oldest := len(h.left) - 1
	if err == nil {
		v := h.left[oldest]
		h.left = h.left[:oldest]
		p.tally.Listed.Add(v.Size)
		p.tally.Deleted.Add(v.Size)
		p.tally.History.Plus(historyOf([]Version{v}))
		return
	}
	h.stuck = true
	for i := range h.left {
		p.tally.Listed.Add(h.left[i].Size)
		p.tally.Failed.Add(h.left[i].Size)
	}
	if p.failed == nil {
		p.failed = &UndeletedError{Versions: true, Key: h.key, Err: fmt.Errorf("version %s: %w", h.left[oldest].ID, err)}
	}
	p.failed.Objects += int64(len(h.left))
}

// lookPage is how many entries a request of a look lists.
const lookPage = 1000

// look lists both sides of the block once more. That takes a request of each, before every deletion; where a key has
// thousands of versions it takes more, and as many requests follow without another look.
func (p *purge) look(ctx context.Context) error {
	if p.spare > 0 {
		p.spare--
		return nil
	}
	src, dst := p.sides(0)
	last := p.block[len(p.block)-1].key
	src.after, src.through = p.behind, last
	dst.after, dst.through = "", p.job.place(last)
	if p.behind != "" {
		dst.after = p.job.place(p.behind)
	}
	copies, err := p.each(ctx, dst, p.standing())
	if err != nil {
		return err
	}
	left, err := p.each(ctx, src, p.remaining())
	p.spare = max(0, (copies+left)/lookPage-2)
	return err
}

// each lists a side, and shows every key to a judge; at the end nil. It tells how many entries there were.
func (p *purge) each(ctx context.Context, s side, judge func(*Object) error) (entries int, err error) {
	for w := newWalk(s); !w.over(); {
		b := w.page(ctx, p.run)
		if b.err != nil {
			return entries, b.err
		}
		for i := range b.objects {
			entries += b.objects[i].entries()
			if err := judge(&b.objects[i]); err != nil {
				return entries, err
			}
		}
		if len(b.objects) > 0 {
			p.shelf.put(b.whole)
		}
	}
	return entries, judge(nil)
}

// standing judges what the destination lists: the copies of all that is left have to stand as they were proven.
func (p *purge) standing() func(*Object) error {
	next := 0
	return func(o *Object) error {
		for ; next < len(p.block); next++ {
			h := &p.block[next]
			key := p.job.place(h.key)
			switch {
			case len(h.left) == 0:
				continue // nothing is asked of its copies any more
			case o != nil && o.Key < key:
				return nil // only the destination has it
			case o == nil || o.Key > key:
				return p.unproven(h, "its copy is gone since it was proven")
			case !equalVersions(o.Chain.newest(len(h.copies)), h.copies):
				return p.unproven(h, "its copy changed since it was proven")
			}
			next++
			return nil
		}
		return nil
	}
}

// remaining judges what the source lists: what is left of the block, and nothing else.
func (p *purge) remaining() func(*Object) error {
	next := 0
	return func(o *Object) error {
		for next < len(p.block) && len(p.block[next].left) == 0 {
			next++
		}
		switch {
		case o == nil && next == len(p.block):
			return nil
		case o == nil || next < len(p.block) && o.Key > p.block[next].key:
			return p.unproven(&p.block[next], "it is gone since it was proven")
		case next == len(p.block) || o.Key < p.block[next].key:
			return &UnprovenError{Objects: int64(o.entries()), Key: o.Key, Reason: "it was written since the others were proven"}
		case !equalVersions(o.Chain.newest(o.Chain.length()), p.block[next].left):
			return p.unproven(&p.block[next], "its versions changed since they were proven")
		}
		next++
		return nil
	}
}

func (p *purge) unproven(h *history, why string) error {
	return &UnprovenError{Objects: int64(len(h.left)), Key: h.key, Reason: why}
}

func equalVersions(a, b []Version) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].is(&b[i]) {
			return false
		}
	}
	return true
}

// unnamed tells what of a history has no ID that names it for good, and so cannot be deleted by that; "" where all has, or where
// nothing is to be deleted.
func (j *Job) unnamed(c *Chain) string {
	if !j.whole {
		return ""
	}
	for i := range c.Versions {
		switch id := c.Versions[i].ID; {
		case id == "":
			return "the listing names no version ID"
		case id == nullVersion && j.Suspended:
			return "its version null may be replaced by any write, since the bucket's versioning is suspended: enable it"
		}
	}
	return ""
}
