package null

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
)

const (
	headMost = 64 << 10 // bytes of a request's head
	bodyMost = 16 << 20 // bytes of a body that is kept
)

var errHead = errors.New("not a request that this server reads")

// A request is one request. Its slices are good until the next one is read.
type request struct {
	method      string
	path, query []byte // path as it came; query without its question mark
	body        []byte // of POST; of other methods it is read and forgotten
	chunked     bool
	expect      bool
	closes      bool
	checksums   bool // x-amz-checksum-mode
	length      int
	copySource  []byte
	ifMatch     []byte // x-amz-copy-source-if-match, or if-match
	byteRange   []byte
}

// A reader reads requests off a connection.
type reader struct {
	conn net.Conn
	buf  []byte
	r, w int // the bytes that are not used yet
	body []byte
}

// next reads a request.
func (c *reader) next(q *request) error {
	if c.r == c.w {
		c.r, c.w = 0, 0
	}
	from := c.r
	for {
		if i := bytes.Index(c.buf[from:c.w], []byte("\r\n\r\n")); i >= 0 {
			head := c.buf[c.r : from+i+2]
			c.r = from + i + 4
			if err := q.parse(head); err != nil {
				return err
			}
			return c.readBody(q)
		}
		from = max(c.r, c.w-3)
		if c.w == len(c.buf) {
			moved := c.r
			if err := c.room(); err != nil {
				return err
			}
			from -= moved
		}
		n, err := c.conn.Read(c.buf[c.w:])
		c.w += n
		if err != nil && n == 0 {
			return err
		}
	}
}

// room makes the buffer take more bytes behind those that are not used yet.
func (c *reader) room() error {
	if c.w-c.r >= headMost {
		return errHead
	}
	to := c.buf
	if c.w-c.r > len(c.buf)/2 {
		to = make([]byte, 2*len(c.buf))
	}
	c.w = copy(to, c.buf[c.r:c.w])
	c.r, c.buf = 0, to
	return nil
}

// parse reads a head: lines that each end with CRLF.
func (q *request) parse(head []byte) error {
	*q = request{}
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	method, line, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return errHead
	}
	target, _, ok := bytes.Cut(line, []byte(" "))
	if !ok || len(target) == 0 || target[0] != '/' {
		return errHead
	}
	q.method = methodName(method)
	q.path, q.query, _ = bytes.Cut(target, []byte("?"))
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			return errHead
		}
		q.header(lower(line[:colon]), bytes.TrimSpace(line[colon+1:]))
	}
	return nil
}

func methodName(b []byte) string {
	switch string(b) {
	case "GET":
		return "GET"
	case "PUT":
		return "PUT"
	case "HEAD":
		return "HEAD"
	case "POST":
		return "POST"
	case "DELETE":
		return "DELETE"
	}
	return ""
}

// lower makes a header's name lower case, in place.
func lower(b []byte) []byte {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

func (q *request) header(name, value []byte) {
	switch string(name) {
	case "content-length":
		q.length, _ = strconv.Atoi(string(value)) // what is no number is no body
	case "transfer-encoding":
		q.chunked = string(value) == "chunked"
	case "expect":
		q.expect = true
	case "connection":
		q.closes = string(lower(value)) == "close"
	case "range":
		q.byteRange = value
	case "x-amz-copy-source":
		q.copySource = value
	case "x-amz-copy-source-if-match", "if-match":
		q.ifMatch = bytes.Trim(value, `"`)
	case "x-amz-copy-source-range":
		q.byteRange = value
	case "x-amz-checksum-mode":
		q.checksums = true
	}
}

// readBody reads the whole body.
func (c *reader) readBody(q *request) error {
	if q.expect {
		if _, err := io.WriteString(c.conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return err
		}
	}
	if q.chunked {
		return errHead
	}
	if q.length == 0 {
		return nil
	}
	keep := q.method == "POST"
	if q.length < 0 || keep && q.length > bodyMost {
		return errHead
	}
	// The head's slices point into buf: what more is read goes elsewhere.
	have := min(q.length, c.w-c.r)
	c.body = append(c.body[:0], c.buf[c.r:c.r+have]...)
	c.r += have
	left := q.length - have
	if !keep {
		_, err := io.CopyN(io.Discard, c.conn, int64(left))
		return err
	}
	c.body = append(c.body, make([]byte, left)...)
	_, err := io.ReadFull(c.conn, c.body[have:])
	q.body = c.body
	return err
}

// unescape decodes %XX into dst; plus is a space where form says so.
func unescape(dst, b []byte, form bool) []byte {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '%' && i+2 < len(b) && hexValue(b[i+1]) >= 0 && hexValue(b[i+2]) >= 0:
			dst = append(dst, byte(hexValue(b[i+1])<<4|hexValue(b[i+2])))
			i += 2
		case b[i] == '+' && form:
			dst = append(dst, ' ')
		default:
			dst = append(dst, b[i])
		}
	}
	return dst
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// parameter gives a parameter's decoded value, and whether it is there.
func (q *request) parameter(name string) ([]byte, bool) {
	for rest := q.query; len(rest) > 0; {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte("&"))
		key, value, _ := bytes.Cut(pair, []byte("="))
		if string(key) == name {
			return unescape(nil, value, true), true
		}
	}
	return nil, false
}

func (q *request) has(name string) bool {
	_, ok := q.parameter(name)
	return ok
}
