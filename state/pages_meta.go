package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// A pageMeta is what one of the two pages says that a file begins with.
type pageMeta struct {
	pageSize                int64
	root, free, pages, txid uint64
}

// odd finds what does no harm: a meta page that is damaged, since there is another, at most one write older; and pages in
// no use that are not free either, which are lost to bbolt.
func (p *pageFile) odd() []error {
	var odd []error
	for id := range uint64(2) {
		if err := p.readOther(id); err != nil {
			odd = append(odd, fmt.Errorf("one of the two pages that a file begins with, and the other one may be a write older: %w", err))
		}
	}
	lost := 0
	for _, seen := range p.seen {
		if !seen {
			lost++
		}
	}
	if lost > 0 {
		odd = append(odd, fmt.Errorf("%d pages are in no use, and not free", lost))
	}
	return odd
}

// readOther reads a meta page as strictly as any.
func (p *pageFile) readOther(id uint64) error {
	b := make([]byte, p.size)
	if err := p.read(b, id); err != nil {
		return err
	}
	if s := spanOf(b); s.id != id || s.flags != flagMeta {
		return fmt.Errorf("page %d calls itself %d, flags %#x", id, s.id, s.flags)
	}
	_, err := readMeta(p.from, int64(id)*p.size)
	return err
}

// newestMeta finds the one of the two meta pages that bbolt would go by.
func newestMeta(from io.ReaderAt, size int64) (pageMeta, error) {
	first, errFirst := readMeta(from, 0)
	if errFirst == nil {
		second, err := readMeta(from, first.pageSize)
		if err == nil && second.txid > first.txid {
			return second, nil
		}
		return first, nil
	}
	for at := int64(smallest); at <= largest && at < size; at *= 2 {
		if second, err := readMeta(from, at); err == nil && second.pageSize == at {
			return second, nil
		}
	}
	return pageMeta{}, errFirst
}

func readMeta(from io.ReaderAt, at int64) (pageMeta, error) {
	b := make([]byte, pageHeader+metaBytes)
	if _, err := from.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return pageMeta{}, err
	}
	b = b[pageHeader:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaBytes-8])
	m := pageMeta{
		pageSize: int64(binary.LittleEndian.Uint32(b[8:])), root: binary.LittleEndian.Uint64(b[16:]), free: binary.LittleEndian.Uint64(b[32:]),
		pages: binary.LittleEndian.Uint64(b[40:]), txid: binary.LittleEndian.Uint64(b[48:]),
	}
	switch {
	case binary.LittleEndian.Uint32(b) != boltMagic || binary.LittleEndian.Uint32(b[4:]) != boltVersion:
		return m, errors.New("invalid database: it does not begin as one")
	case binary.LittleEndian.Uint64(b[metaBytes-8:]) != sum.Sum64():
		return m, errors.New("invalid database: its first pages do not match their sums")
	case m.pageSize < smallest || m.pageSize > largest || m.pageSize&(m.pageSize-1) != 0:
		return m, fmt.Errorf("pages cannot be of %d bytes", m.pageSize)
	case m.pages < 4:
		return m, fmt.Errorf("a database cannot be of %d pages", m.pages)
	}
	return m, nil
}
