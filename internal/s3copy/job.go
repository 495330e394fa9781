package s3copy

import (
	"cmp"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// A Mode says what a job does with a key that differs.
type Mode string

// The modes.
const (
	Scan   Mode = "scan"   // counts verdicts; writes nothing
	Copy   Mode = "copy"   // copies and verifies in the same pass
	Verify Mode = "verify" // compares both sides at the level asked; writes nothing
)

// Rules are the plan's words about one pair, as the engine needs them.
type Rules struct {
	Match        func(key string) bool // of the source's whole key; nil matches all. Safe for concurrent use
	Compare      string                // auto (the default), etag, size, checksum
	NeverReplace bool                  // overwrite: never
	Tags         bool
	StorageClass string // "preserve" or a class
	ACL          string // "" or a canned ACL
	Restore      bool   // archived objects are asked for instead of skipped
	RestoreDays  int
	RestoreTier  string
	Locks        bool   // the source's bucket has Object Lock, and copies carry their source's lock
	Redirects    bool   // the source's bucket is a website: copies carry their source's redirect, and the proof of a deletion asks each
	DeleteExtra  bool   // only after consent: the caller's duty
	Level        string // size, checksum (the default), bytes
	Otherwise    string // accept (the default), bytes, fail: for objects without comparable evidence
}

// A Job is one pair's copy.
type Job struct {
	Mode             Mode
	Source           Source
	Destination      Destination // nil in a Scan: nothing is there yet
	Deleter          Deleter     // of the destination; only with Rules.DeleteExtra
	Restorer         Restorer    // of the source; only with Rules.Restore
	Prefix, ToPrefix string      // keys below Prefix go below ToPrefix
	Versions         bool        // keys go with all their versions and delete markers: both listings give chains
	Streaming        bool        // the servers cannot see each other: bytes come through here
	Rules            Rules
	Journal          Journal // nil in Scan and Verify; nil in a Copy keeps nothing, so that it cannot be resumed
	Counters         *Counters
	Mapping          Mapping // of a Verify with Versions; nil: nobody asks

	// StopAtFirst ends a scan at the first key that there is something to do for:
	// Summary.Partial is true then.
	StopAtFirst bool
	// Twin says that source and destination have one name and one place for every key. Then a deletion of the
	// source wants to see by the objects' dates that they are two buckets, and not one at two addresses.
	Twin bool
	// Suspended says that the source's versioning is suspended: the next write to a key replaces its version null, whose ID so
	// names nothing for good. A deletion of versions leaves such a key alone.
	Suspended bool
	// Samples is how many keys of each verdict the summary keeps; 0 keeps none.
	Samples int
	// SecondPass lists again at the end, for keys that appeared or changed behind the
	// cursor. An object that it copies again is not counted again.
	SecondPass bool
	// Owners are the accounts, as S3 names owners, whose objects the copy may read. A Scan counts
	// others' as unreadable, where the listing tells the owner. None: nobody asked.
	Owners []string
	// Earlier is when runs of the very same job came to their ends without a failure.
	// What they copied is not copied again for want of comparable evidence: see
	// [Window.Covers].
	Earlier []Window
	// EveryLock has the locks of all equal objects compared, also where a run of Earlier has done so: nobody can
	// change them meanwhile.
	EveryLock bool
	// Marked are objects whose copies are known to have other tags or headers: they are copied again, whatever
	// their bytes say. A Copy takes those of its journal.
	Marked []Failure
	// Kill, when closed, breaks off what is in flight. Cancelling Run's context only
	// stops scheduling: objects in flight are finished (those by parts after their
	// running parts), and everything settled is committed.
	Kill <-chan struct{}

	marked map[string]bool
	whole  bool // the proof of a deletion: tags and headers are compared as well
}

// What is at once where nobody says.
const (
	DefaultInFlight = 64
	DefaultListers  = 32
)

// Limits bound the engine. The zero value of a field means its default.
type Limits struct {
	InFlight      int   // copies at once; default DefaultInFlight
	Listers       int   // ranges listed at once; default DefaultListers
	Pages         int   // pages of a range that may run ahead of its cursor; default 8
	PartThreshold Bytes // larger objects are copied by parts; default 256 MiB, at most 5 GiB
	PartSize      Bytes // at least, of an object without a part layout of its own; default 128 MiB
	PartsInFlight int   // parts of one object at once; default 16
	StreamPart    Bytes // bytes held per streamed object; default 16 MiB
	CommitKeys    int   // commit at least after so many keys; default 1,000

	// Tests turn these.
	pageKeys   int     // keys of either side after which a page is closed
	splitShare float64 // of the pages listed, what splits may cost
	splitLeast float64 // pages that must be left of a range to be worth a split
	guess      func(outlook) guess
}

// Validate says which limit makes no sense.
func (l Limits) Validate() error {
	if l.InFlight < 0 || l.Listers < 0 || l.Pages < 0 || l.PartsInFlight < 0 || l.CommitKeys < 0 || l.PartSize < 0 || l.StreamPart < 0 {
		return errors.New("a limit is negative")
	}
	if l.PartThreshold < 0 || l.PartThreshold > 5<<30 {
		return fmt.Errorf("part threshold %d is not between 0 and 5 GiB", l.PartThreshold)
	}
	return nil
}

// A Window is a stretch of time. The zero value is none.
type Window struct{ Begun, Ended time.Time }

// Covers tells whether the run of that time made dst from src as they are now: the
// source was not written to since it began, and the destination was written by then,
// and not afterwards. Where the clocks of the run and the server are apart, it says no
// rather than yes, but for a foreign write of the same size within the difference.
func (w Window) Covers(src, dst *Object) bool {
	return !w.Begun.IsZero() && src.Size == dst.Size && !src.Modified.IsZero() &&
		src.Modified.Before(w.Begun) && !dst.Modified.Before(w.Begun.Truncate(time.Second)) && !dst.Modified.After(w.Ended)
}

func (l Limits) withDefaults() Limits {
	l.InFlight = cmp.Or(l.InFlight, DefaultInFlight)
	l.Listers = cmp.Or(l.Listers, DefaultListers)
	l.Pages = cmp.Or(l.Pages, 8)
	l.PartThreshold = cmp.Or(l.PartThreshold, 256<<20)
	l.PartSize = cmp.Or(l.PartSize, 128<<20)
	l.PartsInFlight = cmp.Or(l.PartsInFlight, 16)
	l.StreamPart = cmp.Or(l.StreamPart, 16<<20)
	l.CommitKeys = cmp.Or(l.CommitKeys, 1000)
	l.pageKeys = cmp.Or(l.pageKeys, 1000)
	l.splitShare = cmp.Or(l.splitShare, splitShare)
	l.splitLeast = cmp.Or(l.splitLeast, leastPages)
	if l.guess == nil {
		l.guess = outlook.guess
	}
	return l
}

// partSize gives larger objects larger parts: twice as many as may be under way keep the
// object moving to its end, and more only cost requests.
func (l Limits) partSize(size Bytes) Bytes {
	most := 2 * Bytes(l.PartsInFlight)
	times := (size + most*l.PartSize - 1) / (most * l.PartSize)
	return min(max(times, 1)*l.PartSize, max(partSizeMax, l.PartSize))
}

// ahead is how many pages may run ahead of all cursors together.
func (l Limits) ahead() int { return l.Pages + 2*l.Listers }

// Counters are sampled by views while a job runs. Listed, Settled, Failed and
// BytesSettled start at what earlier runs of the job settled. Safe for concurrent use.
type Counters struct {
	Listed, Settled, Copied, Failed, Retried, InFlight atomic.Int64
	BytesSettled, BytesCopied                          atomic.Int64
}

// A Summary is how a job ended. Tally is what the journal holds; Largest, LongestKey,
// Classes and Samples are of this run's listing only.
type Summary struct {
	Tally   Tally  `json:"tally"`
	Partial bool   `json:"partial"` // stopped before the end of the listing
	Largest Sample `json:"largest"`
	// LongestKey is the length in bytes of the longest key that the filter lets pass.
	LongestKey int `json:"longest_key"`

	Classes  map[string]Count    `json:"classes"`               // by storage class, of the source
	Samples  map[string][]Sample `json:"samples"`               // by verdict: new, changed, extra, unreadable, archived, kept, filtered, size_only
	Failures []Failure           `json:"failures"`              // what stands unsettled now, sorted by key, at most 1,000
	Waiting  int64               `json:"waiting"`               // archived objects whose restore was asked for and is not done; they are in Failed, too
	Thawing  Count               `json:"thawing,omitzero"`      // of a scan's New and Changed: archived, and being restored already
	Archived map[string]Count    `json:"archived_by,omitempty"` // Tally.Archived of this run, by storage class
	Locks    Locks               `json:"locks,omitzero"`        // only with Rules.Locks

	// Purged is what of the source a clean-up deleted by versions: Tally.Deleted counts these.
	Purged History `json:"-"`

	// Changing is how many of Failed were written to under each try.
	Changing int64 `json:"-"`

	// Work is what a scan found to write, by storage class of the source: the sum of New and
	// Changed. ChangedBy says why objects count as changed: size, checksum, etag, or unknown,
	// where nothing but the size compares; versions, where the destination has not all of these. UnreadableBy says why objects will fail:
	// customer_key (SSE-C), foreign_owner, denied, key (it has no place at the destination), error.
	Work         map[string]Work  `json:"-"`
	ChangedBy    map[string]Count `json:"-"`
	UnreadableBy map[string]Count `json:"-"`

	// Seed is what a scan found settled before the first key that there is something
	// to do for, at the level asked. Committed to the copy's empty journal it spares the
	// copy that listing, and keeps what is marked. It has no ranges where that would spare nothing.
	Seed Batch `json:"-"`
}
