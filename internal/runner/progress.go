package runner

import (
	"slices"
	"sync"

	"xplan/internal/s3copy"
)

// Progress holds the live counters of every pair, for views to sample. Safe for concurrent
// use; the zero value is ready.
type Progress struct {
	mu    sync.Mutex
	pairs map[string]*s3copy.Counters
}

// Of returns the counters of a pair, making them at the first call.
func (p *Progress) Of(pair string) *s3copy.Counters {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pairs == nil {
		p.pairs = map[string]*s3copy.Counters{}
	}
	if p.pairs[pair] == nil {
		p.pairs[pair] = &s3copy.Counters{}
	}
	return p.pairs[pair]
}

// Each calls f for every pair that has begun, by ID. f runs on the caller's goroutine.
func (p *Progress) Each(f func(pair string, c *s3copy.Counters)) {
	p.mu.Lock()
	ids := make([]string, 0, len(p.pairs))
	for id := range p.pairs {
		ids = append(ids, id)
	}
	p.mu.Unlock()
	slices.Sort(ids)
	for _, id := range ids {
		f(id, p.Of(id))
	}
}
