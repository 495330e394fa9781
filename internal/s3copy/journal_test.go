package s3copy

import (
	"context"
	"slices"
	"sync"
)

// journal keeps progress in memory, and can fail.
type journal struct {
	mu      sync.Mutex
	p       Progress
	commits int
	writes  int
	deny    func(write int) error // asked before every write; an error leaves it out
}

func (j *journal) write(change func()) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.writes++
	if j.deny != nil {
		if err := j.deny(j.writes); err != nil {
			return err
		}
	}
	change()
	return nil
}

func (j *journal) Load(context.Context) (Progress, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.p
	p.Ranges, p.Failures, p.Uploads = slices.Clone(p.Ranges), slices.Clone(p.Failures), slices.Clone(p.Uploads)
	return p, nil
}

func (j *journal) Commit(_ context.Context, b Batch) error {
	return j.write(func() {
		j.commits++
		for _, id := range b.Dropped {
			j.p.Ranges = slices.DeleteFunc(j.p.Ranges, func(o Range) bool { return o.ID == id })
		}
		for _, r := range b.Ranges {
			i := slices.IndexFunc(j.p.Ranges, func(o Range) bool { return o.ID == r.ID })
			if i < 0 {
				j.p.Ranges = append(j.p.Ranges, r)
			} else {
				j.p.Ranges[i] = r
			}
		}
		j.p.Tally.Plus(b.Add)
		for _, f := range b.Failures {
			j.p.Failures = slices.DeleteFunc(j.p.Failures, func(o Failure) bool { return o.Key == f.Key })
			j.p.Failures = append(j.p.Failures, f)
		}
		for _, key := range b.Healed {
			j.p.Failures = slices.DeleteFunc(j.p.Failures, func(o Failure) bool { return o.Key == key })
		}
	})
}

func (j *journal) PutUpload(_ context.Context, u Upload) error {
	return j.write(func() {
		j.p.Uploads = slices.DeleteFunc(j.p.Uploads, func(o Upload) bool { return o.Key == u.Key })
		j.p.Uploads = append(j.p.Uploads, u)
	})
}

func (j *journal) DropUpload(_ context.Context, key string) error {
	return j.write(func() {
		j.p.Uploads = slices.DeleteFunc(j.p.Uploads, func(o Upload) bool { return o.Key == key })
	})
}

var (
	_ Source      = (*bucket)(nil)
	_ Destination = (*bucket)(nil)
	_ Deleter     = (*bucket)(nil)
	_ Restorer    = (*bucket)(nil)
	_ Journal     = (*journal)(nil)
)
