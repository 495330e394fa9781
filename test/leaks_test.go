package test

import (
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A gossip stands between the program and the server, and now and then answers by itself, with what it has seen.
type gossip struct {
	url  string
	tell func(asked *http.Request, answer *http.Response) *told // nil passes the answer on

	mu      sync.Mutex
	secrets []string // that went by
}

// told is another answer than the server's.
type told struct {
	status   int
	kind     string
	body     string
	location string
}

// overhear starts a gossip.
func overhear(t *testing.T, target string, tell func(*http.Request, *http.Response) *told) *gossip {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	g := &gossip{tell: tell}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	pass := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = p.In.Host // which is signed
		},
		Transport:      transport,
		ModifyResponse: g.retell,
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		pass.ServeHTTP(rw, q.WithContext(context.WithValue(q.Context(), asked{}, actionOf(q)))) // whose body is gone later
	}))
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	g.url = server.URL
	return g
}

// asked is the key of a request's action.
type asked struct{}

func (g *gossip) retell(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	g.mu.Lock()
	for _, name := range []string{"SecretAccessKey", "SessionToken"} {
		_, rest, _ := strings.Cut(string(body), "<"+name+">")
		if secret, _, ok := strings.Cut(rest, "</"); ok {
			g.secrets = append(g.secrets, secret)
		}
	}
	if token := r.Request.Header.Get("X-Amz-Security-Token"); token != "" {
		g.secrets = append(g.secrets, token)
	}
	if _, signature, ok := strings.Cut(r.Request.Header.Get("Authorization"), "Signature="); ok {
		g.secrets = append(g.secrets, signature)
	}
	g.mu.Unlock()
	other := g.tell(r.Request, r)
	if other == nil {
		return nil
	}
	r.StatusCode, r.Status = other.status, fmt.Sprint(other.status)
	r.Header = http.Header{"Content-Type": {other.kind}}
	if other.location != "" {
		r.Header.Set("Location", other.location)
	}
	r.ContentLength = int64(len(other.body))
	r.Body = io.NopCloser(strings.NewReader(other.body))
	return nil
}

// quoted is all of a request, and the answer that the server gave, in words.
func quoted(asked *http.Request, answer *http.Response) string {
	head, err := httputil.DumpRequest(asked, false)
	if err != nil {
		return ""
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	answer.Body = io.NopCloser(strings.NewReader(string(body)))
	return string(head) + asked.URL.String() + "\n" + string(body)
}

// pages are the ways in which servers and what stands before them quote what they got.
var pages = map[string]func(text string) *told{
	"an HTML page": func(text string) *told {
		return &told{status: 502, kind: "text/html", body: "<html><title>Bad gateway</title><pre>" + html.EscapeString(text) + "</pre></html>"}
	},
	"an HTML page that says 200": func(text string) *told {
		return &told{status: 200, kind: "text/html", body: "<html><pre>" + html.EscapeString(text) + "</pre></html>"}
	},
	"an error of S3": func(text string) *told {
		return &told{status: 403, kind: "application/xml", body: "<Error><Code>AccessDenied</Code><Message>" + html.EscapeString(text) + "</Message></Error>"}
	},
	"an error of IAM": func(text string) *told {
		return &told{
			status: 400, kind: "text/xml",
			body: "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>" + html.EscapeString(text) + "</Message></Error></ErrorResponse>",
		}
	},
	"one with the secret first": func(text string) *told {
		_, rest, _ := strings.Cut(text, "<SecretAccessKey>")
		_, token, _ := strings.Cut(text, "X-Amz-Security-Token:")
		return &told{status: 403, kind: "application/xml", body: "<Error><Code>SignatureDoesNotMatch</Code><Message>" +
			html.EscapeString("no <SecretAccessKey>"+rest+" x-amz-security-token:"+token) + "</Message></Error>"}
	},
	"one without a name, as it is and encoded": func(text string) *told {
		_, secret, _ := strings.Cut(text, "<SecretAccessKey>")
		secret, _, _ = strings.Cut(secret, "</")
		_, token, _ := strings.Cut(text, "X-Amz-Security-Token: ")
		token, _, _ = strings.Cut(token, "\r")
		secret += token
		said := ""
		for _, form := range []string{secret, url.QueryEscape(secret), strings.ReplaceAll(secret, "/", `\/`), base64.StdEncoding.EncodeToString([]byte("user:" + secret))} {
			said += form[:min(len(form), 60)] + " "
		}
		said = "<Error><Code>InvalidArgument</Code><Message>" + html.EscapeString(said) + "</Message></Error>"
		if token == "" { // IAM and STS wrap it once more
			said = "<ErrorResponse>" + said + "</ErrorResponse>"
		}
		return &told{status: 400, kind: "text/xml", body: said}
	},
	"an error cut off": func(text string) *told {
		return &told{status: 400, kind: "text/xml", body: "<ErrorResponse><Error><Code>Broken</Code><Message>" + html.EscapeString(text)}
	},
}

// moments of the program's life in which somebody gossips: operations, by what they ask.
var overheard = []string{"CreateAccessKey", "AssumeRole", "GetCallerIdentity", "list-type=2", "CopyObject"}

// gossipFor is how long: what fails is asked for again for a while.
const gossipFor = 20 * time.Second

// TestWhatServersQuoteIsNotRepeated: whatever answers, and whatever it quotes of requests, signatures, tokens and of a key that
// was just made, no output has it, and no file.
func TestWhatServersQuoteIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, page := range slices.Sorted(maps.Keys(pages)) {
		for _, moment := range overheard {
			t.Run(page+" at "+moment, func(t *testing.T) {
				t.Parallel()
				r := newRecipe(t, startSandbox(t), 3)
				r.limit = 3 * time.Minute
				if moment != "CreateAccessKey" {
					r.replace(":user/USER\n  credentials: access-key", ":role/USER\n  credentials: assume-role\n  create: true")
				}
				var first atomic.Int64 // when it was told
				g := overhear(t, r.url, func(q *http.Request, answer *http.Response) *told {
					about := fmt.Sprint(q.Context().Value(asked{}), q.URL.RawQuery)
					secret := q.Header.Get("X-Amz-Security-Token") != "" || moment == "CreateAccessKey" || moment == "AssumeRole"
					if !secret || !strings.Contains(about, moment) {
						return nil
					}
					first.CompareAndSwap(0, time.Now().UnixNano())
					if time.Since(time.Unix(0, first.Load())) > gossipFor {
						return nil
					}
					return pages[page](quoted(q, answer))
				})
				r.environment = append(r.environment, "AWS_CONFIG_FILE="+r.configFile(t, g.url))
				got := r.run(t, "apply", r.plan, "--yes", "-v")
				again := r.run(t, "apply", r.plan, "--yes", "--json", "-v")
				g.saysNothing(t, r, got, again)
				if first.Load() == 0 {
					t.Errorf("nobody gossiped: %s", got)
				}
			})
		}
	}
}

// saysNothing searches the outputs and the folder for what went by, and for the profiles' own secrets.
func (g *gossip) saysNothing(t *testing.T, r *recipe, results ...result) {
	t.Helper()
	g.mu.Lock()
	secrets := slices.Compact(slices.Sorted(slices.Values(g.secrets)))
	g.mu.Unlock()
	if len(secrets) == 0 {
		t.Error("no secret went by")
	}
	for _, p := range r.profiles {
		secrets = append(secrets, p.secret)
	}
	for _, got := range results {
		holdsNone(t, "what was said", got.String(), secrets)
	}
	r.folderHoldsNone(t, "at the end", secrets)
	if t.Failed() {
		t.Log(results)
	}
}

const canary = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXCANARY01"

// TestWhatThisMachineQuotesIsNotRepeated: files, programs and variables that hold a secret and are wrong otherwise.
func TestWhatThisMachineQuotesIsNotRepeated(t *testing.T) {
	t.Parallel()
	token := "IQoJb3JpZ2luX2VjEJr" + strings.Repeat("Canary0123456789/+", 12)
	for name, c := range map[string]struct {
		config    string // replaces the section of the source's profile
		variables []string
		args      []string
		notify    bool
	}{
		"a credential process whose JSON is broken": {config: printing(fmt.Sprintf(`{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey" : "%s", "SessionToken" : "%s",}`, canary, token), 0)},
		"one of one line":                        {config: printing(fmt.Sprintf(`{"Version":1,"SecretAccessKey":"%s","SessionToken":"%s"`, canary, token), 0)},
		"one that prints and fails":              {config: printing("password "+canary+" token "+token, 3)},
		"a profile's line without a sign":        {config: "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key " + canary + "\n"},
		"a profile's section that does not end":  {config: "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n[aws_secret_access_key = " + canary + "\n"},
		"a profile's number that is none":        {config: "aws_secret_access_key = " + canary + "\nmax_attempts = " + canary + "\n"},
		"a profile's duration that is none":      {config: "role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = account-b-admin\nduration_seconds = " + canary + "\n"},
		"keys of nobody in the environment":      {variables: []string{"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=" + canary, "AWS_SESSION_TOKEN=" + token}},
		"a webhook that nobody answers":          {notify: true, variables: []string{"XPLAN_WEBHOOK=http://user:" + canary + "@127.0.0.1:1/hooks/" + canary + "?token=" + canary}},
		"a webhook that is no URL":               {notify: true, variables: []string{"XPLAN_WEBHOOK=ht!tp://" + canary}},
		"a webhook with a bad escape":            {notify: true, variables: []string{"XPLAN_WEBHOOK=https://hooks.invalid/%zz" + canary}},
		"a proxy with a password":                {notify: true, variables: []string{"HTTPS_PROXY=http://user:" + canary + "@127.0.0.1:1", "XPLAN_WEBHOOK=https://hooks.invalid/" + canary}},
		"an endpoint with a password":            {variables: []string{"AWS_ENDPOINT_URL_STS=http://user:" + canary + "@127.0.0.1:1"}},
		"a plan's address with a password":       {args: []string{"apply", "https://user:" + canary + "@127.0.0.1:1/plan.yaml?X-Amz-Signature=" + canary, "--yes"}},
		"a saved plan's address with a password": {args: []string{"show", "https://user:" + canary + "@127.0.0.1:1/saved.plan"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecipe(t, startSandbox(t), 2)
			r.limit = 3 * time.Minute
			if c.config != "" {
				r.environment = append(r.environment, "AWS_CONFIG_FILE="+r.misconfigured(t, c.config))
			}
			if c.notify {
				r.replace("copy:\n", "notify: {webhook_env: XPLAN_WEBHOOK}\ncopy:\n")
			}
			r.environment = append(r.environment, c.variables...)
			args := c.args
			if args == nil {
				args = []string{"apply", r.plan, "--yes", "-v"}
			}
			got := r.run(t, args...)
			if got.code == 0 && !c.notify && c.variables == nil {
				t.Errorf("it ended well: %s", got)
			}
			secrets := []string{canary, token}
			for _, said := range []result{got, r.run(t, append(slices.Clone(args), "--json")...), r.run(t, "status"), r.run(t, "logs")} {
				holdsNone(t, "what was said", said.String(), secrets)
			}
			if c.config == "" && c.args == nil {
				r.folderHoldsNone(t, "at the end", secrets)
			}
			if t.Failed() {
				t.Log(got)
			}
		})
	}
}

// printing is a profile whose credentials a program prints.
func printing(output string, code int) string {
	return fmt.Sprintf("credential_process = sh -c 'cat \"$HOME/output\"; exit %d'\n#OUTPUT %s\n", code, output)
}

// misconfigured writes an AWS config file in which the source's profile has other lines.
func (r *recipe) misconfigured(t *testing.T, section string) string {
	t.Helper()
	lines, output, _ := strings.Cut(section, "#OUTPUT ")
	if err := os.WriteFile(filepath.Join(r.dir, "output"), []byte(output), 0o600); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(r.configFile(t, r.witness.url))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(good), "[profile "+destinationProfile+"]")
	text := fmt.Sprintf("[profile %s]\nregion = %s\nendpoint_url = %s\n%s[profile %s]%s", sourceProfile, r.region, r.witness.url, lines, destinationProfile, rest)
	path := filepath.Join(t.TempDir(), "aws-config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestATokenIsNotTakenToAnotherHost: an answer that sends the program elsewhere gets no session token there.
func TestATokenIsNotTakenToAnotherHost(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var arrived []string
			elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				head, err := httputil.DumpRequest(q, true)
				if err == nil {
					arrived = append(arrived, string(head))
				}
			}))
			defer elsewhere.Close()
			r := newRecipe(t, startSandbox(t), 2)
			r.limit = 3 * time.Minute
			r.replace(":user/USER\n  credentials: access-key", ":role/USER\n  credentials: assume-role\n  create: true")
			g := overhear(t, r.url, func(asked *http.Request, _ *http.Response) *told {
				if asked.Header.Get("X-Amz-Security-Token") == "" {
					return nil
				}
				return &told{status: status, location: strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1) + asked.URL.RequestURI()}
			})
			r.environment = append(r.environment, "AWS_CONFIG_FILE="+r.configFile(t, g.url))
			got := r.run(t, "apply", r.plan, "--yes", "-v")
			mu.Lock()
			defer mu.Unlock()
			if len(arrived) > 0 {
				t.Errorf("%d requests went elsewhere, the first is\n%s", len(arrived), arrived[0])
			}
			g.saysNothing(t, r, got)
		})
	}
}

// TestACrashLeavesNoCore: not even where the system and the Go runtime are told to leave one, for it would be the memory itself.
func TestACrashLeavesNoCore(t *testing.T) {
	t.Parallel()
	r := newRecipe(t, startSandbox(t), 3)
	reached, release := r.holdAtFirstCopy()
	release = sync.OnceFunc(release)
	defer release()
	cmd, wait := r.command(t, "apply", r.plan, "--yes")
	cmd.Args = []string{"sh", "-c", "ulimit -c unlimited; exec \"$0\" \"$@\"", cmd.Path, "apply", r.plan, "--yes"}
	cmd.Path = "/bin/sh"
	cmd.Env = append(cmd.Env, "GOTRACEBACK=crash")
	signalAt(t, reached, cmd, syscall.SIGABRT)
	release()
	got := wait()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGABRT || status.CoreDump() {
		t.Errorf("it ended by %v, core: %t: %s", status.Signal(), status.CoreDump(), got.errors[:min(len(got.errors), 300)])
	}
}

// signalAt starts a command, and sends it the signal once it is reached.
func signalAt(t *testing.T, reached <-chan struct{}, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-reached:
	case <-time.After(time.Minute):
		t.Error("no copy was asked for")
	}
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// TestACrashDumpHoldsNoSecret: all goroutines' traces, in the middle of a copy, have addresses and no text.
func TestACrashDumpHoldsNoSecret(t *testing.T) {
	t.Parallel()
	r := newRecipe(t, startSandbox(t), 30)
	r.replace(":user/USER\n  credentials: access-key", ":role/USER\n  credentials: assume-role\n  create: true")
	r.environment = append(r.environment, "GOTRACEBACK=all", "AWS_SESSION_NAME="+canary, "XPLAN_WEBHOOK=https://hooks.invalid/"+canary)
	reached, release := r.holdAtFirstCopy()
	release = sync.OnceFunc(release)
	defer release()
	cmd, wait := r.command(t, "apply", r.plan, "--yes", "-v")
	signalAt(t, reached, cmd, syscall.SIGQUIT)
	release()
	got := wait()
	if got.code != 2 || strings.Count(got.errors, "goroutine ") < 10 {
		t.Errorf("it is no dump: exit status %d, %d goroutines", got.code, strings.Count(got.errors, "goroutine "))
	}
	secrets := append(r.secretsOf(t, 2), canary)
	holdsNone(t, "the dump", got.String(), secrets)
	r.folderHoldsNone(t, "dumped", secrets)
}
