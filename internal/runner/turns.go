package runner

import (
	"context"
	"sync"
)

// turns has one step after the other of this run change what is read, changed and written as a whole.
type turns struct {
	mu sync.Mutex
	of map[string]chan struct{} // by name; full while somebody has the turn
}

// take waits for the turn. The returned function gives it on.
func (t *turns) take(ctx context.Context, name string) (release func(), err error) {
	t.mu.Lock()
	if t.of == nil {
		t.of = map[string]chan struct{}{}
	}
	turn, ok := t.of[name]
	if !ok {
		turn = make(chan struct{}, 1)
		t.of[name] = turn
	}
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
