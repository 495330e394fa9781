package state

// A Count is a number of objects and their bytes.
type Count struct{ Objects, Bytes int64 }

// A Tally is the sum of the counts that a job committed. Its fields are those of
// the copy engine's tally, in which they are explained.
type Tally struct {
	Listed, Copied, New, Changed, Same, Skipped, Failed Count
	Filtered, Archived, Kept, Unreadable                Count
	Extra, Deleted                                      Count
	ByETag, ByChecksum, ByBytes, SizeOnly               Count // evidence

	Versions, Markers, VersionsCopied, MarkersCopied Count // zero unless versions are copied
}

// counts are the fields in the order of the record.
func (t *Tally) counts() []*Count {
	return []*Count{
		&t.Listed, &t.Copied, &t.New, &t.Changed, &t.Same, &t.Skipped, &t.Failed,
		&t.Filtered, &t.Archived, &t.Kept, &t.Unreadable,
		&t.Extra, &t.Deleted,
		&t.ByETag, &t.ByChecksum, &t.ByBytes, &t.SizeOnly,
		&t.Versions, &t.Markers, &t.VersionsCopied, &t.MarkersCopied,
	}
}

// countsOfOne are how many of them a tally has that tells of no versions.
const countsOfOne = 17

// versioned tells whether the tally counts versions.
func (t *Tally) versioned() bool {
	return t.Versions != Count{} || t.Markers != Count{} || t.VersionsCopied != Count{} || t.MarkersCopied != Count{}
}

// Plus adds another tally.
func (t *Tally) Plus(o Tally) {
	add := o.counts()
	for i, c := range t.counts() {
		c.Objects += add[i].Objects
		c.Bytes += add[i].Bytes
	}
}
