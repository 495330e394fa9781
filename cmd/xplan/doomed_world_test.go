package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xplan/internal/sandbox"
	"xplan/state"
)

// doomedPlan needs every kind of step: a principal to be made, policy, attachment, grant, statements, a
// key, probes, copies, a deletion of what is too much and of a whole source, an instance.
const doomedPlan = `version: 1
name: doomed
accounts:
  source:      {id: "123456789012", profile: account-a-admin, region: us-west-2}
  destination: {id: "210987654321", profile: account-b-admin, region: us-west-2}
principal:
  arn: arn:aws:iam::210987654321:user/copier
  credentials: access-key
  create: true
buckets:
  - source: tommy
    destination: tommy-b
    create: true
    cleanup: {source_objects: after-verify, source_bucket: after-verify}
  - source: logs
    destination: logs-b
    copy: {delete_extra: true}
copy: {in_flight: 3}
cleanup:
  instances: [{id: i-0123456789abcdef0, account: destination}]
`

const doomedInstance = "i-0123456789abcdef0"

// writesVariable makes the program of the stories count its writes to state, a byte each in a file, and
// die by its own hand after one of them: FILE:N, where 0 is none; or find the disk full from that one on: FILE:N:full.
const writesVariable = "XPLAN_TEST_WRITES"

// failing are the options for that.
func failing(setting string) []state.Option {
	file, number, ok := strings.Cut(setting, ":")
	if !ok {
		return nil
	}
	number, full := strings.CutSuffix(number, ":full")
	last, err := strconv.Atoi(number)
	if err != nil {
		panic(err)
	}
	written := 0 // states are written one after the other
	return []state.Option{
		state.BeforeWrite(func() error {
			if full && written >= last-1 {
				return &os.PathError{Op: "write", Path: "state.db", Err: syscall.ENOSPC}
			}
			return nil
		}),
		state.OnWrite(func() {
			written++
			if err := os.WriteFile(file, []byte(strconv.Itoa(written)), 0o600); err != nil {
				panic(err)
			}
			if written == last && !full {
				if self, err := os.FindProcess(os.Getpid()); err == nil {
					_ = self.Kill()
				}
				select {} // until it comes
			}
		}),
	}
}

// A doomed world is a sandbox behind a door that knows how many are inside, with the plan in a folder.
type doomed struct {
	*site
	url      string
	busy     sync.WaitGroup
	pristine []sandbox.ObjectInfo // the source's that is to be deleted
	wrong    chan string          // what must never be asked for
}

func newDoomed(t *testing.T, plan string) *doomed {
	t.Helper()
	d := &doomed{site: &site{server: sandbox.New(sandbox.Config{}), dir: t.TempDir()}, wrong: make(chan string, 100)}
	front := httptest.NewServer(d)
	t.Cleanup(func() {
		front.Close()
		d.server = nil // testing keeps what a cleanup holds until all of a thousand worlds have ended
	})
	d.url = front.URL
	d.arrange(t)
	d.pristine = d.server.Objects("tommy")
	for profile, account := range map[string]string{sandbox.SourceProfile: sandbox.SourceAccount, sandbox.DestinationProfile: sandbox.DestinationAccount} {
		id, secret := d.server.Admin(account)
		d.loginAt(t, d.url, profile, id, secret)
	}
	d.write(t, "plan.yaml", plan)
	return d
}

func (d *doomed) arrange(t *testing.T) {
	t.Helper()
	s := d.server
	key, err := s.AddKMSKey(sandbox.SourceAccount, "us-west-2", "")
	must(t, err)
	must(t, s.AddBucket(sandbox.SourceAccount, "tommy", sandbox.BucketOptions{Encryption: "aws:kms", KMSKey: key}))
	must(t, s.AddBucket(sandbox.SourceAccount, "logs", sandbox.BucketOptions{}))
	must(t, s.AddBucket(sandbox.DestinationAccount, "logs-b", sandbox.BucketOptions{}))
	tags := func(i int) map[string]string { return map[string]string{"n": fmt.Sprint(i)} }
	for i := range 5 {
		o := sandbox.PutOptions{Tags: tags(i), Encryption: "aws:kms", KMSKey: key}
		must(t, s.PutObject("tommy", fmt.Sprintf("orders/%05d", i), fmt.Appendf(nil, "order %d", i), o))
		must(t, s.PutObject("logs", fmt.Sprintf("day/%05d", i), fmt.Appendf(nil, "line %d", i), sandbox.PutOptions{Tags: tags(i)}))
	}
	must(t, s.PutObject("tommy", "parts", bytes.Repeat([]byte("part"), 3<<20), sandbox.PutOptions{PartSize: 5 << 20, Tags: tags(9)}))
	must(t, s.PutObject("logs-b", "day/00001", []byte("another line"), sandbox.PutOptions{}))
	must(t, s.PutObject("logs-b", "extra/1", []byte("extra"), sandbox.PutOptions{}))
	must(t, s.PutObject("logs-b", "extra/2", []byte("extra"), sandbox.PutOptions{}))
	must(t, s.SetBucketPolicy("logs", `{"Version":"2012-10-17","Statement":[{"Sid":"Others","Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::logs"}]}`))
	s.AddInstance(sandbox.DestinationAccount, "us-west-2", doomedInstance, false)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ServeHTTP lets requests in, looks at deletions in the source first, and lets none of a dead program be broken off.
func (d *doomed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.busy.Add(1)
	defer d.busy.Done()
	deletes := r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/tommy/") || r.Method == http.MethodPost && r.URL.Query().Has("delete")
	if deletes && strings.HasPrefix(r.URL.Path, "/tommy") && !strings.HasPrefix(r.URL.Path, "/tommy-b") {
		if missing := lacking(d.pristine, d.server.Objects("tommy-b")); len(missing) > 0 {
			d.wrong <- fmt.Sprintf("source objects were about to be deleted, and the destination lacks %v", missing)
		}
	}
	d.server.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
}

// lacking are the keys whose objects are not there with the same bytes and tags.
func lacking(want, have []sandbox.ObjectInfo) []string {
	there := map[string]sandbox.ObjectInfo{}
	for _, o := range have {
		there[o.Key] = o
	}
	var missing []string
	for _, o := range want {
		if h := there[o.Key]; h.MD5 != o.MD5 || !maps.Equal(h.Tags, o.Tags) {
			missing = append(missing, o.Key)
		}
	}
	return missing
}

// ending is what the world looks like: what stands, and all objects but their times.
func (d *doomed) ending() string {
	lines := d.server.Inventory()
	for _, account := range []string{sandbox.SourceAccount, sandbox.DestinationAccount} {
		for _, bucket := range d.server.Buckets(account) {
			for _, o := range d.server.Objects(bucket) {
				o.LastModified, o.VersionID, o.KMSKey = time.Time{}, "", ""
				lines = append(lines, fmt.Sprintf("%s: %+v", bucket, o))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// arrived are the objects of the destinations that are as they should be, "bucket/key".
func (d *doomed) arrived() map[string]bool {
	all := map[string]bool{}
	for source, destination := range map[string]string{"tommy": "tommy-b", "logs": "logs-b"} {
		from := d.server.Objects(source)
		if source == "tommy" {
			from = d.pristine
		}
		missing := lacking(from, d.server.Objects(destination))
		for _, o := range from {
			if !slices.Contains(missing, o.Key) {
				all[destination+"/"+o.Key] = true
			}
		}
	}
	return all
}

// apply is the command that applies the plan, deletions confirmed.
func (d *doomed) apply(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	cmd := d.command(t, "apply", "plan.yaml", "--yes", "--confirm=tommy", "--confirm=logs-b")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// A watched command tells when it has started and when it is gone.
type watched struct {
	*exec.Cmd
	started, gone chan struct{}
}

func watching(cmd *exec.Cmd) watched {
	return watched{cmd, make(chan struct{}), make(chan struct{})}
}

// kill returns when the process is dead.
func (w watched) kill() {
	<-w.started
	_ = w.Process.Kill()
	<-w.gone
}

// ends runs the command to its end and gives its exit status, -1 where it was killed, and what it said.
func (w watched) ends(t *testing.T) (int, string) {
	t.Helper()
	var out bytes.Buffer
	w.Stdout, w.Stderr = &out, &out
	err := w.Start()
	close(w.started)
	if err == nil {
		err = w.Wait()
	}
	close(w.gone)
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return w.ProcessState.ExitCode(), out.String()
}

func ends(t *testing.T, cmd *exec.Cmd) (int, string) {
	t.Helper()
	return watching(cmd).ends(t)
}

// undisturbed applies the plan in a world of its own, and gives its end and how many writes and mutating requests it took.
func undisturbed(t *testing.T, plan string) (end string, writes, requests int) {
	t.Helper()
	d := newDoomed(t, plan)
	count := filepath.Join(d.dir, "writes")
	if code, said := ends(t, d.apply(t, writesVariable+"="+count+":0")); code != exitDone {
		t.Fatalf("undisturbed: exit status %d\n%s", code, said)
	}
	written, err := os.ReadFile(count)
	must(t, err)
	writes, err = strconv.Atoi(string(written))
	must(t, err)
	return d.ending(), writes, d.server.MutationCount()
}
