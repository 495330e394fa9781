package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"xplan/internal/awsapi"
	"xplan/internal/compile"
	"xplan/internal/sandbox"
	"xplan/plan"
)

// A world is the sandbox of one story.
type world struct {
	server *sandbox.Server
	second *sandbox.Server // another server, that the first one cannot see
	admins map[string]*awsapi.Account

	base struct { // counts are from here on
		mutations, requests int
		counts              map[string]int
	}

	mu      sync.Mutex
	faults  []func()
	gates   map[string]chan struct{} // closed to let the held requests go on
	reached chan struct{}            // closed when the first request is held
}

type worldKey struct{}

// newWorld starts a sandbox for a story and leads its programs there.
func newWorld(env *testscript.Env) error {
	w := &world{
		server: sandbox.New(sandbox.Config{}), second: sandbox.New(sandbox.Config{}),
		admins: map[string]*awsapi.Account{},
	}
	env.Values[worldKey{}] = w
	env.Values[jobsKey{}] = map[string]*job{}
	env.Values[keysKey{}] = map[string]ssh.Signer{}
	if err := errors.Join(w.server.Start(), w.second.Start()); err != nil {
		return err
	}
	env.Defer(func() {
		w.release(nil, nil)
		if err := errors.Join(w.server.Close(), w.second.Close()); err != nil {
			env.T().Fatal(err)
		}
	})
	config := filepath.Join(env.WorkDir, "aws-config")
	if err := errors.Join(w.server.WriteAWSConfig(config), copyExamples(filepath.Join(env.WorkDir, "examples"))); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE":             config,
		"AWS_SHARED_CREDENTIALS_FILE": config + ".none",
		"AWS_EC2_METADATA_DISABLED":   "true",
		"TMPDIR":                      env.WorkDir,
		"URL":                         w.server.URL(),
		"URL2":                        w.second.URL(),
	} {
		env.Setenv(name, value)
	}
	return nil
}

// profile appends a profile to the story's AWS configuration.
func (w *world) profile(ts *testscript.TestScript, name, url, id, secret string) {
	f, err := os.OpenFile(ts.Getenv("AWS_CONFIG_FILE"), os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = fmt.Fprintf(f, "\n[profile %s]\nregion = us-west-2\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, url, id, secret)
	ts.Check(errors.Join(err, f.Close()))
}

// admin is the SDK's way into an account, for what only IAM tells.
func (w *world) admin(ts *testscript.TestScript, id string) *awsapi.Account {
	if w.admins[id] == nil {
		key, secret := w.server.Admin(id)
		name := "look-" + id
		w.profile(ts, name, w.server.URL(), key, secret)
		config, old := ts.Getenv("AWS_CONFIG_FILE"), os.Getenv("AWS_CONFIG_FILE")
		lockEnv.Lock()
		defer lockEnv.Unlock()
		ts.Check(os.Setenv("AWS_CONFIG_FILE", config))
		a, err := awsapi.Open(context.Background(), plan.Account{Provider: plan.AWS, ID: id, Profile: name, EndpointURL: w.server.URL()}, awsapi.Options{})
		ts.Check(errors.Join(err, os.Setenv("AWS_CONFIG_FILE", old)))
		w.admins[id] = a
	}
	return w.admins[id]
}

// lockEnv guards this process's environment, which the SDK reads while it opens an account.
var lockEnv sync.Mutex

func signals(name string) os.Signal {
	return map[string]os.Signal{"INT": os.Interrupt, "HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "KILL": os.Kill}[name]
}

// arrange is the scripts' command "sandbox": see its table for the words.
func arrange(ts *testscript.TestScript, neg bool, args []string) {
	w := ts.Value(worldKey{}).(*world)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sandbox WORD ARG…")
	}
	words := map[string]func(*testscript.TestScript, []string){
		"bucket": w.bucket, "put": w.put, "fill": w.fill, "remove": w.remove, "policy": w.policy, "user": w.user,
		"role": w.role, "key": w.kmsKey, "instance": w.instance, "login": w.login, "minio": w.minio,
		"equal": w.equal, "objects": w.objects, "count": w.count, "mutations": w.mutations, "mark": w.mark,
		"fault": w.fault, "heal": w.heal, "hold": w.hold, "held": w.held, "release": w.release,
		"clean": w.clean, "keys": w.keys, "says": w.says, "only": w.only, "state": w.state, "propagation": w.propagation,
		"wipe": w.wipe, "lapse": w.lapse, "writes": w.writes, "history": w.history, "told": w.told, "expire": w.expire, "retag": w.retag, "versioning": w.versioning,
		"lock": w.lock, "redirect": w.redirect, "restores": w.restores, "pass": w.pass, "holds": w.holds,
	}
	word, ok := words[args[0]]
	if !ok {
		ts.Fatalf("sandbox: no word %q", args[0])
	}
	word(ts, args[1:])
}

func want(ts *testscript.TestScript, args []string, n int, usage string) {
	if len(args) < n {
		ts.Fatalf("usage: sandbox %s", usage)
	}
}

func accountID(ts *testscript.TestScript, letter string) string {
	id, ok := map[string]string{"A": sandbox.SourceAccount, "B": sandbox.DestinationAccount}[letter]
	if !ok {
		ts.Fatalf("no account %q: want A or B", letter)
	}
	return id
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// bucket A NAME [region=…] [versioning=…] [kms=ARN] [ownership=…]
func (w *world) bucket(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "bucket A|B NAME [OPTION=VALUE…]")
	var o sandbox.BucketOptions
	for _, arg := range args[2:] {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "region":
			o.Region = value
		case "versioning":
			o.Versioning = value
		case "ownership":
			o.Ownership = value
		case "kms":
			o.Encryption, o.KMSKey = "aws:kms", value
		default:
			if !bucketOption(ts, &o, name, value) {
				ts.Fatalf("sandbox bucket: no option %q", name)
			}
		}
	}
	ts.Check(w.server.AddBucket(accountID(ts, args[0]), args[1], o))
}

// put BUCKET KEY BODY [class=…] [kms=ARN] [size=BYTES, of no body] [owner=ACCOUNT]
func (w *world) put(ts *testscript.TestScript, args []string) {
	want(ts, args, 3, "put BUCKET KEY BODY [OPTION=VALUE…]")
	o := sandbox.PutOptions{Tags: map[string]string{"team": "red"}, Metadata: map[string]string{"by": "test"}, ContentType: "text/plain"}
	for _, arg := range args[3:] {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "class":
			o.StorageClass = value
		case "owner":
			o.Owner = value
		case "size":
			o.Size = int64(number(ts, value))
		case "kms":
			o.Encryption, o.KMSKey = "aws:kms", value
		default:
			if !lockOption(ts, &o, name, value) {
				ts.Fatalf("sandbox put: no option %q", name)
			}
		}
	}
	ts.Check(w.of(args[0]).PutObject(strings.TrimPrefix(args[0], "2:"), unquoted(ts, args[1]), []byte(args[2]), o))
}

// unquoted is a key that a script writes with escapes.
func unquoted(ts *testscript.TestScript, key string) string {
	text, err := strconv.Unquote(`"` + key + `"`)
	ts.Check(err)
	return text
}

// of is the server of a bucket: the second one's begin with "2:".
func (w *world) of(bucket string) *sandbox.Server {
	if strings.HasPrefix(bucket, "2:") {
		return w.second
	}
	return w.server
}

// fill BUCKET PREFIX N
func (w *world) fill(ts *testscript.TestScript, args []string) {
	want(ts, args, 3, "fill BUCKET PREFIX N")
	for i := range number(ts, args[2]) {
		key := fmt.Sprintf("%s%05d", args[1], i)
		ts.Check(w.of(args[0]).PutObject(strings.TrimPrefix(args[0], "2:"), key, fmt.Appendf(nil, "body of %d", i), sandbox.PutOptions{Tags: map[string]string{"n": strconv.Itoa(i)}}))
	}
}

func (w *world) remove(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "remove BUCKET KEY")
	w.server.RemoveObject(args[0], args[1])
}

func (w *world) policy(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "policy BUCKET FILE")
	ts.Check(w.server.SetBucketPolicy(args[0], ts.ReadFile(args[1])))
}

// user NAME of account B; role NAME of account B, which its administrator may assume.
func (w *world) user(ts *testscript.TestScript, args []string) {
	want(ts, args, 1, "user NAME")
	_, err := w.server.AddUser(sandbox.DestinationAccount, args[0])
	ts.Check(err)
}

func (w *world) role(ts *testscript.TestScript, args []string) {
	want(ts, args, 1, "role NAME")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + sandbox.DestinationAccount + `"},"Action":"sts:AssumeRole"}]}`
	_, err := w.server.AddRole(sandbox.DestinationAccount, args[0], trust)
	ts.Check(err)
}

// key A REGION VARIABLE makes a KMS key and keeps its ARN in the variable.
func (w *world) kmsKey(ts *testscript.TestScript, args []string) {
	want(ts, args, 3, "key A|B REGION VARIABLE")
	arn, err := w.server.AddKMSKey(accountID(ts, args[0]), args[1], "")
	ts.Check(err)
	ts.Setenv(args[2], arn)
}

func (w *world) instance(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "instance A|B ID [protected]")
	w.server.AddInstance(accountID(ts, args[0]), "us-west-2", args[1], len(args) > 2)
}

// login USER writes a profile of that name with a key of the user, and the policy of the file, if any.
func (w *world) login(ts *testscript.TestScript, args []string) {
	want(ts, args, 1, "login USER [POLICYFILE]")
	arn := "arn:aws:iam::" + sandbox.DestinationAccount + ":user/" + args[0]
	key, err := w.server.AddAccessKey(arn)
	ts.Check(err)
	if len(args) > 1 {
		ts.Check(w.server.PutInlinePolicy(arn, "own", ts.ReadFile(args[1])))
	}
	w.profile(ts, args[0], w.server.URL(), key.AccessKeyID, key.Secret)
}

// minio makes two servers without accounts, as plans see them: profiles "minio" and
// "minio-backup", and the buckets.
func (w *world) minio(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "minio SOURCE DESTINATION")
	id, secret := w.server.Admin(sandbox.SourceAccount)
	w.profile(ts, "minio", w.server.URL(), id, secret)
	id, secret = w.second.Admin(sandbox.DestinationAccount)
	w.profile(ts, "minio-backup", w.second.URL(), id, secret)
	ts.Check(w.server.AddBucket(sandbox.SourceAccount, args[0], sandbox.BucketOptions{}))
	ts.Check(w.second.AddBucket(sandbox.DestinationAccount, args[1], sandbox.BucketOptions{}))
}

// wipe USER BUCKET removes by hand what runs make for the user, the user included.
func (w *world) wipe(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "wipe USER BUCKET")
	ctx, b := context.Background(), w.admin(ts, sandbox.DestinationAccount)
	arn := "arn:aws:iam::" + sandbox.DestinationAccount + ":policy/s3_copy_by_pull_across_accounts"
	user := "arn:aws:iam::" + sandbox.DestinationAccount + ":user/" + args[0]
	for _, k := range w.principal(ts, "user/"+args[0]).Keys {
		ts.Check(b.DeleteAccessKey(ctx, args[0], k.ID))
	}
	ts.Check(errors.Join(
		b.Detach(ctx, compile.AttachmentSpec{PolicyARN: arn, Principal: user}), b.DeletePolicy(ctx, arn),
		b.DeletePrincipal(ctx, compile.PrincipalSpec{ARN: user, Name: args[0]}), w.server.SetBucketPolicy(args[1], ""),
	))
}

func (w *world) contents(ts *testscript.TestScript, name string) []sandbox.ObjectInfo {
	name, prefix, _ := strings.Cut(name, "/")
	var found []sandbox.ObjectInfo
	for _, o := range w.of(name).Objects(strings.TrimPrefix(name, "2:")) {
		if rest, ok := strings.CutPrefix(o.Key, prefix); ok {
			o.Key = rest
			o.LastModified, o.VersionID, o.Owner, o.KMSKey = time.Time{}, "", "", ""
			found = append(found, o)
		}
	}
	if found == nil {
		ts.Logf("%s holds nothing", name)
	}
	return found
}

// equal A/PREFIX B/PREFIX [but FIELD…] wants the same keys, bytes, headers, tags and metadata.
func (w *world) equal(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "equal BUCKET/PREFIX BUCKET/PREFIX [but FIELD…]")
	left, right := w.contents(ts, args[0]), w.contents(ts, args[1])
	if len(left) != len(right) || len(left) == 0 {
		ts.Fatalf("%s holds %d objects, %s %d", args[0], len(left), args[1], len(right))
	}
	for i := range left {
		for _, field := range args[2:] {
			if field != "but" {
				reflect.ValueOf(&left[i]).Elem().FieldByName(field).SetZero()
				reflect.ValueOf(&right[i]).Elem().FieldByName(field).SetZero()
			}
		}
		if !reflect.DeepEqual(left[i], right[i]) {
			ts.Fatalf("objects differ:\n%+v\n%+v", left[i], right[i])
		}
	}
}

func (w *world) objects(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "objects BUCKET N")
	if got := len(w.contents(ts, args[0])); got != number(ts, args[1]) {
		ts.Fatalf("%s holds %d objects, want %s", args[0], got, args[1])
	}
}

// mark begins to count anew.
func (w *world) mark(ts *testscript.TestScript, args []string) {
	w.base.mutations, w.base.requests = w.server.MutationCount(), len(w.server.Requests())
	w.base.counts = map[string]int{}
	for _, r := range w.server.Requests() {
		w.base.counts[r.Operation] = w.server.Count(r.Operation)
	}
}

// count OPERATION N: how often it was asked for since the mark.
func (w *world) count(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "count OPERATION N")
	if got := w.server.Count(args[0]) - w.base.counts[args[0]]; got != number(ts, args[1]) {
		ts.Fatalf("%d %s, want %s", got, args[0], args[1])
	}
}

func (w *world) mutations(ts *testscript.TestScript, args []string) {
	want(ts, args, 1, "mutations N")
	if got := w.server.MutationCount() - w.base.mutations; got != number(ts, args[0]) {
		ts.Fatalf("%d mutations, want %s; the last: %+v", got, args[0], w.server.Mutations())
	}
}

// only SERVICE… wants that nothing else was asked since the mark.
func (w *world) only(ts *testscript.TestScript, args []string) {
	for _, r := range w.server.Requests()[w.base.requests:] {
		if !strings.Contains(" "+strings.Join(args, " ")+" ", " "+r.Service+" ") {
			ts.Fatalf("%s:%s was asked, want only %v", r.Service, r.Operation, args)
		}
	}
}

// fault OPERATION KEYPART CODE [STATUS [TIMES]]
func (w *world) fault(ts *testscript.TestScript, args []string) {
	want(ts, args, 3, "fault OPERATION KEYPART CODE [STATUS [TIMES]]")
	f := sandbox.Fault{Operation: args[0], KeyContains: args[1], Do: sandbox.FaultError, Code: args[2], Status: 403, Message: "made by the test"}
	if len(args) > 3 {
		f.Status = number(ts, args[3])
	}
	if len(args) > 4 {
		f.Times = number(ts, args[4])
	}
	w.faults = append(w.faults, w.server.Inject(f))
}

func (w *world) heal(*testscript.TestScript, []string) {
	for _, remove := range w.faults {
		remove()
	}
	w.faults = nil
}

func (w *world) propagation(ts *testscript.TestScript, args []string) {
	want(ts, args, 1, "propagation DURATION")
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	w.server.SetPropagation(d)
}

func (w *world) principal(ts *testscript.TestScript, label string) compile.PrincipalFacts {
	who, err := w.admin(ts, sandbox.DestinationAccount).Principal(context.Background(), "arn:aws:iam::"+sandbox.DestinationAccount+":"+label)
	ts.Check(err)
	return who
}

// keys USER N wants that the user has so many access keys.
func (w *world) keys(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "keys USER N")
	if got := len(w.principal(ts, "user/"+args[0]).Keys); got != number(ts, args[1]) {
		ts.Fatalf("%s has %d access keys, want %s", args[0], got, args[1])
	}
}

// clean user/NAME BUCKET… wants that nothing of a run is left: no key or policy of the
// principal (who may be gone as well), no statement in the buckets' policies, no upload.
func (w *world) clean(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "clean user/NAME|role/NAME BUCKET…")
	if who := w.principal(ts, args[0]); len(who.Keys)+len(who.Attached) > 0 {
		ts.Fatalf("%s has %d keys and the policies %v", args[0], len(who.Keys), who.Attached)
	}
	arn := "arn:aws:iam::" + sandbox.DestinationAccount + ":policy/s3_copy_by_pull_across_accounts"
	p, err := w.admin(ts, sandbox.DestinationAccount).ManagedPolicy(context.Background(), arn)
	ts.Check(err)
	if p.Exists {
		ts.Fatalf("the policy %s stands", arn)
	}
	for _, bucket := range args[1:] {
		if text := w.server.BucketPolicy(bucket); strings.Contains(text, "DelegateS3Access") || strings.Contains(text, "XplanFreeze") {
			ts.Fatalf("bucket policy of %s: %s", bucket, text)
		}
		if n := w.server.Uploads(bucket); n > 0 {
			ts.Fatalf("%d uploads stand in %s", n, bucket)
		}
	}
}

// says BUCKET TEXT wants the text in the bucket's policy; TEXT "" wants that there is none.
func (w *world) says(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "says BUCKET TEXT")
	text := w.server.BucketPolicy(args[0])
	if args[1] == "" && text != "" || !strings.Contains(text, args[1]) {
		ts.Fatalf("bucket policy of %s is %q, want %q", args[0], text, args[1])
	}
}

// writes BUCKET yes|no wants that the administrator of account A may write to the bucket, or not.
func (w *world) writes(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "writes BUCKET yes|no")
	err := w.admin(ts, sandbox.SourceAccount).ProbeWrite(context.Background(), compile.Location{Bucket: args[0], Region: "us-west-2", Account: sandbox.SourceAccount}, "x")
	if err != nil && !errors.Is(err, compile.ErrDenied) || (err == nil) != (args[1] == "yes") {
		ts.Fatalf("a write to %s: %v, want it let through: %s", args[0], err, args[1])
	}
}

// state ID STATE wants an instance of account B in a state.
func (w *world) state(ts *testscript.TestScript, args []string) {
	want(ts, args, 2, "state ID STATE")
	if got := w.server.InstanceState(sandbox.DestinationAccount, args[0]); got != args[1] {
		ts.Fatalf("%s is %s, want %s", args[0], got, args[1])
	}
}
