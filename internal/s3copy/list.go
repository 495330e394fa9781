package s3copy

import (
	"context"
	"errors"
	"fmt"
	"sort"
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

// valves are those of the side's bucket, for listings.
func (s side) valves(r *run) *valves {
	if s.name == "source" {
		return &r.lists[atSource]
	}
	return &r.lists[atDestination]
}

// batch is one page on its way to the merge, or the error that ended the listing.
type batch struct {
	objects []Object
	whole   []Object // the buffer that the objects are in: the receiver's, to put back
	err     error
}

// read lists a side and sends its pages; the last thing it sends is the error, if
// there was one.
func (s side) read(ctx context.Context, r *run, out chan<- batch) {
	newWalk(s).send(ctx, r, out)
}

// walk checks that a listing moves on in byte order, and cuts it to its side.
type walk struct {
	side  side
	bound *bound                          // where the side ends by now; nil: at side.through
	tell  func(kept []Object, listed int) // told of every page
	ready batch                           // listed before send begins
	next  PageRequest
	last  string // greatest key seen, or the one to start behind
	empty int    // pages in a row
	begun bool   // the pages are behind last by themselves
	ended bool
}

func newWalk(s side) *walk {
	w := &walk{side: s, last: s.after}
	w.start()
	return w
}

// send sends the pages, one while the next is being fetched.
func (w *walk) send(ctx context.Context, r *run, out chan<- batch) {
	defer close(out)
	if w.side.lister == nil {
		return
	}
	b := w.ready
	for {
		if len(b.objects) == 0 && !w.over() {
			b = w.page(ctx, r)
		}
		if len(b.objects) > 0 || b.err != nil {
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
		}
		if b.err != nil || w.over() {
			return
		}
		b = batch{}
	}
}

// page lists one page: no keys are no end.
func (w *walk) page(ctx context.Context, r *run) batch {
	got, err := w.fetch(ctx, r, r.shelf.take())
	b := batch{whole: got.Objects}
	if err == nil {
		b.objects, err = w.take(got)
	}
	if err != nil {
		return batch{err: fmt.Errorf("list the %s below %q: %w", w.side.name, w.side.prefix, err)}
	}
	if w.tell != nil {
		w.tell(b.objects, len(got.Objects))
	}
	if len(b.objects) == 0 {
		r.shelf.put(b.whole)
	}
	return b
}

// through gives the last key that belongs to the side by now.
func (w *walk) through() string {
	if w.bound != nil {
		return w.bound.get()
	}
	return w.side.through
}

// over tells whether nothing is left to list.
func (w *walk) over() bool {
	if through := w.through(); through != "" && w.last >= through {
		w.ended = true
	}
	return w.ended
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
		page, err := patient(ctx, r, w.side.valves(r), w.side.prefix, func(ctx context.Context) (Page, error) {
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
	asked, through := w.next.Token, w.through()
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
		case through != "" && key > through:
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
	shelf *shelf // nil: pages are not put back
	page  []Object
	whole []Object
	fresh bool // the page is a new one, or the end
	late  bool // the page had to be waited for
	over  bool // nothing comes behind the page
}

// peek gives the next object, or nil at the end. The object is good until the next peek.
// A listing that ctx broke off has no end, but an error.
func (c *cursor) peek(ctx context.Context) (*Object, error) {
	for len(c.page) == 0 {
		if c.over {
			return nil, context.Cause(ctx)
		}
		c.shelf.put(c.whole)
		c.whole = nil
		b, ok := c.receive()
		if b.err != nil {
			return nil, b.err
		}
		c.page, c.whole, c.fresh, c.over = b.objects, b.whole, true, !ok
	}
	return &c.page[0], nil
}

func (c *cursor) receive() (batch, bool) {
	select {
	case b, ok := <-c.pages:
		c.late = false
		return b, ok
	default:
	}
	c.late = true
	b, ok := <-c.pages
	return b, ok
}

func (c *cursor) pop() { c.page = c.page[1:] }

// reach gives the key below a prefix of n bytes behind which the cursor gives nothing
// without another page; ok is false where it needs none.
func (c *cursor) reach(n int) (key string, ok bool) {
	if c.over || len(c.page) == 0 {
		return "", false
	}
	return c.page[len(c.page)-1].Key[n:], true
}

// cut ends the cursor's objects at a key below a prefix of n bytes. It tells how many
// of them it leaves out.
func (c *cursor) cut(n int, through string) int {
	if len(c.page) == 0 || c.page[len(c.page)-1].Key[n:] <= through {
		return 0
	}
	keep := sort.Search(len(c.page), func(i int) bool { return c.page[i].Key[n:] > through })
	left := len(c.page) - keep
	c.page, c.over = c.page[:keep], true
	return left
}
