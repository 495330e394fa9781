package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// cleanUploads aborts the multipart uploads that are ours: those recorded with their ID, those that a crash left
// without one, found by key and time, and those whose record was lost, found by who began them.
type cleanUploads struct {
	pairRunner
	own owner
}

func (r cleanUploads) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	c := *s.Spec.Copy
	ours, err := r.d.Journals.Uploads(c.Pair)
	if err != nil {
		return executor.Result{}, err
	}
	dest := r.d.Destination.OpenDestination(c.Destination(), c.Source())
	journal, aborted := r.d.Journals.Journal(c.Pair), 0
	for _, u := range ours {
		ids, err := uploadIDs(ctx, dest, u)
		if err != nil {
			return executor.Result{}, err
		}
		for _, id := range ids {
			if err := dest.AbortUpload(ctx, u.Key, id); err != nil {
				return executor.Result{}, fmt.Errorf("abort the upload of %q: %w", u.Key, err)
			}
		}
		aborted += len(ids)
		if err := journal.DropUpload(ctx, u.Key); err != nil {
			return executor.Result{}, err
		}
	}
	lost, err := r.lost(ctx, dest, c)
	if err != nil {
		return held("no upload on record is left; others could not be looked for: " + err.Error()), nil //nolint:nilerr // which is what the step is for
	}
	return r.abortLost(ctx, dest, c, lost, aborted)
}

// abortLost aborts what only a principal of this plan's own making can have begun. Another principal may have other
// work: then a person has to look.
func (r cleanUploads) abortLost(ctx context.Context, dest s3copy.Multipart, c compile.CopySpec, lost []s3copy.PendingUpload, aborted int) (executor.Result, error) {
	made, err := r.own.find(compile.KindPrincipal, c.Principal)
	if err != nil {
		return executor.Result{}, err
	}
	if len(lost) > 0 {
		if alone, err := r.alone(ctx, made); err != nil || !alone {
			return waiting(lostWords(c, lost)), err
		}
	}
	for _, u := range lost {
		if err := dest.AbortUpload(ctx, u.Key, u.ID); err != nil {
			return executor.Result{}, fmt.Errorf("abort the upload of %q: %w", u.Key, err)
		}
	}
	if aborted += len(lost); aborted > 0 {
		return done(fmt.Sprintf("%d uploads of ours aborted", aborted)), nil
	}
	return held("no upload of ours is left"), nil
}

// alone tells whether the principal is there for the plan alone: a run made it, and it was not made again since.
func (r cleanUploads) alone(ctx context.Context, made []compile.Owned) (bool, error) {
	if len(made) == 0 || made[0].Intent {
		return false, nil
	}
	have, err := r.d.Destination.Principal(ctx, made[0].Subject)
	return !have.Exists || made[0].KnownBy(have.UserID), err
}

// lostWords name the first few, ready to paste.
func lostWords(c compile.CopySpec, lost []s3copy.PendingUpload) string {
	const most = 5
	words := make([]string, 0, most)
	for _, u := range lost[:min(len(lost), most)] {
		words = append(words, fmt.Sprintf("aws s3api abort-multipart-upload --bucket %s --key %s --upload-id %s", c.Pair.Destination, quote(u.Key), quote(u.ID)))
	}
	return fmt.Sprintf("%d unfinished uploads of %s stand in %s, of which this state has no record: if nothing else of that principal is under way there, end them: %s",
		len(lost), c.Principal, c.Pair.Destination, strings.Join(words, "; "))
}

// quote is for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// lost finds uploads that a run of the plan must have begun although nothing is recorded: the plan's principal did, to
// the key of a probe or of an object that the source holds. The pair's own have ended by now.
func (r cleanUploads) lost(ctx context.Context, dest s3copy.PartLister, c compile.CopySpec) ([]s3copy.PendingUpload, error) {
	if c.Principal == "" {
		return nil, nil
	}
	all, err := dest.ListUploads(ctx, c.Pair.ToPrefix)
	if err != nil {
		return nil, err
	}
	source := r.d.Source.OpenSource(c.Source())
	var lost []s3copy.PendingUpload
	for _, u := range all {
		name, below := strings.CutPrefix(u.Key, c.Pair.ToPrefix)
		if !below || !isPrincipal(u.Initiator, c.Principal) {
			continue
		}
		if !strings.HasPrefix(name, probeName) {
			_, err := source.Head(ctx, s3copy.HeadRequest{Key: c.Pair.Prefix + name})
			if errors.Is(err, s3copy.ErrNotFound) {
				continue
			}
			if err != nil && !errors.Is(err, s3copy.ErrDenied) {
				return nil, err
			}
		}
		lost = append(lost, u)
	}
	return lost, nil
}

func uploadIDs(ctx context.Context, dest s3copy.PartLister, u s3copy.Upload) ([]string, error) {
	if u.ID != "" {
		return []string{u.ID}, nil
	}
	all, err := dest.ListUploads(ctx, u.Key)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, p := range all {
		if p.Key == u.Key && !p.Initiated.Before(u.Started.Add(-clockSkew)) && p.Initiated.Before(u.Started.Add(orphanWindow)) {
			ids = append(ids, p.ID)
		}
	}
	return ids, nil
}
