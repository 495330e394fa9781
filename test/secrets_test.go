package test

import (
	"crypto/md5" //nolint:gosec // S3 wants it of a customer's key
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// loud are variables by which other programs, the Go runtime and the SDKs are told to say all that they can.
var loud = []string{
	"GODEBUG=http2debug=2,netdns=2", "GOTRACEBACK=all", "AWS_SDK_LOG_LEVEL=debug", "AWS_SDK_GO_LOG_LEVEL=trace", "AWS_SDK_LOAD_CONFIG=1", "AWS_DEBUG=1",
	"AWS_CLIENT_LOG_MODE=request_with_body,response_with_body,signing,retries", "AWS_SDK_UA_APP_ID=loud", "DEBUG=*", "LOG_LEVEL=trace", "XPLAN_LOG=trace", "XPLAN_DEBUG=1",
}

// A place is something that could hold a secret, and all that it said.
type places map[string]*strings.Builder

func (p places) at(name, text string) {
	if p[name] == nil {
		p[name] = &strings.Builder{}
	}
	p[name].WriteString(text)
}

// files puts every file of a folder into a place, by its name.
func (p places) files(t *testing.T, root string, place func(path string) string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		p.at(place(path), string(data))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A hook is somebody's chat service: it takes messages over TLS and HTTP/2, at an address that is a secret.
type hook struct {
	mu    sync.Mutex
	posts strings.Builder
	proto string
}

// ServeHTTP takes a message.
func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.proto = r.Proto
	h.posts.Write(body)
}

// overTLS serves a handler by TLS, with HTTP/2 for who wants it, and gives the address and a file with its certificate.
func overTLS(t *testing.T, h http.Handler) (address, certificate string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(server.URL, "https://"), path
}

// A vault hands out the source's administrator, as a container's agent does, over HTTP/2.
type vault struct{ id, secret string }

// ServeHTTP gives the key.
func (v vault) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Expiration":%q}`, v.id, v.secret, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// A safe is a recipe with a secret of every kind.
type safe struct {
	*recipe
	outside string // a folder of which the program knows nothing
	hook    *hook
	others  map[string][]string // secrets that no server handed out, by kind
	places  places
}

const (
	hookPassword  = "hunter2CanaryOfTheWebhooksPassword"
	hookPath      = "T0CanaryB0OfTheWebhooksPath/x9Kq2LmZ"
	agentPassword = "CanaryOfTheContainersAgent7fP0aQ"
	pathPassword  = "CanaryOfTheEndpointsPassword3tYw"
)

// newSafe makes the recipe. Its source's administrator comes out of a credential process, or of a container's agent.
func newSafe(t *testing.T, agent bool) *safe {
	t.Helper()
	s := &safe{recipe: newRecipe(t, startSandbox(t), 12), outside: t.TempDir(), hook: &hook{}, others: map[string][]string{}, places: places{}}
	s.witness.trace = &strings.Builder{}
	customer := strings.Repeat("CanaryCustomers!", 2)
	sum := md5.Sum([]byte(customer)) //nolint:gosec // as above
	s.source.put(t, s.bucket, "sealed.bin", "sealed", func(in *s3.PutObjectInput) {
		in.SSECustomerAlgorithm = aws.String("AES256")
		in.SSECustomerKey = aws.String(base64.StdEncoding.EncodeToString([]byte(customer)))
		in.SSECustomerKeyMD5 = aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	})
	mux := http.NewServeMux()
	mux.Handle("/hooks/", s.hook)
	mux.Handle("/agent", vault{s.profiles[0].id, s.profiles[0].secret})
	address, certificate := overTLS(t, mux)
	s.replace("copy:\n", "notify: {webhook_env: XPLAN_WEBHOOK}\ncopy:\n")
	temporary := filepath.Join(s.dir, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	s.environment = append(append(s.environment, loud...), "SSL_CERT_FILE="+certificate, "TMPDIR="+temporary, "SSLKEYLOGFILE="+filepath.Join(s.dir, "tls-keys"),
		"XPLAN_WEBHOOK=https://user:"+hookPassword+"@"+address+"/hooks/"+hookPath)
	s.others["webhook's password and path"] = []string{hookPassword, hookPath}
	s.others["customer's key (SSE-C)"] = []string{customer, base64.StdEncoding.EncodeToString(sum[:])}
	config := strings.ReplaceAll(s.processConfig(t), "region = ", "sdk_ua_app_id = loud\nregion = ")
	if agent {
		s.replace("profile: account-a-admin, ", "")
		s.environment = append(s.environment, "AWS_ENDPOINT_URL="+s.witness.url, "AWS_CONTAINER_CREDENTIALS_FULL_URI=https://"+address+"/agent",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN="+agentPassword)
		s.others["container agent's password"] = []string{agentPassword}
	}
	path := filepath.Join(s.outside, "aws-config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.environment = append(s.environment, "AWS_CONFIG_FILE="+path)
	for _, p := range s.profiles {
		s.others["profiles' own secret keys"] = append(s.others["profiles' own secret keys"], p.secret)
	}
	return s
}

// processConfig is the AWS config file with a credential process for the source, which notes its own arguments and environment.
func (s *safe) processConfig(t *testing.T) string {
	t.Helper()
	good, err := os.ReadFile(s.configFile(t, strings.Replace(s.witness.url, "http://", "http://user:"+pathPassword+"@", 1)))
	if err != nil {
		t.Fatal(err)
	}
	s.others["endpoint's password"] = []string{pathPassword}
	key := s.profiles[0]
	script := filepath.Join(s.outside, "process.sh")
	text := fmt.Sprintf("{ echo \"$0 $*\"; env; } >>%s/child\necho '{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"%s\",\"Expiration\":\"'$(date -u -d '+2 seconds' +%%Y-%%m-%%dT%%H:%%M:%%SZ)'\"}'\n",
		s.outside, key.id, key.secret)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	keys := fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\n", key.id, key.secret)
	return strings.Replace(string(good), keys, "credential_process = sh "+script+"\n", 1)
}

// says runs the program, which must not fail by more than the object that nobody can read, and keeps what it says.
func (s *safe) says(t *testing.T, args ...string) {
	t.Helper()
	got := s.run(t, args...)
	if got.code != 0 && got.code != 3 {
		t.Errorf("xplan %s: %s", strings.Join(args, " "), got)
	}
	s.said(got, args...)
}

func (s *safe) said(got result, args ...string) {
	place := "stdout"
	switch {
	case args[0] == "state":
		place = "state " + args[1]
	case args[0] == "logs", args[0] == "report", args[0] == "show":
		place = args[0]
	case slices.Contains(args, "--json"):
		place = "--json lines"
	case slices.Contains(args, "--format"):
		place = "review, Markdown and JSON"
	}
	s.places.at(place, got.out)
	s.places.at("stderr", got.errors)
}

// searched gathers the files that the program leaves behind.
func (s *safe) searched(t *testing.T) {
	t.Helper()
	s.places.at("temporary files", "")
	s.places.files(t, s.dir, func(path string) string {
		switch base := filepath.Base(path); {
		case strings.Contains(path, "/tmp/") && strings.HasPrefix(path, filepath.Join(s.dir, "tmp")):
			return "temporary files"
		case base == "state.db":
			return "the state file's bytes"
		case base == "saved.plan":
			return "saved plan"
		case strings.HasSuffix(base, ".html"):
			return "report, HTML"
		case strings.Contains(path, ".xplan"):
			return "status, log and lock files"
		default:
			return "other files"
		}
	})
}

// TestNoSecretStandsInAnyPlace: every kind of secret is searched for in every place that the program writes to or hands on, while
// variables tell the runtime and the SDK to log whatever they can. It is killed, looked at from outside, and goes on.
func TestNoSecretStandsInAnyPlace(t *testing.T) {
	t.Parallel()
	for name, agent := range map[string]bool{"a user's key, a credential process": false, "a role's session, a container's agent": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSafe(t, agent)
			if agent {
				s.replace(":user/USER\n  credentials: access-key", ":role/USER\n  credentials: assume-role\n  create: true")
			}
			s.tellsAll(t)
			s.judge(t)
		})
	}
}

func (s *safe) tellsAll(t *testing.T) {
	t.Helper()
	for _, args := range [][]string{
		{"validate", s.plan},
		{"doctor", s.plan, "-v"},
		{"plan", s.plan, "-v"},
		{"plan", s.plan, "--format", "markdown"},
		{"plan", s.plan, "--format", "json"},
		{"plan", s.plan, "--json", "-v"},
		{"graph", s.plan},
		{"plan", s.plan, "-o", "saved.plan"},
		{"show", "saved.plan", "-v"},
		{"show", "saved.plan", "--format", "json"},
	} {
		s.says(t, args...)
	}
	s.said(s.killed(t, moment{action: "CopyObject", path: "orders", reaches: true}, "-v"), "apply")
	s.searched(t)
	for _, args := range [][]string{{"state", "check"}, {"state", "export"}, {"status", "-v"}, {"status", "--json"}, {"runs"}, {"logs", "-v"}} {
		s.says(t, args...)
	}
	s.lookedAt(t, "apply", s.plan, "--yes", "-v", "--json")
	s.searched(t)
	for _, args := range [][]string{
		{"verify", s.plan, "-v"}, {"status"}, {"runs", "--json"}, {"logs", "-v"}, {"logs", "--json"}, {"report"}, {"report", "-o", "run.html"}, {"state", "export"}, {"cleanup", s.plan, "--yes", "-v"},
	} {
		s.says(t, args...)
	}
	s.searched(t)
	s.modes(t)
}

// lookedAt runs the program, and looks at it from outside while it has its key and copies.
func (s *safe) lookedAt(t *testing.T, args ...string) {
	t.Helper()
	reached, release := s.holdAtFirstCopy()
	release = sync.OnceFunc(release)
	defer release()
	cmd, wait := s.command(t, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-reached:
	case <-time.After(time.Minute):
		t.Error("no copy was asked for")
	}
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", cmd.Process.Pid, file))
		if err == nil { // elsewhere, and for others, there is nothing to see
			s.places.at("its arguments and environment", withoutOwn(string(text)))
		}
	}
	release()
	got := wait()
	if got.code != 3 {
		t.Errorf("exit status %d, and one object cannot be read: %s", got.code, got)
	}
	s.said(got, args...)
}

// withoutOwn takes out the variables by which a secret was given to the program: those that it starts have them from it, as from any shell.
func withoutOwn(environment string) string {
	var kept []string
	for _, v := range strings.FieldsFunc(environment, func(r rune) bool { return r == 0 || r == '\n' }) {
		if !strings.HasPrefix(v, "XPLAN_WEBHOOK=") && !strings.HasPrefix(v, "AWS_CONTAINER_AUTHORIZATION_TOKEN=") {
			kept = append(kept, v)
		}
	}
	return strings.Join(kept, "\n")
}

// modes holds the state's folder and files, and the saved plan, to their user alone.
func (s *safe) modes(t *testing.T) {
	t.Helper()
	files := 0
	for _, root := range []string{filepath.Join(s.dir, ".xplan"), filepath.Join(s.dir, "saved.plan"), filepath.Join(s.dir, "run.html")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has the mode %o", path, info.Mode().Perm())
			}
			files++
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if files < 5 {
		t.Errorf("%d files were looked at", files)
	}
}

// judge searches all places for all secrets, and says how much that was.
func (s *safe) judge(t *testing.T) {
	t.Helper()
	s.witness.settle(t)
	s.witness.mu.Lock()
	kinds := maps.Clone(s.others)
	kinds["keys and session tokens that were handed out"], kinds["signatures of requests"] = s.witness.secrets, s.witness.signed
	trace := s.witness.trace.String()
	s.witness.mu.Unlock()
	s.hook.mu.Lock()
	s.places.at("notifications", s.hook.posts.String())
	if !strings.HasPrefix(s.hook.proto, "HTTP/") {
		t.Error("nothing was posted")
	}
	s.hook.mu.Unlock()
	if child, err := os.ReadFile(filepath.Join(s.outside, "child")); err == nil {
		s.places.at("arguments and environment of a credential process", withoutOwn(string(child)))
	}
	s.places.at("what requests say beside their proof", trace)
	all := sieve{}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if len(kinds[kind]) == 0 {
			t.Errorf("there is no secret of the kind %s", kind)
		}
		all.with(kind, kinds[kind]...)
		t.Logf("%5d %s", len(kinds[kind]), kind)
	}
	for _, place := range slices.Sorted(maps.Keys(s.places)) {
		text := s.places[place].String()
		found := all.finds(text)
		t.Logf("%9d bytes, found %d: %s", len(text), len(found), place)
		for _, kind := range found {
			t.Errorf("%s holds %s", place, kind)
		}
	}
}
