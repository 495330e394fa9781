package s3copy

import (
	"slices"
	"strings"
)

const (
	sampled = 16 // keys of a page that tell what keys look like
	recent  = 4  // pages that tell how dense they are
)

// A trail is what one side of a strand has listed so far. It holds no more than some
// keys of the last page.
type trail struct {
	done  bool // nothing is behind last
	pages int
	keys  int
	last  string

	samples []string     // of the last page, in order; the last one is last
	marks   [recent]mark // where the latest pages began
	origin  mark         // where the jump started that led here; its keys are a guess, below zero
}

// mark is a place in a listing, and how many keys were listed up to it.
type mark struct {
	key  string
	keys int
}

// add notes a page.
func (t *trail) add(page []Object, prefix int) {
	t.pages++
	if len(page) == 0 {
		return
	}
	from := mark{key: t.last, keys: t.keys}
	t.sample(page, prefix)
	if t.keys == 0 {
		from = mark{key: t.samples[0], keys: 1}
	}
	copy(t.marks[:], t.marks[1:])
	t.marks[recent-1] = from
	t.keys += len(page)
	t.last = t.samples[len(t.samples)-1]
}

// sample keeps some of a page's keys: as copies, so that they do not hold the page.
func (t *trail) sample(page []Object, prefix int) {
	n := min(sampled, len(page))
	var all strings.Builder
	t.samples = t.samples[:0]
	for i := range n {
		all.WriteString(page[t.place(i, n, len(page))].Key[prefix:])
	}
	rest := all.String()
	for i := range n {
		size := len(page[t.place(i, n, len(page))].Key) - prefix
		t.samples = append(t.samples, rest[:size])
		rest = rest[size:]
	}
}

// place spreads n samples over a page of the given size, its ends included.
func (*trail) place(i, n, size int) int {
	if n == 1 {
		return size - 1
	}
	return i * (size - 1) / (n - 1)
}

// since gives the place from which on the density is taken.
func (t *trail) since() mark {
	return t.marks[max(0, slices.IndexFunc(t.marks[:], func(m mark) bool { return m.keys > 0 }))]
}
