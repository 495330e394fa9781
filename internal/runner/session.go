package runner

import (
	"errors"
	"sync"
)

// session holds the principal's login of one run, in memory only.
type session struct {
	mu    sync.Mutex
	login Login
}

func (s *session) set(l Login) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login = l
}

func (s *session) get() (Login, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.login == nil {
		return nil, errors.New("nobody logged in yet: the credentials step comes first")
	}
	return s.login, nil
}
