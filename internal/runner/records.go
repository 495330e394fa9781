package runner

import (
	"context"
	"fmt"
	"slices"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
	"xplan/state"
)

// Records is Ownership and Journals over the state file.
type Records struct{ DB *state.DB }

var (
	_ Ownership = Records{}
	_ Journals  = Records{}
)

// Intend notes that something is about to be made.
func (r Records) Intend(o compile.Owned) error { return r.DB.Intend(ownedRecord(o)) }

// Own notes that it was made.
func (r Records) Own(o compile.Owned) error { return r.DB.Own(ownedRecord(o)) }

// Disown forgets it.
func (r Records) Disown(o compile.Owned) error { return r.DB.Disown(ownedRecord(o).Key()) }

// Owned is all that is owned or intended; a pair with uploads that may still stand is owned by them.
func (r Records) Owned() ([]compile.Owned, error) {
	all, err := r.DB.Owned()
	if err != nil {
		return nil, err
	}
	out := make([]compile.Owned, 0, len(all))
	for _, o := range all {
		out = append(out, compile.Owned{
			Kind: compile.Kind(o.Kind), Side: plan.Side(o.Side), Subject: o.Subject, Parent: o.Parent,
			Digest: o.Digest, Intent: o.Intent, Before: o.Before, Since: o.Since,
		})
	}
	uploads, err := r.DB.Uploads()
	if err != nil {
		return nil, err
	}
	for _, u := range uploads {
		x := compile.Owned{Kind: compile.KindCopy, Side: plan.Destination, Subject: u.Job}
		if !slices.ContainsFunc(out, func(o compile.Owned) bool { return o.Kind == x.Kind && o.Subject == x.Subject }) {
			out = append(out, x)
		}
	}
	return out, nil
}

// Recover records what was found to be ours by its tags although state did not know it.
func (r Records) Recover(found []compile.Owned) error {
	known, err := r.DB.Owned()
	if err != nil {
		return err
	}
	for _, o := range found {
		if o.Kind == compile.KindCopy {
			continue // a view of the recorded uploads
		}
		rec := ownedRecord(o)
		if !slices.ContainsFunc(known, func(k state.Owned) bool { return k.Key() == rec.Key() }) {
			record := r.DB.Own
			if o.Intent {
				record = r.DB.Intend
			}
			if err := record(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

func ownedRecord(o compile.Owned) state.Owned {
	return state.Owned{
		Kind: string(o.Kind), Side: string(o.Side), Subject: o.Subject, Parent: o.Parent,
		Digest: o.Digest, Intent: o.Intent, Before: o.Before, Since: o.Since,
	}
}

// Journal is a pair's progress in the state file.
func (r Records) Journal(p plan.Pair) s3copy.Journal { return journal{db: r.DB, job: p.ID()} }

// Restart forgets how far the pair's copy got, but not its uploads.
func (r Records) Restart(p plan.Pair) error { return r.DB.ResetJob(p.ID()) }

// Uploads are a pair's uploads that may still stand.
func (r Records) Uploads(p plan.Pair) ([]s3copy.Upload, error) {
	all, err := r.DB.Uploads()
	if err != nil {
		return nil, err
	}
	var out []s3copy.Upload
	for _, u := range all {
		if u.Job == p.ID() {
			out = append(out, upload(u.Upload))
		}
	}
	return out, nil
}

// journal is s3copy.Journal for one job key.
type journal struct {
	db  *state.DB
	job string
}

func (j journal) Load(context.Context) (s3copy.Progress, error) {
	p, err := j.db.Progress(j.job)
	if err != nil {
		return s3copy.Progress{}, fmt.Errorf("load the progress of %s: %w", j.job, err)
	}
	out := s3copy.Progress{Tally: tally(p.Tally)}
	for _, r := range p.Ranges {
		out.Ranges = append(out.Ranges, s3copy.Range{
			ID: r.ID, Bounds: s3copy.KeyRange{After: r.After, Through: r.Through}, Done: r.Done, Ended: r.Ended,
		})
	}
	for _, f := range p.Failures {
		out.Failures = append(out.Failures, s3copy.Failure{
			Key: f.Key, Phase: f.Phase, Reason: f.Reason, Size: s3copy.Bytes(f.Size), At: f.At,
		})
	}
	for _, u := range p.Uploads {
		out.Uploads = append(out.Uploads, upload(u))
	}
	return out, nil
}

func (j journal) Commit(_ context.Context, b s3copy.Batch) error {
	out := state.Batch{Dropped: b.Dropped, Add: tallyRecord(b.Add), Healed: b.Healed}
	for _, r := range b.Ranges {
		out.Ranges = append(out.Ranges, state.Range{
			ID: r.ID, After: r.Bounds.After, Through: r.Bounds.Through, Done: r.Done, Ended: r.Ended,
		})
	}
	for _, f := range b.Failures {
		out.Failures = append(out.Failures, state.Failure{
			Key: f.Key, Phase: f.Phase, Reason: f.Reason, Size: int64(f.Size), At: f.At,
		})
	}
	return j.db.Commit(j.job, out)
}

func (j journal) PutUpload(_ context.Context, u s3copy.Upload) error {
	return j.db.PutUpload(j.job, state.Upload{
		Key: u.Key, ID: u.ID, ETag: u.ETag, Size: int64(u.Size), Part: int64(u.Part), Started: u.Started,
	})
}

func (j journal) DropUpload(_ context.Context, key string) error { return j.db.DropUpload(j.job, key) }

func upload(u state.Upload) s3copy.Upload {
	return s3copy.Upload{Key: u.Key, ID: u.ID, ETag: u.ETag, Size: s3copy.Bytes(u.Size), Part: s3copy.Bytes(u.Part), Started: u.Started}
}

func tally(t state.Tally) s3copy.Tally {
	c := func(c state.Count) s3copy.Count {
		return s3copy.Count{Objects: c.Objects, Bytes: s3copy.Bytes(c.Bytes)}
	}
	return s3copy.Tally{
		Listed: c(t.Listed), Copied: c(t.Copied), New: c(t.New), Changed: c(t.Changed), Same: c(t.Same),
		Skipped: c(t.Skipped), Failed: c(t.Failed), Filtered: c(t.Filtered), Archived: c(t.Archived), Kept: c(t.Kept),
		Unreadable: c(t.Unreadable), Extra: c(t.Extra), Deleted: c(t.Deleted),
		Evidence: s3copy.Evidence{ETag: c(t.ByETag), Checksum: c(t.ByChecksum), Bytes: c(t.ByBytes), SizeOnly: c(t.SizeOnly)},
		History: s3copy.History{
			Versions: c(t.Versions), Markers: c(t.Markers), VersionsCopied: c(t.VersionsCopied), MarkersCopied: c(t.MarkersCopied),
		},
	}
}

func tallyRecord(t s3copy.Tally) state.Tally {
	c := func(c s3copy.Count) state.Count { return state.Count{Objects: c.Objects, Bytes: int64(c.Bytes)} }
	return state.Tally{
		Listed: c(t.Listed), Copied: c(t.Copied), New: c(t.New), Changed: c(t.Changed), Same: c(t.Same),
		Skipped: c(t.Skipped), Failed: c(t.Failed), Filtered: c(t.Filtered), Archived: c(t.Archived), Kept: c(t.Kept),
		Unreadable: c(t.Unreadable), Extra: c(t.Extra), Deleted: c(t.Deleted),
		ByETag: c(t.Evidence.ETag), ByChecksum: c(t.Evidence.Checksum), ByBytes: c(t.Evidence.Bytes), SizeOnly: c(t.Evidence.SizeOnly),
		Versions: c(t.History.Versions), Markers: c(t.History.Markers),
		VersionsCopied: c(t.History.VersionsCopied), MarkersCopied: c(t.History.MarkersCopied),
	}
}
