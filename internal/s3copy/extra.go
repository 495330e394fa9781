package s3copy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// deletionsMax is how many objects one request deletes.
const deletionsMax = 1000

// batches cuts deletions into requests: of at most deletionsMax keys, and keys that
// XML cannot hold one by one.
func batches(all []Deletion) [][]Deletion {
	var out [][]Deletion
	var together []Deletion
	for _, d := range all {
		if alone(d.Key) {
			out = append(out, []Deletion{d})
			continue
		}
		together = append(together, d)
		if len(together) == deletionsMax {
			out = append(out, together)
			together = nil
		}
	}
	if len(together) > 0 {
		out = append(out, together)
	}
	return out
}

// alone tells whether a key is deleted by a request of its own: XML cannot hold it, or holds U+FFFD in its place.
func alone(key string) bool { return !plainXML(key) || strings.ContainsRune(key, utf8.RuneError) }

// remove deletes a page's extra objects. What is not deleted is a failure of its own.
func (r *run) remove(ctx context.Context, t *task) error {
	errs, err := r.delete(ctx, r.job.Deleter, t.extras)
	if err != nil {
		if fatal(err) || ctx.Err() != nil {
			return err
		}
	}
	for i, d := range t.extras {
		cause := err
		if cause == nil {
			cause = errs[i]
		}
		if errors.Is(cause, ErrUnsupported) { // as a condition is to some servers
			if cause = r.unchanged(ctx, r.job.Destination, d); cause == nil {
				cause = r.deleteOne(ctx, r.job.Deleter, d)
			}
		}
		t.page.deleted(r.job.origin(d.Key), d, cause, time.Now())
	}
	return nil
}

var errMiscounted = errors.New("the server did not answer for each")

// delete asks for deletions and accounts for every one of them.
func (r *run) delete(ctx context.Context, del Deleter, objects []Deletion) ([]error, error) {
	errs, err := paced(ctx, r, objects[0].Key, func(ctx context.Context) ([]error, error) { return del.DeleteObjects(ctx, objects) })
	if err != nil {
		return nil, fmt.Errorf("delete %d objects: %w", len(objects), err)
	}
	if len(errs) != len(objects) {
		return nil, fmt.Errorf("delete %d objects: %w, but for %d", len(objects), errMiscounted, len(errs))
	}
	for i, err := range errs {
		if errors.Is(err, ErrNotFound) {
			errs[i] = nil
		}
	}
	return errs, nil
}

// origin gives the key that an object of the destination would have at the source.
func (j *Job) origin(key string) string { return j.Prefix + key[len(j.ToPrefix):] }

// deleted counts an extra object's deletion, or notes its failure.
func (p *page) deleted(origin string, d Deletion, err error, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.add.Deleted.Add(d.Size)
		return
	}
	p.failures = append(p.failures, Failure{
		Key: origin, Phase: phaseDelete, Reason: clip(err.Error()), Size: d.Size, At: now,
	})
}

// removeAgain retries the deletion of an extra object: only if it is extra still.
func (r *run) removeAgain(ctx context.Context, t *task) error {
	f := *t.old
	to := r.job.place(f.Key)
	if _, err := r.head(ctx, r.job.Source, HeadRequest{Key: f.Key}); !errors.Is(err, ErrNotFound) {
		if err == nil {
			t.page.heal(f.Key) // no extra object any more
			return nil
		}
		return r.keepFailure(ctx, t, f, err)
	}
	d, err := r.head(ctx, r.job.Destination, HeadRequest{Key: to})
	switch {
	case errors.Is(err, ErrNotFound):
		t.page.heal(f.Key)
		return nil
	case err != nil:
		return r.keepFailure(ctx, t, f, err)
	}
	gone := Deletion{Key: to, ETag: d.ETag, Size: d.Size}
	if err := r.deleteOne(ctx, r.job.Deleter, gone); err != nil {
		return r.keepFailure(ctx, t, f, err)
	}
	t.page.deleted(f.Key, gone, nil, time.Now())
	t.page.heal(f.Key)
	return nil
}

func (r *run) keepFailure(ctx context.Context, t *task, f Failure, err error) error {
	if fatal(err) || ctx.Err() != nil {
		return err
	}
	f.Reason, f.At = clip(err.Error()), time.Now()
	t.page.fail(f)
	return nil
}

func (p *page) heal(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.healed = append(p.healed, key)
}

func (p *page) fail(f Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = append(p.failures, f)
}
