package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/policy"
	"xplan/internal/s3copy"
)

// freeze denies writing to a source by statements of ours, on the road of every statement: read, compare with what was
// reviewed, write, read back. Whether it holds, freezeProbe finds out.
type freeze struct {
	statement
	prober WriteProber
	before *openness
}

func (r freeze) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Freeze
	if s.Action != compile.Hold {
		r.before.note(spec.Bucket, r.prober.ProbeWrite(ctx, spec.Location(), probeKey(spec)))
	}
	res, messages := held(""), []string(nil)
	for _, one := range spec.Statements {
		step := s
		step.Spec = compile.Spec{Statement: &one}
		got, err := r.statement.Run(ctx, step)
		if err != nil {
			return executor.Result{}, err
		}
		if got.Outcome == executor.Done {
			res.Outcome = executor.Done
		}
		messages = append(messages, got.Message)
	}
	res.Message = spec.Bucket + " is frozen: " + strings.Join(messages, "; ")
	return res, nil
}

// probeKey is a key that nobody uses, below what is frozen.
func probeKey(spec compile.FreezeSpec) string {
	return spec.Prefixes[0] + ".xplan-freeze-" + rand.Text()
}

// openness remembers whether the administrator could write to a source before it was frozen: else a denial says nothing.
type openness struct {
	mu   sync.Mutex
	shut map[string]bool // by bucket; not there: nobody asked
}

func (o *openness) note(bucket string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shut == nil {
		o.shut = map[string]bool{}
	}
	if err == nil || errors.Is(err, s3copy.ErrDenied) {
		o.shut[bucket] = err != nil
	}
}

func (o *openness) of(bucket string) (shut, asked bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	shut, asked = o.shut[bucket]
	return shut, asked
}

// freezeProbe finds out whether a freeze holds, as the source's administrator and without writing anything, and who was
// writing when it began.
type freezeProbe struct {
	freeze
	pairs pairRunner
}

const (
	frozenInARow = 5                // denials, until a freeze is taken to hold everywhere
	unseenFor    = 30 * time.Second // waited where nobody can see it
)

func (r freezeProbe) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Freeze
	seen, err := r.holds(ctx, spec)
	if err != nil {
		return executor.Result{}, err
	}
	message := fmt.Sprintf("a write is denied, %d times in a row", frozenInARow)
	if !seen {
		if err := pauseFor(ctx, unseenFor); err != nil {
			return executor.Result{}, err
		}
		message = fmt.Sprintf("waited %s: whether it holds could not be seen, as the administrator may not write there anyway", unseenFor)
	}
	under, err := r.underWay(ctx, spec)
	if err != nil {
		return executor.Result{}, err
	}
	return done(message + under), nil
}

// holds waits until writes are denied by the policy of the bucket, several times in a row: S3 takes a moment to show a policy
// everywhere. It is false where the administrator's writes are denied by something else as well.
func (r freezeProbe) holds(ctx context.Context, spec compile.FreezeSpec) (seen bool, _ error) {
	shut, asked := r.before.of(spec.Bucket)
	if shut {
		return false, nil
	}
	good, begun := 0, time.Now()
	err := until(ctx, propagateFor, func(ctx context.Context) error {
		for ; good < frozenInARow; good++ {
			if good > 0 {
				if err := pauseFor(ctx, betweenProbes); err != nil {
					return err
				}
			}
			err := r.prober.ProbeWrite(ctx, spec.Location(), probeKey(spec))
			switch {
			case errors.Is(err, s3copy.ErrDenied) && (asked || byBucketPolicy(err)):
				continue
			case errors.Is(err, s3copy.ErrDenied):
				return errUnseen
			}
			good = 0
			switch {
			case err == nil:
				return fmt.Errorf("%s is frozen, and a write to it is let through: %w", spec.Bucket, errNotYet)
			case busy(err) && time.Since(begun) < busyFor:
				return fmt.Errorf("%w: %w", errNotYet, err)
			}
			return fmt.Errorf("probe the freeze of %s: %w", spec.Bucket, err)
		}
		return nil
	})
	if errors.Is(err, errUnseen) {
		return false, nil
	}
	return err == nil, err
}

// errUnseen: a denial that nobody can tell from the one that was there before.
var errUnseen = errors.New("denied for a reason that is not told")

// byBucketPolicy tells whether AWS names a statement of the bucket's policy as what denies.
func byBucketPolicy(err error) bool {
	told, _ := policy.ParseRefusal(err.Error())
	return told.Reason == policy.ExplicitDeny && told.Leg == policy.LegResource
}

// mostUploads is how many uploads under way are told by name.
const mostUploads = 3

// underWay names the uploads by parts that have begun: they cannot be completed as long as the freeze stands, and can
// afterwards.
func (r freezeProbe) underWay(ctx context.Context, spec compile.FreezeSpec) (string, error) {
	at, n := spec.Location(), 0
	var names []string
	for _, prefix := range spec.Prefixes {
		all, err := r.pairs.d.Source.OpenDestination(at, at).ListUploads(ctx, prefix)
		switch {
		case errors.Is(err, s3copy.ErrDenied):
			return "; uploads under way could not be listed (s3:ListBucketMultipartUploads is denied)", nil
		case errors.Is(err, s3copy.ErrUnsupported):
			return "", nil
		case err != nil:
			return "", err
		}
		n += len(all)
		for _, u := range all[:min(len(all), max(0, mostUploads-len(names)))] {
			names = append(names, fmt.Sprintf("%q of %s", u.Key, u.Initiated.UTC().Format(time.RFC3339)))
		}
	}
	if n == 0 {
		return "", nil
	}
	return fmt.Sprintf("; %d uploads by parts are not finished there, and what is completed after the freeze is not copied: %s", n, strings.Join(names, ", ")), nil
}

// cleanFreeze lifts a freeze: its statements go, others stay.
type cleanFreeze struct {
	cleanStatement
	ends *summaries
}

func (r cleanFreeze) Run(ctx context.Context, s compile.Step) (executor.Result, error) {
	spec := *s.Spec.Freeze
	if spec.HoldsVerified && r.ends.allProven(spec.Pairs) {
		return waiting(spec.Bucket + " is frozen still, and all of it is verified: switch its writers, then lift it: xplan cleanup FILE"), nil
	}
	var errs []error
	res := held("nothing was frozen")
	for i := len(spec.Statements) - 1; i >= 0; i-- {
		step := s
		step.Spec = compile.Spec{Statement: &spec.Statements[i]}
		got, err := r.cleanStatement.Run(ctx, step)
		if errors.Is(err, s3copy.ErrNoBucket) { // it went with its bucket
			err = r.forget(spec.Statements[i])
		}
		errs = append(errs, err)
		if got.Outcome == executor.Done {
			res = done(spec.Bucket + " is not frozen any more, read back")
		}
	}
	if err := errors.Join(errs...); err != nil {
		return executor.Result{}, fmt.Errorf("%s is frozen still: %w", spec.Bucket, err)
	}
	return res, nil
}

func (r cleanFreeze) forget(spec compile.StatementSpec) error {
	known, err := ownedStatement(r.own, r.kind, spec)
	for _, x := range known {
		err = errors.Join(err, r.own.Disown(x))
	}
	return err
}
