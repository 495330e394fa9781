package s3copy

import (
	"context"
	"errors"
	"fmt"
)

// looks is what was found out of a key's versions beside their listings.
type looks struct {
	found  History               // of the source's versions, what the destination had
	detail [2]map[string]Details // by version ID, of each side
	stuck  *Version              // that could not be copied
}

// chain settles a key with all its versions, or hands it to a worker.
func (m *merger) chain(ctx context.Context, t *task, s, d *Object) error {
	if d != nil {
		t.dst = *d
	}
	if err := m.job.placeable(s.Key); err != nil {
		m.settle(t, m.unplaced(s, err))
		return nil
	}
	if why := m.job.unnamed(s.Chain); why != "" {
		m.settle(t, failed(s.Size, phaseVerify, why))
		return nil
	}
	a, err := align(s.Chain, t.dst.Chain, m.job.sameListed)
	if err != nil {
		t.action = examine
		return m.hand(ctx, *t)
	}
	act, out := m.job.judgeChain(s, t.target(), a)
	if act == prove && m.page.second() {
		act = rest // the first pass has proven it
	}
	if act == rest && (!m.job.whole || out.state != isSame) { // else tags and headers are left
		m.mapChain(t, a)
		m.settle(t, out)
		return m.enough()
	}
	t.action = act
	return m.hand(ctx, *t)
}

// noteChain notes what a scan found to do for a key: each version is a copy.
func (r *run) noteChain(t *task, out outcome) {
	missing := int(out.grown.Versions.Objects + out.grown.Markers.Objects)
	for i := range t.src.Chain.Versions[:missing] {
		v := &t.src.Chain.Versions[i]
		if v.Marker {
			continue
		}
		r.notes.work(&v.Object, outcome{state: out.state, size: v.Size, reason: out.reason}, r.limits)
		if archivedNow(&v.Object) {
			r.notes.sample("archived", t.src.Key, v.Size, v.StorageClass)
		}
	}
}

// decideChain brings a key with all its versions to its end. Errors are object errors.
func (r *run) decideChain(ctx context.Context, t *task) (outcome, error) {
	t.looks = &looks{}
	if t.old != nil {
		if err := r.lookChains(ctx, t); err != nil {
			return r.chainEnd(t, t.old.Phase, err)
		}
		if err := r.job.placeable(t.src.Key); err != nil {
			return failed(t.src.Size, phaseCopy, err.Error()), nil
		}
	}
	for try := 1; ; try++ {
		out, err := r.bringChain(ctx, t)
		if err == nil || !uncertain(err) || try == copyTries || ctx.Err() != nil {
			if err != nil {
				r.mapChain(t, alignment{})
			}
			return out, err
		}
		r.count.Retried.Add(1)
		if again := r.lookChains(ctx, t); again != nil {
			return r.chainEnd(t, phaseCopy, again)
		}
	}
}

// chainEnd takes a key without versions for one that is gone.
func (r *run) chainEnd(t *task, phase string, err error) (outcome, error) {
	if errors.Is(err, errGone) {
		return outcome{state: isGone}, nil
	}
	return outcome{}, &ObjectError{Phase: phase, Key: t.src.Key, Err: err}
}

// uncertain tells whether what stands has to be looked at again after an error: it may come from what was known before,
// or from an answer that got lost. A request that was refused did nothing.
func uncertain(err error) bool {
	return outdated(err) || unnamed(err) && !fatal(err) && !errors.As(err, new(*differsError)) && !errors.Is(err, errPaused)
}

// lookChains lists both sides of a key afresh.
func (r *run) lookChains(ctx context.Context, t *task) error {
	src, err := r.chainAt(ctx, r.job.Source, t.src.Key)
	if err != nil {
		return fmt.Errorf("list the source's versions: %w", err)
	}
	if src == nil {
		return errGone
	}
	dst, err := r.chainAt(ctx, r.job.Destination, r.job.place(t.src.Key))
	if err != nil {
		return fmt.Errorf("list the destination's versions: %w", err)
	}
	t.src, t.dst, t.exists = *src, Object{}, dst != nil
	if dst != nil {
		t.dst = *dst
	}
	return nil
}

// chainAt lists one key; nil: it has nothing.
func (r *run) chainAt(ctx context.Context, l Lister, key string) (*Object, error) {
	req := PageRequest{Prefix: key, Max: 1}
	for range emptyPages {
		page, err := paced(ctx, r, key, func(ctx context.Context) (Page, error) { return l.ListPage(ctx, req, nil) })
		switch {
		case err != nil:
			return nil, err
		case len(page.Objects) > 0 && page.Objects[0].Key == key:
			return &page.Objects[0], nil
		case len(page.Objects) > 0 || !page.More:
			return nil, nil
		}
		req.Token = page.Token
	}
	return nil, errors.New("the listing is truncated and does not move on")
}

// bringChain compares a key's chains, and does what that leaves to do.
func (r *run) bringChain(ctx context.Context, t *task) (outcome, error) {
	a, err := align(t.src.Chain, t.dst.Chain, func(s, d *Version) (proof, error) { return r.sameVersion(ctx, t, s, d) })
	if err != nil {
		if errors.Is(err, ErrCustomerKey) && r.job.Mode == Scan {
			return outcome{
				state: isUnreadable, size: t.src.Size, reason: ErrCustomerKey.Error(), why: customerKey, history: t.src.Chain.newer(0),
			}, nil
		}
		return outcome{}, &ObjectError{Phase: phaseCompare, Key: t.src.Key, Err: err}
	}
	t.looks.found = t.src.Chain.newer(0)
	t.looks.found.Plus(t.src.Chain.newer(a.held).less())
	act, out := r.job.judgeChain(&t.src, t.target(), a)
	if t.page.second() {
		t.exists = a.held > 0 // and an earlier pass counted it
	}
	switch act {
	case prove:
		out.proof, err = r.proveVersions(ctx, t, a)
	case thaw:
		return r.thawChain(ctx, t, a)
	case transfer:
		out.state = isCopied
		out.proof, err = r.copyVersions(ctx, t, a)
		if errors.Is(err, ErrArchived) { // the listing did not tell
			if r.job.Rules.Restore {
				return r.thawChain(ctx, t, a)
			}
			out.state, out.proof, err = isArchived, noProof, nil
		}
	default: // it rests
	}
	if err == nil && r.job.whole && out.state == isSame {
		err = r.carriedVersions(ctx, t, a)
	}
	if err == nil {
		r.mapChain(t, a)
	}
	return out, err
}

// sameVersion compares two versions by their listings and, where these cannot tell, by their checksums.
func (r *run) sameVersion(ctx context.Context, t *task, s, d *Version) (proof, error) {
	p, err := r.job.sameListed(s, d)
	if !errors.Is(err, errUndecided) {
		return p, err
	}
	src, err := r.detail(ctx, t, atSource, r.job.Source, s)
	switch {
	case err == nil && src.Encryption.Customer:
		return noProof, ErrCustomerKey
	case err != nil && !silentHead(err) || errors.Is(err, ErrCustomerKey):
		return noProof, fmt.Errorf("head version %s of the source: %w", s.ID, err)
	}
	known := err == nil
	dst, err := r.detail(ctx, t, atDestination, r.job.Destination, d)
	switch {
	case err == nil && known:
		if f := compareDetails(&src, &dst); f.decided() {
			return f.proof, nil
		}
	case err != nil && !silentHead(err) && (fatal(err) || ctx.Err() != nil || r.job.Mode == Verify):
		return noProof, fmt.Errorf("head version %s of the destination: %w", d.ID, err)
	}
	if r.job.Mode == Verify || r.job.madeEarlier(&s.Object, &d.Object) {
		return bySize, nil
	}
	return noProof, nil // a copy puts it right
}

// detail reads a version's details, once a task.
func (r *run) detail(ctx context.Context, t *task, side int, h Header, v *Version) (Details, error) {
	if d, ok := t.looks.detail[side][v.ID]; ok {
		return d, nil
	}
	d, err := r.head(ctx, h, HeadRequest{Key: v.Key, VersionID: v.ID, Checksums: true})
	if err != nil {
		return d, err
	}
	if t.looks.detail[side] == nil {
		t.looks.detail[side] = make(map[string]Details)
	}
	t.looks.detail[side][v.ID] = d
	return d, nil
}

// one is the task of one version.
func (t *task) one(v *Version) *task {
	return &task{page: t.page, src: v.Object, version: v.ID}
}

// proveVersions proves what the destination has of a chain, at the level asked. It gives the least of the proofs.
func (r *run) proveVersions(ctx context.Context, t *task, a alignment) (proof, error) {
	beneath := t.dst.Chain.length() - a.held
	for i, p := range a.by {
		s, d := t.src.Chain.from(i), t.dst.Chain.from(beneath+i)
		if s.Marker || p.enough(r.job.Rules.Level) {
			continue
		}
		one := t.one(s)
		one.dst, one.copied = d.Object, d.ID
		var err error
		if a.by[i], err = r.evidence(ctx, one, &one.dst, nil); err != nil {
			return noProof, r.versionError(t, s, phaseVerify, err)
		}
	}
	return weakest(a.by), nil
}

// versionError names the version that a key failed for.
func (r *run) versionError(t *task, v *Version, phase string, err error) error {
	if errors.Is(err, errGone) {
		err = ErrNotFound // of this version: it expired since it was listed
	}
	if known, ok := errors.AsType[*ObjectError](err); ok {
		phase, err = known.Phase, known.Err
	}
	what := "version"
	if v.Marker {
		what = "delete marker"
	}
	return &ObjectError{Phase: phase, Key: t.src.Key, Err: fmt.Errorf("%s %s: %w", what, v.ID, err)}
}

// copyVersions copies what the destination lacks of a chain, the oldest first, and makes its delete markers again. The first
// that fails ends it: nothing newer is copied past it. It gives the least of all proofs.
func (r *run) copyVersions(ctx context.Context, t *task, a alignment) (proof, error) {
	least, err := r.proveVersions(ctx, t, a)
	if err != nil {
		return noProof, err
	}
	for i := a.held; i < t.src.Chain.length(); i++ {
		if r.stopped() {
			return noProof, errPaused
		}
		v := t.src.Chain.from(i)
		p := byBytes
		if v.Marker {
			err = r.putMarker(ctx, t)
		} else {
			p, err = r.copyVersion(ctx, t.one(v))
		}
		if err != nil {
			t.looks.stuck = v
			return noProof, r.versionError(t, v, phaseCopy, err)
		}
		t.page.count(func(sum *Tally) { sum.History.Plus(historyOf([]Version{*v}).made()) })
		least = min(least, p)
	}
	return least, nil
}

// copyVersion copies one version, and verifies the copy. A destination that answers without a new version's ID has
// none: it keeps no versions, and ends the run before it loses one.
func (r *run) copyVersion(ctx context.Context, t *task) (proof, error) {
	to := r.job.place(t.src.Key)
	answer, err := r.send(ctx, t, to, false) // nothing is replaced, whatever stands there
	if err != nil {
		return noProof, err
	}
	if err := kept(answer.VersionID); err != nil {
		return noProof, err
	}
	t.copied = answer.VersionID
	p, err := r.evidence(ctx, t, &Object{Key: to, Size: t.src.Size, ETag: answer.ETag}, &answer)
	if err != nil {
		return noProof, &ObjectError{Phase: phaseVerify, Key: t.src.Key, Err: err}
	}
	return p, nil
}

// putMarker makes a delete marker again.
func (r *run) putMarker(ctx context.Context, t *task) error {
	to := r.job.place(t.src.Key)
	id, err := paced(ctx, r, to, func(ctx context.Context) (string, error) { return r.job.Destination.PutMarker(ctx, to) })
	if err != nil {
		return err
	}
	return kept(id)
}

// nullVersion is the ID of what is written without versioning: the next write replaces it.
const nullVersion = "null"

func kept(versionID string) error {
	if versionID == "" || versionID == nullVersion {
		return fmt.Errorf("the destination answered without a new version's ID: %w", ErrUnversioned)
	}
	return nil
}

// thawChain asks for the restores of all archived versions that are to be copied. The key stays a failure until it is done.
func (r *run) thawChain(ctx context.Context, t *task, a alignment) (outcome, error) {
	asked, class := 0, ""
	for i := a.held; i < t.src.Chain.length(); i++ {
		v := t.src.Chain.from(i)
		if v.Marker || !archivedNow(&v.Object) && v != t.looks.stuck {
			continue
		}
		_, err := paced(ctx, r, t.src.Key, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, r.job.Restorer.Restore(ctx, RestoreRequest{
				Key: t.src.Key, VersionID: v.ID, Days: r.job.Rules.RestoreDays, Tier: r.job.Rules.RestoreTier,
			})
		})
		if err != nil && !errors.Is(err, ErrExists) {
			return outcome{}, r.versionError(t, v, phaseCopy, fmt.Errorf("ask for the restore: %w", err))
		}
		asked, class = asked+1, v.StorageClass
	}
	return failed(t.src.Size, phaseRestore, fmt.Sprintf("archived (%s): the restore of %d versions for %d days is asked for",
		class, asked, r.job.Rules.RestoreDays)), nil
}
