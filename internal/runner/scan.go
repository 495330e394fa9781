package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// Scanner counts pairs with the copy switched off, as the administrators. It is compile.Scanner.
type Scanner struct {
	Source, Destination Account
	Engine              *s3copy.Engine
	Accounts            plan.Accounts
	Seeds               *Seeds                     // may be nil
	Earlier             map[string][]s3copy.Window // by pair; see Records.Earlier
	Journals            Journals                   // of a run that goes on; nil: there is none
}

var _ compile.Scanner = Scanner{}

// Scan lists both sides of a pair and counts the verdicts. Where a run goes on, the pair's own account
// stands for what it has begun: nothing is listed twice to learn that there is something left.
func (s Scanner) Scan(ctx context.Context, r compile.ScanRequest) (compile.CopyFacts, error) {
	var marks []s3copy.Failure
	if s.Journals != nil {
		p, err := s.Journals.Journal(r.Pair).Load(ctx)
		marks = s3copy.Marks(p.Failures)
		switch {
		case err != nil:
			return compile.CopyFacts{}, err
		case !r.GoesOn:
		case !r.DestinationExists && p.Tally.Copied.Objects+p.Tally.Same.Objects > 0:
			return compile.CopyFacts{}, &GoneError{Bucket: r.Pair.Destination, Objects: p.Tally.Copied.Objects + p.Tally.Same.Objects}
		case len(p.Ranges) > 0:
			return s.goneOn(ctx, r, p)
		}
	}
	spec := s.spec(r)
	job := jobAs(s3copy.Scan, spec, s.Source, s.Destination)
	if !r.DestinationExists {
		job.Destination = nil // the engine takes no destination for an empty one
	}
	if err := s.owners(ctx, r, spec, &job); err != nil {
		return compile.CopyFacts{}, err
	}
	job.StopAtFirst, job.Earlier, job.Marked = r.StopAtFirst, s.Earlier[r.Pair.ID()], marks
	sum, err := s.Engine.Run(ctx, job)
	if err != nil {
		return compile.CopyFacts{}, fmt.Errorf("count %s: %w", r.Pair.ID(), err)
	}
	s.Seeds.put(r.Pair, sum.Seed)
	return factsOf(sum), nil
}

// A canonical account knows how S3 names it as an owner.
type canonical interface {
	CanonicalID(ctx context.Context) (string, error)
}

// owners has the source's listing tell whose its objects are, where they may be somebody else's. Where an account
// may not be asked for its name, nobody is called a stranger.
func (s Scanner) owners(ctx context.Context, r compile.ScanRequest, spec compile.CopySpec, job *s3copy.Job) error {
	if !r.ManyOwners {
		return nil
	}
	var names []string
	for _, account := range []Account{s.Source, s.Destination} {
		who, ok := account.(canonical)
		if !ok {
			return nil
		}
		name, err := who.CanonicalID(ctx)
		switch {
		case errors.Is(err, compile.ErrDenied), errors.Is(err, compile.ErrUnsupported), err == nil && name == "":
			return nil
		case err != nil:
			return err
		}
		names = append(names, name)
	}
	at := spec.Source()
	at.Owners = true
	job.Source, job.Owners = s.Source.OpenSource(at), names
	return nil
}

func (s Scanner) spec(r compile.ScanRequest) compile.CopySpec {
	return compile.CopySpec{
		Pair:          r.Pair,
		SourceAccount: s.Accounts.Source.ID, SourceRegion: r.SourceRegion,
		DestAccount: s.Accounts.Destination.ID, DestRegion: r.DestinationRegion,
		RequesterPays: r.RequesterPays, Locks: r.Locks,
	}
}

// goneOn is what a run that goes on knows of a pair. Where nothing is left but restores that were asked for, the source's
// administrator looks how they stand: the principal is not needed before something can be read.
func (s Scanner) goneOn(ctx context.Context, r compile.ScanRequest, p s3copy.Progress) (compile.CopyFacts, error) {
	facts := recorded(r, p)
	if !slices.ContainsFunc(p.Failures, func(f s3copy.Failure) bool { return f.Phase == "restore" }) || r.Pair.Copy.AllVersions() {
		return facts, nil
	}
	state, err := RestoresOf(ctx, s.Engine, s.Source, s.Journals, s.spec(r))
	if err != nil {
		return facts, fmt.Errorf("ask how the restores of %s stand: %w", r.Pair.ID(), err)
	}
	facts.Restores = compile.Restores{Ready: state.Ready, UnderWay: state.UnderWay, Lapsed: state.Lapsed, Since: state.Since}
	if left := leftover(r, p); left.open || left.other || state.Any() {
		return facts, nil
	}
	facts = settled(p)
	facts.Restores = compile.Restores{UnderWay: state.UnderWay, Since: state.Since}
	facts.Thawing, facts.New = count(p.Tally.Failed), count(p.Tally.Failed)
	return facts, nil
}

// RestoresOf asks, as the source's administrator, how the restores of a pair stand that its journal has on record.
func RestoresOf(ctx context.Context, e *s3copy.Engine, source Opener, j Journals, c compile.CopySpec) (s3copy.Restores, error) {
	job := jobAs(s3copy.Copy, c, source, source)
	job.Journal = j.Journal(c.Pair)
	return e.Restores(ctx, job)
}

// left is what a run that goes on has to do beside retrying what failed.
type left struct{ open, other bool }

func leftover(r compile.ScanRequest, p s3copy.Progress) left {
	open := slices.ContainsFunc(p.Ranges, func(g s3copy.Range) bool { return !g.Ended })
	begun := slices.ContainsFunc(p.Uploads, func(u s3copy.Upload) bool { return u.ETag != "" }) // else it is a probe's: the clean-up's
	return left{open: open, other: begun || r.Pair.Copy.SecondPass || r.Pair.Copy.DeleteExtra || r.CutsOver}
}

// recorded is what the pair's account says: all of it where it is settled, else that something is left.
func recorded(r compile.ScanRequest, p s3copy.Progress) compile.CopyFacts {
	if l := leftover(r, p); l.open || l.other || len(p.Failures) > 0 {
		return compile.CopyFacts{Known: true, Partial: true}
	}
	return settled(p)
}

func settled(p s3copy.Progress) compile.CopyFacts {
	t := p.Tally
	t.Same.Plus(t.Copied)
	return factsOf(s3copy.Summary{Tally: s3copy.Tally{
		History: s3copy.History{Versions: t.History.Versions, Markers: t.History.Markers},
		Listed:  t.Listed, Same: t.Same, Skipped: t.Skipped, Extra: t.Extra,
		Filtered: t.Filtered, Archived: t.Archived, Kept: t.Kept, Evidence: t.Evidence,
	}})
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
		ChangedBy: counts(s.ChangedBy), UnreadableBy: counts(s.UnreadableBy),
		Classes: counts(s.Classes), Work: work(s.Work),
		Samples:    samples(s.Samples),
		ArchivedBy: counts(s.Archived), Thawing: count(s.Thawing),
		Locks: compile.LockFacts{
			Compared: count(s.Locks.Compared), Weaker: count(s.Locks.Weaker), Earlier: count(s.Locks.Earlier),
			Compliance: count(s.Locks.Compliance), Until: s.Locks.Until,
		},
		Largest: compile.Sample{Key: s.Largest.Key, Size: int64(s.Largest.Size), Reason: s.Largest.Reason},

		LongestKey: s.LongestKey, Versions: versions(t.History),
	}
}

// versions are the facts about them; nil: they were not counted.
func versions(h s3copy.History) *compile.VersionFacts {
	if h == (s3copy.History{}) {
		return nil
	}
	return &compile.VersionFacts{
		Versions: count(h.Versions), Markers: h.Markers.Objects, ToCopy: count(h.VersionsCopied), MarkersToMake: h.MarkersCopied.Objects,
	}
}

func count(c s3copy.Count) compile.Count {
	return compile.Count{Objects: c.Objects, Bytes: int64(c.Bytes)}
}

func work(m map[string]s3copy.Work) map[string]compile.Work {
	out := make(map[string]compile.Work, len(m))
	for class, w := range m {
		out[class] = compile.Work{
			Objects: w.Objects, Bytes: int64(w.Bytes), Small: count(w.Small), Frozen: count(w.Frozen), Thawing: count(w.Thawing),
			ByParts: w.ByParts, Parts: w.Parts,
		}
	}
	return out
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
