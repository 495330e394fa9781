package null

import "sync/atomic"

// A Kind is what a request was for.
type Kind int

// The kinds of requests.
const (
	ListSource Kind = iota
	ListDestination
	Head
	Get
	Copy
	PartCopy
	Put
	Upload // start, complete, abort and list multipart uploads
	Delete
	Tags
	Bucket // everything about a bucket but its keys
	kinds
)

// String names the kind.
func (k Kind) String() string {
	names := [...]string{
		"list source", "list destination", "head", "get", "copy", "part copy", "put", "upload", "delete", "tags", "bucket",
	}
	return names[k]
}

// Stats are what a server saw since its last reset.
type Stats struct {
	Requests    map[string]int64 `json:"requests"` // by kind; those refused included
	Total       int64            `json:"total"`
	Connections int64            `json:"connections"` // opened
	PeakLists   int64            `json:"peak_lists"`  // in flight
	PeakCopies  int64            `json:"peak_copies"`
	Throttled   int64            `json:"throttled"` // answered 503
	Failed      int64            `json:"failed"`    // answered 500
	Torn        int64            `json:"torn"`
	Refused     int64            `json:"refused"`   // answered 4xx, but for bucket settings
	Keys        int64            `json:"keys"`      // of the namespace
	Present     int64            `json:"present"`   // of them at the destination
	Writes      int64            `json:"writes"`    // objects written, again or not
	Doubled     int64            `json:"doubled"`   // keys written more than once
	Strangers   int64            `json:"strangers"` // writes of what is no key, or from another key
	Deletes     int64            `json:"deletes"`
}

// Lists is the number of listing requests.
func (s Stats) Lists() int64 {
	return s.Requests[ListSource.String()] + s.Requests[ListDestination.String()]
}

// counters are a server's numbers while it serves.
type counters struct {
	requests                            [kinds]atomic.Int64
	connections                         atomic.Int64
	throttled, failed, torn, refused    atomic.Int64
	writes, doubled, strangers, deletes atomic.Int64
	lists, copies                       gauge
}

// A gauge knows its greatest value.
type gauge struct{ now, peak atomic.Int64 }

func (g *gauge) enter() {
	n := g.now.Add(1)
	for p := g.peak.Load(); n > p && !g.peak.CompareAndSwap(p, n); p = g.peak.Load() {
	}
}

func (g *gauge) leave() { g.now.Add(-1) }

func (w *world) stats() Stats {
	c := &w.count
	s := Stats{
		Requests: map[string]int64{}, Connections: c.connections.Load(),
		PeakLists: c.lists.peak.Load(), PeakCopies: c.copies.peak.Load(),
		Throttled: c.throttled.Load(), Failed: c.failed.Load(), Torn: c.torn.Load(), Refused: c.refused.Load(),
		Keys: int64(w.cfg.Keys.Len()), Present: w.there.count.Load(),
		Writes: c.writes.Load(), Doubled: c.doubled.Load(), Strangers: c.strangers.Load(), Deletes: c.deletes.Load(),
	}
	for k := range kinds {
		n := c.requests[k].Load()
		s.Requests[k.String()] = n
		s.Total += n
	}
	return s
}
