package sandbox

import "strings"

// A listPage is one page of a listing: keys and common prefixes in one order.
type listPage struct {
	entries []listEntry
	more    bool
	last    listEntry // the last one of the page
}

// A pager collects one page while it walks a bucket's keys.
type pager struct {
	*listQuery
	listPage
	versions bool // all of them, not only the current ones

	next  string // where the walk goes on …
	after bool   // … not including it
	again bool   // … if it does
}

// page collects one page of a listing. The bucket is locked for the walk only:
// what a page holds never changes.
func (b *s3Bucket) page(l *listQuery, versions bool) listPage {
	p := pager{listQuery: l, versions: versions, next: l.from, after: l.after, again: true}
	p.entries = make([]listEntry, 0, min(l.limit, maxListKeys))
	b.mu.RLock()
	defer b.mu.RUnlock()
	for p.again {
		p.again = false
		b.keys.ascend(p.next, p.after, p.visit)
	}
	p.more = p.more && l.limit > 0
	return p.listPage
}

// visit takes a key, and answers whether the walk goes on behind it.
func (p *pager) visit(k *s3Key) bool {
	if !strings.HasPrefix(k.name, p.prefix) {
		return false
	}
	v := k.current()
	if v == nil || v.marker && !p.versions {
		return true
	}
	if group := p.group(k.name); group != "" {
		if group != p.passed && !p.add(listEntry{key: group}) {
			return false
		}
		p.next, p.after, p.again = beyond(group), false, true
		return false
	}
	if !p.versions {
		return p.add(listEntry{key: k.name, version: v, newest: true})
	}
	return p.visitVersions(k)
}

// visitVersions takes all versions of a key, but for those that came on the
// page before.
func (p *pager) visitVersions(k *s3Key) bool {
	skip := p.passedVersion != "" && k.name == p.from
	for i, v := range k.versions {
		if skip {
			skip = v.id != p.passedVersion
			continue
		}
		if !p.add(listEntry{key: k.name, version: v, newest: i == 0}) {
			return false
		}
	}
	return true
}

// add adds an entry unless the page is full.
func (p *pager) add(e listEntry) bool {
	if len(p.entries) >= p.limit {
		p.more = true
		return false
	}
	p.entries = append(p.entries, e)
	p.last = e
	return true
}

// beyond is the least string that is greater than everything under a prefix.
func beyond(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xFF { // always, since keys are UTF-8
			b[i]++
			return string(b[:i+1])
		}
	}
	return prefix
}
