package runner

import (
	"context"
	"fmt"
	"sync"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// pairRunner turns a pair's step into the engine's job.
type pairRunner struct {
	d       Deps
	session *session
	ends    *summaries
}

// summaries remembers how this run's copies ended, for the verification that follows.
type summaries struct {
	mu sync.Mutex
	of map[string]s3copy.Summary
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
		Rules:     rulesOf(c.Pair),
		Samples:   5,

		SecondPass: c.Pair.Copy.SecondPass && mode == s3copy.Copy,
	}
}

// rulesOf says the plan's words as the engine's rules.
func rulesOf(p plan.Pair) s3copy.Rules {
	r := s3copy.Rules{
		Compare:      string(p.Copy.Compare),
		NeverReplace: p.Copy.Overwrite == "never",
		Tags:         p.Copy.Tags,
		StorageClass: p.Copy.StorageClass,
		Restore:      p.Copy.Archived == "restore",
		RestoreDays:  7,
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

// Scanner counts pairs with the copy switched off, as the administrators. It is compile.Scanner.
type Scanner struct {
	Source, Destination Account
	Engine              *s3copy.Engine
	Accounts            plan.Accounts
	Seeds               *Seeds                     // may be nil
	Earlier             map[string][]s3copy.Window // by pair; see Records.Earlier
}

var _ compile.Scanner = Scanner{}

// Scan lists both sides of a pair and counts the verdicts.
func (s Scanner) Scan(ctx context.Context, r compile.ScanRequest) (compile.CopyFacts, error) {
	spec := compile.CopySpec{
		Pair:          r.Pair,
		SourceAccount: s.Accounts.Source.ID, SourceRegion: r.SourceRegion,
		DestAccount: s.Accounts.Destination.ID, DestRegion: r.DestinationRegion,
	}
	job := jobAs(s3copy.Scan, spec, s.Source, s.Destination)
	if !r.DestinationExists {
		job.Destination = nil // the engine takes no destination for an empty one
	}
	job.StopAtFirst, job.Earlier = r.StopAtFirst, s.Earlier[r.Pair.ID()]
	sum, err := s.Engine.Run(ctx, job)
	if err != nil {
		return compile.CopyFacts{}, fmt.Errorf("count %s: %w", r.Pair.ID(), err)
	}
	s.Seeds.put(r.Pair, sum.Seed)
	return factsOf(sum), nil
}

func factsOf(s s3copy.Summary) compile.CopyFacts {
	t := s.Tally
	return compile.CopyFacts{
		Known: true, Partial: s.Partial,
		Listed: count(t.Listed), New: count(t.New), Changed: count(t.Changed), Same: count(t.Same),
		Skipped: count(t.Skipped), Unreadable: count(t.Unreadable), Extra: count(t.Extra),
		SameBy: map[string]compile.Count{
			"etag": count(t.Evidence.ETag), "checksum": count(t.Evidence.Checksum),
			"bytes": count(t.Evidence.Bytes), "size_only": count(t.Evidence.SizeOnly),
		},
		SkippedBy: map[string]compile.Count{
			"filtered": count(t.Filtered), "archived": count(t.Archived), "kept": count(t.Kept),
		},
		Classes: counts(s.Classes),
		Samples: samples(s.Samples),
		Largest: compile.Sample{Key: s.Largest.Key, Size: int64(s.Largest.Size), Reason: s.Largest.Reason},

		LongestKey: s.LongestKey,
	}
}

func count(c s3copy.Count) compile.Count {
	return compile.Count{Objects: c.Objects, Bytes: int64(c.Bytes)}
}

func counts(m map[string]s3copy.Count) map[string]compile.Count {
	out := make(map[string]compile.Count, len(m))
	for k, c := range m {
		out[k] = count(c)
	}
	return out
}

func samples(m map[string][]s3copy.Sample) map[string][]compile.Sample {
	out := make(map[string][]compile.Sample, len(m))
	for k, list := range m {
		for _, x := range list {
			out[k] = append(out[k], compile.Sample{Key: x.Key, Size: int64(x.Size), Reason: x.Reason})
		}
	}
	return out
}
