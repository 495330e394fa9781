package null

import (
	"bytes"
	"fmt"
	"strconv"
)

const (
	modifiedHTTP = "Mon, 01 Jan 2024 00:00:00 GMT"
	copiedHTTP   = "Wed, 01 Jan 2025 00:00:00 GMT"
)

// index finds the key of a bucket, or -1.
func (c *exchange) index() int {
	i := c.w.cfg.Keys.Find(c.key)
	if i >= 0 && string(c.bucket) == Destination && !c.w.there.has(i) {
		return -1
	}
	return i
}

// object answers HeadObject and GetObject; the bytes are zeros.
func (c *exchange) object() {
	i := c.index()
	if i < 0 {
		c.noKey()
		return
	}
	etag := appendETag(nil, i)
	if c.q.ifMatch != nil && !bytes.Equal(c.q.ifMatch, etag) {
		c.refuse("412 Precondition Failed", "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return
	}
	c.header("ETag", append(append([]byte{'"'}, etag...), '"'))
	c.header("Accept-Ranges", []byte("bytes"))
	c.header("Content-Type", []byte("binary/octet-stream"))
	modified := modifiedHTTP
	if string(c.bucket) == Destination {
		modified = copiedHTTP
	}
	c.header("Last-Modified", []byte(modified))
	if c.q.checksums {
		c.header("x-amz-checksum-crc64nvme", appendSum(nil, i))
		c.header("x-amz-checksum-type", []byte("FULL_OBJECT"))
	}
	c.bytes(c.w.cfg.Keys.Size(i))
}

// bytes answers with an object of the size, or the range of it that is asked for.
func (c *exchange) bytes(size int64) {
	c.zeros = size
	if first, last, ok := parseRange(c.q.byteRange, size); ok {
		c.status, c.zeros = "206 Partial Content", last-first+1
		c.header("Content-Range", fmt.Appendf(nil, "bytes %d-%d/%d", first, last, size))
	}
	if c.q.method == "HEAD" {
		c.header("Content-Length", strconv.AppendInt(nil, c.zeros, 10))
		c.zeros = max(c.zeros, 1) // send adds no second length
	}
}

// parseRange reads "bytes=0-99", cut to the size.
func parseRange(header []byte, size int64) (first, last int64, ok bool) {
	spec, found := bytes.CutPrefix(header, []byte("bytes="))
	if !found {
		return 0, 0, false
	}
	from, to, _ := bytes.Cut(spec, []byte("-"))
	first, err := strconv.ParseInt(string(from), 10, 64)
	if err != nil || first >= size {
		return 0, 0, false
	}
	last, err = strconv.ParseInt(string(to), 10, 64)
	if err != nil {
		last = size - 1
	}
	return first, min(last, size-1), true
}

// source finds the object that a copy reads, and refuses what cannot be copied to the key at hand.
func (c *exchange) source() (int, bool) {
	from := unescape(nil, bytes.TrimPrefix(c.q.copySource, []byte("/")), true)
	bucket, key, _ := bytes.Cut(from, []byte("/"))
	if string(bucket) != Source || string(c.bucket) != Destination || !bytes.Equal(key, c.key) {
		c.w.count.strangers.Add(1)
		c.refuse("400 Bad Request", "InvalidRequest", "This server copies from "+Source+" to the same key of "+Destination+".")
		return 0, false
	}
	i := c.w.cfg.Keys.Find(key)
	if i < 0 {
		c.w.count.strangers.Add(1)
		c.noKey()
		return 0, false
	}
	var etag [32]byte
	if c.q.ifMatch != nil && !bytes.Equal(c.q.ifMatch, appendETag(etag[:0], i)) {
		c.refuse("412 Precondition Failed", "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return 0, false
	}
	return i, true
}

func (c *exchange) copyObject() {
	i, ok := c.source()
	if !ok {
		return
	}
	if c.w.cfg.Keys.Size(i) > 5<<30 {
		c.refuse("400 Bad Request", "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
		return
	}
	c.w.write(i)
	c.body = append(c.body, xmlHead+`<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ETag>&quot;`...)
	c.body = append(appendETag(c.body, i), "&quot;</ETag><LastModified>"+copiedXML+"</LastModified><ChecksumType>FULL_OBJECT</ChecksumType><ChecksumCRC64NVME>"...)
	c.body = append(appendSum(c.body, i), "</ChecksumCRC64NVME></CopyObjectResult>"...)
}

// put takes an object's bytes and forgets them.
func (c *exchange) put() {
	i := c.w.cfg.Keys.Find(c.key)
	if i < 0 || string(c.bucket) != Destination {
		c.w.count.strangers.Add(1)
		c.header("ETag", []byte(`"d41d8cd98f00b204e9800998ecf8427e"`))
		return
	}
	c.w.write(i)
	c.header("ETag", append(appendETag([]byte{'"'}, i), '"'))
}

// delete answers DeleteObject and DeleteObjects.
func (c *exchange) delete() {
	if c.q.method == "DELETE" {
		c.forget(c.key)
		c.status = "204 No Content"
		return
	}
	c.body = append(c.body, xmlHead+"<DeleteResult>"...)
	for rest := c.q.body; ; {
		_, after, ok := bytes.Cut(rest, []byte("<Key>"))
		if !ok {
			break
		}
		var name []byte
		name, rest, _ = bytes.Cut(after, []byte("</Key>"))
		c.forget(unentity(name))
		c.body = append(append(append(c.body, "<Deleted><Key>"...), name...), "</Key></Deleted>"...)
	}
	c.body = append(c.body, "</DeleteResult>"...)
}

func (c *exchange) forget(key []byte) {
	c.w.count.deletes.Add(1)
	if i := c.w.cfg.Keys.Find(key); i >= 0 && string(c.bucket) == Destination {
		c.w.there.clear(i)
	}
}

// unentity undoes XML's escapes that Go's encoder writes.
func unentity(b []byte) []byte {
	for _, e := range [...][2]string{
		{"&lt;", "<"},
		{"&gt;", ">"},
		{"&#34;", `"`},
		{"&quot;", `"`},
		{"&#39;", "'"},
		{"&apos;", "'"},
		{"&#x9;", "\t"},
		{"&#xA;", "\n"},
		{"&#xD;", "\r"},
		{"&amp;", "&"},
	} {
		b = bytes.ReplaceAll(b, []byte(e[0]), []byte(e[1]))
	}
	return b
}
