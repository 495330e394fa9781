package compile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"xplan/plan"
)

// account is a side that answers from a world and remembers what it was asked.
type account struct {
	side plan.Side
	w    *World
	fail map[string]error // by question

	mu    sync.Mutex
	asked []string
}

func (a *account) ask(ctx context.Context, question string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, question)
	if err := ctx.Err(); err != nil {
		return err
	}
	return a.fail[question]
}

func (a *account) Identity(ctx context.Context) (Identity, error) {
	return a.w.Identities[a.side], a.ask(ctx, "identity")
}

func (a *account) Bucket(ctx context.Context, name string) (Bucket, []Unseen, error) {
	unseen := []Unseen{{What: "tags of " + name, Why: "denied"}}
	return a.w.Buckets[BucketRef{a.side, name}], unseen, a.ask(ctx, "bucket "+name)
}

func (a *account) Principal(ctx context.Context, arn string) (PrincipalFacts, error) {
	return a.w.Principal, a.ask(ctx, "principal "+arn)
}

func (a *account) PrincipalPolicies(ctx context.Context, f PrincipalFacts) (PrincipalPolicies, []Unseen, error) {
	return PrincipalPolicies{Documents: a.w.Principal.Policies.Documents}, nil, a.ask(ctx, "policies of "+f.ARN+" beside "+strings.Join(f.Attached, ", "))
}

func (a *account) ManagedPolicy(ctx context.Context, arn string) (ManagedPolicy, error) {
	for _, m := range a.w.Policies {
		if m.ARN == arn {
			return m, a.ask(ctx, "policy "+policyName(arn))
		}
	}
	return ManagedPolicy{}, a.ask(ctx, "policy "+policyName(arn))
}

func (a *account) KMSKey(ctx context.Context, id, region string) (KMSKey, []Unseen, error) {
	return a.w.Keys[id], nil, a.ask(ctx, "key "+id+" in "+region)
}

func (a *account) Instance(ctx context.Context, id, region string) (InstanceFacts, error) {
	return a.w.Instances[id], a.ask(ctx, "instance "+id+" in "+region)
}

// counter scans from a world.
type counter struct {
	w    *World
	fail error

	mu    sync.Mutex
	asked []ScanRequest
}

func (c *counter) Scan(_ context.Context, r ScanRequest) (CopyFacts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, r)
	return c.w.Copies[r.Pair.ID()], c.fail
}

func fakes(w World) (Readers, *account, *account, *counter) {
	a := &account{side: plan.Source, w: &w, fail: map[string]error{}}
	b := &account{side: plan.Destination, w: &w, fail: map[string]error{}}
	c := &counter{w: &w}
	return Readers{Source: a, Destination: b, Scanner: c}, a, b, c
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheWrongAccountEndsObservingThere(t *testing.T) {
	w := fresh()
	w.Identities[plan.Destination] = Identity{Account: "999999999999", ARN: "arn:aws:iam::999999999999:user/x"}
	r, a, b, c := fakes(w)
	_, err := Observe(t.Context(), tommy(), r, ObserveOptions{Counting: CountAll})
	var wrong *WrongAccountError
	if !errors.As(err, &wrong) || wrong.Side != plan.Destination || wrong.Want != "210987654321" || wrong.Got != "999999999999" {
		t.Errorf("got %v, want the destination's account refused", err)
	}
	if got := fmt.Sprint(a.asked, b.asked, len(c.asked)); got != "[identity] [identity] 0" {
		t.Errorf("asked %s, want the identities and nothing else", got)
	}
}

func TestObserveReadsWhatCompileNeeds(t *testing.T) {
	want := fresh()
	want.Buckets[BucketRef{plan.Source, "tommy"}] = encryptedWith(secure("eu-west-1"), "1111")
	want.Keys = map[string]KMSKey{"1111": {ARN: strings.ReplaceAll(sourceKey, "us-west-2", "eu-west-1"), State: "Enabled"}}
	want.Instances = map[string]InstanceFacts{"i-1": {Exists: true, State: "running"}}
	p := tommy()
	p.Cleanup.Instances = []plan.Instance{{ID: "i-1", Account: plan.Destination}}
	r, a, b, c := fakes(want)
	w, err := Observe(t.Context(), p, r, ObserveOptions{Counting: CountFirst})
	if err != nil {
		t.Fatal(err)
	}
	if k := w.Keys["1111"]; k.State != "Enabled" {
		t.Errorf("the source's key is %v", k)
	}
	if got := strings.Join(a.asked, ", "); got != "identity, bucket tommy, key 1111 in eu-west-1" {
		t.Errorf("the source was asked %s", got)
	}
	for _, question := range []string{"bucket tommy-b", "principal arn:aws:iam::210987654321:user/misterrodgers", "instance i-1 in us-west-2", "policy s3_copy_by_pull_across_accounts", "policy s3_copy_by_pull_across_accounts-1"} {
		if !strings.Contains(strings.Join(b.asked, ", "), question) {
			t.Errorf("the destination was not asked %q, but %v", question, b.asked)
		}
	}
	if len(c.asked) != 1 || !c.asked[0].StopAtFirst || c.asked[0].DestinationExists || c.asked[0].SourceRegion != "eu-west-1" {
		t.Errorf("scans were %+v", c.asked)
	}
	if len(w.Unseen) != 2 {
		t.Errorf("unseen is %v, want what both buckets did not show", w.Unseen)
	}
	if _, err := Compile(p, w); err != nil {
		t.Errorf("compile what was observed: %v", err)
	}
}

func TestWithoutCountingNothingIsScanned(t *testing.T) {
	r, _, _, c := fakes(fresh())
	w, err := Observe(t.Context(), tommy(), r, ObserveOptions{Counting: CountNone})
	if err != nil || len(c.asked) > 0 {
		t.Errorf("error %v, scans %v", err, c.asked)
	}
	if prog := compiled(t, tommy(), w); !prog.Assumed {
		t.Error("the program does not say that it assumes work")
	}
}

func TestAMissingSourceIsNotScanned(t *testing.T) {
	w := fresh()
	source(w, func(b *Bucket) { b.Exists = false })
	r, _, _, c := fakes(w)
	if _, err := Observe(t.Context(), tommy(), r, ObserveOptions{Counting: CountAll}); err != nil || len(c.asked) > 0 {
		t.Errorf("error %v, scans %v", err, c.asked)
	}
}

func TestWhatIsDeniedIsUnseenAndWhatFailsIsAnError(t *testing.T) {
	r, a, b, c := fakes(fresh())
	denied := fmt.Errorf("iam:GetUser: %w", ErrDenied)
	b.fail["principal arn:aws:iam::210987654321:user/misterrodgers"] = denied
	c.fail = fmt.Errorf("list: %w", ErrDenied)
	w, err := Observe(t.Context(), tommy(), r, ObserveOptions{Counting: CountAll})
	if err != nil {
		t.Fatalf("denied reads end it: %v", err)
	}
	var about []string
	for _, u := range w.Unseen {
		about = append(about, u.About)
	}
	if got := strings.Join(about, " "); !strings.Contains(got, "principal") || !strings.Contains(got, "scan:"+onlyPair) {
		t.Errorf("unseen is about %q", got)
	}
	a.fail["bucket tommy"], b.fail["bucket tommy-b"] = errors.New("torn"), errors.New("slow")
	_, err = Observe(t.Context(), tommy(), r, ObserveOptions{Counting: CountAll})
	if err == nil || !strings.Contains(err.Error(), "read source bucket tommy: torn") || !strings.Contains(err.Error(), "read destination bucket tommy-b: slow") {
		t.Errorf("got %v, want both reads named", err)
	}
}

func TestCancellingEndsObserving(t *testing.T) {
	r, a, _, c := fakes(fresh())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Observe(ctx, tommy(), r, ObserveOptions{Counting: CountAll}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it cancelled", err)
	}
	if len(a.asked)+len(c.asked) > 0 {
		t.Errorf("asked %v and scanned %v after the cancellation", a.asked, c.asked)
	}
}

func TestServersWithoutAccountsAreAskedForBucketsOnly(t *testing.T) {
	p := tommy()
	for _, a := range []*plan.Account{&p.Accounts.Source, &p.Accounts.Destination} {
		*a = plan.Account{Provider: plan.S3Compatible, EndpointURL: "http://127.0.0.1:9000"}
	}
	p.Principal, p.Permissions = nil, plan.Permissions{}
	r, a, b, _ := fakes(fresh())
	if _, err := Observe(t.Context(), p, r, ObserveOptions{Counting: CountNone}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(a.asked, b.asked); got != "[bucket tommy] [bucket tommy-b]" {
		t.Errorf("asked %s", got)
	}
}

func TestEarlierPartsOfASplitPolicyAreFound(t *testing.T) {
	w := fresh()
	for n := 2; n <= 4; n++ {
		arn := fmt.Sprintf("%s-%d", tommysPolicy, n)
		w.Policies = append(w.Policies, ManagedPolicy{Exists: true, ARN: arn, Tags: map[string]string{PlanTag: "tommy-to-b"}})
	}
	r, _, _, _ := fakes(w)
	got, err := Observe(t.Context(), tommy(), r, ObserveOptions{Counting: CountNone})
	if err != nil {
		t.Fatal(err)
	}
	prog := compiled(t, tommy(), got)
	for n := 2; n <= 4; n++ {
		if _, ok := prog.Step(plan.StepID(fmt.Sprintf("cleanup.policy/s3_copy_by_pull_across_accounts-%d", n))); !ok {
			t.Errorf("part %d is not cleaned up", n)
		}
	}
}
