package s3copy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// emptyPages is how many pages in a row may be empty before a listing counts as stuck.
const emptyPages = 10_000

const (
	listTries = 4                      // of one page that cannot be had
	listPause = 100 * time.Millisecond // before the second try; grows
)

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
	w.start()
	for turn := 0; ; {
		page, err := w.fetch(ctx, r, bufs[turn][:0])
		var keys []Object
		if err == nil {
			bufs[turn] = page.Objects
			keys, err = w.take(page)
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
	}
}

// walk checks that a listing moves on in byte order, and cuts it to its side.
type walk struct {
	side  side
	next  PageRequest
	last  string // greatest key seen, or the one to start behind
	empty int    // pages in a row
	begun bool   // the pages are behind last by themselves
	ended bool
}

// start has the next request begin behind the last key: at the start of a range, or
// where a token is of no use any more. A StartAfter that had to be cut repeats keys.
func (w *walk) start() {
	w.next = PageRequest{Prefix: w.side.prefix, After: legalStart(w.last)}
	if w.next.After < w.side.prefix {
		w.next.After = ""
	}
	w.begun = false
}

// fetch asks for the next page, a few times where that may help.
func (w *walk) fetch(ctx context.Context, r *run, buf []Object) (Page, error) {
	for try := 1; ; try++ {
		page, err := patient(ctx, r, func() {}, func(ctx context.Context) (Page, error) {
			return w.side.lister.ListPage(ctx, w.next, buf)
		})
		if err == nil || try == listTries || fatal(err) || errors.Is(err, ErrDenied) || ctx.Err() != nil {
			return page, err
		}
		r.count.Retried.Add(1)
		if err := wait(ctx, time.Duration(try)*listPause); err != nil {
			return page, err
		}
		w.start()
	}
}

func (w *walk) take(p Page) ([]Object, error) {
	asked := w.next.Token
	keys := p.Objects
	for !w.begun && len(keys) > 0 {
		if keys[0].Key > w.last {
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
	w.ended, w.next.Token = !p.More, p.Token
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
