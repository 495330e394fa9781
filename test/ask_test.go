package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// errRefused says that the server answered AccessDenied, and nothing else.
var errRefused = errors.New("AccessDenied")

// An asker tries the principal's access, with a key that is not the program's: list and read at the source, copy to
// the destination. It gives errRefused, nil, or what else went wrong.
type asker struct {
	name string
	ask  func(r *recipe) map[string]error
}

// askers are the bare SDK, and the aws CLI where it is required.
func askers(t *testing.T) []asker {
	t.Helper()
	list := []asker{{"sdk", askBySDK}}
	if isRequired(awsCLIName) {
		path := executable(t, awsCLIName)
		list = append(list, asker{awsCLIName, func(r *recipe) map[string]error { return askByCLI(r, path) }})
	}
	return list
}

func askBySDK(r *recipe) map[string]error {
	t := r.t
	r.config = r.configFile(t, r.url)
	c := r.clients(t, ownProfile, region).s3
	_, list := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &r.bucket, EncodingType: "url"})
	_, read := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &r.bucket, Key: aws.String(dressed)})
	_, write := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &r.copy, Key: aws.String("folder/"), CopySource: aws.String(r.bucket + "/folder/")})
	answers := map[string]error{"list": list, "read": read, "copy": write}
	for what, err := range answers {
		var api smithy.APIError
		if errors.As(err, &api) && (api.ErrorCode() == "AccessDenied" || api.ErrorCode() == "Forbidden") {
			answers[what] = errRefused
		}
	}
	return answers
}

func askByCLI(r *recipe, path string) map[string]error {
	t := r.t
	answers := map[string]error{}
	for what, args := range map[string][]string{
		"list": {"list-objects-v2", "--bucket", r.bucket, "--max-items", "1"},
		"read": {"get-object", "--bucket", r.bucket, "--key", dressed, filepath.Join(t.TempDir(), "got")},
		"copy": {"copy-object", "--bucket", r.copy, "--key", "folder/", "--copy-source", r.bucket + "/folder/"},
	} {
		cmd := exec.CommandContext(t.Context(), path, append([]string{"--endpoint-url", r.url, "--profile", ownProfile, "s3api"}, args...)...)
		cmd.Env = append(r.environment, "AWS_CONFIG_FILE="+r.configFile(t, r.url), "HOME="+os.Getenv("HOME"))
		out, err := cmd.CombinedOutput()
		switch {
		case err != nil && strings.Contains(string(out), "(AccessDenied)"):
			answers[what] = errRefused
		case err != nil:
			answers[what] = fmt.Errorf("%w: %s", err, out)
		default:
			answers[what] = nil
		}
	}
	return answers
}

// want compares answers with what each must be.
func wantAnswers(t *testing.T, when string, got map[string]error, want error) {
	t.Helper()
	for what, err := range got {
		if !errors.Is(err, want) {
			t.Errorf("%s, %s: %v, want %v", when, what, err, want)
		}
	}
}

// holdAtFirstCopy holds the program's first copy up until it is released.
func (r *recipe) holdAtFirstCopy() (reached <-chan struct{}, release func()) {
	at, free := make(chan struct{}), make(chan struct{})
	var first sync.Once
	r.witness.hook(func(_ int, s request) bool {
		if s.action == "CopyObject" {
			first.Do(func() { close(at) })
			<-free
		}
		return true
	})
	return at, func() {
		r.witness.hook(nil)
		close(free)
	}
}

func TestRecipeLetsThePrincipalInOnlyWhileItRuns(t *testing.T) {
	t.Parallel()
	const propagation = 300 * time.Millisecond
	for _, a := range askers(t) {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			w := startSandbox(t)
			r := newRecipe(t, w, 10)
			// His own account lets him read: it is the other account that has to.
			_, err := w.destination.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
				UserName: &r.user, PolicyName: aws.String("own-work"),
				PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket","s3:GetObject"],"Resource":"*"}]}`),
			})
			if err != nil {
				t.Fatal(err)
			}
			r.makeBucket(t, w.destination, r.copy)
			w.box.SetPropagation(propagation)
			time.Sleep(2 * propagation)
			wantAnswers(t, "before", a.ask(r), errRefused)
			reached, release := r.holdAtFirstCopy()
			cmd, wait := r.command(t, "apply", r.plan, "--yes")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-reached:
				wantAnswers(t, "in between", a.ask(r), nil)
			case <-time.After(r.limit):
				t.Error("it never came to copy")
			}
			release()
			if got := wait(); got.code != 0 {
				t.Fatalf("xplan apply: %s", got)
			}
			time.Sleep(2 * propagation)
			wantAnswers(t, "after", a.ask(r), errRefused)
			r.isCopied(t)
			r.isClean(t)
		})
	}
}
