package sandbox

import "sort"

// indexPageMax bounds one page of a keyIndex: an insert moves at most this
// many pointers within its page.
const indexPageMax = 512

// A keyIndex holds the keys of one bucket in UTF-8 byte order, in sorted
// pages, so that an insert moves a page and not a bucket. It is not safe for
// concurrent use; its bucket locks it.
type keyIndex struct {
	pages [][]*s3Key // none of them empty
	size  int
}

// An s3Key is a key and everything that was ever written to it, newest first.
type s3Key struct {
	name     string
	versions []*s3Version
}

// current returns the newest version, which may be a delete marker, or nil.
func (k *s3Key) current() *s3Version {
	if k == nil || len(k.versions) == 0 {
		return nil
	}
	return k.versions[0]
}

// locate returns the page that holds or would hold key, the position in it,
// and whether it is there.
func (x *keyIndex) locate(key string) (page, at int, found bool) {
	page = sort.Search(len(x.pages), func(i int) bool { return x.pages[i][0].name > key }) - 1
	if page < 0 {
		return 0, 0, false
	}
	p := x.pages[page]
	at = sort.Search(len(p), func(i int) bool { return p[i].name >= key })
	return page, at, at < len(p) && p[at].name == key
}

// get returns the key's entry, or nil.
func (x *keyIndex) get(key string) *s3Key {
	page, at, ok := x.locate(key)
	if !ok {
		return nil
	}
	return x.pages[page][at]
}

// ensure returns the key's entry and makes an empty one where there is none.
func (x *keyIndex) ensure(key string) *s3Key {
	page, at, ok := x.locate(key)
	if ok {
		return x.pages[page][at]
	}
	k := &s3Key{name: key}
	x.size++
	if len(x.pages) == 0 {
		x.pages = [][]*s3Key{append(make([]*s3Key, 0, indexPageMax), k)}
		return k
	}
	if len(x.pages[page]) == indexPageMax {
		cut := indexPageMax / 2
		if at == indexPageMax && page == len(x.pages)-1 {
			cut = indexPageMax // keys that arrive in order fill their pages
		}
		if x.split(page, cut); at >= cut {
			page, at = page+1, at-cut
		}
	}
	p := append(x.pages[page], nil)
	copy(p[at+1:], p[at:])
	p[at] = k
	x.pages[page] = p
	return k
}

// split moves what stands behind cut into a new page. Where nothing does, the
// new page is empty until its caller fills it.
func (x *keyIndex) split(page, cut int) {
	p := x.pages[page]
	tail := append(make([]*s3Key, 0, indexPageMax), p[cut:]...)
	clear(p[cut:])
	x.pages[page] = p[:cut]
	x.pages = append(x.pages, nil)
	copy(x.pages[page+2:], x.pages[page+1:])
	x.pages[page+1] = tail
}

// remove forgets a key.
func (x *keyIndex) remove(key string) {
	page, at, ok := x.locate(key)
	if !ok {
		return
	}
	x.size--
	p := x.pages[page]
	copy(p[at:], p[at+1:])
	p[len(p)-1] = nil
	if p = p[:len(p)-1]; len(p) > 0 {
		x.pages[page] = p
		return
	}
	x.pages = append(x.pages[:page], x.pages[page+1:]...)
}

// ascend calls f with each key >= from (or > from, where after is set) in
// order until f returns false.
func (x *keyIndex) ascend(from string, after bool, f func(*s3Key) bool) {
	page, at, found := x.locate(from)
	if found && after {
		at++
	}
	for ; page < len(x.pages); page, at = page+1, 0 {
		p := x.pages[page]
		for ; at < len(p); at++ {
			if !f(p[at]) {
				return
			}
		}
	}
}
