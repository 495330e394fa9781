package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// bbolt takes its file at its word: it follows a page into a circle until the stack ends, and one that lies outside of
// the file into memory that is not there, in goroutines of its own, too, where nobody recovers. So xplan follows the
// pages first, in the bytes of the file, each at most once.
//
// What a file is made of, all numbers little endian:
//
//	page        id 8, flags 2, count 2, overflow 4: how many pages more it takes; then count elements; then their bytes
//	meta page   magic 4, version 4, page size 4, flags 4, root page 8, sequence 8, free list's page 8, pages 8, transaction 8, FNV-1a 8
//	branch      of each child: where its key is 4, how long 4, its page 8
//	leaf        of each record: flags 4, where its key is 4, how long 4, how long the value behind it 4
//	free list   a page's id 8 each; if count is 0xFFFF the first is how many
//	bucket      a leaf's record whose flag is 1: root page 8, sequence 8; if the root is 0 a leaf's page follows in its place
//
// Places of keys count from their own element.
const (
	pageHeader = 16
	metaBytes  = 64
	element    = 16

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10
	flagBucket   = 0x01 // of a leaf's record

	boltMagic   = 0xED0CDAED
	boltVersion = 2

	newest   = 1  // the transaction of a file in which nothing was written yet
	deepest  = 64 // no file that fits on a disk has a tree, or a bucket in a bucket, as deep as that
	smallest = 1 << 10
	largest  = 1 << 24 // a page, in bytes: the sizes that bbolt looks for
)

// A pageFile is a database's bytes while its pages are followed.
type pageFile struct {
	from io.ReaderAt
	meta pageMeta
	size int64  // of a page
	seen []bool // by page: part of a tree, or of the list of free ones
}

// A span is a page with what overflows from it, or a bucket's page inside of a record.
type span struct {
	id    uint64
	flags uint16
	count int
	bytes []byte // the header too
}

// within says between which keys a page's have to be: from <= key < before. Nil is no bound.
type within struct{ from, before []byte }

// follow goes through the pages of the file, which nobody may write to meanwhile. What it lets pass bbolt reads without
// harm; odd is what is wrong with it all the same.
func (db *DB) follow() (odd []error, err error) {
	f, err := os.Open(db.path)
	if err != nil {
		return nil, fmt.Errorf("read state of %s: %w", db.name, classify(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read state of %s: %w", db.name, classify(err))
	}
	if odd, err = followPages(f, info.Size()); err != nil {
		return nil, &DamagedError{Path: db.path, What: "pages", Err: err}
	}
	return odd, nil
}

// followPages reads each page once.
func followPages(from io.ReaderAt, size int64) (odd []error, err error) {
	meta, err := newestMeta(from, size)
	if err != nil {
		return nil, err
	}
	if have := uint64(size / meta.pageSize); meta.pages > have {
		return nil, fmt.Errorf("it has %d bytes, and %d pages of %d were written", size, meta.pages, meta.pageSize)
	}
	p := &pageFile{from: from, meta: meta, size: meta.pageSize, seen: make([]bool, meta.pages)}
	p.seen[0], p.seen[1] = true, true
	if err := p.followFree(); err != nil {
		return nil, fmt.Errorf("the list of free pages: %w", err)
	}
	if err := p.followTree(meta.root, within{}, 0); err != nil {
		return nil, err
	}
	return p.odd(), nil
}

// span reads a page that something points to, the first and only time.
func (p *pageFile) span(id uint64) (span, error) {
	if err := p.take(id); err != nil {
		return span{}, err
	}
	b := make([]byte, p.size)
	if err := p.read(b, id); err != nil {
		return span{}, err
	}
	s := spanOf(b)
	if s.id != id {
		return s, fmt.Errorf("page %d calls itself %d", id, s.id)
	}
	more := uint64(binary.LittleEndian.Uint32(b[12:]))
	if more >= p.meta.pages-id {
		return s, fmt.Errorf("page %d and its %d more end behind the last one, %d", id, more, p.meta.pages-1)
	}
	for next := id + 1; next <= id+more; next++ {
		if err := p.take(next); err != nil {
			return s, err
		}
	}
	if more > 0 {
		s.bytes = make([]byte, (int64(more)+1)*p.size)
		return s, p.read(s.bytes, id)
	}
	return s, nil
}

func (p *pageFile) read(b []byte, id uint64) error {
	if _, err := p.from.ReadAt(b, int64(id)*p.size); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// take marks a page as used, or tells why it cannot be.
func (p *pageFile) take(id uint64) error {
	switch {
	case id >= p.meta.pages:
		return fmt.Errorf("page %d is used, and the last one is %d", id, p.meta.pages-1)
	case p.seen[id]:
		return fmt.Errorf("page %d is used twice", id)
	}
	p.seen[id] = true
	return nil
}

// spanOf reads a header.
func spanOf(b []byte) span {
	return span{
		id: binary.LittleEndian.Uint64(b), flags: binary.LittleEndian.Uint16(b[8:]),
		count: int(binary.LittleEndian.Uint16(b[10:])), bytes: b,
	}
}

// followFree reads the list of free pages, which are in no tree. xplan's files always have one.
func (p *pageFile) followFree() error {
	s, err := p.span(p.meta.free)
	if err != nil {
		return err
	}
	if s.flags != flagFreelist {
		return fmt.Errorf("page %d is none", s.id)
	}
	ids, n := s.bytes[pageHeader:], uint64(s.count)
	if n == 0xFFFF {
		n, ids = binary.LittleEndian.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids))/8 {
		return fmt.Errorf("page %d has no room for %d entries", s.id, n)
	}
	for ; n > 0; n, ids = n-1, ids[8:] {
		if err := p.take(binary.LittleEndian.Uint64(ids)); err != nil {
			return err
		}
	}
	return nil
}

// followTree goes depth first.
func (p *pageFile) followTree(id uint64, keys within, depth int) error {
	if depth > deepest {
		return fmt.Errorf("page %d lies deeper than any can", id)
	}
	s, err := p.span(id)
	switch {
	case err != nil:
		return err
	case s.count == 0 && (s.flags == flagBranch || p.meta.txid > newest): // what is empty stands inside of a record, but for the root of a new file
		return fmt.Errorf("page %d is empty", id)
	case s.flags == flagLeaf:
		return p.followLeaf(s, keys, depth)
	case s.flags == flagBranch:
		return p.followBranch(s, keys, depth)
	}
	return fmt.Errorf("page %d is no part of a tree: flags %#x", id, s.flags)
}

func (p *pageFile) followBranch(s span, keys within, depth int) error {
	children, _, err := s.entries()
	if err != nil {
		return err
	}
	if err := inOrder(s.id, children, keys); err != nil {
		return err
	}
	for i, child := range children {
		below := within{child.key, keys.before}
		if i+1 < len(children) {
			below.before = children[i+1].key
		}
		if err := p.followTree(child.number, below, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (p *pageFile) followLeaf(s span, keys within, depth int) error {
	records, _, err := s.entries()
	if err != nil {
		return err
	}
	for i, r := range records {
		switch r.number {
		case 0:
		case flagBucket:
			if err := p.followBucket(r.value, depth+1); err != nil {
				return fmt.Errorf("bucket %.100q: %w", r.key, err)
			}
		default:
			return fmt.Errorf("entry %d of page %d is neither record nor bucket: flags %#x", i, s.id, r.number)
		}
	}
	return inOrder(s.id, records, keys)
}

func (p *pageFile) followBucket(value []byte, depth int) error {
	const head = 16
	if len(value) < head {
		return fmt.Errorf("its record has %d bytes", len(value))
	}
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		return p.followTree(root, within{}, depth)
	}
	if len(value) < head+pageHeader {
		return fmt.Errorf("its record has %d bytes", len(value))
	}
	s := spanOf(value[head:])
	if s.flags != flagLeaf {
		return fmt.Errorf("it is no part of a tree: flags %#x", s.flags)
	}
	if depth > deepest {
		return errors.New("it lies deeper than any can")
	}
	if _, end, err := s.entries(); err == nil && end != len(s.bytes) {
		return fmt.Errorf("its %d entries end at byte %d of %d", s.count, end, len(s.bytes))
	}
	return p.followLeaf(s, within{}, depth)
}

// An entry of a page: a branch's child, or a leaf's record.
type entry struct {
	number     uint64 // the child's page, or the record's flags
	key, value []byte
}

// entries reads a branch's or a leaf's, and tells where they end. bbolt writes them without a gap, so a wrong count or
// length shows.
func (s span) entries() (all []entry, end int, err error) {
	end = pageHeader + s.count*element
	if end > len(s.bytes) {
		return nil, 0, fmt.Errorf("page %d has no room for %d entries", s.id, s.count)
	}
	all = make([]entry, s.count)
	for i := range all {
		at := pageHeader + i*element
		e := s.bytes[at : at+element]
		var place, keyLength, valueLength uint32
		if s.flags == flagBranch {
			place, keyLength = binary.LittleEndian.Uint32(e), binary.LittleEndian.Uint32(e[4:])
			all[i].number = binary.LittleEndian.Uint64(e[8:])
		} else {
			all[i].number = uint64(binary.LittleEndian.Uint32(e))
			place, keyLength, valueLength = binary.LittleEndian.Uint32(e[4:]), binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint32(e[12:])
		}
		switch room := uint64(len(s.bytes) - end); {
		case uint64(at)+uint64(place) != uint64(end):
			return nil, 0, fmt.Errorf("entry %d of page %d is not behind the one before", i, s.id)
		case keyLength == 0:
			return nil, 0, fmt.Errorf("entry %d of page %d has no key", i, s.id)
		case uint64(keyLength)+uint64(valueLength) > room:
			return nil, 0, fmt.Errorf("entry %d of page %d ends outside of it", i, s.id)
		}
		middle := end + int(keyLength)
		all[i].key, all[i].value = s.bytes[end:middle], s.bytes[middle:middle+int(valueLength)]
		end = middle + int(valueLength)
	}
	return all, end, nil
}

func inOrder(id uint64, entries []entry, in within) error {
	for i, e := range entries {
		key := e.key
		if i > 0 && bytes.Compare(entries[i-1].key, key) >= 0 {
			return fmt.Errorf("entries %d and %d of page %d are out of order", i-1, i, id)
		}
		if in.from != nil && bytes.Compare(key, in.from) < 0 || in.before != nil && bytes.Compare(key, in.before) >= 0 {
			return fmt.Errorf("entry %d of page %d belongs to another page", i, id)
		}
	}
	return nil
}
