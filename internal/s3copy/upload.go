package s3copy

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// clockSkew is how far the server's clock may be off from ours.
const clockSkew = 15 * time.Minute

// journalError ends a run: what cannot be recorded must not be done.
type journalError struct{ err error }

func (e *journalError) Error() string { return "record an upload: " + e.err.Error() }
func (e *journalError) Unwrap() error { return e.err }

// upload gives the upload to put the parts into, and the parts that stand in it: the
// recorded one where it is of the same source object in the same layout, else a new
// one. The intent is recorded before the upload is made, its ID afterwards.
func (r *run) upload(ctx context.Context, src *Object, req UploadRequest, sizes []Bytes) (Upload, map[int]Part, error) {
	if u, ok := r.uploads.get(req.Key); ok {
		if u.ID != "" && u.ETag == src.ETag && u.Size == src.Size && u.Part == sizes[0] {
			kept, err := r.standing(ctx, u, sizes)
			if !errors.Is(err, ErrNoUpload) {
				return u, kept, err
			}
		}
		if err := r.abort(ctx, u); err != nil {
			return u, nil, err
		}
	}
	u := Upload{Key: req.Key, ETag: src.ETag, Size: src.Size, Part: sizes[0], Started: time.Now()}
	if err := r.record(ctx, u); err != nil {
		return u, nil, err
	}
	id, err := paced(ctx, r, req.Key, func(ctx context.Context) (string, error) { return r.job.Destination.CreateUpload(ctx, req) })
	if err == nil && id == "" {
		err = ErrEmptyAnswer
	}
	if err != nil {
		return u, nil, fmt.Errorf("create the upload: %w", err)
	}
	u.ID = id
	return u, nil, r.record(ctx, u)
}

func (r *run) record(ctx context.Context, u Upload) error {
	if err := r.job.Journal.PutUpload(context.WithoutCancel(ctx), u); err != nil {
		return &journalError{err}
	}
	r.uploads.set(u)
	return nil
}

func (r *run) forget(ctx context.Context, key string) error {
	if err := r.job.Journal.DropUpload(context.WithoutCancel(ctx), key); err != nil {
		return &journalError{err}
	}
	r.uploads.drop(key)
	return nil
}

// standing asks the server, not memory, for the parts that need no second copy.
func (r *run) standing(ctx context.Context, u Upload, sizes []Bytes) (map[int]Part, error) {
	parts, err := r.listParts(ctx, u.Key, u.ID)
	if err != nil {
		return nil, err
	}
	kept := make(map[int]Part, len(parts))
	for _, p := range parts {
		if n := p.Number; n >= 1 && n <= len(sizes) && p.Size == sizes[n-1] && p.ETag != "" {
			kept[n] = p
		}
	}
	return kept, nil
}

// afterUpload drops the record of an upload that is complete, and aborts one that
// cannot be gone on with. After any other error it stands, for a retry.
func (r *run) afterUpload(ctx context.Context, u Upload, err error) error {
	switch {
	case err == nil:
		return r.forget(ctx, u.Key)
	case errors.Is(err, ErrNoUpload):
		return errors.Join(err, r.forget(ctx, u.Key))
	case errors.Is(err, ErrChanged), errors.Is(err, ErrExists), errors.Is(err, ErrArchived), errors.Is(err, ErrUnsupported),
		errors.Is(err, errSums):
		return errors.Join(err, r.abort(ctx, u))
	}
	return err
}

// abort ends an upload of ours, and drops its record.
func (r *run) abort(ctx context.Context, u Upload) error {
	if u.ID == "" {
		id, err := r.adopt(ctx, u)
		if err != nil {
			return err
		}
		u.ID = id
	}
	if u.ID != "" {
		_, err := paced(ctx, r, u.Key, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, r.job.Destination.AbortUpload(ctx, u.Key, u.ID)
		})
		if err != nil && !errors.Is(err, ErrNoUpload) {
			return fmt.Errorf("abort the upload: %w", err)
		}
	}
	return r.forget(ctx, u.Key)
}

// adopt finds the ID of an upload whose creation was intended, and whose answer never
// came: the only one of its key that is young enough and still empty. "": none.
func (r *run) adopt(ctx context.Context, u Upload) (string, error) {
	pending, err := paced(ctx, r, u.Key, func(ctx context.Context) ([]PendingUpload, error) {
		return r.job.Destination.ListUploads(ctx, u.Key)
	})
	if err != nil {
		return "", fmt.Errorf("list uploads: %w", err)
	}
	found := ""
	for _, p := range pending {
		if p.Key != u.Key || p.Initiated.Before(u.Started.Add(-clockSkew)) {
			continue
		}
		parts, err := r.listParts(ctx, p.Key, p.ID)
		if err != nil || len(parts) > 0 {
			continue
		}
		if found != "" {
			return "", nil // more than one: which of them is ours nobody can tell
		}
		found = p.ID
	}
	return found, nil
}

func (r *run) listParts(ctx context.Context, key, id string) ([]Part, error) {
	parts, err := paced(ctx, r, key, func(ctx context.Context) ([]Part, error) {
		return r.job.Destination.ListParts(ctx, key, id)
	})
	if err != nil {
		return nil, fmt.Errorf("list the upload's parts: %w", err)
	}
	return parts, nil
}

// sweep aborts the uploads that are left when everything is settled. One that cannot
// be aborted stays recorded, and so does one that is of no object (somebody probed the
// access with it): whoever cleans up finds it in the journal.
func (r *run) sweep(ctx context.Context) error {
	for _, u := range r.uploads.all() {
		if u.ETag == "" {
			continue
		}
		if err := r.abort(ctx, u); err != nil && fatal(err) {
			return err
		}
	}
	return nil
}
