package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
)

// renewEvery leaves room for four renewals that fail before a lease runs out.
const renewEvery = compile.LeaseFor / 5

// releaseFor bounds the taking off of the lease, and clean-up is over then.
const releaseFor = 20 * time.Second

// A LeasedError says that the plan is run elsewhere.
type LeasedError struct {
	Plan   string
	Holder compile.Lease
	Lost   bool // this run held it, and it was taken over
}

// Error says who holds it, and what to do.
func (e *LeasedError) Error() string {
	if e.Lost {
		return fmt.Sprintf("plan %s was taken over by %s: this run stops here, and removes nothing but its own access key; go on there", e.Plan, e.Holder)
	}
	return fmt.Sprintf("plan %s is under way on another machine: %s, last heard of at %s. Wait for its end, or until %s if it is dead: the lease runs out then. "+
		"If you know that it is dead, --take-over does not wait: it deletes the access key with which that run copies",
		e.Plan, e.Holder, e.Holder.Renewed.UTC().Format(time.RFC3339), e.Holder.Ends().UTC().Format(time.RFC3339))
}

// LeaseOptions are a lease's.
type LeaseOptions struct {
	API    PolicyTags
	On     string // ARN of the policy that tells; "": nothing does
	Plan   string
	Holder compile.Lease         // this process
	Mine   func(run string) bool // tells of the runs in this state: nobody else can go on with them
	Over   *compile.Lease        // another machine's that a person takes over; nil: none
	Now    func() time.Time      // for servers that do not tell the time
}

// A Lease tells other machines by a tag on the plan's policy that this run is under way, and notices when it is taken
// over. It is advice: IAM has no compare-and-set. Safe for concurrent use; a nil one tells nothing and refuses nothing.
type Lease struct {
	o    LeaseOptions
	gone chan struct{} // closed when it is lost

	mu     sync.Mutex
	before *compile.Lease // what was noted when it was taken: IAM may show that again
	mine   compile.Lease  // zero: not taken yet
	lost   error
}

// NewLease makes a lease that is not taken yet.
func NewLease(o LeaseOptions) *Lease { return &Lease{o: o, gone: make(chan struct{})} }

// Take notes this run on the policy; without a policy there is nothing to do yet. Another machine's live lease is a
// *LeasedError.
func (l *Lease) Take(ctx context.Context) error {
	if l == nil || l.o.On == "" || l.taken() {
		return nil
	}
	have, err := l.o.API.PolicyTags(ctx, l.o.On)
	if err != nil || !have.Exists {
		return err
	}
	now := l.time(have)
	before, there := compile.ReadLease(have.Tags[compile.LeaseTag], now)
	over := l.o.Over != nil && before.SameHolder(*l.o.Over)
	if there && !over && !l.o.Mine(before.Run) && now.Before(before.Ends()) {
		return l.lose(&LeasedError{Plan: l.o.Plan, Holder: before})
	}
	mine := l.o.Holder
	mine.Since, mine.Renewed = now.Truncate(time.Second), now // as the note tells it
	if err := l.o.API.TagPolicy(ctx, l.o.On, map[string]string{compile.LeaseTag: mine.Note()}); err != nil {
		return err
	}
	l.mu.Lock()
	if l.mine = mine; there {
		l.before = &before
	}
	l.mu.Unlock()
	// Of two that took it in one moment the one that wrote last has it.
	err = until(ctx, readBackFor, func(ctx context.Context) error {
		shown, err := l.look(ctx)
		if err == nil && !shown.ours {
			err = errNotYet
		}
		return err
	})
	if errors.Is(err, errNotYet) { // IAM shows it later
		err = nil
	}
	return err
}

// takeOn is Take for a policy that was just made or looked at. Where tagging is not allowed the run goes on without a
// lease, and the words say so.
func (l *Lease) takeOn(ctx context.Context, arn string) (words string, err error) {
	if l == nil || l.o.On != arn {
		return "", nil
	}
	return Untold(l.Take(ctx))
}

// Untold tells apart what keeps a run from its lease from what keeps it from running.
func Untold(err error) (words string, _ error) {
	if errors.Is(err, compile.ErrDenied) || errors.Is(err, compile.ErrUnsupported) {
		return "; other machines are not told of this run: " + err.Error(), nil
	}
	return "", err
}

func (l *Lease) taken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mine.Run != ""
}

// time is the server's, where it tells.
func (l *Lease) time(have compile.ManagedPolicy) time.Time {
	if have.At.IsZero() {
		return l.o.Now()
	}
	return have.At
}

// A noted is what the policy shows.
type noted struct {
	there bool // the policy
	ours  bool
	at    time.Time
}

// look reads the note. One that is neither ours nor what stood there before means that the lease is lost.
func (l *Lease) look(ctx context.Context) (noted, error) {
	have, err := l.o.API.PolicyTags(ctx, l.o.On)
	if err != nil || !have.Exists {
		return noted{}, err
	}
	shown := noted{there: true, at: l.time(have)}
	other, there := compile.ReadLease(have.Tags[compile.LeaseTag], shown.at)
	l.mu.Lock()
	mine, before := l.mine, l.before
	l.mu.Unlock()
	switch {
	case !there || before != nil && other.SameHolder(*before):
	case other.SameHolder(mine):
		shown.ours = true
	default:
		return shown, l.lose(&LeasedError{Plan: l.o.Plan, Holder: other, Lost: true})
	}
	return shown, nil
}

func (l *Lease) lose(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == nil {
		l.lost = err
		close(l.gone)
	}
	return l.lost
}

// Lost is the *LeasedError of a lease that another machine has; nil as long as nothing is known of that.
func (l *Lease) Lost() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Check looks whether another machine has taken over. What cannot be read refuses nothing.
func (l *Lease) Check(ctx context.Context) error {
	if err := l.Lost(); err != nil || l == nil || !l.taken() {
		return err
	}
	_, _ = l.look(ctx) // what it finds is kept
	return l.Lost()
}

// renew writes the note again. A failure is made good by the next one, or by nobody: the copy does not depend on it.
func (l *Lease) renew(ctx context.Context) {
	if !l.taken() || l.Lost() != nil {
		return
	}
	shown, err := l.look(ctx)
	if err != nil || !shown.there {
		return
	}
	l.mu.Lock()
	note := l.mine
	l.mu.Unlock()
	note.Renewed = shown.at
	_ = l.o.API.TagPolicy(ctx, l.o.On, map[string]string{compile.LeaseTag: note.Note()})
}

// Hold renews the lease until stop is called, which takes it off. The context ends when another machine takes over.
func (l *Lease) Hold(ctx context.Context) (_ context.Context, stop func(leave <-chan struct{})) {
	if l == nil {
		return ctx, func(<-chan struct{}) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(renewEvery)
		defer tick.Stop()
		renewing, stopRenewing := context.WithCancel(context.WithoutCancel(ctx)) // clean-up outlives the run's context
		defer stopRenewing()
		gone := l.gone
		for {
			select {
			case <-quit:
				return
			case <-gone:
				gone = nil
				cancel()
			case <-tick.C:
				l.renew(renewing)
			}
		}
	}()
	return ctx, func(leave <-chan struct{}) {
		close(quit)
		<-ended
		l.release(context.WithoutCancel(ctx), leave)
		cancel()
	}
}

// release takes the note off, if it is ours. One that stays runs out.
func (l *Lease) release(ctx context.Context, leave <-chan struct{}) {
	if !l.taken() || l.Lost() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, releaseFor)
	defer cancel()
	released := make(chan struct{})
	go func() {
		defer close(released)
		if shown, err := l.look(ctx); err == nil && shown.ours {
			_ = l.o.API.UntagPolicy(ctx, l.o.On, []string{compile.LeaseTag})
		}
	}()
	select {
	case <-leave:
		cancel()
	case <-released:
	}
	<-released
}

// guarded is a runner of what is shared by all runs of the plan, wherever they are: after a take-over it is theirs.
type guarded struct {
	executor.Runner
	lease *Lease
}

// Run runs the step unless another machine has the lease.
func (r guarded) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	// A step that sets something up comes seconds after the lease was taken; a clean-up may come days after.
	check := r.lease.Lost
	if s.Kind.IsCleanup() {
		check = func() error { return r.lease.Check(ctx) }
	}
	if err := check(); err != nil {
		return executor.Result{}, err
	}
	return r.Runner.Run(ctx, s)
}
