package s3copy

import (
	"context"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	tolerated  = 0.02                   // of the requests may be refused by a server that is not full
	cutEvery   = 100 * time.Millisecond // one burst of slow-downs cuts the rate once
	cutTo      = 0.7
	cutMost    = 0.3                    // where there were more complaints than none
	blindFrom  = 0.25                   // of what was borne for less than a second: it may have been a burst
	cutBlind   = 0.85                   // of a rate that doubled until the complaint came
	backTo     = 0.99                   // of what the server bore, right after a cut
	riseLinear = 0.002                  // of the rate, a second: near what was borne
	riseCubic  = 0.0015                 // and with the third power of the time without complaint
	riseLate   = 5                      // seconds without complaint, behind which it doubles every second
	leastRate  = 1.0                    // requests a second
	firstRate  = 20.0                   // where nothing is known of what is borne
	doubles    = 250 * time.Millisecond // in which the rate does so as long as that is so
	ahead      = 2                      // times what is borne is not exceeded, however long nothing is heard
	lateMost   = 2 * time.Millisecond   // that a request comes late is made good
	meterLeast = 30                     // counts that make a rate
	meterSlots = 8                      // stretches of time that a meter remembers
	meterSlot  = 125 * time.Millisecond // length of one of them
	valvesMost = 16                     // prefixes that are told apart
	backlog    = 8                      // requests that may wait at a valve before no more are handed out
)

// A valve holds requests to the rate that a server bears: it is open until the server
// refuses more than the few that any server does. Then the rate is cut to 0.7 of what was
// borne, returns to just below that, and rises again: slowly near what was borne, and the
// faster the longer nothing is heard. Safe for concurrent use.
type valve struct {
	mu      sync.Mutex
	room    *sync.Cond
	turn    chan struct{} // held by the one whose turn is next
	meter   meter         // of what was borne
	refused meter         // of the rest
	borne   float64       // requests a second that were borne at the latest cut; 0: no cut yet
	cut     time.Time     // the latest one
	blind   bool          // the first cut was made before anything was known
	next    time.Time     // when the next request may start
	waiting int

	complaints, borneSince int // since the latest cut
}

func newValve() *valve {
	v := &valve{turn: make(chan struct{}, 1)}
	v.room = sync.NewCond(&v.mu)
	return v
}

// rate is how many requests a second may start now.
func (v *valve) rate(now time.Time) float64 {
	since := now.Sub(v.cut)
	target := v.borne * backTo
	if v.blind {
		return v.borne * math.Exp2(float64(since)/float64(doubles))
	}
	if since < cutEvery {
		return max(leastRate, target*(cutTo+(1-cutTo)*float64(since)/float64(cutEvery)))
	}
	t := (since - cutEvery).Seconds()
	return max(leastRate, target*(1+riseLinear*t+riseCubic*t*t*t)*math.Exp2(max(0, t-riseLate)))
}

// enter waits until one more request may start. It fails only when ctx ends first.
func (v *valve) enter(ctx context.Context) error {
	if v.open() {
		return nil
	}
	v.wait(1)
	defer v.wait(-1)
	select {
	case v.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-v.turn }()
	return wait(ctx, v.pause())
}

// open tells whether the server refused no more than any does, up to now.
func (v *valve) open() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.borne == 0
}

// wait counts who waits.
func (v *valve) wait(more int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting += more
	v.room.Broadcast()
}

// pause tells how long the next request has to wait, and lets it start then. Time that
// nobody used is lost, but for a little.
func (v *valve) pause() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	rate := v.rate(now)
	if v.meter.knows(now) {
		rate = min(rate, max(firstRate, ahead*v.meter.rate(now)))
	}
	v.next = v.next.Add(time.Duration(float64(time.Second) / rate))
	if late := now.Add(-lateMost); v.next.Before(late) {
		v.next = late
	}
	return v.next.Sub(now)
}

// admit waits until few enough requests wait.
func (v *valve) admit(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.waiting < backlog {
		return nil
	}
	defer context.AfterFunc(ctx, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.room.Broadcast()
	})()
	for v.waiting >= backlog {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		v.room.Wait()
	}
	return nil
}

// full tells whether admit would wait.
func (v *valve) full() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.waiting >= backlog
}

// borneOne notes a request that the server did not complain about.
func (v *valve) borneOne() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.meter.add(time.Now())
	v.borneSince++
}

// tooMany tells whether more is refused of late than by a server that is not full: by its
// share, and by two deviations more, so that dice alone cut nothing.
func (v *valve) tooMany(now time.Time) bool {
	refused := float64(v.refused.latest(now))
	expected := tolerated * (refused + float64(v.meter.latest(now)))
	few := 2.0
	if v.borne != 0 {
		few = 1 // it is known to be full now and then
	}
	return refused > expected+2*math.Sqrt(expected)+few
}

// share is the part of the latest requests that was borne.
func (v *valve) share(now time.Time) float64 {
	borne := float64(v.meter.latest(now))
	return borne / max(1, borne+float64(v.refused.latest(now)))
}

// slow notes a refusal, and cuts the rate where they are too many, once for a burst of them.
func (v *valve) slow(known float64, sure bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	v.complaints++
	v.refused.add(now)
	if v.borne != 0 && now.Sub(v.cut) < cutEvery || !v.tooMany(now) {
		return
	}
	at := max(known, v.meter.rate(now), firstRate)
	if v.borne != 0 {
		least := cutTo
		switch {
		case v.blind:
			least = cutBlind
		case v.complaints+v.borneSince >= meterLeast: // enough to go by
			least = 0
		case v.complaints > v.borneSince:
			least = cutMost
		}
		rate := v.rate(now)
		at = min(rate, max(v.meter.rate(now), least*rate, v.share(now)*rate))
	}
	if v.blind = v.borne == 0 && !sure && !v.meter.knows(now); v.blind {
		at = max(at*blindFrom, firstRate)
	}
	v.borne, v.cut, v.complaints, v.borneSince = at, now, 0, 0
	v.meter.restart(now)
	v.refused.restart(now)
}

// A meter tells the rate of the last second. Not safe for concurrent use.
type meter struct {
	counts [meterSlots]int
	begun  time.Time
	slot   int64 // of the latest count
}

// restart forgets what was counted.
func (m *meter) restart(now time.Time) {
	*m = meter{begun: now, slot: slotOf(now)}
}

func slotOf(t time.Time) int64 { return t.UnixNano() / int64(meterSlot) }

func (m *meter) turn(now time.Time) {
	if m.begun.IsZero() {
		m.restart(now)
	}
	slot := slotOf(now)
	for i := max(m.slot+1, slot-meterSlots+1); i <= slot; i++ {
		m.counts[i%meterSlots] = 0
	}
	m.slot = max(m.slot, slot)
}

func (m *meter) add(now time.Time) {
	m.turn(now)
	m.counts[m.slot%meterSlots]++
}

// latest counts the slot under way and the one before.
func (m *meter) latest(now time.Time) int {
	m.turn(now)
	return m.counts[m.slot%meterSlots] + m.counts[(m.slot+meterSlots-1)%meterSlots]
}

// knows tells whether the meter has run for long enough.
func (m *meter) knows(now time.Time) bool {
	return !m.begun.IsZero() && now.Sub(m.begun) >= meterSlots*meterSlot
}

// rate is taken over the latest counts, and over no more time than enough of them need.
func (m *meter) rate(now time.Time) float64 {
	m.turn(now)
	sum, from := 0, now
	for i := m.slot; i > m.slot-meterSlots && from.After(m.begun); i-- {
		if sum >= meterLeast && now.Sub(from) >= 2*meterSlot {
			break
		}
		sum += m.counts[(i+meterSlots)%meterSlots]
		from = time.Unix(0, i*int64(meterSlot))
	}
	if from.Before(m.begun) {
		from = m.begun
	}
	return float64(sum) / max(now.Sub(from), meterSlot/4).Seconds()
}

// valves are those of a bucket's prefixes: told apart by the first segment of the key,
// while few of them are slow. S3 bears so many requests a second for each prefix.
type valves struct {
	mu    sync.Mutex
	all   meter // of every prefix without a valve
	by    map[string]*valve
	slows atomic.Bool // there is a valve
}

// of finds the valve for a key; nil: there is none.
func (v *valves) of(key string) *valve {
	if !v.slows.Load() {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if one, ok := v.by[""]; ok {
		return one
	}
	return v.by[segment(key)]
}

func segment(key string) string {
	first, _, found := strings.Cut(key, "/")
	if !found {
		return "/" // all that is in no folder
	}
	return first + "/"
}

// enter waits until a request on the key may start.
func (v *valves) enter(ctx context.Context, key string) error {
	if one := v.of(key); one != nil {
		return one.enter(ctx)
	}
	return nil
}

// borne notes a request on the key that the server did not complain about.
func (v *valves) borne(key string) {
	if one := v.of(key); one != nil {
		one.borneOne()
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.all.add(time.Now())
}

// slow notes a refusal. The first one for a prefix gives it a valve, open still; once there
// are too many of them, one valve is for all.
func (v *valves) slow(key string) {
	one := v.of(key)
	v.mu.Lock()
	now := time.Now()
	rate, sure := v.all.rate(now), v.all.knows(now)
	if one == nil {
		if v.by == nil {
			v.by = make(map[string]*valve)
		}
		name := segment(key)
		if len(v.by) >= valvesMost {
			name = ""
		}
		if one = v.by[name]; one == nil {
			one = newValve()
			v.by[name] = one
		}
		v.slows.Store(true)
	}
	v.mu.Unlock()
	one.slow(rate, sure)
}
