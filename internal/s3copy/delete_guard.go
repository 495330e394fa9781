package s3copy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// heed is whether a server refuses to delete an object whose ETag is not the one given.
type heed int

const (
	heedUnknown heed = iota
	heeds
	heedsNot
)

// noETag is the ETag of nothing.
const noETag = "00000000000000000000000000000000"

// standFor is how old the last look at the copies may be when a source object goes.
const standFor = time.Second

// stand lists the block's copies once more, right before their sources go: the pages of the
// walk were fetched ahead, and a slow answer makes them old.
func (d *deletion) stand(ctx context.Context) error {
	if !d.stood.IsZero() && time.Since(d.stood) < standFor {
		return nil
	}
	d.stood = time.Now()
	_, side := d.sides(0)
	side.after, side.through = d.behind, d.job.place(d.block[len(d.block)-1].Key)
	left := d.there
	for w := newWalk(side); !w.over() && len(left) > 0; {
		b := w.page(ctx, d.run)
		if b.err != nil {
			return b.err
		}
		for i := range b.objects {
			o := &b.objects[i]
			if len(left) == 0 || o.Key != left[0].Key {
				continue // only the destination has it
			}
			if o.ETag != left[0].ETag || o.Size != left[0].Size || !o.Modified.Equal(left[0].Modified) {
				return d.unproven(left[0].Key, "its copy changed since it was proven")
			}
			left = left[1:]
		}
		if len(b.objects) > 0 {
			d.shelf.put(b.whole)
		}
	}
	if len(left) > 0 {
		return d.unproven(left[0].Key, "its copy is gone since it was proven")
	}
	return nil
}

// unproven names the source's key of a copy.
func (d *deletion) unproven(copied, why string) error {
	return &UnprovenError{Objects: 1, Key: d.job.origin(copied), Reason: why}
}

// guarded deletes objects only while each is the one that was listed: by the server's condition where it heeds
// that, else by a look at each right before. Beside an error there may be answers.
func (d *deletion) guarded(ctx context.Context, some []Deletion) ([]error, error) {
	known := &d.heeded[0]
	if alone(some[0].Key) {
		known = &d.heeded[1]
	}
	if err := d.stand(ctx); err != nil {
		return nil, err
	}
	if *known == heedUnknown {
		var err error
		if *known, err = d.test(ctx, some[0]); err != nil {
			return nil, err
		}
		d.stood = time.Time{}
		if err := d.stand(ctx); err != nil {
			return nil, err
		}
	}
	if *known == heeds {
		return d.delete(ctx, d.del, some)
	}
	errs := make([]error, len(some))
	for i, o := range some {
		if err := d.stand(ctx); err != nil {
			return stopped(errs, i, err)
		}
		_, err := d.looked(ctx, o, o.ETag)
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		errs[i] = err
		if d.silent++; err == nil || final(err) {
			d.silent = 0
		}
		if d.silent == silentMost {
			return stopped(errs, i+1, err)
		}
	}
	return errs, nil
}

// stopped says of all objects from the i-th on that they were not deleted.
func stopped(errs []error, i int, err error) ([]error, error) {
	for ; i < len(errs); i++ {
		errs[i] = err
	}
	return errs, err
}

// test asks to delete an object, which is to be deleted anyway and was looked at, if its ETag is one that it has not.
// The server that deletes it does not heed conditions. No answer leaves it unknown.
func (d *deletion) test(ctx context.Context, o Deletion) (heed, error) {
	asked, err := d.looked(ctx, o, noETag)
	switch {
	case !asked: // it is looked at again, and told of, when it is to be deleted
	case errors.Is(err, ErrChanged):
		return heeds, nil
	case err == nil || errors.Is(err, ErrUnsupported):
		return heedsNot, nil
	case errors.Is(err, errMiscounted):
		return heedUnknown, err
	}
	return heedUnknown, nil
}

// Of a deletion that a server carries out whatever stands there.
const (
	lookTries  = 6
	lookPause  = 100 * time.Millisecond
	silentMost = 3 // objects, or requests for versions, in a row that no answer is to be had for: the server has gone, and nothing is asked any more
)

// looked asks to delete an object on an ETag, once it was looked at. No request is repeated without another look: the answer to
// it may be all that was lost, and somebody may have written the key again. It tells whether it was asked for.
func (d *deletion) looked(ctx context.Context, o Deletion, etag string) (asked bool, err error) {
	at := o
	at.ETag = etag
	for try := range lookTries {
		if try > 0 {
			if err := wait(ctx, lookPause<<try); err != nil {
				return asked, err
			}
			if err := d.stand(ctx); err != nil {
				return asked, err
			}
		}
		if now := d.unchanged(ctx, d.job.Source, o); now != nil {
			return false, now
		}
		if asked, err = true, d.deleteOne(ctx, d.del, at); err == nil || final(err) {
			return true, err
		}
	}
	return asked, err
}

// final tells of a refusal that means what it says, and will again.
func final(err error) bool {
	return slices.ContainsFunc([]error{ErrDenied, ErrNotFound, ErrNoBucket, ErrChanged, ErrUnsupported, ErrCredentials, ErrEmptyAnswer, errMiscounted}, func(known error) bool {
		return errors.Is(err, known)
	})
}

// unchanged tells whether an object is still the one to delete: ErrChanged where it is not, ErrNotFound where it is gone.
func (r *run) unchanged(ctx context.Context, h Header, o Deletion) error {
	now, err := r.head(ctx, h, HeadRequest{Key: o.Key})
	switch {
	case err != nil:
		return fmt.Errorf("look at it before its deletion: %w", err)
	case now.ETag != o.ETag || now.Size != o.Size:
		return ErrChanged
	}
	return nil
}

// deleteOne deletes an object that was looked at a moment ago, without a condition where the server knows none. Where its answer is
// lost, nobody knows whether it was carried out.
func (r *run) deleteOne(ctx context.Context, del Deleter, o Deletion) error {
	o.Once = true
	errs, err := r.delete(ctx, del, []Deletion{o})
	if err == nil && errors.Is(errs[0], ErrUnsupported) && o.ETag != "" {
		o.ETag = ""
		errs, err = r.delete(ctx, del, []Deletion{o})
	}
	if err != nil {
		return err
	}
	return errs[0]
}
