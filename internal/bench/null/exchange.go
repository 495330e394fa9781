package null

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net"
	"strconv"
	"time"
)

// An exchange is one connection's work: a request, what is found out about it, and its answer.
type exchange struct {
	server *Server
	conn   net.Conn
	in     reader
	random *rand.Rand
	timer  *time.Timer

	w      *world
	q      request
	bucket []byte
	key    []byte // decoded
	kind   Kind

	status string // of the answer
	extra  []byte // headers of the answer
	out    []byte // its head
	body   []byte
	zeros  int64 // bytes of an object behind the body
	torn   bool
}

// answer serves the request, and tells whether the connection goes on.
func (c *exchange) answer() bool {
	c.status, c.extra, c.body, c.zeros, c.torn = "200 OK", c.extra[:0], c.body[:0], 0, false
	if bytes.HasPrefix(c.q.path, []byte("/-/")) {
		c.admin()
		return c.send()
	}
	rest := c.q.path[1:]
	bucket, key, _ := bytes.Cut(rest, []byte("/"))
	c.bucket, c.key = bucket, unescape(c.key[:0], key, false)
	c.kind = c.kindOf()
	c.w.count.requests[c.kind].Add(1)

	c.enter()
	if c.fault() {
		c.leave()
		return !c.torn && c.send()
	}
	c.route()
	late := c.torn // the effect stands, its answer is lost
	c.wait()
	c.leave()
	if late {
		return false
	}
	return c.send()
}

func (c *exchange) enter() {
	switch c.kind {
	case ListSource, ListDestination:
		c.w.count.lists.enter()
	case Copy, PartCopy:
		c.w.count.copies.enter()
	default:
	}
}

func (c *exchange) leave() {
	switch c.kind {
	case ListSource, ListDestination:
		c.w.count.lists.leave()
	case Copy, PartCopy:
		c.w.count.copies.leave()
	default:
	}
}

// wait lets the answer take its time.
func (c *exchange) wait() {
	d := c.w.cfg.Latency.Other
	switch c.kind {
	case ListSource, ListDestination:
		d = c.w.cfg.Latency.List
	case Copy, PartCopy:
		d = c.w.cfg.Latency.Copy
	case Bucket:
		d = 0
	default:
	}
	if d > 0 {
		c.timer.Reset(d)
		<-c.timer.C
	}
}

// fault refuses the request where the dice or the rate say so, and tells whether it did.
func (c *exchange) fault() bool {
	if c.kind == Bucket {
		return false
	}
	segment, _, _ := bytes.Cut(c.key, []byte("/"))
	if len(segment) == len(c.key) {
		segment = nil
	}
	if (c.kind == Copy || c.kind == PartCopy) && !c.w.admit(segment) {
		c.slowDown()
		return true
	}
	f := c.w.cfg.Faults
	if f.Unavailable+f.Internal+f.Torn == 0 {
		return false
	}
	switch dice := c.random.Float64(); {
	case dice < f.Unavailable:
		c.slowDown()
	case dice < f.Unavailable+f.Internal:
		c.w.count.failed.Add(1)
		c.refuse("500 Internal Server Error", "InternalError", "We encountered an internal error. Please try again.")
	case dice < f.Unavailable+f.Internal+f.Torn:
		c.w.count.torn.Add(1)
		c.torn = true
		return c.random.IntN(2) == 0
	default:
		return false
	}
	return true
}

func (c *exchange) slowDown() {
	c.w.count.throttled.Add(1)
	c.refuse("503 Slow Down", "SlowDown", "Please reduce your request rate.")
}

// refuse answers an error.
func (c *exchange) refuse(status, code, message string) {
	if status[0] == '4' && c.kind != Bucket {
		c.w.count.refused.Add(1)
	}
	c.status = status
	c.body = append(c.body[:0], xmlHead+"<Error><Code>"...)
	c.body = append(append(c.body, code...), "</Code><Message>"...)
	c.body = append(append(c.body, message...), "</Message><RequestId>NULL</RequestId></Error>"...)
}

func (c *exchange) noKey() {
	c.refuse("404 Not Found", "NoSuchKey", "The specified key does not exist.")
}

func (c *exchange) header(name string, value []byte) {
	c.extra = append(append(append(append(c.extra, name...), ": "...), value...), "\r\n"...)
}

// send writes the answer. What S3 sends along with each is sent, so that clients parse as much.
func (c *exchange) send() bool {
	o := append(c.out[:0], "HTTP/1.1 "...)
	o = append(o, c.status...)
	o = append(o, "\r\nx-amz-id-2: eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran\r\nx-amz-request-id: 318BC8BC148832E5\r\nDate: "...)
	o = append(o, c.server.date()...)
	o = append(o, "\r\nServer: null\r\n"...)
	if len(c.body) > 0 {
		o = append(o, "Content-Type: application/xml\r\n"...)
	}
	o = append(o, c.extra...)
	if c.status[:3] != "204" && (c.q.method != "HEAD" || c.zeros == 0) {
		o = strconv.AppendInt(append(o, "Content-Length: "...), int64(len(c.body))+c.zeros, 10)
		o = append(o, "\r\n"...)
	}
	c.out = append(o, "\r\n"...)
	if c.q.method == "HEAD" {
		_, err := c.conn.Write(c.out)
		return err == nil
	}
	if len(c.body) < 4<<10 {
		c.out = append(c.out, c.body...)
		if _, err := c.conn.Write(c.out); err != nil {
			return false
		}
		return c.sendZeros()
	}
	parts := net.Buffers{c.out, c.body}
	if _, err := parts.WriteTo(c.conn); err != nil {
		return false
	}
	return c.sendZeros()
}

func (c *exchange) sendZeros() bool {
	if c.zeros == 0 {
		return true
	}
	block := make([]byte, min(c.zeros, 256<<10))
	for left := c.zeros; left > 0; left -= int64(len(block)) {
		if _, err := c.conn.Write(block[:min(left, int64(len(block)))]); err != nil {
			return false
		}
	}
	return true
}

// admin answers /-/stats, and /-/reset, which begins the same world anew; /-/fill fills the destination.
func (c *exchange) admin() {
	switch string(c.q.path) {
	case "/-/stats":
		b, err := json.Marshal(c.w.stats())
		if err != nil {
			c.refuse("500 Internal Server Error", "InternalError", err.Error())
			return
		}
		c.body = append(b, '\n')
	case "/-/reset":
		c.server.Reset(c.w.cfg)
	case "/-/fill":
		c.server.Fill(nil)
	default:
		c.noKey()
	}
}
