package sandbox

import (
	"crypto/md5"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A Namespace is a set of keys that are computed, not stored: key i is the
// i-th in byte order. It must be safe for concurrent use and always answer alike.
type Namespace interface {
	Len() int
	// Key is the key of index i, 0 <= i < Len.
	Key(i int) string
	// Search is the least i with Key(i) >= key; Len where there is none.
	Search(key string) int
	// Size is the size of the object at i.
	Size(i int) int64
}

// HexKeys is n keys of eight hexadecimal digits, spread evenly over the whole
// range, below a prefix.
func HexKeys(prefix string, n int, size int64) Namespace {
	step := uint64(1<<32) / uint64(max(n, 1))
	return numbered{n: n, size: size, key: func(b []byte, i int) []byte {
		return appendPadded(append(b, prefix...), uint64(i)*step, 16, 8)
	}}
}

// DatedKeys is n keys of hourly logs, perHour of them an hour from 2024 on:
// logs/2024/01/31/17/part-00042.gz.
func DatedKeys(n, perHour int, size int64) Namespace {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return numbered{n: n, size: size, key: func(b []byte, i int) []byte {
		hour := start.Add(time.Duration(i/perHour) * time.Hour)
		b = hour.AppendFormat(append(b, "logs/"...), "2006/01/02/15")
		b = appendPadded(append(b, "/part-"...), uint64(i%perHour), 10, 5)
		return append(b, ".gz"...)
	}}
}

// HotKeys is n keys below one long common prefix, numbered in decimal digits.
func HotKeys(n int, size int64) Namespace {
	return numbered{n: n, size: size, key: func(b []byte, i int) []byte {
		return appendPadded(append(b, "tenant=acme/table=events/date=2026-01-01/"...), uint64(i), 10, 10)
	}}
}

// appendPadded writes a number with leading zeros.
func appendPadded(b []byte, n uint64, base, width int) []byte {
	start := len(b)
	for range width {
		b = append(b, '0')
	}
	var digits [20]byte
	d := strconv.AppendUint(digits[:0], n, base)
	if len(d) > width {
		return append(b[:start], d...)
	}
	copy(b[len(b)-len(d):], d)
	return b
}

// numbered computes its keys by a function that must ascend.
type numbered struct {
	n    int
	size int64
	key  func(buf []byte, i int) []byte // appends key i to buf
}

func (n numbered) Len() int         { return n.n }
func (n numbered) Key(i int) string { return string(n.key(nil, i)) }
func (n numbered) Size(int) int64   { return n.size }

func (n numbered) Search(key string) int {
	var buf [maxKeyBytes]byte
	return sort.Search(n.n, func(i int) bool { return string(n.key(buf[:0], i)) >= key })
}

// AddSyntheticBucket makes a bucket that holds a namespace's objects. Its
// objects are zeros with an ETag computed from the key; they can be listed,
// read, copied from, and not changed: what is written to it is forgotten.
func (s *Server) AddSyntheticBucket(account, name string, ns Namespace) error {
	b, err := s.s3.addBucket(account, name, BucketOptions{})
	if err != nil {
		return err
	}
	b.keys = &syntheticKeys{ns: ns, sums: s.s3.sums, made: b.created, meta: &objectMeta{contentType: plainType}, owner: b.owner}
	return nil
}

// A BlackHole is a bucket that remembers of what is written only which keys of
// a namespace it was: it lists and serves those as the namespace has them.
type BlackHole struct{ keys *syntheticKeys }

// Count is how many of the namespace's keys it holds.
func (h *BlackHole) Count() int { return int(h.keys.count.Load()) }

// Writes is how many writes there were, repeated ones included.
func (h *BlackHole) Writes() int { return int(h.keys.writes.Load()) }

// Strangers is how many writes were of keys that the namespace has not.
func (h *BlackHole) Strangers() int { return int(h.keys.strangers.Load()) }

// Fill makes it hold every key that keep says; nil means all.
func (h *BlackHole) Fill(keep func(i int) bool) {
	for i := range h.keys.ns.Len() {
		if keep == nil || keep(i) {
			h.keys.mark(i)
		}
	}
}

// AddBlackHole makes a bucket that swallows what is written to it.
func (s *Server) AddBlackHole(account, name string, ns Namespace) (*BlackHole, error) {
	b, err := s.s3.addBucket(account, name, BucketOptions{})
	if err != nil {
		return nil, err
	}
	keys := &syntheticKeys{ns: ns, sums: s.s3.sums, made: b.created, meta: &objectMeta{contentType: plainType}, owner: b.owner, bits: make([]atomic.Uint64, ns.Len()/64+1)}
	b.keys = keys
	return &BlackHole{keys: keys}, nil
}

// syntheticKeys is a keyStore over a namespace. With bits it holds only the
// keys whose bit is set, and a write sets it. Its bucket's lock is needed for
// neither.
type syntheticKeys struct {
	ns    Namespace
	sums  *summer
	known sync.Map // size -> objectSum
	made  time.Time
	meta  *objectMeta
	owner string
	bits  []atomic.Uint64 // nil: all keys are there, and writes are forgotten

	count, writes, strangers atomic.Int64
}

func (k *syntheticKeys) has(i int) bool {
	return k.bits == nil || k.bits[i/64].Load()&(1<<(i%64)) != 0
}

func (k *syntheticKeys) mark(i int) {
	if k.bits != nil && k.bits[i/64].Or(1<<(i%64))&(1<<(i%64)) == 0 {
		k.count.Add(1)
	}
}

// A syntheticEntry is a key with its version and body: one allocation a key.
type syntheticEntry struct {
	key      s3Key
	version  s3Version
	versions [1]*s3Version
	segments [1]bodySegment
}

// at computes the object of a key. All synthetic objects of one size and key
// are equal, in whatever bucket.
func (k *syntheticKeys) at(i int) *s3Key {
	key, size := k.ns.Key(i), k.ns.Size(i)
	sum := md5.Sum([]byte(key))
	e := &syntheticEntry{}
	e.segments[0].zeros = size
	e.version = s3Version{
		id: nullVersion, modified: k.made, owner: k.owner, etag: hexDigest(sum), meta: k.meta, sum: k.sum(size),
		body: s3Body{segments: e.segments[:], size: size},
	}
	if size == 0 {
		e.version.body = s3Body{}
	}
	e.versions[0] = &e.version
	e.key = s3Key{name: key, versions: e.versions[:]}
	return &e.key
}

// sum is the checksum of an object of that size.
func (k *syntheticKeys) sum(size int64) objectSum {
	if sum, ok := k.known.Load(size); ok {
		return sum.(objectSum)
	}
	sum := objectSum{algorithm: sumCRC64NVME, value: k.sums.value(sumCRC64NVME, zeroBody(size)), kind: sumFullObject}
	k.known.Store(size, sum)
	return sum
}

func (k *syntheticKeys) get(key string) *s3Key {
	i := k.ns.Search(key)
	if i >= k.ns.Len() || k.ns.Key(i) != key || !k.has(i) {
		return nil
	}
	return k.at(i)
}

// ensure notes a write. What is stored into the key it answers is forgotten.
func (k *syntheticKeys) ensure(key string) *s3Key {
	k.writes.Add(1)
	if i := k.ns.Search(key); i < k.ns.Len() && k.ns.Key(i) == key {
		k.mark(i)
	} else {
		k.strangers.Add(1)
	}
	return &s3Key{name: key}
}

func (k *syntheticKeys) remove(key string) {
	i := k.ns.Search(key)
	if k.bits == nil || i >= k.ns.Len() || k.ns.Key(i) != key {
		return
	}
	if k.bits[i/64].And(^(uint64(1)<<(i%64)))&(1<<(i%64)) != 0 {
		k.count.Add(-1)
	}
}

func (k *syntheticKeys) ascend(from string, after bool, f func(*s3Key) bool) {
	i := k.ns.Search(from)
	if after && i < k.ns.Len() && k.ns.Key(i) == from {
		i++
	}
	for ; i < k.ns.Len(); i++ {
		if k.has(i) && !f(k.at(i)) {
			return
		}
	}
}
