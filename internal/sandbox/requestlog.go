package sandbox

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Request is one line of the request log.
type Request struct {
	Time      time.Time
	Service   string
	Operation string
	Account   string // of the caller
	Caller    string // its ARN
	Bucket    string
	Key       string
	Write     bool // it would change something if it succeeded
	Status    int  // 0 where the connection was torn without an answer
	Code      string
}

const defaultLogLimit = 10_000

// A requestLog keeps the newest requests in a ring, and counts them all.
type requestLog struct {
	limit  int // 0 means defaultLogLimit
	mu     sync.Mutex
	ring   []Request
	next   int
	counts sync.Map // "service:operation" -> *atomic.Int64
	writes atomic.Int64
}

func (l *requestLog) add(r Request) {
	name := r.Service + ":" + r.Operation
	n, ok := l.counts.Load(name)
	if !ok {
		n, _ = l.counts.LoadOrStore(name, new(atomic.Int64))
	}
	n.(*atomic.Int64).Add(1)
	if r.Write {
		l.writes.Add(1)
	}
	limit := l.limit
	if limit <= 0 {
		limit = defaultLogLimit
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < limit {
		l.ring = append(l.ring, r)
		return
	}
	l.ring[l.next] = r
	l.next = (l.next + 1) % limit
}

// record logs a call that was answered, or not.
func (s *Server) record(c *call, rec *recorder) {
	if c == nil {
		return
	}
	s.log.add(Request{
		Time: c.now, Service: c.target.Service, Operation: c.target.Operation,
		Account: c.caller.Account, Caller: c.caller.ARN, Bucket: c.target.Bucket, Key: c.target.Key,
		Write: c.target.Write, Status: rec.status, Code: rec.code,
	})
}

// Requests are the newest requests (see Config.Log), oldest first.
func (s *Server) Requests() []Request {
	l := &s.log
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(append([]Request(nil), l.ring[l.next:]...), l.ring[:l.next]...)
}

// Count tells how often an operation was asked for since the start, whatever
// the answer: "CopyObject", or "iam:GetPolicy" where names are ambiguous.
func (s *Server) Count(operation string) int {
	total := int64(0)
	s.log.counts.Range(func(k, v any) bool {
		name, _ := k.(string)
		_, bare, _ := strings.Cut(name, ":")
		if name == operation || bare == operation {
			total += v.(*atomic.Int64).Load()
		}
		return true
	})
	return int(total)
}

// Mutations are the kept requests that would have changed something, refused
// ones included, oldest first.
func (s *Server) Mutations() []Request {
	var out []Request
	for _, r := range s.Requests() {
		if r.Write {
			out = append(out, r)
		}
	}
	return out
}

// MutationCount is how many requests would have changed something since the start.
func (s *Server) MutationCount() int { return int(s.log.writes.Load()) }
