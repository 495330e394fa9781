package s3copy

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// emptyPages is how many pages in a row may be empty before a listing counts as stuck.
const emptyPages = 10_000

// side is one bucket's part of a range: the keys below prefix with after < key <= through.
type side struct {
	name    string // "source" or "destination", for errors
	lister  Lister // nil lists nothing
	prefix  string
	after   string // "" means none
	through string // "" means none
}

// batch is one page on its way to the merge, or the error that ended the listing.
type batch struct {
	objects []Object
	err     error
}

// read lists a side and sends its pages; the last thing it sends is the error, if
// there was one. It fills one page while the receiver is busy with the one before.
func (s side) read(ctx context.Context, r *run, out chan<- batch) {
	defer close(out)
	if s.lister == nil {
		return
	}
	var bufs [2][]Object
	w := walk{side: s, last: s.after}
	req := PageRequest{Prefix: s.prefix, After: legalStart(s.after)}
	if req.After < s.prefix {
		req.After = ""
	}
	for turn := 0; ; {
		page, err := paced(ctx, r, func(ctx context.Context) (Page, error) {
			return s.lister.ListPage(ctx, req, bufs[turn][:0])
		})
		var keys []Object
		if err == nil {
			bufs[turn] = page.Objects
			keys, err = w.take(page, req.Token)
		}
		if err != nil {
			err = fmt.Errorf("list the %s below %q: %w", s.name, s.prefix, err)
		}
		if len(keys) > 0 || err != nil {
			select {
			case out <- batch{keys, err}:
				turn = 1 - turn // the receiver is done with the other one
			case <-ctx.Done():
				return
			}
		}
		if err != nil || w.ended {
			return
		}
		req.Token = page.Token
	}
}

// walk checks that a listing moves on in byte order, and cuts it to its side.
type walk struct {
	side  side
	last  string
	empty int
	begun bool
	ended bool
}

func (w *walk) take(p Page, asked string) ([]Object, error) {
	keys := p.Objects
	for !w.begun && len(keys) > 0 { // a StartAfter that had to be cut repeats keys
		if keys[0].Key > w.side.after {
			w.begun = true
			break
		}
		keys = keys[1:]
	}
	for i := range keys {
		key := keys[i].Key
		switch {
		case key <= w.last:
			return nil, fmt.Errorf("key %q came after %q: not in byte order", key, w.last)
		case !strings.HasPrefix(key, w.side.prefix):
			return nil, fmt.Errorf("key %q was not asked for", key)
		case w.side.through != "" && key > w.side.through:
			w.ended = true
			return keys[:i], nil
		}
		w.last = key
	}
	w.ended = !p.More
	if w.ended || len(p.Objects) > 0 {
		w.empty = 0
		return keys, nil
	}
	w.empty++
	if p.Token == asked || w.empty > emptyPages {
		return nil, errors.New("the listing is truncated and does not move on")
	}
	return nil, nil
}

// cursor walks over a side's objects.
type cursor struct {
	pages <-chan batch
	page  []Object
}

// peek gives the next object, or nil at the end. The object is good until the next peek.
// A listing that ctx broke off has no end, but an error.
func (c *cursor) peek(ctx context.Context) (*Object, error) {
	for len(c.page) == 0 {
		b, ok := <-c.pages
		if !ok {
			return nil, context.Cause(ctx)
		}
		if b.err != nil {
			return nil, b.err
		}
		c.page = b.objects
	}
	return &c.page[0], nil
}

func (c *cursor) pop() { c.page = c.page[1:] }
