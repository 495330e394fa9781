package s3copy

import (
	"context"
	"maps"
	"slices"
)

// retryPage is how many failures are retried, and committed, together.
const retryPage = 100

// retry looks once more at every object that stands as failed, of this run and of
// earlier ones: both sides are read afresh. What succeeds is healed and moves over in
// the counts; what is gone from the source leaves them.
func (r *run) retry(ctx context.Context) error {
	standing := maps.Clone(r.books.standing) // no page is under way
	if err := r.leaveFrozen(ctx, standing); err != nil {
		return err
	}
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(standing)), retryPage) {
		failures := make([]Failure, len(keys))
		for i, key := range keys {
			failures[i] = standing[key]
		}
		if err := r.retryAll(ctx, failures); err != nil {
			return err
		}
		if err := r.drain(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) retryAll(ctx context.Context, failures []Failure) error {
	if err := r.ahead.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	p := &page{rng: noRange, open: 1, keys: len(failures)}
	for i := range failures {
		t := task{page: p, src: Object{Key: failures[i].Key, Size: failures[i].Size}, old: &failures[i]}
		if err := r.hand(ctx, t); err != nil {
			r.finish(p, false)
			return err
		}
		r.count.Retried.Add(1)
	}
	r.finish(p, true)
	return nil
}
