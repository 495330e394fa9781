package runner

import (
	"context"
	"sync"

	"xplan/internal/s3copy"
	"xplan/plan"
)

// Seeds keep what the scans of a start found settled before the first thing to do, so that
// the copy does not list and compare it again. Safe for concurrent use; the zero value is ready.
type Seeds struct {
	mu sync.Mutex
	of map[string]s3copy.Batch
}

func (s *Seeds) put(pair plan.Pair, b s3copy.Batch) {
	if s == nil || len(b.Ranges)+len(b.Failures) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]s3copy.Batch{}
	}
	s.of[pair.ID()] = b
}

// Sow commits them to the empty journals of a new run.
func (s *Seeds) Sow(ctx context.Context, pairs []plan.Pair, journals Journals) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range pairs {
		b, ok := s.of[p.ID()]
		if !ok {
			continue
		}
		if err := journals.Journal(p).Commit(ctx, b); err != nil {
			return err
		}
	}
	return nil
}
