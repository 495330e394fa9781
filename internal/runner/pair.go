package runner

import (
	"slices"
	"sync"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// pairRunner turns a pair's step into the engine's job.
type pairRunner struct {
	d       Deps
	session *session
	ends    *summaries
}

// summaries remembers how this run's copies ended, for the verification that follows.
type summaries struct {
	mu     sync.Mutex
	of     map[string]s3copy.Summary
	proven map[string]bool // pairs that were verified
	passes map[string][]s3copy.Window
}

// ran remembers when a pass over the pair ran, and ended without a failure.
func (s *summaries) ran(pair string, w s3copy.Window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.passes == nil {
		s.passes = map[string][]s3copy.Window{}
	}
	s.passes[pair] = append(s.passes[pair], w)
}

func (s *summaries) windows(pair string) []s3copy.Window {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.passes[pair])
}

func (s *summaries) prove(pair string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proven == nil {
		s.proven = map[string]bool{}
	}
	s.proven[pair] = true
}

// allProven tells whether every one of the pairs was verified in this run.
func (s *summaries) allProven(pairs []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(pairs, func(id string) bool { return !s.proven[id] })
}

func (s *summaries) put(pair string, sum s3copy.Summary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]s3copy.Summary{}
	}
	s.of[pair] = sum
}

func (s *summaries) get(pair string) (s3copy.Summary, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum, ok := s.of[pair]
	return sum, ok
}

// jobAs makes the job of a pair, as the given reader of the source and writer of the destination.
func jobAs(mode s3copy.Mode, c compile.CopySpec, reader, writer Opener) s3copy.Job {
	source, destination := c.Source(), c.Destination()
	return s3copy.Job{
		Mode:        mode,
		Source:      reader.OpenSource(source),
		Destination: writer.OpenDestination(destination, source),
		Prefix:      c.Pair.Prefix, ToPrefix: c.Pair.ToPrefix,
		Streaming: c.Streaming,
		Versions:  c.Pair.Copy.AllVersions(),
		Rules:     rulesOf(c),
		Samples:   5,

		SecondPass: c.Pair.Copy.SecondPass && mode == s3copy.Copy,
	}
}

// rulesOf says the plan's words as the engine's rules.
func rulesOf(c compile.CopySpec) s3copy.Rules {
	p := c.Pair
	r := s3copy.Rules{
		Compare:      string(p.Copy.Compare),
		NeverReplace: p.Copy.Overwrite == "never" || c.Settled,
		Tags:         p.Copy.Tags,
		StorageClass: p.Copy.StorageClass,
		Restore:      p.Copy.Archived == "restore",
		RestoreDays:  p.Copy.Restore.Days,
		RestoreTier:  p.Copy.Restore.Tier,
		Locks:        c.Locks,
		Redirects:    c.Redirects,
		DeleteExtra:  p.Copy.DeleteExtra,
		Level:        string(p.Verify.Level),
		Otherwise:    p.Verify.Otherwise,
	}
	if p.Copy.ACL != "none" {
		r.ACL = p.Copy.ACL
	}
	if f := p.Copy.Filter(); !f.All() {
		r.Match = f.Match
	}
	return r
}

// asPrincipal makes the job with the principal's login.
func (r pairRunner) asPrincipal(mode s3copy.Mode, c compile.CopySpec) (s3copy.Job, error) {
	login, err := r.session.get()
	if err != nil {
		return s3copy.Job{}, err
	}
	reader := Opener(login)
	if c.Streaming {
		reader = r.d.Source // the principal is unknown to the other server
	}
	job := jobAs(mode, c, reader, login)
	job.Counters, job.Kill = r.d.Progress.Of(c.Pair.ID()), r.d.Kill
	job.Earlier = r.d.Earlier[c.Pair.ID()]
	return job, nil
}

// asAdmins makes the job with both administrators' logins: for reading only.
func (r pairRunner) asAdmins(mode s3copy.Mode, c compile.CopySpec) s3copy.Job {
	job := jobAs(mode, c, r.d.Source, r.d.Destination)
	job.Kill = r.d.Kill
	return job
}
