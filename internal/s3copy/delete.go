package s3copy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
)

// ErrEmptySource stops a deletion that finds nothing to delete: where a copy has been,
// an empty listing is no proof of anything.
var ErrEmptySource = errors.New("the source lists no key")

// ErrOneBucket stops a deletion whose source and destination may be one bucket, reached by two addresses: what
// goes from the one would be gone from the other.
var ErrOneBucket = errors.New("source and destination have one name, and every object is of the same moment on both sides: " +
	"they look like one bucket at two addresses, and nothing of it is deleted")

// An UnprovenError stops a deletion of source objects: not every one of them is proven
// to stand, unchanged, at the destination.
type UnprovenError struct {
	Objects int64  // how many; 0 where that is not known
	Key     string // one of them
	Reason  string
	Marks   []Failure // those of them whose bytes are proven: a [Job] that has them [Job.Marked] copies them again
}

// Error names one object and the number of them.
func (e *UnprovenError) Error() string {
	return fmt.Sprintf("source objects are not proven to stand at the destination (%d): %q: %s", e.Objects, e.Key, e.Reason)
}

// An UndeletedError says that source objects could not be deleted.
type UndeletedError struct {
	Objects  int64 // or versions and delete markers
	Versions bool
	Key      string // the first of them
	Err      error
}

// Error names the first object and the number of them.
func (e *UndeletedError) Error() string {
	what := "objects"
	if e.Versions {
		what = "versions and delete markers"
	}
	return fmt.Sprintf("%d source %s were not deleted: %q: %v", e.Objects, what, e.Key, e.Err)
}

// Unwrap gives the first cause.
func (e *UndeletedError) Unwrap() error { return e.Err }

// DeleteSource deletes the source's objects below job.Prefix through del, which must
// be the source's. A first pass verifies all of them anew: each must stand at the
// destination with evidence better than its size, whatever the job's level says, with
// the source's tags and headers, and none may be left out by a filter; else it deletes nothing and returns an
// [UnprovenError]. A second pass lists both buckets again and deletes block by block,
// conditional on the ETags: a block that is not exactly what the first pass proved, or
// whose copies are not when they are listed once more right before, stops it. Where the
// server does not heed the condition, objects are looked at and deleted one by one.
// The tally's Listed is what the second pass saw, Deleted and Failed are the answers.
//
// With job.Versions it is histories that are proven: every version and delete marker of a key is the newest part of the
// key's history at the destination, in order. They are deleted by their version IDs, for good: see purge. The
// tally counts versions and markers then, and its History those that were deleted.
func (e *Engine) DeleteSource(ctx context.Context, job Job, del Deleter) (Tally, error) {
	job.Mode, job.Journal, job.SecondPass, job.StopAtFirst = Verify, nil, false, false
	job.whole, job.Marked = true, nil
	job.Rules.NeverReplace, job.Rules.DeleteExtra, job.Rules.Restore = false, false, false
	if job.Rules.Level == levelSize {
		job.Rules.Level = levelChecksum
	}
	if job.Rules.Otherwise != otherwiseBytes {
		job.Rules.Otherwise = otherwiseFail
	}
	var seal sealer
	r, err := e.start(ctx, job, seal.see)
	if err != nil {
		return Tally{}, err
	}
	if err := r.work(ctx); err != nil {
		return Tally{}, fmt.Errorf("prove the copy: %w", err)
	}
	seal.close()
	if err := proven(r.summary(), r.marks()); err != nil {
		return Tally{}, err
	}
	if job.Twin && !seal.apart {
		return Tally{}, ErrOneBucket
	}
	again := newRun(e.limits, e.budget, job, Progress{Ranges: []Range{{ID: 1}}}, nil)
	if job.Versions {
		return again.purgeSealed(ctx, del, seal.blocks)
	}
	return again.deleteSealed(ctx, del, seal.blocks)
}

// proven tells whether a verification leaves no object open.
func proven(s Summary, marks []Failure) error {
	t := s.Tally
	weak := t.Evidence.SizeOnly.Objects
	switch open := t.Failed.Objects + t.Skipped.Objects + weak; {
	case open > 0 && len(s.Failures) > 0:
		return &UnprovenError{Objects: open, Key: s.Failures[0].Key, Reason: s.Failures[0].Reason, Marks: marks}
	case open > 0:
		return &UnprovenError{Objects: open, Reason: "left out by a filter, archived, or known by size only"}
	case t.Listed.Objects == 0:
		return ErrEmptySource
	}
	return nil
}

// A sealer condenses a listing, block by block, so that a second listing can be held
// against it in constant memory a block.
type sealer struct {
	blocks  [][sha256.Size]byte
	apart   bool // an object and its copy are of different moments: so there are two of them
	hash    hash.Hash
	entries int // of the block: objects, or versions and delete markers
	buf     []byte
}

// see takes the next source object and the one in its place. Of a history at the destination it takes what lies as far in
// front as the source's: what is beneath is nobody's business here.
func (s *sealer) see(src, dst *Object) {
	s.apart = s.apart || src != nil && dst != nil && !src.Modified.Equal(dst.Modified)
	if s.hash == nil {
		s.hash = sha256.New()
	}
	s.buf = s.buf[:0]
	for _, o := range []*Object{src, dst} {
		if o == nil {
			s.buf = append(s.buf, 0)
			continue
		}
		s.buf = append(s.buf, 1)
		s.object(o)
		if o.Chain != nil && src != nil {
			s.versions(o.Chain.newest(src.Chain.length()))
		}
	}
	s.hash.Write(s.buf)
	if s.entries += max(1, src.entries()); s.entries >= deletionsMax {
		s.close()
	}
}

func (s *sealer) object(o *Object) {
	s.words(o.Key, o.ETag)
	if o.Chain == nil { // else these are sums
		s.buf = binary.AppendVarint(s.buf, int64(o.Size))
		s.buf = binary.AppendVarint(s.buf, o.Modified.UnixNano())
	}
}

func (s *sealer) versions(all []Version) {
	s.buf = binary.AppendUvarint(s.buf, uint64(len(all)))
	for i := range all {
		v := &all[i]
		marker := byte(0)
		if v.Marker {
			marker = 1
		}
		s.buf = append(s.buf, marker)
		s.words(v.ID)
		s.object(&v.Object)
	}
}

func (s *sealer) words(words ...string) {
	for _, word := range words {
		s.buf = binary.AppendUvarint(s.buf, uint64(len(word)))
		s.buf = append(s.buf, word...)
	}
}

// close ends a block.
func (s *sealer) close() {
	if s.entries == 0 {
		return
	}
	s.blocks = append(s.blocks, [sha256.Size]byte(s.hash.Sum(nil)))
	s.hash.Reset()
	s.entries = 0
}
