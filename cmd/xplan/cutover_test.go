package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xplan/internal/awsapi"
	"xplan/internal/compile"
	"xplan/internal/s3copy"
	"xplan/internal/sandbox"
	"xplan/plan"
)

// A writer is an application that goes on writing to a bucket: new objects, other bytes, deletions. It knows what S3 has
// acknowledged.
type writer struct {
	prefix string
	to     s3copy.Destination
	delete s3copy.Deleter

	mu     sync.Mutex
	acked  map[string]string // what the bucket must hold of it
	denied int               // in all
}

// newWriters makes writers with their own user of account A.
func newWriters(t *testing.T, s *site, bucket string, n int) []*writer {
	t.Helper()
	arn, err := s.server.AddUser(sandbox.SourceAccount, "app")
	must(t, err)
	must(t, s.server.PutInlinePolicy(arn, "all", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`))
	key, err := s.server.AddAccessKey(arn)
	must(t, err)
	s.login(t, "app", key.AccessKeyID, key.Secret)
	lockEnv.Lock()
	defer lockEnv.Unlock()
	old := os.Getenv("AWS_CONFIG_FILE")
	must(t, os.Setenv("AWS_CONFIG_FILE", filepath.Join(s.dir, "aws-config"))) //nolint:usetesting // of a parallel test
	a, err := awsapi.Open(t.Context(), plan.Account{Provider: plan.AWS, ID: sandbox.SourceAccount, Profile: "app", EndpointURL: s.server.URL()}, awsapi.Options{})
	must(t, errors.Join(err, os.Setenv("AWS_CONFIG_FILE", old))) //nolint:usetesting // of a parallel test
	at := compile.Location{Bucket: bucket, Region: "us-west-2", Account: sandbox.SourceAccount}
	all := make([]*writer, n)
	for i := range all {
		all[i] = &writer{prefix: fmt.Sprintf("app%d/", i), to: a.OpenDestination(at, at), delete: a.OpenDeleter(at), acked: map[string]string{}}
	}
	return all
}

// write does the n-th thing: two of three write, to keys that come again and again, and one deletes.
func (w *writer) write(ctx context.Context, n int) error {
	key, body := fmt.Sprintf("%s%03d", w.prefix, n*7%40), fmt.Sprintf("%d", n)
	w.mu.Lock()
	defer w.mu.Unlock()
	if n%3 == 2 {
		errs, err := w.delete.DeleteObjects(ctx, []s3copy.Deletion{{Key: key}})
		if err = errors.Join(append(errs, err)...); err == nil {
			delete(w.acked, key)
		}
		return err
	}
	_, err := w.to.PutObject(ctx, s3copy.UploadRequest{Key: key}, []byte(body))
	if err == nil {
		w.acked[key] = body
	}
	return err
}

// work writes until ctx ends.
func (w *writer) work(ctx context.Context, t *testing.T) {
	t.Helper()
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := w.write(context.WithoutCancel(ctx), n)
		switch {
		case errors.Is(err, s3copy.ErrDenied):
			w.mu.Lock()
			w.denied++
			w.mu.Unlock()
		case err != nil:
			t.Errorf("write %d: %v", n, err)
			return
		}
	}
}

// busyWith runs writers until stop is called, which gives all that they were told is there, and how often they were denied.
func busyWith(t *testing.T, all []*writer) (stop func() (acked map[string]string, denied int)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var working sync.WaitGroup
	for _, w := range all {
		working.Go(func() { w.work(ctx, t) })
	}
	return func() (map[string]string, int) {
		cancel()
		working.Wait()
		acked, denied := map[string]string{}, 0
		for _, w := range all {
			maps.Copy(acked, w.acked)
			denied += w.denied
		}
		return acked, denied
	}
}

// holds are the keys of a bucket with their bytes' sums.
func holds(s *site, bucket string) map[string]string {
	all := map[string]string{}
	for _, o := range s.server.Objects(bucket) {
		all[o.Key] = o.MD5
	}
	return all
}

const busyPlan = `version: 1
name: busy
accounts:
  source:      {id: "123456789012", profile: account-a-admin, region: us-west-2}
  destination: {id: "210987654321", profile: account-b-admin, region: us-west-2}
principal: {arn: arn:aws:iam::210987654321:user/misterrodgers, credentials: access-key}
buckets: [{source: tommy, destination: tommy-b}]
copy: {delete_extra: true}
`

// newBusy is a site with a source of 60 objects, and the plan.
func newBusy(t *testing.T, text string) *site {
	t.Helper()
	s := newSite(t)
	for profile, account := range map[string]string{sandbox.SourceProfile: sandbox.SourceAccount, sandbox.DestinationProfile: sandbox.DestinationAccount} {
		id, secret := s.server.Admin(account)
		s.login(t, profile, id, secret)
	}
	_, err := s.server.AddUser(sandbox.DestinationAccount, "misterrodgers")
	must(t, err)
	must(t, s.server.AddBucket(sandbox.SourceAccount, "tommy", sandbox.BucketOptions{}))
	must(t, s.server.AddBucket(sandbox.DestinationAccount, "tommy-b", sandbox.BucketOptions{}))
	must(t, s.server.SetBucketPolicy("tommy", `{"Version":"2012-10-17","Statement":[{"Sid":"Others","Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::tommy"}]}`))
	for i := range 60 {
		must(t, s.server.PutObject("tommy", fmt.Sprintf("old/%03d", i), fmt.Appendf(nil, "old %d", i), sandbox.PutOptions{}))
	}
	s.write(t, "plan.yaml", text)
	return s
}

func TestACutOverOfABucketThatIsBeingWrittenToMissesNothing(t *testing.T) {
	t.Parallel()
	s := newBusy(t, busyPlan+"cutover: {passes: 4, until: 5, freeze: true}\ncleanup: {freeze: on-failure}\n")
	writers := newWriters(t, s, "tommy", 3)
	stop := busyWith(t, writers)
	code, said := ends(t, s.command(t, "apply", "plan.yaml", "--yes", "--confirm=tommy-b"))
	acked, denied := stop()
	if code != exitWaiting || !strings.Contains(said, "tommy is frozen still, and all of it is verified") {
		t.Fatalf("exit status %d\n%s", code, said)
	}
	source, destination := holds(s, "tommy"), holds(s, "tommy-b")
	if !maps.Equal(source, destination) {
		t.Errorf("frozen, the buckets are not equal:\n%v\n%v", source, destination)
	}
	if len(acked) == 0 || len(source) != 60+len(acked) || denied == 0 {
		t.Errorf("%d objects at the source, %d acknowledged beside 60, %d writes denied", len(source), len(acked), denied)
	}
	for key := range acked {
		if destination[key] == "" {
			t.Errorf("%s was acknowledged, and is not at the destination", key)
		}
	}
	t.Logf("%d objects acknowledged, %d writes denied\n%s", len(acked), denied, said)

	if code, said := ends(t, s.command(t, "cleanup", "plan.yaml", "--yes")); code != exitDone {
		t.Errorf("lift it: exit status %d\n%s", code, said)
	}
	for n, w := range writers {
		if err := w.write(t.Context(), 0); err != nil {
			t.Errorf("writer %d after the freeze: %v", n, err)
		}
	}
	if text := s.server.BucketPolicy("tommy"); strings.Contains(text, "XplanFreeze") || !strings.Contains(text, "Others") {
		t.Errorf("the policy in the end: %s", text)
	}
}

func TestACutOverIsLiftedAtItsEndAndWritingGoesOn(t *testing.T) {
	t.Parallel()
	s := newBusy(t, busyPlan+"cutover: {passes: 2, freeze: true}\nnotify: {webhook_env: HOOK}\n")
	states := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ State string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		states <- m.State
	}))
	defer hook.Close()
	writers := newWriters(t, s, "tommy", 2)
	stop := busyWith(t, writers)
	cmd := s.command(t, "apply", "plan.yaml", "--yes", "--confirm=tommy-b")
	cmd.Env = append(cmd.Env, "HOOK="+hook.URL)
	code, said := ends(t, cmd)
	_, denied := stop()
	close(states)
	told := slices.Sorted(func(yield func(string) bool) {
		for state := range states {
			if !yield(state) {
				return
			}
		}
	})
	if want := []string{"done", "frozen", "lifted"}; !slices.Equal(told, want) {
		t.Errorf("the webhook was told %v, want %v", told, want)
	}
	if code != exitDone || denied == 0 {
		t.Fatalf("exit status %d, %d writes denied\n%s", code, denied, said)
	}
	if err := writers[0].write(t.Context(), 0); err != nil {
		t.Errorf("after the cut-over: %v", err)
	}
	if text := s.server.BucketPolicy("tommy"); strings.Contains(text, "XplanFreeze") {
		t.Errorf("the policy in the end: %s", text)
	}
}

func TestACutOverWithoutAFreezeSaysWhatMayBeMissing(t *testing.T) {
	t.Parallel()
	s := newBusy(t, busyPlan+"cutover: {passes: 2}\n")
	stop := busyWith(t, newWriters(t, s, "tommy", 2))
	cmd := s.command(t, "apply", "plan.yaml", "--yes", "--confirm=tommy-b", "-q")
	out, err := cmd.Output()
	_, denied := stop()
	if code := cmd.ProcessState.ExitCode(); code != exitDone && code != exitFailed { // an object may change while it is copied
		t.Fatalf("exit status %d, %v\n%s", code, err, out)
	}
	if denied > 0 || !strings.Contains(string(out), "tommy was not frozen: what was written to it since ") {
		t.Errorf("%d writes denied\n%s", denied, out)
	}
}
