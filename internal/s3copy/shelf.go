package s3copy

import "sync"

// A shelf keeps the buffers of pages for the next ones: what holds memory is the pages
// under way, however many ranges there are. Safe for concurrent use; nil keeps nothing.
type shelf struct {
	mu   sync.Mutex
	free [][]Object
}

// take gives an empty buffer.
func (s *shelf) take() []Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		return nil
	}
	last := len(s.free) - 1
	b := s.free[last]
	s.free = s.free[:last]
	return b
}

// put takes a buffer back that nobody looks at any more.
func (s *shelf) put(b []Object) {
	if s == nil || cap(b) == 0 {
		return
	}
	clear(b) // the strings, too, are free now
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, b[:0])
}
