package runner

import (
	"context"
	"time"

	"xplan/executor"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/plan"
)

// Ownership remembers what runs of the plan made. A call that returned nil is durable.
type Ownership interface {
	// Intend notes that something is about to be made: before the effect.
	Intend(o compile.Owned) error
	// Own notes that it was made: after the effect was read back.
	Own(o compile.Owned) error
	// Disown forgets it: after it was read back as gone.
	Disown(o compile.Owned) error
	Owned() ([]compile.Owned, error)
}

// Journals hand out the durable progress of a pair's copy.
type Journals interface {
	Journal(pair plan.Pair) s3copy.Journal
	// Uploads are all multipart uploads of ours that may still stand, by pair ID.
	Uploads(pair plan.Pair) ([]s3copy.Upload, error)
	// Restart has the pair compared from its first key on, the next time: what was settled is not so any more.
	Restart(pair plan.Pair) error
}

// Deps is what the runners of one run share. All fields are needed but the lease.
type Deps struct {
	Source, Destination Account
	Logins              Logins
	Ownership           Ownership
	Journals            Journals
	Engine              *s3copy.Engine
	Earlier             map[string][]s3copy.Window // by pair; see Records.Earlier
	Confirmed           map[string]bool            // buckets whose deletion a person confirmed
	Progress            *Progress
	Lease               *Lease // nil: nothing tells of the run
	Now                 func() time.Time
	Kill                <-chan struct{} // closed when nothing is to be waited for; nil never is
}

// New gives a runner for every step kind that xplan knows. The runners share one
// session, so they serve one run. Safe for concurrent use.
func New(d Deps) map[compile.Kind]executor.Runner {
	s := &session{}
	own := owner{d.Ownership, d.Now}
	both := sides{d.Source, d.Destination}
	pairs := pairRunner{d: d, session: s, ends: &summaries{}}
	policies := &turns{}
	denial := freeze{statement: statement{compile.KindFreeze, d.Source, d.Destination, own, policies}, prober: d.Source, before: &openness{}}
	who := &signers{}
	all := map[compile.Kind]executor.Runner{
		compile.KindIdentity:     identity{both, who},
		compile.KindInspect:      inspect{d.Source},
		compile.KindBucket:       bucket{d.Destination, own},
		compile.KindPrincipal:    principal{d.Destination, own},
		compile.KindPolicy:       policyRunner{d.Destination, own, d.Lease},
		compile.KindAttachment:   attachment{d.Destination, own},
		compile.KindGrant:        grant{d.Source, own},
		compile.KindBucketPolicy: statement{compile.KindBucketPolicy, d.Source, d.Destination, own, policies},
		compile.KindCredentials:  credentials{d.Logins, d.Destination, d.Destination, own, s},
		compile.KindProbe:        probe{s, d.Journals, d.Now},
		compile.KindCopy:         copyRunner{pairs},
		compile.KindVerify:       verifyRunner{pairs},
		compile.KindDelta:        delta{pairs},
		compile.KindFreeze:       denial,
		compile.KindFreezeProbe:  freezeProbe{denial, pairs},
		compile.KindFinal:        final{pairs},

		compile.KindCleanUploads:           cleanUploads{pairs, own},
		compile.KindCleanKey:               cleanKey{d.Destination, d.Destination, d.Destination, own, d.Lease},
		compile.KindCleanBucketPolicy:      cleanStatement{compile.KindBucketPolicy, d.Source, own, policies},
		compile.KindCleanFreeze:            cleanFreeze{cleanStatement{compile.KindFreeze, d.Source, own, policies}, pairs.ends},
		compile.KindCleanGrant:             cleanGrant{d.Source, own},
		compile.KindCleanAttachment:        cleanAttachment{d.Destination, own},
		compile.KindCleanPolicy:            cleanPolicy{d.Destination, own},
		compile.KindCleanPrincipal:         cleanPrincipal{d.Destination, own},
		compile.KindCleanExtra:             cleanExtra{pairs},
		compile.KindCleanInstance:          cleanInstance{both},
		compile.KindCleanSourceObjects:     cleanObjects{pairs},
		compile.KindCleanSourceBucket:      cleanSourceBucket{d.Source, own, d.Confirmed},
		compile.KindCleanDestinationBucket: cleanDestinationBucket{d.Destination, own},
	}
	for kind, r := range all {
		if shared(kind) {
			r = guarded{r, d.Lease}
		}
		all[kind] = explained{r, who}
	}
	return all
}

// shared tells whether steps of the kind touch what other runs of the plan have as well. The keys and uploads that a run
// made are its own.
func shared(kind compile.Kind) bool {
	switch kind {
	case compile.KindIdentity, compile.KindInspect, compile.KindProbe, compile.KindCopy, compile.KindVerify, compile.KindCleanUploads, compile.KindCleanKey:
		return false
	default:
		return true
	}
}

// sides picks the account of a step.
type sides struct{ source, destination Account }

func (s sides) of(side plan.Side) Account {
	if side == plan.Source {
		return s.source
	}
	return s.destination
}

// owner is Ownership with the questions that runners ask.
type owner struct {
	Ownership
	now func() time.Time
}

// find returns what is owned of a kind and subject ("" for any).
func (o owner) find(kind compile.Kind, subject string) ([]compile.Owned, error) {
	all, err := o.Owned()
	if err != nil {
		return nil, err
	}
	var found []compile.Owned
	for _, x := range all {
		if x.Kind == kind && (subject == "" || x.Subject == subject) {
			found = append(found, x)
		}
	}
	return found, nil
}

// has tells whether something of that kind and subject is owned or intended.
func (o owner) has(kind compile.Kind, subject string) (bool, error) {
	found, err := o.find(kind, subject)
	return len(found) > 0, err
}

// make records the intent, runs the effect, and records the fact.
func (o owner) make(ctx context.Context, x compile.Owned, effect func(context.Context) error) error {
	before := x.Before
	return o.makeKnown(ctx, x, func(ctx context.Context) ([]string, error) { return before, effect(ctx) })
}

// makeKnown is make of what gets a unique ID: the effect tells what the fact is known by.
func (o owner) makeKnown(ctx context.Context, x compile.Owned, effect func(context.Context) ([]string, error)) error {
	x.Since, x.Intent = o.now().UTC(), true
	if err := o.Intend(x); err != nil {
		return err
	}
	known, err := effect(ctx)
	if err != nil {
		return err
	}
	x.Intent, x.Before = false, known
	return o.Own(x)
}

// unmake runs the effect and forgets what is gone.
func (o owner) unmake(x compile.Owned, effect func() error) error {
	if err := effect(); err != nil {
		return err
	}
	return o.Disown(x)
}

func done(message string) executor.Result {
	return executor.Result{Outcome: executor.Done, Message: message}
}

func held(message string) executor.Result {
	return executor.Result{Outcome: executor.Held, Message: message}
}

// waiting says the words that would do what waits.
func waiting(message string) executor.Result {
	return executor.Result{Outcome: executor.Waiting, Message: message, Pending: message}
}
