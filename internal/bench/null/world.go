package null

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// A world is what one configuration has been through.
type world struct {
	cfg   Config
	there bitmap // keys at the destination
	wrote bitmap // keys written
	count counters

	mu      sync.Mutex
	buckets map[string]*throttle // by first path segment
	uploads map[string]*upload
	last    int // upload's number
}

func newWorld(cfg Config) *world {
	n := cfg.Keys.Len()
	return &world{
		cfg: cfg, there: newBitmap(n), wrote: newBitmap(n),
		buckets: map[string]*throttle{}, uploads: map[string]*upload{},
	}
}

// write notes that key i was written to the destination.
func (w *world) write(i int) {
	w.count.writes.Add(1)
	w.there.set(i)
	if !w.wrote.set(i) {
		w.count.doubled.Add(1)
	}
}

// admit tells whether a copy of the key is within its prefix's rate.
func (w *world) admit(segment []byte) bool {
	if w.cfg.CopyRate <= 0 {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.buckets[string(segment)]
	if !ok {
		t = &throttle{tokens: burst(w.cfg.CopyRate), at: time.Now()}
		w.buckets[string(segment)] = t
	}
	return t.take(w.cfg.CopyRate)
}

// throttle is a bucket of tokens.
type throttle struct {
	tokens float64
	at     time.Time
}

// burst is how many copies may come at once: those of a tenth of a second.
func burst(rate float64) float64 { return max(1, rate/10) }

func (t *throttle) take(rate float64) bool {
	now := time.Now()
	t.tokens = min(burst(rate), t.tokens+now.Sub(t.at).Seconds()*rate)
	t.at = now
	if t.tokens < 1 {
		return false
	}
	t.tokens--
	return true
}

// A bitmap is a set of indexes. Safe for concurrent use.
type bitmap struct {
	words []atomic.Uint64
	n     int
	count *atomic.Int64
}

func newBitmap(n int) bitmap {
	return bitmap{words: make([]atomic.Uint64, (n+63)/64), n: n, count: &atomic.Int64{}}
}

// set adds i, and tells whether it is new.
func (b bitmap) set(i int) bool {
	bit := uint64(1) << (i % 64)
	if b.words[i/64].Or(bit)&bit != 0 {
		return false
	}
	b.count.Add(1)
	return true
}

func (b bitmap) clear(i int) {
	bit := uint64(1) << (i % 64)
	if b.words[i/64].And(^bit)&bit != 0 {
		b.count.Add(-1)
	}
}

func (b bitmap) has(i int) bool { return b.words[i/64].Load()&(1<<(i%64)) != 0 }

// next is the least member that is i at least and less than end; end where there is none.
func (b bitmap) next(i, end int) int {
	for i < end {
		if w := b.words[i/64].Load() >> (i % 64); w != 0 {
			return min(end, i+bits.TrailingZeros64(w))
		}
		i = (i/64 + 1) * 64
	}
	return end
}
