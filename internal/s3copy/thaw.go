package s3copy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Restores is how the restores stand that a job has asked for.
type Restores struct {
	Ready    int64     // can be read now
	UnderWay int64     // cannot yet
	Lapsed   int64     // archived, and no restore is under way: it ran out, or never began
	Gone     int64     // not at the source any more
	Other    int64     // failures of other kinds
	Since    time.Time // when the first that is under way was asked for
}

// Any tells whether there is something to do now.
func (r Restores) Any() bool { return r.Ready+r.Lapsed+r.Gone+r.Other > 0 }

// Restores asks how the restores stand that the job's journal has on record, by listing where that is cheaper. It writes nothing.
func (e *Engine) Restores(ctx context.Context, job Job) (Restores, error) {
	p, err := job.Journal.Load(ctx)
	if err != nil {
		return Restores{}, fmt.Errorf("load progress: %w", err)
	}
	r := newRun(e.limits, e.budget, job, p, nil)
	waiting := make(map[string]Failure)
	var found Restores
	for _, f := range p.Failures {
		if f.Phase == phaseRestore && !job.Versions { // a chain's archived versions no listing of the current ones tells of
			waiting[f.Key] = f
		} else {
			found.Other++
		}
	}
	states, err := r.restores(ctx, slices.Sorted(maps.Keys(waiting)))
	if err != nil {
		return Restores{}, err
	}
	for key, s := range states {
		switch s {
		case ready:
			found.Ready++
		case lapsed:
			found.Lapsed++
		case vanished:
			found.Gone++
		case underWay:
			found.UnderWay++
			if at := waiting[key].At; found.Since.IsZero() || at.Before(found.Since) {
				found.Since = at
			}
		}
	}
	return found, nil
}

// leaveFrozen takes out of the failures to retry what cannot be read yet: what this run has asked for, and what is under way.
func (r *run) leaveFrozen(ctx context.Context, failures map[string]Failure) error {
	var earlier []string
	for key, f := range failures {
		switch {
		case f.Phase != phaseRestore, r.job.Versions:
		case !f.At.Before(r.begun):
			delete(failures, key)
		default:
			earlier = append(earlier, key)
		}
	}
	slices.Sort(earlier)
	states, err := r.restores(ctx, earlier)
	if err != nil {
		return err
	}
	for key, s := range states {
		if s == underWay {
			delete(failures, key)
		}
	}
	return nil
}

// thawState is how an object's restore stands.
type thawState uint8

const (
	ready thawState = iota
	underWay
	lapsed
	vanished
)

func thawStateOf(o *Object) thawState {
	switch {
	case !archivedNow(o):
		return ready
	case o.Restoring:
		return underWay
	}
	return lapsed
}

const (
	// A LIST costs as much as some twelve HEADs: a page that holds fewer of the keys asked for was not worth it.
	worthAPage = 12
	headsAside = 100 // keys asked one by one before a page is tried again
	headsAhead = 16  // at once
)

// restores tells how the restores of some keys, in order, stand: by pages of the source's listing while these hold many of
// them, else by a HEAD each.
func (r *run) restores(ctx context.Context, keys []string) (map[string]thawState, error) {
	states := make(map[string]thawState, len(keys))
	var unsure []string
	for i := 0; i < len(keys); {
		n, tiers, err := r.restoresByPage(ctx, keys[i:], states)
		if err != nil {
			return nil, err
		}
		unsure = append(unsure, tiers...)
		i += n
		if n < worthAPage {
			aside := keys[i:min(len(keys), i+headsAside)]
			unsure, i = append(unsure, aside...), i+len(aside)
		}
	}
	return states, r.restoresByHead(ctx, unsure, states)
}

// restoresByPage reads one page of the listing from the first key on. It gives how many of the keys the page decides, and those
// of them that a listing does not tell of.
func (r *run) restoresByPage(ctx context.Context, keys []string, states map[string]thawState) (n int, unsure []string, err error) {
	if len(keys) < worthAPage {
		return 0, nil, nil
	}
	page, err := paced(ctx, r, keys[0], func(ctx context.Context) (Page, error) {
		return r.job.Source.ListPage(ctx, PageRequest{Prefix: r.job.Prefix, After: startBefore(keys[0])}, nil)
	})
	if err != nil {
		return 0, nil, fmt.Errorf("list the source: %w", err)
	}
	last := "\xff"
	if page.More {
		last = ""
		if k := len(page.Objects); k > 0 {
			last = page.Objects[k-1].Key
		}
	}
	at := 0
	for _, key := range keys {
		if key > last {
			break
		}
		n++
		for at < len(page.Objects) && page.Objects[at].Key < key {
			at++
		}
		switch {
		case at == len(page.Objects) || page.Objects[at].Key != key:
			states[key] = vanished
		case page.Objects[at].StorageClass == tiered:
			unsure = append(unsure, key)
		default:
			states[key] = thawStateOf(&page.Objects[at])
		}
	}
	return n, unsure, nil
}

// startBefore is where to start a listing that is to hold the key as early as can be.
func startBefore(key string) string {
	runes := []rune(key)
	return legalStart(strings.ToValidUTF8(string(runes[:len(runes)-1]), ""))
}

func (r *run) restoresByHead(ctx context.Context, keys []string, states map[string]thawState) error {
	found := make([]thawState, len(keys))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(headsAhead)
	for i, key := range keys {
		g.Go(func() error {
			d, err := r.head(ctx, r.job.Source, HeadRequest{Key: key})
			switch {
			case errors.Is(err, ErrNotFound):
				found[i] = vanished
			case err != nil:
				return fmt.Errorf("head the source: %w", err)
			default:
				found[i] = thawStateOf(&d.Object)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, key := range keys {
		states[key] = found[i]
	}
	return nil
}
