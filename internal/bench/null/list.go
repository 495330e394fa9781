package null

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf8"
)

const (
	xmlHead     = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	modifiedXML = "2024-01-01T00:00:00.000Z"
	copiedXML   = "2025-01-01T00:00:00.000Z" // at the destination: later, as copies are
	pageMost    = 1000
)

// A listing is a page that is asked for.
type listing struct {
	prefix, delimiter []byte
	first, end        int // indexes that may come
	most              int
	encode            bool
	there             *bitmap // nil: all keys are there
	modified          string
}

// next is the next index of the page.
func (l *listing) next(i int) int {
	if l.there == nil || i >= l.end {
		return min(i, l.end)
	}
	return l.there.next(i, l.end)
}

// list answers ListObjectsV2, and ListObjects.
func (c *exchange) list() {
	l := listing{most: pageMost, modified: modifiedXML}
	if c.kind == ListDestination {
		l.there, l.modified = &c.w.there, copiedXML
	}
	l.prefix, _ = c.q.parameter("prefix")
	l.delimiter, _ = c.q.parameter("delimiter")
	l.encode = c.q.has("encoding-type")
	if v, ok := c.q.parameter("max-keys"); ok {
		if n, err := strconv.Atoi(string(v)); err == nil && n >= 0 {
			l.most = min(n, pageMost)
		}
	}
	second := c.q.has("list-type")
	keys := c.w.cfg.Keys
	l.first, l.end = keys.Search(l.prefix), c.endOf(l.prefix)
	if !c.startAt(&l, second) {
		return
	}
	c.body = append(c.body, xmlHead+`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>`...)
	c.body = append(append(c.body, c.bucket...), "</Name><Prefix>"...)
	c.body = append(l.name(c.body, l.prefix), "</Prefix><MaxKeys>"...)
	c.body = append(strconv.AppendInt(c.body, int64(l.most), 10), "</MaxKeys>"...)
	if l.encode {
		c.body = append(c.body, "<EncodingType>url</EncodingType>"...)
	}
	count, next, last := c.entries(&l)
	c.body = append(c.body, "<KeyCount>"...)
	c.body = append(strconv.AppendInt(c.body, int64(count), 10), "</KeyCount><IsTruncated>"...)
	c.body = append(strconv.AppendBool(c.body, next < l.end), "</IsTruncated>"...)
	switch {
	case next < l.end && second:
		c.body = append(c.body, "<NextContinuationToken>i"...)
		c.body = append(strconv.AppendInt(c.body, int64(next), 10), "</NextContinuationToken>"...)
	case next < l.end:
		c.body = append(c.body, "<NextMarker>"...)
		c.body = append(l.name(c.body, last), "</NextMarker>"...)
	}
	c.body = append(c.body, "</ListBucketResult>"...)
}

// startAt moves the listing to where it is to begin. It refuses what S3 refuses.
func (c *exchange) startAt(l *listing, second bool) bool {
	after, ok := c.q.parameter("marker")
	if token, goesOn := c.q.parameter("continuation-token"); goesOn && second {
		i, err := strconv.Atoi(string(bytes.TrimPrefix(token, []byte("i"))))
		if err != nil || i < 0 || i > c.w.cfg.Keys.Len() {
			c.refuse("400 Bad Request", "InvalidArgument", "The continuation token provided is incorrect")
			return false
		}
		l.first = max(l.first, i)
		return true
	}
	if second {
		if after, ok = c.q.parameter("start-after"); ok && !legalStart(after) {
			c.refuse("400 Bad Request", "InvalidArgument", "The start-after provided is incorrect")
			return false
		}
	}
	if ok {
		i := c.w.cfg.Keys.Search(append(after, 0)) // the first key behind it
		if len(l.delimiter) > 0 && bytes.HasSuffix(after, l.delimiter) && bytes.HasPrefix(after, l.prefix) && !second {
			i = c.endOf(after)
		}
		l.first = max(l.first, i)
	}
	return true
}

// legalStart says whether S3 takes a key as the place to start behind.
func legalStart(key []byte) bool {
	for len(key) > 0 {
		r, n := utf8.DecodeRune(key)
		if r == utf8.RuneError && n == 1 || unicode.IsControl(r) || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF {
			return false
		}
		key = key[n:]
	}
	return true
}

// endOf is the first index behind all keys with the prefix.
func (c *exchange) endOf(prefix []byte) int {
	end := bytes.TrimRight(prefix, "\xff")
	if len(end) == 0 {
		return c.w.cfg.Keys.Len()
	}
	end = bytes.Clone(end)
	end[len(end)-1]++
	return c.w.cfg.Keys.Search(end)
}

// entries writes the page, and gives the number of its entries, the index of the next
// page's first key, and the last entry.
func (c *exchange) entries(l *listing) (count, next int, last []byte) {
	keys := c.w.cfg.Keys
	var prefixes []byte
	i := l.next(l.first)
	for ; i < l.end && count < l.most; count++ {
		c.key = keys.Append(c.key[:0], i)
		last = c.key
		if len(l.delimiter) > 0 {
			if at := bytes.Index(c.key[len(l.prefix):], l.delimiter); at >= 0 {
				last = bytes.Clone(c.key[:len(l.prefix)+at+len(l.delimiter)])
				prefixes = append(prefixes, "<CommonPrefixes><Prefix>"...)
				prefixes = append(l.name(prefixes, last), "</Prefix></CommonPrefixes>"...)
				i = l.next(max(i+1, c.endOf(last)))
				continue
			}
		}
		c.entry(l, i)
		i = l.next(i + 1)
	}
	c.body = append(c.body, prefixes...)
	return count, i, last
}

// entry writes one object.
func (c *exchange) entry(l *listing, i int) {
	b := append(c.body, "<Contents><Key>"...)
	b = append(l.name(b, c.key), "</Key><LastModified>"...)
	b = append(append(b, l.modified...), "</LastModified><ETag>&quot;"...)
	b = append(appendETag(b, i), "&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>"...)
	b = strconv.AppendInt(b, c.w.cfg.Keys.Size(i), 10)
	c.body = append(b, "</Size><StorageClass>STANDARD</StorageClass></Contents>"...)
}

// name writes a key as the listing asked for: encoded as S3 does, or as XML.
func (l *listing) name(b, key []byte) []byte {
	if l.encode {
		return appendEncoded(b, key)
	}
	for _, c := range key {
		switch c {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '\r':
			b = append(b, "&#13;"...)
		case '\n':
			b = append(b, "&#10;"...)
		case '\t':
			b = append(b, "&#9;"...)
		default:
			b = append(b, c)
		}
	}
	return b
}

func appendEncoded(b, key []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range key {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/', c == '-', c == '_', c == '.', c == '*':
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}
