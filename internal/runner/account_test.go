package runner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

const (
	accountA  = "123456789012"
	accountB  = "210987654321"
	userARN   = "arn:aws:iam::210987654321:user/misterrodgers"
	roleARN   = "arn:aws:iam::210987654321:role/copiers/puller"
	policyARN = "arn:aws:iam::210987654321:policy/pull"
)

// calls is what was asked for, in order: what changes an account, and what is recorded.
type calls struct {
	mu  sync.Mutex
	log []string
}

func (c *calls) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.log
	c.log = nil
	return log
}

// account is an AWS account in memory, with switchable faults. It serves every port of an administrator.
type account struct {
	id    string
	calls *calls
	// before and after spoil a call that changes something: without its effect, or past it.
	before, after map[string]error
	// unread spoils calls that read.
	unread map[string]error
	// lag is how many more reads show a thing as it was before it was changed.
	lag map[string]int

	mu         sync.Mutex
	buckets    map[string]*memory
	facts      map[string]compile.Bucket
	unseen     []compile.Unseen
	policyText map[string]string
	put        func(document string) error // S3's own opinion of a bucket policy
	written    func()                      // called after one was put
	shut       func(policy string) error   // whether a write is let through
	principals map[string]compile.PrincipalFacts
	policies   map[string]compile.ManagedPolicy
	keys       map[string][]compile.AccessKey
	grants     map[string][]compile.Grant
	instances  map[string]compile.InstanceFacts
}

var _ Account = (*account)(nil)

func newAccount(id string, c *calls) *account {
	return &account{
		id: id, calls: c, before: map[string]error{}, after: map[string]error{}, unread: map[string]error{}, lag: map[string]int{},
		buckets: map[string]*memory{}, facts: map[string]compile.Bucket{}, policyText: map[string]string{},
		principals: map[string]compile.PrincipalFacts{}, policies: map[string]compile.ManagedPolicy{},
		keys: map[string][]compile.AccessKey{}, grants: map[string][]compile.Grant{}, instances: map[string]compile.InstanceFacts{},
	}
}

// do carries out a call that changes something.
func (a *account) do(op, what string, effect func()) error {
	a.calls.add("%s %s", op, what)
	if err := a.before[op]; err != nil {
		return err
	}
	a.mu.Lock()
	effect()
	a.mu.Unlock()
	return a.after[op]
}

// stale tells whether a read shows nothing of the last change yet.
func (a *account) stale(op string) bool {
	if a.lag[op] > 0 {
		a.lag[op]--
		return true
	}
	return false
}

func (a *account) Identity(context.Context) (compile.Identity, error) {
	return compile.Identity{Account: a.id, ARN: "arn:aws:iam::" + a.id + ":user/admin"}, a.unread["Identity"]
}

func (a *account) Bucket(_ context.Context, name string) (compile.Bucket, []compile.Unseen, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stale("Bucket") {
		return compile.Bucket{}, nil, a.unread["Bucket"]
	}
	return a.facts[name], a.unseen, a.unread["Bucket"]
}

// ProbeWrite is denied while a.shut says so of the bucket.
func (a *account) ProbeWrite(_ context.Context, at compile.Location, _ string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut == nil {
		return a.unread["ProbeWrite"]
	}
	return a.shut(a.policyText[at.Bucket])
}

func (a *account) CreateBucket(_ context.Context, b compile.BucketSpec) error {
	return a.do("CreateBucket", b.Name, func() {
		a.facts[b.Name] = compile.Bucket{
			Exists: true, Region: b.Region, Tags: b.Tags,
			PublicAccess: &compile.PublicAccess{BlockACLs: true, IgnoreACLs: true, BlockPolicy: true, RestrictBuckets: true},
		}
	})
}

func (a *account) DeleteBucket(_ context.Context, b compile.BucketSpec) error {
	return a.do("DeleteBucket", b.Name, func() { delete(a.facts, b.Name) })
}

func (a *account) BucketPolicy(_ context.Context, bucket, _ string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.policyText[bucket], a.unread["BucketPolicy"]
}

func (a *account) PutBucketPolicy(_ context.Context, bucket, _, document string) error {
	if a.put != nil {
		if err := a.put(document); err != nil {
			a.calls.add("PutBucketPolicy %s refused", bucket)
			return err
		}
	}
	return a.do("PutBucketPolicy", bucket, func() {
		a.policyText[bucket] = document
		if a.written != nil {
			a.written()
		}
	})
}

func (a *account) DeleteBucketPolicy(_ context.Context, bucket, _ string) error {
	return a.do("DeleteBucketPolicy", bucket, func() { delete(a.policyText, bucket) })
}

func (a *account) Principal(_ context.Context, arn string) (compile.PrincipalFacts, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stale("Principal") {
		return compile.PrincipalFacts{}, a.unread["Principal"]
	}
	return a.principals[arn], a.unread["Principal"]
}

func (a *account) CreatePrincipal(_ context.Context, p compile.PrincipalSpec) (compile.PrincipalFacts, error) {
	made := compile.PrincipalFacts{Exists: true, ARN: p.ARN, UserID: "AIDA1", Tags: p.Tags}
	return made, a.do("CreatePrincipal", p.ARN, func() { a.principals[p.ARN] = made })
}

func (a *account) DeletePrincipal(_ context.Context, p compile.PrincipalSpec) error {
	return a.do("DeletePrincipal", p.ARN, func() { delete(a.principals, p.ARN) })
}

func (a *account) ManagedPolicy(_ context.Context, arn string) (compile.ManagedPolicy, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stale("ManagedPolicy") {
		return compile.ManagedPolicy{ARN: arn}, a.unread["ManagedPolicy"]
	}
	return a.policies[arn], a.unread["ManagedPolicy"]
}

func (a *account) CreatePolicy(_ context.Context, p compile.PolicySpec) error {
	return a.do("CreatePolicy", p.Name, func() {
		a.policies[p.ARN] = compile.ManagedPolicy{
			Exists: true, ARN: p.ARN, Name: p.Name, ID: "ANPA1", Default: "v1", Versions: 1, Document: p.Document, Tags: maps.Clone(p.Tags),
		}
	})
}

func (a *account) UpdatePolicy(_ context.Context, p compile.PolicySpec) error {
	return a.do("UpdatePolicy", p.Name, func() {
		m := a.policies[p.ARN]
		m.Document, m.Default, m.Versions = p.Document, m.Default+"+", min(m.Versions+1, 5)
		a.policies[p.ARN] = m
	})
}

func (a *account) DeletePolicy(_ context.Context, arn string) error {
	return a.do("DeletePolicy", arn, func() { delete(a.policies, arn) })
}

func (a *account) PolicyTags(ctx context.Context, arn string) (compile.ManagedPolicy, error) {
	return a.ManagedPolicy(ctx, arn)
}

func (a *account) TagPolicy(_ context.Context, arn string, tags map[string]string) error {
	return a.do("TagPolicy", fmt.Sprint(tags), func() {
		m := a.policies[arn]
		m.Tags = maps.Clone(m.Tags)
		if m.Tags == nil {
			m.Tags = map[string]string{}
		}
		maps.Copy(m.Tags, tags)
		a.policies[arn] = m
	})
}

func (a *account) UntagPolicy(_ context.Context, arn string, keys []string) error {
	return a.do("UntagPolicy", fmt.Sprint(keys), func() {
		for _, k := range keys {
			delete(a.policies[arn].Tags, k)
		}
	})
}

func (a *account) Attach(_ context.Context, s compile.AttachmentSpec) error {
	return a.do("Attach", s.PolicyARN, func() {
		p := a.principals[s.Principal]
		p.Attached = append(slices.Clone(p.Attached), s.PolicyARN)
		a.principals[s.Principal] = p
	})
}

func (a *account) Detach(_ context.Context, s compile.AttachmentSpec) error {
	return a.do("Detach", s.PolicyARN, func() {
		p := a.principals[s.Principal]
		p.Attached = slices.DeleteFunc(slices.Clone(p.Attached), func(arn string) bool { return arn == s.PolicyARN })
		a.principals[s.Principal] = p
	})
}

func (a *account) Attached(_ context.Context, principal string) ([]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stale("Attached") {
		return nil, a.unread["Attached"]
	}
	return a.principals[principal].Attached, a.unread["Attached"]
}

func (a *account) AccessKeys(_ context.Context, user string) ([]compile.AccessKey, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.keys[user]), a.unread["AccessKeys"]
}

func (a *account) DeleteAccessKey(_ context.Context, user, id string) error {
	return a.do("DeleteAccessKey", id, func() {
		a.keys[user] = slices.DeleteFunc(a.keys[user], func(k compile.AccessKey) bool { return k.ID == id })
	})
}

func (a *account) CreateGrant(_ context.Context, g compile.GrantSpec) (string, error) {
	id := fmt.Sprintf("grant-%d", len(a.grants[g.KeyARN])+1)
	return id, a.do("CreateGrant", g.Name, func() {
		a.grants[g.KeyARN] = append(a.grants[g.KeyARN], compile.Grant{ID: id, Name: g.Name, Grantee: g.Principal, Operations: g.Operations})
	})
}

func (a *account) Grants(_ context.Context, key, _ string) ([]compile.Grant, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.grants[key]), a.unread["Grants"]
}

func (a *account) RevokeGrant(_ context.Context, key, _, id string) error {
	return a.do("RevokeGrant", id, func() {
		a.grants[key] = slices.DeleteFunc(a.grants[key], func(g compile.Grant) bool { return g.ID == id })
	})
}

func (a *account) Instance(_ context.Context, id, _ string) (compile.InstanceFacts, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stale("Instance") {
		return compile.InstanceFacts{Exists: true, State: "running"}, a.unread["Instance"]
	}
	return a.instances[id], a.unread["Instance"]
}

func (a *account) TerminateInstance(_ context.Context, id, _ string) error {
	return a.do("TerminateInstance", id, func() { a.instances[id] = compile.InstanceFacts{Exists: true, State: "shutting-down"} })
}

// open gives the bucket's objects; a bucket that is not there is empty.
func (a *account) open(b compile.Location) *memory {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.buckets[b.Bucket] == nil {
		a.buckets[b.Bucket] = newMemory()
	}
	return a.buckets[b.Bucket]
}

func (a *account) OpenSource(b compile.Location) s3copy.Source { return a.open(b) }

func (a *account) OpenDestination(b, _ compile.Location) s3copy.Destination { return a.open(b) }

func (a *account) OpenDeleter(b compile.Location) s3copy.Deleter { return a.open(b) }

func (a *account) OpenRestorer(b compile.Location) s3copy.Restorer { return a.open(b) }

// login is the principal, signed in.
type login struct {
	*account // whose buckets it opens as a destination
	source   *account
	who      compile.Identity
	whoErr   func() error
	probe    func(compile.Leg) error
	secret   string
}

func (l *login) Identity(context.Context) (compile.Identity, error) {
	if l.whoErr != nil {
		if err := l.whoErr(); err != nil {
			return compile.Identity{}, err
		}
	}
	return l.who, nil
}

func (l *login) OpenSource(b compile.Location) s3copy.Source { return l.source.OpenSource(b) }

func (l *login) Probe(_ context.Context, leg compile.Leg, _ compile.ProbeSpec) error {
	return l.probe(leg)
}

// logins mint keys in an account.
type logins struct {
	*account
	login *login
	at    func() time.Time
	fail  error // of AssumeRole and Profile
}

func (l *logins) MintKey(_ context.Context, user string) (string, Login, error) {
	id := fmt.Sprintf("AKIAMINTED%d", len(l.calls.log))
	err := l.do("MintKey", user, func() {
		l.keys[user] = append(l.keys[user], compile.AccessKey{ID: id, Active: true, Created: l.at()})
	})
	if err != nil {
		return "", nil, err
	}
	return id, l.login, nil
}

func (l *logins) AssumeRole(context.Context, string) (Login, error) { return l.login, l.fail }

func (l *logins) Profile(context.Context, string) (Login, error) { return l.login, l.fail }

func (l *logins) Own() Login { return l.login }

// ledger is an Ownership that tells the order of what it records, and may fail to.
type ledger struct {
	Ownership
	calls *calls
	fail  map[string]error // by intend, own, disown
}

func (l *ledger) Intend(o compile.Owned) error { return l.note("intend", o, l.Ownership.Intend) }

func (l *ledger) Own(o compile.Owned) error { return l.note("own", o, l.Ownership.Own) }

func (l *ledger) Disown(o compile.Owned) error { return l.note("disown", o, l.Ownership.Disown) }

func (l *ledger) note(word string, o compile.Owned, record func(compile.Owned) error) error {
	l.calls.add("%s %s", word, o.Kind)
	if err := l.fail[word]; err != nil {
		return err
	}
	return record(o)
}
