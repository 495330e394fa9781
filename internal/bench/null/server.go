package null

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Server serves one world at a time. Safe for concurrent use.
type Server struct {
	listener net.Listener
	world    atomic.Pointer[world]
	dated    atomic.Pointer[dated]

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	done  bool
	group sync.WaitGroup
	next  atomic.Uint64 // connection's number
}

// Start serves on a loopback address: "127.0.0.1:0" takes a free port.
func Start(ctx context.Context, address string, cfg Config) (*Server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{listener: l, conns: map[net.Conn]struct{}{}}
	s.world.Store(newWorld(cfg))
	s.group.Go(s.accept)
	return s, nil
}

// URL is the endpoint.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Reset begins a new world. No request should be under way.
func (s *Server) Reset(cfg Config) { s.world.Store(newWorld(cfg)) }

// Recount forgets what was seen, but not what stands at the destination.
func (s *Server) Recount() {
	old := s.world.Load()
	w := newWorld(old.cfg)
	w.there = old.there
	s.world.Store(w)
}

// Fill has the destination hold the keys that keep says; nil means all.
func (s *Server) Fill(keep func(i int) bool) {
	w := s.world.Load()
	for i := range w.cfg.Keys.Len() {
		if keep == nil || keep(i) {
			w.there.set(i)
		}
	}
}

// Stats tells what was seen since the last reset.
func (s *Server) Stats() Stats { return s.world.Load().stats() }

// Copies is how many objects were written since the last reset.
func (s *Server) Copies() int64 { return s.world.Load().count.writes.Load() }

// Close ends all connections and waits for what serves them.
func (s *Server) Close() error {
	s.mu.Lock()
	s.done = true
	err := s.listener.Close()
	for c := range s.conns {
		err = errors.Join(err, c.Close())
	}
	s.mu.Unlock()
	s.group.Wait()
	return err
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return // closed, or out of files: then clients see that nobody answers
		}
		s.mu.Lock()
		if s.done {
			s.mu.Unlock()
			_ = c.Close() // nobody has used it
			return
		}
		s.conns[c] = struct{}{}
		s.group.Go(func() { s.serve(c) })
		s.mu.Unlock()
	}
}

// serve answers a connection's requests, one after the other.
func (s *Server) serve(conn net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		_ = conn.Close() // a second close tells nothing
	}()
	number := s.next.Add(1)
	c := &exchange{
		server: s, conn: conn, in: reader{conn: conn, buf: make([]byte, 8<<10)},
		random: rand.New(rand.NewPCG(s.world.Load().cfg.Faults.Seed, number)), //nolint:gosec // faults by seed
		timer:  time.NewTimer(time.Hour),
	}
	defer c.timer.Stop()
	for first := true; ; first = false {
		if err := c.in.next(&c.q); err != nil {
			return
		}
		c.w = s.world.Load()
		if first {
			c.w.count.connections.Add(1)
		}
		if !c.answer() || c.q.closes {
			return
		}
	}
}

// dated is the time of day as a header, made once a second.
type dated struct {
	second int64
	text   string
}

func (s *Server) date() string {
	now := time.Now()
	if d := s.dated.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &dated{now.Unix(), now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}
	s.dated.Store(d)
	return d.text
}
