package s3copy

import "fmt"

// A Count is a number of objects and their bytes.
type Count struct {
	Objects int64 `json:"objects"`
	Bytes   Bytes `json:"bytes"`
}

// Add adds one object of the given size.
func (c *Count) Add(size Bytes) { c.Objects++; c.Bytes += size }

func (c *Count) sub(size Bytes) { c.Objects--; c.Bytes -= size }

// Plus adds another count.
func (c *Count) Plus(o Count) { c.Objects += o.Objects; c.Bytes += o.Bytes }

// A Tally accounts for every key of the source:
//
//	Listed = Copied + Same + Skipped + Failed              (a copy or a verification)
//	Listed = New + Changed + Same + Skipped + Unreadable   (a scan)
//
// Evidence accounts for every object that is Copied or Same.
type Tally struct {
	Listed  Count `json:"listed"`
	Copied  Count `json:"copied"`
	New     Count `json:"new"`
	Changed Count `json:"changed"`
	Same    Count `json:"same"`
	Skipped Count `json:"skipped"` // by a rule of the plan: the sum of the three below
	Failed  Count `json:"failed"`

	Filtered   Count `json:"filtered"`   // left out by include and exclude
	Archived   Count `json:"archived"`   // cannot be read now, and the plan says report
	Kept       Count `json:"kept"`       // differs at the destination, and the plan never overwrites
	Unreadable Count `json:"unreadable"` // would fail: SSE-C and the like

	Extra   Count `json:"extra"`   // at the destination only; not part of Listed
	Deleted Count `json:"deleted"` // extra objects, or source objects, that were deleted

	Evidence Evidence `json:"evidence"`
	History  History  `json:"history,omitzero"`
}

// History is the account of versions and delete markers, where these are copied: what the Tally counts are keys
// then, each with the bytes of all its versions. Versions and Markers are those of every key that is listed and has not
// failed. The others are those that were made at the destination, of failed keys, too; in a scan, those that are to be made.
type History struct {
	Versions       Count `json:"versions"`
	Markers        Count `json:"delete_markers"` // they have no bytes
	VersionsCopied Count `json:"versions_copied"`
	MarkersCopied  Count `json:"delete_markers_copied"`
}

// Plus adds another history.
func (h *History) Plus(o History) {
	h.Versions.Plus(o.Versions)
	h.Markers.Plus(o.Markers)
	h.VersionsCopied.Plus(o.VersionsCopied)
	h.MarkersCopied.Plus(o.MarkersCopied)
}

// made is the same history as copied.
func (h History) made() History { return History{VersionsCopied: h.Versions, MarkersCopied: h.Markers} }

// less is the history to take away.
func (h History) less() History {
	negative := func(c Count) Count { return Count{-c.Objects, -c.Bytes} }
	return History{negative(h.Versions), negative(h.Markers), negative(h.VersionsCopied), negative(h.MarkersCopied)}
}

// Evidence says by what the objects at the destination are known to equal the source's.
type Evidence struct {
	ETag     Count `json:"etag"`      // equal ETags that mean equal bytes
	Checksum Count `json:"checksum"`  // equal checksums of one algorithm
	Bytes    Count `json:"bytes"`     // read again on both sides
	SizeOnly Count `json:"size_only"` // nothing comparable but the size
}

// A Reason says why a key is seen as changed.
type Reason string

// A Sample is one key of a verdict, for the review.
type Sample struct {
	Key    string `json:"key"`
	Size   Bytes  `json:"size"`
	Reason string `json:"reason,omitempty"`
}

// Plus adds another tally.
func (t *Tally) Plus(o Tally) {
	to, from := t.counts(), o.counts()
	for i := range to {
		to[i].Plus(*from[i])
	}
}

func (t *Tally) counts() [21]*Count {
	e, h := &t.Evidence, &t.History
	return [...]*Count{
		&t.Listed, &t.Copied, &t.New, &t.Changed, &t.Same, &t.Skipped, &t.Failed,
		&t.Filtered, &t.Archived, &t.Kept, &t.Unreadable, &t.Extra, &t.Deleted,
		&e.ETag, &e.Checksum, &e.Bytes, &e.SizeOnly,
		&h.Versions, &h.Markers, &h.VersionsCopied, &h.MarkersCopied,
	}
}

// Check tells whether the sums of a job of the given mode hold.
func (t *Tally) Check(m Mode) error {
	settled, skipped, proven := t.Copied, t.Filtered, t.Evidence.ETag
	if m == Scan {
		settled = t.New
		settled.Plus(t.Changed)
		settled.Plus(t.Unreadable)
	}
	equal := t.Same
	if m != Scan {
		settled.Plus(t.Failed)
		equal.Plus(t.Copied)
	}
	settled.Plus(t.Same)
	settled.Plus(t.Skipped)
	skipped.Plus(t.Archived)
	skipped.Plus(t.Kept)
	for _, c := range []Count{t.Evidence.Checksum, t.Evidence.Bytes, t.Evidence.SizeOnly} {
		proven.Plus(c)
	}
	switch {
	case t.Listed != settled:
		return fmt.Errorf("the account does not balance: listed %+v, settled %+v", t.Listed, settled)
	case t.Skipped != skipped:
		return fmt.Errorf("the account does not balance: skipped %+v, by rules %+v", t.Skipped, skipped)
	case equal != proven:
		return fmt.Errorf("the account does not balance: copied or same %+v, with evidence %+v", equal, proven)
	}
	return t.checkHistory()
}

// checkHistory holds the versions against the keys: the same bytes, and a version or a marker at least of each key.
func (t *Tally) checkHistory() error {
	h := &t.History
	entries, keys := h.Versions.Objects+h.Markers.Objects, t.Listed.Objects-t.Failed.Objects
	if *h != (History{}) && (h.Versions.Bytes != t.Listed.Bytes-t.Failed.Bytes || entries < keys) {
		return fmt.Errorf("the account of versions does not balance: %+v of %d keys, which have %d bytes", *h, keys, t.Listed.Bytes-t.Failed.Bytes)
	}
	return nil
}

// add counts one settled key.
func (t *Tally) add(out outcome) {
	if out.state == isGone {
		return
	}
	t.Listed.Add(out.size)
	if out.state != isFailed {
		t.History.Plus(out.history)
	}
	switch out.state {
	case isCopied:
		t.Copied.Add(out.size)
	case isSame:
		t.Same.Add(out.size)
	case isNew:
		t.New.Add(out.size)
	case isChanged:
		t.Changed.Add(out.size)
	case isFiltered:
		t.Filtered.Add(out.size)
	case isArchived:
		t.Archived.Add(out.size)
	case isKept:
		t.Kept.Add(out.size)
	case isUnreadable:
		t.Unreadable.Add(out.size)
	case isFailed, isGone:
		t.Failed.Add(out.size)
	}
	switch out.state {
	case isFiltered, isArchived, isKept:
		t.Skipped.Add(out.size)
	case isCopied, isSame:
		t.Evidence.add(out.proof, out.size)
	default:
	}
}

func (e *Evidence) strongestFirst() [4]*Count {
	return [...]*Count{&e.Bytes, &e.Checksum, &e.ETag, &e.SizeOnly}
}

func (e *Evidence) add(p proof, size Bytes) {
	switch p {
	case byETag:
		e.ETag.Add(size)
	case byChecksum:
		e.Checksum.Add(size)
	case byBytes:
		e.Bytes.Add(size)
	case bySize, noProof:
		e.SizeOnly.Add(size)
	}
}
