package s3copy

import (
	"sync"
	"time"
)

// A page is a stretch of a range's keys, in order. It is settled when all its tasks
// are; the range's cursor may then move over it.
type page struct {
	rng  int    // index of the range; noRange for retries and second looks
	seq  int    // of the page in its range, from 0
	last string // the greatest key of the stretch
	end  bool   // the range ends here

	slots <-chan struct{} // holds one slot of the range for the page; nil: none

	mu       sync.Mutex
	open     int  // tasks that are not settled, and one while the page is filled
	void     bool // a task was left undone: the page is never settled
	todo     bool // a scan: something is to be done
	soft     bool // a scan: something is to be proven at the level asked
	keys     int
	add      Tally
	failures []Failure
	healed   []string
	again    []again
}

// again is an object that an earlier pass counted, with its size of that time.
type again struct {
	out outcome
	old Bytes
}

const noRange = -1

// A task is one key, or a set of deletions, for a worker.
type task struct {
	page   *page
	action action
	src    Object
	dst    Object
	exists bool     // dst is there
	f      finding  // what the listings say
	old    *Failure // a retry: look at both sides first

	streamed string       // the ETag that the bytes which came through here ought to have
	examined bool         // both sides were asked for checksums, without a proof
	marked   bool         // one of Job.Marked
	bound    bool         // a finished run has compared the locks
	lock     *carriedLock // that the copy was made with; nil: locks are none of the job's
	extras   []Deletion

	version, copied string // IDs of src, and of dst or of the copy; "": of the current versions
	looks           *looks // at a key's versions
}

// counted is the size with which an earlier pass counted the object, as far as can be told: the destination has it from there.
func (t *task) counted() Bytes {
	if t.looks == nil {
		return t.dst.Size
	}
	return t.looks.found.Versions.Bytes
}

// since is what a key's history has more than an earlier pass counted, or less, where it failed now.
func (t *task) since(out outcome) History {
	switch {
	case t.looks == nil:
		return History{}
	case out.state == isFailed:
		return t.looks.found.less()
	}
	return out.grown
}

// target is the destination's object, if there is one.
func (t *task) target() *Object {
	if !t.exists {
		return nil
	}
	return &t.dst
}

// second tells whether the page belongs to a second pass or to the retries, where
// most objects have been counted before.
func (p *page) second() bool { return p.rng == noRange }

// begin notes one more open task.
func (p *page) begin() {
	p.mu.Lock()
	p.open++
	p.mu.Unlock()
}

// finish closes a task, or the filling. It tells whether the page is settled by that.
func (p *page) finish(done bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	p.void = p.void || !done
	return p.open == 0 && !p.void
}

// count changes the page's counts.
func (p *page) count(change func(*Tally)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.add)
}

// mark notes that the page holds something to do.
func (p *page) mark() {
	p.mu.Lock()
	p.todo = true
	p.mu.Unlock()
}

// soften notes that the page holds an object that is to be proven at a higher level.
func (p *page) soften() {
	p.mu.Lock()
	p.soft = true
	p.mu.Unlock()
}

func (p *page) marked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.todo
}

// enter counts a settled key, and notes its failure.
func (p *page) enter(t *task, out outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if out.state == isFailed {
		f := Failure{Key: t.src.Key, Phase: out.phase, Reason: out.reason, Size: out.size, At: time.Now(), Changed: out.why == keepsChanging}
		if out.kept && t.old != nil && t.old.Phase == out.phase {
			f.Reason, f.At = t.old.Reason, t.old.At // since when it waits
		}
		p.failures = append(p.failures, f)
	}
	if out.state != isFailed && (t.old != nil || t.marked) {
		p.healed = append(p.healed, t.src.Key)
	}
	switch {
	case t.old != nil && t.old.counted():
		p.add.Listed.sub(t.old.Size)
		p.add.Failed.sub(t.old.Size)
	case p.second() && out.state != isCopied && out.state != isFailed:
		return
	case p.second() && t.exists:
		p.again = append(p.again, again{out: out, old: t.counted()})
		p.add.History.Plus(t.since(out))
		return
	}
	p.add.add(out)
}
